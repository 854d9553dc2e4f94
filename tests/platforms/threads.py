"""Threads that share sockets at random: ``python threads.py [--seconds S] [--seed N] [--threads N]``.

Meant for a Python without the GIL, and right on any. Each thread makes random calls on sockets that all of them share,
and now and then closes one and puts another one in its place. What has to hold whatever comes between: a call gives a
result or raises OSError; a pair's bytes are that pair's, for a descriptor that went to somebody else would show a
stranger's; look-ups give the answer to their own question; no thread hangs; and every descriptor is closed in the end.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable

import socketpkg as socket

PAIRS = 8
SERVICES = {"http": 80, "domain": 53, "https": 443, "ssh": 22}
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}


class Shared:
    """The sockets that all threads use."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.01)
        self.pairs = [self.pair(number) for number in range(PAIRS)]
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind(("127.0.0.1", 0))
        self.receiver.settimeout(0.01)
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.connect(self.receiver.getsockname())
        self.sender.settimeout(0.01)
        self.end = False
        self.calls = 0
        self.failures: list[str] = []

    def pair(self, number: int) -> tuple[socket.socket, socket.socket, int]:
        """A pair of sockets with the one byte that its data consists of."""
        one, two = socket.socketpair()
        one.settimeout(0.01)
        two.settimeout(0.01)
        return one, two, number


def transfer(shared: Shared, draw: random.Random) -> None:
    one, two, number = draw.choice(shared.pairs)
    kind = draw.randrange(8)
    size = draw.choice((1, 100, 5000, 70000))
    data = bytes([number]) * size
    if kind == 0:
        one.send(data)
    elif kind == 1:
        one.sendall(data[:5000])
    elif kind == 2:
        one.sendmsg([data[:1], data[1:]])
    elif kind == 3:
        check(two.recv(size), number)
    elif kind == 4:
        room = bytearray(size)
        check(room[: two.recv_into(room)], number)
    elif kind == 5:
        check(two.recvmsg(size)[0], number)
    elif kind == 6:
        check(two.recvfrom(size)[0], number)
    else:
        with two.makefile("rb", buffering=0) as file:
            check(file.read(size) or b"", number)


def check(data: bytes | bytearray, number: int) -> None:
    assert set(data) <= {number}, f"{set(data)} in the pair of {number}"


def segments(shared: Shared, draw: random.Random) -> None:
    if draw.random() < 0.5:
        size = draw.choice((50, 100, 200))
        shared.sender.send_segments(bytes([PAIRS]) * size * draw.randrange(1, 5), size)
    else:
        received, _ = shared.receiver.recv_segments(65535)
        for segment in received:
            assert len(segment) in (50, 100, 200), len(segment)
            check(segment, PAIRS)


def look(shared: Shared, draw: random.Random) -> None:
    one, two, _ = draw.choice(shared.pairs)
    draw.choice(
        (
            one.fileno,
            one.getsockname,
            two.getpeername,
            lambda: repr(one),
            lambda: one.settimeout(draw.choice((0.01, 0.02))),
            lambda: two.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE),
            lambda: one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536),
            lambda: one.dup().close(),
            two.gettimeout,
            lambda: socket.setdefaulttimeout(draw.choice((0.01, 0.02))),
            socket.getdefaulttimeout,
        )
    )()


def replace(shared: Shared, draw: random.Random) -> None:
    number = draw.randrange(PAIRS)
    one, two, _ = shared.pairs[number]
    shared.pairs[number] = shared.pair(number)
    for sock in draw.sample((one, two), 2):
        # A plain close gives the number away while another thread is about to use it, as the standard library's does.
        sock.close(wake=True)


def ask(shared: Shared, draw: random.Random) -> None:
    name, port = draw.choice([*SERVICES.items()])
    assert socket.getservbyname(name) == port, name
    assert socket.getservbyport(port) == name, port
    protocol, number = draw.choice([*PROTOCOLS.items()])
    assert socket.getprotobyname(protocol) == number, protocol
    host = f"127.0.0.{draw.randrange(1, 250)}"
    assert socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4] == (host, port)
    assert socket.gethostbyname(host) == host


def connect(shared: Shared, draw: random.Random) -> None:
    if draw.random() < 0.5:
        connection, address = shared.listener.accept()
        with connection:
            assert address[0] == "127.0.0.1"
    else:
        with socket.create_connection(shared.listener.getsockname(), 0.05) as client:
            assert client.getpeername() == shared.listener.getsockname()


ACTIONS: list[Callable[[Shared, random.Random], None]] = [transfer, segments, look, replace, ask, connect]


def work(shared: Shared, seed: int) -> None:
    draw = random.Random(seed)
    calls = 0
    while not shared.end:
        (action,) = draw.choices(ACTIONS, (20, 4, 8, 2, 1, 1))
        calls += 1
        try:
            action(shared, draw)
        except OSError:
            pass
        except BaseException:
            shared.failures.append(traceback.format_exc())
            shared.end = True
    shared.calls += calls


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"{socket.__backend__}, GIL {'on' if gil else 'off'}, seed {seed}", flush=True)
    socket.getservbyname("http")  # what opens files once
    before = len(os.listdir("/dev/fd"))
    shared = Shared()
    threads = [
        threading.Thread(target=work, args=(shared, seed + number), daemon=True) for number in range(options.threads)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and not shared.end:
        time.sleep(0.05)
    shared.end = True
    for thread in threads:
        thread.join(60)
        if thread.is_alive():
            shared.failures.append(f"{thread.name} hangs")
    for one, two, _ in shared.pairs:
        one.close()
        two.close()
    for sock in (shared.listener, shared.receiver, shared.sender):
        sock.close()
    gc.collect()
    left = len(os.listdir("/dev/fd")) - before
    if left > 0:
        shared.failures.append(f"{left} descriptors are left open")
    print(f"{shared.calls} calls")
    print(*shared.failures, sep="\n", file=sys.stderr)
    # A thread that hangs would keep the process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if shared.failures else 0)


if __name__ == "__main__":
    main()
