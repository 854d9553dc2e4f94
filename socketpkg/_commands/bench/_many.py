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
#: As many as one call of sendmmsg may reasonably have, and a receive buffer of the usual size has room for.
COUNT = 32
#: As many as the kernel cuts from one send: it takes no more than a datagram can hold, 65,507 bytes.
SEGMENTS = 54


def _pair(s: Any) -> tuple[Any, Any]:
    a = s.socket(s.AF_INET, s.SOCK_DGRAM)
    b = s.socket(s.AF_INET, s.SOCK_DGRAM)
    for sock in (a, b):
        sock.bind(("127.0.0.1", 0))
    b.settimeout(30.0)  # a lost datagram shall fail the benchmark, and not stop it
    return a, b


def _datagrams(count: int) -> list[bytes]:
    return [bytes([number]) * SIZE for number in range(count)]


def _one_by_one(s: Any, count: int) -> Iterator[Loop]:
    """The loop that the others are compared with."""
    a, b = _pair(s)
    with a, b:
        address, source = b.getsockname(), a.getsockname()
        datagrams = _datagrams(count)
        turns = range(count)

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
        yield from _one_by_one(s, COUNT)
        return
    a, b = _pair(s)
    with a, b:
        _needs(a, "sendmmsg", "recvmmsg")
        address, source = b.getsockname(), a.getsockname()
        datagrams = _datagrams(COUNT)
        messages = [(datagram, address) for datagram in datagrams]

        def loop(loops: int) -> int:
            received: list[Any] = []
            start = now()
            for _ in repeat(None, loops):
                a.sendmmsg(messages)
                received = b.recvmmsg(COUNT, SIZE)
                while len(received) < COUNT:
                    received += b.recvmmsg(COUNT - len(received), SIZE)
            elapsed = now() - start
            arrived(received, [(datagram, source) for datagram in datagrams], b)
            return elapsed

        yield loop


@contextmanager
def segments(s: Any) -> Iterator[Loop]:
    """UDP segmentation offload: send_segments, and a receive that takes what the kernel has coalesced (UDP_GRO)."""
    if _is_baseline(s):
        yield from _one_by_one(s, SEGMENTS)
        return
    a, b = _pair(s)
    with a, b:
        _needs(a, "send_segments", "recv_segments")
        address = b.getsockname()
        datagrams = _datagrams(SEGMENTS)
        data = b"".join(datagrams)

        def loop(loops: int) -> int:
            received: list[Any] = []
            start = now()
            for _ in repeat(None, loops):
                a.send_segments(data, SIZE, address)
                received = b.recv_segments(1 << 16)[0]
                while len(received) < SEGMENTS:
                    received += b.recv_segments(1 << 16)[0]
            elapsed = now() - start
            arrived(received, datagrams, b)
            return elapsed

        yield loop


MANY = (
    Scenario("mmsg", "sendmmsg + recvmmsg, against sendto + recvfrom", mmsg, {"c": 0.7}, calls=COUNT),
    Scenario("segments", "send_segments + UDP_GRO, against sendto + recvfrom", segments, {"c": 0.06}, calls=SEGMENTS),
)
