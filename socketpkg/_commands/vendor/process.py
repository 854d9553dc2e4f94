"""Programs that vendoring starts: the compilers. None of them outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Done(NamedTuple):
    """A program that has ended."""

    returncode: int
    #: What it printed, errors included.
    output: str


def run(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Done:
    """Runs a program in a folder, with all that it starts ended when this one is interrupted."""
    # The environment of the caller may name another module path for Python, and a compiler; not a backend.
    environment = {name: value for name, value in os.environ.items() if name != "SOCKET_BACKEND"}
    environment |= {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    # A session of its own: a signal from the terminal comes to us alone, and we end the rest.
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        raise
    return Done(process.returncode, output)
