# SPDX-License-Identifier: MIT
"""What arguments may be, for annotations."""
import ipaddress
import os
from typing import Awaitable, Callable, Iterable, Literal, Optional, Protocol, Union

from ._resolver import Query

Address = Union[str, ipaddress.IPv4Address, ipaddress.IPv6Address]
Text = Union[str, bytes]
Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Fold = Literal["none", "lf", "crlf"]
QueryType = Literal["A", "AAAA", "MX", "PTR", "TXT", "SPF"]
Records = Optional[Iterable[Union[Address, bytes]]]
ResolverFunction = Callable[[Query], Union[Records, Awaitable[Records]]]


class Resolver(Protocol):
    """What Context(resolver=...) takes beside strings and functions; a method cancel(query) is used if it is there."""

    def query(self, query: Query) -> Union[Records, Awaitable[Records]]:
        """Answers the Query, at once or later, or returns the records to answer with."""
