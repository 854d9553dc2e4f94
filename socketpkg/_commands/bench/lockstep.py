"""The targets side by side: a worker process each, of which one works at a time.

Round after round each target does its share, in an order that is shuffled anew, so that whatever else the machine does
falls on all of them alike. What is compared is always of the same run.
"""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from ... import backends
from .scenario import RAW, STDLIB, Scenario, Skip

#: The seconds after which a worker that does not answer is taken for hung.
PATIENCE = 300.0
#: The nanoseconds that a target runs before its rounds begin: a compiler such as PyPy's is still at work until then.
WARM_UP = 1e9 if sys.implementation.name == "pypy" else 0.0


class WorkerError(Exception):
    """A target failed: the scenario raised, or its process died."""


class Worker:
    """The process of one target."""

    def __init__(self, target: str, library: Path | None = None) -> None:
        self.target = target
        arguments = [target] if library is None else [target, str(library)]
        self._process = subprocess.Popen(
            [*interpreter(), "-m", "socketpkg._commands.bench.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(target),
            bufsize=0,
            process_group=0,  # an interrupt at the terminal is for the benchmark, which ends its processes itself
        )
        self._rest = b""

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Has the worker do something; its result. Skip or WorkerError when it cannot."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"operation": operation, **arguments}).encode() + b"\n")
            line = self._line()
        except OSError as error:
            raise WorkerError(f"its process cannot be reached: {error}") from error
        answer = json.loads(line)
        if "skip" in answer:
            raise Skip(answer["skip"])
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["result"]

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        deadline = monotonic() + PATIENCE
        while b"\n" not in self._rest:
            if not poll.poll(max(0.0, deadline - monotonic()) * 1000):
                self._process.kill()
                raise WorkerError(f"no answer within {PATIENCE:.0f} seconds")
            read = os.read(descriptor, 1 << 16)
            if not read:
                raise WorkerError(f"its process ended with status {self._process.wait()}")
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def close(self) -> None:
        """Ends the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def interpreter() -> list[str]:
    """This Python, with the options that it was started with."""
    return [sys.executable, *subprocess._args_from_interpreter_flags()]  # type: ignore[attr-defined]


def environment(target: str) -> dict[str, str]:
    """The environment of a target's process: it finds the same socketpkg, and has its backend."""
    result = dict(os.environ)
    result.pop(backends.VARIABLE, None)
    if target not in (STDLIB, RAW):
        result[backends.VARIABLE] = target
    root = str(Path(__file__).parents[3])
    path = [entry for entry in result.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if root not in path:
        result["PYTHONPATH"] = os.pathsep.join([*path, root])
    return result


@contextmanager
def workers(targets: Sequence[str], library: Path | None = None) -> Iterator[dict[str, Worker]]:
    """A worker for each of *targets*, and the raw loops' one where their *library* is given."""
    with ExitStack() as stack:
        result = {}
        for target in targets if library is None else [*targets, RAW]:
            result[target] = worker = Worker(target, library if target == RAW else None)
            stack.callback(worker.close)
        for target, worker in result.items():
            try:
                worker.ask("start")
            except WorkerError as error:
                raise WorkerError(f"{target}: {error}") from error
        yield result


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    #: The rounds of each scenario, in one generation of processes.
    rounds: int
    #: The seconds of one target's share of a round. Short, so that many shares fit between what else the machine does
    #: (docs/performance.md has the trial).
    share: float
    #: How often the processes are started anew: a memory layout costs some per cent, for good.
    generations: int = 1


@dataclass
class Series:
    """What one target did in a scenario: a list for each of its processes, of the values per call in its rounds."""

    runs: list[list[float]] = field(default_factory=list)
    loops: list[int] = field(default_factory=list)
    #: Why there are no values; and whether that is a fault.
    reason: str = ""
    failed: bool = False

    @property
    def values(self) -> list[float]:
        """The values of all rounds; empty if one process failed."""
        return [] if self.reason else [value for run in self.runs for value in run]

    def add(self, other: Series) -> None:
        """Takes over what another process of the target did."""
        self.runs += other.runs
        self.loops += other.loops
        self.reason = self.reason or other.reason
        self.failed = self.failed or other.failed

    @property
    def minimum(self) -> float:
        """The least value: the cost when nothing disturbs."""
        return min(self.values)


def measure(scenario: Scenario, team: Mapping[str, Worker], plan: Plan) -> dict[str, Series]:
    """Runs a scenario on every target of *team*."""
    result = {target: Series([[]]) for target in team}

    def attempt(target: str, action: Callable[[str], None]) -> None:
        series = result[target]
        try:
            if not series.reason:
                action(target)
        except Skip as reason:
            series.reason = str(reason)
        except WorkerError as error:
            series.reason, series.failed = str(error), True

    def prepare(target: str) -> None:
        team[target].ask("open", scenario=scenario.name, file=scenario.file)
        result[target].loops.append(_calibrate(scenario, team[target], plan))

    def share(target: str) -> None:
        loops = result[target].loops[0]
        total = team[target].ask("run", loops=loops)
        result[target].runs[0].append(total / (loops * scenario.calls))

    order = list(team)
    shuffle = random.Random(scenario.name).shuffle
    try:
        for target in order:
            attempt(target, prepare)
        for _ in range(min(plan.rounds, scenario.most_rounds)):
            shuffle(order)
            for target in order:
                attempt(target, share)
    finally:
        for worker in team.values():
            try:
                worker.ask("close")
            except (WorkerError, Skip):
                pass  # what it failed with is known, or the next scenario says that it is gone
    return result


def _calibrate(scenario: Scenario, worker: Worker, plan: Plan) -> int:
    """The number of loops that fills a share, found as pyperf does it: twice as many until one run is long enough.

    These runs also warm the target up. One that was long enough has to be so twice: the first one may import what the
    operation needs, and another be interrupted by a collection of garbage.
    """
    if scenario.unit != "ns" or scenario.most_loops == 1:
        return scenario.most_loops
    wanted = plan.share * 1e9
    loops, passed = 1, 0
    while True:
        total: int = worker.ask("run", loops=loops)
        passed += total
        if total >= wanted / 2:
            total = min(total, worker.ask("run", loops=loops))
        # More loops during the warm-up even if one fills a share: else it would be spent on messages to the worker.
        if (total < wanted / 2 or passed < WARM_UP) and loops < scenario.most_loops:
            loops = min(loops * 2, scenario.most_loops)
        elif passed >= WARM_UP:
            return max(1, min(scenario.most_loops, round(loops * wanted / max(total, 1))))
