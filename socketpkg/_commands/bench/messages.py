"""The operations on messages: several buffers, and descriptors that are handed over."""

from __future__ import annotations

import array
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .scenario import BATCH, Loop, arrived, counted, timed

#: The bytes of each buffer.
PART = 16
#: How many buffers a socketpair is sent before they are received.
MOST_PARTS = 8192


def _batch(number: int) -> int:
    return min(BATCH, MOST_PARTS // number)


def _message(number: int) -> bytes:
    """What goes through that many buffers: each has other bytes."""
    return b"".join(position.to_bytes(PART, "big") for position in range(number))


def sendmsg(number: int) -> Any:
    """A message of *number* buffers; receiving it is not timed."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        a, b = s.socketpair()
        with a, b:
            message = _message(number)
            parts = [message[start : start + PART] for start in range(0, len(message), PART)]

            def after(found: dict[str, Any]) -> None:
                counted(found["sent"], len(message), "bytes")
                expected = message * found["count"]
                arrived(os.read(b.fileno(), len(expected)), expected, b)

            yield timed("sent = a.sendmsg(parts)", {"a": a, "parts": parts}, after, batch=_batch(number))

    return setup


def recvmsg_into(number: int) -> Any:
    """A message received into *number* buffers; sending it is not timed."""

    @contextmanager
    def setup(s: Any) -> Iterator[Loop]:
        a, b = s.socketpair()
        with a, b:
            message = _message(number)
            rooms = [bytearray(PART) for _ in range(number)]

            def before(count: int) -> None:
                for room in rooms:
                    room[:] = bytes([255]) * PART
                counted(os.write(a.fileno(), message * count), len(message) * count, "bytes")

            def after(found: dict[str, Any]) -> None:
                counted(found["got"][0], len(message), "bytes")
                arrived(b"".join(rooms), message, b)

            yield timed("got = b.recvmsg_into(rooms)", {"b": b, "rooms": rooms}, after, before, _batch(number))

    return setup


_RIGHTS = """
a.sendmsg([b'x'], ancillary)
data, items, flags, address = b.recvmsg(1, space)
descriptor = int_of(items[0][2], order)
close(descriptor)
"""


@contextmanager
def scm_rights(s: Any) -> Iterator[Loop]:
    """A descriptor handed over with a byte, and closed by the receiver."""
    a, b = s.socketpair()
    with a, b, open(os.devnull) as file:
        ancillary = [(s.SOL_SOCKET, s.SCM_RIGHTS, array.array("i", [file.fileno()]))]
        space = s.CMSG_SPACE(array.array("i").itemsize)
        same = os.fstat(file.fileno())[1:3]
        order, close, int_of = sys.byteorder, os.close, int.from_bytes

        def after(found: dict[str, Any]) -> None:
            arrived((found["data"], found["items"][0][:2]), (b"x", (s.SOL_SOCKET, s.SCM_RIGHTS)), b)
            a.sendmsg([b"x"], ancillary)
            descriptor = int.from_bytes(b.recvmsg(1, space)[1][0][2], sys.byteorder)
            arrived(os.fstat(descriptor)[1:3], same)
            os.close(descriptor)

        names = {"a": a, "b": b, "ancillary": ancillary, "space": space}
        yield timed(_RIGHTS.strip(), {**names, "order": order, "close": close, "int_of": int_of}, after)


_FDS = """
send_fds(a, [b'x'], descriptors)
data, received, flags, address = recv_fds(b, 1, 1)
close(received[0])
"""


@contextmanager
def send_fds(s: Any) -> Iterator[Loop]:
    """The same by send_fds and recv_fds."""
    a, b = s.socketpair()
    with a, b, open(os.devnull) as file:
        names = {"a": a, "b": b, "descriptors": [file.fileno()], "close": os.close}
        same = os.fstat(file.fileno())[1:3]

        def after(found: dict[str, Any]) -> None:
            arrived((found["data"], len(found["received"])), (b"x", 1), b)
            s.send_fds(a, [b"x"], [file.fileno()])
            (descriptor,) = s.recv_fds(b, 1, 1)[1]
            arrived(os.fstat(descriptor)[1:3], same)
            os.close(descriptor)

        yield timed(_FDS.strip(), {**names, "send_fds": s.send_fds, "recv_fds": s.recv_fds}, after)
