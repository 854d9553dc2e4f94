"""What the compiled backend does in C: none of its calls runs a function of Python below the public module.

One that does takes several times what the rest of the call takes, and nothing else shows it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import socketpkg

pytestmark = pytest.mark.skipif(
    "compiled-core" not in socketpkg.backends.features, reason="the core of this backend is interpreted"
)


def loaded(path: Path) -> Any:
    """A module of docs/bench."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


calls = loaded(Path(__file__).parents[2] / "docs" / "bench" / "calls.py")

#: The public module has functions of Python where the standard library's has them.
PUBLIC = (socketpkg.__file__, sys.modules["socketpkg._socketio"].__file__)
PACKAGES = tuple(
    os.path.dirname(str(sys.modules[name].__file__)) + os.sep
    for name in ("socketpkg", socketpkg.backends.current().package)
)
#: What the standard library does not have.
OWN = [
    "udp.sendmmsg([(b'x', address)]); udp.recvmmsg(3, 9)",
    "udp.sendmmsg([(b'x', address)]); udp.recvmmsg_into([room])",
    "udp.send_segments(b'xy', 1, address); udp.recvfrom(9); udp.recvfrom(9)",
]


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """What the calls are about."""
    with calls.names(socketpkg) as given:
        yield given


@pytest.mark.parametrize("call", [*calls.CALLS, *OWN])
def test_no_function_of_python_runs_below_the_public_module(call: str, names: dict[str, Any]) -> None:
    code = compile(call.removeprefix(calls.FAILS), "<call>", "exec")
    entered: set[str] = set()

    def profile(frame: Any, event: str, argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(PACKAGES) and file not in PUBLIC:
            entered.add(f"{file}: {frame.f_code.co_qualname}")

    # The first turn may load a module, or ask what is asked once only.
    for _ in range(2):
        entered.clear()
        failed = False
        sys.setprofile(profile)
        try:
            exec(code, names)
        except calls.FAILURES:
            failed = True
        finally:
            sys.setprofile(None)
        assert failed == call.startswith(calls.FAILS)
    assert not entered
