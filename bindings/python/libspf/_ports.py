# SPDX-License-Identifier: MIT
"""Where checks and surveys end: every event loop, and every thread that waits for some, has a port of its own."""
import asyncio
import select
from typing import Any, Dict, Optional, Tuple, Union

from . import _swig
from ._errors import Error
from ._resolver import Questions

# While many checks are started, answers must not wait so long that their questions are asked again.
STARTED_AT_ONCE = 64

Job = Union[_swig.Check, _swig.Survey]


class Port:
    """Jobs end in any thread that uses the context; whose port they were started in learns of it."""

    __slots__ = ("handle", "questions", "port", "__weakref__")

    def __init__(self, handle: _swig.Handle, questions: Optional[Questions]) -> None:
        self.handle = handle
        self.questions = questions
        self.port = _swig.Port(handle)

    def turn(self) -> None:
        """Does what can be done without waiting; the resolver of Python, if there is one, is asked and listened to."""
        err = self.port.process()
        while self.questions is not None and self.questions.turn(self.handle):
            err = self.port.process()
        if err:
            raise Error(err)


class ThreadPort(Port):
    """Of a thread that waits."""

    __slots__ = ()

    def wait(self) -> None:
        """Waits until there is something to do. Signals are seen to."""
        poll = select.poll()
        poll.register(self.port.fileno(), select.POLLIN)
        poll.poll()

    def run(self) -> None:
        """Waits for the end of the one job that was started here."""
        self.turn()
        while not self.port.take_done():
            self.wait()
            self.turn()


class LoopPort(Port):
    """Of an event loop. The loop watches it only while something is waited for, and only then it knows the loop."""

    __slots__ = ("waiting", "is_watched")

    def __init__(self, handle: _swig.Handle, questions: Optional[Questions]) -> None:
        super().__init__(handle, questions)
        self.waiting: Dict[int, Tuple["asyncio.Future[None]", Job]] = {}
        self.is_watched = False

    def ready(self) -> None:
        """Does what can be done now, and tells those who wait."""
        self.turn()
        waiting = self.waiting
        take = self.port.take_done
        number = take()
        while number:
            future, _ = waiting.pop(number, (None, None))
            if future is not None and not future.done():
                future.set_result(None)
            number = take()

    def forget(self) -> None:
        """In the child of a fork, where the loop's own descriptor is still the parent's too, and must not be touched."""
        self.waiting.clear()
        self.is_watched = False

    def cancel(self) -> None:
        """Ends every job, in any thread; the loop tells those who wait."""
        for _, job in list(self.waiting.values()):
            job.cancel()


def new_loop(instead: str) -> asyncio.AbstractEventLoop:
    """An event loop of our own, for a thread that waits although the resolver awaits."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.new_event_loop()
    raise RuntimeError("this would stop the event loop that the resolver of Python needs: use `%s`" % instead)


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def close_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Closes an event loop of our own; what a resolver has left running in it is cancelled first."""
    loop.run_until_complete(_end_tasks())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
