"""Random programs behave the same on the standard library and on each backend, but for what docs/differences.md names.

`nox -s sameness` runs more of them (`lockstep.py`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import lockstep as lockstep_module
from .allowed import ALLOWED, Difference
from .engine import WARM_UP
from .lockstep import KEPT, Lockstep, explain, search

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="the reference is CPython's own socket")

#: How many random programs, and the first of their seeds.
PROGRAMS = int(os.environ.get("SOCKETPKG_SAMENESS_PROGRAMS", "300"))
SEED = int(os.environ.get("SOCKETPKG_SAMENESS_SEED", "1998"))


@pytest.fixture(scope="module")
def lockstep() -> Iterator[Lockstep]:
    """The engines."""
    with Lockstep() as made:
        made.tell([])  # which starts them
        yield made


def test_random_programs(lockstep: Lockstep) -> None:
    for begin in range(0, PROGRAMS, 100):
        print(f"seed {SEED + begin}")
        search(lockstep, min(100, PROGRAMS - begin), SEED + begin)


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.txt")), ids=lambda path: path.stem)
def test_programs_that_once_failed(lockstep: Lockstep, path: Path) -> None:
    program = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    found = lockstep.differences(program)
    assert not found, explain(program, found)


def test_what_is_allowed_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "differences.md").read_text()
    plain = re.sub(r"\s+", " ", page)
    for kind in ALLOWED:
        assert kind.words in plain


def test_the_warm_up_works_everywhere(lockstep: Lockstep) -> None:
    # Or programs would be compared that do nothing.
    for engine, steps in lockstep.tell(WARM_UP).items():
        failed = [step for step in steps if isinstance(step["outcome"], list) and step["outcome"][:1] == ["raised"]]
        assert not failed, (engine, failed)


@pytest.mark.parametrize(
    "line",
    [
        "r1 = 'stdlib' if socket.__name__ == 'socket' else 'ours'",
        "r1 = [][0] if socket.__name__ == 'socket' else 0",
        "s1 = socket.socket(type=socket.SOCK_DGRAM) if socket.__name__ == 'socket' else None",
        "b0 = bytearray(3); m1 = memoryview(b0) if socket.__name__ == 'socket' else None",
        "socket.setdefaulttimeout(None) if socket.__name__ == 'socket' else socket.gethostname()",
        "s1 = socket.socket(type=socket.SOCK_DGRAM | (socket.SOCK_NONBLOCK if socket.__name__ == 'socket' else 0))",
        "s1 = socket.socket(); s1.set_inheritable(socket.__name__ == 'socket')",
        "s1 = socket.socket(); s1.close() if socket.__name__ == 'socket' else None; s1 = None",
    ],
)
def test_a_difference_is_seen(lockstep: Lockstep, line: str) -> None:
    found = lockstep.differences([line])
    assert {difference.engine for difference in found} == {"c", "cffi", "ctypes"}


def test_a_difference_that_does_not_last_is_none(lockstep: Lockstep, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Lockstep._first
    calls = []

    def once(self: Lockstep, reference: str, engine: str, *steps: object) -> Difference | None:
        calls.append(engine)
        if len(calls) == 1:
            return Difference(reference, engine, "", "outcome", 1, 2)
        return real(self, reference, engine, *steps)  # type: ignore[arg-type]

    monkeypatch.setattr(lockstep_module.Lockstep, "_first", once)
    before = lockstep.unsteady
    assert lockstep.differences(["r1 = 1"]) == []
    assert lockstep.unsteady == before + 1
