# SPDX-License-Identifier: MIT
"""pyspf's interface on libspf: `import libspf.compat as spf` runs a script that was written for pyspf.

    >>> import libspf.compat as spf
    >>> q = spf.query(i='192.0.2.7', s='ann@example.com', h='mail.example.com')
    >>> q.check(spf='v=spf1 ip4:192.0.2.0/24 -all')[:2]
    ('pass', 250)

Names, arguments, shapes and codes are pyspf's; sentences are our own. DNS is asked through libspf (see `context`),
unless a script puts a function of its own into `DNSLookup`, as tests of pyspf do. COMPAT.md lists what differs.
"""
import functools
import importlib
import ipaddress
import os
import re
import time
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, Union

import libspf

__all__ = [
    "AmbiguityWarning", "DEFAULT_SPF", "DELEGATE", "DNSLookup", "DNSLookup_dnspython", "DNSLookup_pydns",
    "EXPLANATIONS", "MAX_CNAME", "MAX_LOOKUP", "MAX_MX", "MAX_PER_LOOKUP_TIME", "MAX_PTR", "MAX_RECURSION",
    "MAX_VOID_LOOKUPS", "PermError", "RESULTS", "TRUSTED_FORWARDERS", "TempError", "check", "check2", "context",
    "domainmatch", "insert_libspf_local_policy", "query", "quote_value", "reverse_dots", "split_email",
]

__version__ = "2.0.14"
"""The version of pyspf whose interface this is; libspf.__version__ is libspf's."""

Verdict = Tuple[str, int, str]
IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
DNSAnswer = Tuple[Tuple[str, str], Any]

# Limits, RFC 7208 section 4.6.4. A script may lower them, and may set MAX_VOID_LOOKUPS up to 10.
MAX_LOOKUP = 10
MAX_MX = 10
MAX_PTR = 10
MAX_VOID_LOOKUPS = 2
MAX_CNAME = 10  # of names that a DNSLookup of the script's own gives
MAX_RECURSION = 20  # not used: include and redirect count as lookups
MAX_PER_LOOKUP_TIME = 20

DEFAULT_SPF = "v=spf1 a/24 mx/24 ptr"
TRUSTED_FORWARDERS = "v=spf1 ?include:spf.trusted-forwarder.org -all"
DELEGATE: Optional[str] = None
"""A domain that publishes records for domains without one, at DOMAIN._spf.DELEGATE."""

context: Optional["libspf.Context"] = None
"""The context that checks run in; None: the process-wide one, or one with the limits above where they were changed."""

RESULTS = {
    "+": "pass", "-": "fail", "?": "neutral", "~": "softfail",
    "pass": "pass", "fail": "fail", "neutral": "neutral", "softfail": "softfail", "none": "none",
    "permerror": "permerror", "unknown": "permerror", "error": "temperror",
    "local": "local", "trusted": "trusted", "ambiguous": "ambiguous",
}
EXPLANATIONS = {
    "pass": "SPF: the client may send mail for this domain",
    "fail": "SPF: the client may not send mail for this domain",
    "softfail": "SPF: the client probably may not send mail for this domain",
    "neutral": "SPF: the domain does not say whether the client may send its mail",
    "none": "",
    "permerror": "SPF: the record of this domain cannot be used",
    "temperror": "SPF: the record of this domain could not be looked up now",
    "local": "SPF: decided by this host's own policy",
    "trusted": "SPF: not checked, a trusted forwarder",
    "ambiguous": "SPF: the record may mean something else than its author thinks",
}
_CODES = {"fail": 550, "permerror": 550, "temperror": 451, "ambiguous": 0}
_TAGS = {"pass": "Pass", "neutral": "Neutral", "fail": "Fail", "softfail": "SoftFail", "none": "None",
         "temperror": "TempError", "permerror": "PermError"}
# "pass" and "fail" as the examples of RFC 7208 section 9.1 have them.
_COMMENTS = {
    "pass": "domain of {domain} designates {ip} as permitted sender",
    "fail": "domain of {domain} does not designate {ip} as permitted sender",
    "softfail": "domain of {domain} doubts that {ip} may send its mail",
    "neutral": "domain of {domain} does not say whether {ip} may send its mail",
    "none": "domain of {domain} publishes no SPF record",
    "temperror": "SPF record of {domain} could not be looked up: {problem}",
    "permerror": "SPF record of {domain} cannot be used: {problem}",
}
_RECORD = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_DEFAULT_MODIFIER = re.compile(r" default=([^ ]*)", re.IGNORECASE)
_DOT_ATOM = re.compile(r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(?:\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*\Z")
_EXP_ONLY = re.compile(r"%\{[crtCRT][^}]*\}")
_P_MACRO = re.compile(r"%\{[pP][^}]*\}")
_SCRATCH = "expand.libspf.invalid"  # a name of our own in zones made up here (RFC 6761: .invalid is nobody's)


# -------------------------------------------------------------------------------------------------------- exceptions

class _Trouble(Exception):
    """What pyspf's exceptions carry: a text, the term that it is about, and the result without that term."""

    def __init__(self, msg: object, mech: Optional[str] = None, ext: Optional[Verdict] = None) -> None:
        super().__init__(msg, mech)
        self.msg = str(msg)
        self.mech = mech
        self.ext = ext

    def __str__(self) -> str:
        return f"{self.msg}: {self.mech}" if self.mech else self.msg


class TempError(_Trouble):
    """DNS could not answer now: raised by a DNSLookup, and by the dns methods of a query."""


class PermError(_Trouble):
    """A record, a macro or an address that cannot be used."""


class AmbiguityWarning(_Trouble):
    """With strict=2: what a record says is right but may not be meant."""


# --------------------------------------------------------------------------------------------------------------- DNS

def DNSLookup_dnspython(name: str, qtype: str, tcpfallback: object = True, timeout: float = 30) -> List[DNSAnswer]:
    """Asks through dnspython; [((name, type), value), ...] as pyspf has it. TempError if there is no answer."""
    dns = importlib.import_module("dns.resolver")
    try:
        answers = dns.Resolver().resolve(name, qtype, lifetime=timeout, search=False)
    except (dns.NoAnswer, dns.NXDOMAIN):
        return []
    except importlib.import_module("dns.exception").DNSException as error:
        raise TempError(f"DNS {error}") from error
    values: Dict[str, Callable[[Any], Any]] = {
        "MX": lambda data: (data.preference, data.exchange.to_text(True)),
        "PTR": lambda data: data.target.to_text(True),
        "TXT": lambda data: list(data.strings),
    }
    value = values.get(qtype, lambda data: data.address)
    return [((name, qtype), value(data)) for data in answers]


def DNSLookup_pydns(name: str, qtype: str, strict: object = True, timeout: float = 20) -> List[DNSAnswer]:
    """Asks through py3dns; otherwise as DNSLookup_dnspython."""
    dns = importlib.import_module("DNS")
    if not dns.defaults["server"]:
        dns.DiscoverNameServers()
    try:
        answer = dns.DnsRequest(name, qtype=qtype, timeout=timeout).req()
        if answer.header["tc"]:
            answer = dns.DnsRequest(name, qtype=qtype, timeout=timeout, protocol="tcp").req()
    except (OSError, AttributeError, dns.DNSError) as error:
        raise TempError(f"DNS {error}") from error
    if answer.header["status"] not in ("NOERROR", "NXDOMAIN"):
        raise TempError(f"DNS {answer.header['status']}")
    return [((each["name"], each["typename"]), each["data"]) for each in answer.answers + answer.additional]


def _installed_lookup(name: str, qtype: str, strict: object = True, timeout: float = 20) -> List[DNSAnswer]:
    """What DNSLookup is unless a script replaces it: for the dns methods only, checks ask through libspf itself."""
    for module, lookup in (("dns.resolver", DNSLookup_dnspython), ("DNS", DNSLookup_pydns)):
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        return lookup(name, qtype, strict, timeout)
    raise TempError(f"DNS {qtype} {name}: needs dnspython or py3dns, or a function in libspf.compat.DNSLookup")


DNSLookup: Callable[..., Iterable[DNSAnswer]] = _installed_lookup


def _folded(name: Any) -> str:
    return str(name).lower().rstrip(".")


def _is_name(name: str) -> bool:
    return len(name) < 254 and all(0 < len(label) < 64 for label in name.split("."))


def _address(value: Any) -> Optional[IPAddress]:
    """An address record's data: text, or 4 or 16 octets."""
    try:
        return ipaddress.ip_address(bytes(value) if isinstance(value, (bytes, bytearray)) else value)
    except ValueError:
        return None


def _octets(value: Any) -> bytes:
    """A TXT record's data: octets or text, or a list of them."""
    if isinstance(value, (list, tuple)):
        return b"".join(_octets(part) for part in value)
    return bytes(value) if isinstance(value, (bytes, bytearray)) else str(value).encode("utf-8")


def _host(value: Any) -> str:
    """A host name: a PTR record's data, or the second half of an MX record's."""
    return str(value[1]) if isinstance(value, (list, tuple)) else str(value)


# ---------------------------------------------------------------------------------------------------------- contexts

def _limits() -> Dict[str, int]:
    """The module's limits as settings, kept to what libspf allows."""
    return {
        "max_lookups": min(max(MAX_LOOKUP, 1), 10),
        "max_void_lookups": min(max(MAX_VOID_LOOKUPS, 0), 10),
        "max_mx_hosts": min(max(MAX_MX, 1), 10),
        "max_ptr_names": min(max(MAX_PTR, 1), 10),
    }


_USUAL_LIMITS = _limits()


@functools.lru_cache(maxsize=8)
def _limited_context(*limits: Tuple[str, int]) -> "libspf.Context":
    config = libspf.CONFIG_FILE if os.path.exists(libspf.CONFIG_FILE) else None
    settings = dict(limits)
    return libspf.Context(config, max_lookups=settings["max_lookups"], max_mx_hosts=settings["max_mx_hosts"],
                          max_void_lookups=settings["max_void_lookups"], max_ptr_names=settings["max_ptr_names"])


def _network_context() -> "libspf.Context":
    """The context that asks DNS itself."""
    if context is not None:
        return context
    limits = _limits()
    return libspf.shared_context() if limits == _USUAL_LIMITS else _limited_context(*sorted(limits.items()))


# ------------------------------------------------------------------------------------------------------------- texts

def split_email(s: Optional[str], h: Optional[str]) -> Tuple[str, Optional[str]]:
    """The local part and the domain of a sender; `postmaster` where it has none. The last @ parts them.

    >>> split_email('ann@example.com', 'mail.example.com'), split_email('', 'mail.example.com')
    (('ann', 'example.com'), ('postmaster', 'mail.example.com'))
    """
    if not s:
        return "postmaster", h
    local, _, domain = s.rpartition("@")
    return local or "postmaster", domain


def quote_value(s: Optional[str]) -> Optional[str]:
    """A value for a Received-SPF field: as it is, or as a quoted string. Controls become '?'.

    >>> print(quote_value('mail.example.com'), quote_value('ann@example.com'), quote_value('a"b'))
    mail.example.com "ann@example.com" "a\\"b"
    """
    if s is None or _DOT_ATOM.match(s):
        return s
    return '"' + _plain(s).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def _comment(text: str) -> str:
    """Text for the inside of a comment."""
    return re.sub(r"([\\()])", r"\\\1", _plain(text))


def reverse_dots(name: str) -> str:
    """The labels of a name, or the octets of a dotted quad, in reverse.

    >>> reverse_dots('192.0.2.7')
    '7.2.0.192'
    """
    return ".".join(reversed(name.split(".")))


def domainmatch(ptrs: Iterable[str], domainsuffix: str) -> bool:
    """Whether one of the names is the domain or below it.

    >>> domainmatch(['mail.Example.com'], 'example.com'), domainmatch(['notexample.com'], 'example.com')
    (True, False)
    """
    suffix = domainsuffix.lower()
    return any(name.lower() == suffix or name.lower().endswith("." + suffix) for name in ptrs)


def insert_libspf_local_policy(spftxt: str, local: Optional[str] = None) -> str:
    """The record with terms of this host's own after the last term that has no qualifier, as libspf2 inserts them.

    >>> insert_libspf_local_policy('v=spf1 mx ip4:192.0.2.1 -all', 'a:relay.example')
    'v=spf1 mx ip4:192.0.2.1 a:relay.example -all'
    """
    if not local:
        return spftxt
    terms = spftxt.split()[1:]
    plain = [index for index, term in enumerate(terms) if term[0] not in "+-?~"]
    if terms and not plain:
        return spftxt
    after = plain[-1] + 1 if plain else 0
    return " ".join(["v=spf1"] + terms[:after] + [local] + terms[after:])


# ------------------------------------------------------------------------------------------------------------ checks

def check2(i: Any, s: Optional[str], h: Optional[str], local: Optional[str] = None, receiver: Optional[str] = None,
           timeout: float = MAX_PER_LOOKUP_TIME, verbose: bool = False, querytime: float = 20) -> Tuple[str, str]:
    """Checks MAIL FROM:<s> from a client at address i that said HELO h: (result, explanation)."""
    result, _, explanation = query(i=i, s=s, h=h, local=local, receiver=receiver, timeout=timeout, verbose=verbose,
                                   querytime=querytime).check()
    return result, explanation


def check(i: Any, s: Optional[str], h: Optional[str], local: Optional[str] = None, receiver: Optional[str] = None,
          verbose: bool = False) -> Verdict:
    """As check2() in the shape of pyspf 1.6: (result, SMTP code, explanation), permerror being `unknown`."""
    result, code, explanation = query(i=i, s=s, h=h, local=local, receiver=receiver, verbose=verbose).check()
    return ("unknown" if result == "permerror" else result), code, explanation


class query:
    """One sender, its client, and what a check of them found.

    i: the client's address as the macro %{i} has it        c: the same for people
    s: the sender    l, o: its local part and domain        d: the domain that is checked
    h: the HELO name    p: the client's validated name      v: in-addr or ip6
    r: the receiver    t: the time, in seconds              ident: mailfrom, or helo if there is no sender

    After check(): mechanism (the matching term of the domain's own record), lookups, void_lookups; for permerror and
    temperror prob (a sentence) and mech (the terms that are to blame); perm_error, whose ext is the result without
    these terms if strict is false; and libspf_result, the libspf.Result with all the rest.
    """

    def __init__(self, i: Any, s: Optional[str], h: Optional[str], local: Optional[str] = None,
                 receiver: Optional[str] = None, strict: Union[bool, int] = True,
                 timeout: float = MAX_PER_LOOKUP_TIME, verbose: bool = False, querytime: float = 0) -> None:
        sender = "" if s == "<>" else s
        self.s, self.h = sender, h
        self.ident = "mailfrom"
        if not sender and h:
            self.s, self.ident = "postmaster@" + h, "helo"
        self.l, self.o = split_email(sender, h)
        self.d = self.o
        self.t = str(int(time.time()))
        self.p: Optional[str] = None
        self.r = receiver or "unknown"
        self.defexps = dict(EXPLANATIONS)
        self.exps = dict(EXPLANATIONS)
        self.libspf_local = local
        self.strict = strict
        self.timeout = querytime if querytime > 0 else timeout
        self.querytime = querytime
        self.verbose = verbose
        self.authserv: Optional[str] = None
        self.result: Optional[str] = None
        self.comment: Optional[str] = None
        self.ipaddr: Optional[IPAddress] = None
        self.iplist: Union[bool, List[Any]] = False
        self.cache: Dict[Tuple[str, str], List[Any]] = {}
        self._failure: Optional[BaseException] = None
        self._forget()
        if i:
            self.set_ip(i)

    def _forget(self) -> None:
        """What the last check found."""
        self.lookups = self.void_lookups = 0
        self.mech: List[str] = []
        self.prob = ""
        self.perm_error: Optional[PermError] = None
        self.mechanism: Optional[str] = None
        self.options: Dict[str, bool] = {}
        self.libspf_result: Optional[libspf.Result] = None

    def set_ip(self, i: Any) -> None:
        """Sets the client's address; PermError if it is none."""
        try:
            address = ipaddress.ip_address(str(i))
        except ValueError as error:
            raise PermError(f"{str(i)!r} is no IPv4 or IPv6 address") from error
        if isinstance(address, ipaddress.IPv6Address):
            if "%" in str(address):
                raise PermError(f"{str(i)!r} has a zone id")
            address = address.ipv4_mapped or address
        self.ipaddr = address
        self.c = str(address)
        if isinstance(address, ipaddress.IPv6Address):
            self.A, self.v, self.cidrmax = "AAAA", "ip6", 128
            self.i = ".".join(address.exploded.replace(":", "").upper())
        else:
            self.A, self.v, self.cidrmax = "A", "in-addr", 32
            self.i = self.c

    def set_explanation(self, exp: str) -> None:
        """The explanation for fail, softfail and permerror of the checks to come."""
        self.exps.update(dict.fromkeys(("softfail", "fail", "permerror"), exp))

    def set_default_explanation(self, exp: str) -> None:
        """As set_explanation(); kept apart for scripts that reset `exps` from `defexps`."""
        self.defexps.update(dict.fromkeys(("softfail", "fail", "permerror"), exp))
        self.set_explanation(exp)

    # ------------------------------------------------------------------------------------------------------- checking

    def check(self, spf: Optional[str] = None) -> Verdict:
        """(result, SMTP code, explanation): of the domain's record, or of this one in its place."""
        self._forget()
        if self.ipaddr is None:
            raise ValueError("this query has no client address: give i, or call set_ip()")
        if spf and not _RECORD.match(spf):
            return self._ambiguous("the text is no SPF record", None) if self._is_harsh() else self._told("none")
        try:
            result = self._evaluate(self._with_local_policy(spf))
            if result.cause in ("no-record", "no-domain") and DELEGATE and not spf:
                delegated = self.dns_spf(f"{self.d}._spf.{DELEGATE}")
                result = self._evaluate(delegated) if delegated else result
        except PermError as error:
            return self._permerror(error)
        except TempError as error:
            return self._temperror(str(error), error.mech)
        return self._verdict(result)

    def best_guess(self, spf: str = DEFAULT_SPF) -> Verdict:
        """What a record that many domains could have published would say; neutral where it cannot be evaluated."""
        before = self.perm_error
        verdict = self.check(spf)
        if verdict[0] == "permerror":
            lax = self.perm_error.ext if self.perm_error else None
            verdict = lax or ("neutral", 250, self.exps["neutral"])
            self.perm_error = before
        return verdict

    def _is_harsh(self) -> bool:
        return self.strict > 1

    def _evaluate(self, record: Optional[str]) -> "libspf.Result":
        """One check_host() through libspf, with the DNS that this module was told to use. A script's own DNSLookup is
        asked nothing that pyspf would not ask: it may count, or raise."""
        if DNSLookup is _installed_lookup:
            return self._ask(_network_context(), record)
        limits = _limits()
        self._failure = None
        with libspf.Context(resolver=self._answer, prefetch=False, max_lookups=limits["max_lookups"],
                            max_void_lookups=limits["max_void_lookups"], max_mx_hosts=limits["max_mx_hosts"],
                            max_ptr_names=limits["max_ptr_names"]) as own:
            result = self._ask(own, record)
        if self._failure is not None:
            raise self._failure
        return result

    def _ask(self, where: "libspf.Context", record: Optional[str]) -> "libspf.Result":
        result = where.check(self.c, self.s, self.h, receiver=_plain(self.r), record=record, trace=True,
                             timeout=min(self.querytime, 600) if self.querytime > 0 else None,
                             would_be=not self.strict)
        if self.verbose:
            print(result.trace_text())
        return result

    def _answer(self, question: "libspf.Query") -> Optional[List[Union[IPAddress, str, bytes]]]:
        """A question of libspf's to the script's own DNSLookup. What that raises comes out of check(), as in pyspf."""
        try:
            values = self._values(question.name, question.type)
        except TempError as error:
            question.fail("error", str(error))
            return None
        except Exception as error:  # whatever the script's function may raise
            self._failure = error
            question.fail("error")
            return None
        if question.type in ("A", "AAAA"):
            version = 4 if question.type == "A" else 6
            return [address for address in map(_address, values) if address is not None and address.version == version]
        if question.type == "TXT":
            return [_octets(value) for value in values]
        return [host for host in map(_host, values) if not host or _is_name(host.rstrip("."))]

    def _with_local_policy(self, record: Optional[str]) -> Optional[str]:
        """The record to evaluate: None for the domain's own as it is."""
        if not self.libspf_local:
            return record or None
        found = record or self.dns_spf(self.d or "")
        return insert_libspf_local_policy(found, self.libspf_local) if found else None

    # -------------------------------------------------------------------------------------------------------- verdicts

    def _verdict(self, result: "libspf.Result") -> Verdict:
        """libspf's result in pyspf's shape."""
        self.libspf_result = result
        self.lookups, self.void_lookups = result.lookups, result.void_lookups
        word = str(result.result)
        if self._is_harsh() and result.cause != "syntax":
            doubt = self._doubt(result)
            if doubt:
                return self._ambiguous(*doubt)
        if word == "temperror":
            return self._temperror(result.reason, result.term)
        if word == "permerror":
            error = PermError(result.reason, result.term)
            if result.would_be is not None:
                error.ext = self._told(str(result.would_be))
            return self._permerror(error)
        matches = [step.term for step in result.trace if step.depth == 0 and step.outcome == "match"]
        self.mechanism = matches[-1] if matches else None
        if result.cause == "default" and not self.strict:
            word = self._default_modifier(result) or word
        if word == "fail" and result.explanation and (not result.is_own_explanation or
                                                      self.exps["fail"] == EXPLANATIONS["fail"]):
            return word, _CODES[word], result.explanation
        return self._told(word)

    def _told(self, word: str) -> Verdict:
        return word, _CODES.get(word, 250), self.exps[word]

    def _permerror(self, error: PermError) -> Verdict:
        self.perm_error = error
        self.prob = error.msg
        self.mech = [error.mech] if error.mech else []
        return "permerror", _CODES["permerror"], f"SPF permanent error: {error.msg}"

    def _temperror(self, problem: str, term: Optional[str]) -> Verdict:
        self.prob = problem
        self.mech = [term] if term else []
        return "temperror", _CODES["temperror"], f"SPF temporary error: {problem}"

    def _ambiguous(self, problem: str, term: Optional[str]) -> Verdict:
        self.prob = problem
        self.mech = [term] if term else []
        return "ambiguous", _CODES["ambiguous"], f"SPF ambiguous: {problem}"

    @staticmethod
    def _doubt(result: "libspf.Result") -> Optional[Tuple[str, Optional[str]]]:
        """With strict=2: what in this record is most likely not meant."""
        for step in result.trace:
            if step.outcome == "record" and _DEFAULT_MODIFIER.search(step.answer or ""):
                return "the modifier default= is obsolete", None
        for lookup in result.lookup_terms:
            if lookup.is_void and re.match(r"[+?~-]?(?:a|mx|ptr)(?:[:/]|\Z)", lookup.term, re.IGNORECASE):
                return f"{lookup.target} has no such records", lookup.term
        return None

    @staticmethod
    def _default_modifier(result: "libspf.Result") -> Optional[str]:
        """With strict=0: the result that the obsolete modifier default= of the deciding record names."""
        found = _DEFAULT_MODIFIER.search(result.record or "")
        return RESULTS.get(found.group(1).lower()) if found else None

    # ------------------------------------------------------------------------------------------------------------- DNS

    def dns(self, name: Optional[str], qtype: str, cnames: object = None, ignore_void: bool = False) -> List[Any]:
        """The values of a DNS question through DNSLookup, CNAMEs followed; [] if there are none."""
        if not name:
            raise ValueError("a DNS question needs a name")
        return self._values(name, qtype)

    def _values(self, name: str, qtype: str) -> List[Any]:
        seen: List[str] = []
        at = _folded(name)
        while at not in seen and _is_name(at):
            if len(seen) > MAX_CNAME:
                raise TempError(f"more than {MAX_CNAME} CNAMEs in a row", name)
            seen.append(at)
            values = self._lookup(at, qtype)
            aliases = self.cache.get((at, "CNAME"), [])
            if values or not aliases:
                return list(values)
            at = _folded(aliases[0])
        return []

    def _lookup(self, name: str, qtype: str) -> List[Any]:
        """The values at one name. The same question is asked once; of an answer's other records its CNAME chain is
        kept, and nothing else: whoever answers for one name has no say about others."""
        if (name, qtype) not in self.cache:
            answers: Dict[Tuple[str, str], List[Any]] = {(name, qtype): []}
            for (owner, kind), value in DNSLookup(name, qtype, self.strict, self.timeout):
                answers.setdefault((_folded(owner), kind), []).append(value)
            at = name
            while (at, qtype) in answers or (at, "CNAME") in answers:
                for key in ((at, qtype), (at, "CNAME")):
                    if key in answers:
                        self.cache.setdefault(key, answers.pop(key))
                aliases = self.cache.get((at, "CNAME"), [])
                at = _folded(aliases[0]) if aliases else ""
        return self.cache[name, qtype]

    def dns_a(self, domainname: str, A: str = "A") -> List[Any]:
        """The addresses of a name."""
        return self.dns(domainname, A) if domainname else []

    def dns_mx(self, domainname: str) -> List[Any]:
        """The addresses of a domain's mail hosts, in the order of their preference."""
        hosts = sorted(self.dns(domainname, "MX"))
        if self.strict and len(hosts) > MAX_MX:
            raise PermError(f"{domainname} has {len(hosts)} MX records, {MAX_MX} are allowed")
        return [address for _, host in hosts[:MAX_MX] for address in self.dns_a(host, self.A)]

    def dns_ptr(self, i: str) -> List[str]:
        """The names of an address as the macro %{i} has it."""
        return self.dns(f"{reverse_dots(i)}.{self.v}.arpa", "PTR")

    def dns_txt(self, domainname: Optional[str], rr: str = "TXT", ignore_void: bool = False) -> List[bytes]:
        """The TXT records of a name, each with its strings joined."""
        return [_octets(value) for value in self.dns(domainname, rr)] if domainname else []

    def dns_spf(self, domain: str) -> Optional[str]:
        """The SPF record of a domain, None if it has none; PermError if it has several, TempError if DNS fails."""
        if DNSLookup is not _installed_lookup:
            records = [text for text in self.dns_txt(domain) if _RECORD.match(text.decode("latin-1"))]
            if len(records) > 1:
                raise PermError(f"{domain} has {len(records)} SPF records")
            return _ascii(records[0]) if records else None
        result = _network_context().check(self.c if self.ipaddr else "192.0.2.1", "postmaster@" + domain, trace=True)
        for step in result.trace:
            if step.depth == 0 and step.outcome == "record" and step.term is None:
                return step.answer
        if result.cause == "several-records":
            raise PermError(result.reason)
        if result.result == "temperror":
            raise TempError(result.reason)
        return None

    def validated_ptrs(self) -> List[str]:
        """The names of the client that resolve back to it."""
        return [name for name in self.dns_ptr(self.i)[:MAX_PTR]
                if self.cidrmatch(self.dns_a(name, self.A), self.cidrmax)]

    def cidrmatch(self, ipaddrs: Iterable[Any], n: int) -> bool:
        """Whether the client is within n bits of one of the addresses."""
        addresses = (_address(value) for value in ipaddrs)
        return any(self.ipaddr in ipaddress.ip_network((str(address), n), strict=False)
                   for address in addresses if address is not None)

    # ---------------------------------------------------------------------------------------------------------- macros

    def getp(self) -> str:
        """The client's validated name, `unknown` if it has none: what the macro %{p} is."""
        if not self.p:
            result = self._evaluate(f"v=spf1 exists:%{{p}}.{_SCRATCH} -all")
            targets = [step.target for step in result.trace if step.target and step.target.endswith("." + _SCRATCH)]
            self.p = targets[0][:-len(_SCRATCH) - 1] if targets else "unknown"
        return self.p

    def get_explanation(self, spec: str) -> Optional[str]:
        """The explanation that a domain publishes, expanded; None if there is none that can be used."""
        if not spec:
            return None
        result = self._evaluate(f"v=spf1 -all exp={spec.replace('%', '%%')}")
        return None if result.is_own_explanation else result.explanation

    def expand(self, s: str, stripdot: bool = True) -> str:
        """Expands the macros of a domain-spec, or with stripdot=False of an explanation. PermError for bad ones."""
        if "%" not in s:
            return s[:-1] if stripdot and s.endswith(".") else s
        if stripdot and _EXP_ONLY.search(s):
            raise PermError("the macros c, r and t are for explanations only", s)
        name = self.getp() if _P_MACRO.search(s) else "unknown"

        def answer(question: "libspf.Query") -> List[str]:
            names = [] if name == "unknown" else [name]
            return {"TXT": [s], "PTR": names}.get(question.type, [self.c])

        with libspf.Context(resolver=answer) as scratch:
            result = self._ask(scratch, f"v=spf1 -all exp={_SCRATCH}")
        if result.explanation is None or result.is_own_explanation:
            raise PermError("macros that cannot be expanded", s)
        return result.explanation.rstrip(".") if stripdot else result.explanation

    # --------------------------------------------------------------------------------------------------------- headers

    def get_header_comment(self, res: str) -> str:
        """One sentence about a result."""
        if res not in _COMMENTS:
            raise ValueError(f"{res!r} is no SPF result; allowed are {', '.join(_COMMENTS)}")
        return _COMMENTS[res].format(domain=self.o, ip=getattr(self, "c", None), problem=self.prob)

    def get_header(self, res: str, receiver: Optional[str] = None, header_type: str = "spf",
                   aid: Optional[str] = None, **kv: Any) -> str:
        """The value of a Received-SPF field (x-KEY=VALUE added for kv), or an Authentication-Results field."""
        if header_type not in ("spf", "authres"):
            raise SyntaxError(f"header_type {header_type!r} is neither 'spf' nor 'authres'")
        if header_type == "authres" and not aid:
            raise SyntaxError("an Authentication-Results field needs aid, the authserv-id (RFC 8601 section 2.5)")
        text = self.get_header_comment(res)
        comment = _comment(self.comment if self.comment is not None else f"{receiver or self.r}: {text}")
        if header_type == "authres":
            return self._authentication_results(res, comment, str(aid))
        return self._received_spf(res, comment, receiver or self.r, kv)

    def _received_spf(self, res: str, comment: str, receiver: str, more: Mapping[str, Any]) -> str:
        pairs = [
            ("client-ip", self.c),
            ("envelope-from", None if self.ident == "helo" else quote_value(self.s)),
            ("helo", quote_value(self.h)),
            ("receiver", quote_value(receiver)),
            ("problem", quote_value(" ".join(self.mech)) if res == "permerror" and self.mech else None),
            ("mechanism", quote_value(self.mechanism)),
        ]
        pairs += [(f"x-{key.replace('_', '-')}", quote_value(str(more[key]))) for key in sorted(more) if more[key]]
        shown = "".join(f"{key}={value}; " for key, value in pairs if value)
        return f"{_TAGS[res]} ({comment}) {shown}identity={self.ident}"

    def _authentication_results(self, res: str, comment: str, aid: str) -> str:
        details = [f"sender={self.s}", f"helo={self.h}", f"client-ip={self.c}", f"receiver={self.r}",
                   f"mechanism={self.mechanism}"]
        if self.ident == "helo":
            del details[1]
        kind, value = ("helo", self.h) if self.ident == "helo" else ("mailfrom", self.d)
        return (f"Authentication-Results: {_plain(aid)}; spf={res} ({comment}) smtp.{kind}={quote_value(value)}"
                f" ({_comment('; '.join(details))})")

    def parse_header(self, val: str) -> Dict[str, str]:
        """Takes what an earlier check wrote into a header field; the x- pairs of Received-SPF, without the x-."""
        if val.startswith("Authentication-Results:"):
            return self.parse_header_ar(val)
        return self.parse_header_spf(val)

    def parse_header_spf(self, val: str) -> Dict[str, str]:
        """As parse_header(), for the value of a Received-SPF field."""
        words, comments = _tokens(val)
        self.result = words[0].lower() if words else None
        self.mechanism = None
        if comments:
            self.comment = comments[0]
        names = {"envelope-from": "s", "helo": "h", "receiver": "r", "mechanism": "mechanism", "identity": "ident"}
        more: Dict[str, str] = {}
        for key, value in _pairs(words[1:]):
            if key == "client-ip":
                self.set_ip(value)
            elif key == "problem":
                self.mech = value.split()
            elif key in names:
                setattr(self, names[key], value)
            elif key.startswith("x-"):
                more[key[2:]] = value
        self.l, self.o = split_email(self.s, self.h)
        return more

    def parse_header_ar(self, val: str) -> Dict[str, str]:
        """As parse_header(), for a whole Authentication-Results field: its spf result, authserv-id and identity."""
        words, _ = _tokens(val.partition(":")[2])
        self.authserv = words[0] if words else None
        for key, value in _pairs(words[1:]):
            if key == "spf":
                self.result = value.lower()
            elif key == "smtp.mailfrom":
                self.s = self.d = value
            elif key == "smtp.helo":
                self.h = value
        return {}


def _ascii(octets: bytes) -> str:
    try:
        return octets.decode("ascii")
    except UnicodeDecodeError as error:
        raise PermError("a record with octets outside ASCII", repr(octets)) from error


def _tokens(text: str) -> Tuple[List[str], List[str]]:
    """A header field's value in one pass: its words, which spaces and semicolons part unless they are quoted, and its
    comments. Quoted pairs are resolved; the quotation marks are dropped."""
    words: List[List[str]] = [[]]  # characters: a str that grows by them takes time by the square of its length
    comments: List[List[str]] = [[]]
    depth, is_quoted = 0, False
    characters = iter(text)
    for character in characters:
        into = (comments if depth else words)[-1]
        if character == "\\":
            into.append(next(characters, ""))
        elif character == '"' and not depth:
            is_quoted = not is_quoted
        elif is_quoted:
            into.append(character)
        elif character == "(":
            if depth:
                into.append(character)
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            if depth:
                into.append(character)
            else:
                comments.append([])
        elif not depth and (character == ";" or character.isspace()):
            words.append([])
        else:
            into.append(character)
    return [word for word in map("".join, words) if word], ["".join(comment) for comment in comments[:-1]]


def _pairs(words: Iterable[str]) -> List[Tuple[str, str]]:
    """Those of the words that are key=value."""
    parted = (word.partition("=") for word in words)
    return [(key.lower(), value) for key, equals, value in parted if equals]
