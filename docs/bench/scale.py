"""Scale: an epoll echo server on each target, with few connections and with many.

The cost of a message is the processor time that the server's process takes for it, so that neither waiting nor the load
counts. Server and load share a core and are scheduled as a batch, where nobody is preempted by whom it wakes: so each
call of epoll finds the ten messages that are under way. The servers of all targets and sizes live side by side and take
turns in short slices.
"""

from __future__ import annotations

import os
import random
import resource
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from socketpkg._commands.bench.load import Others, processor_time
from socketpkg._commands.bench.lockstep import Series, WorkerError, environment, interpreter
from socketpkg._commands.bench.results import duration, judged, load, spread
from socketpkg._commands.bench.scenario import STDLIB

TITLE = "Scale: an epoll echo server"
SIZES = (10, 1_000, 10_000)
#: The connections that are used where most are idle.
FEW = SIZES[0]
#: The descriptors of a process that are not connections.
SPARE = 32
#: Goals: the cost of a message, to the target's own with 10 connections; and that of c, to the standard library's.
FLAT, OF_STDLIB = 1.15, 0.9
#: The messages before those that count in a slice: what the others have left in the caches goes.
WARM_UP = 50


class _Program:
    """One of the two programs, spoken to by lines."""

    def __init__(self, target: str, *arguments: object) -> None:
        script = str(Path(__file__).with_name("echo.py"))
        self.process = subprocess.Popen(
            [*interpreter(), "-P", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(target),
            text=True,
            process_group=0,  # an interrupt at the terminal is for the benchmark
        )
        self.line: Any = self.process.stdout

    def ask(self, order: object = None) -> str:
        """The next line that it prints, after a line for it."""
        try:
            if order is not None:
                print(order, file=self.process.stdin, flush=True)
            line: str = self.line.readline()
        except OSError as error:
            raise WorkerError(f"{self.process.args} cannot be reached: {error}") from error
        if not line:
            raise WorkerError(f"{self.process.args} ended with status {self.process.wait()}")
        return line

    def close(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.communicate()


class Pair:
    """A server on a target, and its load."""

    def __init__(self, target: str, size: int, stack: ExitStack) -> None:
        self.size = size
        self._server = _Program(target, "serve", "socket" if target == STDLIB else "socketpkg")
        stack.callback(self._server.close)
        self._load = _Program(target, "load", int(self._server.ask()), size)
        stack.callback(self._load.close)

    def start(self, messages: int) -> None:
        """Waits until all are connected, and uses every connection once."""
        self._load.ask()
        self._load.ask(f"{max(self.size, messages)} {self.size}")
        self._check()
        for program in (self._server, self._load):
            os.sched_setscheduler(program.process.pid, os.SCHED_BATCH, os.sched_param(0))

    def share(self, messages: int, used: int, core: int) -> float:
        """The server's processor time for one message, in nanoseconds, with *used* of the connections in use."""
        for program in (self._server, self._load):
            os.sched_setaffinity(program.process.pid, [core])
        self._load.ask(f"{WARM_UP} {used}")
        before = self.clock()
        self._load.ask(f"{messages} {used}")
        return (self.clock() - before) / messages

    def clock(self) -> int:
        """The nanoseconds of processor time that the server has had."""
        return processor_time(self._server.process.pid)

    def end(self) -> int:
        """The most memory that the server has had, in bytes, while it still has all its connections."""
        self._check()
        with open(f"/proc/{self._server.process.pid}/status") as file:  # ru_maxrss counts the parent's at the fork
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))

    def _check(self) -> None:
        connections = int(self._server.ask("?"))
        if connections != self.size:
            raise WorkerError(f"{connections} of {self.size} connections are there")


def fitting() -> list[int]:
    """The sizes that this machine's limit of open files allows."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return [size for size in SIZES if limit == resource.RLIM_INFINITY or size + SPARE <= limit]


def perform(
    targets: Sequence[str], quick: bool, sizes: Sequence[int] = ()
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All rounds; the table, and the costs as pyperf takes them."""
    if not (hasattr(select, "epoll") and sys.platform == "linux"):
        return [], {}
    sizes = sizes or fitting()
    rounds, messages = (10, 200) if quick else (100, 1_000)
    cases = {f"{size:,}": (size, size) for size in sizes} | {f"{n:,}, {FEW} used": (n, FEW) for n in sizes[-1:]}
    costs: dict[str, dict[str, list[float]]] = {target: {case: [] for case in cases} for target in targets}
    draw = random.Random(rounds)
    with ExitStack() as stack:
        pairs = {(target, size): Pair(target, size, stack) for target in targets for size in sizes}
        for pair in pairs.values():
            pair.start(messages)
        pids = [program.process.pid for pair in pairs.values() for program in (pair._server, pair._load)]
        with Others(pids) as others:
            order = [(target, case, *numbers) for target in targets for case, numbers in cases.items()]
            for _ in range(rounds):
                draw.shuffle(order)
                core = draw.choice(sorted(os.sched_getaffinity(0)))
                for target, case, size, used in order:
                    costs[target][case].append(pairs[target, size].share(messages, used, core))
        peaks = {key: pair.end() for key, pair in pairs.items()}
    first = next(iter(cases))
    rows = []
    for target in targets:
        for case, (size, used) in cases.items():
            own = costs[target][case]
            growth = _ratio(own, costs[target][first], None if quick or used != size or target == STDLIB else FLAT)
            goal = OF_STDLIB if target == "c" and used == size and not quick else None
            ratio = _ratio(own, costs[STDLIB][case], goal)
            cells = [duration(min(own)), "" if case == first else growth, "" if target == STDLIB else ratio]
            rows.append([target, case, *cells, f"{peaks[target, size] / 2**20:.1f} MiB"])
    note = "The least processor time that the server's own process takes for a message; ± half the middle half of the "
    note += f"ratios in single rounds. The ratios are to be at most the figure in brackets. {load(others.share)}"
    head = ["target", "connections", "time a message", "to its own with 10", "to the stdlib's", "peak memory"]
    values = {f"scale-{case.replace(', ', '-').replace(' ', '-')}": case for case in cases}
    series = {name: ("ns", {t: Series([costs[t][case]]) for t in targets}) for name, case in values.items()}
    return [{"title": TITLE, "note": note, "head": head, "rows": rows}], series


def _ratio(own: list[float], base: list[float], goal: float | None) -> str:
    reached = min(own) / min(base)
    of_rounds = [one / other for one, other in zip(own, base, strict=True)]
    return judged(f"{reached:.2f} ±{spread(of_rounds):.2f}", reached, goal) if median(of_rounds) else ""
