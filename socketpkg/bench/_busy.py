"""Beside a busy thread: what one thread's sockets do while another thread of the process computes in pure Python.

Who gives up the GIL beside a thread that computes may wait for the switch interval, 5 ms, to get it back. The measures:

* ``stream``: datagrams a second that one thread sends and receives, over a socketpair, beside the busy thread or alone;
* ``answer``: the time from a request to its answer, which another process gives;
* ``flood``: the other side. A thread receives in a tight loop what another process sends without end: what does that
  cost the thread that computes, a message?
* ``compute``: what the computing thread does alone.

The functions run in the worker of a target; `Runs` asks the workers for them, in turns.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns as now
from typing import Any

from ._lockstep import Series, Worker
from ._results import verdict
from ._scenario import STDLIB, arrived, counted

MESSAGE = b"0123456789abcdef"
#: The size of one message of the flood: a small request's.
FLOOD = 64
#: The most request times of a run that are kept, evenly spread over all of them.
KEPT = 2000


# -- in the worker -----------------------------------------------------------------------------------------------------


class _Computing(threading.Thread):
    """Computes until it is told to stop; counts how often it did the same piece of work."""

    def __init__(self) -> None:
        super().__init__(name="computing")
        self._going = True
        self.count = 0

    def run(self) -> None:
        value = 0
        while self._going:
            for number in range(500):
                value = (value * 3 + number) & 0xFFFF
            self.count += 1

    def __enter__(self) -> _Computing:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self.join()


def _stream(s: Any, seconds: float) -> float:
    """Datagrams a second."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_DGRAM)
    with a, b:
        number, data = 0, b""
        start = now()
        end = start + int(seconds * 1e9)
        while (stop := now()) < end:
            for _ in range(8):
                a.send(MESSAGE)
                data = b.recv(FLOOD)
            number += 8
        arrived(data, MESSAGE, b)
        return number / ((stop - start) / 1e9)


def stream(s: Any, seconds: float) -> dict[str, Any]:
    """The stream beside the busy thread."""
    with _Computing():
        return {"rate": _stream(s, seconds)}


def stream_alone(s: Any, seconds: float) -> dict[str, Any]:
    """The stream with nothing beside it."""
    return {"rate": _stream(s, seconds)}


_ECHO = """
import os, sys
descriptor = int(sys.argv[1])
while data := os.read(descriptor, 64):
    os.write(descriptor, data)
"""

_SENDER = """
import os, select, sys
descriptor, block, sent = int(sys.argv[1]), bytes(64) * 64, 0
os.set_blocking(descriptor, False)
poll = select.poll()
poll.register(0, select.POLLIN)
poll.register(descriptor, select.POLLOUT)
while not any(ready == 0 for ready, _ in poll.poll()):
    for _ in range(16):
        try:
            sent += os.write(descriptor, block)
        except BlockingIOError:
            break
os.close(descriptor)
os.write(1, b"%d" % sent)
"""


@contextmanager
def _process(code: str, descriptor: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process with one of the worker's descriptors. Where the worker is pinned, so is that."""
    command = [sys.executable, "-I", "-S", "-c", code, str(descriptor)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor], bufsize=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def answer(s: Any, seconds: float) -> dict[str, Any]:
    """The times from a request to its answer, in nanoseconds, sorted."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_STREAM)
    times: list[int] = []
    with a, b, _process(_ECHO, b.fileno()):
        b.close()
        a.sendall(MESSAGE)
        arrived(a.recv(FLOOD), MESSAGE)  # the process has started
        with _Computing():
            stop = now()
            end = stop + int(seconds * 1e9)
            while stop < end or len(times) < 10:
                start = now()
                a.sendall(MESSAGE)
                data = a.recv(FLOOD)
                stop = now()
                times.append(stop - start)
                arrived(data, MESSAGE)
        arrived(None, None, a)
    times.sort()
    step = len(times) / KEPT
    return {"number": len(times), "times": times if step <= 1 else [times[int(i * step)] for i in range(KEPT)]}


def compute(s: Any, seconds: float) -> dict[str, Any]:
    """What the computing thread does in a second when nothing is beside it."""
    with _Computing() as computing:
        return {"rate": _rate(computing, seconds)}


def _rate(computing: _Computing, seconds: float) -> float:
    event = threading.Event()
    event.wait(seconds / 10)  # so that both threads are at it
    before, start = computing.count, now()
    event.wait(seconds)
    return (computing.count - before) / ((now() - start) / 1e9)


def flood(s: Any, seconds: float) -> dict[str, Any]:
    """What the computing thread does in a second beside one that receives, and what that receives."""
    a, b = s.socketpair(s.AF_UNIX, s.SOCK_STREAM)
    going = True
    number = received = 0

    def receive() -> None:
        nonlocal number, received
        while going:
            data = b.recv(FLOOD)
            received += len(data)
            number += 1

    with a, b, _process(_SENDER, a.fileno()) as sender:
        a.close()
        receiving = threading.Thread(target=receive, name="receiving")
        receiving.start()
        with _Computing() as computing:
            before, start = number, now()
            rate = _rate(computing, seconds)
            messages = (number - before) / ((now() - start) / 1e9)
            going = False
        receiving.join()
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdin.close()
        while data := os.read(b.fileno(), 1 << 16):
            received += len(data)
        counted(received, int(sender.stdout.read()), "bytes")
    return {"rate": rate, "messages": messages}


MEASURES: dict[str, Callable[[Any, float], dict[str, Any]]] = {
    "stream_alone": stream_alone,
    "stream": stream,
    "answer": answer,
    "compute": compute,
    "flood": flood,
}


# -- in the command ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BusyPlan:
    """How much is measured: the runs, and the seconds of each measure in one."""

    runs: int
    seconds: float
    #: Requests beside a busy thread are few in a second, and a 99th percentile wants many.
    answer_seconds: float


#: What is measured where. Pinned to one core, a process that sends without end would compete for it with the others.
STEPS = (
    ("all cores", "stream_alone"),
    ("all cores", "stream"),
    ("all cores", "answer"),
    ("all cores", "compute"),
    ("all cores", "flood"),
    ("one core", "stream_alone"),
    ("one core", "stream"),
    ("one core", "answer"),
)

#: The backends that the goals hold for: cffi gives up the GIL in every call, and cannot do otherwise.
BOUND = ("c", "ctypes")
#: Of its own rate alone, and of the standard library's in the same run; in each run.
OF_ITS_OWN = 0.4
OF_STDLIB = 1.5


def steps(plan: BusyPlan, targets: int) -> int:
    """The steps that `measure` advances by."""
    return plan.runs * targets * len(STEPS)


def measure(team: Mapping[str, Worker], plan: BusyPlan, advance: Callable[[], None]) -> dict[str, Any]:
    """All runs; in each one every target does every measure, in turns."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    places = {"all cores": cores, "one core": cores[:1]}
    order = list(team)
    shuffle = random.Random(plan.runs).shuffle
    runs = []
    for _ in range(plan.runs):
        run: dict[str, dict[str, dict[str, Any]]] = {target: {place: {} for place in places} for target in team}
        for place, name in STEPS:
            shuffle(order)
            for target in order:
                if places[place]:
                    team[target].ask("pin", cores=places[place])
                if places[place] or place == "all cores":
                    seconds = plan.answer_seconds if name == "answer" else plan.seconds
                    run[target][place][name] = team[target].ask("busy", measure=name, seconds=seconds)
                advance()
        runs.append(run)
    if cores:
        for worker in team.values():
            worker.ask("pin", cores=cores)
    sums = {target: _sum_up(target, runs) for target in team}
    for one in (places for run in runs for places in run.values()):
        for measured in one.values():
            if "answer" in measured:
                times = measured["answer"].pop("times")
                measured["answer"].update(p50=_percentile(times, 50), p99=_percentile(times, 99))
    return {"runs": runs, "targets": sums}


def _sum_up(target: str, runs: list[dict[str, dict[str, dict[str, Any]]]]) -> dict[str, Any]:
    """One target's figures over all runs, by place."""
    result: dict[str, Any] = {}
    for place in runs[0][target]:
        own = [run[target][place] for run in runs]
        base = [run[STDLIB][place] for run in runs]
        if "stream" not in own[0]:
            continue
        rates = [one["stream"]["rate"] for one in own]
        times = sorted(time for one in own for time in one["answer"]["times"])
        facts: dict[str, Any] = {
            "rate_alone": median(one["stream_alone"]["rate"] for one in own),
            "rate_least": min(rates),
            "rate_median": median(rates),
            "rate_most": max(rates),
            # The worst run's.
            "of_its_own": min(one["stream"]["rate"] / one["stream_alone"]["rate"] for one in own),
            "of_stdlib": min(one["stream"]["rate"] / two["stream"]["rate"] for one, two in zip(own, base, strict=True)),
            "p50": _percentile(times, 50),
            "p99": _percentile(times, 99),
        }
        if "flood" in own[0]:
            facts["flood_messages"] = median(one["flood"]["messages"] for one in own)
            facts["flood_share"] = median(one["flood"]["rate"] / one["compute"]["rate"] for one in own)
            facts["flood_cost"] = median(_cost(one) for one in own)
        result[place] = facts
    return result


def _percentile(times: list[int], percent: int) -> float:
    """Of sorted values."""
    return float(times[min(len(times) - 1, len(times) * percent // 100)])


def _cost(one: Mapping[str, Any]) -> float:
    """The computing time, in nanoseconds, that the computing thread lost a message."""
    lost = 1.0 - one["flood"]["rate"] / one["compute"]["rate"]
    return max(0.0, lost) * 1e9 / one["flood"]["messages"] if one["flood"]["messages"] else float("inf")


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
            if "flood_cost" in own:
                cost = own["flood_cost"] / base[place]["flood_cost"] if base[place]["flood_cost"] else float("inf")
                found.append(
                    verdict("busy", title, target, "cost to the computing thread a message, to the stdlib's", 1.0, cost)
                )
    return found


def values(facts: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Series]]]:
    """The times a datagram of the streams, as `document` takes them."""
    found: dict[str, tuple[str, dict[str, Series]]] = {}
    for place, name in STEPS:
        if name.startswith("stream"):
            series: dict[str, Series] = {}
            for target in facts["targets"]:
                rates = [run[target][place][name]["rate"] for run in facts["runs"] if name in run[target][place]]
                series[target] = Series.of([1e9 / rate for rate in rates])
            found[f"busy-{name.replace('_', '-')}-{place.replace(' ', '-')}"] = ("ns", series)
    return found
