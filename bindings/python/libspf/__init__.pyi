# SPDX-License-Identifier: MIT
"""The types of the package libspf, kept by hand. What each means is said in the docstrings: help(libspf)."""
import dataclasses
import enum
import ipaddress
import os
from types import TracebackType
from typing import (
    Any,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Dict,
    Generic,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
)

__version__: str
CONFIG_FILE: str
__all__ = [
    "Address",
    "CONFIG_FILE",
    "Cause",
    "Checks",
    "Context",
    "DNSSEC",
    "Draft",
    "DraftRecord",
    "Error",
    "ErrorCode",
    "Evidence",
    "EvidenceItem",
    "Fold",
    "Identity",
    "Lookup",
    "Network",
    "Node",
    "NodeStatus",
    "Outcome",
    "Path",
    "Query",
    "QueryType",
    "Records",
    "Remark",
    "Resolver",
    "ResolverFunction",
    "Result",
    "ResultCode",
    "SMTPReply",
    "Severity",
    "Step",
    "Summary",
    "Survey",
    "Term",
    "Text",
    "Word",
    "check",
    "check_async",
    "check_many",
    "compose",
    "lint",
    "lint_async",
    "read_evidence",
    "shared_context",
    "survey",
    "survey_async",
]

Address = Union[str, ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Text = Union[str, bytes]
Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Fold = Literal["none", "lf", "crlf"]
QueryType = Literal["A", "AAAA", "MX", "PTR", "TXT", "SPF"]

# ------------------------------------------------------------------------------------------------------------- words

class Word(str, enum.Enum):
    def __str__(self) -> str: ...
    def __format__(self, format_spec: str) -> str: ...

class ResultCode(Word):
    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"

class Cause(Word):
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
    MAILFROM = "mailfrom"
    HELO = "helo"

class DNSSEC(Word):
    INSECURE = "insecure"
    SECURE = "secure"
    BOGUS = "bogus"

class Outcome(Word):
    PENDING = "pending"
    RECORD = "record"
    NO_MATCH = "no match"
    MATCH = "match"
    FOLLOWED = "followed"
    NONE = "none"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"
    UNUSABLE = "unusable"

class NodeStatus(Word):
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
    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"

# ------------------------------------------------------------------------------------------------------------ errors

class ErrorCode(enum.IntEnum):
    ENOMEM = -1
    EINVAL = -2
    ECANCELED = -3
    ESTATE = -4
    ECONFIG = -5
    ERESOLVER = -6
    ESYSTEM = -7

class Error(Exception):
    code: ErrorCode
    text: str
    def __init__(self, code: int, text: str = ...) -> None: ...

# ----------------------------------------------------------------------------------------------------------- results

class Lookup(NamedTuple):
    domain: str
    term: str
    target: str
    is_void: bool
    dns_queries: int

class Step(NamedTuple):
    depth: int
    domain: str
    term: Optional[str]
    term_offset: Optional[int]
    term_length: Optional[int]
    target: Optional[str]
    answer: Optional[str]
    outcome: Outcome
    lookups: int
    void_lookups: int
    note: Optional[str]

class SMTPReply(NamedTuple):
    code: int
    enhanced: str
    text: str

class Result:
    @property
    def result(self) -> ResultCode: ...
    @property
    def cause(self) -> Cause: ...
    @property
    def reason(self) -> str: ...
    @property
    def explanation(self) -> Optional[str]: ...
    @property
    def is_own_explanation(self) -> bool: ...
    @property
    def ip(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def helo(self) -> str: ...
    @property
    def receiver(self) -> str: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def checked_domain(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def record(self) -> Optional[str]: ...
    @property
    def term(self) -> Optional[str]: ...
    @property
    def term_offset(self) -> Optional[int]: ...
    @property
    def term_length(self) -> Optional[int]: ...
    @property
    def error_offset(self) -> Optional[int]: ...
    @property
    def target(self) -> Optional[str]: ...
    @property
    def lookups(self) -> int: ...
    @property
    def void_lookups(self) -> int: ...
    @property
    def dns_queries(self) -> int: ...
    @property
    def ttl(self) -> Optional[int]: ...
    @property
    def elapsed(self) -> float: ...
    @property
    def dnssec(self) -> DNSSEC: ...
    @property
    def would_be(self) -> Optional[ResultCode]: ...
    @property
    def trace(self) -> List[Step]: ...
    @property
    def lookup_terms(self) -> List[Lookup]: ...
    def received_spf(self, fold: Fold = "none") -> str: ...
    def authentication_results(self, fold: Fold = "none") -> str: ...
    def authentication_resinfo(self, fold: Fold = "none") -> str: ...
    def smtp_reply(self) -> SMTPReply: ...
    def trace_text(self) -> str: ...
    def json(self) -> str: ...
    def as_dict(self) -> Dict[str, Any]: ...
    def advice(self, then: Union[EvidenceItem, ResultCode, str, None] = None) -> Tuple[str, ...]: ...

class EvidenceItem(NamedTuple):
    field: str
    result: Optional[str]
    value: Optional[ResultCode]
    ip: Optional[str]
    sender: Optional[str]
    helo: Optional[str]
    receiver: Optional[str]
    identity: Identity
    comment: Optional[str]
    offset: int
    length: int

class Evidence(NamedTuple):
    items: Tuple[EvidenceItem, ...]
    check: Optional[EvidenceItem]

def read_evidence(text: Text) -> Evidence: ...

# ------------------------------------------------------------------------------------------------------ record tools

@dataclasses.dataclass(frozen=True)
class Term:
    text: str
    offset: int
    length: int
    kind: str
    result: Optional[ResultCode]
    target: Optional[str]
    depends_on_mail: bool
    is_reached: bool
    lookup_number: Optional[int]
    void_number: Optional[int]
    void_number6: Optional[int]
    is_past_limit: bool
    is_past_limit6: bool
    status: NodeStatus
    answer: Optional[str]
    ttl: Optional[int]
    networks: Tuple[Network, ...]
    host_count: int
    child: Optional[Node]

@dataclasses.dataclass(frozen=True)
class Node:
    domain: str
    status: NodeStatus
    detail: Optional[str]
    record: Optional[str]
    record_count: int
    ttl: Optional[int]
    dnssec: DNSSEC
    error: Optional[str]
    error_offset: Optional[int]
    lookups: int
    void_lookups: int
    void_lookups6: int
    running_lookups: int
    running_void_lookups: int
    running_void_lookups6: int
    answer_octets: Optional[int]
    depth: int
    terms: Tuple[Term, ...]
    parent: Optional[Node]

@dataclasses.dataclass(frozen=True)
class Summary:
    lookups: int
    void_lookups: int
    void_lookups6: int
    max_lookups: int
    max_void_lookups: int
    records: int
    networks: int
    is_anybody: bool
    is_complete: bool
    has_failure: bool
    is_permerror: bool
    is_permerror6: bool
    ttl: Optional[int]
    elapsed: float

@dataclasses.dataclass(frozen=True)
class Remark:
    severity: Severity
    code: str
    domain: str
    node: Optional[Node]
    record: Optional[str]
    offset: int
    length: int
    section: str
    sentence: str
    fix: Optional[str]
    replacement: Optional[str]
    replace_offset: Optional[int]
    replace_length: Optional[int]

class DraftRecord(NamedTuple):
    name: str
    text: str
    answer_octets: int

class Draft:
    @property
    def records(self) -> Tuple[DraftRecord, ...]: ...
    @property
    def lookups(self) -> int: ...
    @property
    def notes(self) -> Tuple[str, ...]: ...
    def zone(self, ttl: Optional[int] = None) -> str: ...
    def nsupdate(self, ttl: Optional[int] = None, zone: Optional[str] = None, server: Optional[str] = None) -> str: ...
    def json(self) -> str: ...
    def as_dict(self) -> Dict[str, Any]: ...

class Survey:
    @property
    def domain(self) -> str: ...
    @property
    def nodes(self) -> Tuple[Node, ...]: ...
    @property
    def summary(self) -> Summary: ...
    @property
    def remarks(self) -> Tuple[Remark, ...]: ...
    @property
    def fixed_record(self) -> Optional[str]: ...
    def text(self, *, ascii: bool = False, networks: bool = False, color: bool = False) -> str: ...
    def dot(self) -> str: ...
    def json(self) -> str: ...
    def as_dict(self) -> Dict[str, Any]: ...
    def flatten(
        self,
        keep: Union[str, Iterable[str]] = (),
        prefix: Optional[str] = None,
        answer_max: Optional[int] = None,
    ) -> Draft: ...

def compose(
    senders: Union[Address, Network, Iterable[Union[Address, Network]]],
    domain: Optional[Text] = None,
    all: Optional[str] = None,
) -> Draft: ...

# ---------------------------------------------------------------------------------------------------------- resolver

class Query:
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> QueryType: ...
    @property
    def is_wanted(self) -> bool: ...
    def answer(
        self,
        records: Iterable[Union[Address, bytes]] = (),
        *,
        ttl: int = 0,
        dnssec: Union[DNSSEC, str] = "insecure",
    ) -> bool: ...
    def answer_packet(self, packet: bytes, *, dnssec: Union[DNSSEC, str] = "insecure") -> bool: ...
    def fail(
        self,
        status: Literal["nxdomain", "timeout", "error", "bogus"],
        detail: Optional[str] = None,
        *,
        ttl: int = 0,
    ) -> bool: ...

Records = Optional[Iterable[Union[Address, bytes]]]
ResolverFunction = Callable[[Query], Union[Records, Awaitable[Records]]]

class Resolver(Protocol):
    def query(self, query: Query) -> Union[Records, Awaitable[Records]]: ...

# ---------------------------------------------------------------------------------------------------------- contexts

_Question = Union[Sequence[Any], Mapping[str, Any]]
_Q = TypeVar("_Q", bound=_Question)

class Checks(Generic[_Q]):
    """What check_many() gives: goes with `for` and with `async for`."""

    def __iter__(self) -> Iterator[Tuple[_Q, Result]]: ...
    def __aiter__(self) -> AsyncIterator[Tuple[_Q, Result]]: ...

class Context:
    def __init__(
        self,
        config: Optional[Path] = None,
        *,
        zone_text: Optional[Text] = None,
        resolver: Union[str, Sequence[str], Resolver, ResolverFunction, None] = None,
        zone: Union[Path, Sequence[Path], None] = None,
        timeout: Optional[float] = None,
        max_lookups: Optional[int] = None,
        max_void_lookups: Optional[int] = None,
        max_mx_hosts: Optional[int] = None,
        max_ptr_names: Optional[int] = None,
        prefetch: Optional[bool] = None,
        trust_anchor: Optional[Path] = None,
        receiver: Optional[str] = None,
        explanation: Optional[str] = None,
        record_cache: Union[int, str, None] = None,
        dns_cache: Union[int, str, None] = None,
        outgoing_sockets: Optional[int] = None,
    ) -> None: ...
    def __enter__(self) -> Context: ...
    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...
    @property
    def pending(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...
    def check(
        self,
        ip: Address,
        sender: Optional[Text] = None,
        helo: Optional[Text] = None,
        *,
        identity: Union[Identity, str] = "mailfrom",
        receiver: Optional[str] = None,
        timeout: Optional[float] = None,
        trace: bool = False,
        would_be: bool = False,
        record: Optional[Text] = None,
    ) -> Result: ...
    async def check_async(
        self,
        ip: Address,
        sender: Optional[Text] = None,
        helo: Optional[Text] = None,
        *,
        identity: Union[Identity, str] = "mailfrom",
        receiver: Optional[str] = None,
        timeout: Optional[float] = None,
        trace: bool = False,
        would_be: bool = False,
        record: Optional[Text] = None,
    ) -> Result: ...
    def check_many(
        self,
        questions: Union[Iterable[_Q], AsyncIterable[_Q]],
        *,
        concurrency: int = 100,
        ordered: bool = True,
        identity: Union[Identity, str] = "mailfrom",
        receiver: Optional[str] = None,
        timeout: Optional[float] = None,
        trace: bool = False,
        would_be: bool = False,
        record: Optional[Text] = None,
    ) -> Checks[_Q]: ...
    def survey(
        self,
        domain: Optional[Text] = None,
        *,
        record: Optional[Text] = None,
        includes: bool = True,
        addresses: bool = True,
        nearby: bool = True,
        timeout: Optional[float] = None,
    ) -> Survey: ...
    async def survey_async(
        self,
        domain: Optional[Text] = None,
        *,
        record: Optional[Text] = None,
        includes: bool = True,
        addresses: bool = True,
        nearby: bool = True,
        timeout: Optional[float] = None,
    ) -> Survey: ...
    def lint(
        self,
        subject: Text,
        *,
        domain: Optional[Text] = None,
        includes: bool = True,
        addresses: bool = True,
        nearby: bool = True,
        timeout: Optional[float] = None,
    ) -> Tuple[Remark, ...]: ...
    async def lint_async(
        self,
        subject: Text,
        *,
        domain: Optional[Text] = None,
        includes: bool = True,
        addresses: bool = True,
        nearby: bool = True,
        timeout: Optional[float] = None,
    ) -> Tuple[Remark, ...]: ...

def shared_context(config: Optional[Path] = None) -> Context: ...
def check(
    ip: Address,
    sender: Optional[Text] = None,
    helo: Optional[Text] = None,
    *,
    identity: Union[Identity, str] = "mailfrom",
    receiver: Optional[str] = None,
    timeout: Optional[float] = None,
    trace: bool = False,
    would_be: bool = False,
    record: Optional[Text] = None,
) -> Result: ...
async def check_async(
    ip: Address,
    sender: Optional[Text] = None,
    helo: Optional[Text] = None,
    *,
    identity: Union[Identity, str] = "mailfrom",
    receiver: Optional[str] = None,
    timeout: Optional[float] = None,
    trace: bool = False,
    would_be: bool = False,
    record: Optional[Text] = None,
) -> Result: ...
def check_many(
    questions: Union[Iterable[_Q], AsyncIterable[_Q]],
    *,
    concurrency: int = 100,
    ordered: bool = True,
    identity: Union[Identity, str] = "mailfrom",
    receiver: Optional[str] = None,
    timeout: Optional[float] = None,
    trace: bool = False,
    would_be: bool = False,
    record: Optional[Text] = None,
) -> Checks[_Q]: ...
def survey(
    domain: Optional[Text] = None,
    *,
    record: Optional[Text] = None,
    includes: bool = True,
    addresses: bool = True,
    nearby: bool = True,
    timeout: Optional[float] = None,
) -> Survey: ...
async def survey_async(
    domain: Optional[Text] = None,
    *,
    record: Optional[Text] = None,
    includes: bool = True,
    addresses: bool = True,
    nearby: bool = True,
    timeout: Optional[float] = None,
) -> Survey: ...
def lint(
    subject: Text,
    *,
    domain: Optional[Text] = None,
    includes: bool = True,
    addresses: bool = True,
    nearby: bool = True,
    timeout: Optional[float] = None,
) -> Tuple[Remark, ...]: ...
async def lint_async(
    subject: Text,
    *,
    domain: Optional[Text] = None,
    includes: bool = True,
    addresses: bool = True,
    nearby: bool = True,
    timeout: Optional[float] = None,
) -> Tuple[Remark, ...]: ...
