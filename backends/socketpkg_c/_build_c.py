"""Describes the extension modules of the c backend. setup.py builds what this says, and so does a vendored copy."""

from __future__ import annotations

from pathlib import Path

#: The directives of Cython, for all modules.
DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": False,  # the types are in the .pxd; annotations are for people
    "auto_pickle": False,
    # Functions and methods of the interpreter's own types, as the standard library's are: the fastest to call, and a
    # function does not become a method of a class that has it for an attribute. inspect.signature reads the docstring.
    "binding": False,
    "embedsignature": True,
    "embedsignature.format": "clinic",
    "freethreading_compatible": True,
}
#: The C macros that a module is compiled with.
MACROS = {
    # Socket is a class made at run time, as in the standard library: one that the collector knows.
    "_core": [("CYTHON_USE_TYPE_SPECS", "1")],
}


def sources(backend: Path, public: Path) -> dict[str, Path]:
    """The source of each module: the system calls, and those modules of *public* that have a .pxd in *backend*.

    *public* is the folder of the package socketpkg.
    """
    found = {"syscalls": backend / "syscalls.pyx"}
    for pxd in sorted(backend.glob("*.pxd")):
        for folder in (public, public / "_engine"):
            twin = folder / f"{pxd.stem}.py"
            if twin.exists():
                found[pxd.stem] = twin
    return found
