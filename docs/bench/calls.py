"""Every call beside the standard library's, the slowest first: ``python docs/bench/calls.py [BACKEND ...]``.

For each backend a process of its own measures each of `CALLS` on it and on the standard library, turn about: the ratio
of the least times, of many rounds. The table that is printed as Markdown begins with what has the highest ratio on the
first backend. ``--above 1.1`` leaves out what is no slower than that on it; ``--rounds`` is how many there are.

It is no part of `python -m socketpkg bench`, whose rows have goals and a loop in C: this one looks for the call that
nobody thought of.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

#: One turn of each, with the names that `names` gives. What begins with "fails:" raises.
CALLS = """
one.send(b"x"); two.recv(9)
one.sendall(bytearray(9)); two.recv_into(room)
one.sendmsg([b"x"]); two.recvmsg(99)
one.sendmsg([b"x", room[:3], memoryview(b"y")]); two.recvmsg(99)
one.sendmsg([b"x"]); two.recvmsg_into([room])
one.sendmsg([b"x"]); two.recvmsg_into([room, bytearray(3)])
one.sendmsg([b"x"], rights); close(unpack("i", two.recvmsg(9, 99)[1][0][2])[0])
S.send_fds(one, [b"x"], [one.fileno()]); close(S.recv_fds(two, 9, 1)[1][0])
udp.sendto(b"x", address); udp.recvfrom(9)
udp.sendto(b"x", address); udp.recvfrom_into(room)
udp.sendto(b"x", ("localhost", address[1])); udp.recvfrom(9)
udp.sendto(b"x", (b"127.0.0.1", address[1])); udp.recvfrom(9)
udp.sendmsg([b"x"], [], 0, address); udp.recvmsg(9)
udp6.sendto(b"x", address6); udp6.recvfrom(9)
udp6.sendto(b"x", ("::1", address6[1])); udp6.recvfrom(9)
udp6.sendto(b"x", ("::1", address6[1], 3, 0)); udp6.recvfrom(9)
unix.sendto(b"x", abstract); unix.recvfrom(9)
unix.sendto(b"x", abstract.decode()); unix.recvfrom(9)
unix.sendto(b"x", bytearray(abstract)); unix.recvfrom(9)
named.sendto(b"x", path); named.recvfrom(9)
named.sendto(b"x", path.encode()); named.recvfrom(9)
tcp.send(b"x"); peer.recv(9)
tcp.sendall(b"x"); peer.recv(1, S.MSG_WAITALL)
file.write(b"x"); lines.read(1)
tcp.getpeername()
tcp.getsockname()
udp6.getsockname()
unix.getsockname()
named.getsockname()
udp.connect(address)
udp6.connect(address6)
tcp.getsockopt(S.SOL_SOCKET, S.SO_ERROR)
tcp.getsockopt(S.SOL_SOCKET, S.SO_LINGER, 8)
tcp.setsockopt(S.SOL_SOCKET, S.SO_KEEPALIVE, True)
tcp.setsockopt(S.SOL_SOCKET, S.SO_LINGER, bytes(8))
tcp.setsockopt(S.SOL_SOCKET, S.SO_LINGER, bytearray(8))
other.settimeout(2.5)
other.settimeout(None)
other.gettimeout()
other.timeout
other.setblocking(False)
other.setblocking(True)
other.getblocking()
other.fileno()
other.family
other.type
other.proto
other.get_inheritable()
other.set_inheritable(False)
repr(tcp)
S.socket().close()
S.socket(S.AF_UNIX).close()
S.socket(S.AF_INET6, S.SOCK_DGRAM).close()
S.socket(fileno=S.dup(udp.fileno())).close()
S.fromfd(udp.fileno(), udp.family, udp.type).close()
udp.dup().close()
S.close(S.dup(udp.fileno()))
[sock.close() for sock in S.socketpair()]
S.create_connection(listening).close(); server.accept()[0].close()
S.create_server(("127.0.0.1", 0)).close()
S.has_dualstack_ipv6()
tcp.makefile("rb").close()
tcp.makefile("rwb").close()
tcp.makefile("r").close()
S.htons(80)
S.ntohs(80)
S.htonl(80)
S.ntohl(80)
S.CMSG_LEN(4)
S.CMSG_SPACE(4)
S.inet_aton("127.0.0.1")
S.inet_ntoa(bytes(4))
S.inet_ntoa(bytearray(4))
S.inet_pton(S.AF_INET, "127.0.0.1")
S.inet_pton(S.AF_INET6, "::1")
S.inet_ntop(S.AF_INET, bytes(4))
S.inet_ntop(S.AF_INET, bytearray(4))
S.inet_ntop(S.AF_INET6, memoryview(bytes(16)))
S.getaddrinfo("127.0.0.1", 80)
S.getaddrinfo("::1", "80")
S.getaddrinfo(b"127.0.0.1", b"80")
S.getaddrinfo("localhost", 80, type=S.SOCK_STREAM)
S.getaddrinfo("localhost", None, flags=S.AI_CANONNAME)
S.getaddrinfo(None, 80)
S.getnameinfo(("127.0.0.1", 80), S.NI_NUMERICHOST | S.NI_NUMERICSERV)
S.getnameinfo(("::1", 80, 3, 0), S.NI_NUMERICHOST | S.NI_NUMERICSERV)
S.gethostbyname("127.0.0.1")
S.gethostbyname("localhost")
S.gethostbyname(b"localhost")
S.gethostbyname_ex("127.0.0.1")
S.gethostbyaddr("127.0.0.1")
S.gethostname()
S.getfqdn("127.0.0.1")
S.getservbyname("http")
S.getservbyname("http", "tcp")
S.getservbyport(80)
S.getprotobyname("tcp")
S.if_nameindex()
S.if_nametoindex("lo")
S.if_nametoindex(b"lo")
S.if_indextoname(1)
S.getdefaulttimeout()
S.setdefaulttimeout(None)
S.AddressFamily(2)
fails: empty.recv(1)
fails: empty.recv_into(room)
fails: empty.recvfrom(1)
fails: empty.recvfrom_into(room)
fails: empty.recvmsg(1)
fails: empty.recvmsg_into([room])
fails: waiting.accept()
fails: tcp.connect(listening)
fails: udp.bind(address)
fails: empty.getpeername()
fails: udp.getsockopt(S.SOL_SOCKET, 9999)
fails: udp.send("x")
fails: udp.sendto(b"x", 5)
fails: udp.sendto(b"x", ("127.0.0.1", 70000))
fails: S.inet_aton("x")
fails: S.inet_pton(S.AF_INET, "x")
fails: S.inet_ntoa(b"x")
fails: S.getservbyname("nonesuch")
fails: S.if_nametoindex("nonesuch")
fails: S.getaddrinfo("127.0.0.1", "nonesuch")
""".strip().splitlines()


def has_ipv6() -> bool:
    """Whether the loopback has its address of IPv6, which some machines and containers lack."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


if not has_ipv6():
    CALLS = [call for call in CALLS if "udp6" not in call]

FAILS = "fails: "
#: What they raise.
FAILURES = (OSError, TypeError, OverflowError)
#: About how long a round of one call lasts, in seconds, and the turns that come before the first.
ROUND, WARM_UP = 0.0015, 20


@contextlib.contextmanager
def names(S: Any) -> Iterator[dict[str, Any]]:
    """What the calls are about, made by a module like the standard library's."""
    with contextlib.ExitStack() as opened:

        def made(sock: Any, address: Any = None) -> Any:
            opened.callback(sock.close)
            if address is not None:
                sock.bind(address)
            return sock

        one, two = map(made, S.socketpair(S.AF_UNIX, S.SOCK_DGRAM))
        udp = made(S.socket(S.AF_INET, S.SOCK_DGRAM), ("127.0.0.1", 0))
        six = has_ipv6()
        udp6 = made(S.socket(S.AF_INET6, S.SOCK_DGRAM), ("::1", 0)) if six else None
        empty = made(S.socket(S.AF_INET, S.SOCK_DGRAM), ("127.0.0.1", 0))
        server, waiting = (made(S.create_server(("127.0.0.1", 0))) for _ in range(2))
        empty.setblocking(False)
        waiting.setblocking(False)
        tcp = made(S.create_connection(server.getsockname()))
        peer = made(server.accept()[0])
        path = opened.enter_context(tempfile.TemporaryDirectory()) + "/é"
        abstract = f"\0{S.__name__} {os.getpid()}".encode()
        yield {
            "S": S,
            "abstract": abstract,
            "address": udp.getsockname(),
            "address6": udp6.getsockname() if six else None,
            "close": os.close,
            "empty": empty,
            "file": opened.enter_context(tcp.makefile("wb", buffering=0)),
            "lines": opened.enter_context(peer.makefile("rb")),
            "listening": server.getsockname(),
            "named": made(S.socket(S.AF_UNIX, S.SOCK_DGRAM), path),
            "one": one,
            "other": made(S.socket()),
            "path": path,
            "peer": peer,
            "rights": [(S.SOL_SOCKET, S.SCM_RIGHTS, struct.pack("i", one.fileno()))],
            "room": bytearray(99),
            "server": server,
            "tcp": tcp,
            "two": two,
            "udp": udp,
            "udp6": udp6,
            "unix": made(S.socket(S.AF_UNIX, S.SOCK_DGRAM), abstract),
            "unpack": struct.unpack,
            "waiting": waiting,
        }


def loop_of(call: str, given: dict[str, Any]) -> Callable[[int], None]:
    """A function that makes a call so many times. The names are local to it, as they mostly are in programs."""
    body = f"        {call}"
    if call.startswith(FAILS):
        body = f"        try:\n            {call.removeprefix(FAILS)}\n        except FAILURES:\n            pass"
    source = f"def loop(turns, {', '.join(given)}, FAILURES):\n    for _ in range(turns):\n{body}\n"
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return lambda turns: namespace["loop"](turns, **given, FAILURES=FAILURES)


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """By call: the nanoseconds of the standard library, and the ratio of the backend that this process has."""
    found = {}
    with names(importlib.import_module("socket")) as theirs, names(importlib.import_module("socketpkg")) as ours:
        for call in CALLS:
            loops = [loop_of(call, given) for given in (theirs, ours)]
            begin = time.perf_counter()
            loops[0](WARM_UP)
            turns = max(5, min(2000, int(ROUND * WARM_UP / (time.perf_counter() - begin))))
            loops[1](WARM_UP)
            least = [float("inf")] * 2
            for number in range(rounds):
                for which in (0, 1) if number % 2 else (1, 0):
                    begin = time.perf_counter()
                    loops[which](turns)
                    least[which] = min(least[which], (time.perf_counter() - begin) / turns)
            found[call] = least[0] * 1e9, least[1] / least[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("backends", nargs="*", default=["c", "cffi", "ctypes"], metavar="BACKEND")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--above", type=float, default=0.0, metavar="RATIO")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.json:
        json.dump(measure(options.rounds), sys.stdout)
        return
    results = {}
    for backend in options.backends:
        command = [sys.executable, __file__, "--json", "--rounds", str(options.rounds)]
        done = subprocess.run(
            command, env={**os.environ, "SOCKET_BACKEND": backend}, stdout=subprocess.PIPE, check=True
        )
        results[backend] = json.loads(done.stdout)
    first = results[options.backends[0]]
    print(f"| call | standard library | {' | '.join(f'`{backend}`' for backend in options.backends)} |")
    print(f"|---|---:|{'---:|' * len(options.backends)}")
    for call in sorted(CALLS, key=lambda call: -first[call][1]):
        if first[call][1] > options.above:
            ratios = " | ".join(f"{results[backend][call][1]:.2f}" for backend in options.backends)
            print(f"| `{call.replace('|', chr(92) + '|')}` | {first[call][0]:,.0f} ns | {ratios} |")


if __name__ == "__main__":
    main()
