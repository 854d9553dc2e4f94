"""Sockets that go to other processes: how multiprocessing's pickler takes ours.

``multiprocessing.reduction`` knows how to hand a socket over, and registers it for the class ``socket.socket`` with
its own pickler. Ours are another class unless `install` has made them that one; the same is done for them here, by
that pickler alone. Any other one is told that sockets cannot be pickled.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import socket


def reduce(sock: socket) -> tuple[Any, ...]:
    """What ``__reduce__`` of *sock* returns to the pickler of multiprocessing; TypeError for every other caller."""
    from . import socket

    reduction: Any = sys.modules.get("multiprocessing.reduction")
    # The exact type only: a subclass may carry state that cannot be rebuilt.
    if type(sock) is not socket or reduction is None or not _called_by(reduction):
        raise TypeError(f"cannot pickle {type(sock).__name__!r} object")
    return rebuild, (reduction.DupFd(sock.fileno()), int(sock.family), int(sock.type), sock.proto)


def rebuild(descriptor: Any, family: int, type: int, proto: int) -> socket:
    """The socket in the process that it was handed over to."""
    from . import socket

    return socket(family, type, proto, fileno=descriptor.detach())


def _called_by(reduction: Any) -> bool:
    # __reduce__ is not told which pickler calls. So look for multiprocessing.reduction among the calling frames:
    # between it and us are only frames of pickle, where pickle is written in Python.
    frame = sys._getframe(3)
    while frame is not None and frame.f_globals.get("__name__") == "pickle":
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and frame.f_globals is vars(reduction)
