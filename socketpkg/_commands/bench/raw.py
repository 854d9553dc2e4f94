"""The raw C loops, compiled by this machine's compiler when the benchmark begins."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .scenario import Loop, Skip

SOURCE = Path(__file__).with_name("raw.c")


class NoCompiler(Exception):
    """There is no raw loop on this machine; the message says why."""


def build(folder: Path, source: Path = SOURCE) -> Path:
    """Compiles the loops into *folder*; returns the library. ``CC`` of the environment chooses the compiler.

    Another *source* than ``raw.c`` has that included.
    """
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    library = folder / "raw.so"
    command = [*compiler, "-O2", "-shared", "-fPIC", f"-I{SOURCE.parent}", str(source), "-o", str(library)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCompiler(f"{compiler[0]}: {getattr(error, 'strerror', None) or error}") from error
    if done.returncode:
        complaint = (done.stderr.strip() or f"status {done.returncode}").splitlines()
        raise NoCompiler(f"{shlex.join(compiler)}: {next((x for x in complaint if 'error' in x), complaint[-1])}")
    return library


class Library:
    """The compiled loops."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        self._library.raw_error.restype = ctypes.c_char_p

    @contextmanager
    def scenario(self, name: str) -> Iterator[Loop]:
        """The loop of the scenario *name*; Skip if it has none."""
        try:
            function = self._library["raw_" + name.replace("-", "_")]
        except AttributeError:
            raise Skip("no system call to compare with") from None
        function.argtypes = [ctypes.c_longlong]
        function.restype = ctypes.c_longlong

        def loop(loops: int) -> int:
            elapsed: int = function(loops)
            if elapsed < 0:
                raise OSError(self._library.raw_error().decode(errors="replace"))
            return elapsed

        yield loop
