"""Of which files a copy consists, and what stands in them.

What a program needs is what it reaches by imports from `ROOTS` and from the backend's own modules. So a new module gets
into the copies by being used, and one that nothing imports must be named here, in `ROOTS` or in `EXCLUDED`.

A copy looks like this::

    socketpkg/                  the public package, with its folders
    socketpkg/_backend/         the backend: its own modules, and those that each backend has its own instance of
    socketpkg/_ffi/             what the backends cffi and ctypes share

Modules are named here as they are in the copy, by the dotted path from there: ``backends``, ``_engine.arguments``,
``_backend._core``; the package itself is the empty name. The packages of a copy have the modules that they have when
the whole of socketpkg runs. So relative imports stay as they are, and only absolute ones have to be rewritten.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from ... import _config, backends
from .errors import VendorError
from .rewrite import ROOT, Reference, references, rewritten

PUBLIC = Path(__file__).resolve().parents[2]
#: The name of the backend's package in a copy, and of the one with what cffi and ctypes share.
BACKEND = "_backend"
FOREIGN = "_ffi"
#: What the latter is called elsewhere.
FOREIGN_PACKAGE = "socketpkg_ffi"
#: The folder of the modules that each backend has an instance of.
ENGINE = "_engine"

#: Where to begin: what programs import or run by name.
ROOTS = (
    *("", "__main__", "_commands.doctor", "_config", "server"),
    *("ancillary", "connecting", "interfaces", "options", "relaying", "resolving", "streams"),
    "tcpinfo",
)
#: What never is in a copy, with all that is in it: the other commands, the list of constants, which only a build reads,
#: a freezer's hook, why the installation left a backend out, and the old name of the contract, for backends of others.
EXCLUDED = (
    "_bootstrap",
    "_commands.bench",
    "_commands.run",
    "_commands.vendor",
    "_engine.constants",
    "_not_built",
    "_pyinstaller",
    "_syscalls",
    "layers",
)
#: What says of a package that it has types.
TYPED = "py.typed"

_CONFIG = '''\
"""What the socketpkg that is vendored here has: one backend.

Written by ``python -m socketpkg vendor``; do not edit.
"""

VENDORED_AS = "{name}"
BOUND = {bound}
BUILT_IN = {{"{backend}": f"{{__package__}}.{folder}"}}
ORDER = ("{backend}",)
LAYERS: dict[str, str] = {{}}
COMMANDS = {{"doctor": "_commands.doctor"}}
'''
_CYTHON_IMPORT = re.compile(rf"^\s*(?:from|import)\s+({ROOT}(?:\.\w+)+)", re.MULTILINE)


class Sources:
    """The files of socketpkg that a copy with one backend is made of."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        #: The package of the backend: those that come with socketpkg; others have names and needs of their own.
        self.package: str = _config.BUILT_IN[backend]
        spec = importlib.util.find_spec(self.package)
        #: Its folder.
        self.folder: Path = _folder(spec)
        #: The folder of what it shares with another one.
        self.foreign: Path = _folder(importlib.util.find_spec(FOREIGN_PACKAGE))
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
        for module in self._reached():
            if module == "_config":
                files["_config.py"] = _CONFIG.format(
                    name=vendored_as, bound=self.backend == "c", backend=self.backend, folder=BACKEND
                )
            elif module != BACKEND and not self._is_compiled(module):
                for path in self._paths(module):
                    package = _package(module, path)
                    files["/".join([*package, path.name])] = self.rewritten(module, path)
        return files

    def rewritten(self, module: str, path: Path) -> str:
        """The Python file of a module as it is in the copy."""
        package = _package(module, path)

        def leads_to(found: Reference) -> str:
            target = self._target(package, found)
            if found.level:
                return "." * found.level + found.module
            if not found.names:  # from where the copy itself is imported
                return "." * (len(package) + 2)
            parts = target.split(".") if target else []
            common = 0
            while package[common : common + 1] and package[common : common + 1] == parts[common : common + 1]:
                common += 1
            return "." * (len(package) - common + 1) + ".".join(parts[common:])

        return rewritten(path.read_text(encoding="utf-8"), str(path), leads_to)

    def modules(self) -> frozenset[str]:
        """The modules of the public package that are in the copy in one form or the other, by their names there."""
        paths = (path for module in self._reached() for path in self._paths(module) if PUBLIC in path.parents)
        relative = (path.relative_to(PUBLIC).with_suffix("") for path in paths)
        return frozenset(".".join(p.parts).removesuffix("__init__").removesuffix(".") for p in relative)

    # -- following the imports -----------------------------------------------------------------------------------------

    def _reached(self) -> Iterator[str]:
        """Each module of the copy."""
        own = ("syscalls", *backends.SHARED, *self.compiled)
        queue = [*ROOTS, BACKEND, *(f"{BACKEND}.{name}" for name in own)]
        seen = set(queue)
        while queue:
            module = queue.pop(0)
            yield module
            wanted = [module.rpartition(".")[0]]
            for path in self._paths(module):
                wanted += self._needs(module, path)
            for needed in wanted:
                if needed not in seen:
                    seen.add(needed)
                    queue.append(needed)

    def _needs(self, module: str, path: Path) -> Iterator[str]:
        """The modules that a file imports."""
        if path.suffix == ".pyx":
            for part in (path, *path.parent.glob("*.pxi")):
                for name in _CYTHON_IMPORT.findall(part.read_text(encoding="utf-8")):
                    yield name.partition(".")[2]
        elif path.suffix in (".py", ".pyi") and module != BACKEND:
            for found in references(path.read_text(encoding="utf-8"), str(path)):
                target = self._target(_package(module, path), found)
                inside = [f"{target}.{name}" if target else name for name in found.names]
                for name in [target, *(name for name in inside if self._paths(name))]:
                    if any(f"{name}.".startswith(f"{excluded}.") for excluded in EXCLUDED):
                        raise VendorError(f"{path} imports {name}, which is not a part of copies")
                    yield name

    def _target(self, package: list[str], found: Reference) -> str:
        """The module that an import names which stands in a *package*."""
        if found.level:
            parts = package[: len(package) + 1 - found.level]
            if found.level > len(package) + 1:
                raise VendorError(f"an import of {'.' * found.level}{found.module} does not lead into a copy")
            return ".".join([*parts, *filter(None, [found.module])])
        top, _, rest = found.module.partition(".")
        places = {"": "", ROOT: "", self.package: BACKEND, FOREIGN_PACKAGE: FOREIGN}
        if top not in places:
            raise VendorError(f"an import of {found.module} does not lead into a copy")
        return ".".join(filter(None, [places[top], rest]))

    def _paths(self, module: str) -> list[Path]:
        """The files of a module: its source, and its stub."""
        top, _, rest = module.partition(".")
        if self._is_compiled(module):
            return [self.compiled[rest]]
        if top == BACKEND:
            folder = PUBLIC / ENGINE if rest in backends.SHARED else self.folder
        elif top == FOREIGN:
            folder = self.foreign
        else:
            folder, rest = PUBLIC, module
        place = folder.joinpath(*rest.split(".")) if rest else folder
        names = (place / "__init__.py", place / "__init__.pyi") if place.is_dir() else ()
        names = names or (place.with_name(f"{place.name}.py"), place.with_name(f"{place.name}.pyi"))
        return [path for path in names if path.is_file()]

    def _is_compiled(self, module: str) -> bool:
        top, _, rest = module.partition(".")
        return top == BACKEND and rest in self.compiled


def _package(module: str, path: Path) -> list[str]:
    """The package that a module is in, or is, as parts of its name."""
    parts = module.split(".") if module else []
    return parts if path.stem == "__init__" else parts[:-1]


def _folder(spec: ModuleSpec | None) -> Path:
    """Where a package is; a folder that does not exist if it is not there."""
    return Path(*((spec and spec.submodule_search_locations) or ["nowhere"]))
