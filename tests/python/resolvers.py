# SPDX-License-Identifier: MIT
"""Resolvers written in Python, and the published suite as zones for them."""
import asyncio
import heapq
import os
import threading
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

import libspf
import suite
from dns_server import NOERROR, NXDOMAIN, TYPES

# The address sanitizer holds back what is freed; and its allocator may be locked by another thread when a process forks.
IS_SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")

ZONE = """
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 include:one.example.com -all"
one.example.com. 300 IN TXT "v=spf1 a:host.example.com ~all"
host.example.com. 300 IN A 198.51.100.7
why.example.com. 300 IN TXT "v=spf1 exp=text.example.com -all"
text.example.com. 300 IN TXT "%{i} is not one of ours"
broken.example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/33 ip4:192.0.2.0/24 -all"
"""


def offline(**options: Any) -> libspf.Context:
    return libspf.Context(zone_text=ZONE, resolver="none", **options)


def labels_of(name: str) -> Tuple[bytes, ...]:
    return tuple(label.encode("utf-8", "surrogateescape") for label in name.split("."))


def host_of(data: bytes) -> bytes:
    labels, at = [], 0
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b".".join(labels)


def text_of(data: bytes) -> bytes:
    text, at = b"", 0
    while at < len(data):
        text += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
    return text


def record_of(kind: int, data: bytes) -> bytes:
    """A record as Query.answer() takes it."""
    if kind in (TYPES["TXT"], TYPES["SPF"]):
        return text_of(data)
    if kind == TYPES["MX"]:
        return host_of(data[2:])
    return host_of(data) if kind == TYPES["PTR"] else data


class ZoneResolver:
    """Answers at once, out of a zone of dns_server.py."""

    def __init__(self, zone: Any) -> None:
        self.zone = zone

    def query(self, query: libspf.Query) -> None:
        kind = TYPES[query.type]
        code, records = self.zone.answer(labels_of(query.name), kind)
        if code == NXDOMAIN:
            query.fail("nxdomain", ttl=300)
        elif code == NOERROR:
            query.answer([record_of(number, data) for _, number, data in records if number == kind], ttl=300)
        else:
            query.fail("error", "SERVFAIL")


class AwaitingResolver(ZoneResolver):
    """The same, a little later, in the event loop."""

    async def query(self, query: libspf.Query) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().query(query)


class LateResolver:
    """Answers every question for TXT with one record, some time later, out of a thread of its own."""

    def __init__(self, delay_s: float, record: str = "v=spf1 ip4:192.0.2.0/24 -all") -> None:
        self.delay_s = delay_s
        self.record = record
        self.cancelled = 0
        self.answered = 0
        self._due: List[Tuple[float, int, libspf.Query]] = []
        self._order = 0
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def query(self, query: libspf.Query) -> None:
        with self._changed:
            self._order += 1
            heapq.heappush(self._due, (time.monotonic() + self.delay_s, self._order, query))
            self._changed.notify()

    def cancel(self, query: libspf.Query) -> None:
        self.cancelled += 1

    def close(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> "LateResolver":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def _next(self) -> Optional[libspf.Query]:
        with self._changed:
            while not self._is_over:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def _run(self) -> None:
        while True:
            query = self._next()
            if query is None:
                return
            self.answered += query.answer([self.record] if query.type == "TXT" else [], ttl=300)
            del query


class SilentResolver:
    """Never answers; keeps nothing."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0

    def query(self, query: libspf.Query) -> None:
        self.asked += 1

    def cancel(self, query: libspf.Query) -> None:
        self.cancelled += 1


def suite_cases() -> Iterator[Tuple[Any, List[Tuple[str, str, str, str, List[str]]]]]:
    """The zones of the published suite, each with its cases: name, client address, sender, HELO name, results."""
    found: Dict[str, Any] = {}
    for scenario in suite.scenarios():
        found.update((case[0], case) for case in scenario.cases)
        yield scenario.zone, scenario.cases
    assert len(found) == suite.CASES
