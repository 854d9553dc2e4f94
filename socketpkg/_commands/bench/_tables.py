"""The results as tables, and the tables as text, as Markdown and by rich."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import Any

from . import _late as late_goals
from ._fair import KEPT, LOST, PACE, SLOWER
from ._scale import GROWTH, RATIO, cases
from ._scenario import RAW, STDLIB

#: How a target is called where that is not its name.
SHOWN = {RAW: "raw C"}


@dataclass(frozen=True)
class Cell:
    """A text, and whether it is good, bad or neither."""

    text: str = ""
    met: bool | None = None

    @property
    def plain(self) -> str:
        """With a mark in the place of a colour."""
        return self.text if self.met is None else f"{self.text} {'✓' if self.met else '✗'}"


@dataclass(frozen=True)
class Table:
    """A title, what to know, a head and rows. The first column is text, the others are figures."""

    title: str
    head: list[str]
    rows: list[list[Cell]] = field(default_factory=list)
    note: str = ""


def tables(facts: Mapping[str, Any]) -> list[Table]:
    """All that *facts*, the part of a document that is ours, has to show."""
    found = (_goals(facts), _operations(facts), *_busy(facts), *_fair(facts), *_late(facts), *_scale(facts))
    return [table for table in found if table.rows]


def duration(nanoseconds: float) -> str:
    """A time with three digits and its unit."""
    value, unit = nanoseconds, "ns"
    for larger in ("µs", "ms", "s"):
        if abs(value) < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if abs(value) >= 99.95 or unit == "ns" else f"{value:.3g} {unit}"


def amount(value: float, unit: str) -> str:
    """A value of a row with its unit."""
    return duration(value) if unit == "ns" else f"{value:,.0f} B"


def against(reached: str, goal: float | None, met: bool | None) -> Cell:
    """What was reached beside its goal."""
    return Cell(reached if goal is None else f"{reached} ({goal:g})", met)


def _verdicts(facts: Mapping[str, Any], measure: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    """By title and target."""
    return {(v["title"], v["target"]): v for v in facts["verdicts"] if v["measure"] == measure}


def _operations(facts: Mapping[str, Any]) -> Table:
    ours = [target for target in facts["targets"] if target not in (STDLIB, RAW)]
    raw = RAW in facts["targets"]
    above = raw and "c" in ours
    table = Table(
        "Operations",
        ["operation", "stdlib", *(["raw C"] if raw else []), *ours, *(["c - raw"] if above else [])],
        note="Least time of the rounds; for the backends as a ratio to the stdlib's, the goal in brackets.",
    )
    ratios, thin = _verdicts(facts, "ratio to the stdlib"), _verdicts(facts, "ns above the raw loop")
    for row in facts["operations"]:
        targets = row["targets"]

        def cell(target: str, fact: str, row: Any = row, targets: Any = targets) -> Cell:
            found = targets.get(target, {"reason": ""})
            if fact in found:
                return Cell(amount(found[fact], row["unit"]))
            return Cell("FAILED", False) if found.get("failed") else Cell("-")

        cells = [Cell(row["title"]), cell(STDLIB, "minimum"), *([cell(RAW, "minimum")] if raw else [])]
        for target in ours:
            ratio = targets.get(target, {}).get("ratio")
            if ratio is None:
                cells.append(cell(target, "minimum"))
            else:
                met = ratios.get((row["title"], target), {}).get("met")
                cells.append(against(f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}", row["goals"].get(target), met))
        if above:
            gap = targets.get("c", {}).get("over_raw")
            goal = row["over_raw"].get("c")
            met = thin.get((row["title"], "c"), {}).get("met")
            cells.append(Cell("-") if gap is None or row["unit"] != "ns" else against(duration(gap), goal, met))
        table.rows.append(cells)
    return table


def _busy(facts: Mapping[str, Any]) -> Iterator[Table]:
    busy = facts["busy"]
    if busy is None:
        return
    runs = len(busy["runs"])
    first = next(iter(busy["targets"].values()))
    others = f"Others took {_percent(fmean([found['others'] for found in first.values()]))} of the machine meanwhile."
    stream = Table(
        "Beside a busy thread: datagrams a second",
        ["target", "where", "alone", "least", "median", "most", "of its own", "of the stdlib's"],
        note=f"{runs} runs. The ratios are the worst run's; they are to be at least the figure in brackets. {others}",
    )
    answers = Table(
        "Beside a busy thread: request and answer",
        ["target", "where", "answers", "p50", "p99", "p99 to the stdlib's"],
        note=f"The times of all {runs} runs together. The ratio is to be at most 1.",
    )
    own, stdlib = _verdicts(facts, "of its own rate, worst run"), _verdicts(facts, "of the stdlib's rate, worst run")
    p99 = _verdicts(facts, "p99 of answers, to the stdlib's")
    for target, places in busy["targets"].items():
        for place, found in places.items():
            key = (f"beside a busy thread, {place}", target)
            base = busy["targets"][STDLIB][place]
            rates = (f"{found[name]:,.0f}" for name in ("rate_alone", "rate_least", "rate_median", "rate_most"))
            stream.rows.append(
                [
                    *map(Cell, (target, place, *rates)),
                    _judged(found["of_its_own"], own.get(key)),
                    Cell("") if target == STDLIB else _judged(found["of_stdlib"], stdlib.get(key)),
                ]
            )
            times = f"{found['answers']:,}", duration(found["p50"]), duration(found["p99"])
            answers.rows.append(
                [
                    *map(Cell, (target, place, *times)),
                    Cell("") if target == STDLIB else _judged(found["p99"] / base["p99"], p99.get(key)),
                ]
            )
    yield from (stream, answers)


def _fair(facts: Mapping[str, Any]) -> Iterator[Table]:
    fair = facts["fair"]
    if fair is None:
        return
    base = fair["targets"][STDLIB]
    others = _percent(fmean([own["others"] for own in fair["targets"].values()]))
    paced = Table(
        f"The other side: computing beside a thread that receives {PACE:,} messages a second",
        ["target", "received a second", "of its speed alone", "lost a message", "longest wait", "time to the stdlib's"],
        note=f"Medians of the quieter rounds, in which others took {others} of the machine. "
        "The ratio is the time for the same work; it is to be at most 1.",
    )
    tight = Table(
        "The other side: computing beside a thread that receives in a tight loop",
        ["target", "received a second", "of its speed alone", "lost a message", "longest wait", "loss to the stdlib's"],
        note="The ratio is that of the time lost a message; it is to be at most 1.",
    )
    slower, lost, kept = (_verdicts(facts, measure) for measure in (SLOWER, LOST, KEPT))
    for target, own in fair["targets"].items():
        key = ("a thread that computes beside one that receives", target)
        for table, kind in ((paced, "paced"), (tight, "tight")):
            found = own[kind]
            ratio = Cell("")
            if target != STDLIB and kind == "paced":
                ratio = _judged(base[kind]["share"] / found["share"], slower.get(key))
            elif target != STDLIB and base[kind]["lost"] > 0:
                ratio = _judged(found["lost"] / base[kind]["lost"], lost.get(key))
            table.rows.append(
                [
                    Cell(target),
                    Cell(f"{found['messages']:,.0f}"),
                    _judged(found["share"], kept.get(key) if kind == "tight" else None),
                    Cell(duration(found["lost"])),
                    Cell(duration(found["longest"])),
                    ratio,
                ]
            )
    yield from (paced, tight)


def _late(facts: Mapping[str, Any]) -> Iterator[Table]:
    late = facts.get("late")
    if late is None:
        return
    table = Table(
        "A thread that sleeps 1 ms at a time, beside threads that transfer",
        ["target", "threads", "late, median", "late, longest", "slowest to fastest", "turns a second"],
        note="Medians of the quieter rounds. On c and cffi beside 4 and 16 threads: no later than "
        f"{late_goals.TIMES:g} times the stdlib's or {duration(late_goals.BOUND)}, and a share of at least"
        f" {late_goals.SHARE:g}.",
    )
    measures = (late_goals.LATE, late_goals.LATEST, late_goals.SHARED)
    median, longest, shared = (_verdicts(facts, measure) for measure in measures)
    for target, runs in late["targets"].items():
        for threads, own in runs.items():
            key = (f"beside {threads} threads that transfer", target)
            met = [found[key]["met"] if key in found else None for found in (median, longest, shared)]
            table.rows.append(
                [
                    Cell(target),
                    Cell(threads),
                    Cell(duration(own["median"]), met[0]),
                    Cell(duration(own["longest"]), met[1]),
                    Cell(f"{own['share']:.2f}", met[2]),
                    Cell(f"{own['turns']:,.0f}"),
                ]
            )
    yield table


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _scale(facts: Mapping[str, Any]) -> Iterator[Table]:
    scale = facts["scale"]
    if scale is None:
        return
    table = Table(
        "Scale: an epoll echo server",
        ["target", "connections", "time a message", "median", "to its own with 10", "to the stdlib's", "peak memory"],
        note="The least processor time that the server's own process takes for a message. "
        "The ratios are to be at most the figure in brackets.",
    )
    flat, stdlib = _verdicts(facts, GROWTH), _verdicts(facts, RATIO)
    for target, sizes in scale["targets"].items():
        for case, (size, used) in cases(scale["sizes"]).items():
            found = sizes[case]
            # The goals are those of a server whose connections are all used.
            key = (f"echo server, {size:,} connections", target if used == size else "")
            table.rows.append(
                [
                    *map(Cell, (SHOWN.get(target, target), f"{size:,}" if used == size else f"{size:,}, {used} used")),
                    *map(Cell, (duration(found["cost"]), duration(found["median"]))),
                    Cell("") if case == str(scale["sizes"][0]) else _judged(found["growth"], flat.get(key)),
                    Cell("") if target == STDLIB else _judged(found["ratio"], stdlib.get(key)),
                    Cell("-" if target == RAW else f"{found['peak'] / 2**20:.1f} MiB"),
                ]
            )
    yield table


def _judged(value: float, found: Mapping[str, Any] | None) -> Cell:
    """A ratio, with its goal where it has one."""
    return Cell(f"{value:.2f}") if found is None else against(f"{value:.2f}", found["goal"], found["met"])


def _goals(facts: Mapping[str, Any]) -> Table:
    """By target how many goals are met, and how far off the others are; the other tables mark which ones these are."""
    table = Table("Goals", ["target", "goals", "met", "missed by up to a tenth", "by up to a half", "by more"])
    for target in facts["targets"]:
        misses = [v["miss"] for v in facts["verdicts"] if v["target"] == target]
        within = [sum(miss <= bound for miss in misses) for bound in (1.0, 1.1, 1.5, float("inf"))]
        if misses:
            counts = [len(misses), within[0], *(more - less for less, more in pairwise(within))]
            table.rows.append([Cell(target), *(Cell(str(count)) for count in counts)])
    return table


def summary(facts: Mapping[str, Any]) -> str:
    """The goals in a line."""
    met = sum(v["met"] for v in facts["verdicts"])
    failed = sum(bool(f.get("failed")) for row in facts["operations"] for f in row["targets"].values())
    return f"{met} of {len(facts['verdicts'])} goals met" + (f"; {failed} measurements FAILED" if failed else "")


def where(facts: Mapping[str, Any]) -> str:
    """Where and how it was measured, in a line."""
    kind = ", quick" if facts["quick"] else ""
    return (
        f"socketpkg {facts['version']}, {facts['python']} (GIL {facts['gil']}), {facts['system']}, "
        f"{facts['cores']} cores, {facts['date']}{kind}"
    )


def failures(facts: Mapping[str, Any]) -> Iterator[str]:
    """What went wrong, a line each."""
    for row in facts["operations"]:
        for target, found in row["targets"].items():
            if found.get("failed"):
                yield f"{row['name']} on {target}: {found['reason']}"


def text(facts: Mapping[str, Any]) -> str:
    """Everything for a terminal without colours."""
    lines = [where(facts), *(f"note: {note}" for note in facts["notes"]), ""]
    for table in tables(facts):
        rows = [[Cell(name) for name in table.head], *table.rows]
        widths = [max(len(row[column].plain) for row in rows) for column in range(len(table.head))]
        lines += [table.title, *([table.note] if table.note else []), ""]
        for row in rows:
            first, *others = (
                cell.plain.ljust(width) if not column else cell.plain.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            lines.append("  ".join([first, *others]).rstrip())
        lines.append("")
    return "\n".join([*lines, summary(facts)])


def markdown(facts: Mapping[str, Any]) -> str:
    """Everything as Markdown."""
    lines = [where(facts) + ".", *(f"\n{note}" for note in facts["notes"]), ""]
    for table in tables(facts):
        lines += [f"**{table.title}.** {table.note}".rstrip(), ""]
        lines.append("| " + " | ".join(table.head) + " |")
        lines.append("|" + "|".join(["---", *["---:"] * (len(table.head) - 1)]) + "|")
        lines += ["| " + " | ".join(cell.plain for cell in row) + " |" for row in table.rows]
        lines.append("")
    return "\n".join([*lines, summary(facts) + "."]) + "\n"
