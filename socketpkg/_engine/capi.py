"""Unsafe: reads and writes CPython's own objects through ctypes. What ``_ssl`` wants of the low-level module.

For a backend without C of its own. One that has some makes the same there, with functions of the same names:
`backends/include/socketpkg_head.h` (cffi), and the fields and ``capi()`` of `socketpkg_c`.

That is the capsule ``_socket.CAPI``, and sockets that it can read. ``_ssl`` never calls a method of the socket below a
TLS connection. It takes the descriptor and the timeout from fixed places behind the object's head, where CPython's own
socket object (``Modules/socketmodule.h``) has::

    int fd, family, type, proto;
    PyObject *(*errorhandler)(void);    raises what errno says; called by CPython 3.11 and 3.12
    int64_t timeout;                    nanoseconds, negative for ever
    struct _socket_state *state;        since CPython 3.13; `_ssl` does not read it

The compiled `Socket` has these as its C fields. An interpreted one derives from a type that ctypes makes here, with
the same fields. It keeps what it knows of itself in its slots, which are fast to read, and writes the descriptor and
the timeout through to the fields. Where ctypes is missing, or where the standard library's own object turns out not
to look as above, it has its slots only: everything works but TLS over our sockets. PyPy's ``ssl`` calls methods.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final
else:
    from .annotations import Any

CAPSULE: Final = b"_socket.CAPI"

_FD, _ERRORHANDLER = 0, 16
# From CPython's headers: the slot of a type's members, types of members, flags of types.
_TP_MEMBERS = 72
_INT, _ULONG, _LONGLONG = 1, 12, 17
_IMMUTABLE, _BASE = 1 << 8, 1 << 10
# Words of a type object between its size as a variable-sized object and its flags.
_WORDS_BEFORE_FLAGS = 18

#: The type with the fields, and the address of the error handler; made once, None where it cannot be.
_head: tuple[type, int] | None = None
_head_made = False


def make_head(name: str) -> tuple[type, int] | None:
    """The type with the fields that `_ssl` reads, and the address of the error handler; None if it cannot be made.

    It is made once, under the *name* that is given first.
    """
    global _head, _head_made
    if not _head_made:
        if sys.implementation.name == "cpython":
            try:
                _head = _new_head(name)
            except Exception:
                # No ctypes, one without pythonapi, or an audit hook that forbids it. It is needed for TLS only.
                _head = None
        _head_made = True
    return _head


def _new_head(type_name: str) -> tuple[type, int] | None:
    import ctypes
    from _socket import socket as native

    start = object.__basicsize__
    pointer = ctypes.sizeof(ctypes.c_void_p)
    # An int64_t is not aligned to its size everywhere (i386).
    timeout = start + _ERRORHANDLER + pointer
    timeout += -timeout % ctypes.alignment(ctypes.c_int64)
    size = timeout + 8 + pointer
    # An object of the interpreter's own, not yet initialised: it must look as the layout says, and it knows the error
    # handler.
    sample = native.__new__(native)
    if (
        native.__basicsize__ < timeout + 8
        or ctypes.c_int.from_address(id(sample) + start + _FD).value != -1
        or ctypes.c_int64.from_address(id(sample) + timeout).value not in (-1, -1000000000)
    ):
        return None
    handler = ctypes.c_ulong.from_address(id(sample) + start + _ERRORHANDLER).value

    class Member(ctypes.Structure):
        _fields_ = [
            ("name", ctypes.c_char_p),
            ("type", ctypes.c_int),
            ("offset", ctypes.c_ssize_t),
            ("flags", ctypes.c_int),
            ("doc", ctypes.c_char_p),
        ]

    class Slot(ctypes.Structure):
        _fields_ = [("slot", ctypes.c_int), ("pointer", ctypes.c_void_p)]

    class Spec(ctypes.Structure):
        _fields_ = [
            ("name", ctypes.c_char_p),
            ("basicsize", ctypes.c_int),
            ("itemsize", ctypes.c_int),
            ("flags", ctypes.c_uint),
            ("slots", ctypes.POINTER(Slot)),
        ]

    members = (Member * 4)(
        Member(b"_sp_c_fd", _INT, start + _FD),
        Member(b"_sp_c_errorhandler", _ULONG, start + _ERRORHANDLER),
        Member(b"_sp_c_timeout", _LONGLONG, timeout),
    )
    slots = (Slot * 2)(Slot(_TP_MEMBERS, ctypes.addressof(members)))
    spec = Spec(type_name.encode(), size, 0, _BASE | _IMMUTABLE, slots)
    _keep((members, spec))
    create = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(Spec))(("PyType_FromSpec", ctypes.pythonapi))
    return create(spec), handler


def _keep(owner: object) -> None:
    """Lets *owner* live as long as the process: types and capsules refer to its memory to the very end."""
    import ctypes

    ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))(owner)


def make_immutable(cls: type) -> None:
    """Sets Py_TPFLAGS_IMMUTABLETYPE, as the standard library's socket has it, where there is a ctypes to write with."""
    try:
        import ctypes
    except Exception:
        return  # it is not there, or an audit hook forbids it

    address = id(cls) + object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t)
    flags = ctypes.c_ulong.from_address(address + _WORDS_BEFORE_FLAGS * ctypes.sizeof(ctypes.c_void_p))
    if flags.value == cls.__flags__:
        flags.value |= _IMMUTABLE


def make_capsule(socket_type: type) -> Any:
    """The capsule of the type. An audit hook may forbid ctypes by now: any Exception."""
    import ctypes

    class API(ctypes.Structure):
        _fields_ = [("type", ctypes.py_object), ("error", ctypes.py_object), ("timeout_error", ctypes.py_object)]

    api = API(socket_type, OSError, TimeoutError)
    name = ctypes.create_string_buffer(CAPSULE)
    _keep((api, name))
    create = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    return create(ctypes.addressof(api), ctypes.addressof(name), None)
