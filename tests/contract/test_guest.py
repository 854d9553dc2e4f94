"""The backend that docs/backends.md shows, written to a folder from the page and used as the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "backends.md"


@pytest.fixture
def guest(tmp_path: Path) -> dict[str, str]:
    """The environment of a program that has the page's backend installed."""
    if not PAGE.is_file():
        pytest.skip("no source tree")
    files = re.findall(r"^```(?:python|text)\n# (\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(files) == 4
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, "SOCKET_BACKEND": "counting"}


def test_a_program_runs_on_it(guest: dict[str, str], tmp_path: Path) -> None:
    code = """if True:
        import socketpkg
        one, two = socketpkg.socketpair()
        with one, two:
            one.send(b"through")
            two.recv(9)
        from counting_backend.syscalls import calls
        print(socketpkg.__backend__, socketpkg._socket.backend.package, dict(calls))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], env=guest, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert (done.stdout, done.stderr) == ("counting counting_backend {'send': 1, 'recv': 1}\n", "")


def test_the_tests_of_the_contract_take_it(guest: dict[str, str]) -> None:
    """By its name alone: one file of them, and all the others have the same fixtures."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command += ["--rootdir", str(ROOT), str(Path(__file__).with_name("test_surface.py"))]
    env = {**guest, "SOCKETPKG_TEST_BACKENDS": "counting"}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
