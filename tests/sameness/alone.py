"""Random programs on one engine, below a tool that watches the process, such as valgrind: nothing is compared.

    python alone.py --programs 50 --seed 1 ENGINE valgrind --error-exitcode=99 --leak-check=no

The process of the engine is the tool's child; what it makes of its status and writes is told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

if __package__:
    from .engine import ENGINES, Engine, folder_for_engines, remove
    from .programs import Programs
else:  # as a program
    from engine import ENGINES, Engine, folder_for_engines, remove
    from programs import Programs


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--programs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what is put before the engine's command line")
    given = parser.parse_args(arguments)
    folder = folder_for_engines()
    engine = Engine(given.engine, folder, [word for word in given.command if word != "--"], limit=600)
    told = 0

    def run(program: list[str]) -> None:
        nonlocal told
        engine.give(program)
        told += len(engine.take())

    try:
        run_state_machine_as_test(
            seed(given.seed)(type("RandomPrograms", (Programs,), {"run": staticmethod(run)})),
            settings=settings(
                max_examples=given.programs,
                stateful_step_count=14,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )
        status, text = engine.close()
    finally:
        engine.close()
        remove(folder)
    print(text, end="")
    print(f"{given.engine}: {told} steps, status {status}")
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
