# SPDX-License-Identifier: MIT
"""What is raised."""
import enum

from . import _swig


class ErrorCode(enum.IntEnum):
    """Why a call failed, as libspf numbers it (spf_err_t)."""

    ENOMEM = -1
    EINVAL = -2
    ECANCELED = -3
    ESTATE = -4
    ECONFIG = -5
    ERESOLVER = -6
    ESYSTEM = -7


class Error(Exception):
    """A call failed: out of memory, a bad configuration file, a context that is closed, ...

    What DNS or a record says is never an error but a Result. Wrong arguments are TypeError and ValueError.

    code: an ErrorCode.
    text: one sentence.
    """

    def __init__(self, code: int, text: str = "") -> None:
        self.code = ErrorCode(code)
        self.text = text or _swig.spf_strerror(code)
        super().__init__(int(self.code), self.text)

    def __str__(self) -> str:
        return self.text
