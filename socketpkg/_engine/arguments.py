"""Numbers that programs give to the numbers of the contract, with the standard library's errors.

The conversions that every transfer makes are in `socketpkg._engine._core`, where they are compiled. `IN_C` names those
here that the compiled modules have in C.
"""

from __future__ import annotations

import os
import sys
from _operator import index
from _warnings import warn

from socketpkg._engine.buffers import is_buffer, memoryview_of
from socketpkg._engine.originals import PathLike, fsdecode, fsencode, strerror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    from _typeshed import ReadableBuffer

INT_MAX = 2**31 - 1
UINT_MAX = 2**32 - 1
NANOSECONDS = 10**9
# How many buffers a system call takes: UIO_MAXIOV of Linux (uio.h), IOV_MAX of the BSDs.
IOV_MAX = 1024

# A warning is about the first code outside of the package.
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")

# CPython 3.14 takes everything with an __index__ where it took an int only: in if_indextoname(), htonl() and ntohl(),
# and for the port of getaddrinfo(), where a subclass of int was refused too.
IndexLikeInt = sys.version_info >= (3, 14)


def contiguous(value: ReadableBuffer) -> memoryview:
    """A view of a buffer, which the caller releases. TypeError for another object, BufferError for one in pieces.

    The errors are those of PyObject_GetBuffer(), as the compiled backend and the standard library raise them.
    """
    view = memoryview_of(value)
    if not view.c_contiguous:
        view.release()
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    return view


def plain_bytes(value: ReadableBuffer) -> bytes:
    """The bytes of a buffer as an object of just that type: a subclass may answer in its own way."""
    if type(value) is bytes:
        return value
    with contiguous(value) as view:
        return view.tobytes()


def plain_str(value: str) -> str:
    """The text of a str as an object of just that type, whatever a subclass shows itself as."""
    return value if type(value) is str else str.__str__(value)


def file_system_bytes(value: str | bytes | PathLike[Any]) -> bytes:
    """fsencode(), which leaves a subclass of bytes as it is."""
    return plain_bytes(fsencode(value))


def c_masked(value: SupportsIndex, bits: int) -> int:
    """*value* as an unsigned integer of *bits* bits, without its higher bits.

    CPython reads most numbers of an address so. From 3.15 on it warns when that changes the number.
    """
    number = index(value)
    if sys.version_info >= (3, 15) and not -(1 << bits - 1) <= number < 1 << bits:
        warn("integer value out of range", DeprecationWarning, skip_file_prefixes=(_PACKAGE,))
    return number & (1 << bits) - 1


#: By the names that they have in C, in the c backend's ``conversions.pxd``. Interpreted modules take these functions.
IN_C: dict[str, Any] = {
    "_decoded": fsdecode,
    "_encoded": file_system_bytes,
    "_is_buffer": is_buffer,
    "_plain_bytes": plain_bytes,
    "_plain_str": plain_str,
    "_strerror": strerror,
}
