# SPDX-License-Identifier: MIT
"""Checks in event loops: thousands at once, cancelled at any time, in several loops, and none left behind."""
import asyncio
import gc
import os
import random
import sys
import threading
import weakref
from typing import Any, Coroutine, List

import libspf
import pytest
from resolvers import IS_SANITIZED, AwaitingResolver, LateResolver, SilentResolver, offline
from dns_server import DnsServer, Zone

# The whole of what is promised; a run by default does less.
LARGE = bool(os.environ.get("LIBSPF_TEST_LARGE"))
AT_ONCE = 10000 if LARGE else 2000
CANCELLED = 10000 if LARGE else 2000


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def settle() -> None:
    """Lets everything that is ready happen."""
    for _ in range(5):
        await asyncio.sleep(0)


def question(number: int) -> Any:
    return "192.0.2.%d" % (number % 250), "ann@d%d.example" % number


def test_at_once_behind_a_late_resolver() -> None:
    async def main(context: libspf.Context) -> List[libspf.Result]:
        return list(await asyncio.gather(*[context.check_async(*question(number)) for number in range(AT_ONCE)]))

    with LateResolver(0.05) as resolver, libspf.Context(resolver=resolver, timeout=120) as context:
        results = asyncio.run(main(context), debug=False)
        assert {str(result.result) for result in results} == {"pass"}
        assert {result.checked_domain for result in results} == {"d%d.example" % number for number in range(AT_ONCE)}
        assert resolver.answered == AT_ONCE and context.pending == 0


def test_at_once_behind_a_late_server() -> None:
    names = {"d%d.example" % number: {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]} for number in range(200)}
    server = DnsServer(Zone(names))
    server.mode, server.delay_s = "slow", 0.05

    async def main(context: libspf.Context) -> List[libspf.Result]:
        return list(await asyncio.gather(*[context.check_async(*question(number)) for number in range(200)]))

    try:
        with libspf.Context(resolver=server.resolver) as context:
            assert {str(result.result) for result in asyncio.run(main(context))} == {"pass"}
    finally:
        server.stop()


class World:
    """What must be the same before and after: Python's objects, references, and memory, its own and C's."""

    def __init__(self, *held: Any) -> None:
        self.held = [thing for thing in held if thing is not None]

    def counts(self) -> List[int]:
        """References to what every check holds, and how many there are of what every check makes."""
        gc.collect()
        return [sys.getrefcount(thing) for thing in self.held] + [
            sum(isinstance(thing, kind) for thing in gc.get_objects())
            for kind in (libspf.Result, libspf.Query, asyncio.Task, asyncio.Future)
        ]

    @staticmethod
    def blocks() -> int:
        return sys.getallocatedblocks()

    @staticmethod
    def resident_kib() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


async def cancel_at_random(context: libspf.Context, count: int, chance: random.Random) -> int:
    """Starts checks and cancels each after a random number of turns of the loop. How many had ended before."""
    ended = 0

    async def one(number: int) -> None:
        nonlocal ended
        task = asyncio.ensure_future(context.check_async(*question(number % 50)))
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3, 5, 20))):
            await asyncio.sleep(0)
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() / 500)
        task.cancel()
        try:
            result = await task
            assert result.result == "pass"
            ended += 1
        except asyncio.CancelledError:
            pass

    for start in range(0, count, 100):
        await asyncio.gather(*[one(start + number) for number in range(min(100, count - start))])
        assert context.pending == 0
    return ended


@pytest.mark.parametrize("kind", ["late", "awaiting", "server"])
def test_cancelled_at_random(kind: str) -> None:
    names = {"d%d.example" % number: {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]} for number in range(50)}
    late = LateResolver(0.0005)
    server = DnsServer(Zone(names))
    resolver: Any = {"late": late, "awaiting": AwaitingResolver(Zone(names)), "server": server.resolver}[kind]
    chance = random.Random(5)

    async def main(context: libspf.Context) -> None:
        await cancel_at_random(context, 500, chance)
        await settle()
        world = World(context, context._handle, context._questions, late, libspf.Result)  # type: ignore[attr-defined]
        counts, blocks, resident = world.counts(), world.blocks(), world.resident_kib()
        ended = await cancel_at_random(context, CANCELLED, chance)
        await settle()
        assert world.counts() == counts
        assert world.blocks() - blocks < CANCELLED / 10
        if not IS_SANITIZED:
            assert world.resident_kib() - resident < CANCELLED / 2  # a check has some KiB
        assert ended < CANCELLED

    try:
        with libspf.Context(resolver=resolver, record_cache=0) as context:
            asyncio.run(main(context), debug=False)
    finally:
        late.close()
        server.stop()


def test_cancelling_the_task_cancels_the_check() -> None:
    resolver = SilentResolver()

    async def main(context: libspf.Context) -> None:
        task = asyncio.ensure_future(context.check_async(*question(1)))
        await settle()
        assert context.pending == 1 and resolver.asked == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert context.pending == 0
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(context.check_async(*question(2)), 0.01)
        assert context.pending == 0
        # What it had asked is not wanted any more, and the resolver learns of it at the next turn.
        assert (await context.check_async("192.0.2.1", record="v=spf1 -all")).result == "none"
        assert resolver.cancelled == 2

    with libspf.Context(resolver=resolver) as context:
        asyncio.run(main(context))


def test_a_check_that_nobody_awaits_is_never_started() -> None:
    with libspf.Context(resolver=SilentResolver()) as context:
        coroutine = context.check_async(*question(1))
        coroutine.close()
        assert context.pending == 0


def test_dropped_tasks_are_cancelled() -> None:
    """A loop that is closed in mid-check leaves nothing behind: no check, no descriptor, not itself."""
    with libspf.Context(resolver=SilentResolver()) as context:
        before = descriptors()
        for _ in range(3):
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(lambda *_: None)  # which says that tasks were pending
            tasks = [loop.create_task(context.check_async(*question(number))) for number in range(10)]
            loop.run_until_complete(settle())
            assert context.pending == 10
            loop.close()
            gone = weakref.ref(loop)
            del tasks, loop
            gc.collect()
            assert context.pending == 0 and gone() is None
            assert descriptors() <= before


def test_loops_that_end_well_leave_nothing() -> None:
    async def main(context: libspf.Context) -> None:
        await asyncio.gather(*[context.check_async(*question(number)) for number in range(10)])

    with LateResolver(0.001) as resolver, libspf.Context(resolver=resolver) as context:
        asyncio.run(main(context))
        before = descriptors()
        for _ in range(5):
            asyncio.run(main(context))
            gc.collect()
        assert descriptors() <= before


def test_the_loop_watches_only_while_something_is_waited_for() -> None:
    async def main(context: libspf.Context) -> None:
        loop = asyncio.get_running_loop()
        selector = loop._selector  # type: ignore[attr-defined]
        before = len(selector.get_map())
        await context.check_async("192.0.2.1", "ann@example.com")
        assert len(selector.get_map()) == before
        task = asyncio.ensure_future(context.check_async("192.0.2.1", "ann@late.example"))
        await settle()
        assert len(selector.get_map()) == before + 1
        await task
        assert len(selector.get_map()) == before

    with LateResolver(0.01) as resolver, libspf.Context(resolver=resolver) as context:
        asyncio.run(main(context))


def run_in_threads(count: int, main: Any) -> None:
    """Each thread with a loop of its own."""
    failures: List[BaseException] = []

    def work(number: int) -> None:
        try:
            asyncio.run(main(number))
        except BaseException as error:  # shown by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_several_loops_on_one_context() -> None:
    names = {"d%d.example" % number: {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]} for number in range(400)}
    server = DnsServer(Zone(names))

    async def main(thread: int) -> None:
        for turn in range(10):
            numbers = [(thread * 97 + turn * 31 + number) % 400 for number in range(30)]
            results = await asyncio.gather(*[context.check_async(*question(number)) for number in numbers])
            assert [result.checked_domain for result in results] == ["d%d.example" % number for number in numbers]
            assert {str(result.result) for result in results} == {"pass"}

    try:
        with libspf.Context(resolver=server.resolver) as context:
            run_in_threads(6, main)
            assert context.pending == 0
    finally:
        server.stop()


def test_several_loops_and_a_resolver_that_awaits() -> None:
    """A loop that ends leaves the questions that it was about to answer to the others."""
    names = {"d%d.example" % number: {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]} for number in range(400)}
    resolver = AwaitingResolver(Zone(names))

    async def main(thread: int) -> None:
        for turn in range(5):
            numbers = [(thread * 97 + turn * 31 + number) % 400 for number in range(10)]
            results = await asyncio.gather(*[context.check_async(*question(number)) for number in numbers])
            assert {str(result.result) for result in results} == {"pass"}

    with libspf.Context(resolver=resolver, record_cache=0) as context:
        for _ in range(3):
            run_in_threads(4, main)
        assert context.pending == 0


def test_closing_the_context_ends_what_is_waited_for() -> None:
    async def main() -> None:
        context = libspf.Context(resolver=SilentResolver())
        tasks = [asyncio.ensure_future(context.check_async(*question(number))) for number in range(5)]
        await settle()
        context.close()
        for task in tasks:
            with pytest.raises(libspf.Error, match="cancelled") as caught:
                await task
            assert caught.value.code is libspf.ErrorCode.ECANCELED

    asyncio.run(main())


def test_closing_the_context_in_another_thread() -> None:
    async def main() -> None:
        context = libspf.Context(resolver=SilentResolver())
        task = asyncio.ensure_future(context.check_async(*question(1)))
        await settle()
        await asyncio.get_running_loop().run_in_executor(None, context.close)
        with pytest.raises(libspf.Error, match="cancelled"):
            await task

    asyncio.run(main())


def test_wrong_arguments_raise_when_awaited() -> None:
    async def main(context: libspf.Context) -> None:
        with pytest.raises(ValueError, match='ip: .*"nowhere"'):
            await context.check_async("nowhere")
        assert context.pending == 0

    with offline() as context:
        asyncio.run(main(context))


def test_a_blocking_check_inside_the_loop() -> None:
    """Which is not kind to the loop, but right."""

    async def main(context: libspf.Context) -> None:
        task = asyncio.ensure_future(context.check_async(*question(1)))
        await settle()
        assert context.check(*question(2)).result == "pass"
        assert (await task).result == "pass"

    with LateResolver(0.01) as resolver, libspf.Context(resolver=resolver) as context:
        asyncio.run(main(context))


def test_checks_that_need_not_wait_leave_the_loop_to_others() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def main(context: libspf.Context) -> None:
        task = asyncio.ensure_future(turn())
        for _ in range(1000):
            assert (await context.check_async(*question(1))).result == "none"
        task.cancel()

    with offline() as context:
        asyncio.run(main(context))
    assert turns > 10


def test_deadlines() -> None:
    async def main(context: libspf.Context) -> None:
        results = await asyncio.gather(*[context.check_async(*question(number), timeout=0.02) for number in range(20)])
        assert {str(result.result) for result in results} == {"temperror"}
        assert {str(result.cause) for result in results} == {"deadline"}

    with libspf.Context(resolver=SilentResolver()) as context:
        asyncio.run(main(context))


def awaitable(value: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(value, 60))


def test_the_module_s_own_function(tmp_path: Any) -> None:
    config = tmp_path / "libspf.conf"
    config.write_text("resolver: none\n")
    with libspf.shared_context(config):
        assert awaitable(libspf.check_async("192.0.2.1", "ann@example.com")).result == "none"
