# SPDX-License-Identifier: MIT
"""What a check finds."""
import enum
import json
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import _swig


class Word(str, enum.Enum):
    """A word of libspf: compares with strings, and prints as one."""

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, format_spec: str) -> str:
        return format(str(self.value), format_spec)


class ResultCode(Word):
    """What SPF says, RFC 7208 section 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


class Cause(Word):
    """What led to the result, one for each distinct story that a reason tells."""

    BAD_DOMAIN = "bad-domain"
    NO_DOMAIN = "no-domain"
    NO_RECORD = "no-record"
    MATCH = "match"
    DEFAULT = "default"
    SEVERAL_RECORDS = "several-records"
    SYNTAX = "syntax"
    LOOKUP_LIMIT = "lookup-limit"
    VOID_LIMIT = "void-limit"
    MX_LIMIT = "mx-limit"
    TARGET_NO_RECORD = "target-no-record"
    BAD_TARGET = "bad-target"
    DNS_TIMEOUT = "dns-timeout"
    DNS_ERROR = "dns-error"
    DNS_BOGUS = "dns-bogus"
    DEADLINE = "deadline"


class Identity(Word):
    """Which identity a check is about, RFC 7208 sections 2.3 and 2.4."""

    MAILFROM = "mailfrom"
    HELO = "helo"


class DNSSEC(Word):
    """What DNSSEC says of all answers that the result rests on."""

    INSECURE = "insecure"
    SECURE = "secure"
    BOGUS = "bogus"


class Outcome(Word):
    """What became of a step of the trace."""

    PENDING = "pending"
    RECORD = "record"
    NO_MATCH = "no match"
    MATCH = "match"
    FOLLOWED = "followed"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    UNUSABLE = "unusable"


# libspf counts from 0 in the order above.
RESULTS = tuple(ResultCode)
CAUSES = tuple(Cause)
IDENTITIES = tuple(Identity)
DNSSECS = tuple(DNSSEC)
OUTCOMES = tuple(Outcome)
FOLDS = {"none": 0, "lf": 1, "crlf": 2}


class Lookup(NamedTuple):
    """One term that needed DNS, in the order in which they were counted."""

    domain: str
    """In whose record it stands."""
    term: str
    """As published."""
    target: str
    """The name it asked for."""
    is_void: bool
    """NXDOMAIN or no answer."""
    dns_queries: int
    """Questions it needed: an mx asks for its hosts as well."""


class Step(NamedTuple):
    """One step of the evaluation."""

    depth: int
    """0 in the checked domain's record, one more inside each include."""
    domain: str
    """Whose record it is about."""
    term: Optional[str]
    """The term as published, controls replaced by "?"; None: the record itself was fetched."""
    term_offset: Optional[int]
    """Where it starts in that record, in octets."""
    term_length: Optional[int]
    """Its octets."""
    target: Optional[str]
    """The name that it expanded to."""
    answer: Optional[str]
    """What DNS said to that, for people; the record's text where one was found; None if DNS was not needed."""
    outcome: Outcome
    """What became of it."""
    lookups: int
    """Counted so far, this step included."""
    void_lookups: int
    """Counted so far, this step included."""
    note: Optional[str]
    """What else there is to know ("MX host mx2.example.com: SERVFAIL")."""


class SMTPReply(NamedTuple):
    """What to answer in SMTP if the mail is refused for this result, RFC 7208 section 8 and RFC 7372."""

    code: int
    """550 for fail and permerror, 451 for temperror, else 250."""
    enhanced: str
    """"5.7.23", "5.7.24", "4.7.24" or "2.7.0"."""
    text: str
    """Printable ASCII; lines are parted by LF, none over 450 octets."""


def _fact(index: int, doc: str) -> Any:
    return property(lambda self: (self._facts or self._read())[index], doc=doc)


def _word(index: int, words: Tuple[Word, ...], doc: str) -> Any:
    return property(lambda self: words[(self._facts or self._read())[index]], doc=doc)


def _fold_number(fold: str) -> int:
    try:
        return FOLDS[fold]
    except (KeyError, TypeError):
        raise ValueError('fold: %r is none of "none", "lf" and "crlf"' % (fold,)) from None


class _Kept:
    """The reports of a Result that came from another process."""

    def __init__(self, steps: Any, lookups: Any, reply: Any, texts: Dict[Tuple[str, int], str], advice: Any) -> None:
        self.steps: Callable[[], Any] = lambda: steps
        self.lookups: Callable[[], Any] = lambda: lookups
        self.smtp_reply: Callable[[], Any] = lambda: reply
        self.texts = texts
        self._advice = advice

    def received_spf(self, fold: int) -> str:
        return self.texts["received_spf", fold]

    def authentication_results(self, fold: int) -> str:
        return self.texts["authentication_results", fold]

    def authentication_resinfo(self, fold: int) -> str:
        return self.texts["authentication_resinfo", fold]

    def trace_text(self) -> str:
        return self.texts["trace_text", 0]

    def json(self) -> str:
        return self.texts["json", 0]

    def advice(self, then: int) -> str:
        return "\n".join(self._advice[then + 1])


def _kept(facts: Any, *parts: Any) -> "Result":
    return Result(_Kept(*parts), facts)


class Result:
    """What a check found: the result, why, and the words for headers, SMTP replies and logs.

    str() of it is "fail: ..." with the reason. It can be pickled. Texts are str without control characters, unless
    they say otherwise.
    """

    __slots__ = ("_check", "_facts", "__weakref__")

    def __init__(self, check: Any, facts: Any = None) -> None:
        self._check = check
        self._facts = facts

    def _read(self) -> Any:
        self._facts = self._check.facts()
        return self._facts

    result = _word(0, RESULTS, 'The result, a ResultCode; compares with strings: result.result == "pass".')
    cause = _word(1, CAUSES, "What led to it, a Cause; compares with strings.")
    reason = _fact(2, "The same in one sentence for an administrator.")
    explanation = _fact(3, "For fail: the domain's exp text or the configured one, printable ASCII; else None.")
    is_own_explanation = _fact(4, "Whether that is this host's configured text, not the domain's.")
    ip = _fact(5, "The client's address in canonical text.")
    sender = _fact(6, 'As checked: postmaster@HELO for the null reverse-path; controls replaced by "?".')
    helo = _fact(7, 'As given, controls replaced by "?"; "" if none was.')
    receiver = _fact(8, "This host's name.")
    identity = _word(9, IDENTITIES, "Which identity was checked, an Identity; compares with strings.")
    checked_domain = _fact(10, 'The domain that was asked about, as A-labels; "" if it is none.')
    domain = _fact(11, "The domain whose record decided.")
    record = _fact(12, "That record as published, any octets (those that are no UTF-8 as surrogates); None: there is none.")
    term = _fact(13, "The term that decided, as published; None if none did.")
    term_offset = _fact(14, "Where it starts in the record, in octets; None without a term.")
    term_length = _fact(15, "Its octets; None without a term.")
    error_offset = _fact(16, 'For the cause "syntax": the octet of the record that is wrong; else None.')
    target = _fact(17, "The DNS name that the deciding term or the failed question was about, or None.")
    lookups = _fact(18, "Terms that needed DNS so far (RFC 7208 section 4.6.4); 11 when the limit was the cause.")
    void_lookups = _fact(19, "Of these, how many were void.")
    dns_queries = _fact(20, "Questions asked in all, those asked ahead included, answered by a cache or not.")
    ttl = _fact(21, "Lowest TTL of the answers used, in seconds; None if none was.")
    elapsed = _fact(22, "Seconds from start to end.")
    dnssec = _word(23, DNSSECS, "What DNSSEC says of the answers used, a DNSSEC; compares with strings.")

    @property
    def would_be(self) -> Optional[ResultCode]:
        """After a permerror, if it was asked for: the result with the offending terms skipped; else None."""
        number = (self._facts or self._read())[24]
        return None if number is None else RESULTS[number]

    @property
    def trace(self) -> List[Step]:
        """The steps of the evaluation, if a trace was asked for; else empty."""
        return [Step._make((*step[:7], OUTCOMES[step[7]], *step[8:])) for step in self._check.steps()]

    @property
    def lookup_terms(self) -> List[Lookup]:
        """The terms that needed DNS, those that `lookups` counts."""
        return [Lookup._make(lookup) for lookup in self._check.lookups()]

    def received_spf(self, fold: str = "none") -> str:
        """The whole "Received-SPF: ..." field, RFC 7208 section 9.1.

        fold: "none": one line; "lf": folded at 78 columns by LF and a tab; "crlf": by CR LF and a tab.
        """
        return _text(self._check.received_spf(_fold_number(fold)))

    def authentication_results(self, fold: str = "none") -> str:
        """The whole "Authentication-Results: ..." field for this one check, RFC 8601; fold as for received_spf()."""
        return _text(self._check.authentication_results(_fold_number(fold)))

    def authentication_resinfo(self, fold: str = "none") -> str:
        """Only its method part, "spf=pass ...", to be joined with other methods' after the authserv-id."""
        return _text(self._check.authentication_resinfo(_fold_number(fold)))

    def smtp_reply(self) -> SMTPReply:
        """What to answer in SMTP if the mail is refused for this result: code, enhanced code, text."""
        return SMTPReply(*self._check.smtp_reply())

    def trace_text(self) -> str:
        """The trace, a line for each step, indented by depth; "" without one."""
        return _text(self._check.trace_text())

    def json(self) -> str:
        """Result, lookups, trace and reports as one JSON object on one line, as `spf check --json` prints it."""
        return _text(self._check.json())

    def as_dict(self) -> Dict[str, Any]:
        """The same as a dict of plain values."""
        found: Dict[str, Any] = json.loads(self.json())
        return found

    def advice(self, then: Any = None) -> Tuple[str, ...]:
        """What the result means, and what the domain's owner, the sender and the receiver can do about it: sentences.

        then: what a header said, an EvidenceItem of read_evidence(), or a result: how this compares with that.
        """
        then = getattr(then, "value", then)  # a str has none
        return tuple(_text(self._check.advice(-1 if then is None else _result_number(then))).splitlines())

    def __str__(self) -> str:
        return "%s: %s" % (self.result, self.reason)

    def __repr__(self) -> str:
        return "<libspf.Result %s>" % (self,)

    def __reduce__(self) -> Any:
        check = self._check
        texts = {
            (name, fold): getattr(check, name)(fold)
            for name in ("received_spf", "authentication_results", "authentication_resinfo")
            for fold in FOLDS.values()
        }
        texts["trace_text", 0] = check.trace_text()
        texts["json", 0] = check.json()
        lines: Dict[str, str] = {}  # each is pickled once
        advice = [
            [lines.setdefault(line, line) for line in _text(check.advice(then)).splitlines()]
            for then in range(-1, len(RESULTS))
        ]
        return _kept, (self._facts or self._read(), check.steps(), check.lookups(), check.smtp_reply(), texts, advice)


def _result_number(result: Any) -> int:
    try:
        return RESULTS.index(result)
    except ValueError:
        raise ValueError("then: %r is no result; there are %s" % (result, ", ".join(RESULTS))) from None


def _text(text: Optional[str]) -> str:
    if text is None:
        raise MemoryError
    return text
