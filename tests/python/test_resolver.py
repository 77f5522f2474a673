# SPDX-License-Identifier: MIT
"""Resolvers written in Python."""
import asyncio
import gc
import ipaddress
import logging
import struct
import threading
import weakref
from typing import Any, Dict, List

import libspf
import pytest
from resolvers import SilentResolver

RECORDS: Dict[Any, Any] = {
    ("example.com", "TXT"): ["v=spf1 a:host.example.com mx ptr:ptr.example.com -all"],
    ("host.example.com", "A"): ["192.0.2.1", ipaddress.ip_address("192.0.2.2"), b"\xc0\0\2\3"],
    ("host.example.com", "AAAA"): ["2001:db8::1", ipaddress.ip_address("2001:db8::2"), bytes(15) + b"\3"],
    ("example.com", "MX"): ["mx.example.com", b"mx2.example.com."],
    ("mx.example.com", "A"): ["198.51.100.1"],
    ("mx2.example.com", "A"): ["198.51.100.2"],
    ("1.113.0.203.in-addr.arpa", "PTR"): ["x.ptr.example.com"],
    ("x.ptr.example.com", "A"): ["203.0.113.1"],
}


def from_table(query: libspf.Query) -> Any:
    return RECORDS.get((query.name, query.type), [])


@pytest.mark.parametrize("ip, result", [
    ("192.0.2.1", "pass"), ("192.0.2.2", "pass"), ("192.0.2.3", "pass"), ("192.0.2.4", "fail"), ("2001:db8::1", "pass"),
    ("2001:db8::2", "pass"), ("::3", "pass"), ("198.51.100.1", "pass"), ("198.51.100.2", "pass"),
    ("203.0.113.1", "pass"), ("203.0.113.2", "fail")])
def test_records_of_every_type(ip: str, result: str) -> None:
    with libspf.Context(resolver=from_table) as context:
        assert context.check(ip, "ann@example.com").result == result


def test_records_later_and_one_by_one() -> None:
    queries: List[libspf.Query] = []

    class Resolver:
        def query(self, query: libspf.Query) -> None:
            queries.append(query)

    async def main() -> None:
        with libspf.Context(resolver=Resolver(), prefetch=False) as context:
            task = asyncio.ensure_future(context.check_async("192.0.2.1", "ann@example.com"))
            await asyncio.sleep(0)
            assert repr(queries[0]) == "<libspf.Query TXT example.com>" and queries[0].is_wanted
            assert queries[0].answer(["other text", "v=spf1 a:a.example.com -all"], ttl=60)
            assert not queries[0].is_wanted
            assert not queries[0].answer(["v=spf1 +all"]) and not queries[0].fail("error")
            while len(queries) < 2:
                await asyncio.sleep(0)
            assert queries[1].answer(ipaddress.ip_address("192.0.2.1"), ttl=30)
            result = await task
            assert (result.result, result.ttl) == ("pass", 30)

    asyncio.run(main())


def packet(query: libspf.Query, *records: bytes, flags: int = 0x8180) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in query.name.split("."))
    return struct.pack("!HHHHHH", 0, flags, 1, len(records), 0, 0) + labels + b"\0\0\x10\0\1" + b"".join(records)


def test_packets() -> None:
    def resolve(query: libspf.Query) -> None:
        record = b"v=spf1 -all"
        query.answer_packet(packet(query, b"\xc0\x0c\0\x10\0\1\0\0\0\x3c" + struct.pack("!HB", 12, 11) + record),
                            dnssec="secure")

    with libspf.Context(resolver=resolve) as context:
        result = context.check("192.0.2.1", "ann@example.com")
        assert (result.result, result.ttl, result.dnssec) == ("fail", 60, "secure")

    def resolve_to_nonsense(query: libspf.Query) -> None:
        query.answer_packet(b"nonsense")

    with libspf.Context(resolver=resolve_to_nonsense) as context:
        assert context.check("192.0.2.1", "ann@example.com").cause == "dns-error"


@pytest.mark.parametrize("status, cause", [("nxdomain", "no-domain"), ("timeout", "dns-timeout"), ("error", "dns-error"),
                                           ("bogus", "dns-bogus")])
def test_failures(status: Any, cause: str) -> None:
    def resolve(query: libspf.Query) -> None:
        assert query.fail(status, "told by the test", ttl=5)

    with libspf.Context(resolver=resolve) as context:
        result = context.check("192.0.2.1", "ann@example.com")
        assert result.cause == cause
        assert (result.dnssec == "bogus") == (status == "bogus")
        if status == "error":
            assert "told by the test" in result.reason


def test_misuse() -> None:
    def resolve(query: libspf.Query) -> None:
        wrong: Dict[str, Any] = {
            "records: 'x' is no IPv4 address": lambda: query.answer(["192.0.2.1", "x"]),
            "records: b'x' is too long, or no address of type A": lambda: query.answer([b"x"]),
            "records: 5 is no str": lambda: query.answer([5]),  # type: ignore[list-item]
            "ttl: -1 is not from 0": lambda: query.answer([], ttl=-1),
            "ttl: 1.5 is no int": lambda: query.answer([], ttl=1.5),  # type: ignore[arg-type]
            "dnssec: 'sure' is none of": lambda: query.answer([], dnssec="sure"),
            "status: 'nothing' is none of": lambda: query.fail("nothing"),  # type: ignore[arg-type]
            "packet: 'x' is no bytes": lambda: query.answer_packet("x"),  # type: ignore[arg-type]
            "packet: 65536 octets are more": lambda: query.answer_packet(bytes(65536)),
        }
        if query.type == "TXT":
            query.answer(["v=spf1 mx a -all"])
            return
        if query.type == "MX":
            with pytest.raises(ValueError, match="records: '10 mx.example.com' is no host name"):
                query.answer(["10 mx.example.com"])
            query.answer([])
            return
        for text, call in wrong.items():
            with pytest.raises((TypeError, ValueError), match=text):
                call()
        assert query.is_wanted
        query.answer("192.0.2.1")
        seen.append(query.name)

    seen: List[str] = []
    with libspf.Context(resolver=resolve) as context:
        assert context.check("192.0.2.1", "ann@example.com").result == "pass"
    assert seen == ["example.com"]


@pytest.mark.parametrize("make", ["function", "coroutine"])
def test_a_resolver_that_raises(make: str, caplog: pytest.LogCaptureFixture) -> None:
    def resolve(query: libspf.Query) -> None:
        raise RuntimeError("the test's own failure")

    async def resolve_later(query: libspf.Query) -> None:
        await asyncio.sleep(0)
        resolve(query)

    with caplog.at_level(logging.ERROR, "libspf"):
        with libspf.Context(resolver=resolve if make == "function" else resolve_later) as context:
            result = context.check("192.0.2.1", "ann@example.com")
    assert (result.result, result.cause) == ("temperror", "dns-error") and "RuntimeError" in result.reason
    assert "the test's own failure" in caplog.text and "TXT example.com" in caplog.text


def test_coroutines_that_answer_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def resolve(query: libspf.Query) -> None:
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR, "libspf"), libspf.Context(resolver=resolve) as context:
        assert context.check("192.0.2.1", "ann@example.com").cause == "dns-error"
    assert "returned None without an answer" in caplog.text


def test_a_resolver_that_is_interrupted() -> None:
    def resolve(query: libspf.Query) -> None:
        raise KeyboardInterrupt

    with libspf.Context(resolver=resolve) as context:
        with pytest.raises(KeyboardInterrupt):
            context.check("192.0.2.1", "ann@example.com")
        assert context.pending == 0


def test_cancelled_coroutines() -> None:
    """A check that ends takes its questions' coroutines with it."""
    states: List[str] = []

    async def resolve(query: libspf.Query) -> None:
        states.append("asked")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            states.append("cancelled")
            raise

    async def main() -> None:
        with libspf.Context(resolver=resolve) as context:
            result = await context.check_async("192.0.2.1", "ann@example.com", timeout=0.05)
            assert result.cause == "deadline"
            await asyncio.sleep(0.01)
            assert states == ["asked", "cancelled"]

    asyncio.run(main())
    states.clear()
    with libspf.Context(resolver=resolve) as context:
        assert context.check("192.0.2.1", "ann@example.com", timeout=0.05).cause == "deadline"
    assert states == ["asked", "cancelled"]


def test_a_coroutine_that_is_always_cancelled() -> None:
    asked = 0

    async def resolve(query: libspf.Query) -> None:
        nonlocal asked
        asked += 1
        raise asyncio.CancelledError

    with libspf.Context(resolver=resolve) as context:
        result = context.check("192.0.2.1", "ann@example.com")
        assert result.cause == "dns-error" and "cancelled" in result.reason and 1 < asked < 20


def test_blocking_in_the_loop_that_the_resolver_needs() -> None:
    async def resolve(query: libspf.Query) -> List[str]:
        return ["v=spf1 -all"]

    async def main() -> None:
        with libspf.Context(resolver=resolve) as context:
            with pytest.raises(RuntimeError, match="check_async"):
                context.check("192.0.2.1", "ann@example.com")
            with pytest.raises(RuntimeError, match="async for"):
                list(context.check_many([("192.0.2.1", "ann@example.com")]))
            assert (await context.check_async("192.0.2.1", "ann@example.com")).result == "fail"

    asyncio.run(main())


def test_a_resolver_may_check() -> None:
    """Nothing of libspf is held while Python's resolver runs: it may use the same context."""
    with libspf.Context(resolver="none") as none:

        def resolve(query: libspf.Query) -> List[str]:
            assert none.check("192.0.2.1", record="v=spf1 -all").result == "none"
            if query.name != "inner.example":
                assert context.check("192.0.2.1", "ann@inner.example").result == "fail"
            return ["v=spf1 -all"]

        with libspf.Context(resolver=resolve) as context:
            assert context.check("192.0.2.1", "ann@example.com").result == "fail"


def test_answers_from_other_threads() -> None:
    def resolve(query: libspf.Query) -> None:
        threading.Timer(0.01, query.answer, (["v=spf1 -all"],)).start()

    with libspf.Context(resolver=resolve) as context:
        assert context.check("192.0.2.1", "ann@example.com").result == "fail"
        assert asyncio.run(context.check_async("192.0.2.1", "ann@other.example")).result == "fail"


def test_answers_after_the_end() -> None:
    queries: List[libspf.Query] = []

    def resolve(query: libspf.Query) -> None:
        queries.append(query)

    with libspf.Context(resolver=resolve) as context:
        assert context.check("192.0.2.1", "ann@example.com", timeout=0.01).cause == "deadline"
        assert not queries[0].answer(["v=spf1 -all"])
        assert context.check("192.0.2.1", "ann@example.com", timeout=0.01).cause == "deadline"
    assert not queries[1].answer(["v=spf1 -all"]) and not queries[1].is_wanted


def test_everything_goes() -> None:
    """The context, its resolver and its questions, without the garbage collector's help."""
    gc.collect()
    gc.disable()
    try:
        resolver = SilentResolver()
        context = libspf.Context(resolver=resolver)
        assert context.check("192.0.2.1", "ann@example.com", timeout=0.01).cause == "deadline"
        gone: List[Any] = [weakref.ref(resolver), weakref.ref(context)]
        del resolver, context
        assert [reference() for reference in gone] == [None, None]
    finally:
        gc.enable()
