"""What was measured, as one document: pyperf's format, with facts and tables beside it under ``"socketpkg"``."""

from __future__ import annotations

import io
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ... import _version
from .. import doctor
from .lockstep import Series
from .scenario import RAW, STDLIB, Scenario

KEY = "socketpkg"
FORMAT = 3


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
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "quick": quick,
        "targets": list(targets),
        "notes": list(notes),
        "operations": [],
        "tables": [],
    }


def where(facts: Mapping[str, Any]) -> str:
    """Where and how it was measured, in a line."""
    return (
        f"socketpkg {facts['version']}, {facts['python']} (GIL {facts['gil']}), {facts['system']}, "
        f"{facts['cores']} cores, {facts['date']}{', quick' if facts['quick'] else ''}"
    )


def operation(scenario: Scenario, series: Mapping[str, Series]) -> dict[str, Any]:
    """One row: the figures of each target, and how they compare with the standard library's and the raw loop's."""
    row: dict[str, Any] = {"name": scenario.name, "title": scenario.title, "unit": scenario.unit, "targets": {}}
    base, raw = series.get(STDLIB), series.get(RAW)
    for target, one in series.items():
        if not one.values:
            row["targets"][target] = {"reason": one.reason, "failed": one.failed}
            continue
        facts: dict[str, Any] = {"minimum": one.minimum, "median": statistics.median(one.values)}
        if base is not None and base.values:
            facts["ratio"] = one.minimum / base.minimum
            # The rounds' own ratios: where their median is far from the ratio, the machine was not quiet.
            of_rounds = [value / other for value, other in zip(one.values, base.values, strict=True)]
            facts["ratio_of_rounds"], facts["spread"] = statistics.median(of_rounds), spread(of_rounds)
        if raw is not None and raw.values and target != RAW:
            facts["over_raw"] = one.minimum - raw.minimum
        row["targets"][target] = facts
    return row


def operations(scenarios: Sequence[Scenario], facts: Mapping[str, Any], others: float) -> dict[str, Any]:
    """The table of the operations. *others* is the share of the machine that other programs took."""
    ours = [target for target in facts["targets"] if target not in (STDLIB, RAW)]
    raw, quick = RAW in facts["targets"], facts["quick"]
    rows = []
    for scenario, row in zip(scenarios, facts["operations"], strict=True):
        targets, above = row["targets"], []

        def cell(target: str, row: Any = row, targets: Any = targets) -> str:
            found = targets.get(target, {})
            if "minimum" in found:
                return duration(found["minimum"]) if row["unit"] == "ns" else f"{found['minimum']:,.0f} B"
            return "FAILED" if found.get("failed") else "-"

        cells = [row["title"], cell(STDLIB), *([cell(RAW)] if raw else [])]
        for target in ours:
            own = targets.get(target, {})
            if "ratio" in own:
                text = f"{own['ratio']:.2f} ±{own['spread']:.2f}"
                cells.append(judged(text, own["ratio"], None if quick else scenario.goals.get(target)))
            else:
                cells.append(cell(target))
            if "over_raw" in own and row["unit"] == "ns":
                goal = None if quick else scenario.over_raw.get(target)
                above.append(judged(duration(own["over_raw"]), own["over_raw"], goal))
            else:
                above.append("-")
        rows.append(cells + (above if raw else []))
    return {
        "title": "Operations",
        "note": "Least time of the rounds. For the backends it is the ratio to the stdlib's, ± half the middle half of "
        f"the ratios in single rounds{'' if quick else '; the goal in brackets'}. {load(others)}",
        "head": ["operation", STDLIB, *(["raw C"] if raw else []), *ours, *(f"{t} - raw" for t in ours if raw)],
        "rows": rows,
    }


def load(others: float) -> str:
    """How busy the machine was, as each table says it."""
    return f"Other programs took {100 * others:.0f} % of the machine."


def spread(values: Sequence[float]) -> float:
    """Half the distance between the quartiles; 0.0 of a single value."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


def judged(
    text: str,
    reached: float,
    goal: float | None,
    at_least: bool = False,
    shown: Callable[[float], str] = "{:g}".format,
) -> str:
    """The text of a figure with its goal, and a mark that says whether the goal is met."""
    if goal is None:
        return text
    return f"{text} ({shown(goal)}) {'✓' if (reached >= goal if at_least else reached <= goal) else '✗'}"


def duration(nanoseconds: float) -> str:
    """A time with three digits and its unit."""
    value, unit = nanoseconds, "ns"
    for larger in ("µs", "ms", "s"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if abs(value) >= 99.95 or unit == "ns" else f"{value:.3g} {unit}"


def document(facts: dict[str, Any], series: Mapping[str, tuple[str, Mapping[str, Series]]]) -> dict[str, Any]:
    """The whole: every value in pyperf's format, and *facts*. *series* is by scenario its unit and its targets'."""
    import pyperf

    units = {"ns": ("second", 1e-9), "byte": ("byte", 1)}
    benchmarks = []
    for name, (unit, targets) in series.items():
        kind, factor = units[unit]
        for target, one in targets.items():
            metadata = {"name": f"{name}: {target}", "unit": kind}
            runs = [
                pyperf.Run([value * factor for value in run], metadata={**metadata, "loops": loops})
                for run, loops in zip(one.runs, one.loops or [1] * len(one.runs), strict=True)
                if one.values
            ]
            benchmarks += [pyperf.Benchmark(runs)] if runs else []
    result: dict[str, Any] = {}
    if benchmarks:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "suite.json")
            pyperf.BenchmarkSuite(benchmarks).dump(str(file))
            result = json.loads(file.read_text(encoding="utf-8"))
    return {**result, KEY: facts}


def read(path: str) -> dict[str, Any]:
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


def failures(facts: Mapping[str, Any]) -> list[str]:
    """The measurements that failed, a line each."""
    return [
        f"{row['name']} on {target}: {found['reason']}"
        for row in facts["operations"]
        for target, found in row["targets"].items()
        if found.get("failed")
    ]


def shown(facts: Mapping[str, Any], form: str = "text") -> str:
    """Everything as "text", "markdown" or "html", drawn by rich."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    markdown, html = form == "markdown", form == "html"
    kind = box.MARKDOWN if markdown else box.SIMPLE_HEAD
    output = io.StringIO()
    console = Console(file=output, width=300, record=html, color_system="truecolor" if html else None)

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(where(facts) + ".")
    for note in facts["notes"]:
        say(f"\n{note}" if markdown else f"note: {note}")
    for table in facts["tables"]:
        title, note = f"**{table['title']}.**" if markdown else table["title"], table["note"]
        say(f"\n{title} {note}\n" if markdown else f"\n{title}\n{note}")
        drawn = Table(box=kind)
        for column, name in enumerate(table["head"]):
            drawn.add_column(name, justify="right" if column else "left", no_wrap=True)
        for row in table["rows"]:
            drawn.add_row(*(Text(text, style={"✓": "green", "✗": "red"}.get(text[-1:], "")) for text in row))
        console.print(drawn)
    if html:
        return console.export_html()
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines()) + "\n"
