# SPDX-License-Identifier: MIT
"""From Python's arguments to a check: what is wrong with them is TypeError or ValueError, and says what is allowed."""
import ipaddress
from typing import Any, Callable, Dict, Tuple, Union

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


def _set_identity(check: _swig.Check, identity: Any) -> int:
    number = _IDENTITY_NUMBERS.get(str(identity))
    if number is None:
        raise ValueError('identity: %r is neither "mailfrom" nor "helo"' % (identity,))
    return check.set_identity(number)


def set_timeout(job: Union[_swig.Check, _swig.Survey], seconds: Any) -> int:
    if seconds is None:
        return 0
    return job.set_timeout_ms(seconds_as_ms("timeout", seconds))


_OPTIONS: Dict[str, Callable[[_swig.Check, Any], int]] = {
    "identity": _set_identity,
    "receiver": _swig.Check.set_receiver,
    "timeout": set_timeout,
    "trace": lambda check, value: check.set_trace(bool(value)),
    "would_be": lambda check, value: check.set_would_be(bool(value)),
    "record": _swig.Check.set_record,
}


def refused(job: Union[_swig.Check, _swig.Survey], names: Union[str, Tuple[str, ...]], err: int) -> Exception:
    """What is raised when a setter says no; unless its sentence names the argument, that is the first of the names."""
    sentence = job.error()
    if err != ErrorCode.EINVAL:
        return Error(err, sentence)
    first = names if isinstance(names, str) else names[0]
    return ValueError(sentence if sentence.lower().startswith(names) else "%s: %s" % (first, sentence))


def _address_text(ip: Any) -> str:
    if isinstance(ip, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return str(ip)
    raise TypeError(
        "ip: must be a str, or an IPv4Address or IPv6Address of ipaddress, not %s: %r" % (type(ip).__name__, ip)
    )


def new_check(handle: _swig.Handle, ip: Any, sender: Any, helo: Any, options: Dict[str, Any]) -> _swig.Check:
    """A check with everything set."""
    check = _swig.Check(handle, ip if isinstance(ip, str) else _address_text(ip), sender, helo)
    if check.end:
        raise refused(check, ("ip", "sender", "helo"), check.end)
    for name, value in options.items():
        setter = _OPTIONS.get(name)
        if setter is None:
            raise TypeError("a check has no option %r; there are %s" % (name, ", ".join(_OPTIONS)))
        err = setter(check, value)
        if err:
            raise refused(check, name, err)
    return check
