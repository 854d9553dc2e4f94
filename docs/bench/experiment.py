"""Measurements of two threads or processes together: rounds in which every target has its turn, and their table.

A figure that two threads make together has no least value: it is bad as soon as another program wants a core. So a
measurement waits for a quiet moment, notes the share of the machine that others took all the same, and the medians are
those of the quieter rounds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from socketpkg._commands.bench.load import Others
from socketpkg._commands.bench.lockstep import Series, workers
from socketpkg._commands.bench.results import duration, judged, load, spread
from socketpkg._commands.bench.scenario import STDLIB

#: The share of the machine that others may take of a moment that counts as quiet, and the seconds of a look at it.
QUIET, LOOK = 0.15, 0.05


def wait_for_quiet(seconds: float) -> float:
    """Returns when others leave the machine alone, or after *seconds*; gives the seconds that are left."""
    while seconds > 0:
        with Others() as others:
            time.sleep(LOOK)
        if others.share < QUIET:
            break
        seconds -= LOOK
    return seconds


def quieter(rounds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rounds that were quiet, by their ``"others"``; at least the quietest third."""
    ordered = sorted(rounds, key=lambda one: one["others"])
    quiet = sum(one["others"] < QUIET for one in ordered)
    return ordered[: max(quiet, (len(ordered) + 2) // 3)]


@dataclass(frozen=True)
class Column:
    """One column of an experiment's table."""

    head: str
    #: The fact of a round that it shows the median of.
    fact: str
    shown: Callable[[float], str] = duration
    #: Whether it shows the ratio to the standard library's, round by round.
    ratio: bool = False
    #: By target: what is to be reached, and whether at least or at most.
    goals: Mapping[str, float] = field(default_factory=dict)
    at_least: bool = False
    #: So many times the standard library's figure is the goal, where that is more.
    or_times: float = 0.0
    #: The cases that have no goal.
    unjudged: Collection[str] = ()
    #: What is shown and judged of the rounds' values: their median, or `min` for the worst one.
    pick: Callable[[list[float]], float] = median


@dataclass(frozen=True)
class Experiment:
    """Something that a function of `threads` measures on each target, in several cases."""

    title: str
    note: str
    function: str
    #: By the name of a case the arguments of the function.
    cases: Mapping[str, Mapping[str, Any]]
    columns: Sequence[Column]
    rounds: int
    seconds: float

    def perform(self, targets: Sequence[str], quick: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """All rounds; the table, and the first column's values as pyperf takes them."""
        found: dict[str, dict[str, list[dict[str, Any]]]] = {t: {case: [] for case in self.cases} for t in targets}
        rounds, seconds = (2, self.seconds / 3) if quick else (self.rounds, self.seconds)
        order, patience = list(targets), 5.0 if quick else 60.0
        shuffle = random.Random(self.function).shuffle
        with workers(targets) as team:
            for _ in range(rounds):
                for case, arguments in self.cases.items():
                    shuffle(order)
                    for target in order:
                        patience = wait_for_quiet(patience)
                        arguments = {**arguments, "seconds": seconds}
                        file = str(Path(__file__).with_name("threads.py"))
                        result = team[target].ask("call", file=file, function=self.function, arguments=arguments)
                        found[target][case].append(result)
        rows = [
            [target, case, *(self._cell(column, found, target, case, quick) for column in self.columns)]
            for case in self.cases
            for target in targets
        ]
        others = median(one["others"] for cases in found.values() for runs in cases.values() for one in quieter(runs))
        head = ["target", "case", *(column.head for column in self.columns)]
        table = {"title": self.title, "note": f"{self.note} {load(others)}", "head": head, "rows": rows}
        fact = self.columns[0].fact
        values = {
            f"{self.function}-{case}": ("ns", {t: Series([[one[fact] for one in found[t][case]]]) for t in targets})
            for case in self.cases
        }
        return [table], values

    def _cell(self, column: Column, found: Any, target: str, case: str, quick: bool) -> str:
        if column.ratio and target == STDLIB:
            return ""
        values = [one[column.fact] for one in quieter(found[target][case])]
        if column.ratio:
            base = median(one[column.fact] for one in quieter(found[STDLIB][case]))
            if base <= 0:
                return "-"
            values = [value / base for value in values]
        reached = column.pick(values)
        text = f"{column.shown(reached)} ±{column.shown(spread(values))}"
        goal = column.goals.get(target)
        if quick or goal is None or case in column.unjudged:
            return text
        if column.or_times:
            goal = max(goal, column.or_times * median(one[column.fact] for one in quieter(found[STDLIB][case])))
        return judged(text, reached, goal, column.at_least, column.shown)
