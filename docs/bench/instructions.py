"""How many instructions a turn takes outside of the kernel: ``python docs/bench/instructions.py [SCENARIO ...]``.

Counts the operations of the benchmark on the standard library and each backend, below valgrind's callgrind
(https://valgrind.org), which it needs; and the bare calls of the bridges of cffi and ctypes (``bridge.py``). A count
hardly depends on what else the machine does. ``--list`` names the scenarios; ``--target NAME`` counts on that one only,
and may be repeated; ``--json FILE`` keeps the counts for ``python docs/bench page``. The table goes to the standard
output, as Markdown.

The process of a target makes 100 turns, and then a child process of its own makes 64, and another one 320: the
difference of what the two took is that of 256 turns. What a scenario does untimed around a batch of turns is in it,
divided by the turns of the batch, as it is for every target.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from socketpkg._commands.bench import lockstep
from socketpkg._commands.bench.operations import LOOPS
from socketpkg._commands.bench.scenario import BATCH, STDLIB, Loop

TARGETS = (STDLIB, "c", "cffi", "ctypes")
SCENARIOS = {name: scenario for name, scenario in LOOPS.items() if scenario.alone}
WARMUP, FEW, MANY = 100, BATCH, 5 * BATCH
#: What the bare calls of a bridge are counted as, and a turn of theirs that does nothing.
BRIDGES = {f"{backend}'s bridge": backend for backend in ("cffi", "ctypes")}
NOTHING = "nothing"

Counts = dict[str, dict[str, int]]


def take_turns(target: str, names: list[str]) -> None:
    """The process that is counted."""
    prepared: Mapping[str, AbstractContextManager[Loop]]
    if target in BRIDGES:
        sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
        import bridge

        bare = {NOTHING: bridge.repeated(lambda: None), **bridge.loops(BRIDGES[target])}
        prepared = {name: nullcontext(bare[name]) for name in [NOTHING, *names] if name in bare}
    else:
        module = importlib.import_module("socket" if target == STDLIB else "socketpkg")
        prepared = {name: SCENARIOS[name].setup(module) for name in names}
    for name, preparation in prepared.items():
        with preparation as loop:
            loop(WARMUP)
            for turns in (FEW, MANY):
                child = os.fork()
                if not child:
                    loop(turns)
                    os._exit(0)
                if os.waitpid(child, 0)[1]:
                    raise SystemExit(f"{target}: {name} failed")
                print("turns", child, turns, name, flush=True)


def count(target: str, names: list[str]) -> dict[str, int]:
    """The instructions of a turn of each of these scenarios. Those of a bridge are without the call of the function."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}.%p"]
        command += [sys.executable, __file__, "--turns", target, *names]
        environment = lockstep.environment(BRIDGES.get(target, target))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
        if done.returncode:
            raise SystemExit(f"the turns on {target} ended with status {done.returncode}")
        totals: dict[str, dict[int, int]] = {}
        for child, turns, name in re.findall(r"^turns (\d+) (\d+) (.*)$", done.stdout, re.MULTILINE):
            collected = re.search(r"Collected : (\d+)", Path(f"{log}.{child}").read_text(errors="replace"))
            if collected is None:
                raise SystemExit(f"valgrind has counted nothing of {name} on {target}")
            totals.setdefault(name, {})[int(turns)] = int(collected[1])
    counts = {name: round((of[MANY] - of[FEW]) / (MANY - FEW)) for name, of in totals.items()}
    call = counts.pop(NOTHING, 0)
    return {name: number - call for name, number in counts.items()}


def table(counts: Counts) -> str:
    """The counts of each target as a table, with the ratio to those of the standard library."""
    base = counts.get(STDLIB, {})
    lines = [f"| instructions of a turn | {' | '.join(counts)} |", "|---|" + "---:|" * len(counts)]
    for name in next(iter(counts.values())):
        cells = []
        for target, of_target in counts.items():
            own = of_target.get(name)
            shown = "-" if own is None else f"{own:,}"
            if own is not None and name in base and target != STDLIB:
                shown += f" ({own / base[name]:.2f})"
            cells.append(shown)
        lines.append(f"| {LOOPS[name].title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all of them if none is named")
    parser.add_argument("--target", action="append", choices=[*TARGETS, *BRIDGES], help="all of them if none is named")
    parser.add_argument("--list", action="store_true", help="the names of the scenarios")
    parser.add_argument("--json", metavar="FILE", help="keep the counts in a file")
    parser.add_argument("--turns", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turns:
        take_turns(options.turns, options.scenarios)
        return
    if options.list:
        print("\n".join(SCENARIOS))
        return
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]!r}; --list names them")
    if shutil.which("valgrind") is None:
        raise SystemExit("this counts below valgrind, which is not installed (apt install valgrind, for one)")
    names = options.scenarios or list(SCENARIOS)
    counts = {target: count(target, names) for target in options.target or [*TARGETS, *BRIDGES]}
    if options.json:
        python = f"{platform.python_implementation()} {platform.python_version()}"
        Path(options.json).write_text(json.dumps({"python": python, "instructions": counts}, indent=1) + "\n")
    print(table(counts))


if __name__ == "__main__":
    main()
