"""Describes the extension module of the cffi backend. setup.py builds what this says, and so does a vendored copy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
#: The name of the module in the package of the backend.
MODULE = "_cffi"
#: A function of _source.c that never blocks: name and parameters.
_GIL_HELD = re.compile(r"^SP_GIL_HELD sp_(\w+)\((.*)\)$", re.MULTILINE)


def describe(package: str, include_dirs: Sequence[str] = ()) -> FFI:
    """The module as a part of *package*. Its C code includes the headers of backends/include and those written when
    the package is built, which are in *include_dirs*."""
    ffi = FFI()
    source = (HERE / "_source.c").read_text(encoding="ascii")
    found = _GIL_HELD.findall(source)
    declared = "".join(f"int held_{name}({parameters});\n" for name, parameters in found)
    ffi.cdef((HERE / "_cdef.h").read_text(encoding="ascii") + declared)
    source += "".join(f"#define held_{name} sp_{name}\n" for name, _ in found)
    ffi.set_source(f"{package}.{MODULE}", source, include_dirs=list(include_dirs))
    return ffi
