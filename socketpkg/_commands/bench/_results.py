"""What was measured, as one document: pyperf's format, with what is ours beside it under ``"socketpkg"``.

The tables and pages are made from the document alone, so that a stored one gives the same.
"""

from __future__ import annotations

import json
import platform
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ... import _version
from .. import doctor
from ._lockstep import Series
from ._scenario import RAW, STDLIB, Scenario

KEY = "socketpkg"
FORMAT = 2


class NotAResult(Exception):
    """A file that no benchmark has written; the message says what is wrong."""


def about(targets: Sequence[str], quick: bool, notes: Iterable[str]) -> dict[str, Any]:
    """Where and how it was measured."""
    return {
        "format": FORMAT,
        "version": _version.__version__,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gil": doctor.gil_state(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "cores": _cores(),
        "quick": quick,
        "targets": list(targets),
        "notes": list(notes),
        "operations": [],
        "busy": None,
        "fair": None,
        "late": None,
        "scale": None,
        "verdicts": [],
    }


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def operation(scenario: Scenario, series: Mapping[str, Series]) -> dict[str, Any]:
    """One row: what each target did, and how it compares."""
    row: dict[str, Any] = {
        "name": scenario.name,
        "title": scenario.title,
        "unit": scenario.unit,
        "goals": dict(scenario.goals),
        "over_raw": dict(scenario.over_raw),
        "targets": {},
    }
    base, raw = series.get(STDLIB), series.get(RAW)
    for target, one in series.items():
        if not one.values:
            row["targets"][target] = {"reason": one.reason, "failed": one.failed}
            continue
        facts: dict[str, Any] = {"minimum": one.minimum, "median": one.median}
        if base is not None and base.values:
            facts["ratio"] = one.minimum / base.minimum
            # The rounds' own ratios, as a check: where their median is far from the ratio, the machine was not quiet.
            pairs = zip(one.values, base.values, strict=True)
            facts["ratio_of_rounds"] = statistics.median(value / other for value, other in pairs)
        if raw is not None and raw.values and target not in (RAW, STDLIB):
            facts["over_raw"] = one.minimum - raw.minimum
        row["targets"][target] = facts
    return row


def verdict(
    scenario: str, title: str, target: str, measure: str, goal: float, reached: float, at_least: bool = False
) -> dict[str, Any]:
    """Whether a goal was reached. ``miss`` is by how much it was not: 1.0 is just met, 2.0 twice too much."""
    miss = goal / reached if at_least and reached else reached / goal if not at_least else float("inf")
    return {
        "scenario": scenario,
        "title": title,
        "target": target,
        "measure": measure,
        "goal": goal,
        "at_least": at_least,
        "reached": reached,
        "met": miss <= 1.0,
        "miss": miss,
    }


def operation_verdicts(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The goals of one row."""
    found = []
    for target, facts in row["targets"].items():
        for goals, fact, measure in (
            ("goals", "ratio", "ratio to the stdlib"),
            ("over_raw", "over_raw", "ns above the raw loop"),
        ):
            goal = row[goals].get(target)
            if goal is not None and fact in facts:
                found.append(verdict(row["name"], row["title"], target, measure, goal, facts[fact]))
    return found


def document(facts: dict[str, Any], series: Mapping[str, tuple[str, Mapping[str, Series]]]) -> dict[str, Any]:
    """The whole: every value in pyperf's format, and *facts*. *series* is by scenario its unit and its targets'."""
    import pyperf

    units = {"ns": ("second", 1e-9), "byte": ("byte", 1)}
    benchmarks = []
    for name, (unit, targets) in series.items():
        kind, factor = units[unit]
        for target, one in targets.items():
            if one.values:
                runs = [
                    pyperf.Run(
                        [value * factor for value in stretch.values],
                        warmups=[(loops, value * factor) for loops, value in stretch.warmups] or None,
                        metadata={"name": f"{name}: {target}", "unit": kind, "loops": stretch.loops},
                    )
                    for stretch in one.stretches
                ]
                benchmarks.append(pyperf.Benchmark(runs))
    result: dict[str, Any] = {}
    if benchmarks:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "suite.json")
            pyperf.BenchmarkSuite(benchmarks).dump(str(file))
            result = json.loads(file.read_text(encoding="utf-8"))
    return {**result, KEY: facts}


def load(path: str) -> dict[str, Any]:
    """A stored document. OSError when it cannot be read, NotAResult when it is not one."""
    try:
        result = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise NotAResult(f"not JSON: {error}") from None
    if not isinstance(result, dict) or not isinstance(result.get(KEY), dict):
        raise NotAResult(f'it has no "{KEY}": not written by this benchmark')
    if result[KEY].get("format") != FORMAT:
        raise NotAResult(f"its format is {result[KEY].get('format')!r}, this version reads {FORMAT}")
    return result
