"""The C code of a compiled backend, under the names that its modules have in a copy.

Each module is one C file that includes nothing but the system's headers, so that a build needs only to know its name.
The same sources, name, and version of Cython or cffi give the same bytes.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import io
import os
import re
import sys
from pathlib import Path

from . import material
from .errors import VendorError
from .process import run
from .rewrite import rewritten_cython
from .sources import BACKEND, Sources

#: What makes the C code of a backend: what it is called, and the module to look for.
GENERATORS = {"c": ("Cython", "Cython"), "cffi": ("cffi", "cffi.recompiler")}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"(socketpkg_\w+\.\w+)".*\n', re.MULTILINE)


def generator(backend: str) -> str:
    """What makes the C code of a backend, with its version; empty for one without C. VendorError if it is missing."""
    if backend not in GENERATORS:
        return ""
    name, module = GENERATORS[backend]
    found = None
    with contextlib.suppress(ModuleNotFoundError):
        found = importlib.util.find_spec(module)
    if found is None:
        raise VendorError(
            f"the C code of the backend {backend} is written by {name}, which is not installed here:"
            f" pip install {'socketpkg[vendor]' if name == 'Cython' else name}"
        )
    return f"{name} {importlib.metadata.version(name)}"


def c_files(sources: Sources, vendored_as: str, folder: Path) -> dict[str, str]:
    """The C file of each compiled module, by the module's name. *folder* is an empty one to work in."""
    if sources.backend == "c":
        return _with_cython(sources, vendored_as, folder)
    if sources.backend == "cffi":
        return _with_cffi(sources, vendored_as, folder)
    return {}


def _with_cython(sources: Sources, vendored_as: str, folder: Path) -> dict[str, str]:
    description = sources.description("_build_c")
    package = f"{vendored_as}.{BACKEND}"
    # Cython takes the names of modules from the folders that they are in.
    inner = folder.joinpath(*package.split("."))
    inner.mkdir(parents=True)
    for parent in [inner, *inner.parents]:
        if parent == folder:
            break
        (parent / "__init__.py").touch()
    renamed = {sources.package: package, "socketpkg": vendored_as}
    for path in sources.folder.glob("*.px[di]"):
        (inner / path.name).write_text(rewritten_cython(path.read_text("utf-8"), renamed), "utf-8")
    inputs = []
    for module, path in sources.compiled.items():
        text = sources.rewritten(f"{BACKEND}.{module}", path) if path.suffix == ".py" else ""
        inputs.append(inner / f"{module}{path.suffix}")
        inputs[-1].write_text(text or rewritten_cython(path.read_text("utf-8"), renamed), "utf-8")
    # The sources need not be repeated as comments: that doubles the files.
    directives = {**description["DIRECTIVES"], "emit_code_comments": False}
    options = [f"--directive={name}={value}" for name, value in directives.items()]
    # From the folder that the names begin in: paths get into the C code.
    names = [path.relative_to(folder).as_posix() for path in inputs]
    done = run([sys.executable, "-m", "cython", *options, *names], folder, {"PYTHONHASHSEED": "0"})
    if done.returncode:
        raise VendorError(f"Cython could not write the C code:\n{done.output}")
    result = {}
    for module in sources.compiled:
        macros = "".join(f"#define {name} {value}\n" for name, value in description["MACROS"].get(module, []))
        result[module] = _one_file(macros + (inner / f"{module}.c").read_text("utf-8"))
    return result


def _with_cffi(sources: Sources, vendored_as: str, folder: Path) -> dict[str, str]:
    description = sources.description("_build_ffi")
    path = folder / "module.c"
    with contextlib.redirect_stdout(io.StringIO()):  # it says what it does
        description["describe"](f"{vendored_as}.{BACKEND}").emit_c_code(os.fspath(path))
    return {description["MODULE"]: _one_file(path.read_text("utf-8"))}


def _one_file(code: str) -> str:
    """The C code with our own headers in it, in the places where it includes them."""
    headers = material.headers()

    def included(found: re.Match[str]) -> str:
        return _INCLUDE.sub(included, headers[found[1]])

    return _INCLUDE.sub(included, code)
