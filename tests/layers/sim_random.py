"""Random programs of calls on sockets of the internet: `test_sim.py` runs them on the loopback and on ``sim``.

``python sim_random.py FIRST COUNT`` prints what each program of a seed told, as JSON. Nothing waits: a receive first
waits until something is there, for a moment that is long enough for the loopback.
"""

from __future__ import annotations

import json
import random
import select
import struct
import sys
from typing import Any

import socketpkg as socket

if __package__:
    from .sim_scenarios import Ports, told
else:
    from sim_scenarios import Ports, told

#: How many calls a program has, and how long nothing is to come, in seconds.
STEPS, MOMENT = 25, 0.02
HOSTS = {socket.AF_INET: ["127.0.0.1", "127.0.0.2", ""], socket.AF_INET6: ["::1", "::"]}
OPTIONS = [
    ("SOL_SOCKET", "SO_REUSEADDR"),
    ("SOL_SOCKET", "SO_REUSEPORT"),
    ("SOL_SOCKET", "SO_KEEPALIVE"),
    ("SOL_SOCKET", "SO_BROADCAST"),
    ("IPPROTO_TCP", "TCP_NODELAY"),
    ("IPPROTO_IP", "IP_TTL"),
    ("IPPROTO_IPV6", "IPV6_V6ONLY"),
]


class Program:
    """A program of a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sockets: list[Any] = []
        self.listening: set[Any] = set()

    def run(self) -> list[Any]:
        found: list[Any] = []
        actions = [self.make, self.bind, self.listen, self.connect, self.connect, self.accept, self.send, self.send]
        actions += [self.receive, self.receive, self.names, self.option, self.shut, self.close, self.sendto]
        try:
            self.make()
            for _ in range(STEPS):
                action = self.random.choice(actions) if self.sockets else self.make
                found.append([action.__name__, action()])
        finally:
            for sock in self.sockets:
                sock.close()
        return found

    def one(self) -> Any:
        return self.random.choice(self.sockets)

    def make(self) -> Any:
        family = self.random.choice([socket.AF_INET, socket.AF_INET, socket.AF_INET6])
        kind = self.random.choice([socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM])
        sock = socket.socket(family, kind)
        sock.settimeout(1)
        self.sockets.append(sock)
        return int(family), int(kind)

    def target(self) -> Any:
        """The address of another socket, as one can reach it."""
        address = list(self.one().getsockname())
        if address[0] in ("0.0.0.0", "::"):
            address[0] = "127.0.0.1" if address[0] == "0.0.0.0" else "::1"
        return tuple(address)

    def bind(self) -> Any:
        sock, other = self.one(), self.one()
        host = self.random.choice(HOSTS[sock.family])
        taken = self.random.random() < 0.3
        return told(sock.bind, (host, other.getsockname()[1] if taken else 0))

    def listen(self) -> Any:
        sock = self.one()
        found = told(sock.listen)
        if found is None:
            self.listening.add(sock)
        return found

    def connect(self) -> Any:
        sock, target = self.one(), self.target()
        if (
            len(target) != len(sock.getsockname())
            or not target[1]
            or sock in self.listening
            or sock.getsockname()[1] == target[1]
        ):
            return "not tried"  # to connect to oneself works on TCP, and here it does not
        if sock.type == socket.SOCK_STREAM and sock.getsockname()[1]:
            return "not tried"
        return told(sock.connect_ex, target)

    def accept(self) -> Any:
        sock = self.one()
        if sock.type == socket.SOCK_STREAM and not select.select([sock], [], [], MOMENT)[0]:
            return "nobody"
        if sock.type == socket.SOCK_STREAM and sock not in self.listening:
            return "no listener"
        try:
            new, address = sock.accept()
        except OSError as failure:
            return failure.errno
        new.settimeout(1)
        self.sockets.append(new)
        return address, new.getsockname()

    def send(self) -> Any:
        return told(self.one().send, bytes([self.random.randrange(256)]) * self.random.randrange(1, 2000))

    def sendto(self) -> Any:
        sock, target = self.one(), self.target()
        if sock.type != socket.SOCK_DGRAM or not target[1] or len(target) != len(sock.getsockname()):
            return "not tried"
        return told(sock.sendto, b"datagram", target)

    def receive(self) -> Any:
        sock = self.one()
        if sock in self.listening or not select.select([sock], [], [], MOMENT)[0]:
            return "nothing"
        return told(sock.recv, self.random.choice([1, 100, 5000]))

    def names(self) -> Any:
        sock = self.one()
        return told(sock.getsockname), told(sock.getpeername)

    def option(self) -> Any:
        sock = self.one()
        level, name = (getattr(socket, word) for word in self.random.choice(OPTIONS))
        before = told(sock.getsockopt, level, name)
        return (
            before,
            told(sock.setsockopt, level, name, self.random.choice([0, 1])),
            told(sock.getsockopt, level, name),
        )

    def shut(self) -> Any:
        sock = self.one()
        # What a peer sends after SHUT_RD is taken by TCP, and not here.
        return "not tried" if sock in self.listening else told(sock.shutdown, socket.SHUT_WR)

    def close(self) -> Any:
        sock = self.one()
        if sock.type == socket.SOCK_STREAM and self.random.random() < 0.3:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sockets.remove(sock)
        self.listening.discard(sock)
        sock.close()
        return None


if __name__ == "__main__":
    first, count = map(int, sys.argv[1:])
    print(json.dumps({seed: Ports().plain(Program(seed).run()) for seed in range(first, first + count)}))
