"""Programs on all engines at once, and what is not the same.

    python -m sameness.lockstep --programs 100000 --seed 7 --jobs 2

is `nox -s sameness`: rounds of random programs, each with a seed that is printed. The first difference of a round is
shrunk and kept beside this file, in `kept`, from where the tests run it ever after.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

if __package__:
    from .allowed import ALLOWED, Allowed, Difference
    from .engine import ENGINES, Broken, Engine, Step, folder_for_engines, remove
    from .programs import Programs
else:  # as a program
    from allowed import ALLOWED, Allowed, Difference
    from engine import ENGINES, Broken, Engine, Step, folder_for_engines, remove
    from programs import Programs

KEPT = Path(__file__).parent / "kept"
#: How many programs there are to a seed.
ROUND = 500
#: How often a difference must show: the load of the machine, a delayed packet, are none.
SHOWS = 3


class Lockstep:
    """The engines, and what they have told."""

    def __init__(self, engines: Sequence[str] = ENGINES) -> None:
        self.folder = folder_for_engines()
        self.engines = [Engine(name, self.folder) for name in engines]
        self.programs = 0
        self.steps = 0
        #: Programs of which an engine told something else the next time.
        self.unsteady = 0
        #: How many differences there were of each allowed kind.
        self.allowed: dict[str, int] = {}
        # hypothesis runs a program that failed again, and wants the same verdict.
        self._failed: dict[tuple[str, ...], list[Difference]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for engine in self.engines:
            engine.close()
        remove(self.folder)

    def tell(self, program: Sequence[str]) -> dict[str, list[Step]]:
        """What each engine tells of a program."""
        for engine in self.engines:
            engine.give(program)
        told = {}
        failure = None
        for engine in self.engines:
            try:
                told[engine.name] = engine.take()
            except Broken as broken:
                failure = failure or broken
        if failure:
            raise failure
        return told

    def differences(self, program: Sequence[str]) -> list[Difference]:
        """The differences that a program shows each time and that are not allowed: one for each engine at most."""
        known = self._failed.get(tuple(program))
        if known is not None:
            return known
        self.programs += 1
        self.steps += len(program)
        found = self._compare(self.tell(program))
        if not found:
            return []
        for _ in range(SHOWS - 1):
            again = self._compare(self.tell(program))
            if again != found:
                self.unsteady += 1
                return []
        self._failed[tuple(program)] = found
        return found

    def _compare(self, told: dict[str, list[Step]]) -> list[Difference]:
        found = []
        names = list(told)
        pairs = [(names[0], name) for name in names[1:]] + [(names[1], name) for name in names[2:]]
        for reference, engine in pairs:
            difference = self._first(reference, engine, told[reference], told[engine])
            if difference is not None:
                found.append(difference)
        return found

    def _first(self, reference: str, engine: str, one: list[Step], two: list[Step]) -> Difference | None:
        """The first difference of two engines that is not allowed."""
        for expected, got in zip(one, two, strict=True):
            if expected == got:
                continue
            for key in expected:
                if expected[key] == got.get(key):
                    continue
                difference = Difference(reference, engine, expected["line"], key, expected[key], got.get(key))
                kind = self._kind(difference)
                if kind is None:
                    return difference
                if kind.ends:
                    return None
        return None

    def _kind(self, difference: Difference) -> Allowed | None:
        for kind in ALLOWED:
            if kind.applies(difference):
                self.allowed[kind.words] = self.allowed.get(kind.words, 0) + 1
                return kind
        return None


def explain(program: Sequence[str], differences: Sequence[Difference]) -> str:
    """A program and what is not the same of it."""
    return "\n".join(["", *program, "", *map(str, differences)])


def search(lockstep: Lockstep, programs: int, number: int, steps: int = 14) -> None:
    """Runs random programs; the first that shows a difference is shrunk and raises an AssertionError.

    The same *number* gives the same programs.
    """

    broken: dict[tuple[str, ...], str] = {}

    def run(program: list[str]) -> None:
        try:
            assert tuple(program) not in broken, broken[tuple(program)]
            found = lockstep.differences(program)
        except Broken as failure:
            # Not each time, it may be: hypothesis wants the same verdict when it runs the program again.
            broken[tuple(program)] = "\n".join(["", *program, "", str(failure)])
            raise AssertionError(broken[tuple(program)]) from None
        assert not found, explain(program, found)

    machine = seed(number)(type("RandomPrograms", (Programs,), {"run": staticmethod(run)}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=programs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


def keep(failure: str) -> Path:
    """Keeps the program of a failure, for the tests to run it from now on."""
    lines = failure.strip().split("\n\n")[0].splitlines()
    path = KEPT / f"{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:10]}.txt"
    KEPT.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def _rounds(arguments: tuple[int, list[tuple[int, int]]]) -> tuple[int, int, int, dict[str, int], list[str]]:
    """Some rounds in one process."""
    job, rounds = arguments
    failures = []
    with Lockstep() as lockstep:
        for number, programs in rounds:
            begin = time.monotonic()
            before = lockstep.programs
            try:
                search(lockstep, programs, number)
                verdict = "no difference"
            except (AssertionError, Broken) as failure:
                path = keep(str(failure)) if isinstance(failure, AssertionError) else ""
                verdict = f"A DIFFERENCE, kept as {path}\n{failure}"
                failures.append(f"seed {number}: {failure}")
            done = lockstep.programs - before
            rate = done / (time.monotonic() - begin)
            print(f"job {job}, seed {number}: {done} programs, {rate:.0f}/s: {verdict}", flush=True)
    return lockstep.programs, lockstep.steps, lockstep.unsteady, lockstep.allowed, failures


def main(arguments: Sequence[str] | None = None) -> int:
    """What `nox -s sameness` runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--programs", type=int, default=2000, help="how many programs")
    parser.add_argument("--seed", type=int, help="the first seed; without it a random one")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes search, each with its four engines")
    given = parser.parse_args(arguments)
    first = random.SystemRandom().randrange(2**31) if given.seed is None else given.seed
    rounds = [
        (first + number, min(ROUND, given.programs - number * ROUND)) for number in range(-(-given.programs // ROUND))
    ]
    print(f"{given.programs} programs, seeds from {first} to {first + len(rounds) - 1}", flush=True)
    shares = [(job, rounds[job :: given.jobs]) for job in range(given.jobs)]
    if given.jobs == 1:
        results = [_rounds(shares[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
            results = pool.map(_rounds, shares)
    programs, steps, unsteady = (sum(result[position] for result in results) for position in range(3))
    print(f"{programs} programs of {steps} lines; {unsteady} of them came out differently from run to run")
    kinds: dict[str, int] = {}
    for result in results:
        for words, count in result[3].items():
            kinds[words] = kinds.get(words, 0) + count
    for words, count in sorted(kinds.items()):
        print(f"    allowed {count} times: {words}")
    failures = [failure for result in results for failure in result[4]]
    print(f"{len(failures)} rounds with a difference" if failures else "no difference")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
