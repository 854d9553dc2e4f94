"""The socket objects that close(wake=True) has closed, for calls that were waiting in the kernel.

shutdown(2) is what wakes them, and it looks like the end of the stream or like a broken connection. A backend that
comes out of such a wait with nothing, and finds the socket closed, asks here whether that is why.
"""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["WOKEN", "check"]

#: Their id(), for as long as they live.
WOKEN: set[int] = set()


def check(sock: Any) -> None:
    """Raises the OSError of a closed socket (EBADF) if close(wake=True) has closed *sock*."""
    # id() raises an audit event: only where close(wake=True) was used.
    if WOKEN and id(sock) in WOKEN:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
