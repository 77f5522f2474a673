# SPDX-License-Identifier: MIT
"""Iterations over many checks."""
import asyncio
from typing import Any, AsyncIterator, Callable, Dict, Iterator, List, Tuple

import libspf
import pytest
from resolvers import LateResolver, SilentResolver, offline

Pairs = List[Tuple[Any, libspf.Result]]


def by_for(checks: Any) -> Pairs:
    return list(checks)


def by_async_for(checks: Any) -> Pairs:
    async def main() -> Pairs:
        return [pair async for pair in checks]

    return asyncio.run(main())


BOTH = pytest.mark.parametrize("collect", [by_for, by_async_for])
Collect = Callable[[Any], Pairs]


def questions(count: int) -> List[Tuple[str, str]]:
    return [("192.0.2.%d" % (number % 250), "ann@d%d.example" % number) for number in range(count)]


@BOTH
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("concurrency", [1, 3, 1000])
def test_every_question_once(collect: Collect, ordered: bool, concurrency: int) -> None:
    asked = questions(300)
    with LateResolver(0.0002) as resolver, libspf.Context(resolver=resolver) as context:
        pairs = collect(context.check_many(asked, concurrency=concurrency, ordered=ordered))
        assert all(question[1] == result.sender for question, result in pairs)
        found = [question for question, _ in pairs]
        assert found == asked if ordered else sorted(found) == sorted(asked)
        assert context.pending == 0


class Uneven:
    """The first question is answered last."""

    def __init__(self) -> None:
        self.first: Any = None
        self.others = 0

    def query(self, query: libspf.Query) -> None:
        if query.name == "d0.example":
            self.first = query
            return
        query.answer(["v=spf1 -all"])
        self.others += 1
        if self.others == 5:
            self.first.answer(["v=spf1 -all"])


@BOTH
def test_order(collect: Collect) -> None:
    for ordered in (True, False):
        with libspf.Context(resolver=Uneven()) as context:
            senders = [question[1] for question, _ in collect(
                context.check_many(questions(6), concurrency=10, ordered=ordered))]
            assert (senders[0] == "ann@d0.example") is ordered and len(senders) == 6


@BOTH
def test_concurrency_is_a_limit(collect: Collect) -> None:
    most = 0

    class Resolver(SilentResolver):
        def query(self, query: libspf.Query) -> None:
            nonlocal most
            most = max(most, context.pending)
            query.answer(["v=spf1 -all"])

    with libspf.Context(resolver=Resolver(), record_cache=0) as context:
        assert len(collect(context.check_many(questions(100), concurrency=7))) == 100
    assert 1 <= most <= 7


@BOTH
def test_questions_are_read_as_needed(collect: Collect) -> None:
    read = 0

    def endless() -> Iterator[Tuple[str, str]]:
        nonlocal read
        while True:
            read += 1
            yield "192.0.2.1", "ann@example.com"

    async def first(checks: Any) -> Any:
        async for pair in checks:
            return pair

    with offline() as context:
        checks = context.check_many(endless(), concurrency=5)
        if collect is by_for:
            pairs = iter(checks)
            next(pairs)
            pairs.close()  # type: ignore[attr-defined]
        else:
            asyncio.run(first(checks))
        assert 1 <= read <= 60 and context.pending == 0


@BOTH
def test_forms_of_questions(collect: Collect) -> None:
    asked: List[Any] = [
        ("192.0.2.1",),
        ["192.0.2.1", "ann@example.com"],
        ("192.0.2.1", None, "example.com", "whatever else", 5),
        {"ip": "192.0.2.1", "sender": "ann@example.com", "tag": 7},
        {"ip": "192.0.2.1", "helo": "example.com", "identity": "helo", "trace": False},
    ]
    with offline() as context:
        pairs = collect(context.check_many(asked, trace=True))
    assert [question for question, _ in pairs] == asked
    assert [str(result.result) for _, result in pairs] == ["none", "pass", "pass", "pass", "pass"]
    assert [bool(result.trace) for _, result in pairs] == [True, True, True, True, False] or pairs[0][1].trace == []
    assert pairs[4][1].identity == "helo"


WRONG: Dict[str, Any] = {
    "a str": ("192.0.2.1", TypeError, "no tuple"),
    "nothing": ((), ValueError, "has no ip"),
    "a dict without an address": ({"sender": "a@example.com"}, ValueError, "has no ip"),
    "a number": (5, TypeError, "5 is no tuple"),
    "no address": (("nowhere",), ValueError, 'ip: .*"nowhere"'),
    "no option": ({"ip": "192.0.2.1", "sendr": "x"}, TypeError, "sendr"),
}


def break_off(after: List[Any]) -> Iterator[Any]:
    yield from after
    raise RuntimeError("the test's own failure")


@BOTH
@pytest.mark.parametrize("ordered", [True, False])
def test_failures_come_after_the_results_before_them(collect: Collect, ordered: bool) -> None:
    sources: Dict[str, Any] = {"nowhere": questions(20) + [("nowhere", "")] + questions(20),
                               "own failure": break_off(questions(20))}
    seen: List[Any] = []

    def note(checks: libspf.Checks[Any]) -> Iterator[Any]:
        for pair in checks:
            seen.append(pair)
            yield pair

    async def note_async(checks: libspf.Checks[Any]) -> AsyncIterator[Any]:
        async for pair in checks:
            seen.append(pair)
            yield pair

    with LateResolver(0.001) as resolver, libspf.Context(resolver=resolver) as context:
        for text, source in sources.items():
            seen.clear()
            checks = context.check_many(source, concurrency=15, ordered=ordered)
            with pytest.raises((ValueError, RuntimeError), match=text):
                collect(note(checks) if collect is by_for else note_async(checks))
            assert sorted(question for question, _ in seen) == sorted(questions(20)) and context.pending == 0


def test_checks_go_on_between_results() -> None:
    """However slow whoever iterates is: what came meanwhile is seen to before the next result."""
    slow: List[libspf.Query] = []
    asked: List[str] = []

    def resolve(query: libspf.Query) -> Any:
        asked.append(query.name)
        if query.name == "slow.example":
            slow.append(query)
            return None
        return ["v=spf1 -all"]

    with libspf.Context(resolver=resolve) as context:
        pairs = iter(context.check_many([("192.0.2.1", "ann@slow.example"), *questions(3)], ordered=False))
        next(pairs)
        assert slow[0].answer(["v=spf1 include:next.example -all"]) and "next.example" not in asked
        next(pairs)
        assert "next.example" in asked


@BOTH
@pytest.mark.parametrize("name", WRONG)
def test_wrong_questions_raise(collect: Collect, name: str) -> None:
    question, kind, text = WRONG[name]
    with offline() as context:
        with pytest.raises(kind, match=text):
            collect(context.check_many([("192.0.2.1", "ann@example.com"), question]))
        assert context.pending == 0


def test_misuse() -> None:
    with offline() as context:
        with pytest.raises(ValueError, match="concurrency: 0 is less than 1"):
            context.check_many([], concurrency=0)
        with pytest.raises(TypeError, match="concurrency: 1.5 is no int"):
            context.check_many([], concurrency=1.5)  # type: ignore[arg-type]


@BOTH
def test_no_questions(collect: Collect) -> None:
    with offline() as context:
        assert collect(context.check_many([])) == []


def test_leaving_cancels_the_rest() -> None:
    def resolve(query: libspf.Query) -> Any:
        return ["v=spf1 -all"] if query.name == "d0.example" else None

    async def main(context: libspf.Context) -> None:
        pairs = context.check_many(questions(20)).__aiter__()
        assert (await pairs.__anext__())[1].result == "fail"
        assert context.pending == 19
        await pairs.aclose()  # type: ignore[attr-defined]
        assert context.pending == 0

    with libspf.Context(resolver=resolve) as context:
        asyncio.run(main(context))
        for _, result in context.check_many(questions(20)):
            assert result.result == "fail" and context.pending == 19
            break
        assert context.pending == 0


def test_cancelling_the_task_that_iterates() -> None:
    async def iterate(context: libspf.Context) -> None:
        async for _ in context.check_many(questions(20)):
            pass

    async def main(context: libspf.Context) -> None:
        task = asyncio.ensure_future(iterate(context))
        while context.pending < 20:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert context.pending == 0

    with libspf.Context(resolver=SilentResolver()) as context:
        asyncio.run(main(context))


def test_questions_that_come_by_and_by() -> None:
    """An asynchronous source may be slower than the answers, which do not wait for it."""
    seen: List[str] = []

    async def source() -> AsyncIterator[Tuple[str, str]]:
        for number in range(5):
            yield "192.0.2.1", "ann@d%d.example" % number
            for _ in range(1000):
                if len(seen) > number:
                    break
                await asyncio.sleep(0.005)
            assert len(seen) == number + 1

    async def main(context: libspf.Context) -> None:
        async for question, result in context.check_many(source(), concurrency=3):
            assert result.result == "pass"
            seen.append(question[1])

    with LateResolver(0.001) as resolver, libspf.Context(resolver=resolver) as context:
        asyncio.run(main(context))
    assert len(seen) == 5


def test_a_source_that_fails() -> None:
    async def source() -> AsyncIterator[Tuple[str, str]]:
        yield "192.0.2.1", "ann@example.com"
        raise RuntimeError("the test's own failure")

    async def main(context: libspf.Context) -> None:
        with pytest.raises(RuntimeError, match="own failure"):
            async for _ in context.check_many(source()):
                pass
        assert context.pending == 0

    with offline() as context:
        asyncio.run(main(context))
