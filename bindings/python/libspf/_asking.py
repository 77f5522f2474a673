# SPDX-License-Identifier: MIT
"""From Python's arguments to a check: what is wrong with them is TypeError or ValueError, and says what is allowed."""
import ipaddress
from typing import Any, Callable, Dict

from . import _swig
from ._errors import Error, ErrorCode
from ._results import IDENTITIES

_IDENTITY_NUMBERS = {str(identity): number for number, identity in enumerate(IDENTITIES)}


def seconds_as_ms(name: str, seconds: Any) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError("%s: %r is no number of seconds from 0.001 to 600" % (name, seconds))
    if not 0.001 <= seconds <= 600:
        raise ValueError("%s: %r is no number of seconds from 0.001 to 600" % (name, seconds))
    return round(seconds * 1000)


def _set_identity(check: Any, identity: Any) -> int:
    number = _IDENTITY_NUMBERS.get(str(identity))
    if number is None:
        raise ValueError('identity: %r is neither "mailfrom" nor "helo"' % (identity,))
    return check.set_identity(number)  # type: ignore[no-any-return]


def _set_timeout(check: Any, seconds: Any) -> int:
    if seconds is None:
        return 0
    return check.set_timeout_ms(seconds_as_ms("timeout", seconds))  # type: ignore[no-any-return]


_OPTIONS: Dict[str, Callable[[Any, Any], int]] = {
    "identity": _set_identity,
    "receiver": lambda check, value: check.set_receiver(value),  # type: ignore[no-any-return]
    "timeout": _set_timeout,
    "trace": lambda check, value: check.set_trace(bool(value)),  # type: ignore[no-any-return]
    "would_be": lambda check, value: check.set_would_be(bool(value)),  # type: ignore[no-any-return]
    "record": lambda check, value: check.set_record(value),  # type: ignore[no-any-return]
}


def _refused(check: Any, name: str, err: int) -> Exception:
    sentence = check.error()
    if err == ErrorCode.EINVAL:
        return ValueError(sentence if sentence.lower().startswith(name) else "%s: %s" % (name, sentence))
    return Error(err, sentence)


def _address_text(ip: Any) -> str:
    if isinstance(ip, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(ip)
    raise TypeError(
        "ip: must be a str, or an IPv4Address or IPv6Address of ipaddress, not %s: %r" % (type(ip).__name__, ip)
    )


def new_check(handle: Any, ip: Any, sender: Any, helo: Any, options: Dict[str, Any]) -> Any:
    """A check with everything set."""
    check = _swig.Check(handle, ip if isinstance(ip, str) else _address_text(ip), sender, helo)
    if check.end:
        raise _refused(check, "ip", check.end)
    for name, value in options.items():
        setter = _OPTIONS.get(name)
        if setter is None:
            raise TypeError("a check has no option %r; there are %s" % (name, ", ".join(_OPTIONS)))
        err = setter(check, value)
        if err:
            raise _refused(check, name, err)
    return check
