# SPDX-License-Identifier: MIT
"""openspf's suite over DNS on loopback, through libspf.compat as its users have it, counted beside pyspf itself."""
import importlib
import importlib.util
import ipaddress
from typing import Any, Callable, List, Tuple

import pytest

import libspf
import suite
from dns_server import DnsServer, Zone
from libspf import compat

Case = Tuple[str, str, str, str, List[str]]
Ask = Callable[[str, str, str], str]


ZONE = {
    "example.com": {"TXT": [["v=spf1 ", "-all"], ["x"]], "MX": [[10, "mx.example.com"]],
                    "A": ["192.0.2.1", "192.0.2.2"]},
    "mx.example.com": {"AAAA": ["2001:db8::1"]},
    "alias.example.com": {"CNAME": ["example.com"]},
    "1.2.0.192.in-addr.arpa": {"PTR": ["example.com"]},
    "broken.example.com": {"*": "SERVFAIL"},
}
ANSWERS = [  # a question to a dns method, and its answer
    (("dns_txt", "example.com"), [b"v=spf1 -all", b"x"]), (("dns_txt", "alias.example.com"), [b"v=spf1 -all", b"x"]),
    (("dns", "example.com", "MX"), [(10, "mx.example.com")]), (("dns_a", "example.com"), ["192.0.2.1", "192.0.2.2"]),
    (("dns_ptr", "192.0.2.1"), ["example.com"]), (("dns_a", "nothing.example.com"), []),
    (("dns_a", "mx.example.com"), []),
    (("validated_ptrs",), ["example.com"]),
]


def py3dns(monkeypatch: pytest.MonkeyPatch, server: DnsServer) -> None:
    dns: Any = importlib.import_module("DNS")
    for key, value in (("server", [server.host]), ("port", server.port)):
        monkeypatch.setitem(dns.defaults, key, value)


def dnspython(monkeypatch: pytest.MonkeyPatch, server: DnsServer) -> None:
    dns: Any = importlib.import_module("dns.resolver")
    resolver = dns.Resolver(configure=False)
    resolver.nameservers, resolver.port = [server.host], server.port
    monkeypatch.setattr(dns, "Resolver", lambda **_: resolver)
    monkeypatch.setattr(dns, "default_resolver", resolver)


LOOKUPS = [("DNS", compat.DNSLookup_pydns, py3dns), ("dns", compat.DNSLookup_dnspython, dnspython)]


@pytest.mark.filterwarnings("ignore")  # of py3dns, for what Python will not have any more
@pytest.mark.parametrize("package,lookup,prepare", LOOKUPS)
def test_lookups_by_installed_packages(monkeypatch: pytest.MonkeyPatch, package: str, lookup: Any,
                                       prepare: Callable[[pytest.MonkeyPatch, DnsServer], None]) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed for this Python")
    server = DnsServer(Zone(ZONE))
    try:
        prepare(monkeypatch, server)
        monkeypatch.setattr(compat, "DNSLookup", lookup)
        q = compat.query(i="192.0.2.1", s="ann@example.com", h="mail.example.com")
        for (method, *arguments), answer in ANSWERS:
            found = getattr(q, method)(*arguments)
            assert sorted(found) == answer, (method, arguments)
        assert [str(ipaddress.ip_address(value)) for value in q.dns_a("mx.example.com", "AAAA")] == ["2001:db8::1"]
        assert q.check()[0] == "fail" and q.dns_spf("example.com") == "v=spf1 -all"
        with pytest.raises(compat.TempError):
            q.dns_txt("broken.example.com")
    finally:
        server.stop()


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


@pytest.mark.filterwarnings("ignore")
def test_pyspf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a test of pyspf: it shows that the count above is of the same questions that pyspf answers."""
    if importlib.util.find_spec("spf") is None:
        pytest.skip("pyspf is not installed for this Python")
    pyspf: Any = importlib.import_module("spf")
    point_it = dnspython if hasattr(pyspf, "dns") else py3dns

    def prepare(server: DnsServer) -> Ask:
        point_it(monkeypatch, server)
        return lambda ip, sender, helo: str(pyspf.check2(i=ip, s=sender, h=helo)[0])

    cases, bad = count(prepare)
    print(f"pyspf: {cases - len(bad)} of {cases}, wrong: {', '.join(bad)}")
    assert cases == suite.CASES and len(bad) < 10
