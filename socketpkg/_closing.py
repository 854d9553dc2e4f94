"""`close(wake=True)`: a close that other threads notice, which are in the middle of a call on the socket.

Facts: close(2) wakes nobody on Linux, and gives the number away at once, which the next socket or file of the process
gets: a thread that has read it and not used it yet would then read a stranger's data (gh-121544). shutdown(2) wakes
whoever waits in the kernel for the socket, also where it fails with ENOTCONN.

So the number is taken from the object first, and every later look at it is EBADF. Then the connection is shut down,
which wakes the threads. Then dup2(2) puts /dev/null in the socket's place under its number, in one step: the socket is
gone, and a thread that still has the number finds what is no socket (ENOTSOCK). The number itself is given back when
the socket object ends. A call has a reference to the object that it is made on, so then there is no call. Calls that
find something to do pay nothing for this, and those that waited in the kernel one look at the number.
"""

from __future__ import annotations

import os
import weakref
from os import dup2

from . import _socket
from ._engine.originals import close
from ._engine.woken import WOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHUT_RDWR = 2


def close_and_wake(sock: Any) -> None:
    """socket.close(wake=True) of an open or closed socket object."""
    key = id(sock)
    # For as long as the object lives; and a process that ends closes what is open.
    weakref.finalize(sock, WOKEN.discard, key).atexit = False
    WOKEN.add(key)
    fd = _socket.socket.detach(sock)
    if fd == -1:
        return
    try:
        _socket.backend.syscalls.shutdown(_descriptor(fd), _SHUT_RDWR)
    except OSError:
        pass  # not connected, or of a family that has no such call
    finally:
        _give_up(sock, fd)


# The first finalizer of a process registers with atexit, and CPython 3.13 without a GIL lets two threads do so at once
# and spoil its list. One thread at a time imports a module.
weakref.finalize(close_and_wake, id, None).detach()

#: Makes what a backend's calls take of a number. A compiled core has no name for it: there it is the class of the
#: compiled contract that its `Socket` inherits from.
_descriptor: Any = getattr(_socket.core, "_borrowed", None) or _socket.socket.__base__


def _give_up(sock: Any, fd: int) -> None:
    """Ends the descriptor, and keeps its number from being used again for as long as *sock* lives."""
    weakref.finalize(sock, close, fd).atexit = False
    try:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return  # no descriptor is left: it stays what it is, shut down, until the object ends
    try:
        dup2(nothing, fd, inheritable=False)
    finally:
        close(nothing)
