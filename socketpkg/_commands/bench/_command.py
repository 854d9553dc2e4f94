"""The command: what was asked for, done and shown."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import backends
from . import _busy, _fair, _late, _raw, _results, _scale, _tables
from ._catalogue import BUSY, FAIR, LATE, LOOPS, OTHERS, SCALE, names
from ._lockstep import Plan, Series, WorkerError, measure, rounds, workers
from ._progress import Progress, progress
from ._quiet import Patience
from ._scenario import RAW, STDLIB, Scenario


@dataclass(frozen=True)
class Effort:
    """How much of everything is measured."""

    loops: Plan
    busy: _busy.BusyPlan
    fair: _fair.FairPlan
    late: _late.LatePlan
    scale: _scale.ScalePlan
    #: The seconds that it may wait, in all, for others to leave the machine alone.
    patience: float


FULL = Effort(
    Plan(100, 0.002, generations=3),
    _busy.BusyPlan(runs=10, slices=2, stream_seconds=0.25, answer_seconds=0.5),
    _fair.FairPlan(30, 0.1),
    _late.LatePlan(9, 1.0),
    _scale.ScalePlan(100, 1_000),
    patience=60.0,
)
QUICK = Effort(
    Plan(25, 0.002),
    _busy.BusyPlan(runs=2, slices=1, stream_seconds=0.15, answer_seconds=0.4),
    _fair.FairPlan(4, 0.08),
    _late.LatePlan(2, 0.3),
    _scale.ScalePlan(20, 500),
    patience=5.0,
)


def run(options: argparse.Namespace) -> int:
    """The whole command; its exit status."""
    parser: argparse.ArgumentParser = options.parser
    if options.list:
        print(listing())
        return 0
    outputs = [path for path in (options.json, options.html, options.markdown) if path not in (None, "-")]
    if options.load is not None:
        if options.names or options.backend or options.quick:
            parser.error("--load measures nothing: it takes no names, --backend or --quick")
        try:
            result = _results.load(options.load)
        except (OSError, _results.NotAResult) as error:
            parser.error(f"--load {options.load}: {getattr(error, 'strerror', None) or error}")
        _check_writable(parser, outputs)
    else:
        chosen = _scenarios(parser, options.names)
        targets = _targets(parser, options.backend)
        _check_writable(parser, outputs)
        if importlib.util.find_spec("pyperf") is None:
            parser.error('pyperf is missing, which keeps the statistics: pip install "socketpkg[bench]"')
        try:
            result = perform(chosen, targets, QUICK if options.quick else FULL, options.quick)
        except WorkerError as error:
            parser.exit(1, f"{parser.prog}: error: {error}\n")
        except KeyboardInterrupt:
            parser.exit(130, f"\n{parser.prog}: interrupted; nothing is written\n")
    facts = result[_results.KEY]
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.html:
        from . import _html

        Path(options.html).write_text(_html.page(facts), encoding="utf-8")
    if options.markdown not in (None, "-"):
        Path(options.markdown).write_text(_tables.markdown(facts), encoding="utf-8")
    try:
        if options.markdown == "-":
            sys.stdout.write(_tables.markdown(facts))
        else:
            _show(facts)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head(1), has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # or the interpreter complains when it flushes at its end
    failed = list(_tables.failures(facts))
    for line in failed:
        print(f"{parser.prog}: failed: {line}", file=sys.stderr)
    return 1 if failed else 0


def _scenarios(parser: argparse.ArgumentParser, wanted: Sequence[str]) -> list[str]:
    known = names()
    for name in wanted:
        if name not in known:
            parser.error(f"there is no scenario {name!r}; there are {', '.join(known)}")
    return [name for name in known if name in wanted or not wanted]


def _targets(parser: argparse.ArgumentParser, wanted: Sequence[str] | None) -> list[str]:
    """The backends; without a wish those of ours that can be used."""
    known = backends.available()
    if wanted is None:
        usable = [name for name in backends.ORDER if known[name].usable]
        if not usable:
            parser.error("no backend can be used: " + "; ".join(f"{n}: {s.reason}" for n, s in known.items()))
        return usable
    result = list(dict.fromkeys(name.strip().lower() for name in wanted))
    for name in result:
        if name not in known:
            hint = "; the names of scenarios go before --backend" if name in names() else ""
            parser.error(f"there is no backend {name!r}; there are {', '.join(known)}{hint}")
        if not known[name].usable:
            parser.error(f"the backend {name!r} cannot be used: {known[name].reason}")
    return result


def _check_writable(parser: argparse.ArgumentParser, paths: Sequence[str]) -> None:
    """Finds out before anything is measured that a result could not be stored. A file that is there stays as it is."""
    for path in paths:
        there = os.path.exists(path)
        try:
            with open(path, "a"):
                pass
        except OSError as error:
            parser.error(f"cannot write {path}: {error.strerror}")
        if not there:
            os.unlink(path)


def perform(chosen: Sequence[str], targets: Sequence[str], effort: Effort, quick: bool) -> dict[str, Any]:
    """Measures the scenarios *chosen*; the document."""
    loops = [LOOPS[name] for name in chosen if name in LOOPS]
    notes: list[str] = []
    everybody = [STDLIB, *targets]
    sizes: list[int] = []
    scale = SCALE in chosen
    if scale:
        sizes, left_out = _scale.fitting()
        notes += [reason] if (reason := _scale.unusable()) else left_out
        scale = not reason
    with tempfile.TemporaryDirectory(prefix="socketpkg-bench-") as folder:
        library = None
        try:
            library = _raw.build(Path(folder)) if loops or scale else None
        except _raw.NoCompiler as error:
            notes.append(f"There is no raw C column, since raw.c does not compile here: {error}")
        facts = _results.about([STDLIB, *([RAW] if library else []), *targets], quick, notes)
        values: dict[str, tuple[str, dict[str, Series]]] = {}
        total = (
            effort.loops.generations * sum(rounds(scenario, effort.loops) for scenario in loops)
            + (_busy.steps(effort.busy, len(everybody)) if BUSY in chosen else 0)
            + (_fair.steps(effort.fair, len(everybody)) if FAIR in chosen else 0)
            + (_late.steps(effort.late, len(everybody)) if LATE in chosen else 0)
            + (_scale.steps(effort.scale) if scale else 0)
        )
        with progress(total) as bar:
            found = _loops(loops, everybody, library, effort.loops, bar)
            for scenario in loops:
                values[scenario.name] = (scenario.unit, found[scenario.name])
                row = _results.operation(scenario, found[scenario.name])
                facts["operations"].append(row)
                facts["verdicts"] += _results.operation_verdicts(row)
            patience = Patience(effort.patience)
            if BUSY in chosen:
                bar.show(OTHERS[BUSY])
                with workers(everybody) as team:
                    facts["busy"] = _busy.measure(team, effort.busy, patience, bar.advance)
                facts["verdicts"] += _busy.verdicts(facts["busy"])
                values |= _busy.values(facts["busy"])
            if FAIR in chosen:
                bar.show(OTHERS[FAIR])
                with workers(everybody) as team:
                    facts["fair"] = _fair.measure(team, effort.fair, patience, bar.advance)
                facts["verdicts"] += _fair.verdicts(facts["fair"])
                values |= _fair.values(facts["fair"])
            if LATE in chosen:
                bar.show(OTHERS[LATE])
                with workers(everybody) as team:
                    facts["late"] = _late.measure(team, effort.late, patience, bar.advance)
                facts["verdicts"] += _late.verdicts(facts["late"])
                values |= _late.values(facts["late"])
            if scale:
                bar.show(OTHERS[SCALE])
                facts["scale"] = _scale.measure(everybody, library, effort.scale, sizes, bar.advance)
                facts["verdicts"] += _scale.verdicts(facts["scale"])
                values |= _scale.values(facts["scale"])
    return _results.document(facts, values)


def _loops(
    loops: Sequence[Scenario], targets: Sequence[str], library: Path | None, plan: Plan, bar: Progress
) -> dict[str, dict[str, Series]]:
    """What each target did in each of the scenarios, in every generation of processes."""
    found: dict[str, dict[str, Series]] = {scenario.name: {} for scenario in loops}
    for _ in range(plan.generations if loops else 0):
        with workers(targets, library) as team:
            for scenario in loops:
                bar.show(scenario.title)
                for target, series in measure(scenario, team, plan, bar.advance).items():
                    found[scenario.name].setdefault(target, Series()).add(series)
    return found


def listing() -> str:
    """The scenarios and their goals."""
    lines = []
    for scenario in LOOPS.values():
        goals = [f"{target} {goal:g}" for target, goal in scenario.goals.items()]
        goals += [f"{target} {goal:g} ns above raw" for target, goal in scenario.over_raw.items()]
        lines.append(f"{scenario.name:18} {scenario.title:52} {', '.join(goals)}".rstrip())
    return "\n".join([*lines, *(f"{name:18} {title}" for name, title in OTHERS.items())])


def _show(facts: dict[str, Any]) -> None:
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        from . import _rich

        _rich.show(facts)
    else:
        print(_tables.text(facts))
