# SPDX-License-Identifier: MIT
"""libspf.compat: what scripts written for pyspf use, by pyspf's own test script and by tables."""
import doctest
import gzip
import importlib.util
import ipaddress
import json
import pathlib
import subprocess
import sys
import threading
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import pytest

import libspf
from libspf import compat as spf

HERE = pathlib.Path(__file__).resolve().parent
PACKAGED = pathlib.Path("/usr/share/doc/python3-spf")  # where Debian's package of pyspf keeps its tests
STEP_S = 120

Zone = Dict[str, List[Tuple[str, Any]]]


def lookup_in(zone: Zone) -> Any:
    """A DNSLookup over {name: [(type, value), ...]}; a value that is an exception is raised."""
    def lookup(name: str, qtype: str, strict: Any = True, timeout: Any = None) -> Iterator[Tuple[Tuple[str, str], Any]]:
        for kind, value in zone.get(name.lower(), []):
            if kind == qtype and isinstance(value, Exception):
                raise value
            if kind in (qtype, "CNAME"):
                yield (name, kind), value
    return lookup


@pytest.fixture(name="zone")
def _zone(monkeypatch: pytest.MonkeyPatch) -> Zone:
    """What the script's own DNSLookup answers from."""
    zone: Zone = {
        "example.com": [("TXT", (b"v=spf1 ip4:192.0.2.0/25 ", b"include:inc.example.com exp=why.example.com -all")),
                        ("MX", (20, "mx2.example.com")), ("MX", (10, "mx1.example.com"))],
        "inc.example.com": [("TXT", (b"v=spf1 ip6:2001:db8::/32 a:host.example.com -all",))],
        "host.example.com": [("A", "192.0.2.200"), ("AAAA", bytes(ipaddress.ip_address("2001:db8::200").packed))],
        "why.example.com": [("TXT", (b"%{i} may not send for %{o}",))],
        "mx1.example.com": [("A", "192.0.2.201")],
        "mx2.example.com": [("A", "192.0.2.202")],
        "soft.example.com": [("TXT", (b"v=spf1 ~all",))],
        "alias.example.com": [("CNAME", "host.example.com")],
        "loop.example.com": [("CNAME", "loop.example.com")],
        "two.example.com": [("TXT", (b"v=spf1 -all",)), ("TXT", (b"v=spf1 ~all",))],
        "text.example.com": [("TXT", (b"nothing",)), ("TXT", ("str", "ings"))],
        "broken.example.com": [("TXT", spf.TempError("DNS no answer"))],
        "200.2.0.192.in-addr.arpa": [("PTR", "forged.example.net"), ("PTR", "Host.example.com")],
    }
    monkeypatch.setattr(spf, "DNSLookup", lookup_in(zone))
    return zone


def query(sender: str = "ann@example.com", ip: str = "192.0.2.7", helo: str = "mail.example.com", **more: Any) -> Any:
    return spf.query(i=ip, s=sender, h=helo, **more)


# ------------------------------------------------------------------------------------------------ pyspf's own script

@pytest.fixture(name="packaged", scope="session")
def _packaged(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    if not (PACKAGED / "testspf.py.gz").exists():
        pytest.skip(f"{PACKAGED}/testspf.py.gz is not there: Debian's package python3-spf brings it")
    folder = tmp_path_factory.mktemp("pyspf")
    for path in PACKAGED.iterdir():
        if path.name.endswith((".py.gz", ".yml.gz")):
            (folder / path.name[:-3]).write_bytes(gzip.decompress(path.read_bytes()))
        elif path.name.endswith(".yml"):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def run_suite(module: str, folder: pathlib.Path) -> Dict[str, Any]:
    done = subprocess.run([sys.executable, str(HERE / "pyspf_suite.py"), module, str(folder)], capture_output=True,
                          text=True, timeout=STEP_S, check=False)
    assert done.returncode == 0, done.stderr
    found: Dict[str, Any] = json.loads(done.stdout)
    return found


# Cases of pyspf's script that fail here: both compare a whole header field, and its sentence is pyspf's.
OWN_WORDS = {"test.yml": {"baddomain", "tworecs"}}
CASES = {"rfc7208-tests.yml": 203, "rfc4408-tests.yml": 191, "test.yml": 16, "TestCases": 1}


def test_pyspf_script(packaged: pathlib.Path) -> None:
    found = run_suite("libspf.compat", packaged)
    for name, count in CASES.items():
        print(f"libspf.compat {name}: {count - len(found[name]['failed'])} of {found[name]['run']}")
        assert found[name]["run"] == count
        assert set(found[name]["failed"]) == OWN_WORDS.get(name, set()), found[name]["failed"]


def test_pyspf_script_on_pyspf(packaged: pathlib.Path) -> None:
    """The same count for pyspf itself: what of the RFC's suite it does not pass, libspf.compat passes all the same."""
    if importlib.util.find_spec("spf") is None:
        pytest.skip("pyspf is not installed for this Python")
    theirs, ours = run_suite("spf", packaged), run_suite("libspf.compat", packaged)
    for name in CASES:
        print(f"pyspf {name}: {theirs[name]['run'] - len(theirs[name]['failed'])} of {theirs[name]['run']}")
    assert ours["rfc7208-tests.yml"]["failed"] == {}
    assert ours["preferred otherwise"] == theirs["preferred otherwise"]


def test_docstrings() -> None:
    tried = doctest.testmod(spf)
    assert tried.attempted > 5 and not tried.failed


# ----------------------------------------------------------------------------------------------- results and shapes

SHAPES = [  # sender, client, (result, code), mechanism
    ("ann@example.com", "192.0.2.7", ("pass", 250), "ip4:192.0.2.0/25"),
    ("ann@example.com", "192.0.2.200", ("pass", 250), "include:inc.example.com"),
    ("ann@example.com", "2001:db8::1", ("pass", 250), "include:inc.example.com"),
    ("ann@example.com", "::ffff:192.0.2.7", ("pass", 250), "ip4:192.0.2.0/25"),
    ("ann@example.com", "198.51.100.1", ("fail", 550), "-all"),
    ("ann@soft.example.com", "192.0.2.7", ("softfail", 250), "~all"),
    ("ann@two.example.com", "192.0.2.7", ("permerror", 550), None),
    ("ann@broken.example.com", "192.0.2.7", ("temperror", 451), None),
    ("ann@text.example.com", "192.0.2.7", ("none", 250), None),
    ("ann@nothing.example.com", "192.0.2.7", ("none", 250), None),
    ("ann@localhost", "192.0.2.7", ("none", 250), None),
]


def test_shapes(zone: Zone) -> None:
    for sender, ip, expected, mechanism in SHAPES:
        q = query(sender, ip)
        verdict = q.check()
        assert isinstance(verdict, tuple) and [type(part) for part in verdict] == [str, int, str], sender
        assert verdict[:2] == expected and q.mechanism == mechanism, (sender, ip, verdict, q.mechanism)
        assert spf.check2(i=ip, s=sender, h="mail.example.com") == (verdict[0], verdict[2])
        legacy = spf.check(i=ip, s=sender, h="mail.example.com")
        assert legacy == (verdict[0].replace("permerror", "unknown"), *verdict[1:])
    assert spf.check("192.0.2.7", "ann@example.com", None)[0] == "pass"


def test_what_a_query_holds(zone: Zone) -> None:
    q = query("ann@Example.com", "2001:db8::7", receiver="mx.example.net")
    assert (q.s, q.l, q.o, q.d, q.h, q.r) == (
        "ann@Example.com", "ann", "Example.com", "Example.com", "mail.example.com", "mx.example.net")
    assert (q.c, q.v, q.A, q.cidrmax, q.ident) == ("2001:db8::7", "ip6", "AAAA", 128, "mailfrom")
    assert q.i == ".".join("20010DB8000000000000000000000007") and q.t.isdigit()
    null = query("", "192.0.2.7", "mail.example.com")
    assert (null.s, null.l, null.o, null.ident, null.i) == (
        "postmaster@mail.example.com", "postmaster", "mail.example.com", "helo", "192.0.2.7")
    assert query("<>").ident == "helo"
    empty = spf.query(None, None, None)
    assert empty.o is None and empty.dns("example.com", "MX") == [(20, "mx2.example.com"), (10, "mx1.example.com")]
    with pytest.raises(ValueError, match="no client address"):
        empty.check()


def test_after_a_check(zone: Zone) -> None:
    q = query(ip="192.0.2.200")
    q.check()
    assert (q.lookups, q.void_lookups, q.perm_error, q.mech) == (2, 0, None, [])
    assert ("example.com", "TXT") in q.cache and q.libspf_result.result == "pass"
    q.check("v=spf1 ip4:192.0.2.0/33 -all")
    assert q.mech == ["ip4:192.0.2.0/33"] and "192.0.2.0/33" in q.prob and q.mechanism is None
    assert isinstance(q.perm_error, spf.PermError) and q.perm_error.ext is None
    assert str(q.perm_error).endswith(": ip4:192.0.2.0/33")
    q.check()
    assert q.perm_error is None and q.mech == [] and q.mechanism == "include:inc.example.com"


RECORDS = [  # strict, record, result, the result without the terms that are wrong
    (True, "v=spf1 ?all", "neutral", None),
    (True, "v=spf1", "neutral", None),
    (True, "V=SPF1 a:host.example.com -all", "fail", None),
    (True, "v=spf1 moo -all", "permerror", None),
    (False, "v=spf1 moo ip4:192.0.2.7 -all", "permerror", "pass"),
    (False, "v=spf1 moo -all", "permerror", "fail"),
    (False, "v=spf10 -all", "none", None),
    (True, "v=spf1...", "none", None),
    (2, "v=spf1...", "ambiguous", None),
    (0, "v=spf1 default=-", "fail", None),
    (0, "v=spf1 default=softfail", "softfail", None),
    (0, "v=spf1 default=junk", "neutral", None),
    (1, "v=spf1 default=-", "neutral", None),
    (2, "v=spf1 default=-", "ambiguous", None),
    (2, "v=spf1 a:nothing.example.com -all", "ambiguous", None),
    (1, "v=spf1 a:nothing.example.com -all", "fail", None),
    (2, "v=spf1 exists:nothing.example.com -all", "fail", None),
    (2, "v=spf1 a:nothing.example.com moo", "permerror", None),
]


def test_records_given(zone: Zone) -> None:
    for strict, record, result, lax in RECORDS:
        q = query(strict=strict)
        assert q.check(spf=record)[0] == result, (strict, record)
        extension = q.perm_error.ext if q.perm_error else None
        assert (extension[0] if extension else None) == lax, (strict, record)


def test_best_guess(zone: Zone) -> None:
    guesses = [("ann@mx1.example.com", "192.0.2.201", "pass"), ("ann@mx1.example.com", "198.51.100.7", "neutral"),
               ("", "192.0.2.7", "none")]
    for sender, ip, result in guesses:
        assert query(sender, ip, "SINGLE").best_guess()[0] == result, sender
    q = query()
    assert q.best_guess("v=spf1 moo")[:2] == ("neutral", 250) and q.perm_error is None


def test_local_policy(zone: Zone) -> None:
    assert query(ip="198.51.100.1", local="ip4:198.51.100.0/24").check()[0] == "pass"
    assert query("ann@soft.example.com", local="ip4:192.0.2.7").check()[0] == "softfail"
    assert query("ann@text.example.com", local="ip4:192.0.2.7").check()[0] == "none"
    assert query("ann@two.example.com", local="ip4:192.0.2.7").check()[0] == "permerror"
    assert query("ann@broken.example.com", local="ip4:192.0.2.7").check()[0] == "temperror"
    for record, local, whole in [
            ("v=spf1 -all", "mx", "v=spf1 -all"), ("v=spf1 -all", None, "v=spf1 -all"),
            ("v=spf1", "a mx", "v=spf1 a mx"),
            ("v=spf1 mx -all", "a ptr", "v=spf1 mx a ptr -all"),
            ("v=spf1 a ?include:x.example +all", "ptr", "v=spf1 a ptr ?include:x.example +all")]:
        assert spf.insert_libspf_local_policy(record, local) == whole


def test_delegate(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    zone["text.example.com._spf.list.example.net"] = [("TXT", (b"v=spf1 ip4:192.0.2.7 -all",))]
    assert query("ann@text.example.com").check()[0] == "none"
    monkeypatch.setattr(spf, "DELEGATE", "list.example.net")
    assert query("ann@text.example.com").check()[0] == "pass"
    assert query("ann@nothing.example.com").check()[0] == "none"
    zone["soft.example.com._spf.list.example.net"] = [("TXT", (b"v=spf1 ip4:192.0.2.7 -all",))]
    assert query("ann@soft.example.com").check()[0] == "softfail"


def test_explanations(zone: Zone) -> None:
    assert query(ip="198.51.100.1").check()[2] == "198.51.100.1 may not send for example.com"
    q = query("ann@soft.example.com")
    assert q.check()[2] == spf.EXPLANATIONS["softfail"]
    q.set_default_explanation("see our policy")
    assert q.check()[2] == q.defexps["fail"] == q.exps["permerror"] == "see our policy"
    q.set_explanation("once")
    assert q.check()[2] == "once" and q.defexps["fail"] == "see our policy"
    assert q.check("v=spf1 -all") == ("fail", 550, "once")
    assert query(ip="198.51.100.1").get_explanation("why.example.com") == "192.0.2.7 may not".replace(
        "192.0.2.7", "198.51.100.1") + " send for example.com"
    assert query().get_explanation("text.example.com") is None and query().get_explanation("") is None


def test_bad_addresses() -> None:
    for text in ("192.0.2", "192.0.2.256", "fe80::1%eth0", "list", "x"):
        with pytest.raises(spf.PermError, match=text.partition("%")[0]):
            query(ip=text)
    q = query(ip="192.0.2.7")
    q.set_ip(ipaddress.ip_address("2001:db8::7"))
    assert q.c == "2001:db8::7"


# -------------------------------------------------------------------------------------------------------------- DNS

def test_dns_methods(zone: Zone) -> None:
    q = query(ip="192.0.2.200")
    assert q.dns_a("host.example.com") == ["192.0.2.200"] and q.dns_a("alias.example.com") == ["192.0.2.200"]
    assert q.dns_a("host.example.com", "AAAA") == [ipaddress.ip_address("2001:db8::200").packed]
    assert q.dns_a("loop.example.com") == q.dns_a("") == q.dns_a("x" * 64 + ".example.com") == []
    assert q.dns_mx("example.com") == ["192.0.2.201", "192.0.2.202"]
    assert q.dns_txt("text.example.com") == [b"nothing", b"strings"]
    assert q.dns_spf("inc.example.com") == "v=spf1 ip6:2001:db8::/32 a:host.example.com -all"
    assert q.dns_spf("text.example.com") is None
    assert q.dns_ptr(q.i) == ["forged.example.net", "Host.example.com"]
    assert q.validated_ptrs() == ["Host.example.com"] and q.getp() == "host.example.com" and q.p == q.getp()
    assert query().getp() == "unknown"
    with pytest.raises(spf.PermError, match="two.example.com"):
        q.dns_spf("two.example.com")
    with pytest.raises(spf.TempError, match="no answer"):
        q.dns_txt("broken.example.com")
    with pytest.raises(ValueError):
        q.dns("", "A")


def test_a_question_is_asked_once(monkeypatch: pytest.MonkeyPatch, zone: Zone) -> None:
    asked: List[Tuple[str, str]] = []
    answer = spf.DNSLookup

    def lookup(name: str, qtype: str, strict: Any, timeout: Any) -> Iterable[Any]:
        asked.append((name, qtype))
        return answer(name, qtype, strict, timeout)

    monkeypatch.setattr(spf, "DNSLookup", lookup)
    q = query(ip="192.0.2.200")
    q.check()
    q.check()
    assert len(asked) == len(set(asked)) and ("example.com", "TXT") in asked


def test_an_answer_says_nothing_of_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(name: str, qtype: str, strict: Any, timeout: Any) -> Iterator[Any]:
        yield ("victim.example", "A"), "192.0.2.7"
        if (name, qtype) == ("evil.example", "TXT"):
            yield (name, qtype), (b"v=spf1 a:own.example a:victim.example -all",)

    monkeypatch.setattr(spf, "DNSLookup", lookup)
    q = query("ann@evil.example")
    assert q.check()[0] == "pass"  # victim.example itself was asked
    q = query("ann@evil.example")
    q.dns("own.example", "A")
    assert ("victim.example", "A") not in q.cache


def test_nothing_is_asked_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(name: str, qtype: str, strict: Any, timeout: Any) -> Iterator[Any]:
        assert name == "first.example"
        yield (name, qtype), "192.0.2.7"

    monkeypatch.setattr(spf, "DNSLookup", lookup)
    assert query().check("v=spf1 a:first.example a:second.example include:third.example -all")[0] == "pass"


def test_what_a_lookup_raises_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(error: Exception) -> Any:
        def lookup(name: str, qtype: str, strict: Any, timeout: Any) -> Any:
            raise error
        return lookup

    monkeypatch.setattr(spf, "DNSLookup", raising(KeyError("a bug")))
    with pytest.raises(KeyError, match="a bug"):
        query().check()
    monkeypatch.setattr(spf, "DNSLookup", raising(spf.PermError("unusable")))
    assert query().check()[:2] == ("permerror", 550)
    monkeypatch.setattr(spf, "DNSLookup", raising(spf.TempError("later")))
    q = query()
    assert q.check()[:2] == ("temperror", 451) and "later" in q.prob


ODD_VALUES: List[Tuple[List[Tuple[str, Any]], str]] = [  # what a DNSLookup may answer, and the result
    ([("A", b"\xc0\x00\x02\x07")], "pass"), ([("A", "192.0.2.7")], "pass"), ([("A", "junk")], "fail"),
    ([("A", b"")], "fail"), ([("A", None)], "fail"), ([("A", "2001:db8::7")], "fail"),
    ([("CNAME", "")], "fail"), ([("CNAME", "host.example.com.")], "fail"),
]


def test_odd_values(zone: Zone) -> None:
    for records, result in ODD_VALUES:
        zone["odd.example.com"] = records
        assert query().check("v=spf1 a:odd.example.com -all")[0] == result, records


def test_limits(monkeypatch: pytest.MonkeyPatch, zone: Zone) -> None:
    three = "v=spf1 a:host.example.com a:mx1.example.com a:mx2.example.com ?all"
    voids = "v=spf1 a:no1.example.com a:no2.example.com a:no3.example.com ?all"
    assert query().check(three)[0] == "neutral" and query().check(voids)[0] == "permerror"
    monkeypatch.setattr(spf, "MAX_VOID_LOOKUPS", 3)
    assert query().check(voids)[0] == "neutral"
    monkeypatch.setattr(spf, "MAX_LOOKUP", 2)
    assert query().check(three)[0] == "permerror"
    monkeypatch.setattr(spf, "MAX_LOOKUP", 1000)
    assert query().check(three)[0] == "neutral"
    monkeypatch.setattr(spf, "MAX_MX", 1)
    assert query().check("v=spf1 mx:example.com -all")[0] == "permerror"
    with pytest.raises(spf.PermError, match="example.com has 2 MX"):
        query().dns_mx("example.com")


ZONE_TEXT = """\
example.net. IN SOA ns.example.net. hostmaster.example.net. 1 3600 600 86400 300
example.net. IN TXT "v=spf1 a:host.example.net -all"
host.example.net. IN A 192.0.2.7
loop.example.net. IN CNAME loop.example.net.
bad.example.net. IN TXT "v=spf1 moo"
two.example.net. IN TXT "v=spf1 -all"
two.example.net. IN TXT "v=spf1 ~all"
voids.example.net. IN TXT "v=spf1 a:n1.example.net a:n2.example.net a:n3.example.net -all"
"""


def test_dns_by_libspf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a DNSLookup of the script's own."""
    with libspf.Context(resolver="none", zone_text=ZONE_TEXT) as context:
        monkeypatch.setattr(spf, "context", context)
        q = query("ann@example.net")
        assert q.check()[:2] == ("pass", 250) and q.mechanism == "a:host.example.net"
        assert q.dns_spf("example.net") == "v=spf1 a:host.example.net -all"
        assert q.dns_spf("bad.example.net") == "v=spf1 moo" and q.dns_spf("nothing.example.net") is None
        assert query("ann@bad.example.net", strict=False).check()[0] == "permerror"
        assert query("ann@example.net", "198.51.100.1", local="ip4:198.51.100.1").check()[0] == "pass"
        with pytest.raises(spf.PermError):
            q.dns_spf("two.example.net")
        with pytest.raises(spf.TempError):
            q.dns_spf("loop.example.net")


def test_an_explanation_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """This host's own text goes before libspf.compat's, and a script's own before that."""
    with libspf.Context(resolver="none", zone_text=ZONE_TEXT, explanation="ask %{r}") as context:
        monkeypatch.setattr(spf, "context", context)
        q = query("ann@example.net", "198.51.100.1", receiver="mx.example.org")
        assert q.check() == ("fail", 550, "ask mx.example.org")
        q.set_explanation("once")
        assert q.check() == ("fail", 550, "once")


def test_changed_limits_of_the_network_context(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "libspf.conf"
    (tmp_path / "zone").write_text(ZONE_TEXT)
    path.write_text(f"resolver: none\nzone: {tmp_path / 'zone'}\n")
    monkeypatch.setattr(libspf, "CONFIG_FILE", str(path))
    monkeypatch.setattr(spf, "MAX_VOID_LOOKUPS", 5)
    assert query("ann@voids.example.net").check()[0] == "fail"
    monkeypatch.setattr(spf, "MAX_VOID_LOOKUPS", 1)
    assert query("ann@voids.example.net").check()[0] == "permerror"


def test_neither_dnspython_nor_py3dns(monkeypatch: pytest.MonkeyPatch) -> None:
    missing: Any = None
    monkeypatch.setitem(sys.modules, "dns.resolver", missing)
    monkeypatch.setitem(sys.modules, "DNS", missing)
    with pytest.raises(spf.TempError, match="needs dnspython or py3dns"):
        spf.DNSLookup("example.com", "A")


def test_threads(zone: Zone) -> None:
    wrong: List[Any] = []

    def work() -> None:
        for number in range(50):
            q = query(ip="192.0.2.200" if number % 2 else "198.51.100.1")
            if q.check()[0] != ("pass" if number % 2 else "fail"):
                wrong.append(q.cache)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ----------------------------------------------------------------------------------------------------------- macros

MACROS = [  # RFC 7208 section 7.4, for strong-bad@email.example.com at 192.0.2.3
    ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"), ("%{d}", "email.example.com"),
    ("%{d4}", "email.example.com"), ("%{d3}", "email.example.com"), ("%{d2}", "example.com"), ("%{d1}", "com"),
    ("%{dr}", "com.example.email"), ("%{d2r}", "example.email"), ("%{l}", "strong-bad"), ("%{l-}", "strong.bad"),
    ("%{lr}", "strong-bad"), ("%{lr-}", "bad.strong"), ("%{l1r-}", "strong"),
    ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
    ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
    ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
    ("%{d2}.trusted-domains.example.net.", "example.com.trusted-domains.example.net"),
    ("plain.example.", "plain.example"),
    ("%{p}.example", "mx.example.org.example"), ("%{h}", "mx.example.org"), ("100%%", "100%"),
]


def test_macros(zone: Zone) -> None:
    q = query("strong-bad@email.example.com", "192.0.2.3", "mx.example.org", receiver="example.net")
    q.p = "mx.example.org"
    for text, expanded in MACROS:
        assert q.expand(text) == expanded, text
    assert q.expand("%{c} %{r}.", stripdot=False) == "192.0.2.3 example.net."
    for bad in ("%{c}", "%{R}.x", "%(ir).x", "%{d0}", "%{a}", "%"):
        with pytest.raises(spf.PermError):
            q.expand(bad)


# ---------------------------------------------------------------------------------------------------------- headers

def received(res: str, **more: Any) -> str:
    q = query(more.pop("sender", "ann@example.com"), more.pop("ip", "192.0.2.7"), receiver="mx.example.net")
    q.check()
    return str(q.get_header(res, **more))


def test_received_spf(zone: Zone) -> None:
    assert received("pass") == (
        'Pass (mx.example.net: domain of example.com designates 192.0.2.7 as permitted sender) client-ip=192.0.2.7; '
        'envelope-from="ann@example.com"; helo=mail.example.com; receiver=mx.example.net; '
        'mechanism="ip4:192.0.2.0/25"; identity=mailfrom')
    assert received("fail", ip="198.51.100.1", receiver="other.example").startswith(
        "Fail (other.example: domain of example.com does not designate 198.51.100.1 as permitted sender) ")
    assert "receiver=other.example; mechanism=-all; x-helo-spf=none; identity" in received(
        "fail", ip="198.51.100.1", receiver="other.example", helo_spf="none", empty="")
    null = query("", "192.0.2.7", "soft.example.com")
    null.check()
    assert null.get_header("softfail").endswith(
        "client-ip=192.0.2.7; helo=soft.example.com; receiver=unknown; mechanism=~all; identity=helo")
    bad = query()
    bad.check("v=spf1 moo")
    field = bad.get_header("permerror")
    assert field.startswith("PermError (") and "problem=moo; identity=" in field
    for res in ("pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"):
        assert received(res).lower().startswith(res + " (")
    with pytest.raises(ValueError, match="'ambiguous'.*permerror"):
        query().get_header("ambiguous")
    with pytest.raises(SyntaxError, match="'dkim'"):
        query().get_header("pass", header_type="dkim")


def test_authentication_results(zone: Zone) -> None:
    assert received("pass", header_type="authres", aid="mx.example.net") == (
        "Authentication-Results: mx.example.net; spf=pass (mx.example.net: domain of example.com designates 192.0.2.7"
        " as permitted sender) smtp.mailfrom=example.com (sender=ann@example.com; helo=mail.example.com; "
        "client-ip=192.0.2.7; receiver=mx.example.net; mechanism=ip4:192.0.2.0/25)")
    null = query("", "192.0.2.7", "soft.example.com")
    null.check()
    assert "smtp.helo=soft.example.com (sender=postmaster@soft.example.com; client-ip=192.0.2.7; " in null.get_header(
        "softfail", header_type="authres", aid="mx.example.net")
    with pytest.raises(SyntaxError, match="aid"):
        query().get_header("pass", header_type="authres")


HOSTILE = ['x; result=pass', 'a"b', "a\r\nX-Injected: yes", "a\x00b", ") pass (", "\\"]


def test_headers_hold_what_is_put_into_them(zone: Zone) -> None:
    for text in HOSTILE:
        q = spf.query("192.0.2.7", text + "@soft.example.com", text, receiver=text)
        q.check()
        for header in (q.get_header("softfail", more=text), q.get_header("softfail", header_type="authres", aid="a")):
            assert not set(header) & set("\r\n\x00"), (text, header)
        again = spf.query("0.0.0.0", "", "")
        more = again.parse_header(q.get_header("softfail", more=text))
        shown = "".join("?" if char in "\r\n\x00" else char for char in text)
        assert again.comment == f"{shown}: domain of soft.example.com doubts that 192.0.2.7 may send its mail"
        assert (again.h, again.s, more["more"], again.ident) == (shown, shown + "@soft.example.com", shown, "mailfrom")


def test_parse_headers() -> None:
    q = spf.query("0.0.0.0", "", "")
    more = q.parse_header('SoftFail (mx: a (nested) comment) client-ip=2001:db8::7; envelope-from="ann@example.com";\n'
                          '\thelo=mail.example.com; receiver=mx; mechanism="a:x"; problem="y z"; x-bestguess=pass;'
                          " identity=mailfrom")
    assert (q.result, q.comment, more) == ("softfail", "mx: a (nested) comment", {"bestguess": "pass"})
    assert (q.c, q.s, q.o, q.h, q.r, q.mechanism, q.mech, q.ident) == (
        "2001:db8::7", "ann@example.com", "example.com", "mail.example.com", "mx", "a:x", ["y", "z"], "mailfrom")
    assert q.parse_header("None") == {} and q.result == "none"
    q.parse_header("Authentication-Results: mx.example.net 1; dkim=pass header.d=x; spf=neutral\r\n (a; spf=pass)"
                   " smtp.mailfrom=example.org (helo=h)")
    assert (q.result, q.authserv, q.d, q.s) == ("neutral", "mx.example.net", "example.org", "example.org")
    q.parse_header("Authentication-Results: mx; spf=pass smtp.helo=mail.example.org")
    assert (q.result, q.h) == ("pass", "mail.example.org")


def test_headers_that_are_none() -> None:
    for text in ("(" * 2000, '"' * 2001, "(a" * 2000, "\\" * 2001, "x=" * 2000, '"\\' * 2000, ")" * 2000, ";" * 2000,
                 ""):
        q = spf.query("192.0.2.7", "ann@example.com", "mail.example.com")
        q.parse_header("Pass " + text)
        assert (q.result, q.c, q.s) == ("pass", "192.0.2.7", "ann@example.com")
        q.parse_header("Authentication-Results: mx; spf=pass " + text)
        assert (q.result, q.authserv) == ("pass", "mx")


def test_a_header_of_any_length() -> None:
    """In time that grows as it does: by its square this would take minutes."""
    q = spf.query("192.0.2.7", "ann@example.com", "mail.example.com")
    q.parse_header(f"Pass ({'a' * 1000000}) helo={'h' * 1000000}")
    assert (q.comment, q.h) == ("a" * 1000000, "h" * 1000000)


def test_small_helpers() -> None:
    assert spf.split_email("example.com", "h") == ("postmaster", "example.com")
    assert spf.split_email("@example.com", "h") == ("postmaster", "example.com")
    assert spf.split_email('"a@b"@example.com', "h") == ('"a@b"', "example.com")
    assert spf.quote_value(None) is None and spf.quote_value("") == '""' and spf.quote_value("a..b") == '"a..b"'
    assert spf.reverse_dots("email.example.com") == "com.example.email"
    assert not spf.domainmatch([], "example.com")
    assert str(spf.TempError("later")) == "later" and str(spf.AmbiguityWarning("odd", "mx")) == "odd: mx"
    q = query(ip="192.0.2.3")
    assert q.cidrmatch(["192.0.2.2"], 31) and not q.cidrmatch(["192.0.2.2", "junk"], 32) and not q.cidrmatch([], 0)
    assert query(ip="2001:db8::1").cidrmatch(["2001:DB8::"], 127)


def test_verbose(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    query(ip="192.0.2.200", verbose=True).check()
    assert "include:inc.example.com" in capsys.readouterr().out
