"""How many instructions a turn takes outside of the kernel: ``python docs/bench/instructions.py [ROW ...]``.

Counts the rows of the table in performance.md, on the standard library and each backend, below valgrind's callgrind
(https://valgrind.org), which it needs. A count hardly depends on what else the machine does. ``--list`` names the rows;
``--target NAME`` counts on that one only, and may be repeated. The table goes to the standard output, as Markdown.

Each row is a function of the module under test. It makes 100 turns, and then a child process of its own makes 20, and
another one 220: the difference of what the two took is that of 200 turns.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

TARGETS = ("stdlib", "c", "cffi", "ctypes")
TITLES = {"stdlib": "the standard library", "c": "`c`", "cffi": "`cffi`", "ctypes": "`ctypes`"}
WARMUP, FEW, MANY = 100, 20, 220
#: What must live as long as the rows.
KEPT: list[object] = []


def rows(socket: Any) -> dict[str, Callable[[], object]]:
    """The rows by name, over a module that is or replaces the standard library's."""
    a, b = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    own = udp.getsockname()
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    room = bytearray(100)
    block = b"x" * 16384
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"\0\0\0\0")]
    few, many = [b"x" * 16], [b"x" * 16] * 64
    arrays = [bytearray(16) for _ in range(64)]
    views = [memoryview(array) for array in arrays]

    def received(into: list[Any]) -> None:
        a.send(block[: 16 * len(into)])
        b.recvmsg_into(into)

    def pair() -> None:
        x, y = socket.socketpair()
        x.close()
        y.close()

    def with_socket() -> None:
        with socket.socket():
            pass

    def accepted(client: Any) -> None:
        server, _ = listener.accept()
        server.close()
        client.close()

    def connected() -> None:
        client = socket.socket()
        client.connect(address)
        accepted(client)

    def fds() -> None:
        socket.send_fds(a, [b"x"], [0])
        os.close(socket.recv_fds(b, 1, 1)[1][0])

    def descriptor() -> None:
        a.sendmsg([b"x"], rights)
        os.close(int.from_bytes(b.recvmsg(10, 64)[1][0][2], sys.byteorder))

    return {
        "send + recv of 1 byte": lambda: (a.send(b"x"), b.recv(100)),
        "send + recv_into of 1 byte": lambda: (a.send(b"x"), b.recv_into(room)),
        "UDP sendto + recvfrom": lambda: (udp.sendto(b"x", own), udp.recvfrom(100)),
        "getsockopt of an int": lambda: a.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE),
        "getsockopt of bytes": lambda: a.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, 4),
        "setsockopt of an int": lambda: a.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        "getsockname": udp.getsockname,
        "settimeout(5)": lambda: udp.settimeout(5),
        "settimeout(2.5)": lambda: udp.settimeout(2.5),
        "settimeout(None)": lambda: udp.settimeout(None),
        "socket() + close()": lambda: socket.socket().close(),
        "with socket()": with_socket,
        "socketpair() + close() of both": pair,
        "dup() + close()": lambda: a.dup().close(),
        "socket() + connect + accept + close() of both": connected,
        "create_connection + accept + close() of both": lambda: accepted(socket.create_connection(address)),
        "getnameinfo of a numeric host and port": lambda: socket.getnameinfo(("127.0.0.1", 80), numeric),
        "sendmsg of 1 buffer of 16 bytes + recv": lambda: (a.sendmsg(few), b.recv(4096)),
        "sendmsg of 2 + recv": lambda: (a.sendmsg(few * 2), b.recv(4096)),
        "sendmsg of 64 + recv": lambda: (a.sendmsg(many), b.recv(4096)),
        "sendmsg of 64 bytearrays + recv": lambda: (a.sendmsg(arrays), b.recv(4096)),
        "send + recvmsg of 16 bytes": lambda: (a.send(few[0]), b.recvmsg(100)),
        "send + recvmsg_into of 1 buffer of 16 bytes": lambda: received(arrays[:1]),
        "send + recvmsg_into of 2": lambda: received(arrays[:2]),
        "send + recvmsg_into of 64": lambda: received(arrays),
        "send + recvmsg_into of 64 views": lambda: received(views),
        "send_fds + recv_fds + os.close()": fds,
        "sendmsg + recvmsg with a descriptor, and os.close() of it": descriptor,
        "send + recv of 16 KiB": lambda: (a.send(block), b.recv(16384)),
    }


def rows_of(target: str) -> dict[str, Callable[[], object]]:
    """The rows on a target."""
    if target != "stdlib":
        os.environ["SOCKET_BACKEND"] = target
    return rows(importlib.import_module("socket" if target == "stdlib" else "socketpkg"))


def take_turns(all_rows: dict[str, Callable[[], object]], target: str, names: list[str]) -> None:
    """The process that is counted."""
    for name in names:
        turn = all_rows[name]
        for _ in range(WARMUP):
            turn()
        for turns in (FEW, MANY):
            child = os.fork()
            if not child:
                for _ in range(turns):
                    turn()
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                raise SystemExit(f"{target}: {name} failed")
            print("turns", child, turns, name, flush=True)


def count(target: str, names: list[str], program: str = __file__) -> dict[str, int]:
    """The instructions of a turn of each of these rows of a *program*."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}.%p"]
        command += [sys.executable, program, "--turns", target, *names]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the turns on {target} ended with status {done.returncode}")
        totals: dict[str, dict[int, int]] = {}
        for child, turns, name in re.findall(r"^turns (\d+) (\d+) (.*)$", done.stdout, re.MULTILINE):
            collected = re.search(r"Collected : (\d+)", Path(f"{log}.{child}").read_text(errors="replace"))
            if collected is None:
                raise SystemExit(f"valgrind has counted nothing of {name} on {target}")
            totals.setdefault(name, {})[int(turns)] = int(collected[1])
    return {name: round((of[MANY] - of[FEW]) / (MANY - FEW)) for name, of in totals.items()}


def table(counts: dict[str, dict[str, int]]) -> str:
    """The counts of each target as a table, with the ratio to those of the first."""
    first, *others = counts
    lines = [f"| one turn | {' | '.join(TITLES[target] for target in counts)} |", "|---|" + "---:|" * len(counts)]
    for name, number in counts[first].items():
        cells = [f"{number:,}"]
        cells += [f"{counts[target][name]:,} ({counts[target][name] / number:.2f})" for target in others]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all of them if none is named")
    parser.add_argument("--target", action="append", choices=TARGETS, help="all of them if none is named")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("--turns", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turns:
        take_turns(rows_of(options.turns), options.turns, options.rows)
        return
    known = list(rows(importlib.import_module("socket")))
    if options.list:
        print("\n".join(known))
        return
    unknown = [name for name in options.rows if name not in known]
    if unknown:
        parser.error(f"there is no row {unknown[0]!r}; --list names them")
    if shutil.which("valgrind") is None:
        raise SystemExit("this counts below valgrind, which is not installed (apt install valgrind, for one)")
    print(table({target: count(target, options.rows or known) for target in options.target or TARGETS}))


if __name__ == "__main__":
    main()
