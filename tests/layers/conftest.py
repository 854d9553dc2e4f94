"""Fixtures of the tests of layers: fresh interpreters with a stack, on c and on ctypes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from socketpkg import backends

#: How long a program of a test may take.
PATIENCE = 120
VARIABLES = (
    "SOCKET_BACKEND",
    "SOCKETPKG_CHAOS",
    "SOCKETPKG_GUARD",
    "SOCKETPKG_SIM",
    "SOCKETPKG_SIM_FOLDER",
    "SOCKETPKG_TRACE",
)
USABLE = [name for name in ("c", "cffi", "ctypes") if backends.available()[name].usable]

#: The parameters of a test that runs on the first of them, and where slow tests run on the others too.
FIRST_OF_THEM = [pytest.param(name, marks=[pytest.mark.slow] if name != USABLE[0] else []) for name in USABLE]

#: In a program: closes the connections that wait at its `server`.
DRAIN = """
def drain():
    server.settimeout(0)
    try:
        while True:
            server.accept()[0].close()
    except BlockingIOError:
        server.settimeout(20)
"""


class Programs:
    """Runs programs in fresh interpreters, in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self, stack: str | None, **variables: str) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if key not in VARIABLES}
        if stack is not None:
            env["SOCKET_BACKEND"] = stack
        return {**env, **variables}

    def write(self, source: str, name: str = "program.py") -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(source))
        return path

    def run(
        self, stack: str | None, source: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs *source* with the stack in the environment; it imports socketpkg itself."""
        path = self.write(source)
        command = [sys.executable, "-W", "error", str(path), *arguments]
        return self.command(command, stack, **variables)

    def under_run(self, options: list[str], source: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs *source*, which imports socket, under ``python -m socketpkg run`` with *options*."""
        path = self.write(source)
        return self.command([sys.executable, "-m", "socketpkg", "run", *options, str(path)], None, **variables)

    def command(self, command: list[str], stack: str | None, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(stack, **variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def answer(self, stack: str | None, source: str, *arguments: str, **variables: str) -> Any:
        """What the program leaves in ``answer``; it must end well and say nothing."""
        program = f"import json\n{textwrap.dedent(source)}\nprint(json.dumps(answer))\n"
        done = self.run(stack, program, *arguments, **variables)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Fresh interpreters in a folder of the test."""
    return Programs(tmp_path)


@pytest.fixture(params=USABLE)
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend that can be used here."""
    name: str = request.param
    return name


@pytest.fixture(params=FIRST_OF_THEM)
def over(request: pytest.FixtureRequest) -> str:
    """A backend that a layer stands on: the first that can be used here, and where slow tests run the others too."""
    name: str = request.param
    return name
