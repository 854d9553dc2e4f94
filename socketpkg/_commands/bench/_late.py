"""How late a thread wakes beside threads whose sends and receives never wait, and how equally those share the GIL.

In the worker of a target, some threads each send and receive a byte on a socketpair of their own without end, and one
sleeps for a millisecond at a time. A thread that keeps the GIL in calls that cannot block makes the sleeper late; the
standard library gives it up in each call.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns as now
from time import sleep
from typing import Any

from ._lockstep import Series, Worker
from ._quiet import Others, Patience, quieter
from ._results import verdict
from ._scenario import STDLIB

#: How many threads there are beside the one that sleeps.
THREADS = (1, 4, 16)
#: How long that one sleeps at a time, in seconds.
NAP = 0.001
#: Goals: no later than so many times the standard library's, or than so many nanoseconds, whichever is more.
TIMES, BOUND = 3.0, 10e6
#: The least that the slowest thread gets of what the fastest one gets.
SHARE = 0.5
#: The backends that the goals hold for: the bridge of ctypes has no place for a budget (socketpkg_gil.h).
BACKENDS = ("c", "cffi")

LATE = "median lateness, to its bound"
LATEST = "longest lateness, to its bound"
SHARED = "turns of the slowest thread, to the fastest"


def late(s: Any, threads: int, seconds: float) -> dict[str, Any]:
    """One run: the median and the longest lateness in nanoseconds, the turns a second, and the slowest's share."""
    ended = False
    counts = [0] * threads

    def transfer(number: int) -> None:
        a, b = s.socketpair()
        with a, b:
            send, recv = a.send, b.recv
            while not ended:
                send(b"x")
                recv(10)
                counts[number] += 1

    team = [threading.Thread(target=transfer, args=(number,)) for number in range(threads)]
    found: list[int] = []
    with Others([]) as others:
        for thread in team:
            thread.start()
        begin = now()
        while (start := now()) - begin < seconds * 1e9:
            sleep(NAP)
            found.append(now() - start - round(NAP * 1e9))
        ended = True
        for thread in team:
            thread.join()
    return {
        "median": median(found),
        "longest": max(found),
        "turns": sum(counts) / seconds,
        "share": min(counts) / max(counts),
        "others": others.share,
    }


@dataclass(frozen=True)
class LatePlan:
    """How much is measured: the rounds, and the seconds of one run."""

    rounds: int
    seconds: float


def steps(plan: LatePlan, targets: int) -> int:
    """The steps that `measure` advances by."""
    return plan.rounds * len(THREADS) * targets


def measure(
    team: Mapping[str, Worker], plan: LatePlan, patience: Patience, advance: Callable[[], None]
) -> dict[str, Any]:
    """All rounds; in each one every target has its turn with each number of threads."""
    order = list(team)
    shuffle = random.Random(plan.rounds).shuffle
    found: dict[str, dict[str, list[dict[str, Any]]]] = {t: {str(n): [] for n in THREADS} for t in team}
    for _ in range(plan.rounds):
        for threads in THREADS:
            shuffle(order)
            for target in order:
                patience.wait()
                found[target][str(threads)].append(team[target].ask("late", threads=threads, seconds=plan.seconds))
                advance()
    targets = {t: {threads: _sum_up(runs) for threads, runs in own.items()} for t, own in found.items()}
    return {"rounds": found, "targets": targets}


def _sum_up(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the quieter rounds."""
    runs = quieter(runs)
    return {fact: median(run[fact] for run in runs) for fact in runs[0]}


def verdicts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goals of what `measure` made."""
    found = []
    targets = facts["targets"]
    for target in BACKENDS:
        for threads in THREADS[1:]:
            own, base = targets.get(target, {}).get(str(threads)), targets[STDLIB][str(threads)]
            if own is None:
                continue
            title = f"beside {threads} threads that transfer"
            for measure, fact in ((LATE, "median"), (LATEST, "longest")):
                reached = round(own[fact] / max(TIMES * base[fact], BOUND), 3)
                found.append(verdict("late", title, target, measure, 1.0, reached))
            found.append(verdict("late", title, target, SHARED, SHARE, own["share"], True))
    return found


def values(facts: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Series]]]:
    """The median lateness of each round, as `document` takes them."""
    return {
        f"late-{threads}": (
            "ns",
            {t: Series.of([run["median"] for run in rounds[str(threads)]]) for t, rounds in facts["rounds"].items()},
        )
        for threads in THREADS
    }
