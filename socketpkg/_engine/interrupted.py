"""Closing a socket where another thread or a signal's handler can come between any two steps of Python code.

So it is on PyPy, and without a GIL for threads. CPython with a GIL lets them in only where a function begins or a call
of C ends, or a loop goes round: there `interpreted` closes in fewer steps.

A descriptor has one owner at every moment. Two threads that close a socket at once do not both get it, for the second
close would be a stranger's. A handler that raises on the way leaves it to the socket, or closed.
"""

from __future__ import annotations

from _thread import RLock
from posix import register_at_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:
    from .annotations import Any

_BUILT_IN = type(len)


def taker(with_fields: bool) -> tuple[Any, Any]:
    """(what takes the descriptor from a socket and adds it to a list, what takes and returns it).

    When a handler raises, it is in the list or still the socket's. *with_fields*: sockets have those that `_ssl` reads.
    """
    # One that can be taken again: a handler may close a socket.
    lock = RLock()
    register_at_fork(after_in_child=lock._at_fork_reinit)  # type: ignore[attr-defined]

    def take(sock: Any, took: list[int]) -> None:
        with lock:
            fd = sock._sp_fd
            try:
                # CPython runs no handler until append() is done.
                sock._sp_fd = -1
                if with_fields:
                    sock._sp_c_fd = -1
                took.append(fd)
            except BaseException:
                took.clear()
                sock._sp_fd = fd
                if with_fields:
                    sock._sp_c_fd = fd
                raise

    def taken(sock: Any) -> int:
        took: list[int] = []
        take(sock, took)
        return took[0]

    return take, taken


def closer(call: Any, take: Any, set_fd: Any) -> Any:
    """What `Socket.close` does. *call* is close(2), *take* is `taker`'s."""
    is_one_step = isinstance(call, _BUILT_IN)

    def close(self: Any) -> None:
        took: list[int] = []
        done: list[None] = []
        try:
            take(self, took)
            if took[0] != -1:
                # extend() and map() are built in, and so is the call, unless there is a layer.
                done.extend(map(call, took))
        except BaseException as failure:
            # The call failed, and the descriptor is gone all the same. What a handler raises has been through it.
            failed = isinstance(failure, OSError) and not (
                is_one_step and failure.__traceback__ is not None and failure.__traceback__.tb_next
            )
            if took and not failed and not done:
                set_fd(self, took[0])
            # The peer's reset says nothing about the descriptor, which is closed (bpo-30319).
            if not (failed and isinstance(failure, ConnectionResetError)):
                raise

    return close
