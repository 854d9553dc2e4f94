"""How many instructions the bare calls of a bridge take: ``python docs/bench/bridge.py``.

The second table of instructions in performance.md: what the cffi and the ctypes backend call for a turn, with memory
that is there and arguments that are converted. Below these no method of theirs can get. Needs valgrind, as
instructions.py does, whose way of counting this is.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
from collections.abc import Callable
from typing import Any

import instructions


def rows(backend: str) -> dict[str, Callable[[], object]]:
    """The turns by name, over the raw functions of a backend."""
    import socket

    a, b = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    listener = socket.create_server(("127.0.0.1", 0))
    instructions.KEPT.extend([a, b, udp, listener])
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

    return {
        "nothing": lambda: None,
        "send + recv of 1 byte": lambda: (send(one, b"x", 1, dontwait), recv(two, target, 100, dontwait)),
        "UDP sendto + recvfrom": lambda: (
            sendto(datagrams, b"x", 1, dontwait, own, 16),
            recvfrom(datagrams, target, 100, dontwait, name),
        ),
        "getsockopt of an int": get,
        "setsockopt of an int": put,
        "getsockname": lambda: calls._getsockname(datagrams, name),
        "socket() + close()": lambda: os.close(calls._socket(socket.AF_INET, kind, 0)),
        "socket() + connect + accept + close() of both": connection,
        "getnameinfo of a numeric host and port": ask,
        "sendmsg of 1 buffer of 16 bytes + recv": lambda: (
            sendmsg(one, b"x" * 16, 16, dontwait, b"", 0, b"", 0),
            recv(two, target, 100, dontwait),
        ),
        "send + recvmsg of 16 bytes": lambda: (
            send(one, b"x" * 16, 16, dontwait),
            recvmsg(two, target, 100, dontwait, name, b"", 0, results),
        ),
        "sendmsg + recvmsg with a descriptor, and os.close() of it": descriptor,
    }


def main() -> None:
    if sys.argv[1:2] == ["--turns"]:
        of_backend = rows(sys.argv[2])
        instructions.take_turns(of_backend, sys.argv[2], list(of_backend))
        return
    print(instructions.table({name: instructions.count(name, [], __file__) for name in ("cffi", "ctypes")}))


if __name__ == "__main__":
    main()
