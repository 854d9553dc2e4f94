"""What a scenario is: something that each target does the same way, and that is measured."""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

#: The target that every ratio refers to, and the one that shows the least that the system calls themselves cost.
STDLIB = "stdlib"
RAW = "raw"

#: A loop of a scenario: does it so many times; returns what that cost in the scenario's unit, nanoseconds or bytes.
Loop = Callable[[int], int]
#: Prepares a scenario on a module that is like `socket`; on leaving it what was prepared is closed.
Setup = Callable[[Any], AbstractContextManager[Loop]]


class Skip(Exception):
    """A scenario that cannot run on this target or this machine; the message says why."""


class LostData(Exception):
    """What was sent is not what arrived: the figures of this run mean nothing."""


@dataclass(frozen=True)
class Scenario:
    """One operation."""

    #: How the command line names it.
    name: str
    #: How the tables name it.
    title: str
    setup: Setup
    #: By backend: the time as a ratio to the standard library's that is to be reached.
    goals: Mapping[str, float] = field(default_factory=dict)
    #: By backend: the nanoseconds a call above the raw C loop that are to be reached.
    over_raw: Mapping[str, float] = field(default_factory=dict)
    #: The calls that are counted in one turn of the loop; every figure is that of one of them.
    calls: int = 1
    #: "ns" or "byte".
    unit: str = "ns"
    #: The most turns that one round may have.
    most_loops: int = 1 << 24
    #: The most rounds: less for what takes long, or always gives the same.
    most_rounds: int = 1000


def arrived(data: object, expected: object, *sockets: Any) -> None:
    """Raises LostData unless *data*, received last, is what was sent last, and nothing is left in *sockets*.

    Where each turn of a loop receives no more than it sends, this proves that every turn received all that it sent; and
    it costs nothing inside the loop.
    """
    if data != expected:
        raise LostData(f"received {_short(data)}, sent {_short(expected)}")
    for sock in sockets:
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN)
        if poll.poll(0):
            raise LostData("something that was sent has not been received, or a connection has ended")


def counted(number: int, expected: int, what: str) -> None:
    """Raises LostData unless so many arrived."""
    if number != expected:
        raise LostData(f"{number} {what} arrived of {expected}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
