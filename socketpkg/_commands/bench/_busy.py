"""Beside a busy thread: what one thread's sockets do while another thread of the process computes in pure Python.

Who gives up the GIL beside a thread that computes may wait for the switch interval, 5 ms, to get it back. The measures:

* ``stream``: datagrams a second that one thread sends and receives over a socketpair, alone and beside the busy thread;
* ``answer``: the time from a request to its answer, which another process gives.

What they cost the thread that computes is `_fair`'s. The functions run in the worker of a target; `measure` asks the
workers for them, in turns: a run consists of slices, and in each slice every target does its share.
"""

from __future__ import annotations

import os
import random
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from statistics import fmean, median
from time import perf_counter_ns as now
from typing import Any

from ._computing import Computing, process
from ._lockstep import Series, Worker
from ._quiet import Others, Patience
from ._results import verdict
from ._scenario import STDLIB, arrived

MESSAGE = b"0123456789abcdef"
#: What a receive allows for.
ROOM = 64


# -- in the worker -----------------------------------------------------------------------------------------------------


def _stream(a: Any, b: Any, seconds: float) -> tuple[int, float]:
    """Datagrams, and the seconds that they took. There are some, whatever else the machine has to do."""
    number, data = 0, b""
    start = stop = now()
    end = start + int(seconds * 1e9)
    while not number or stop < end:
        for _ in range(8):
            a.send(MESSAGE)
            data = b.recv(ROOM)
        number += 8
        stop = now()
    arrived(data, MESSAGE, b)
    return number, (stop - start) / 1e9


def stream(s: Any, seconds: float) -> dict[str, Any]:
    """The stream for *seconds* beside the busy thread; right before and after that with nothing beside it."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)
    with a, b, Others() as others:
        before = _stream(a, b, seconds / 4)
        with Computing():
            beside = _stream(a, b, seconds)
        after = _stream(a, b, seconds / 4)
    alone = before[0] + after[0], before[1] + after[1]
    return {"alone": alone, "beside": beside, "others": others.share}


_ECHO = """
import os, sys
descriptor = int(sys.argv[1])
while data := os.read(descriptor, 64):
    os.write(descriptor, data)
"""


def answer(s: Any, seconds: float) -> dict[str, Any]:
    """The times from a request to its answer, in nanoseconds."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_STREAM)
    times: list[int] = []
    with a, b, process(_ECHO, b.fileno()) as echo:
        b.close()
        a.sendall(MESSAGE)
        arrived(a.recv(ROOM), MESSAGE)  # the process has started
        with Computing(), Others([echo.pid]) as others:
            stop = now()
            end = stop + int(seconds * 1e9)
            while stop < end or len(times) < 10:
                start = now()
                a.sendall(MESSAGE)
                data = a.recv(ROOM)
                stop = now()
                times.append(stop - start)
                arrived(data, MESSAGE)
        arrived(None, None, a)
    return {"times": times, "others": others.share}


MEASURES: dict[str, Callable[[Any, float], dict[str, Any]]] = {"stream": stream, "answer": answer}


# -- in the command ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BusyPlan:
    """How much is measured: the runs, the slices of one, and the seconds of each measure in a slice."""

    runs: int
    slices: int
    stream_seconds: float
    #: Requests beside a busy thread are few in a second, and a 99th percentile wants many.
    answer_seconds: float


#: The backends that the goals hold for: cffi gives up the GIL in every call, and cannot do otherwise.
BOUND = ("c", "ctypes")
#: Of its own rate alone, and of the standard library's in the same run; in each run.
OF_ITS_OWN = 0.4
OF_STDLIB = 1.5


def steps(plan: BusyPlan, targets: int) -> int:
    """The steps that `measure` advances by."""
    return plan.runs * plan.slices * targets * len(_places()) * len(MEASURES)


def _places() -> tuple[str, ...]:
    """Where it is measured: a process cannot be pinned everywhere."""
    return ("all cores", "one core") if hasattr(os, "sched_setaffinity") else ("all cores",)


def measure(
    team: Mapping[str, Worker], plan: BusyPlan, patience: Patience, advance: Callable[[], None]
) -> dict[str, Any]:
    """All runs; in each slice of one every target does every measure, in turns."""
    places = _places()
    cores = sorted(os.sched_getaffinity(0)) if len(places) > 1 else []
    order = list(team)
    draw = random.Random(plan.runs)
    runs = []
    times = {target: {place: array("Q") for place in places} for target in team}
    for _ in range(plan.runs):
        shares: dict[str, dict[str, list[dict[str, Any]]]] = {
            target: {place: [] for place in places} for target in team
        }
        for _ in range(plan.slices):
            for place in places:
                patience.wait()
                draw.shuffle(order)
                # One that others use as well is not to decide all of it.
                pinned = [draw.choice(cores)] if place == "one core" else cores
                for target in order:
                    if pinned:
                        team[target].ask("pin", cores=pinned)
                    share = team[target].ask("busy", measure="stream", seconds=plan.stream_seconds)
                    advance()
                    answers = team[target].ask("busy", measure="answer", seconds=plan.answer_seconds)
                    advance()
                    times[target][place].extend(answers["times"])
                    shares[target][place].append({**share, "answers": answers})
        runs.append({target: {place: _run(shares[target][place]) for place in places} for target in team})
    if cores:
        for worker in team.values():
            worker.ask("pin", cores=cores)
    return {"runs": runs, "targets": {target: _sum_up(target, runs, times[target]) for target in team}}


def _run(slices: list[dict[str, Any]]) -> dict[str, float]:
    """The slices of one run in one place: its rates, and its answers."""
    answers = sorted(chain.from_iterable(one["answers"]["times"] for one in slices))
    return {
        "alone": sum(one["alone"][0] for one in slices) / sum(one["alone"][1] for one in slices),
        "beside": sum(one["beside"][0] for one in slices) / sum(one["beside"][1] for one in slices),
        "answers": len(answers),
        "p50": _percentile(answers, 50),
        "p99": _percentile(answers, 99),
        "others": fmean([one["others"] for part in slices for one in (part, part["answers"])]),
    }


def _sum_up(
    target: str, runs: list[dict[str, dict[str, dict[str, float]]]], times: Mapping[str, array[int]]
) -> dict[str, Any]:
    """One target's figures over all runs, by place."""
    result: dict[str, Any] = {}
    for place in runs[0][target]:
        own = [run[target][place] for run in runs]
        base = [run[STDLIB][place] for run in runs]
        rates = [one["beside"] for one in own]
        ordered = sorted(times[place])
        result[place] = {
            "rate_alone": median(one["alone"] for one in own),
            "rate_least": min(rates),
            "rate_median": median(rates),
            "rate_most": max(rates),
            # The worst run's.
            "of_its_own": min(one["beside"] / one["alone"] for one in own),
            "of_stdlib": min(one["beside"] / two["beside"] for one, two in zip(own, base, strict=True)),
            "answers": sum(one["answers"] for one in own),
            "p50": _percentile(ordered, 50),
            "p99": _percentile(ordered, 99),
            "others": fmean(one["others"] for one in own),
        }
    return result


def _percentile(times: list[int], percent: int) -> float:
    """Of sorted values."""
    return float(times[min(len(times) - 1, len(times) * percent // 100)])


def verdicts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goals of the part of the document that `measure` made."""
    found = []
    base = facts["targets"][STDLIB]
    for target in BOUND:
        for place, own in facts["targets"].get(target, {}).items():
            title = f"beside a busy thread, {place}"
            found += [
                verdict("busy", title, target, "of its own rate, worst run", OF_ITS_OWN, own["of_its_own"], True),
                verdict("busy", title, target, "of the stdlib's rate, worst run", OF_STDLIB, own["of_stdlib"], True),
                verdict("busy", title, target, "p99 of answers, to the stdlib's", 1.0, own["p99"] / base[place]["p99"]),
            ]
    return found


def values(facts: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Series]]]:
    """The times a datagram of the streams, as `document` takes them."""
    return {
        f"busy-{name}-{place.replace(' ', '-')}": (
            "ns",
            {
                target: Series.of([1e9 / run[target][place][rate] for run in facts["runs"]])
                for target in facts["targets"]
            },
        )
        for place in next(iter(facts["targets"].values()))
        for name, rate in (("stream", "beside"), ("stream-alone", "alone"))
    }
