"""The benchmark of this project's own page, performance.md: ``python docs/bench [NAME ...]``.

It takes the arguments of ``python -m socketpkg bench``, and measures beside its operations many datagrams in one call,
relaying, what one thread's sockets do beside other threads, an echo server with many connections, and whole programs.
``python docs/bench page FILE ...`` writes the figures of stored results into the page (``page.py``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import datagrams
import page
import programs
import relaying
import scale
from experiment import Column, Experiment
from threads import PACE

from socketpkg._commands import bench
from socketpkg._commands.bench import command


def number(value: float) -> str:
    """A rate."""
    return f"{value:,.0f}"


def ratio(value: float) -> str:
    """A ratio or a share."""
    return f"{value:.2f}"


def both(goal: float) -> dict[str, float]:
    """A goal of the backends that keep the GIL by design, c and ctypes."""
    return {"c": goal, "ctypes": goal}


def compiled(goal: float) -> dict[str, float]:
    """A goal of the backends that hand the GIL over after a budget of time."""
    return {"c": goal, "cffi": goal}


PLACES = {"all cores": {"one_core": False}, "one core": {"one_core": True}}
MEDIANS = "Medians of the quieter rounds, ± half the middle half; goals in brackets."
STREAM = Experiment(
    "Beside a thread that computes: datagrams a second",
    MEDIANS + " The ratios are the worst round's, and are to be at least their goals.",
    "stream",
    PLACES,
    [
        Column("a datagram", "beside"),
        Column("alone", "alone"),
        Column("a second", "rate", number),
        Column("of its own", "of_its_own", ratio, goals=both(0.4), at_least=True, pick=min),
        Column("of the stdlib's", "rate", ratio, ratio=True, goals=both(1.5), at_least=True, pick=min),
    ],
    rounds=20,
    seconds=0.25,
)
ANSWER = Experiment(
    "Beside a thread that computes: request and answer",
    MEDIANS,
    "answer",
    PLACES,
    [Column("p50", "p50"), Column("p99", "p99"), Column("p99 to the stdlib's", "p99", ratio, True, both(1.0))],
    rounds=20,
    seconds=0.5,
)
WAIT = Column("longest wait", "longest")
KEPT = Column("of its speed alone", "share", ratio, goals=both(0.4), at_least=True)
PACED = Experiment(
    f"Computing beside a thread that receives {PACE:,} messages a second",
    MEDIANS + " The ratio is the time for the same work.",
    "fair",
    {"paced": {"pace": PACE}},
    [
        Column("received a second", "messages", number),
        WAIT,
        Column("time to the stdlib's", "work", ratio, True, both(1.0)),
    ],
    rounds=30,
    seconds=0.1,
)
TIGHT = Experiment(
    "Computing beside a thread that receives in a tight loop",
    MEDIANS + " The ratio is that of the computing time lost for a message.",
    "fair",
    {"tight": {"pace": 0}},
    [
        Column("received a second", "messages", number),
        WAIT,
        KEPT,
        Column("lost a message", "lost"),
        Column("loss to the stdlib's", "lost", ratio, True, both(1.0)),
    ],
    rounds=30,
    seconds=0.1,
)
ALONE = "1 thread"
LATE = Experiment(
    "A thread that sleeps 1 ms at a time, beside threads that transfer",
    MEDIANS + " It is to be late by no more than 10 ms, or 3 times what it is on the standard library.",
    "late",
    {ALONE: {"threads": 1}, "4 threads": {"threads": 4}, "16 threads": {"threads": 16}},
    [
        Column("late", "late", goals=compiled(10e6), or_times=3, unjudged=[ALONE]),
        Column("longest", "longest", goals=compiled(10e6), or_times=3, unjudged=[ALONE]),
        Column("slowest to fastest", "share", ratio, goals=compiled(0.5), at_least=True, unjudged=[ALONE]),
        Column("turns a second", "turns", number),
    ],
    rounds=9,
    seconds=1.0,
)


def together(*parts: Experiment) -> command.Experiment:
    """Several experiments under one name."""

    def perform(targets, quick):  # type: ignore[no-untyped-def]
        tables, values = [], {}
        for part in parts:
            more, found = part.perform(targets, quick)
            tables += more
            values |= found
        return tables, values

    return command.Experiment("; ".join(part.title for part in parts), perform)


EXPERIMENTS = {
    "busy": together(STREAM, ANSWER),
    "fair": together(PACED, TIGHT),
    "late": together(LATE),
    "scale": command.Experiment(scale.TITLE, scale.perform),
    "programs": command.Experiment(programs.TITLE, programs.perform),
}
SUITE = command.Suite(
    {**command.OWN.loops, **datagrams.LOOPS, **relaying.LOOPS}, EXPERIMENTS, Path(__file__).with_name("datagrams.c")
)


if __name__ == "__main__":
    if sys.argv[1:2] == ["page"]:
        page.write(sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(prog="docs/bench", description=__doc__.partition("\n")[0])
        bench.add_arguments(parser)
        raise SystemExit(command.run(parser.parse_args(), SUITE))
