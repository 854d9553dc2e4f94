"""Many datagrams in one call: `sendto` and `recvfrom` on the standard library, against the calls that take many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from socketpkg._commands.bench.operations import NUMERIC
from socketpkg._commands.bench.scenario import Loop, Scenario, Skip, arrived, timed

#: The size of a datagram, those of one sendmmsg, and those that the kernel cuts from one send.
SIZE, COUNT, SEGMENTS = 1200, 32, 54


def _datagrams(s: Any, count: int, body: str, *needed: str) -> Iterator[Loop]:
    a, b = s.socket(s.AF_INET, s.SOCK_DGRAM), s.socket(s.AF_INET, s.SOCK_DGRAM)
    with a, b:
        for sock in (a, b):
            sock.bind((NUMERIC, 0))
        b.settimeout(30.0)  # a lost datagram shall fail the benchmark, and not stop it
        address, source = b.getsockname(), a.getsockname()
        datagrams = [bytes([number]) * SIZE for number in range(count)]
        with_source = [(datagram, source) for datagram in datagrams]
        one_by_one = s.__name__ == "socket"
        if one_by_one:
            body = "for datagram in datagrams:\n    a.sendto(datagram, address)\n"
            body += "received = [b.recvfrom(size) for _ in range(most)]"
        elif missing := [name for name in needed if not hasattr(a, name)]:
            raise Skip(f"its sockets have no {missing[0]}")
        expected = datagrams if needed[0] == "send_segments" and not one_by_one else with_source
        names = {"a": a, "b": b, "datagrams": datagrams, "address": address, "size": SIZE, "most": count}
        names |= {"messages": [(one, address) for one in datagrams], "data": b"".join(datagrams)}
        yield timed(body, names, lambda found: arrived(found["received"], expected, b))


_MMSG = """
a.sendmmsg(messages)
received = b.recvmmsg(most, size)
while len(received) < most:
    received += b.recvmmsg(most - len(received), size)
"""
_SEGMENTS = """
a.send_segments(data, size, address)
received = b.recv_segments(65536)[0]
while len(received) < most:
    received += b.recv_segments(65536)[0]
"""


@contextmanager
def mmsg(s: Any) -> Iterator[Loop]:
    """sendmmsg and recvmmsg."""
    yield from _datagrams(s, COUNT, _MMSG.strip(), "sendmmsg", "recvmmsg")


@contextmanager
def segments(s: Any) -> Iterator[Loop]:
    """UDP segmentation offload: send_segments, and a receive that takes what the kernel has coalesced (UDP_GRO)."""
    yield from _datagrams(s, SEGMENTS, _SEGMENTS.strip(), "send_segments", "recv_segments")


MMSG = Scenario("mmsg", "sendmmsg + recvmmsg, against sendto + recvfrom", mmsg, {"c": 0.7}, calls=COUNT, file=__file__)
GSO = Scenario(
    "segments",
    "send_segments + UDP_GRO, against sendto + recvfrom",
    segments,
    {"c": 0.06},
    calls=SEGMENTS,
    file=__file__,
)
LOOPS = {scenario.name: scenario for scenario in (MMSG, GSO)}
