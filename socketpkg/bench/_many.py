"""Many datagrams at once: what the standard library does one by one, against the calls that take many.

Every figure is the time of one datagram of 1,200 bytes over UDP loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from time import perf_counter_ns as now
from typing import Any

from ._scenario import Loop, Scenario, Skip, arrived

SIZE = 1200
#: As many as fit into a socket's receive buffer as every kernel makes it, and into one datagram's segments.
COUNT = 32


def _pair(s: Any) -> tuple[Any, Any]:
    a = s.socket(s.AF_INET, s.SOCK_DGRAM)
    b = s.socket(s.AF_INET, s.SOCK_DGRAM)
    for sock in (a, b):
        sock.bind(("127.0.0.1", 0))
    b.settimeout(30.0)  # a lost datagram shall fail the benchmark, and not stop it
    return a, b


def _datagrams() -> list[bytes]:
    return [bytes([number]) * SIZE for number in range(COUNT)]


def _one_by_one(s: Any) -> Iterator[Loop]:
    """The loop that the others are compared with."""
    a, b = _pair(s)
    with a, b:
        address, source = b.getsockname(), a.getsockname()
        datagrams = _datagrams()
        turns = range(COUNT)

        def loop(loops: int) -> int:
            received: list[Any] = []
            start = now()
            for _ in repeat(None, loops):
                for datagram in datagrams:
                    a.sendto(datagram, address)
                received = [b.recvfrom(SIZE) for _ in turns]
            elapsed = now() - start
            arrived(received, [(datagram, source) for datagram in datagrams], b)
            return elapsed

        yield loop


def _is_baseline(s: Any) -> bool:
    return bool(s.__name__ == "socket")


def _needs(sock: Any, *names: str) -> None:
    for name in names:
        if not hasattr(sock, name):
            raise Skip(f"its sockets have no {name}")


@contextmanager
def mmsg(s: Any) -> Iterator[Loop]:
    """sendmmsg and recvmmsg."""
    if _is_baseline(s):
        yield from _one_by_one(s)
        return
    a, b = _pair(s)
    with a, b:
        _needs(a, "sendmmsg", "recvmmsg")
        address = b.getsockname()
        datagrams = _datagrams()
        messages = [(datagram, address) for datagram in datagrams]

        def loop(loops: int) -> int:
            received: list[Any] = []
            start = now()
            for _ in repeat(None, loops):
                a.sendmmsg(messages)
                received = b.recvmmsg(COUNT, SIZE)
            elapsed = now() - start
            arrived([item[0] for item in received], datagrams, b)
            return elapsed

        yield loop


@contextmanager
def segments(s: Any) -> Iterator[Loop]:
    """UDP segmentation offload: send_segments, and a receive that takes what the kernel has coalesced (UDP_GRO)."""
    if _is_baseline(s):
        yield from _one_by_one(s)
        return
    a, b = _pair(s)
    with a, b:
        _needs(a, "send_segments", "recv_segments")
        address = b.getsockname()
        datagrams = _datagrams()
        data = b"".join(datagrams)

        def loop(loops: int) -> int:
            received: list[Any] = []
            start = now()
            for _ in repeat(None, loops):
                a.send_segments(data, SIZE, address)
                received = b.recv_segments(1 << 16)[0]
                while len(received) < COUNT:
                    received += b.recv_segments(1 << 16)[0]
            elapsed = now() - start
            arrived([bytes(item) for item in received], datagrams, b)
            return elapsed

        yield loop


MANY = (
    Scenario("mmsg", "sendmmsg + recvmmsg, against sendto + recvfrom", mmsg, {"c": 0.7}, calls=COUNT),
    Scenario("segments", "send_segments + UDP_GRO, against sendto + recvfrom", segments, {"c": 0.06}, calls=COUNT),
)
