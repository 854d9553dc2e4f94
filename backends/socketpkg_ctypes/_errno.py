"""errno as ctypes keeps it for each thread, read without ctypes.set_errno(), which raises an audit event.

During a call of a library that was loaded with ``use_errno`` ctypes exchanges errno with a number of its own, which has
that of the call afterwards. Where that number lies is found by the C interface of the interpreter alone: the capsule
"ctypes.error_object" in the dictionary of the thread's state. Where it is not there, as on PyPy, ctypes' own function
has to do.
"""

from __future__ import annotations

import ctypes
from _thread import _local
from errno import EAGAIN, EBADF

from ._prototypes import gil_held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["last_error", "put_back"]


def _by_ctypes() -> int:
    return ctypes.set_errno(0)


def _by_address() -> tuple[Callable[[], int], Callable[[int], object]]:
    library = ctypes.PyDLL(None)

    def declare(name: str, result: Any, *arguments: Any) -> Any:
        function = library[name]
        function.restype = result
        function.argtypes = arguments
        return function

    to_int = ctypes.POINTER(ctypes.c_int)
    thread_dictionary = declare("PyThreadState_GetDict", ctypes.c_void_p)
    item = declare("PyDict_GetItemString", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
    pointer = declare("PyCapsule_GetPointer", to_int, ctypes.c_void_p, ctypes.c_char_p)
    location = declare("__errno_location", to_int)

    class Thread(_local):
        """The numbers of one thread: that of ctypes, and errno itself."""

        def __init__(self) -> None:
            self.kept = pointer(item(thread_dictionary(), b"ctypes.error_object"), b"_ctypes pymem")
            self.own = location()

    thread = Thread()

    def last_error() -> int:
        kept = thread.kept
        error: int = kept[0]
        kept[0] = 0
        if error == EAGAIN:
            # io.BufferedWriter looks at errno itself when a raw file's write() cannot go on.
            thread.own[0] = EAGAIN
        return error

    def put_back(error: int) -> None:
        thread.kept[0] = error

    # Both numbers of one failing call, the second time 0.
    gil_held.listen(-1, 0)
    if last_error() != EBADF or last_error() != 0:
        raise LookupError("errno is kept elsewhere")
    return last_error, put_back


#: The errno of the last call that failed in this thread and of which it has not been asked, else 0.
#: `put_back` lets it be told once more.
try:
    last_error, put_back = _by_address()
except (AttributeError, LookupError, ValueError):
    last_error, put_back = _by_ctypes, ctypes.set_errno
