# SPDX-License-Identifier: MIT
"""Contexts: a resolver, its caches and the checks and surveys in flight."""
import asyncio
import os
import threading
import weakref
from typing import Any, List, Optional, Set, Tuple

from . import _swig
from ._asking import new_check
from ._errors import Error, ErrorCode
from ._many import Checks
from ._ports import STARTED_AT_ONCE, Job, LoopPort, ThreadPort, close_loop, new_loop
from ._resolver import Questions
from ._results import Result
from ._settings import Settings
from ._tools import Remark, Survey, lint_question, new_survey

CONFIG_FILE = "/etc/libspf.conf"

_contexts: "weakref.WeakSet[Context]" = weakref.WeakSet()


class Context:
    """A resolver, its caches and what is in flight: one of your own, beside the one that the whole process shares.

    with libspf.Context(resolver="192.0.2.53", timeout=5) as context:
        print(context.check("192.0.2.7", "ann@example.com"))

    config: a file to read first, as libspf.conf(5) describes it; none unless given.
    zone_text: a zone in master-file format, for what-if questions.
    resolver: "system" (the default), "recursive", "none", "ADDRESS" or "ADDRESS@PORT", or a list of those; or a
        resolver written in Python: a function, or an object with a method query(query). It is given a Query, and
        either answers it, at once or later, or returns the records to answer with. It may be an `async def`: then it
        is run in the event loop that waits. A method cancel(query) is told of questions whose answer is not wanted any
        more (an `async def` is cancelled instead).
    The others are the keys of libspf.conf(5), with "_" for "-", and replace what the file says: zone (a file or a
        list), timeout (seconds), max_lookups, max_void_lookups, max_mx_hosts, max_ptr_names, prefetch (bool),
        trust_anchor, receiver, explanation, record_cache, dns_cache (bytes, or a str such as "8m"),
        outgoing_sockets.

    Any number of threads and event loops may use it at once, and it goes on working in the child of a fork.
    """

    def __init__(self, config: Any = None, *, zone_text: Any = None, resolver: Any = None, **options: Any) -> None:
        self._handle: Optional[_swig.Handle] = None
        settings = Settings()
        if config is not None:
            settings.load(config)
        self._questions: Optional[Questions] = None
        if resolver is not None and not isinstance(resolver, (str, list, tuple)):
            self._questions = Questions(resolver)
        elif resolver is not None:
            settings.set("resolver", resolver)
        if zone_text is not None:
            settings.add_zone_text(zone_text)
        for name, value in options.items():
            settings.set(name, value)
        self._begin(settings.open(self._questions is not None))

    @classmethod
    def _shared(cls, config: Any) -> "Context":
        self = cls.__new__(cls)
        self._questions = None
        path = None if config is None else os.fsencode(config)
        handle, sentence = _swig.open_shared(path)
        if isinstance(handle, int):
            raise Error(handle, sentence)
        self._begin(handle)
        return self

    def _begin(self, handle: _swig.Handle) -> None:
        self._handle = handle
        self._ports: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any]" = weakref.WeakKeyDictionary()
        self._idle: List[ThreadPort] = []
        self._blocking: Set[Job] = set()  # those that threads wait for
        _contexts.add(self)

    def _open(self) -> _swig.Handle:
        if self._handle is None:
            raise Error(ErrorCode.ESTATE, "the context is closed")
        return self._handle

    # ------------------------------------------------------------------------------------------------------- its end

    def __enter__(self) -> "Context":
        self._open()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._handle is None

    @property
    def pending(self) -> int:
        """How many checks and surveys are started and have not ended; without those that threads wait for."""
        return 0 if self._handle is None else self._handle.pending()

    def close(self) -> None:
        """Ends every check and survey in flight with an Error whose code is ECANCELED, and gives the caches back.

        The context that the process shares stays as long as anybody else has it.
        """
        handle, self._handle = self._handle, None
        if handle is None:
            return
        for port in self._loop_ports():
            port.cancel()
        for job in list(self._blocking):
            job.cancel()
        self._idle.clear()
        handle.close()

    def __repr__(self) -> str:
        return "<libspf.Context, %s>" % ("closed" if self.closed else "open")

    def __reduce__(self) -> Any:
        raise TypeError("a libspf.Context can be neither copied nor pickled: make one in every process, "
                        "or use it in the children of a fork")

    def _forked(self) -> None:
        """In the child of a fork: what was in flight is the parent's."""
        for port in self._loop_ports():
            port.forget()
        self._ports.clear()
        self._idle.clear()
        self._blocking.clear()
        if self._questions is not None:
            self._questions.forget()

    # ------------------------------------------------------------------------------------------------------- waiting

    def check(self, ip: Any, sender: Any = None, helo: Any = None, **options: Any) -> Result:
        """Checks whether the client at this address may send mail for this domain, and waits for the Result.

        ip: the client's address: a str, or an IPv4Address or IPv6Address of ipaddress.
        sender: the reverse-path without angle brackets, str or bytes; "" and None are the null one, for which
            postmaster@HELO is checked.
        helo: the argument of HELO or EHLO, str or bytes; None: there was none.

        Options, all by name:
        identity: "mailfrom" (the default) or "helo".
        receiver: this host's name for %{r} and the header fields, if not the configured one.
        timeout: the deadline in seconds, 0.001 to 600, if not the configured one.
        trace: True: keep a trace.
        would_be: True: after a permerror find out what the result had been with the offending terms skipped.
        record: evaluate this record as if the checked domain had published it.

        Other threads go on meanwhile.
        """
        check = new_check(self._open(), ip, sender, helo, options)
        self._finish(check, "await check_async()")
        return Result(check)

    async def check_async(self, ip: Any, sender: Any = None, helo: Any = None, **options: Any) -> Result:
        """As check(), but lets the event loop of asyncio go on while it waits; thousands may be under way at once.

        If the task is cancelled, so is the check.
        """
        check = new_check(self._open(), ip, sender, helo, options)
        await self._finish_async(check)
        return Result(check)

    def survey(self, domain: Any = None, *, record: Any = None, **options: Any) -> Survey:
        """Finds everything that a domain's record leads to, and waits for the Survey.

        domain: whose record; str or bytes. It may be left out where a record is given.
        record: survey this record as if the domain had published it; also as it stands in a zone file, as "quoted"
            "strings".

        Options, all by name:
        includes: False: without the records of includes and redirects.
        addresses: False: without what a, mx and exists terms stand for.
        nearby: False: without what people do wrong around a record: other names, DMARC, type 99.
        timeout: the deadline in seconds, 0.001 to 600, if not the configured one; what was not answered by then is
            reported as a timeout.

        What DNS or the record says is never an exception. Other threads go on meanwhile.
        """
        survey = new_survey(self._open(), domain, record, options)
        self._finish(survey, "await survey_async()")
        return Survey(survey)

    async def survey_async(self, domain: Any = None, *, record: Any = None, **options: Any) -> Survey:
        """As survey(), but lets the event loop of asyncio go on while it waits; many may be under way at once.

        If the task is cancelled, so is the survey.
        """
        survey = new_survey(self._open(), domain, record, options)
        await self._finish_async(survey)
        return Survey(survey)

    def lint(self, subject: Any, *, domain: Any = None, **options: Any) -> Tuple[Remark, ...]:
        """What is wrong with a record, or with the one of a domain: the remarks of its survey.

        subject: a record or a domain; what has a blank, "=", ":" or a quote in it is a record.
        domain: which a given record is for, if that is known.

        Options are those of survey().
        """
        name, record = lint_question(subject, domain)
        return self.survey(name, record=record, **options).remarks

    async def lint_async(self, subject: Any, *, domain: Any = None, **options: Any) -> Tuple[Remark, ...]:
        """As lint(), but lets the event loop of asyncio go on while it waits; many may be under way at once."""
        name, record = lint_question(subject, domain)
        return (await self.survey_async(name, record=record, **options)).remarks

    def _finish(self, job: Job, instead: str) -> None:
        """Waits for the end of a check or a survey."""
        self._blocking.add(job)
        try:
            if self._questions is None and threading.current_thread() is not threading.main_thread():
                err = job.run()
                if err:
                    raise Error(err)
            elif self._questions is not None and self._questions.is_async:
                self._run_in_loop(job, instead)
            else:
                self._run(job)
        except BaseException:
            job.cancel()  # whoever keeps the exception keeps the job too
            raise
        finally:
            self._blocking.discard(job)
        if job.end:
            raise Error(job.end)

    def _run(self, job: Job) -> None:
        """As job.run(), but sees to signals and to a resolver of Python."""
        try:
            port = self._idle.pop()
        except IndexError:
            port = ThreadPort(self._open(), self._questions)
        err = job.start(port.port)
        if err:
            raise Error(err)
        port.run()
        self._idle.append(port)

    def _run_in_loop(self, job: Job, instead: str) -> None:
        """For a resolver that awaits: an event loop for this one job."""
        loop = new_loop(instead)
        try:
            loop.run_until_complete(self._finish_async(job))
        finally:
            close_loop(loop)

    async def _finish_async(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        port = self._port_of(loop)
        err = job.start(port.port)
        if err:
            raise Error(err)
        number = job.number
        future: "asyncio.Future[None]" = loop.create_future()
        port.waiting[number] = future, job
        try:
            # Where others are waited for too, the loop will do what can be done for all.
            if not port.is_watched or self._questions is not None or not number % STARTED_AT_ONCE:
                port.ready()
            if not future.done():
                self._watch(loop, port)
                await future
            elif not number % STARTED_AT_ONCE:
                await asyncio.sleep(0)  # nor must those who never wait, because all is cached, hold up the loop
        finally:
            if port.waiting.pop(number, None) is not None:
                job.cancel()
            if port.is_watched and not port.waiting:
                self._unwatch(loop, port)
        if job.end:
            raise Error(job.end)

    def _loop_ports(self) -> List[LoopPort]:
        """Those that there are; other threads may make some meanwhile."""
        loops = [reference() for reference in self._ports.keyrefs()]
        ports = [self._ports.get(loop) for loop in loops if loop is not None]
        ports = [port() if isinstance(port, weakref.ref) else port for port in ports]
        return [port for port in ports if port is not None]

    def _port_of(self, loop: asyncio.AbstractEventLoop) -> LoopPort:
        port = self._ports.get(loop)
        if isinstance(port, weakref.ref):
            port = port()
        if port is None:
            port = self._ports[loop] = LoopPort(self._open(), self._questions)
        return port

    # While it is watched, the loop holds the port, and the port's futures the loop: so both can go if the loop is
    # closed and forgotten. Else the context holds it.

    def _watch(self, loop: asyncio.AbstractEventLoop, port: LoopPort) -> None:
        if not port.is_watched:
            loop.add_reader(port.port.fileno(), port.ready)
            port.is_watched = True
            self._ports[loop] = weakref.ref(port)

    def _unwatch(self, loop: asyncio.AbstractEventLoop, port: LoopPort) -> None:
        port.is_watched = False
        if not loop.is_closed():
            loop.remove_reader(port.port.fileno())
            self._ports[loop] = port

    def check_many(
        self, questions: Any, *, concurrency: int = 100, ordered: bool = True, **options: Any
    ) -> Checks[Any]:
        """Checks many, some at once, with `for` or with `async for`: gives pairs of a question and its Result.

        async for question, result in libspf.check_many(questions, concurrency=500):
            ...

        questions: an iterable, for `async for` also an asynchronous one, of what check() takes: each a tuple or list
            (ip, sender, helo), of which only ip is needed, or a dict of these and of options. Items past the first
            three of a tuple, and the key "tag" of a dict, are yours. It is read only as far as checks can be started;
            while an iterable waits for something itself, so do the checks: then give an asynchronous one.
        concurrency: how many checks are under way at most.
        ordered: True: in the order of the questions; False: each as soon as it is there.
        options: those of check(), for all of them.

        A wrong question raises, as in check(), when its turn comes, after the results of those before it; so does what
        the iterable raises. Leaving the loop cancels what is under way.
        """
        return Checks(self, questions, concurrency, ordered, options)


# ------------------------------------------------------------------------------------------- the one of the process

_shared: Optional[Context] = None


def shared_context(config: Any = None) -> Context:
    """The context that the whole process shares, with whatever else in it uses libspf; made at its first use.

    config: the file it is configured from; /etc/libspf.conf, if that exists, unless given. The first choice stands as
        long as anybody holds the context; asking for another file meanwhile is an Error.
    """
    global _shared
    if _shared is None or _shared.closed:
        _shared = Context._shared(config)
    elif config is not None:
        Context._shared(config).close()
    return _shared


def check(ip: Any, sender: Any = None, helo: Any = None, **options: Any) -> Result:
    """Checks whether the client at this address may send mail for this domain, and waits for the Result.

    libspf.check("192.0.2.7", "ann@example.com", "mail.example.com")

    As Context.check(), where the options are described, in the context that the process shares.
    """
    return shared_context().check(ip, sender, helo, **options)


async def check_async(ip: Any, sender: Any = None, helo: Any = None, **options: Any) -> Result:
    """As check(), but lets the event loop of asyncio go on while it waits; thousands may be under way at once.

    If the task is cancelled, so is the check. Context.check_async() in the context that the process shares.
    """
    return await shared_context().check_async(ip, sender, helo, **options)


def check_many(questions: Any, *, concurrency: int = 100, ordered: bool = True, **options: Any) -> Checks[Any]:
    """Checks many, some at once, with `for` or with `async for`: gives pairs of a question and its Result.

    As Context.check_many(), which describes the arguments, in the context that the process shares.
    """
    return shared_context().check_many(questions, concurrency=concurrency, ordered=ordered, **options)


def survey(domain: Any = None, *, record: Any = None, **options: Any) -> Survey:
    """Finds everything that a domain's record leads to, and waits for the Survey.

    print(libspf.survey("example.com").text())

    As Context.survey(), where the options are described, in the context that the process shares.
    """
    return shared_context().survey(domain, record=record, **options)


async def survey_async(domain: Any = None, *, record: Any = None, **options: Any) -> Survey:
    """As survey(), but lets the event loop of asyncio go on while it waits; many may be under way at once.

    If the task is cancelled, so is the survey. Context.survey_async() in the context that the process shares.
    """
    return await shared_context().survey_async(domain, record=record, **options)


def lint(subject: Any, *, domain: Any = None, **options: Any) -> Tuple[Remark, ...]:
    """What is wrong with a record, or with the one of a domain: the remarks of its survey.

    for remark in libspf.lint("v=spf1 include=_spf.example.net -all"):
        print(remark)

    As Context.lint(), where the arguments are described, in the context that the process shares.
    """
    return shared_context().lint(subject, domain=domain, **options)


async def lint_async(subject: Any, *, domain: Any = None, **options: Any) -> Tuple[Remark, ...]:
    """As lint(), but lets the event loop of asyncio go on while it waits; many may be under way at once.

    Context.lint_async() in the context that the process shares.
    """
    return await shared_context().lint_async(subject, domain=domain, **options)


def _after_fork() -> None:
    for context in list(_contexts):
        context._forked()


os.register_at_fork(after_in_child=_after_fork)
