# SPDX-License-Identifier: MIT
"""Sender Policy Framework (RFC 7208): may the client at this address send mail for this domain, and why?

    import libspf

    result = libspf.check("192.0.2.7", "ann@example.com", "mail.example.com")
    if result.result == "fail":
        print(result.reason)                   # one sentence for an administrator
        print(result.smtp_reply().text)        # what to tell the client

    result = await libspf.check_async("192.0.2.7", "ann@example.com")      # in asyncio, thousands at once

    async for question, result in libspf.check_many(questions, concurrency=500):
        print(question, result)

    print(libspf.survey("example.com").text())      # all that its record leads to
    for remark in libspf.lint("example.com"):       # what is wrong with it
        print(remark)
    print(libspf.compose(["mx", "192.0.2.0/24"], "example.com").zone())

These use one context, a resolver and its caches, that the whole process shares, configured by /etc/libspf.conf;
Context() makes another, with settings, zones or a resolver of your own.

What DNS or a record says is a Result, never an exception. Wrong arguments are TypeError or ValueError, everything else
that fails is an Error.
"""
from . import _libspf

_libspf.main_interpreter_only()  # before anything that SWIG keeps is touched

# pylint: disable=wrong-import-position
from ._contexts import (
    CONFIG_FILE,
    Context,
    check,
    check_async,
    check_many,
    lint,
    lint_async,
    shared_context,
    survey,
    survey_async,
)
from ._errors import Error, ErrorCode
from ._many import Checks
from ._resolver import Query
from ._results import (
    DNSSEC,
    Cause,
    Identity,
    Lookup,
    Outcome,
    Result,
    ResultCode,
    SMTPReply,
    Step,
    Word,
)
from ._tools import (
    Draft,
    DraftRecord,
    Evidence,
    EvidenceItem,
    Network,
    Node,
    NodeStatus,
    Remark,
    Severity,
    Summary,
    Survey,
    Term,
    compose,
    read_evidence,
)
from ._types import Address, Fold, Path, QueryType, Records, Resolver, ResolverFunction, Text

__version__ = _libspf.spf_version()

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

for _name in __all__:
    if getattr(globals()[_name], "__module__", "").startswith(__name__):
        globals()[_name].__module__ = __name__
del _name
