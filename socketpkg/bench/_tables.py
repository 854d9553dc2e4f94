"""The results as tables, and the tables as text, as Markdown and by rich."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._scenario import RAW, STDLIB


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
    return [table for table in (_operations(facts), _missed(facts)) if table.rows]


def duration(nanoseconds: float) -> str:
    """A time with three digits and its unit."""
    value, unit = nanoseconds, "ns"
    for larger in ("µs", "ms", "s"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if value >= 99.95 or unit == "ns" else f"{value:.3g} {unit}"


def amount(value: float, unit: str) -> str:
    """A value of a row with its unit."""
    return duration(value) if unit == "ns" else f"{value:,.0f} B"


def against(reached: str, goal: float | None, met: bool | None) -> Cell:
    """What was reached beside its goal."""
    return Cell(reached if goal is None else f"{reached} ({goal:g})", met)


def _verdicts(facts: Mapping[str, Any], measure: str) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(v["scenario"], v["target"]): v for v in facts["verdicts"] if v["measure"] == measure}


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
                met = ratios.get((row["name"], target), {}).get("met")
                cells.append(against(f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}", row["goals"].get(target), met))
        if above:
            gap = targets.get("c", {}).get("over_raw")
            goal = row["over_raw"].get("c")
            met = thin.get((row["name"], "c"), {}).get("met")
            cells.append(Cell("-") if gap is None or row["unit"] != "ns" else against(duration(gap), goal, met))
        table.rows.append(cells)
    return table


def _missed(facts: Mapping[str, Any]) -> Table:
    table = Table("Goals that are missed, by most first", ["what", "target", "measure", "goal", "reached", "times"])
    for v in sorted(facts["verdicts"], key=lambda v: -v["miss"]):
        if not v["met"]:
            bound = "at least " if v["at_least"] else ""
            texts = v["title"], v["target"], v["measure"], f"{bound}{v['goal']:g}", f"{v['reached']:.3g}"
            table.rows.append([*map(Cell, texts), Cell(f"{v['miss']:.2f}")])
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
