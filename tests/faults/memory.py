"""Lets memory run out at each allocation of a call, one after another, and tells as JSON what a program then saw.

    python memory.py ENGINE

MemoryError is right, and so is success where what could not be had was not needed. No descriptor may stay behind.
"""

from __future__ import annotations

import _testcapi  # type: ignore[import-not-found]
import gc
import json
import os
import signal
import socket as stdlib
import sys
import types
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from child import SENT, descriptors

#: So many calls in a row that end as if memory were there: the allocation that would fail lies behind the call's end.
ENOUGH = 5
#: More than any of the calls makes.
MOST = 250
#: What the calls end with when there is memory.
ALWAYS = {"fails": "OSError", "times_out": "BlockingIOError"}


class Hangs(Exception):
    """A call has not ended."""


module: types.ModuleType


def calls() -> dict[str, Callable[[Any, Any], Any]]:
    """The calls, each on a socket and its peer, which has sent something."""
    room = bytearray(64)
    return {
        "recv": lambda sock, peer: sock.recv(64),
        "recv_into": lambda sock, peer: sock.recv_into(room),
        "recvfrom": lambda sock, peer: sock.recvfrom(64),
        "recvmsg": lambda sock, peer: sock.recvmsg(64, 64),
        "recvmsg_into": lambda sock, peer: sock.recvmsg_into([room], 64),
        "send": lambda sock, peer: sock.send(SENT),
        "sendall": lambda sock, peer: sock.sendall(SENT),
        "sendmsg": lambda sock, peer: sock.sendmsg([SENT, SENT], [(1, 1, b"\0\0\0\0")]),
        "dup": lambda sock, peer: sock.dup().close(),
        "socketpair": lambda sock, peer: [one.close() for one in module.socketpair()],
        "socket": lambda sock, peer: module.socket().close(),
        "fromfd": lambda sock, peer: module.fromfd(peer.fileno(), 1, 1).close(),
        "getsockname": lambda sock, peer: sock.getsockname(),
        "getsockopt": lambda sock, peer: sock.getsockopt(1, 3),
        "getsockopt_bytes": lambda sock, peer: sock.getsockopt(1, 3, 4),
        "setsockopt": lambda sock, peer: sock.setsockopt(1, 9, 1),
        "settimeout": lambda sock, peer: sock.settimeout(1.5),
        "fails": lambda sock, peer: sock.setsockopt(77, 77, 1),
        "times_out": lambda sock, peer: (sock.recv(64), sock.settimeout(0), sock.recv(1)),
        "accept": accepting,
        "recv_fds": lambda sock, peer: [os.close(fd) for fd in module.recv_fds(sock, 64, 4)[1]],
    }


def accepting(sock: Any, peer: Any) -> None:
    """Accepts what connects; both ends are closed, whatever happens."""
    listener.accept()[0].close()


listener: Any = None


def main(engine: str) -> None:
    """Tries all."""
    global module, listener
    if engine == "stdlib":
        module = stdlib
    else:
        import socketpkg

        module = socketpkg

    def alarm(number: int, frame: Any) -> None:
        raise Hangs

    signal.signal(signal.SIGALRM, alarm)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda failure: None
    told = []
    gc.collect()
    gc.freeze()
    for name, call in calls().items():
        listener = module.create_server(("127.0.0.1", 0))
        row = 0
        for number in range(MOST):
            one, two = stdlib.socketpair()
            sock = module.socket(one.family, one.type, 0, one.detach())
            stdlib.send_fds(two, [SENT], [0]) if name == "recv_fds" else two.send(SENT)
            client = stdlib.create_connection(listener.getsockname()) if name == "accept" else None
            before = descriptors()
            raised = None
            signal.alarm(5)
            _testcapi.set_nomemory(number, number + 1)
            try:
                call(sock, two)
            except BaseException as failure:
                _testcapi.remove_mem_hooks()
                raised = type(failure).__name__
                failure.__traceback__ = None
            else:
                _testcapi.remove_mem_hooks()
            signal.alarm(0)
            gc.collect()
            after = descriptors()
            told.append({"call": name, "number": number, "raised": raised, "leaked": sorted(after - before)})
            if before - after:
                told[-1]["gone"] = sorted(before - after)
            for fd in after - before:
                os.close(fd)
            for thing in (sock, two, client):
                if thing is not None:
                    with suppress(OSError):
                        thing.close()
            if name == "accept":
                listener.settimeout(0)
                with suppress(OSError):
                    listener.accept()[0].close()
                listener.settimeout(None)
            row = row + 1 if raised == ALWAYS.get(name) else 0
            if row == ENOUGH and number > 2 * ENOUGH:
                break
        listener.close()
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
