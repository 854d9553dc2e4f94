"""What the modules below the public one need of `os`, out of reach of what replaces it.

Libraries for tests and for greenlets replace functions of `os`, `time` and `select`, in these modules and in all others
that have names for them. What CPython's ``_socket`` does in C they do not reach, and so nothing below the public module
uses a function that they could replace. Those here are taken from the interpreter's own modules, and kept as default
arguments, which are no names of a module.
"""

from __future__ import annotations

import posix
import sys
import time
from os import PathLike as PathLike

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PathLike", "close", "dup", "fsdecode", "fsencode", "monotonic_ns", "nodename", "set_blocking", "strerror"]

_ENCODING = sys.getfilesystemencoding()
_ERRORS = sys.getfilesystemencodeerrors()


def fsencode(name: str | bytes | PathLike[Any], _fspath: Any = posix.fspath) -> bytes:
    """*name* as the bytes that the system has for it: os.fsencode()."""
    if type(name) is not bytes:
        name = _fspath(name)
    return name.encode(_ENCODING, _ERRORS) if isinstance(name, str) else name  # type: ignore[return-value]


def fsdecode(name: bytes) -> str:
    """The text for a name that the system has given: os.fsdecode()."""
    return name.decode(_ENCODING, _ERRORS)


def strerror(number: int, _strerror: Any = posix.strerror) -> str:
    """What an errno means, in words: strerror(3)."""
    return _strerror(number)  # type: ignore[no-any-return]


def close(fd: int, _close: Any = posix.close) -> None:
    """close(2), not repeated after EINTR."""
    _close(fd)


def dup(fd: int, _dup: Any = posix.dup) -> int:
    """fcntl(2) with F_DUPFD_CLOEXEC."""
    return _dup(fd)  # type: ignore[no-any-return]


def set_blocking(fd: int, blocking: bool, _set_blocking: Any = posix.set_blocking) -> None:
    """Sets or clears O_NONBLOCK."""
    _set_blocking(fd, blocking)


def nodename(_uname: Any = posix.uname) -> str:
    """The name of this host: uname(2)."""
    return _uname().nodename  # type: ignore[no-any-return]


if hasattr(time, "clock_gettime_ns"):

    def monotonic_ns(_read: Any = time.clock_gettime_ns, _clock: int = time.CLOCK_MONOTONIC) -> int:
        """Nanoseconds of a clock that nothing sets back: clock_gettime(2). Libraries that replace time.monotonic_ns()
        do not stop it, not even one that has done so before this module was imported."""
        return _read(_clock)  # type: ignore[no-any-return]

else:

    def monotonic_ns(_read: Any = time.monotonic_ns, _clock: int = 0) -> int:
        """Nanoseconds of a clock that nothing sets back."""
        return _read()  # type: ignore[no-any-return]
