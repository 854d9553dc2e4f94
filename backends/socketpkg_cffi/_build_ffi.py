"""Describes the extension module of the cffi backend. setup.py builds what this says, and so does a vendored copy."""

from collections.abc import Sequence
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
#: The name of the module in the package of the backend.
MODULE = "_cffi"


def describe(package: str, include_dirs: Sequence[str] = ()) -> FFI:
    """The module as a part of *package*. Its C code includes the headers of backends/include and those written when
    the package is built, which are in *include_dirs*."""
    ffi = FFI()
    ffi.cdef((HERE / "_cdef.h").read_text(encoding="ascii"))
    source = (HERE / "_source.c").read_text(encoding="ascii")
    ffi.set_source(f"{package}.{MODULE}", source, include_dirs=list(include_dirs))
    return ffi
