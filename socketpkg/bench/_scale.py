"""Scale: an epoll echo server on each target, with few connections and with many.

The server is a process, and so is what loads it. The cost of a message is the processor time that the server's process
takes for it, so that neither waiting nor the load counts. The same number of messages is under way whatever the number
of connections is, and all of them are used, in an order that does not follow that of their descriptors.
"""

from __future__ import annotations

import json
import random
import resource
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._lockstep import Series, WorkerError, environment, interpreter
from ._results import verdict
from ._scenario import STDLIB

SIZES = (10, 1_000, 10_000)
#: The descriptors of a process that are not connections.
SPARE = 32
FLAT = 1.15
OF_STDLIB = 0.9


@dataclass(frozen=True)
class ScalePlan:
    """How much is measured: the rounds of every size, and the messages that a target has in one."""

    rounds: int
    messages: int


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

    def __init__(self, target: str, size: int, stack: ExitStack) -> None:
        self._server = _Program("_echo_server.py", target, "socket" if target == STDLIB else "socketpkg")
        stack.callback(self._server.close)
        self._load = _Program("_echo_load.py", target, int(self._server.line()), size)
        stack.callback(self._load.close)
        self._load.line()

    def facts(self) -> dict[str, Any]:
        """What the server says of itself."""
        answer: dict[str, Any] = json.loads(self._server.ask("?"))
        return answer

    def share(self, messages: int) -> tuple[float, float]:
        """Nanoseconds a message: the server's processor time, and the time that passed."""
        before = self.facts()["cpu"]
        passed = int(self._load.ask(messages))
        return (self.facts()["cpu"] - before) / messages, passed / messages


def fitting() -> tuple[list[int], list[str]]:
    """The sizes that this machine allows, and what to say of the others."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    fit = [size for size in SIZES if limit == resource.RLIM_INFINITY or size + SPARE <= limit]
    left_out = SIZES[len(fit) :]
    reason = f"only {limit:,} open files are allowed"
    return fit, [f"The echo server with {size:,} connections is left out: {reason}." for size in left_out]


def steps(plan: ScalePlan, sizes: Sequence[int]) -> int:
    """The steps that `measure` advances by."""
    return plan.rounds * len(sizes)


def measure(
    targets: Sequence[str], plan: ScalePlan, sizes: Sequence[int], advance: Callable[[], None]
) -> dict[str, Any]:
    """Every size, on every target in turns."""
    result: dict[str, Any] = {target: {} for target in targets}
    shuffle = random.Random(plan.rounds).shuffle
    order = list(targets)
    for size in sizes:
        with _pairs(targets, size) as pairs:
            costs: dict[str, list[float]] = {target: [] for target in targets}
            times: dict[str, list[float]] = {target: [] for target in targets}
            for target in targets:
                pairs[target].share(max(size, plan.messages // 4))  # warms up, and uses every connection once
            for _ in range(plan.rounds):
                shuffle(order)
                for target in order:
                    cost, time = pairs[target].share(plan.messages)
                    costs[target].append(cost)
                    times[target].append(time)
                advance()
            for target in targets:
                facts = pairs[target].facts()
                if facts["connections"] != size:
                    raise WorkerError(f"{target}: {facts['connections']} of {size} connections are left")
                result[target][str(size)] = {
                    "costs": costs[target],
                    "cost": min(costs[target]),
                    "time": min(times[target]),
                    "peak": facts["peak"],
                }
    return {"sizes": list(sizes), "targets": result}


@contextmanager
def _pairs(targets: Sequence[str], size: int) -> Iterator[dict[str, _Pair]]:
    with ExitStack() as stack:
        yield {target: _Pair(target, size, stack) for target in targets}


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
        for target, own in facts["targets"].items():
            if target == STDLIB:
                continue
            cost = own[str(size)]["cost"]
            if size != SIZES[0]:
                flat = cost / own[str(SIZES[0])]["cost"]
                found.append(verdict("scale", title, target, "cost of a message, to its own with 10", FLAT, flat))
            if target == "c":
                ratio = cost / facts["targets"][STDLIB][str(size)]["cost"]
                found.append(verdict("scale", title, target, "cost of a message, to the stdlib's", OF_STDLIB, ratio))
    return found


def values(facts: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Series]]]:
    """The costs, as `document` takes them."""
    return {
        f"scale-{size}": (
            "ns",
            {target: Series.of(own[str(size)]["costs"]) for target, own in facts["targets"].items()},
        )
        for size in facts["sizes"]
    }
