# SPDX-License-Identifier: MIT
"""Resolvers written in Python."""
import asyncio
import inspect
import ipaddress
import logging
import socket
from typing import Any, Dict, Iterable, Optional, Union

from . import _swig
from ._results import DNSSECS

_log = logging.getLogger("libspf")

_TYPES = {1: "A", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 99: "SPF"}
_STATUSES = {"nxdomain": 1, "timeout": 2, "error": 3, "bogus": 4}
_DNSSEC_NUMBERS = {str(dnssec): number for number, dnssec in enumerate(DNSSECS)}
_ANSWER = 0
_TTL_MAX = 2**32 - 1
_PACKET_MAX = 65535
_RETURNED_MAX = 10  # times that a question goes from an event loop that ends to another


def _dnssec_number(dnssec: Any) -> int:
    number = _DNSSEC_NUMBERS.get(str(dnssec))
    if number is None:
        raise ValueError('dnssec: %r is none of "insecure", "secure" and "bogus"' % (dnssec,))
    return number


def _ttl(ttl: Any) -> int:
    if not isinstance(ttl, int):
        raise TypeError("ttl: %r is no int" % (ttl,))
    if not 0 <= ttl <= _TTL_MAX:
        raise ValueError("ttl: %r is not from 0 to %d seconds" % (ttl, _TTL_MAX))
    return ttl


def _address(family: int, name: str, record: Any) -> bytes:
    if isinstance(record, bytes):
        return record
    if isinstance(record, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return record.packed
    if not isinstance(record, str):
        raise TypeError("records: %r is no str, bytes or address" % (record,))
    try:
        return socket.inet_pton(family, record)
    except (OSError, ValueError):
        raise ValueError("records: %r is no %s address" % (record, name)) from None


def _octets(type_name: str, record: Any) -> Any:
    """A record of that type as libspf takes it."""
    if type_name == "A":
        return _address(socket.AF_INET, "IPv4", record)
    if type_name == "AAAA":
        return _address(socket.AF_INET6, "IPv6", record)
    if not isinstance(record, (str, bytes)):
        raise TypeError("records: %r is no str or bytes" % (record,))
    if type_name == "MX" and isinstance(record, str) and " " in record:  # which would be asked for, and not found
        raise ValueError("records: %r is no host name; a preference is not wanted" % (record,))
    return record


class Query:
    """A question that a resolver written in Python answers: once, now or later, in any thread.

    The methods that answer return False, and do nothing, if the answer is not wanted any more: because the check has
    ended, or because an answer was given before.
    """

    __slots__ = ("_question", "_asked", "_returned", "_number", "_type", "_task", "__weakref__")

    def __init__(self, question: _swig.Question, asked: "Dict[int, Query]", returned: Dict[int, int]) -> None:
        self._question = question
        self._asked = asked
        self._returned = returned
        self._number = question.number
        self._type = _TYPES[question.type]
        self._task: Optional["asyncio.Task[Any]"] = None
        asked[self._number] = self

    @property
    def name(self) -> str:
        """The name asked for: lower case, no trailing dot. Octets that are no UTF-8 are lone surrogates."""
        return self._question.name()

    @property
    def type(self) -> str:
        """ "A", "AAAA", "MX", "PTR", "TXT" or, of a survey that looks nearby, "SPF" (99)."""
        return self._type

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
        return self._question.is_wanted()

    def _over(self, was_wanted: bool) -> bool:
        self._asked.pop(self._number, None)
        self._returned.pop(self._number, None)
        return was_wanted

    def _return(self) -> None:
        """The loop that was to answer it ends: another one may, but not for ever."""
        times = self._returned.get(self._number, 0) + 1
        if times > _RETURNED_MAX:
            self.fail("error", "the resolver was cancelled")
        elif self.is_wanted:
            self._returned[self._number] = times
            self._question.put_back()

    def answer(self, records: Iterable[Any] = (), *, ttl: int = 0, dnssec: str = "insecure") -> bool:
        """Answers with records of the type asked for; none at all is an answer too (NODATA).

        records: for A and AAAA addresses, as str, ipaddress objects or 4 or 16 bytes; for MX and PTR host names (a
            preference does not matter to SPF); for TXT and SPF texts, as str or bytes, the strings of a record joined.
        ttl: the lowest TTL in seconds; 0: do not keep.
        dnssec: "insecure", "secure" or "bogus".
        """
        if isinstance(records, (str, bytes, ipaddress.IPv4Address, ipaddress.IPv6Address)):
            records = (records,)
        number, seconds = _dnssec_number(dnssec), _ttl(ttl)
        question = self._question
        for octets in [(_octets(self._type, record), record) for record in records]:
            if question.add(octets[0]):
                question.clear()
                raise ValueError("records: %r is too long, or no address of type %s" % (octets[1], self._type))
        return self._over(question.finish(_ANSWER, seconds, number, None))

    def answer_packet(self, packet: bytes, *, dnssec: str = "insecure") -> bool:
        """Answers with a whole DNS message, from its header on, as it came; its CNAME chain is followed within it."""
        if not isinstance(packet, bytes):
            raise TypeError("packet: %r is no bytes" % (packet,))
        if len(packet) > _PACKET_MAX:
            raise ValueError("packet: %d octets are more than %d" % (len(packet), _PACKET_MAX))
        return self._over(self._question.answer_packet(packet, _dnssec_number(dnssec)))

    def fail(self, status: str, detail: Optional[str] = None, *, ttl: int = 0) -> bool:
        """Answers that there is no answer.

        status: "nxdomain": the name does not exist; "timeout": nobody answered; "error": SERVFAIL, REFUSED, ...;
            "bogus": DNSSEC validation failed.
        detail: what to tell an administrator ("SERVFAIL").
        ttl: how many seconds to keep that the name does not exist.
        """
        number = _STATUSES.get(status)
        if number is None:
            raise ValueError('status: %r is none of "nxdomain", "timeout", "error" and "bogus"' % (status,))
        bogus = _DNSSEC_NUMBERS["bogus" if status == "bogus" else "insecure"]
        return self._over(self._question.finish(number, _ttl(ttl), bogus, detail))

    def _raised(self, error: BaseException) -> None:
        _log.error("libspf: the resolver could not answer %s %s", self._type, self.name, exc_info=error)
        self.fail("error", "the resolver raised %s" % type(error).__name__)

    def __repr__(self) -> str:
        return "<libspf.Query %s %s>" % (self._type, self.name)


class Questions:
    """What a context asks its resolver of Python."""

    def __init__(self, resolver: Any) -> None:
        query = getattr(resolver, "query", None)
        if query is None and callable(resolver):
            query = resolver
        if not callable(query):
            raise TypeError(
                "resolver: %r is no str, no list of str, no function, and has no method query(query)" % (resolver,)
            )
        self._query = query
        self._cancel = getattr(resolver, "cancel", None)
        self._asked: Dict[int, Query] = {}
        self._returned: Dict[int, int] = {}
        self.is_async = inspect.iscoroutinefunction(query) or inspect.iscoroutinefunction(
            getattr(query, "__call__", None)
        )

    def forget(self) -> None:
        """In the child of a fork: the parent's questions are not ours."""
        self._asked.clear()
        self._returned.clear()

    def turn(self, handle: _swig.Handle) -> bool:
        """Tells the resolver what libspf asks, and what it does not want to know any more. Whether there was any."""
        if not handle.has_events():
            return False
        while True:
            number = handle.take_cancelled()
            if number:
                self._drop(number)
                continue
            question = handle.take_question()
            if question is None:
                return True
            self._ask(Query(question, self._asked, self._returned))

    def _drop(self, number: int) -> None:
        query = self._asked.pop(number, None)
        self._returned.pop(number, None)
        if query is None:
            return
        if query._task is not None:
            loop = query._task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(query._task.cancel)
        elif self._cancel is not None:
            self._cancel(query)

    def _ask(self, query: Query) -> None:
        try:
            answer = self._query(query)
            if inspect.isawaitable(answer):
                self._await(query, answer)
            elif answer is not None:
                query.answer(answer)
        except Exception as error:
            query._raised(error)
        except BaseException:
            query.fail("error", "the resolver was interrupted")
            raise

    def _await(self, query: Query, answer: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            answer.close()
            raise TypeError("a resolver that awaits must be an `async def`") from None
        query._task = loop.create_task(_answer(query, answer))


async def _answer(query: Query, answer: Any) -> None:
    try:
        records = await answer
        if records is not None:
            query.answer(records)
        elif query.is_wanted:
            raise TypeError("the resolver's coroutine for %s %s returned None without an answer" % (query.type, query.name))
    except asyncio.CancelledError:
        query._return()
        raise
    except Exception as error:
        query._raised(error)
