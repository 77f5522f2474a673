# SPDX-License-Identifier: MIT
"""The record tools: surveys, lint, compose, flatten, evidence."""
import asyncio
import copy
import gc
import ipaddress
import os
import pickle
import random
import subprocess
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple

import libspf
import pytest
from dns_server import Zone
from resolvers import IS_SANITIZED, AwaitingResolver, LateResolver, SilentResolver, ZoneResolver
from test_asyncio import World, settle
from test_threads import child, in_threads

ZONE = """
example.com. 300 IN TXT "v=spf1 a mx:mx.example.com include:one.example.com exists:%{i}.x.example.com -all"
example.com. 300 IN A 192.0.2.9
example.com. 300 IN TXT "something else"
mx.example.com. 300 IN MX 10 m1.example.com.
mx.example.com. 300 IN MX 20 m2.example.com.
m1.example.com. 300 IN A 192.0.2.16
m2.example.com. 300 IN AAAA 2001:db8::16
one.example.com. 60 IN TXT "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 redirect=two.example.com"
two.example.com. 300 IN TXT "v=spf1 ip4:203.0.113.0/25 ?ip4:203.0.113.128/25 ~all"
flat.example. 300 IN TXT "v=spf1 mx:mx.example.com a:example.com include:one.example.com -ip4:192.0.2.17 ~all"
kept.example. 300 IN TXT "v=spf1 include:one.example.com include:two.example.com -all"
typo.example. 300 IN TXT "v=spf1 ipv4:192.0.2.1 -all"
twice.example. 300 IN TXT "v=spf1 -all"
twice.example. 300 IN TXT "v=spf1 ~all"
loop.example. 300 IN TXT "v=spf1 include:loop.example -all"
other.example. 300 IN TXT "no record"
leads.example. 300 IN TXT "v=spf1 include:twice.example include:other.example include:gone.example include:%{l}.example -all"
octets.example. 300 IN TXT "v=spf1 \\233\\255 -all"
"""


def offline(**options: Any) -> libspf.Context:
    return libspf.Context(zone_text=ZONE, resolver="none", **options)


# ------------------------------------------------------------------------------------------------------------ surveys


def test_tree() -> None:
    with offline() as context:
        survey = context.survey("Example.COM", timeout=5)
    first, one, two = survey.nodes
    assert survey.domain == first.domain == "example.com" and (one.domain, two.domain) == (
        "one.example.com", "two.example.com")
    assert [(node.status, node.depth, node.ttl) for node in survey.nodes] == [
        ("record", 0, 300), ("record", 1, 60), ("record", 2, 300)]
    assert first.parent is None and one.parent is first and two.parent is one
    assert first.terms[2].child is one and one.terms[2].child is two and first.terms[0].child is None
    assert [term.kind for term in first.terms] == ["a", "mx", "include", "exists", "all"]
    assert [term.lookup_number for term in first.terms] == [1, 2, 3, 5, None]
    assert [term.result for term in first.terms] == ["pass", "pass", "pass", "pass", "fail"]
    assert one.terms[2].result is None and two.terms[1].result is libspf.ResultCode.NEUTRAL
    a, mx = first.terms[:2]
    assert (a.text, a.offset, a.length, a.target, a.ttl) == ("a", 7, 1, "example.com", 300)
    assert a.networks == (ipaddress.ip_network("192.0.2.9"),)
    assert (a.void_number, a.void_number6) == (None, 1)
    assert mx.networks == (ipaddress.ip_network("192.0.2.16"), ipaddress.ip_network("2001:db8::16"))
    assert mx.host_count == 2 and mx.answer is not None and mx.answer.startswith("2 hosts: ")
    assert one.terms[0].networks == (ipaddress.IPv4Network("198.51.100.0/24"),)
    assert one.terms[1].networks == (ipaddress.IPv6Network("2001:db8:1::/48"),)
    assert first.terms[3].depends_on_mail and first.terms[3].status == "macro" and first.terms[3].target is None
    assert (first.lookups, one.lookups, one.running_lookups) == (5, 1, 4)
    assert first.record == 'v=spf1 a mx:mx.example.com include:one.example.com exists:%{i}.x.example.com -all'
    assert first.record_count == 1 and first.answer_octets is not None and first.answer_octets > len(first.record)
    assert first.dnssec is libspf.DNSSEC.INSECURE and first.error is None and first.error_offset is None


def test_summary() -> None:
    with offline(max_lookups=4) as context:
        survey = context.survey("example.com")
    summary = survey.summary
    assert (summary.lookups, summary.void_lookups, summary.void_lookups6, summary.max_lookups) == (5, 0, 1, 4)
    assert (summary.records, summary.networks, summary.max_void_lookups, summary.ttl) == (3, 6, 2, 60)
    assert summary.is_permerror and summary.is_permerror6 and summary.is_complete
    assert not summary.is_anybody and not summary.has_failure and 0 <= summary.elapsed < 60
    assert repr(survey) == "<libspf.Survey of example.com: 3 records, 5 lookups>"
    assert [remark.code for remark in survey.remarks][0] == "lookup-limit"


def test_reports() -> None:
    with offline() as context:
        survey = context.survey("example.com")
    assert survey.text() == str(survey) and survey.text().startswith("example.com [lookups ")
    assert "├─ a" in survey.text() and survey.text(ascii=True).isascii() and "\x1b[" in survey.text(color=True)
    assert "\x1b[" in survey.text(ascii=True, networks=True, color=True)
    assert survey.dot().startswith("digraph spf {")
    found = survey.as_dict()
    assert found["domain"] == "example.com" and not found["given"] and found["summary"]["lookups"] == 5
    assert found["tree"]["terms"][2]["child"]["domain"] == "one.example.com"
    assert [remark["code"] for remark in found["remarks"]] == [remark.code for remark in survey.remarks]


def test_what_is_in_place_of_records() -> None:
    with offline() as context:
        expected = {"twice.example": "several", "other.example": "no-record", "gone.example": "no-domain"}
        for domain, status in expected.items():
            node = context.survey(domain).nodes[0]
            assert (node.domain, node.status, node.terms) == (domain, status, ()) and node.record_count in (0, 2)
        leads = context.survey("leads.example").nodes
        assert {node.domain: node.status for node in leads[1:]} == expected
        assert leads[0].terms[3].status is libspf.NodeStatus.MACRO and leads[0].terms[3].child is None
        assert context.survey("loop.example").nodes[0].terms[0].status == "loop"
        typo = context.survey("typo.example").nodes[0]
        assert typo.error_offset == 7 and typo.error and typo.terms[0].kind == "invalid"
        octets = context.survey("octets.example").nodes[0].record
        assert octets is not None and octets.encode("utf-8", "surrogateescape") == b"v=spf1 \xe9\xff -all"


def test_given_records() -> None:
    with offline() as context:
        survey = context.survey(record="v=spf1 a include:two.example.com -all")
        assert survey.domain == "" and survey.summary.lookups == 2 and len(survey.nodes) == 2
        assert repr(survey).startswith("<libspf.Survey of a record: ")
        assert survey.nodes[0].terms[0].networks == ()
        as_if = context.survey(b"example.com", record=b"v=spf1 a -all")
        assert as_if.nodes[0].terms[0].networks == (ipaddress.ip_network("192.0.2.9"),)
        assert context.survey(record='"v=spf1 ip4:192." "0.2.1 -all"').nodes[0].record == "v=spf1 ip4:192.0.2.1 -all"


def test_scope() -> None:
    asked: List[Tuple[str, str]] = []

    def resolve(query: libspf.Query) -> List[str]:
        asked.append((query.type, query.name))
        return ["v=spf1 a:host.example include:one.example -all"] if (query.type, query.name) in RECORDS else []

    RECORDS = (("TXT", "example.com"), ("TXT", "one.example"))
    scopes: List[Tuple[Dict[str, Any], Any, Any]] = [
        ({"includes": False, "addresses": False, "nearby": False}, {"TXT"}, {"example.com"}),
        ({"addresses": False, "nearby": False}, {"TXT"}, {"example.com", "one.example"}),
        ({"nearby": False}, {"TXT", "A", "AAAA"}, {"example.com", "one.example", "host.example"}),
    ]
    for options, types, names in scopes:
        with libspf.Context(resolver=resolve) as context:
            context.survey("example.com", **options)
        assert ({type for type, _ in asked}, {name for _, name in asked}) == (types, names)
        asked.clear()
    with libspf.Context(resolver=resolve) as context:
        context.survey("example.com")
    assert ("TXT", "_dmarc.example.com") in asked


MISUSE: List[Tuple[Callable[[libspf.Context], Any], type, str]] = [
    (lambda c: c.survey(), ValueError, "survey: neither a domain nor a record is given"),
    (lambda c: c.survey(7), TypeError, "domain: must be str or bytes, not int: 7"),  # type: ignore[arg-type]
    (lambda c: c.survey("a..b"), ValueError, 'domain "a..b" is no domain name: labels of 1 to 63 octets'),
    (lambda c: c.survey("x" * 64), ValueError, "is no domain name"),
    (lambda c: c.survey("x", record=1), TypeError, "record: must be str or bytes"),  # type: ignore[arg-type]
    (lambda c: c.survey("x", record="x" * 65537), ValueError, "is longer than 65536 octets"),
    (lambda c: c.survey("x", timeout=0), ValueError, "timeout: 0 is no number of seconds from 0.001 to 600"),
    (lambda c: c.survey("x", timeout="1"), TypeError, "timeout: '1' is no"),  # type: ignore[arg-type]
    (lambda c: c.survey("x", near=1), TypeError, "a survey has no option 'near'; there are"),  # type: ignore[call-arg]
    (lambda c: c.lint("ann@example.com"), ValueError,
     "subject: 'ann@example.com' is a mailbox; expected is its domain, 'example.com', or a record"),
    (lambda c: c.lint(None), TypeError, "subject: must be str or bytes, not NoneType"),  # type: ignore[arg-type]
    (lambda c: c.lint("x.example", domain="y.example"), ValueError, "domain: 'y.example' goes with a record"),
]


@pytest.mark.parametrize("call,kind,text", MISUSE)
def test_misuse(call: Callable[[libspf.Context], Any], kind: Any, text: str) -> None:
    with offline() as context:
        with pytest.raises(kind) as raised:
            call(context)
        assert text in str(raised.value)
        assert context.pending == 0


def test_closed_context() -> None:
    context = offline()
    survey = context.survey("flat.example")
    context.close()
    assert survey.flatten().lookups == 0 and survey.remarks and survey.as_dict()
    with pytest.raises(libspf.Error) as raised:
        context.survey("flat.example")
    assert raised.value.code == libspf.ErrorCode.ESTATE


def test_copies() -> None:
    with offline() as context:
        survey = context.survey("example.com")
    nodes = pickle.loads(pickle.dumps(survey.nodes))
    assert nodes == survey.nodes and nodes[1].parent is nodes[0]
    assert pickle.loads(pickle.dumps(survey.remarks)) == survey.remarks
    assert copy.deepcopy(survey.summary) == survey.summary
    for thing in (survey, survey.flatten(keep=["one.example.com"])):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(thing)
    with pytest.raises(AttributeError):
        survey.nodes[0].domain = "x"  # type: ignore[misc]


# --------------------------------------------------------------------------------------------------------------- lint

SUBJECTS: List[Tuple[Any, Any, str, List[str]]] = [  # what is linted, for which domain; whose record it is; codes
    ("v=spf1 ipv4:192.0.2.1 -all", None, "", ["misspelt-mechanism"]),
    (b"v=spf1", None, "", ["no-all"]),
    ("v=spf1\tmx", None, "", []),
    ('"v=spf1 -all"', None, "", []),
    ("v=spf1 a -all", None, "", []),
    ("v=spf1 a -all", "flat.example", "flat.example", ["void-lookup", "all-without-dmarc"]),
    ("typo.example", None, "typo.example", ["misspelt-mechanism", "all-without-dmarc"]),
    (b"typo.example", None, "typo.example", ["misspelt-mechanism", "all-without-dmarc"]),
    ("twice.example", None, "twice.example", ["several-records"]),
]


@pytest.mark.parametrize("subject,domain,whose,codes", SUBJECTS)
def test_lint_tells_records_from_domains(subject: Any, domain: Any, whose: str, codes: List[str]) -> None:
    with offline() as context:
        remarks = context.lint(subject, domain=domain)
        assert {remark.domain for remark in remarks} <= {whose}
        assert [remark.code for remark in remarks] == codes or not codes


def test_remarks() -> None:
    with offline() as context:
        survey = context.survey("typo.example")
        first = survey.remarks[0]
        assert first.severity == "error" and first.severity is libspf.Severity.ERROR and first.node is survey.nodes[0]
        assert (first.domain, first.record) == ("typo.example", "v=spf1 ipv4:192.0.2.1 -all")
        assert first.offset == 7 and first.section.startswith("RFC 7208 section ") and first.fix
        assert first.replacement is not None and first.record is not None
        assert first.replace_offset is not None and first.replace_length is not None
        start, end = first.replace_offset, first.replace_offset + first.replace_length
        assert first.record[:start] + first.replacement + first.record[end:] == "v=spf1 ip4:192.0.2.1 -all"
        assert str(first) == "error %s: %s" % (first.code, first.sentence)
        assert survey.fixed_record == "v=spf1 ip4:192.0.2.1 -all"
        assert context.lint("typo.example") == survey.remarks
        assert [remark.severity for remark in context.lint(survey.fixed_record)].count(libspf.Severity.ERROR) == 0
        missing = context.survey("gone.example")
        assert missing.remarks[0].severity == "error" and missing.fixed_record is None
        several = context.lint("twice.example")
        assert several[0].code == "several-records" and several[0].replacement is None
        assert several[0].replace_offset is None and several[0].replace_length is None


# ------------------------------------------------------------------------------------------------------------ asyncio


def test_many_at_once_beside_checks() -> None:
    async def main(context: libspf.Context) -> None:
        surveys = [context.survey_async("d%d.example" % number, nearby=False) for number in range(200)]
        checks = [context.check_async("192.0.2.1", "ann@d%d.example" % number) for number in range(200)]
        found: Any = await asyncio.gather(*surveys, *checks)
        assert [survey.domain for survey in found[:200]] == ["d%d.example" % number for number in range(200)]
        assert {survey.nodes[0].status for survey in found[:200]} == {"record"}
        assert {result.result for result in found[200:]} == {"pass"}
        remarks = await asyncio.gather(*[context.lint_async("d%d.example" % number) for number in range(20)])
        assert {one[0].domain for one in remarks if one} <= {"d%d.example" % number for number in range(20)}
        assert context.pending == 0

    with LateResolver(0.02) as resolver, libspf.Context(resolver=resolver, timeout=60) as context:
        asyncio.run(main(context))


def test_cancelled() -> None:
    resolver = SilentResolver()

    async def main(context: libspf.Context) -> None:
        tasks = [asyncio.ensure_future(context.survey_async("d%d.example" % number)) for number in range(20)]
        await settle()
        assert context.pending == 20 and resolver.asked >= 20
        for task in tasks[:10]:
            task.cancel()
        await settle()
        assert context.pending == 10 and resolver.cancelled >= 10
        context.close()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends[:10])
        codes = [end.code for end in ends[10:] if isinstance(end, libspf.Error)]
        assert codes == [libspf.ErrorCode.ECANCELED] * 10

    with libspf.Context(resolver=resolver) as context:
        asyncio.run(main(context))
    assert resolver.cancelled == resolver.asked / 2  # a context that is closed tells nobody


def test_timeout_is_no_exception() -> None:
    with libspf.Context(resolver=SilentResolver()) as context:
        survey = context.survey("example.com", timeout=0.02)
        assert survey.nodes[0].status == "timeout" and survey.summary.has_failure
        with pytest.raises(libspf.Error, match="^example.com cannot be flattened: ") as raised:
            survey.flatten()
        assert raised.value.code == libspf.ErrorCode.EINVAL
        again = asyncio.run(context.survey_async("example.com", timeout=0.02))
        assert again.nodes[0].status is libspf.NodeStatus.TIMEOUT


def use(remarks: Any) -> None:
    assert remarks


def test_resolvers_in_python() -> None:
    zone = Zone({"example.com": {"TXT": ["v=spf1 include:one.example a:host.example -all"]},
                 "one.example": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]}, "host.example": {"A": ["198.51.100.1"]}})

    async def inside(context: libspf.Context) -> None:
        assert len((await context.survey_async("example.com")).nodes) == 2
        with pytest.raises(RuntimeError, match="use `await survey_async\\(\\)`"):
            context.survey("example.com")

    for resolver in (ZoneResolver(zone), AwaitingResolver(zone)):
        with libspf.Context(resolver=resolver) as context:
            assert context.survey("example.com").flatten().records[0].text == (
                "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.1 -all")
            in_threads(3, lambda _: use(context.lint("example.com")))
    with libspf.Context(resolver=AwaitingResolver(zone)) as context:
        asyncio.run(inside(context))
    leftover = Zone({"example.com": {"TXT": ["v=spf1 -all"], "SPF": ["v=spf1 ~all"]}})
    with libspf.Context(resolver=ZoneResolver(leftover)) as context:
        assert "type99" in [remark.code for remark in context.lint("example.com")]


# ---------------------------------------------------------------------------------------------------- leaks, threads


def use_all(context: libspf.Context) -> None:
    survey = context.survey("example.com")
    assert survey.nodes and survey.remarks and survey.text(color=True) and survey.dot() and survey.as_dict()
    draft = context.survey("flat.example").flatten(keep=["two.example.com"])
    assert draft.zone() and draft.nsupdate(60, "example", "192.0.2.1") and draft.as_dict() and draft.notes is not None
    libspf.compose(["mx", "192.0.2.1", "v=spf1 a -all"], "example.com")
    evidence = libspf.read_evidence("Received-SPF: fail client-ip=192.0.2.7; envelope-from=ann@example.com")
    assert context.check("192.0.2.7", "ann@example.com").advice(evidence.check)
    with pytest.raises(ValueError):
        survey.flatten(["a..b"])
    with pytest.raises(ValueError):
        libspf.compose(["mx", "!"])
    with pytest.raises(ValueError):
        context.survey("..")


def test_nothing_is_left_behind() -> None:
    cancelled = SilentResolver()

    async def cancel(context: libspf.Context) -> None:
        tasks = [asyncio.ensure_future(context.survey_async("example.com")) for _ in range(5)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def round() -> None:
        use_all(context)
        asyncio.run(cancel(silent), debug=False)

    with offline() as context, libspf.Context(resolver=cancelled) as silent:
        for _ in range(10):
            round()
        gc.collect()
        kinds = (libspf.Survey, libspf.Draft, libspf.Node, libspf.Remark)
        world = World(context, context._handle, silent._handle)  # type: ignore[attr-defined]
        counts, blocks, resident = world.counts(), world.blocks(), world.resident_kib()
        for _ in range(60):
            round()
        assert world.counts() == counts and world.blocks() - blocks < 60
        assert not [thing for thing in gc.get_objects() if isinstance(thing, kinds)]
        if not IS_SANITIZED:
            assert world.resident_kib() - resident < 60 * 8  # a survey has tens of KiB
        assert silent.pending == 0


def test_threads_share_surveys() -> None:
    with offline() as context:
        surveys = [context.survey("flat.example") for _ in range(5)]
        expected = context.survey("flat.example")

        def work(thread: int) -> None:
            order = list(range(5))
            random.Random(thread).shuffle(order)
            for number in order * 4:
                one = surveys[number]
                assert one.nodes == expected.nodes and one.remarks == expected.remarks
                assert one.text() == expected.text() and one.dot() == expected.dot()
                assert one.flatten().zone() == expected.flatten().zone()
                assert one.as_dict()["tree"] == expected.as_dict()["tree"]
                assert context.survey("example.com").domain == "example.com"

        in_threads(8, work)


def test_forked() -> None:
    with offline() as context:
        survey = context.survey("flat.example")

        def in_child() -> None:
            assert survey.text() and survey.remarks and survey.flatten().lookups == 0
            use_all(context)

        assert child(in_child) == 0
        assert survey.flatten().lookups == 0


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's allocator does not bear it")
def test_forked_while_a_thread_flattens() -> None:
    """The child cannot know how far the other thread came: it says so, and does not wait for it for ever."""
    includes = ["i%d.example" % number for number in range(8)]
    zone = ['big.example. IN TXT "v=spf1 %s -all"' % " ".join("include:" + name for name in includes)]
    for number, name in enumerate(includes):
        strings = ['"%s "' % " ".join("ip4:10.%d.%d.%d" % (number, i, 2 * j) for j in range(10)) for i in range(40)]
        zone.append('%s. IN TXT "v=spf1 " %s "~all"' % (name, " ".join(strings)))
    torn = 0

    def in_child() -> None:
        try:
            survey.dot()
        except libspf.Error as error:
            assert error.code == libspf.ErrorCode.ESTATE and "when the process forked" in str(error)
            os._exit(3)

    with libspf.Context(zone_text="\n".join(zone), resolver="none") as context:
        survey = context.survey("big.example")
        for _ in range(20):
            thread = threading.Thread(target=lambda: survey.flatten(answer_max=65535))
            thread.start()
            while thread.is_alive() and not torn:
                status = child(in_child)
                assert os.WEXITSTATUS(status) in (0, 3) and not os.WIFSIGNALED(status)
                torn += os.WEXITSTATUS(status) == 3
            thread.join()
            if torn:
                break
        assert torn and survey.dot().startswith("digraph")


# ------------------------------------------------------------------------------------------------- flatten and compose


def edges(survey: libspf.Survey) -> List[str]:
    """The first and last address of every network of a tree, and those beside them."""
    found = set()
    for network in (network for node in survey.nodes for term in node.terms for network in term.networks):
        most = 2**network.max_prefixlen - 1
        for number in (int(network[0]), int(network[-1])):
            for near in (number - 1, number, number + 1):
                if 0 <= near <= most:
                    found.add(str(type(network[0])(near)))
    return sorted(found)


@pytest.mark.parametrize("domain,keep", [("flat.example", []), ("kept.example", ["two.example.com"]),
                                         ("kept.example", "one.example.com"), ("example.com", ())])
def test_flattened_gives_the_same_results(domain: str, keep: Any) -> None:
    with offline() as context:
        survey = context.survey(domain)
        draft = survey.flatten(keep=keep)
        assert draft.lookups < survey.summary.lookups
        without = "\n".join(line for line in ZONE.splitlines() if not (line.startswith(domain + ".") and "v=spf1" in line))
        with libspf.Context(zone_text=without + "\n" + draft.zone(300), resolver="none") as after:
            assert after.survey(domain).summary.lookups == draft.lookups
            addresses = edges(survey)
            assert len(addresses) > 10
            for address in addresses:
                results = [one.check(address, "ann@" + domain).result for one in (context, after)]
                assert results[0] == results[1], address


def test_flatten_arguments() -> None:
    with offline() as context:
        survey = context.survey("flat.example")
        small = survey.flatten(prefix="_net", answer_max=128)
        assert len(small.records) > 1 and small.records[1].name == "_net1.flat.example"
        assert all(record.answer_octets <= 128 for record in small.records)
        for arguments, kind, text in (
            ({"prefix": "a b"}, ValueError, 'prefix: the prefix "a b" is none: expected letters'),
            ({"prefix": 3}, TypeError, "prefix: must be str or bytes, not int: 3"),
            ({"keep": ["a..b"]}, ValueError, 'keep: "a..b" is no domain name'),
            ({"keep": [3]}, TypeError, "keep: must be str, not int: 3"),
            ({"keep": 3}, TypeError, "keep: must be a list of str, not int: 3"),
            ({"keep": ["a\0b"]}, ValueError, "has a NUL, which is not allowed"),
            ({"answer_max": 127}, ValueError, "answer_max: 127 is no number of octets from 128 to 65535"),
            ({"answer_max": True}, TypeError, "answer_max: True is no number of octets"),
        ):
            assert isinstance(arguments, dict)
            with pytest.raises(kind) as raised:
                survey.flatten(**arguments)
            assert text in str(raised.value)
        for domain in ("typo.example", "leads.example", "gone.example"):
            with pytest.raises(libspf.Error) as failed:
                context.survey(domain).flatten()
            assert failed.value.code == libspf.ErrorCode.EINVAL and failed.value.text
        with pytest.raises(libspf.Error, match="addresses"):
            context.survey("flat.example", addresses=False).flatten()


COMPOSED: List[Tuple[Any, Dict[str, Any], str]] = [
    ([], {}, "v=spf1 -all"),
    (["mx", "192.0.2.0/24"], {}, "v=spf1 ip4:192.0.2.0/24 mx ~all"),
    (["include:a.example"], {"all": "-all"}, "v=spf1 include:a.example -all"),
    ([ipaddress.ip_address("192.0.2.1"), ipaddress.ip_network("2001:db8::/32")], {"all": "?all"},
     "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 ?all"),
    ([ipaddress.ip_network("192.0.2.0/25"), "192.0.2.128/25"], {}, "v=spf1 ip4:192.0.2.0/24 ~all"),
    (("v=spf1 a -all", "v=spf1 mx ~all"), {}, "v=spf1 a mx -all"),
    ("mail.example.com", {}, "v=spf1 a:mail.example.com ~all"),
    (ipaddress.ip_address("192.0.2.1"), {}, "v=spf1 ip4:192.0.2.1 ~all"),
    (iter(["mx"]), {"domain": "example.com"}, "v=spf1 mx ~all"),
]


@pytest.mark.parametrize("senders,options,record", COMPOSED)
def test_composed(senders: Any, options: Dict[str, Any], record: str) -> None:
    draft = libspf.compose(senders, **options)
    assert str(draft) == record and draft.records == ((options.get("domain", ""), record, draft.records[0].answer_octets),)
    assert draft.as_dict()["records"][0]["text"] == record
    assert not [remark for remark in offline().lint(record, includes=False) if remark.severity == "error"]


def test_compose_misuse() -> None:
    for senders, options, kind, text in (
        (["mx", "no such"], {}, ValueError, "no such"),
        (["192.0.2.0/33"], {}, ValueError, "192.0.2.0/33"),
        (["mx", 3], {}, TypeError, "senders: must be str, or addresses or networks of ipaddress, not int: 3"),
        (None, {}, TypeError, "senders: must be a list of str"),
        (b"mx", {}, TypeError, "senders: must be a list of str"),
        (["m\0x"], {}, ValueError, "senders: 'm\\x00x' has a NUL"),
        (["mx"], {"all": "+all"}, ValueError, '"+all" is none of -all, ~all and ?all'),
        (["mx"], {"domain": "a..b"}, ValueError, "a..b"),
        (["mx"], {"domain": 3}, TypeError, "domain: must be str or bytes, not int: 3"),
    ):
        assert isinstance(options, dict)
        with pytest.raises(kind) as raised:
            libspf.compose(senders, **options)  # type: ignore[arg-type]
        assert text in str(raised.value)


def test_drafts() -> None:
    draft = libspf.compose(["include:i%d.example" % number for number in range(11)] + ["192.0.2.%d" % number for number
                           in range(0, 60, 2)], "example.com")
    assert draft.lookups == 11 and draft.notes and all(note.endswith(".") for note in draft.notes)
    record = draft.records[0]
    assert record.name == "example.com" and record.answer_octets > len(record.text) > 255
    assert draft.zone().startswith('example.com. IN TXT ( "') or draft.zone().startswith('example.com. IN TXT "')
    assert draft.zone(3600).startswith("example.com. 3600 IN TXT ")
    with libspf.Context(zone_text=draft.zone(60), resolver="none") as context:
        assert context.survey("example.com").nodes[0].record == record.text
    update = draft.nsupdate(zone="example.com", server="192.0.2.53@5353").splitlines()
    assert update[:2] == ["server 192.0.2.53 5353", "zone example.com"] and update[-1] == "send"
    assert any(line.startswith("update add example.com. 3600 IN TXT ") for line in update)
    assert any(" 60 IN TXT " in line for line in draft.nsupdate(60).splitlines())
    assert repr(draft).startswith("<libspf.Draft of 1 records, 11 lookups: v=spf1 ip4:192.0.2.0 ")
    for ttl, kind in ((0, ValueError), (2**31, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(kind, match="ttl: .* is no number of seconds from 1 to 2147483647"):
            draft.zone(ttl)  # type: ignore[arg-type]
    with pytest.raises(libspf.Error, match="nsupdate: the draft was made without a domain"):
        libspf.compose("mx").nsupdate()


# ----------------------------------------------------------------------------------------------------------- evidence

MESSAGE = """\
Return-Path: <ann@example.com>
Received: from mail.example.com (mail.example.com [198.51.100.200]) by mx.receiver.example; Sun, 1 Nov 2026 00:00:00 +0000
Authentication-Results: mx.receiver.example; spf=softfail smtp.mailfrom=ann@example.com
Subject: \u00e9

Received-SPF: pass client-ip=192.0.2.1
"""


def test_evidence() -> None:
    field = "Received-SPF: Fail (not one of ours) client-ip=192.0.2.7; envelope-from=ann@example.com; helo=x.example"
    items, check = libspf.read_evidence(field)
    assert check == items[0] and len(items) == 1 and check is not None
    assert (check.field, check.value, check.ip, check.sender, check.helo) == (
        "Received-SPF", "fail", "192.0.2.7", "ann@example.com", "x.example")
    assert (check.result, check.comment, check.identity) == ("Fail", "not one of ours", libspf.Identity.MAILFROM)
    assert (check.offset, check.length) == (0, len(field))
    messages: List[Any] = [MESSAGE, MESSAGE.encode()]
    for text in messages:
        evidence = libspf.read_evidence(text)
        assert {item.field for item in evidence.items} == {"Return-Path", "Received", "Authentication-Results"}
        assert evidence.check is not None and evidence.check.value is libspf.ResultCode.SOFTFAIL
        assert (evidence.check.ip, evidence.check.sender) == ("198.51.100.200", "ann@example.com")
    nothing: List[Any] = ["", b"", "Subject: x\n\n", b"\0\xff\n"]
    for text in nothing:
        assert libspf.read_evidence(text) == ((), None)
    unknown = libspf.read_evidence("Received-SPF: perhaps client-ip=192.0.2.7").check
    assert unknown is None or unknown.value is None
    with pytest.raises(TypeError, match="text: must be str or bytes, not NoneType: None"):
        libspf.read_evidence(None)  # type: ignore[arg-type]


def test_advice() -> None:
    then: Optional[libspf.EvidenceItem] = libspf.read_evidence(MESSAGE).check
    assert then is not None and then.ip is not None
    with offline() as context:
        result = context.check(then.ip, then.sender, then.helo)
    assert result.result == "pass"
    alone, compared = result.advice(), result.advice(then)
    assert len(alone) >= 1 and set(alone) < set(compared) and all(line.endswith(".") for line in compared)
    assert any("The header said softfail, and now it is pass" in line for line in compared)
    assert result.advice("softfail") == result.advice(libspf.ResultCode.SOFTFAIL) == compared
    assert "The header said the same." in result.advice("pass")
    nothing = then._replace(result=None, value=None)
    assert result.advice(nothing) == alone
    with pytest.raises(ValueError, match="then: 'good' is no result; there are none, neutral, pass, "):
        result.advice("good")
    for sent in (pickle.loads(pickle.dumps(result)), pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(result))))):
        assert sent.advice() == alone and sent.advice(then) == compared and sent.advice("pass") == result.advice("pass")


def test_the_shared_context(tmp_path: Any) -> None:
    zone = tmp_path / "zone"
    zone.write_text(ZONE)
    config = tmp_path / "libspf.conf"
    config.write_text("resolver: none\nzone: %s\n" % zone)
    program = """if True:
        import asyncio, sys, libspf
        libspf.shared_context(sys.argv[1])
        async def main():
            assert (await libspf.survey_async("flat.example")).domain == "flat.example"
            assert await libspf.lint_async("typo.example") == libspf.lint("typo.example")
        asyncio.run(main())
        assert libspf.lint("v=spf1 a -all", domain="flat.example", includes=False) is not None
        print(libspf.survey("flat.example", nearby=False).flatten())
    """
    done = subprocess.run([os.sys.executable, "-c", program, str(config)], stdout=subprocess.PIPE,  # type: ignore
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("v=spf1 ip4:"), done.stdout
