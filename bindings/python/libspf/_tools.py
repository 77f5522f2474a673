# SPDX-License-Identifier: MIT
"""The record tools: what a domain's record leads to, whether it is right, and records to be published."""
import dataclasses
import ipaddress
import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from . import _swig
from ._asking import refused, set_timeout
from ._errors import Error, ErrorCode
from ._results import DNSSEC, DNSSECS, IDENTITIES, RESULTS, Identity, ResultCode, Word

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

# Of enumerations of libspf, which are or'ed.
_SCOPE_INCLUDES, _SCOPE_ADDRESSES, _SCOPE_NEARBY = 1, 2, 4
_STYLE_ASCII, _STYLE_COLOR, _STYLE_NETWORKS = 1, 2, 4

TTL_MAX = 2**31 - 1
ANSWER_LEAST, ANSWER_MOST = 128, 65535


class NodeStatus(Word):
    """What was found where a record, or what a term asks for, should be."""

    RECORD = "record"
    NO_DOMAIN = "no-domain"
    NO_RECORD = "no-record"
    SEVERAL = "several"
    TIMEOUT = "timeout"
    ERROR = "error"
    BOGUS = "bogus"
    BAD_NAME = "bad-name"
    MACRO = "macro"
    LOOP = "loop"
    NOT_ASKED = "not-asked"


class Severity(Word):
    """How bad a remark is."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


STATUSES = tuple(NodeStatus)
SEVERITIES = tuple(Severity)

# ----------------------------------------------------------------------------------------------------------- the tree


@dataclasses.dataclass(frozen=True)
class Term:
    """One term of a record; its counters are those of a mail that no term matches."""

    text: str
    """As published, controls replaced by "?"."""
    offset: int
    """Where it starts in the record, in octets."""
    length: int
    """Its octets."""
    kind: str
    """"include", "ip4", ..., "modifier" for an unknown one, "invalid" for a syntax error."""
    result: Optional[ResultCode]
    """Of a mechanism: what its qualifier gives; else None."""
    target: Optional[str]
    """The DNS name it is about; None if it has none or that depends on the mail."""
    depends_on_mail: bool
    """A macro, ptr: what it stands for cannot be said without a mail."""
    is_reached: bool
    """False behind an all, for a redirect beside an all, and below such."""
    lookup_number: Optional[int]
    """Its place among the terms that need DNS, from 1 on (RFC 7208 section 4.6.4); None: it needs none."""
    void_number: Optional[int]
    """Its place among the void lookups; None: it is none."""
    void_number6: Optional[int]
    """The same for an IPv6 client: `a` asks for AAAA then."""
    is_past_limit: bool
    """It is the 11th lookup, the 3rd void one, or comes after them."""
    is_past_limit6: bool
    """The same for an IPv6 client."""
    status: NodeStatus
    """Of its own question; "record": there is what it asks for, or it asks nothing."""
    answer: Optional[str]
    """What DNS said, for people ("2 hosts: 192.0.2.1 192.0.2.9")."""
    ttl: Optional[int]
    """Lowest TTL of its answers, in seconds."""
    networks: Tuple[Network, ...]
    """What it stands for, as published or resolved."""
    host_count: int
    """Of an mx: its hosts."""
    child: Optional["Node"] = dataclasses.field(repr=False)
    """Of include and redirect, if its record was asked for, whatever came of it: that record."""


@dataclasses.dataclass(frozen=True)
class Node:
    """A record of the tree, or what was found in its place."""

    domain: str
    """"" if none was given."""
    status: NodeStatus
    """What was found."""
    detail: Optional[str]
    """Of a failure ("SERVFAIL")."""
    record: Optional[str]
    """As published, any octets (those that are no UTF-8 as surrogates); of several: the first."""
    record_count: int
    """Records that begin with v=spf1 at this name."""
    ttl: Optional[int]
    """In seconds; None if there was no answer."""
    dnssec: DNSSEC
    """What DNSSEC says of the answer."""
    error: Optional[str]
    """Of a syntax error: what was expected there."""
    error_offset: Optional[int]
    """Of a syntax error: the octet of the record that is wrong."""
    lookups: int
    """Terms here and below that need DNS and are reached."""
    void_lookups: int
    """Of these, how many are void."""
    void_lookups6: int
    """The same for an IPv6 client."""
    running_lookups: int
    """Lookups of everything that is evaluated up to the end of this record."""
    running_void_lookups: int
    """Of these, how many are void."""
    running_void_lookups6: int
    """The same for an IPv6 client."""
    answer_octets: Optional[int]
    """Of a DNS message with all TXT records of the name, without EDNS; None: not known."""
    depth: int
    """0 for the first."""
    terms: Tuple[Term, ...]
    """Its terms; of several records: none."""
    parent: Optional["Node"] = dataclasses.field(repr=False, compare=False)
    """Which record led here; None for the first."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """What a survey found in sum."""

    lookups: int
    """Of a mail that no term matches, as the next two."""
    void_lookups: int
    """Of an IPv4 client."""
    void_lookups6: int
    """Of an IPv6 client."""
    max_lookups: int
    """The limit that they are held against."""
    max_void_lookups: int
    """The limit that they are held against."""
    records: int
    """Nodes with a record."""
    networks: int
    """That may send, merged as far as possible."""
    is_anybody: bool
    """These are all there are."""
    is_complete: bool
    """No question failed and nothing was left out."""
    has_failure: bool
    """A question failed: SERVFAIL, a timeout, a forged answer; another time may be better."""
    is_permerror: bool
    """A mail from IPv4 that no term matches gets permerror."""
    is_permerror6: bool
    """The same for IPv6."""
    ttl: Optional[int]
    """Lowest of all answers, in seconds; None if there was none."""
    elapsed: float
    """Seconds from start to end."""


@dataclasses.dataclass(frozen=True)
class Remark:
    """One thing that lint has to say. str() of it is the severity, the code and the sentence."""

    severity: Severity
    """How bad it is."""
    code: str
    """A stable word: "lookup-limit" (spf-lint(1) lists them)."""
    domain: str
    """Whose record; "" where none was given."""
    node: Optional[Node] = dataclasses.field(repr=False)
    """That record's; None: about the domain as a whole."""
    record: Optional[str]
    """The text that offsets count in, the node's record or one that was meant to be one; None: about no text."""
    offset: int
    """Which octets of it; 0 with length 0: the text as a whole."""
    length: int
    """How many; 0 elsewhere: something lacks there."""
    section: str
    """"RFC 7208 section 4.6.4"."""
    sentence: str
    """What is wrong, or could be better."""
    fix: Optional[str]
    """What to do, in a sentence."""
    replacement: Optional[str]
    """What to put in place of the next octets, where that is certain ("" deletes)."""
    replace_offset: Optional[int]
    """None without a replacement."""
    replace_length: Optional[int]
    """None without a replacement."""

    def __str__(self) -> str:
        return "%s %s: %s" % (self.severity, self.code, self.sentence)


def _network(octets: bytes, prefix: int) -> Network:
    return ipaddress.IPv4Network((octets, prefix)) if len(octets) == 4 else ipaddress.IPv6Network((octets, prefix))


_TERM = [field.name for field in dataclasses.fields(Term)]
_NODE = [field.name for field in dataclasses.fields(Node)]


def _term(facts: Any, children: Dict[Optional[int], Optional[Node]]) -> Term:
    values = dict(zip(_TERM, facts))
    values["result"] = None if values["result"] is None else RESULTS[values["result"]]
    values["status"] = STATUSES[values["status"]]
    values["networks"] = tuple(_network(*network) for network in values["networks"])
    values["child"] = children[values["child"]]
    return Term(**values)


def _node(facts: Any, children: Dict[Optional[int], Optional[Node]]) -> Node:
    values = dict(zip(_NODE, facts))
    values["status"] = STATUSES[values["status"]]
    values["dnssec"] = DNSSECS[values["dnssec"]]
    values["terms"] = tuple(_term(term, children) for term in values["terms"])
    return Node(parent=None, **values)


def _tree(facts: List[Any]) -> Tuple[Node, ...]:
    """Each node stands before what it leads to, and is made after it."""
    made: Dict[Optional[int], Optional[Node]] = {None: None}
    nodes = []
    for index in range(len(facts) - 1, -1, -1):
        node = made[index] = _node(facts[index], made)
        nodes.append(node)
    nodes.reverse()
    for node in nodes:
        for term in node.terms:
            if term.child is not None:
                object.__setattr__(term.child, "parent", node)
    return tuple(nodes)


# ------------------------------------------------------------------------------------------------------------- drafts


class DraftRecord(NamedTuple):
    """One TXT record of a draft."""

    name: str
    """Where it goes, without trailing dot; "" if no domain was given."""
    text: str
    """The record, printable ASCII."""
    answer_octets: int
    """Of a DNS message that holds it alone, without EDNS."""


def _ttl(ttl: Any) -> int:
    sentence = "ttl: %r is no number of seconds from 1 to %d" % (ttl, TTL_MAX)
    if ttl is None:
        return 0
    if isinstance(ttl, bool) or not isinstance(ttl, int):
        raise TypeError(sentence)
    if not 1 <= ttl <= TTL_MAX:
        raise ValueError(sentence)
    return ttl


class Draft:
    """TXT records that make up one policy; the first is the domain's own. str() of it is that record's text."""

    __slots__ = ("_draft", "_records", "__weakref__")

    def __init__(self, draft: _swig.Draft) -> None:
        self._draft = draft
        self._records = tuple(DraftRecord(*facts) for facts in draft.records())

    @property
    def records(self) -> Tuple[DraftRecord, ...]:
        """The records, each with the name where it goes."""
        return self._records

    @property
    def lookups(self) -> int:
        """Terms that need DNS in a mail that no term matches, so far as can be told without asking."""
        return self._draft.lookups()

    @property
    def notes(self) -> Tuple[str, ...]:
        """What was left as it is or could not be done, each in a sentence."""
        return tuple(self._draft.notes())

    def zone(self, ttl: Optional[int] = None) -> str:
        """Zone-file lines, in strings of at most 255 octets. ttl: in seconds; None: without one."""
        return _written(self._draft.zone(_ttl(ttl)))

    def nsupdate(self, ttl: Optional[int] = None, zone: Optional[str] = None, server: Optional[str] = None) -> str:
        """Commands of nsupdate(1) that put the records in place of the one that is there.

        ttl: in seconds; an hour unless given.
        zone: that the update is for; None: nsupdate finds it.
        server: "ADDRESS" or "ADDRESS@PORT"; None: nsupdate finds it.

        The name's other TXT records stay. Where they are not known, because nobody asked for them (compose(), or a
        given record surveyed with nearby=False), the server refuses the update if there are any.
        """
        if not self._records[0].name:
            raise Error(ErrorCode.ESTATE, "nsupdate: the draft was made without a domain")
        return _written(self._draft.nsupdate(_ttl(ttl), zone, server))

    def json(self) -> str:
        """All of it as one JSON object on one line, described in spf-flatten(1)."""
        return _written(self._draft.json())

    def as_dict(self) -> Dict[str, Any]:
        """The same as a dict of plain values."""
        found: Dict[str, Any] = json.loads(self.json())
        return found

    def __str__(self) -> str:
        return self._records[0].text

    def __repr__(self) -> str:
        return "<libspf.Draft of %d records, %d lookups: %s>" % (len(self._records), self.lookups, self)

    def __reduce__(self) -> Any:
        raise TypeError("a libspf.Draft cannot be pickled; its records, and as_dict(), can")


def _written(text: Optional[str]) -> str:
    if text is None:
        raise MemoryError
    return text


def _texts(name: str, texts: Any, kinds: Tuple[type, ...], expected: str) -> Tuple[bytes, ...]:
    """A tuple of octets for C; one text is a list of one."""
    if isinstance(texts, (str, *kinds)):
        texts = [texts]
    if not hasattr(texts, "__iter__") or isinstance(texts, bytes):
        raise TypeError("%s: must be a list of %s, not %s: %r" % (name, expected, type(texts).__name__, texts))
    found = []
    for text in texts:
        if isinstance(text, kinds):
            text = str(text)
        if not isinstance(text, str):
            raise TypeError("%s: must be %s, not %s: %r" % (name, expected, type(text).__name__, text))
        if "\0" in text:
            raise ValueError("%s: %r has a NUL, which is not allowed" % (name, text))
        found.append(text.encode("utf-8", "surrogateescape"))
    return tuple(found)


_ADDRESSES = (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network)


def compose(senders: Any, domain: Any = None, all: Any = None) -> Draft:
    """A valid, ordered, minimal record from what may send. Asks DNS for nothing.

    print(libspf.compose(["mx", "192.0.2.0/24", "include:_spf.example.net"], "example.com").zone(3600))

    senders: a list of addresses, networks, host names, "mx", "a", whole terms, and whole records ("v=spf1 ...") that
        are merged; str, or addresses and networks of ipaddress.
    domain: whose record it is, for the zone line.
    all: "-all", "~all" or "?all"; unless given that of the records merged, the strictest; else "~all", or, without any
        sender, "-all".

    A sender that is none of these is a ValueError that names it.
    """
    texts = _texts("senders", senders, _ADDRESSES, "str, or addresses or networks of ipaddress")
    draft, sentence = _swig.compose(texts, domain, all)
    if isinstance(draft, int):
        raise ValueError(sentence) if draft == ErrorCode.EINVAL else Error(draft, sentence)
    return Draft(draft)


# ------------------------------------------------------------------------------------------------------------ surveys


class Survey:
    """Everything that a domain's record leads to, what is wrong with it, and what it could be.

    str() of it is the tree that text() draws. It outlives its context.
    """

    __slots__ = ("_survey", "_nodes", "_remarks", "__weakref__")

    def __init__(self, survey: _swig.Survey) -> None:
        self._survey = survey
        self._nodes: Optional[Tuple[Node, ...]] = None
        self._remarks: Optional[Tuple[Remark, ...]] = None

    @property
    def domain(self) -> str:
        """As A-labels; "" if none was given."""
        return self.nodes[0].domain

    @property
    def nodes(self) -> Tuple[Node, ...]:
        """The records, or what was found in their place: each before those that it leads to."""
        if self._nodes is None:
            self._nodes = _tree(self._survey.nodes())
        return self._nodes

    @property
    def summary(self) -> Summary:
        """What was found in sum."""
        return Summary(*self._survey.summary())

    @property
    def remarks(self) -> Tuple[Remark, ...]:
        """What lint has to say: errors first, then as they stand in the tree."""
        if self._remarks is None:
            self._lint()
            nodes = self.nodes
            self._remarks = tuple(
                Remark(SEVERITIES[severity], code, domain, None if node is None else nodes[node], *rest)
                for severity, code, domain, node, *rest in self._survey.remarks()
            )
        return self._remarks

    @property
    def fixed_record(self) -> Optional[str]:
        """The record with every certain fix made; None if a syntax error remains, or there is nothing to fix."""
        self._lint()
        return self._survey.fixed_record()

    def text(self, *, ascii: bool = False, networks: bool = False, color: bool = False) -> str:
        """The tree for a terminal of 80 columns: each record with what its terms lead to, and what it comes to.

        ascii: without UTF-8 lines.
        networks: with every network, not only the first few.
        color: with the sequences that colour a terminal.
        """
        style = _STYLE_ASCII * bool(ascii) | _STYLE_COLOR * bool(color) | _STYLE_NETWORKS * bool(networks)
        return self._report(self._survey.text(style))

    def dot(self) -> str:
        """The tree as a digraph for Graphviz."""
        return self._report(self._survey.dot())

    def json(self) -> str:
        """Tree, summary and remarks as one JSON object on one line, as `spf lookup --json` prints it."""
        return self._report(self._survey.json())

    def as_dict(self) -> Dict[str, Any]:
        """The same as a dict of plain values."""
        found: Dict[str, Any] = json.loads(self.json())
        return found

    def flatten(self, keep: Any = (), prefix: Any = None, answer_max: Any = None) -> Draft:
        """Records with the same verdict for every client address and fewer lookups; the survey must have addresses.

        keep: domains whose includes stay as they are, a list of str.
        prefix: of the names of further records, "_spf" unless given: _spf1.example.com, ...
        answer_max: octets of a DNS answer, 128 to 65535; unless given 512, or, where that would take more than ten
            lookups, 1232.

        What cannot be flattened, because the record has errors or DNS failed for some of it, is an Error whose code is
        EINVAL and which says why.
        """
        kept = _texts("keep", keep, (), "str")
        draft, sentence = self._survey.flatten(kept, prefix, _answer_max(answer_max))
        if not isinstance(draft, int):
            return Draft(draft)
        self._usable()
        for name, beginning in _REFUSED_OPTIONS:
            if draft == ErrorCode.EINVAL and sentence.startswith(beginning):
                raise ValueError("%s: %s" % (name, sentence))
        raise Error(draft, sentence)

    def _lint(self) -> None:
        if not self._survey.lint():
            self._usable()

    def _report(self, text: Optional[str]) -> str:
        if text is None:
            self._usable()
        return _written(text)

    def _usable(self) -> None:
        if self._survey.is_torn():
            raise Error(ErrorCode.ESTATE, "another thread was using the survey when the process forked")

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        summary = self.summary
        return "<libspf.Survey of %s: %d records, %d lookups>" % (
            self.domain or "a record", summary.records, summary.lookups)

    def __reduce__(self) -> Any:
        raise TypeError("a libspf.Survey cannot be pickled; its nodes, its remarks and as_dict() can")


# How the sentences of flatten() begin that are about its arguments.
_REFUSED_OPTIONS = (("prefix", "the prefix "), ("keep", '"'))


def _answer_max(octets: Any) -> int:
    sentence = "answer_max: %r is no number of octets from %d to %d" % (octets, ANSWER_LEAST, ANSWER_MOST)
    if octets is None:
        return 0
    if isinstance(octets, bool) or not isinstance(octets, int):
        raise TypeError(sentence)
    if not ANSWER_LEAST <= octets <= ANSWER_MOST:
        raise ValueError(sentence)
    return octets


def new_survey(handle: _swig.Handle, domain: Any, record: Any, options: Dict[str, Any]) -> _swig.Survey:
    """A survey with everything set."""
    if domain is None and record is None:
        raise ValueError("survey: neither a domain nor a record is given")
    survey = _swig.Survey(handle)
    for name, value, setter in (("domain", domain, survey.set_domain), ("record", record, survey.set_record)):
        err = 0 if value is None else setter(value)
        if err:
            raise refused(survey, name, err)
    options = dict(options)
    set_timeout(survey, options.pop("timeout", None))
    scope = 0
    for name, bit in (("includes", _SCOPE_INCLUDES), ("addresses", _SCOPE_ADDRESSES), ("nearby", _SCOPE_NEARBY)):
        scope |= bit * bool(options.pop(name, True))
    if options:
        raise TypeError("a survey has no option %r; there are record, includes, addresses, nearby, timeout" % min(options))
    survey.set_scope(scope)
    return survey


def is_record(text: str) -> bool:
    """A domain has no blanks, colons, quotes or equals signs; no record does without all of them."""
    return any(character in text for character in ' =:"\t\n')


def lint_question(subject: Any, domain: Any) -> Tuple[Any, Any]:
    """The domain and the record that are meant."""
    if not isinstance(subject, (str, bytes)):
        raise TypeError("subject: must be str or bytes, not %s: %r" % (type(subject).__name__, subject))
    text = subject.decode("utf-8", "surrogateescape") if isinstance(subject, bytes) else subject
    if is_record(text):
        return domain, subject
    if "@" in text:
        raise ValueError("subject: %r is a mailbox; expected is its domain, %r, or a record" % (text, text.split("@")[-1]))
    if domain is not None:
        raise ValueError("domain: %r goes with a record, and %r is none" % (domain, text))
    return subject, None


# ----------------------------------------------------------------------------------------------------------- evidence


class EvidenceItem(NamedTuple):
    """What a header field says of an SPF check that somebody made. What it does not tell is None."""

    field: str
    """"Received-SPF", "Authentication-Results", "ARC-Authentication-Results", "Received" or "Return-Path"."""
    result: Optional[str]
    """The word as it stands there."""
    value: Optional[ResultCode]
    """The same if it is a result that there is."""
    ip: Optional[str]
    """The client's address."""
    sender: Optional[str]
    """The reverse-path."""
    helo: Optional[str]
    """The HELO name."""
    receiver: Optional[str]
    """Who made the check."""
    identity: Identity
    """Which identity was checked."""
    comment: Optional[str]
    """What it says about why."""
    offset: int
    """Where in the text the field starts, in octets."""
    length: int
    """Its octets."""


class Evidence(NamedTuple):
    """The SPF story that a header field or a whole message tells."""

    items: Tuple[EvidenceItem, ...]
    """In the order of the text."""
    check: Optional[EvidenceItem]
    """What all of them tell of the check that the topmost is about: what one lacks another fills in. None: no item."""


def _item(facts: Any) -> EvidenceItem:
    field, result, value, ip, sender, helo, receiver, identity, *rest = facts
    code = None if value is None else RESULTS[value]
    return EvidenceItem(field, result, code, ip, sender, helo, receiver, IDENTITIES[identity], *rest)


def read_evidence(text: Any) -> Evidence:
    """Reads a Received-SPF or Authentication-Results field, several, or a whole message (its header section is read).

    then = libspf.read_evidence(message).check
    if then is not None and then.ip is not None:
        result = libspf.check(then.ip, then.sender, then.helo)
        print("\\n".join(result.advice(then)))

    text: str or bytes.
    """
    if not isinstance(text, (str, bytes)):
        raise TypeError("text: must be str or bytes, not %s: %r" % (type(text).__name__, text))
    items, check = _swig.evidence_of(text)
    return Evidence(tuple(_item(facts) for facts in items), None if check is None else _item(check))
