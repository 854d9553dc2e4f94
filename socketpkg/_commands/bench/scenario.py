"""What a scenario is: an operation that each target does the same way, and that is timed."""

from __future__ import annotations

import select
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import repeat
from time import perf_counter_ns
from typing import Any

#: The target that every ratio refers to, and the one that shows what the system calls alone cost.
STDLIB = "stdlib"
RAW = "raw"

#: Operations that are timed in one go where something untimed has to follow each of them.
BATCH = 64

#: Repeats an operation as often as it is told; returns the cost in the scenario's unit, nanoseconds or bytes.
Loop = Callable[[int], int]
#: Prepares a scenario on a module that is like `socket`; leaving the context closes what was prepared.
Setup = Callable[[Any], AbstractContextManager[Loop]]


class Skip(Exception):
    """A scenario that cannot run on this target or this machine; the message says why."""


class LostData(Exception):
    """What was received is not what was sent: the figures of this run mean nothing."""


@dataclass(frozen=True)
class Scenario:
    """One operation."""

    #: Its name on the command line, and in the tables.
    name: str
    title: str
    setup: Setup
    #: By backend: the ratio to the standard library's time that is to be reached.
    goals: Mapping[str, float] = field(default_factory=dict)
    #: By backend: the nanoseconds per call above the raw C loop that are to be reached.
    over_raw: Mapping[str, float] = field(default_factory=dict)
    #: The calls in one turn of the loop; every figure is that of one call.
    calls: int = 1
    #: "ns" or "byte".
    unit: str = "ns"
    #: Limits for operations that take long, or always give the same.
    most_loops: int = 1 << 24
    most_rounds: int = 1000
    #: Whether the process does nothing else while it is repeated, so that its instructions can be counted: what is not
    #: timed comes once for many turns.
    alone: bool = True
    #: The file that has it among its LOOPS; "" for `operations`.
    file: str = ""


_TIMED = """
def loop(loops, {parameters}):
    elapsed = 0
    for count in batches(loops):
        before(count)
        start = now()
{timed}
        elapsed += now() - start
        after(locals())
    return elapsed
"""


def timed(
    body: str,
    names: Mapping[str, Any],
    after: Callable[[dict[str, Any]], None],
    before: Callable[[int], object] = lambda count: None,
    batch: int = 0,
) -> Loop:
    """A loop that repeats the statements *body*, whose names are those of *names*, compiled as `timeit` does it.

    The repetitions are divided into batches of *batch* (0: one batch). *before* gets the size of a batch, *after* gets
    the local names at its end. Both are not timed.
    """
    if batch != 1:
        body = f"for _ in repeat(None, count):\n{textwrap.indent(body, '    ')}"
    parameters = ", ".join(f"{name}={name}" for name in names)
    space = {**names, "after": after, "before": before, "now": perf_counter_ns, "repeat": repeat}
    space["batches"] = lambda loops: _batches(loops, batch or loops)
    exec(_TIMED.format(parameters=parameters, timed=textwrap.indent(body, " " * 8)), space)
    loop: Loop = space["loop"]
    return loop


def _batches(loops: int, size: int) -> Iterator[int]:
    yield from repeat(size, loops // size)
    if loops % size:
        yield loops % size


def arrived(data: object, expected: object, *sockets: Any) -> None:
    """Raises LostData unless *data*, received last, is what was sent last, and *sockets* have nothing to read.

    Where each turn of a loop receives no more than it sends, this shows that every turn received all that it sent.
    """
    if data != expected:
        raise LostData(f"received {_short(data)}, sent {_short(expected)}")
    for sock in sockets:
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN)
        if poll.poll(0):
            raise LostData("something that was sent has not been received, or a connection has ended")


def counted(number: int, expected: int, what: str) -> None:
    """Raises LostData unless *number* is *expected*."""
    if number != expected:
        raise LostData(f"{number} {what} arrived of {expected}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
