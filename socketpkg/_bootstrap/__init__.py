"""How ``python -m socketpkg run`` reaches the Python programs that its program starts.

`FOLDER` is put first in ``PYTHONPATH``. Every Python imports the module ``sitecustomize`` when it starts, and finds the
one that is in there. opentelemetry-instrument and ddtrace-run do it the same way.

A Python that is started with -I or -E does not read ``PYTHONPATH``, and one with -S imports no ``sitecustomize``; so
does one that is handed an environment without it. Such a child runs on the standard library, and the process that
starts it says so.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

#: Absolute: a child may run in another folder.
FOLDER = os.path.dirname(os.path.abspath(__file__))
VARIABLE = "PYTHONPATH"
#: The module by which `subprocess` and `multiprocessing` start a program.
_STARTS = "_posixsubprocess"

#: The interpreter's options that take an argument, as one letter.
WITH_ARGUMENT = "cmWX"
_KEEPS_AWAY = {"I": "reads no PYTHONPATH", "E": "reads no PYTHONPATH", "S": "imports no sitecustomize"}


def reach_children() -> None:
    """Lets the Python programs that this process starts from now on run on socketpkg."""
    rest = _without(os.environ.get(VARIABLE, ""))
    os.environ[VARIABLE] = os.pathsep.join([FOLDER, *rest])
    _watch()


def leave_children_alone() -> None:
    """Undoes what a parent's `reach_children` put into the environment."""
    if VARIABLE in os.environ:
        rest = _without(os.environ[VARIABLE])
        if rest:
            os.environ[VARIABLE] = os.pathsep.join(rest)
        else:
            del os.environ[VARIABLE]


def reaches() -> str:
    """Why the Python programs that this process starts do not run on socketpkg; empty when they do."""
    entries = os.environ.get(VARIABLE, "").split(os.pathsep)
    if FOLDER not in entries:
        return "nobody put socketpkg in its place"
    if sys.flags.ignore_environment:
        return "this one reads no PYTHONPATH"
    if sys.flags.no_site:
        return "this one imports no sitecustomize"
    return ""


def _without(path: str) -> list[str]:
    """The entries of a search path but for ours. An empty one means the current folder, and stays."""
    return [entry for entry in path.split(os.pathsep) if entry != FOLDER] if path else []


def _watch() -> None:
    """Says of each Python that is started, and that cannot be reached, that it is not.

    `subprocess` and `multiprocessing` come through these two functions. An audit hook would see more ways to start a
    program, and would make every audited call of the process slower.
    """
    if sys.modules.setdefault(_STARTS, _Unused(_STARTS)).__class__ is not _Unused:
        _watch_forks()
    if hasattr(os, "posix_spawn") and not _is_ours(os.posix_spawn):
        spawn: Callable[..., int] = os.posix_spawn

        def posix_spawn(path: Any, words: Any, environment: Any, /, **how: Any) -> int:
            try:
                entries = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in environment.items()]
            except (AttributeError, TypeError):  # None, or what posix_spawn itself refuses
                entries = None
            _tell(words, entries)
            return spawn(path, words, environment, **how)

        os.posix_spawn = posix_spawn


class _Unused(ModuleType):
    """Stands for `_posixsubprocess` until somebody looks at it: most programs start none, and it is slow to load."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(_STARTS) is self:
            del sys.modules[_STARTS]
        _watch_forks()
        return getattr(sys.modules[_STARTS], name)


def _watch_forks() -> None:
    """Watches what `subprocess` and `multiprocessing` start by fork()."""
    import _posixsubprocess

    start: Callable[..., int] = _posixsubprocess.fork_exec
    if _is_ours(start):
        return

    def fork_exec(*arguments: Any) -> int:
        _tell(arguments[0], arguments[5])
        return start(*arguments)

    _posixsubprocess.fork_exec = fork_exec
    subprocess: Any = sys.modules.get("subprocess")
    if subprocess is not None:  # it has the function by a name of its own
        subprocess._fork_exec = fork_exec


def _is_ours(start: Callable[..., int]) -> bool:
    return getattr(start, "__module__", None) == __name__


def _tell(words: Any, environment: Any) -> None:
    try:
        reason = _out_of_reach(words, environment)
    except (TypeError, ValueError):  # what starts the program will refuse it
        return
    if reason:
        print(f"socketpkg: a child runs on the standard library's socket: {reason}", file=sys.stderr)


def _out_of_reach(words: Sequence[str | bytes], environment: Sequence[bytes] | None) -> str:
    """Why a program that is a Python will not find `FOLDER`; empty when it will, or is none."""
    if not words:
        return ""
    program, *rest = map(os.fsdecode, words)
    if program != sys.executable and not os.path.basename(program).startswith(("python", "pypy")):
        return ""
    for letter in _options(rest):
        if letter in _KEEPS_AWAY:
            return f"{program} -{letter} {_KEEPS_AWAY[letter]}, by which run reaches children"
    if environment is not None:
        path = [entry for entry in environment if entry.startswith(b"PYTHONPATH=")]
        if not path or FOLDER not in os.fsdecode(path[0]).partition("=")[2].split(os.pathsep):
            return f"{program} is given an environment without run's folder in PYTHONPATH"
    return ""


def _options(words: list[str]) -> list[str]:
    """The letters of the interpreter's options among a command's words."""
    found = []
    words = list(words)
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word.startswith("--"):
            if word == "--check-hash-based-pycs" and words:
                words.pop(0)
            continue
        for position, letter in enumerate(word[1:], 2):
            found.append(letter)
            if letter in "cm":
                return found
            if letter in WITH_ARGUMENT:
                if position == len(word) and words:
                    words.pop(0)
                break
    return found
