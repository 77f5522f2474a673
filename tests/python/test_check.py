# SPDX-License-Identifier: MIT
"""One check: its arguments, its Result, and what is wrong."""
import copy
import enum
import inspect
import ipaddress
import json
import os
import pathlib
import pickle
import sys
from typing import Any, Callable, Dict, List, Type

import libspf
import pytest
from libspf import _swig
from resolvers import ZONE, offline


def test_a_result() -> None:
    with offline() as context:
        result = context.check("198.51.100.7", "ann@example.com", "mail.example.net", trace=True)
    assert isinstance(result, libspf.Result)
    assert result.result == "pass" and result.result is libspf.ResultCode.PASS
    assert str(result.result) == "pass" and "%s" % result.result == "pass" and f"{result.result:>6}" == "  pass"
    assert result.cause == "match" and result.identity == "mailfrom" and result.dnssec == "insecure"
    assert (result.ip, result.sender, result.helo) == ("198.51.100.7", "ann@example.com", "mail.example.net")
    assert (result.checked_domain, result.domain) == ("example.com", "example.com")
    assert result.record == "v=spf1 ip4:192.0.2.0/24 include:one.example.com -all"
    assert (result.term, result.term_offset, result.term_length) == ("include:one.example.com", 24, 23)
    assert result.target == "one.example.com" and result.error_offset is None and result.would_be is None
    assert (result.lookups, result.void_lookups, result.ttl) == (2, 0, 300)
    assert result.elapsed >= 0 and result.dns_queries >= 3
    assert result.explanation is None and result.is_own_explanation is False
    assert str(result).startswith("pass: ") and result.reason in str(result) and "pass" in repr(result)
    assert [lookup.term for lookup in result.lookup_terms] == ["include:one.example.com", "a:host.example.com"]
    assert result.lookup_terms[1] == libspf.Lookup("one.example.com", "a:host.example.com", "host.example.com", False, 1)
    step = result.trace[-1]
    assert isinstance(step, libspf.Step)
    assert step.outcome == "match" and step.outcome is libspf.Outcome.MATCH
    assert result.trace[0].term is None and result.trace[0].term_offset is None
    assert len(result.trace_text().splitlines()) == len(result.trace)


def test_a_result_outlives_its_context() -> None:
    with offline() as context:
        result = context.check("198.51.100.7", "ann@example.com")
    del context
    assert result.received_spf().startswith("Received-SPF: pass (")
    assert json.loads(result.json())["result"] == "pass"


def test_reports() -> None:
    with offline(receiver="mx.example.org") as context:
        result = context.check("203.0.113.1", "ann@why.example.com", "h.example.net")
    assert result.result == "fail" and result.explanation == "203.0.113.1 is not one of ours"
    assert "\n" not in result.received_spf()
    assert "\n\t" in result.received_spf("lf") and "\r" not in result.received_spf("lf")
    assert result.received_spf("crlf") == result.received_spf("lf").replace("\n", "\r\n")
    assert result.authentication_results().startswith("Authentication-Results: mx.example.org; spf=fail")
    assert result.authentication_resinfo() in result.authentication_results()
    reply = result.smtp_reply()
    assert isinstance(reply, libspf.SMTPReply)
    assert (reply.code, reply.enhanced) == (550, "5.7.23") and "203.0.113.1 is not one of ours" in reply.text
    found = result.as_dict()
    assert found["result"] == "fail" and found["smtp_reply"] == {"code": 550, "enhanced": "5.7.23", "text": reply.text}
    assert result.trace == [] and result.trace_text() == ""


def test_options() -> None:
    with offline() as context:
        assert context.check("192.0.2.1", "a@x.example", "example.com", identity="helo").result == "pass"
        assert context.check("192.0.2.1", "a@x.example", "example.com", identity=libspf.Identity.HELO).identity == "helo"
        assert context.check("192.0.2.1", "a@example.com", receiver="r.example").receiver == "r.example"
        assert context.check("192.0.2.9", "a@none.example", record="v=spf1 ip4:192.0.2.9 -all").result == "pass"
        assert context.check("192.0.2.9", "a@none.example", record=b"v=spf1 -all", timeout=0.001).result == "fail"
        guessed = context.check("192.0.2.9", "a@broken.example.com", would_be=True)
        assert guessed.result == "permerror" and guessed.would_be is libspf.ResultCode.PASS
        assert guessed.cause == "syntax" and guessed.error_offset == 21
        assert context.check("192.0.2.1", "a@example.com", timeout=None, receiver=None, record=None).result == "pass"


@pytest.mark.parametrize("ip", [ipaddress.ip_address("192.0.2.1"), "192.0.2.1", "::ffff:192.0.2.1",
                                ipaddress.ip_address("::ffff:192.0.2.1")])
def test_addresses(ip: Any) -> None:
    with offline() as context:
        assert context.check(ip, "a@example.com").ip == "192.0.2.1"


def test_ipv6() -> None:
    with offline() as context:
        assert context.check(ipaddress.ip_address("2001:db8::1"), "a@example.com").result == "fail"


@pytest.mark.parametrize("sender", [None, "", "<>", b""])
def test_null_senders(sender: Any) -> None:
    with offline() as context:
        result = context.check("192.0.2.1", sender, "example.com")
        assert (result.result, result.sender) == ("pass", "postmaster@example.com")


def test_senders_of_any_octets() -> None:
    with offline() as context:
        senders: List[Any] = [b"\xff\0\xfe@example.com", "\udcff\0\udcfe@example.com", "ä€\0@example.com"]
        for sender in senders:
            result = context.check("192.0.2.1", sender)
            assert result.result == "pass" and "\0" not in result.sender
        octets = os.fsencode("\udcff@example.com")
        assert context.check("192.0.2.1", octets).sender == context.check("192.0.2.1", "\udcff@example.com").sender
        assert context.check("192.0.2.1", "a@exämple.com").checked_domain == "xn--exmple-cua.com"


def test_a_record_of_any_octets() -> None:
    with offline() as context:
        result = context.check("192.0.2.1", "a@x.example", record=b"v=spf1 exp=\xff -all")
        assert result.record is not None
        assert os.fsencode(result.record) == b"v=spf1 exp=\xff -all"


MISUSE: Dict[str, Any] = {
    "no address": (("300.1.2.3",), {}, ValueError, ["ip", '"300.1.2.3"', "192.0.2.1", "2001:db8::1"]),
    "an empty address": (("",), {}, ValueError, ["ip", '""', "IPv4"]),
    "a number": ((3221225985,), {}, TypeError, ["ip", "int", "3221225985", "str", "IPv4Address"]),
    "packed octets": ((b"\xc0\0\2\1",), {}, TypeError, ["ip", "bytes", "IPv6Address"]),
    "nothing": ((None,), {}, TypeError, ["ip", "NoneType"]),
    "a NUL in the address": (("192.0.2.1\0",), {}, ValueError, ["ip", "NUL", "192.0.2.1"]),
    "a network": ((ipaddress.ip_network("192.0.2.0/24"),), {}, TypeError, ["ip", "IPv4Network"]),
    "a sender that is no text": (("192.0.2.1", 7), {}, TypeError, ["sender", "int", "7", "str", "bytes"]),
    "a HELO that is no text": (("192.0.2.1", "", ["x"]), {}, TypeError, ["helo", "list", "str", "bytes"]),
    "a surrogate": (("192.0.2.1", "\ud800@example.com"), {}, ValueError, ["sender", "surrogate"]),
    "a long sender": (("192.0.2.1", "a" * 4097), {}, ValueError, ["sender", "4096"]),
    "a long HELO": (("192.0.2.1", "", "a" * 4097), {}, ValueError, ["HELO", "4096"]),
    "no option": (("192.0.2.1",), {"sendr": "x"}, TypeError, ["'sendr'", "identity", "would_be"]),
    "no identity": (("192.0.2.1",), {"identity": "pra"}, ValueError, ["identity", "'pra'", "mailfrom", "helo"]),
    "no timeout": (("192.0.2.1",), {"timeout": "soon"}, TypeError, ["timeout", "'soon'", "0.001 to 600"]),
    "no time": (("192.0.2.1",), {"timeout": 0}, ValueError, ["timeout", "0", "0.001 to 600"]),
    "a flag for a time": (("192.0.2.1",), {"timeout": True}, TypeError, ["timeout", "True"]),
    "too much time": (("192.0.2.1",), {"timeout": 601}, ValueError, ["timeout", "601", "600"]),
    "not a number": (("192.0.2.1",), {"timeout": float("nan")}, ValueError, ["timeout", "nan"]),
    "no record": (("192.0.2.1",), {"record": "v=spf2"}, ValueError, ["record", '"v=spf2"', "v=spf1"]),
    "a record that is no text": (("192.0.2.1",), {"record": 1}, TypeError, ["record", "int", "str"]),
    "no receiver": (("192.0.2.1",), {"receiver": 1}, TypeError, ["receiver", "int", "str"]),
    "a NUL in the receiver": (("192.0.2.1",), {"receiver": "a\0b"}, ValueError, ["receiver", "NUL"]),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_of_a_check(name: str) -> None:
    arguments, options, kind, words = MISUSE[name]
    with offline() as context:
        with pytest.raises(kind) as caught:
            context.check(*arguments, **options)
    assert type(caught.value) is kind
    for word in words:
        assert word in str(caught.value)
    assert not str(caught.value).startswith("ip: ") or words[0] == "ip"


@pytest.mark.skipif(sys.version_info < (3, 9), reason="ipaddress has no zone ids before Python 3.9")
def test_an_address_with_a_zone_id() -> None:
    with offline() as context, pytest.raises(ValueError, match="fe80::1%eth0"):
        context.check(ipaddress.ip_address("fe80::1%eth0"))


SETTINGS: Dict[str, Any] = {
    "no option": ({"time_out": 5}, TypeError, ["'time_out'", "timeout", "outgoing_sockets"]),
    "no time": ({"timeout": 0}, ValueError, ["timeout", "0.001 to 600"]),
    "no number": ({"timeout": "5"}, TypeError, ["timeout", "'5'"]),
    "no whole number": ({"max_lookups": 1.5}, ValueError, ["max", "lookups", "1 to 10"]),
    "too many": ({"max_lookups": 11}, ValueError, ["max_lookups", '"11"', "1 to 10"]),
    "no flag": ({"prefetch": "yes"}, TypeError, ["prefetch", "'yes'", "True"]),
    "no resolver": ({"resolver": "dns.example"}, ValueError, ["resolver", "dns.example", "system", "@PORT"]),
    "one that is none": ({"resolver": ["127.0.0.1", "x"]}, ValueError, ["resolver", '"x"']),
    "no server": ({"resolver": []}, ValueError, ["resolver", "empty"]),
    "no resolver at all": ({"resolver": 53}, TypeError, ["resolver", "53", "query"]),
    "no zone": ({"zone_text": 5}, TypeError, ["zone_text", "int"]),
    "a NUL": ({"receiver": "a\0b"}, ValueError, ["receiver", "NUL"]),
    "no size": ({"dns_cache": "1x"}, ValueError, ["dns_cache", '"1x"', "64k"]),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_misuse_of_a_context(name: str) -> None:
    options, kind, words = SETTINGS[name]
    with pytest.raises(kind) as caught:
        libspf.Context(**options)
    assert type(caught.value) is kind
    for word in words:
        assert word in str(caught.value)


def test_settings(tmp_path: pathlib.Path) -> None:
    zone = tmp_path / "zone"
    zone.write_text(ZONE)
    config = tmp_path / "libspf.conf"
    config.write_text("resolver: none\nreceiver: mx.example.org\nmax-lookups: 1\n")
    with libspf.Context(config, zone=zone, max_lookups=2, timeout=2.5, max_void_lookups=1, max_mx_hosts=3,
                        max_ptr_names=3, prefetch=False, explanation="Ask us.", record_cache="1m", dns_cache=65536,
                        outgoing_sockets=16, trust_anchor=None) as context:
        result = context.check("198.51.100.7", "ann@example.com")
        assert (result.result, result.receiver) == ("pass", "mx.example.org")
        own = context.check("203.0.113.1", "ann@example.com")
        assert own.explanation == "Ask us." and own.is_own_explanation is True
    with libspf.Context(os.fsencode(config), zone=[str(zone), os.fsencode(zone)]) as context:
        assert context.check("198.51.100.7", "ann@example.com").cause == "lookup-limit"


def test_errors(tmp_path: pathlib.Path) -> None:
    config = tmp_path / "libspf.conf"
    config.write_text("timeout: 5\ntimeout: soon\n")
    with pytest.raises(libspf.Error) as caught:
        libspf.Context(config)
    assert caught.value.code is libspf.ErrorCode.ECONFIG and int(caught.value.code) == -5
    assert caught.value.text == str(caught.value) and caught.value.text.startswith(f"{config}:2: timeout: \"soon\"")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, again.text) == (caught.value.code, caught.value.text)
    with pytest.raises(libspf.Error, match="no/such/zone"):
        libspf.Context(resolver="none", zone="/no/such/zone")
    with pytest.raises(libspf.Error, match="zone text:1"):
        libspf.Context(resolver="none", zone_text="nonsense")
    assert str(libspf.Error(-1)) == "out of memory"


def test_a_closed_context() -> None:
    context = offline()
    assert not context.closed
    context.close()
    context.close()
    assert context.closed and context.pending == 0
    with pytest.raises(libspf.Error, match="closed") as caught:
        context.check("192.0.2.1")
    assert caught.value.code is libspf.ErrorCode.ESTATE
    with pytest.raises(libspf.Error, match="closed"):
        list(context.check_many([("192.0.2.1",)]))
    with pytest.raises(libspf.Error, match="closed"):
        with context:
            pass


@pytest.mark.parametrize("twin", [pickle.dumps, copy.copy, copy.deepcopy])
def test_contexts_cannot_be_copied_or_sent(twin: Callable[[libspf.Context], Any]) -> None:
    with offline() as context:
        assert repr(context) == "<libspf.Context, open>"
        with pytest.raises(TypeError, match="in every process"):
            twin(context)
    assert repr(context) == "<libspf.Context, closed>"


@pytest.mark.parametrize("twin", [lambda result: pickle.loads(pickle.dumps(result)), copy.copy, copy.deepcopy])
def test_results_can_be_copied_and_sent(twin: Callable[[libspf.Result], libspf.Result]) -> None:
    with offline() as context:
        result = context.check("198.51.100.7", "\udcff@example.com", "x", trace=True, would_be=True)
    other = twin(result)
    for name, value in vars(libspf.Result).items():
        if isinstance(value, property):
            assert getattr(other, name) == getattr(result, name), name
    for fold in ("none", "lf", "crlf"):
        assert other.received_spf(fold) == result.received_spf(fold)  # type: ignore[arg-type]
        assert other.authentication_results(fold) == result.authentication_results(fold)  # type: ignore[arg-type]
        assert other.authentication_resinfo(fold) == result.authentication_resinfo(fold)  # type: ignore[arg-type]
    assert other.smtp_reply() == result.smtp_reply() and other.as_dict() == result.as_dict()
    assert other.trace_text() == result.trace_text() and str(other) == str(result)
    assert twin(other).trace == result.trace


def test_misuse_of_a_result() -> None:
    with offline() as context:
        result = context.check("192.0.2.1", "a@example.com")
    with pytest.raises(ValueError, match="fold: 'cr' is none of"):
        result.received_spf("cr")  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        result.result = libspf.ResultCode.FAIL  # type: ignore[misc]


def test_words_are_those_of_the_library() -> None:
    kinds: List[Type[libspf.Word]] = [libspf.ResultCode, libspf.Cause, libspf.Identity, libspf.DNSSEC, libspf.Outcome,
                                      libspf.NodeStatus, libspf.Severity]
    assert [tuple(str(word) for word in kind) for kind in kinds] == [tuple(words) for words in _swig.words()]
    for code in libspf.ErrorCode:
        assert libspf.Error(code).text


def test_documentation() -> None:
    """Everything that is public says what it is, without a word of C."""
    for name in libspf.__all__:
        value = getattr(libspf, name)
        if not isinstance(value, type) and not inspect.isfunction(value):
            continue  # a text, or a name for annotations
        assert value.__doc__ and value.__module__ == "libspf", name
        members = vars(value).items() if isinstance(value, type) else ()
        for member, thing in members:
            if member.startswith("_") or isinstance(thing, enum.Enum):
                continue
            assert getattr(thing, "__doc__", None), (name, member)
    assert libspf.__doc__ and libspf.__version__ == _swig.spf_version()


def test_the_shared_context(tmp_path: pathlib.Path) -> None:
    """It is the process's, so this one test has all that is tried with its configuration."""
    zone = tmp_path / "zone"
    zone.write_text(ZONE)
    config = tmp_path / "libspf.conf"
    config.write_text(f"resolver: none\nzone: {zone}\n")
    context = libspf.shared_context(config)
    assert libspf.shared_context() is context and libspf.shared_context(config) is context
    with pytest.raises(libspf.Error) as caught:
        libspf.shared_context(zone)
    assert caught.value.code is libspf.ErrorCode.ESTATE and "another configuration file" in caught.value.text
    assert libspf.check("192.0.2.1", "ann@example.com").result == "pass"
    assert [result.result for _, result in libspf.check_many([("192.0.2.1", "ann@example.com")])] == ["pass"]
    context.close()
    config.write_text("resolver: none\n")
    assert libspf.shared_context(config) is not context
    assert libspf.check("192.0.2.1", "ann@example.com").result == "none"
    libspf.shared_context().close()
