"""CPython's own tests under legal chaos, with many seeds: what a correct kernel may do, no correct program notices.

``python tests/legal/run.py --seeds 50 test_httplib`` runs a suite with each seed; without a name, all of known.toml.
Tests that ask for more than a kernel promises stand there with a reason, and are left out. ``--listed`` shows that
they stand there with right: each is run alone, and must fail with one of the seeds.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path
from typing import Any

KNOWN = Path(__file__).with_name("known.toml")
#: How many seconds a file of tests may take: one that waits for ever is told then, with what each thread does. No file
#: takes a quarter of that alone.
PATIENCE = 400
SHOWN = 12
ERROR = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception)\b.*", re.MULTILINE)


class Run:
    """One suite with one seed, in a process of its own."""

    def __init__(self, suite: str, seed: int, backend: str, entry: dict[str, Any], only: str = "") -> None:
        self.name, self.seed = suite, seed
        words = [sys.executable, "-m", "socketpkg", "run", "-m", "test", "-v", f"--timeout={PATIENCE}"]
        words += ["-u", entry["resources"]] if "resources" in entry else []
        # A listed test runs with all kinds, for it has to fail.
        for pattern in () if only else entry.get("tests", ()):
            words += ["-i", pattern]
        words += ["-m", only] if only else []
        kinds = "+-".join(["legal", *(() if only else entry.get("kinds", ()))])
        with tempfile.TemporaryDirectory(prefix="socketpkg-legal-") as folder:
            log = Path(folder, "log")
            env = {
                **os.environ,
                "SOCKET_BACKEND": f"chaos+{backend}",
                "SOCKETPKG_CHAOS": f"seed={seed} kinds={kinds} log={log}",
            }
            done = subprocess.run(
                [*words, suite],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            self.text = done.stdout.decode(errors="replace")
            self.log = log.read_text(errors="replace").splitlines() if log.exists() else []
        self.ran = sum(int(count) for count in re.findall(r"^Ran (\d+) tests? in", self.text, re.MULTILINE))
        self.failed = sorted(set(re.findall(r"^(?:FAIL|ERROR): \S+ \((\S+)\)", self.text, re.MULTILINE)))
        #: Where each thread was when a test did not end.
        self.stacks: list[str] = []
        if "Timeout (" in self.text:
            before, _, after = self.text.partition("Timeout (")
            self.stacks = [line for line in after.splitlines() if "unittest" not in line and "libregrtest" not in line]
            self.failed.append(re.findall(r"^test\w+ \((\S+)\)", before, re.MULTILINE)[-1] + ", which did not end")
        if done.returncode and not self.failed:
            self.failed.append(f"status {done.returncode}")
        # Nothing was shown where no test ran.
        if not done.returncode and not self.ran:
            self.failed.append("no test ran")


def show(run: Run) -> None:
    """Tells of a run in a line, or of what failed and what chaos had done last."""
    head = f"{run.name}, seed {run.seed}: "
    if not run.failed:
        print(f"{head}{run.ran} tests passed, {len(run.log)} things done", flush=True)
        return
    lines = [
        *re.findall(ERROR, run.text)[:SHOWN],
        *run.stacks,
        *run.log[-SHOWN:],
    ]
    print(f"{head}FAILED {'; '.join(run.failed)}", *(f"    {line}" for line in lines), sep="\n", flush=True)


def at_once(jobs: int, work: list[tuple[Any, ...]]) -> list[Run]:
    """Makes the runs, *jobs* at a time."""
    waiting: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    for arguments in work:
        waiting.put(arguments)
    done: list[Run] = []

    def worker() -> None:
        while True:
            try:
                run = Run(*waiting.get_nowait())
            except queue.Empty:
                return
            show(run)
            done.append(run)

    threads = [threading.Thread(target=worker) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def main() -> int:
    """Status 1 if a suite failed, or a test is listed that never fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("suites", nargs="*", help="modules of CPython's tests (all of known.toml)")
    parser.add_argument("--seeds", type=int, default=0, help="how many seeds (as many as known.toml says)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--backend", default="c", help="the backend, or the stack, below")
    parser.add_argument("--jobs", type=int, default=1, help="how many runs at once")
    parser.add_argument("--listed", action="store_true", help="run what is listed, each test alone, until it fails")
    options = parser.parse_args()
    known = tomllib.loads(KNOWN.read_text())
    suites = options.suites or list(known["suites"])
    entries = {suite: known["suites"][suite] for suite in suites}
    for suite, entry in entries.items():
        given = [*entry.get("tests", {}).values(), *entry.get("kinds", {}).values()]
        if unknown := set(given) - set(known["reasons"]):
            parser.error(f"{suite}: there is no reason {', '.join(sorted(unknown))}")
    if options.listed:
        idle = []
        for suite, entry in entries.items():
            for pattern in entry.get("tests", {}):
                seeds = range(options.seed, options.seed + (options.seeds or 20))
                if not any(Run(suite, seed, options.backend, entry, pattern).failed for seed in seeds):
                    idle.append(pattern)
        print(*(f"{pattern} is listed, and failed with no seed" for pattern in idle), sep="\n")
        return 1 if idle else 0
    last = {suite: options.seed + (options.seeds or entry["seeds"]) for suite, entry in entries.items()}
    work = [
        (suite, seed, options.backend, entry)
        for seed in range(options.seed, max(last.values()))
        for suite, entry in entries.items()
        if seed < last[suite]
    ]
    done = at_once(options.jobs, work)
    for suite in suites:
        runs = [run for run in done if run.name == suite]
        failed = sorted(run.seed for run in runs if run.failed)
        which = ["failed:", *failed] if failed else []
        print(f"{suite}: {len(runs) - len(failed)} of {len(runs)} seeds passed", *which)
    return 1 if any(run.failed for run in done) else 0


if __name__ == "__main__":
    raise SystemExit(main())
