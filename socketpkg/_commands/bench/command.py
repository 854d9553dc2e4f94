"""The command: what was asked for, done and shown."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ... import backends
from . import raw, results
from .load import Others
from .lockstep import Plan, Series, WorkerError, measure, workers
from .operations import LOOPS
from .scenario import RAW, STDLIB, Scenario

FULL = Plan(rounds=100, share=0.002, generations=3)
QUICK = Plan(rounds=25, share=0.002)


class Experiment(NamedTuple):
    """A measurement with a procedure of its own."""

    title: str
    #: (targets, quick) -> the tables, and by name what `document` takes.
    perform: Callable[[Sequence[str], bool], tuple[list[dict[str, Any]], dict[str, tuple[str, dict[str, Series]]]]]


class Suite(NamedTuple):
    """What there is to measure, by name. docs/bench has more than this package."""

    loops: Mapping[str, Scenario] = LOOPS
    experiments: Mapping[str, Experiment] = {}
    #: Where the raw loops of the operations are.
    source: Path = raw.SOURCE


OWN = Suite()


def run(options: argparse.Namespace, suite: Suite = OWN) -> int:
    """The whole command; its exit status."""
    parser: argparse.ArgumentParser = options.parser
    names = [*suite.loops, *suite.experiments]
    if options.list:
        print(listing(suite))
        return 0
    outputs = [path for path in (options.json, options.html, options.markdown) if path not in (None, "-")]
    for module in ("pyperf", "rich"):
        if importlib.util.find_spec(module) is None:
            parser.error(f'{module} is missing: pip install "socketpkg[bench]"')
    if options.load is not None:
        if options.names or options.backend or options.quick:
            parser.error("--load measures nothing: it takes no names, --backend or --quick")
        try:
            result = results.read(options.load)
        except (OSError, results.NotAResult) as error:
            parser.error(f"--load {options.load}: {getattr(error, 'strerror', None) or error}")
        _check_writable(parser, outputs)
    else:
        for name in options.names:
            if name not in names:
                parser.error(f"there is no scenario {name!r}; there are {', '.join(names)}")
        targets = _targets(parser, options.backend, names)
        _check_writable(parser, outputs)
        try:
            result = perform(options.names or names, targets, options.quick, suite)
        except WorkerError as error:
            parser.exit(1, f"{parser.prog}: error: {error}\n")
        except KeyboardInterrupt:
            parser.exit(130, f"\n{parser.prog}: interrupted; nothing is written\n")
    facts = result[results.KEY]
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.html:
        Path(options.html).write_text(results.shown(facts, "html"), encoding="utf-8")
    if options.markdown not in (None, "-"):
        Path(options.markdown).write_text(results.shown(facts, "markdown"), encoding="utf-8")
    try:
        sys.stdout.write(results.shown(facts, "markdown" if options.markdown == "-" else "text"))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head(1), has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # or the interpreter complains when it flushes at its end
    failed = results.failures(facts)
    for line in failed:
        print(f"{parser.prog}: failed: {line}", file=sys.stderr)
    return 1 if failed else 0


def _targets(parser: argparse.ArgumentParser, wanted: Sequence[str] | None, scenarios: Sequence[str]) -> list[str]:
    """The backends; by default those of ours that can be used."""
    known = backends.available()
    if wanted is None:
        usable = [name for name in backends.ORDER if known[name].usable]
        if not usable:
            parser.error("no backend can be used: " + "; ".join(f"{n}: {s.reason}" for n, s in known.items()))
        return usable
    result = list(dict.fromkeys(name.strip().lower() for name in wanted))
    for name in result:
        if name not in known:
            hint = "; the names of scenarios go before --backend" if name in scenarios else ""
            parser.error(f"there is no backend {name!r}; there are {', '.join(known)}{hint}")
        if not known[name].usable:
            parser.error(f"the backend {name!r} cannot be used: {known[name].reason}")
    return result


def _check_writable(parser: argparse.ArgumentParser, paths: Sequence[str]) -> None:
    """Finds out before anything is measured whether the results can be stored. An existing file stays as it is."""
    for path in paths:
        there = os.path.exists(path)
        try:
            with open(path, "a"):
                pass
        except OSError as error:
            parser.error(f"cannot write {path}: {error.strerror}")
        if not there:
            os.unlink(path)


def perform(chosen: Sequence[str], targets: Sequence[str], quick: bool, suite: Suite) -> dict[str, Any]:
    """Measures the scenarios *chosen*; the document."""
    plan = QUICK if quick else FULL
    loops = [scenario for name, scenario in suite.loops.items() if name in chosen]
    notes: list[str] = []
    everybody = [STDLIB, *targets]
    values: dict[str, tuple[str, dict[str, Series]]] = {scenario.name: (scenario.unit, {}) for scenario in loops}
    with tempfile.TemporaryDirectory(prefix="socketpkg-bench-") as folder:
        library = None
        try:
            library = raw.build(Path(folder), suite.source) if loops else None
        except raw.NoCompiler as error:
            notes.append(f"There is no raw C column, since {suite.source.name} does not compile here: {error}")
        facts = results.about([STDLIB, *([RAW] if library else []), *targets], quick, notes)
        shares = []
        for generation in range(plan.generations if loops else 0):
            with workers(everybody, library) as team, ExitStack() as stack:
                others = stack.enter_context(Others([worker.pid for worker in team.values()]))
                for number, scenario in enumerate(loops):
                    done = generation * len(loops) + number
                    _say(100 * done // (len(loops) * plan.generations), scenario.title)
                    for target, series in measure(scenario, team, plan).items():
                        values[scenario.name][1].setdefault(target, Series()).add(series)
                stack.close()
                shares.append(others.share)
        if loops:
            facts["operations"] += [results.operation(scenario, values[scenario.name][1]) for scenario in loops]
            facts["tables"].append(results.operations(loops, facts, sum(shares) / len(shares)))
        for name, experiment in suite.experiments.items():
            if name in chosen:
                _say(0, experiment.title)
                tables, found = experiment.perform(everybody, quick)
                facts["tables"] += tables
                values |= found
    return results.document(facts, values)


def _say(percent: int, title: str) -> None:
    print(f"{percent:3}%  {title}", file=sys.stderr, flush=True)


def listing(suite: Suite) -> str:
    """The scenarios and their goals."""
    lines = []
    for scenario in suite.loops.values():
        goals = [f"{target} {goal:g}" for target, goal in scenario.goals.items()]
        goals += [f"{target} {goal:g} ns above raw" for target, goal in scenario.over_raw.items()]
        lines.append(f"{scenario.name:18} {scenario.title:52} {', '.join(goals)}".rstrip())
    return "\n".join([*lines, *(f"{name:18} {one.title}" for name, one in suite.experiments.items())])
