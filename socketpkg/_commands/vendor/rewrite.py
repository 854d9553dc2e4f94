"""Imports of one package's modules, made to lead to where these modules are in a copy.

A reference is resolved by the caller: it gives for an imported module the dotted path that leads there from the file
at hand, ``..`` and ``_arguments`` becoming ``.._arguments``. The rest of each line stays as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from .errors import VendorError

#: The name of the package that a copy is made of, and what the names of its backends' packages begin with.
ROOT = "socketpkg"
_OURS = re.compile(rf"{ROOT}(_\w+)?(\.|$)")
_FROM = re.compile(r"from\s+([.\w]+)\s+import\b")
_PLAIN = re.compile(rf"import\s+({ROOT})\b(?!\.)")
# Statements of Cython: `from a.b cimport c`, `cimport a.b`.
_CYTHON = re.compile(rf"^(\s*(?:from|cimport|import)\s+)({ROOT}\w*(?:\.\w+)*)", re.MULTILINE)


class Reference(NamedTuple):
    """An import statement that names one of our modules."""

    #: The module that is imported from, without its dots; empty for ``from . import name`` and ``import socketpkg``.
    module: str
    #: How many dots are before it.
    level: int
    #: What is imported from it; nothing for ``import socketpkg``.
    names: tuple[str, ...]
    #: Where the part to replace begins and ends in the text.
    start: int
    end: int


@cache  # what is to be copied is found first and rewritten later
def references(text: str, where: str) -> tuple[Reference, ...]:
    """The import statements of a Python file that concern us, wherever in it they stand. *where* is for messages."""
    return tuple(_references(text, where))


def _references(text: str, where: str) -> Iterator[Reference]:
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            if not node.level and not _OURS.match(node.module or ""):
                continue
            names = tuple(alias.name for alias in node.names)
            found = _FROM.match(text, _offset(lines, starts, node))
        elif isinstance(node, ast.Import) and any(_OURS.match(alias.name) for alias in node.names):
            names = ()
            found = _PLAIN.match(text, _offset(lines, starts, node)) if len(node.names) == 1 else None
        else:
            continue
        if found is None:
            raise VendorError(f"{where}, line {node.lineno}: an import that cannot be made to lead to a copy")
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        level = node.level if isinstance(node, ast.ImportFrom) else 0
        start = found.start(1) if names else found.start()
        yield Reference(module, level, names, start, found.end(1))


def rewritten(text: str, where: str, resolve: Callable[[Reference], str]) -> str:
    """The Python file with each `Reference` replaced: by the path that *resolve* gives for what it imports from.

    For ``import socketpkg`` that is the path of the package that socketpkg is in.
    """
    for reference in sorted(references(text, where), key=lambda found: -found.start):
        path = resolve(reference)
        new = path if reference.names else f"from {path} import {ROOT}"
        text = text[: reference.start] + new + text[reference.end :]
    return text


def rewritten_cython(text: str, packages: dict[str, str]) -> str:
    """A Cython file whose imports name the *packages* as these are called in the copy."""

    def replace(found: re.Match[str]) -> str:
        package, dot, rest = found[2].partition(".")
        return f"{found[1]}{packages.get(package, package)}{dot}{rest}"

    return _CYTHON.sub(replace, text)


def _offset(lines: list[str], starts: list[int], node: ast.stmt) -> int:
    # ast counts columns in bytes.
    before = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    return starts[node.lineno - 1] + len(before)
