"""Describes the extension module of the cffi backend. setup.py builds what `ffibuilder` says."""

from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
#: The headers of the C code, and those that are written when the package is built.
INCLUDE = (HERE.parent / "include", HERE.parent.parent / "build" / "include")

ffibuilder = FFI()
ffibuilder.cdef((HERE / "_cdef.h").read_text(encoding="ascii"))
ffibuilder.set_source(
    "socketpkg_cffi._cffi",
    (HERE / "_source.c").read_text(encoding="ascii"),
    include_dirs=[str(path) for path in INCLUDE],
)
