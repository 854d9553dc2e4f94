"""Scale: an epoll echo server on each target, with few connections and with many.

The server is a process, and so is what loads it. The cost of a message is the processor time that the server's process
takes for it, so that neither waiting nor the load counts. Ten messages are under way at a time whatever the number of
connections is, and all of these are used, in an order that does not follow that of their descriptors: each message
finds the kernel's memory of its connection as cold as so many connections make it. What the number alone does shows
where most connections are idle.

What a message costs depends on how many of them one call of epoll finds, and that on who runs when. So server and load
share a core, and are scheduled as a batch, where nobody is preempted by whom it wakes: the load sends ten and waits,
the server finds ten, answers all of them and waits. The servers of all targets and sizes live side by side and take
turns in short slices.
"""

from __future__ import annotations

import os
import random
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ._lockstep import Series, WorkerError, environment, interpreter
from ._results import verdict
from ._scenario import RAW, STDLIB

SIZES = (10, 1_000, 10_000)
#: The connections that are used where most are idle.
FEW = SIZES[0]
#: The descriptors of a process that are not connections.
SPARE = 32
FLAT = 1.15
OF_STDLIB = 0.9
GROWTH = "cost of a message, to its own with 10"
RATIO = "cost of a message, to the stdlib's"


@dataclass(frozen=True)
class ScalePlan:
    """How much is measured: the rounds, and the messages that a server has in one."""

    rounds: int
    messages: int


#: The messages before those that count in a slice: what the others have left in the caches goes.
WARM_UP = 50
#: The clock of the processor time of a process, as Linux numbers them: its complement in the upper bits, and this.
_PROCESS_CLOCK = 2


class _Program:
    """One of the two programs, spoken to by lines."""

    def __init__(self, script: str, target: str, *arguments: object) -> None:
        command = [*interpreter(), "-P", str(Path(__file__).with_name(script)), *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(target),
            text=True,
            process_group=0,  # as the workers'
        )
        self._name = script

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"{self._name} ended with status {self.process.wait()}")
        return line

    def ask(self, order: object) -> str:
        """Its answer to a line."""
        assert self.process.stdin is not None
        try:
            print(order, file=self.process.stdin, flush=True)
        except OSError as error:
            raise WorkerError(f"{self._name} cannot be reached: {error}") from error
        return self.line()

    def close(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


class _Pair:
    """A server on a target, and its load."""

    def __init__(self, target: str, size: int, library: Path | None, stack: ExitStack) -> None:
        self.size = size
        names: dict[str, list[object]] = {STDLIB: ["socket"], RAW: ["raw", library]}
        module = names.get(target, ["socketpkg"])
        self._server = _Program("_echo_server.py", target, *module)
        stack.callback(self._server.close)
        self._load = _Program("_echo_load.py", target, int(self._server.line()), size)
        stack.callback(self._load.close)

    def start(self, messages: int) -> None:
        """Waits until all are connected, and uses every connection once."""
        self._load.line()
        self._load.ask(f"{max(self.size, messages)} {self.size}")
        connections = int(self._server.ask("?"))
        if connections != self.size:
            raise WorkerError(f"{connections} of {self.size} connections are there")
        if hasattr(os, "sched_setscheduler"):
            for program in (self._server, self._load):
                os.sched_setscheduler(program.process.pid, os.SCHED_BATCH, os.sched_param(0))

    def share(self, messages: int, used: int, core: int | None) -> float:
        """The server's processor time for one message, in nanoseconds, when so many of the connections are used."""
        for program in (self._server, self._load):
            if core is not None:
                os.sched_setaffinity(program.process.pid, [core])
        self._load.ask(f"{WARM_UP} {used}")
        before = self._clock()
        self._load.ask(f"{messages} {used}")
        return (self._clock() - before) / messages

    def _clock(self) -> int:
        return time.clock_gettime_ns(~self._server.process.pid << 3 | _PROCESS_CLOCK)

    def end(self) -> int:
        """The most memory that the server's process has had, in bytes, when it still has all its connections."""
        connections = int(self._server.ask("?"))
        if connections != self.size:
            raise WorkerError(f"{connections} of {self.size} connections are left")
        # Not ru_maxrss, which counts what the parent had at the fork.
        with open(f"/proc/{self._server.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def fitting() -> tuple[list[int], list[str]]:
    """The sizes that this machine allows, and what to say of the others."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    fit = [size for size in SIZES if limit == resource.RLIM_INFINITY or size + SPARE <= limit]
    left_out = SIZES[len(fit) :]
    reason = f"only {limit:,} open files are allowed"
    return fit, [f"The echo server with {size:,} connections is left out: {reason}." for size in left_out]


def steps(plan: ScalePlan) -> int:
    """The steps that `measure` advances by."""
    return plan.rounds


def cores() -> Sequence[int | None]:
    """The cores that a server may share with its load; none where a process cannot be pinned."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else [None]


def cases(sizes: Sequence[int]) -> dict[str, tuple[int, int]]:
    """By the name of each case the number of connections, and of those that are used."""
    found = {str(size): (size, size) for size in sizes}
    if sizes[-1] > FEW:
        found[f"{sizes[-1]}, {FEW} used"] = (sizes[-1], FEW)
    return found


def measure(
    targets: Sequence[str], library: Path | None, plan: ScalePlan, sizes: Sequence[int], advance: Callable[[], None]
) -> dict[str, Any]:
    """Every size on every target, in turns; the raw server too where there is a *library*."""
    everybody = [*targets, *([RAW] if library else [])]
    places = cores()
    draw = random.Random(plan.rounds)
    with ExitStack() as stack:
        pairs = {(target, size): _Pair(target, size, library, stack) for size in sizes for target in everybody}
        for pair in pairs.values():
            pair.start(plan.messages)
        costs: dict[str, dict[str, list[float]]] = {target: {case: [] for case in cases(sizes)} for target in everybody}
        order = [(target, case, *numbers) for target in everybody for case, numbers in cases(sizes).items()]
        for _ in range(plan.rounds):
            draw.shuffle(order)
            core = draw.choice(places)
            for target, case, size, used in order:
                costs[target][case].append(pairs[target, size].share(plan.messages, used, core))
            advance()
        peaks = {key: pair.end() for key, pair in pairs.items()}
    result: dict[str, Any] = {target: {} for target in everybody}
    for target in everybody:
        for case, (size, _used) in cases(sizes).items():
            first, base = costs[target][str(sizes[0])], costs[STDLIB][case]
            result[target][case] = _sum_up(costs[target][case], first, base) | {"peak": peaks[target, size]}
    return {"sizes": list(sizes), "targets": result}


def _sum_up(own: list[float], first: list[float], base: list[float]) -> dict[str, Any]:
    """The figures of one case on one target, beside its own with few connections and the standard library's.

    Those of the rounds are there to check the others by.
    """

    def of_rounds(other: list[float]) -> float:
        return median(one / two for one, two in zip(own, other, strict=True))

    return {
        "costs": own,
        "cost": min(own),
        "median": median(own),
        "growth": min(own) / min(first),
        "growth_of_rounds": of_rounds(first),
        "ratio": min(own) / min(base),
        "ratio_of_rounds": of_rounds(base),
    }


def unusable() -> str:
    """Why it cannot be measured here; empty if it can."""
    if hasattr(select, "epoll") and sys.platform == "linux":
        return ""
    return "The echo server is left out: this system has no epoll."


def verdicts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goals of the part of the document that `measure` made."""
    found = []
    for size in facts["sizes"]:
        title = f"echo server, {size:,} connections"
        for target, sizes in facts["targets"].items():
            own = sizes[str(size)]
            if target not in (STDLIB, RAW) and size != SIZES[0]:
                found.append(verdict("scale", title, target, GROWTH, FLAT, own["growth"]))
            if target == "c":
                found.append(verdict("scale", title, target, RATIO, OF_STDLIB, own["ratio"]))
    return found


def values(facts: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Series]]]:
    """The costs, as `document` takes them."""
    return {
        f"scale-{case.replace(', ', '-').replace(' ', '-')}": (
            "ns",
            {target: Series.of(own[case]["costs"]) for target, own in facts["targets"].items()},
        )
        for case in cases(facts["sizes"])
    }
