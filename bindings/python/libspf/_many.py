# SPDX-License-Identifier: MIT
"""Many checks, so many at once."""
import asyncio
import collections
from typing import Any, AsyncIterator, Deque, Dict, Generic, Iterator, Mapping, Optional, Tuple, TypeVar

from ._asking import new_check
from ._errors import Error
from ._ports import STARTED_AT_ONCE, ThreadPort, close_loop, new_loop
from ._results import Result

# In order: how many results may wait for a slow one before them, in units of the concurrency.
AHEAD = 10


def _arguments(question: Any, options: Dict[str, Any]) -> Tuple[Any, Any, Any, Dict[str, Any]]:
    """What check() takes, out of a question."""
    if isinstance(question, Mapping):
        given = dict(options, **question)
        given.pop("tag", None)
        if "ip" not in given:
            raise ValueError("questions: %r has no ip" % (question,))
        return given.pop("ip"), given.pop("sender", None), given.pop("helo", None), given
    if isinstance(question, (str, bytes)) or not hasattr(question, "__getitem__"):
        raise TypeError("questions: %r is no tuple (ip, sender, helo) and no dict of these" % (question,))
    if not question:
        raise ValueError("questions: %r has no ip" % (question,))
    ip, sender, helo = (tuple(question[:3]) + (None, None))[:3]
    return ip, sender, helo, options


class _Entry:
    """A question under way."""

    __slots__ = ("question", "check", "task", "is_done")

    def __init__(self, question: Any, check: Any) -> None:
        self.question = question
        self.check = check
        self.task: Any = None
        self.is_done = False


class _Window:
    """The questions under way, and those whose results wait for their turn."""

    def __init__(self, concurrency: int, ordered: bool) -> None:
        self.concurrency = concurrency
        self.under_way = 0
        self._ordered = ordered
        self._entries: Deque[_Entry] = collections.deque()  # if ordered, all; else those that are done

    def has_room(self) -> bool:
        return self.under_way < self.concurrency and len(self._entries) < AHEAD * self.concurrency

    def begin(self, entry: _Entry) -> None:
        self.under_way += 1
        if self._ordered:
            self._entries.append(entry)

    def end(self, entry: _Entry) -> None:
        self.under_way -= 1
        entry.is_done = True
        if not self._ordered:
            self._entries.append(entry)

    def is_empty(self) -> bool:
        return not self.under_way and not self._entries

    def next_done(self) -> Optional[_Entry]:
        return self._entries.popleft() if self._entries and self._entries[0].is_done else None


_Question = TypeVar("_Question")


class Checks(Generic[_Question]):
    """What check_many() gives: goes with `for` and with `async for`, once."""

    def __init__(self, context: Any, questions: Any, concurrency: int, ordered: bool, options: Dict[str, Any]) -> None:
        if not isinstance(concurrency, int) or isinstance(concurrency, bool):
            raise TypeError("concurrency: %r is no int" % (concurrency,))
        if concurrency < 1:
            raise ValueError("concurrency: %r is less than 1" % (concurrency,))
        self._context = context
        self._questions = questions
        self._concurrency = concurrency
        self._ordered = ordered
        self._options = options

    def _entry(self, question: Any) -> _Entry:
        ip, sender, helo, options = _arguments(question, self._options)
        return _Entry(question, new_check(self._context._open(), ip, sender, helo, options))

    # ------------------------------------------------------------------------------------------------------- a thread

    def __iter__(self) -> Iterator[Tuple[Any, Result]]:
        questions = self._context._questions
        if questions is not None and questions.is_async:
            return self._iterate_in_loop()
        return self._iterate(iter(self._questions))

    def _iterate(self, questions: Iterator[Any]) -> Iterator[Tuple[Any, Result]]:
        context = self._context
        port = ThreadPort(context._open(), context._questions)
        window = _Window(self._concurrency, self._ordered)
        under_way: Dict[int, _Entry] = {}
        is_open = True
        failure: Optional[Exception] = None  # of a question or of where they come from: raised when its turn comes
        try:
            while is_open or not window.is_empty():
                while is_open and window.has_room():
                    try:
                        entry = self._start(next(questions), port)
                    except StopIteration:
                        is_open = False
                        break
                    except Exception as error:
                        is_open, failure = False, error
                        break
                    under_way[entry.check.number] = entry
                    window.begin(entry)
                    if not entry.check.number % STARTED_AT_ONCE:
                        port.turn()
                done = self._next_done(port, window, under_way)
                if done is None and under_way:
                    port.wait()
                while done is not None:
                    if done.check.end:
                        raise Error(done.check.end)
                    yield done.question, Result(done.check)
                    # However long whoever iterates was at work: the others go on.
                    done = self._next_done(port, window, under_way)
        finally:
            for entry in under_way.values():
                entry.check.cancel()
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # whose traceback knows this frame

    @staticmethod
    def _next_done(port: ThreadPort, window: _Window, under_way: Dict[int, _Entry]) -> Optional[_Entry]:
        if under_way:
            port.turn()
            number = port.port.take_done()
            while number:
                window.end(under_way.pop(number))
                number = port.port.take_done()
        return window.next_done()

    def _start(self, question: Any, port: ThreadPort) -> _Entry:
        entry = self._entry(question)
        err = entry.check.start(port.port)
        if err:
            raise Error(err)
        return entry

    def _iterate_in_loop(self) -> Iterator[Tuple[Any, Result]]:
        """For a resolver that awaits: an event loop for this iteration."""
        loop = new_loop("async for")
        pairs: Any = self.__aiter__()
        try:
            while True:
                try:
                    pair = loop.run_until_complete(pairs.__anext__())
                except StopAsyncIteration:
                    return
                yield pair
        finally:
            loop.run_until_complete(pairs.aclose())
            close_loop(loop)

    # ---------------------------------------------------------------------------------------------------- an event loop

    async def __aiter__(self) -> AsyncIterator[Tuple[Any, Result]]:
        loop = asyncio.get_running_loop()
        window = _Window(self._concurrency, self._ordered)
        source = _Source(self._questions)
        news = asyncio.Event()
        tasks: Dict[Any, _Entry] = {}
        failure: Optional[Exception] = None  # as above

        def end(task: Any) -> None:
            entry = tasks.pop(task, None)
            if entry is not None:
                window.end(entry)
                news.set()

        try:
            while source.is_open or not window.is_empty():
                news.clear()
                while window.has_room():
                    try:
                        if not source.pull(loop, news):
                            break
                        entry = self._entry(source.question)
                    except Exception as error:
                        source.is_open, failure = False, error
                        break
                    entry.task = loop.create_task(self._one(entry.check))
                    tasks[entry.task] = entry
                    window.begin(entry)
                    entry.task.add_done_callback(end)
                done = window.next_done()
                if done is None and (source.is_open or window.under_way):
                    await news.wait()
                while done is not None:
                    yield done.question, done.task.result()
                    done = window.next_done()
        finally:
            rest = list(tasks)
            tasks.clear()
            await source.close()
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # whose traceback knows this frame

    async def _one(self, check: Any) -> Result:
        await self._context._finish_async(check)
        return Result(check)


class _Source:
    """Questions out of an iterable of either kind."""

    def __init__(self, questions: Any) -> None:
        self.is_open = True
        self.question: Any = None
        self._is_async = hasattr(questions, "__aiter__")
        self._iterator = questions.__aiter__() if self._is_async else iter(questions)
        self._pull: Any = None

    def pull(self, loop: asyncio.AbstractEventLoop, news: asyncio.Event) -> bool:
        """Whether there is a next question now; else news may bring one, as long as this is open."""
        if not self.is_open:
            return False
        if not self._is_async:
            return self._take(lambda: (next(self._iterator),))
        if self._pull is None:
            self._pull = loop.create_task(self._next())
            self._pull.add_done_callback(lambda _: news.set())
        if not self._pull.done():
            return False
        pull, self._pull = self._pull, None
        return self._take(pull.result)

    def _take(self, take: Any) -> bool:
        try:
            taken = take()
        except StopIteration:
            taken = None
        if taken is None:
            self.is_open = False
            return False
        (self.question,) = taken
        return True

    async def _next(self) -> Any:
        try:
            return (await self._iterator.__anext__(),)
        except StopAsyncIteration:
            return None

    async def close(self) -> None:
        if self._pull is not None:
            self._pull.cancel()
            await asyncio.gather(self._pull, return_exceptions=True)
