"""One habit in all files: annotations are not evaluated when a module is loaded, and none is written as a string."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("backends", "docs", "examples", "socketpkg", "tests")
#: One runs in every Python 3 that a program starts, however old; the other is what a build has written.
OTHERS = {"socketpkg/_bootstrap/sitecustomize.py", "socketpkg/_not_built.py"}


def annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            yield node.returns


def complaints(source: str) -> list[str]:
    """What is against the habit in a file."""
    tree = ast.parse(source)
    found = list(annotations(tree))
    late = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    told = ["it lacks the import of annotations from __future__"] if found and not late else []
    strings = (one for one in found if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return told + [f"line {one.lineno}: a string" for one in strings]


def test_annotations_are_written_one_way() -> None:
    if not (ROOT / "setup.py").is_file():
        pytest.skip("no source tree")
    files = [*ROOT.glob("*.py"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))]
    assert len(files) > 200
    told = {path.relative_to(ROOT).as_posix(): complaints(path.read_text(encoding="utf-8")) for path in files}
    assert {name: found for name, found in told.items() if found and name not in OTHERS} == {}


def test_another_way_is_found() -> None:
    assert complaints("x = 1") == []
    assert complaints("from __future__ import annotations\ndef f(a: int) -> int: ...") == []
    assert complaints("x: int = 1") == ["it lacks the import of annotations from __future__"]
    assert complaints("from __future__ import annotations\ndef f(a: 'int') -> None: ...") == ["line 2: a string"]
