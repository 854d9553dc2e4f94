"""The bare calls of the bridges, which `instructions` counts beside the operations.

What the cffi and the ctypes backend call for a turn of the benchmark's operations, with memory that is there and
arguments that are converted, and no method, state, exception or address around them; on ctypes with the structure of a
message filled in. Below these no method of theirs can get.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
from collections.abc import Callable
from typing import Any

from socketpkg._commands.bench.messages import PART
from socketpkg._commands.bench.scenario import BATCH, Loop, timed

#: What must live as long as the loops.
KEPT: list[object] = []


def repeated(turn: Callable[[], object], **around: Any) -> Loop:
    """A loop over the call of a function. What a call of one that does nothing takes is in every other one."""
    return timed("turn()", {"turn": turn}, around.pop("after", lambda found: None), **around)


def loops(backend: str) -> dict[str, Loop]:
    """The turns by the name of the scenario, over the raw functions of a backend."""
    import socket

    a, b = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    listener = socket.create_server(("127.0.0.1", 0))
    KEPT.extend([a, b, udp, listener])
    own, address = (
        struct.pack("=H", socket.AF_INET) + sock.getsockname()[1].to_bytes(2, "big") + b"\x7f\0\0\1" + bytes(8)
        for sock in (udp, listener)
    )
    one, two, datagrams, listening = a.fileno(), b.fileno(), udp.fileno(), listener.fileno()
    module: Any = importlib.import_module(f"socketpkg_{backend}.syscalls")
    calls = module.Syscalls()
    dontwait = calls._dontwait
    target, _ = calls._memory(1 << 18)
    room = calls._new_name()
    name, _, results = room
    control, control_view = calls._control_room(1024)
    rights = calls._control(((socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", 0)),))
    send, recv, sendto, recvfrom = calls._send, calls._recv, calls._sendto, calls._recvfrom
    sendmsg, recvmsg = calls._sendmsg, calls._recvmsg
    level, type, alive = socket.SOL_SOCKET, socket.SO_TYPE, socket.SO_KEEPALIVE
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    kind = socket.SOCK_STREAM | calls._cloexec
    get: Callable[[], object]
    put: Callable[[], object]
    ask: Callable[[], object]
    if backend == "cffi":
        lib, new = module.lib, module.ffi.new
        host, service, error = new("char[]", 1025), new("char[]", 64), new("int[]", 1)
        get = lambda: lib.held_getsockopt_int(one, level, type)  # noqa: E731
        put = lambda: lib.held_setsockopt_int(one, level, alive, 1)  # noqa: E731
        ask = lambda: lib.sp_getnameinfo(address, 16, host, 1025, service, 64, numeric, error)  # noqa: E731
    else:
        option, value, length = module._new_option()
        option.whole = module._EMPTY_OPTION
        host, service = module._HostName(), module._ServiceName()
        get = lambda: module._getsockopt(one, level, type, value, length)  # noqa: E731
        put = lambda: module._setsockopt(one, level, alive, value, 4)  # noqa: E731
        ask = lambda: module._getnameinfo(address, 16, host, 1025, service, 32, numeric)  # noqa: E731

    def connection() -> None:
        client = calls._socket(socket.AF_INET, kind, 0)
        calls._connect(client, address, 16)
        made: list[int] = []
        calls._accept(listening, room, made)
        os.close(made[0])
        os.close(client)

    def descriptor() -> None:
        sendmsg(one, b"x", 1, dontwait, b"", 0, rights, len(rights))
        recvmsg(two, target, 10, dontwait, name, control, 64, results)
        os.close(int.from_bytes(control_view[16:20], sys.byteorder))

    def taken_after(turn: Callable[[], object], size: int = 1) -> Loop:
        return repeated(turn, after=lambda found: os.read(two, size * found["count"]), batch=BATCH)

    def sent_before(turn: Callable[[], object], size: int = 1) -> Loop:
        return repeated(turn, before=lambda count: os.write(one, bytes(size * count)), batch=BATCH)

    def pair() -> None:
        made = calls._ints(2)
        calls._socketpair(socket.AF_UNIX, kind, 0, made)
        os.close(made[0])
        os.close(made[1])

    part = b"x" * PART
    turns = {
        "send-recv": lambda: (send(one, b"x", 1, dontwait), recv(two, target, 100, dontwait)),
        "eagain": lambda: recv(two, target, 1, dontwait),
        "udp4": lambda: (
            sendto(datagrams, b"x", 1, dontwait, own, 16),
            recvfrom(datagrams, target, 100, dontwait, name),
        ),
        "scm-rights": descriptor,
        "send-fds": descriptor,
        "socket-close": lambda: os.close(calls._socket(socket.AF_INET, kind, 0)),
        "with-socket": lambda: os.close(calls._socket(socket.AF_INET, kind, 0)),
        "socketpair": pair,
        "tcp": connection,
        "getsockname": lambda: calls._getsockname(datagrams, name),
        "getpeername": lambda: calls._getpeername(one, name),
        "getsockopt": get,
        "setsockopt": put,
        "getnameinfo": ask,
    }
    return {
        **{name: repeated(turn) for name, turn in turns.items()},
        "send": taken_after(lambda: send(one, b"x", 1, dontwait)),
        "recv": sent_before(lambda: recv(two, target, 1, dontwait)),
        "recv-into": sent_before(lambda: recv(two, target, 1, dontwait)),
        "sendmsg-1": taken_after(lambda: sendmsg(one, part, PART, dontwait, b"", 0, b"", 0), PART),
        "recvmsg-into-1": sent_before(lambda: recvmsg(two, target, PART, dontwait, name, b"", 0, results), PART),
    }
