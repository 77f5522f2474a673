# SPDX-License-Identifier: MIT
"""openspf's suite over DNS on loopback, through libspf.compat as its users have it, counted beside pyspf itself."""
import importlib
import importlib.util
from typing import Any, Callable, List, Tuple

import pytest

import libspf
import suite
from dns_server import DnsServer
from libspf import compat

Case = Tuple[str, str, str, str, List[str]]
Ask = Callable[[str, str, str], str]


def wrong(ask: Ask, cases: List[Case]) -> List[str]:
    return [name for name, ip, sender, helo, right in cases if ask(ip, sender, helo) not in right]


def count(prepare: Callable[[DnsServer], Ask]) -> Tuple[int, List[str]]:
    """How many cases there are, and which of them are answered wrongly."""
    cases, bad = 0, []
    server = DnsServer()
    try:
        for scenario in suite.scenarios():
            server.zone = scenario.zone
            bad += wrong(prepare(server), scenario.cases)
            cases += len(scenario.cases)
    finally:
        server.stop()
    return cases, bad


def test_libspf_compat(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: List[libspf.Context] = []

    def prepare(server: DnsServer) -> Ask:
        contexts.append(libspf.Context(resolver=server.resolver))
        monkeypatch.setattr(compat, "context", contexts[-1])
        return lambda ip, sender, helo: compat.check2(i=ip, s=sender, h=helo)[0]

    try:
        assert count(prepare) == (suite.CASES, [])
    finally:
        for context in contexts:
            context.close()


def test_pyspf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a test of pyspf: it shows that the count above is of the same questions that pyspf answers."""
    if importlib.util.find_spec("spf") is None or importlib.util.find_spec("DNS") is None:
        pytest.skip("pyspf and py3dns are not installed for this Python")
    dns: Any = importlib.import_module("DNS")
    pyspf: Any = importlib.import_module("spf")
    monkeypatch.setattr(pyspf, "DNSLookup", getattr(pyspf, "DNSLookup_pydns"))

    def prepare(server: DnsServer) -> Ask:
        for key, value in (("server", ["127.0.0.1"]), ("port", server.port)):
            monkeypatch.setitem(dns.defaults, key, value)
        return lambda ip, sender, helo: str(pyspf.check2(i=ip, s=sender, h=helo)[0])

    cases, bad = count(prepare)
    print(f"pyspf: {cases - len(bad)} of {cases}, wrong: {', '.join(bad)}")
    assert cases == suite.CASES and len(bad) < 10
