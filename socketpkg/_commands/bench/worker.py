"""One target of the benchmark, in a process of its own::

    python -m socketpkg._commands.bench.worker TARGET [LIBRARY]

It is what a user has: the module, imported in the usual way. It takes orders, a JSON object in a line of its standard
input each, and answers each with one line: ``{"result": ...}``, ``{"skip": reason}`` or ``{"error": text}``.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import traceback
from contextlib import AbstractContextManager
from typing import Any

from .operations import LOOPS
from .scenario import RAW, STDLIB, Loop, Skip


class Server:
    """Does what the orders say. One scenario is open at a time."""

    def __init__(self, target: str, library: str | None) -> None:
        self.target = target
        self._module: Any = None
        self._files: dict[str, Any] = {}
        self._library: Any = None
        if target == RAW:
            from .raw import Library

            assert library is not None
            self._library = Library(library)
        elif target == STDLIB:
            self._module = importlib.import_module("socket")
        else:
            self._module = importlib.import_module("socketpkg")
            if self._module.__backend__ != target:
                raise ImportError(f"socketpkg has chosen {self._module.__backend__!r} instead of {target!r}")
        self._open: AbstractContextManager[Loop] | None = None
        self._loop: Loop | None = None

    def open(self, scenario: str, file: str = "") -> None:
        """Prepares a scenario of `operations`, or of a file."""
        if self._library is not None:
            opened = self._library.scenario(scenario)
        else:
            loops = self._loaded(file).LOOPS if file else LOOPS
            opened = loops[scenario].setup(self._module)
        self._loop = opened.__enter__()
        self._open = opened

    def run(self, loops: int) -> int:
        """Runs the open scenario so many times; returns what that cost, in its unit."""
        assert self._loop is not None
        return self._loop(loops)

    def close(self) -> None:
        """Ends the open scenario, if there is one."""
        opened, self._open, self._loop = self._open, None, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def pin(self, cores: list[int]) -> None:
        """Restricts this process, and those that it starts from now on, to some cores."""
        os.sched_setaffinity(0, cores)

    def call(self, file: str, function: str, arguments: dict[str, Any]) -> Any:
        """Calls a function of a file with the target's module and *arguments*."""
        return getattr(self._loaded(file), function)(self._module, **arguments)

    def _loaded(self, file: str) -> Any:
        if file not in self._files:
            spec = importlib.util.spec_from_file_location(f"bench_{len(self._files)}", file)
            assert spec is not None
            assert spec.loader is not None
            self._files[file] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self._files[file])
        return self._files[file]


def main(arguments: list[str]) -> None:
    """Serves until the orders end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what anything else prints must not look like an answer
    server: Server | None = None

    def serve(order: dict[str, Any]) -> Any:
        nonlocal server
        if server is None:
            server = Server(arguments[0], arguments[1] if len(arguments) > 1 else None)
        operation = order.pop("operation")
        return None if operation == "start" else getattr(server, operation)(**order)

    for line in sys.stdin:
        answer: dict[str, Any]
        try:
            answer = {"result": serve(json.loads(line))}
        except Skip as reason:
            answer = {"skip": str(reason)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        try:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
        except BrokenPipeError:
            os._exit(1)  # the benchmark was interrupted and does not read the answer


if __name__ == "__main__":
    main(sys.argv[1:])
