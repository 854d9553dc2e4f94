"""Of which files a copy consists, and what stands in them.

What a program needs is what it reaches by imports from `ROOTS` and from the backend's own modules. So a new module gets
into the copies by being used, and one that nothing imports must be named here, in `ROOTS` or in `EXCLUDED`.

A copy looks like this::

    socketpkg/                  the public package
    socketpkg/_backend/         the backend: its own modules, and those that each backend has its own instance of
"""

from __future__ import annotations

import importlib.util
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import _edition, backends
from .errors import VendorError
from .rewrite import ROOT, Reference, references, rewritten

PUBLIC = Path(__file__).resolve().parent.parent
#: The name of the backend's package in a copy.
BACKEND = "_backend"

#: Where to begin: what programs import or run by name.
ROOTS = (
    *("__init__", "__main__", "_doctor", "_edition", "server"),
    *("ancillary", "streams", "tcpinfo"),
)
#: What never is in a copy: the other commands, with their helpers, and the list of constants, which only a build reads.
EXCLUDED = ("_constants", "_run", "bench", "layers", "vendoring")
#: What says of a package that it has types.
TYPED = "py.typed"

_EDITION = '''\
"""The edition of socketpkg that is vendored here: it has one backend.

Written by ``python -m socketpkg vendor``; do not edit.
"""

VENDORED_AS = "{name}"
BOUND = {bound}
BUILT_IN = {{"{backend}": f"{{__package__}}.{folder}"}}
ORDER = ("{backend}",)
LAYERS: dict[str, str] = {{}}
COMMANDS = {{"doctor": "_doctor"}}
'''
_CYTHON_IMPORT = re.compile(rf"^\s*(?:from|import)\s+({ROOT}\.\w+)", re.MULTILINE)


class Sources:
    """The files of socketpkg that a copy with one backend is made of."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        #: The package of the backend: those that come with socketpkg; others have names and needs of their own.
        self.package: str = _edition.BUILT_IN[backend]
        spec = importlib.util.find_spec(self.package)
        #: Its folder.
        self.folder: Path = Path(*((spec and spec.submodule_search_locations) or ["nowhere"]))
        if not (PUBLIC / "__init__.py").is_file() or not (self.folder / "__init__.py").is_file():
            raise VendorError(f"the sources of the backend {backend} are not here: {self.package} is not in a folder")
        #: The modules of the backend that C code is generated for, and what from.
        self.compiled: dict[str, Path] = {}
        if backend == "c":
            self.compiled = self.description("_build_c")["sources"](self.folder, PUBLIC)
        elif backend == "cffi":
            self.compiled = {self.description("_build_ffi")["MODULE"]: self.folder / "_source.c"}

    def description(self, name: str) -> dict[str, Any]:
        """What the script says that describes the extension modules. By its path: the backend need not be built."""
        return runpy.run_path(str(self.folder / f"{name}.py"))

    def python(self, vendored_as: str) -> dict[str, str]:
        """The Python files of the copy: path from its folder, and text."""
        files = {TYPED: "", f"{BACKEND}/__init__.py": ""}
        for own, module in self._reached():
            if module == "_edition":
                files["_edition.py"] = _EDITION.format(
                    name=vendored_as, bound=self.backend == "c", backend=self.backend, folder=BACKEND
                )
            elif not (own and module in self.compiled):
                for path in self._paths(own, module):
                    files[f"{BACKEND}/{path.name}" if own else path.name] = self.rewritten(own, path)
        return files

    def rewritten(self, own: bool, path: Path) -> str:
        """A Python file as it is in the copy; *own* if it is there among the backend's modules."""
        return rewritten(path.read_text(encoding="utf-8"), str(path), lambda found: self._resolve(own, found)[1])

    def modules(self) -> frozenset[str]:
        """The modules of the public package that are in the copy in one form or the other."""
        return frozenset(name for own, name in self._reached() if not own or self._is_shared(name))

    # -- following the imports -----------------------------------------------------------------------------------------

    def _reached(self) -> Iterator[tuple[bool, str]]:
        """Each module: whether it is the backend's in the copy, and its name."""
        queue = [(False, name) for name in ROOTS]
        queue += [(True, name) for name in ("__init__", "syscalls", *backends.SHARED, *self.compiled)]
        seen = set(queue)
        while queue:
            own, module = queue.pop(0)
            yield own, module
            for path in self._paths(own, module):
                for needed in self._needs(own, path):
                    if needed not in seen:
                        seen.add(needed)
                        queue.append(needed)

    def _needs(self, own: bool, path: Path) -> Iterator[tuple[bool, str]]:
        if path.suffix in (".py", ".pyi"):
            for found in references(path.read_text(encoding="utf-8"), str(path)):
                place, _, module = self._resolve(own, found)
                for name in [module.partition(".")[0]] if module else found.names:
                    if not place and name in EXCLUDED:
                        raise VendorError(f"{path} imports {name}, which is not a part of copies")
                    if module or self._paths(place, name):
                        yield place, name
        elif path.suffix == ".pyx":
            for name in _CYTHON_IMPORT.findall(path.read_text(encoding="utf-8")):
                yield False, name.partition(".")[2]

    def _resolve(self, own: bool, found: Reference) -> tuple[bool, str, str]:
        """Where an import leads: whether to the backend's package in the copy, by which path, and to what module."""
        if not found.names:
            return False, "..." if own else "..", ""
        package, _, module = found.module.partition(".")
        if found.level == 0 and package in (ROOT, self.package):
            place = package == self.package
        elif found.level == 1:
            package, module = "", found.module
            place = own and (not module or self._is_own(module.partition(".")[0]))
        else:
            raise VendorError(f"an import of {'.' * found.level}{found.module} does not lead into a copy")
        if own:
            return place, ("." if place else "..") + module, module
        return place, f".{BACKEND}{'.' * bool(module)}{module}" if place else f".{module}", module

    def _paths(self, own: bool, module: str) -> list[Path]:
        """The files of a module: its source, and its stub."""
        if own and module in self.compiled:
            return [self.compiled[module]]
        folder = self.folder if own and not self._is_shared(module) else PUBLIC
        return [path for path in (folder / f"{module}{suffix}" for suffix in (".py", ".pyi")) if path.is_file()]

    def _is_shared(self, module: str) -> bool:
        """Whether a module of the backend in the copy comes from the public package."""
        return module in backends.SHARED or (module in self.compiled and self.compiled[module].parent == PUBLIC)

    def _is_own(self, module: str) -> bool:
        return module in self.compiled or module in backends.SHARED or (self.folder / f"{module}.py").is_file()
