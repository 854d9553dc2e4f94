"""How the modules of the package depend on each other, read from their import statements."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

import socketpkg
from socketpkg import _config, backends

PACKAGE = Path(socketpkg.__file__).parent
FOREIGN = "socketpkg_ffi"


def folder(package: str) -> Path:
    """Where a package is; it need not be usable."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations, package
    return Path(spec.submodule_search_locations[0])


def sources(backend: str) -> dict[str, Path]:
    """The Python files of socketpkg with one backend, by the names that they are imported under."""
    package = _config.BUILT_IN[backend]
    found = {}
    for name, root in ((name, folder(name)) for name in ("socketpkg", package, FOREIGN)):
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join([name, *(part for part in parts if part != "__init__")])] = path
    for shared in backends.SHARED:  # the backend's package has an instance of these
        found[f"{package}.{shared}"] = found.pop(f"socketpkg._engine.{shared}")
    return found


def statements(body: list[ast.stmt], whole: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that are executed: of the module itself, and with *whole* of its functions too."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from statements(node.body if ast.unparse(node.test).startswith("not ") else node.orelse, whole)
        elif whole or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for name in ("body", "orelse", "finalbody", "handlers"):
                yield from statements(getattr(node, name, []), whole)


def graph(backend: str) -> dict[str, set[str]]:
    """What each module imports, at once or later."""
    files = sources(backend)
    edges: dict[str, set[str]] = {}
    for module, path in files.items():
        inside = module if path.name == "__init__.py" else module.rpartition(".")[0]
        # The public module knows all that stands above it, and imports it late.
        whole = module != "socketpkg"
        found = set()
        for node in statements(ast.parse(path.read_text()).body, whole):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                base = ".".join(inside.split(".")[: len(inside.split(".")) + 1 - node.level]) if node.level else ""
                base = ".".join(filter(None, [base, node.module]))
                names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in files else base for alias in node.names]
            found.update(names)
        edges[module] = {name for name in found if name in files and name != module}
        # A package that a module is in is imported before it. It is no circle that it imports the module after that.
        if path.name != "__init__.py":
            edges[module].discard(inside if inside != "socketpkg" else "")
    return edges


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import one another, each group once."""
    reach: dict[str, set[str]] = {}
    for module in edges:
        seen: set[str] = set()
        queue = [module]
        while queue:
            for name in edges[queue.pop()] - seen:
                seen.add(name)
                queue.append(name)
        reach[module] = seen
    groups = {frozenset(m for m in reach[name] if name in reach[m]) for name in edges if name in reach[name]}
    return sorted(sorted(group) for group in groups)


@pytest.mark.parametrize("backend", _config.BUILT_IN)
def test_no_module_imports_one_that_imports_it(backend: str) -> None:
    assert circles(graph(backend)) == []


def test_a_circle_would_be_seen() -> None:
    """Also one that is closed by an import in a function."""
    edges = graph("ctypes")
    edges["socketpkg_ctypes._address"].add("socketpkg_ctypes._core")
    (circle,) = circles(edges)
    assert {"socketpkg_ctypes._address", "socketpkg_ctypes._core"} <= set(circle)
    text = "if TYPE_CHECKING: import a\nelse: import b\ndef f():\n    try: import c\n    finally: import d\n"
    names = [[n.names[0].name for n in statements(ast.parse(text).body, whole)] for whole in (True, False)]
    assert names == [["b", "c", "d"], ["b"]]


def test_a_reader_of_c_needs_no_foreign_function() -> None:
    """What the backend c reaches has nothing of cffi and ctypes, and of what these two share."""
    edges = graph("c")
    assert not [name for name, found in edges.items() if not name.startswith(FOREIGN) and f"{FOREIGN}.calls" in found]


def test_the_engine_and_the_backends_stand_below_the_public_floor() -> None:
    """They import each other, the contract, and what a backend says to the loader, and of what is above nothing."""
    for backend in _config.BUILT_IN:
        package = _config.BUILT_IN[backend]
        for module, found in graph(backend).items():
            if module.startswith(("socketpkg._engine.", f"{package}.", f"{FOREIGN}.")):
                below = ("socketpkg._engine.", f"{package}.", FOREIGN, "socketpkg.contract", "socketpkg.backends")
                assert not [name for name in found if not name.startswith(below)], module
