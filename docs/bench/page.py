"""The figures of performance.md: ``python docs/bench page FILE ...`` writes them into it.

FILE is a result of the benchmark or of ``instructions.py --json``, in any order. Each result of the benchmark becomes a
section, with what was counted on the same Python, and with a table of the goals that are missed: it says what of each
figure the system calls take, and the bridge, and what is left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datagrams
import instructions
import relaying

from socketpkg._commands.bench import operations, results
from socketpkg._commands.bench.scenario import RAW, STDLIB

LOOPS = {**operations.LOOPS, **datagrams.LOOPS, **relaying.LOOPS}
PAGE = Path(__file__).parents[1] / "performance.md"
#: By what part of a goal a figure may miss it and still be called within its spread.
NEARLY = 0.05
BEGIN, END = "<!-- figures: written by docs/bench -->\n", "<!-- end of the figures -->\n"


def why(reached: Mapping[str, float], goal: float, base: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """The first reason that holds for a missed goal.

    *reached* and *base* are the figures of the target and of the raw loop; *counts* the instructions of a turn of the
    standard library ("stdlib"), of the target ("own") and of its bridge's bare calls ("bridge"), where they are known.
    """
    if reached["ratio"] - goal <= min(reached["spread"], NEARLY * goal):
        return "within the spread"
    kernel = base.get("ratio")
    if kernel is not None and kernel >= goal:
        return f"the system calls alone take {kernel:.2f}"
    if "own" in counts:
        own, bridge = counts["own"] / counts["stdlib"], counts.get("bridge", 0) / counts["stdlib"]
        if own <= goal:
            return f"of instructions it takes {own:.2f}: the rest is the kernel's and the memory's"
        if bridge > goal:
            return f"the bare calls of the bridge take {bridge:.2f} of the instructions"
        if bridge:
            return f"{counts['own'] - counts['bridge']:,} instructions around the bare calls"
        return f"{counts['own']:,} instructions, against {counts['stdlib']:,}"
    return "see above"


def missed(facts: Mapping[str, Any], counts: instructions.Counts) -> str:
    """The table of the goals that are missed, and above it how many are met."""
    lines, goals, met = [], 0, 0
    for row in facts["operations"]:
        scenario = LOOPS[row["name"]]
        for target, goal in scenario.goals.items():
            reached = row["targets"].get(target, {})
            if "ratio" not in reached:
                continue
            goals += 1
            if reached["ratio"] <= goal:
                met += 1
                continue
            raw = row["targets"].get(RAW, {})
            own = {
                "stdlib": counts.get(STDLIB, {}).get(scenario.name),
                "own": counts.get(target, {}).get(scenario.name),
                "bridge": counts.get(f"{target}'s bridge", {}).get(scenario.name),
            }
            known = {name: number for name, number in own.items() if number is not None}
            left = taken = "-"
            if "minimum" in raw and row["unit"] == "ns":
                left = results.duration(goal * row["targets"][STDLIB]["minimum"] - raw["minimum"])
                taken = results.duration(reached["over_raw"])
            cells = [scenario.title, target, f"{goal:g}", f"{reached['ratio']:.2f}", left, taken]
            cells += [f"{known[name]:,}" if name in known else "-" for name in own]
            lines.append(f"| {' | '.join([*cells, why(reached, goal, raw, known)])} |")
    head = (
        *("missed", "target", "goal", "reached", "left above raw", "taken above raw"),
        *("instructions: stdlib", "its own", "its bridge's", "why"),
    )
    rule = "|---|---|" + "---:|" * (len(head) - 3) + "---|"
    text = (
        f'**Goals that are missed.** {met} of {goals} goals of the operations are met; these are not. "Left above raw" '
        "is the time that the goal leaves beside the raw C loop: where it is less than nothing, nobody can meet it."
    )
    return "\n".join([text, "", f"| {' | '.join(head)} |", rule, *lines]) + "\n"


def section(facts: Mapping[str, Any], counts: instructions.Counts) -> str:
    """What stands on the page about one Python."""
    parts = [f"\n## {facts['python']}\n", results.shown(facts, "markdown"), missed(facts, counts)]
    if counts:
        text = "**Instructions.** Of one turn, outside of the kernel; the ratio to the stdlib's in brackets."
        parts.append(f"{text}\n\n{instructions.table(counts)}\n")
    return "\n".join(parts)


def write(paths: Sequence[str]) -> None:
    """Writes the figures between the two marks of the page."""
    measured, counted = [], {}
    for path in paths:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if "instructions" in found:
            counted[found["python"]] = found["instructions"]
        else:
            measured.append(results.read(path)[results.KEY])
    parts = [section(one, counted.get(one["python"], {})) for one in measured]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{PAGE} has lost the marks of its figures")
    PAGE.write_text(f"{before}{BEGIN}{''.join(parts)}\n{END}{after}", encoding="utf-8")
