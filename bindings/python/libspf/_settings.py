# SPDX-License-Identifier: MIT
"""Keyword arguments as the keys of libspf.conf(5)."""
import os
from typing import Any, Dict, Tuple

from . import _swig
from ._errors import Error, ErrorCode


def _flag(value: Any) -> str:
    if not isinstance(value, bool):
        raise TypeError("%r is neither True nor False" % (value,))
    return "yes" if value else "no"


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("%r is no number" % (value,))
    return format(value, "f") if isinstance(value, float) else str(value)


def _size(value: Any) -> str:
    return value if isinstance(value, str) else _number(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("%r is no str" % (value,))
    return value


# Each with how its value is written, and whether there may be a list of them.
_OPTIONS: Dict[str, Tuple[Any, bool]] = {
    "resolver": (_text, True),
    "zone": (os.fsencode, True),
    "timeout": (_number, False),
    "max_lookups": (_number, False),
    "max_void_lookups": (_number, False),
    "max_mx_hosts": (_number, False),
    "max_ptr_names": (_number, False),
    "prefetch": (_flag, False),
    "trust_anchor": (os.fsencode, False),
    "receiver": (_text, False),
    "explanation": (_text, False),
    "record_cache": (_size, False),
    "dns_cache": (_size, False),
    "outgoing_sockets": (_number, False),
}


class Settings:
    """What a context is made of."""

    def __init__(self) -> None:
        self._config = _swig.Config()

    def _failure(self, err: int) -> Exception:
        return Error(err, self._config.error())

    def load(self, path: Any) -> None:
        err = self._config.load(os.fsencode(path))
        if err:
            raise self._failure(err)

    def add_zone_text(self, text: Any) -> None:
        if not isinstance(text, (str, bytes)):
            raise TypeError("zone_text: must be str or bytes, not %s: %r" % (type(text).__name__, text))
        err = self._config.add_zone_text(text)
        if err:
            raise self._failure(err)

    def set(self, name: str, value: Any) -> None:
        """Sets what Context() calls so; None leaves it as it is."""
        if name not in _OPTIONS:
            raise TypeError("a context has no option %r; there are %s" % (name, ", ".join(_OPTIONS)))
        if value is None:
            return
        written, may_be_list = _OPTIONS[name]
        values = value if may_be_list and isinstance(value, (list, tuple)) else [value]
        if name == "resolver" and not values:
            raise ValueError("resolver: the list is empty; None stands for the system's")
        for one in values:
            self._set(name, written, one)

    def _set(self, name: str, written: Any, value: Any) -> None:
        try:
            err = self._config.set(name.replace("_", "-"), written(value))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind("%s: %s" % (name, error)) from None
        if err == ErrorCode.ECONFIG:
            sentence = self._config.error()
            raise ValueError(sentence if sentence.startswith(name) else "%s: %s" % (name, sentence))
        if err:
            raise self._failure(err)

    def open(self, with_questions: bool) -> _swig.Handle:
        """The context."""
        handle = _swig.open_context(self._config, with_questions)
        if isinstance(handle, int):
            raise self._failure(handle)
        return handle
