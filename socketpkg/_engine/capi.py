"""What CPython's ``_ssl`` wants of the low-level module: the capsule ``_socket.CAPI``, and sockets it can read.

``_ssl`` never calls a method of the socket below a TLS connection. It takes the descriptor and the timeout from fixed
places behind the object's head, where CPython's own socket object (``Modules/socketmodule.h``) has::

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

import _socket
import sys
from _operator import index
from _warnings import warn as _warn

from ..contract import Descriptor
from .functions import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..backends import Backend
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

#: Functions of numbers alone, where CPython's own take and give the same as ours. (Its htonl and ntohl take no objects
#: with an __index__.) To call a Python function takes longer than all that they do.
_NUMBERS = ("htons", "inet_aton", "inet_ntoa", "inet_ntop", "inet_pton", "ntohs")

#: What the type is called, and the module that it is found in: not those of the backend.
_NAME = "socket"
_LOW_LEVEL = f"{__name__.rpartition('._engine.')[0]}._socket"

#: The type with the fields, and the address of the error handler; made once, None where it cannot be.
_head: tuple[type, int] | None = None
_head_made = False


#: What a method of an interpreted class is.
_FUNCTION = type(lambda: None)


def capsule(backend: Backend) -> Any:
    """The capsule for the `Socket` of *backend*; None where there is nothing to put into it."""
    if "compiled-core" in backend.features:
        make = getattr(sys.modules[f"{backend.package}.syscalls"], "capi", None)
        if make is not None:
            return make(backend.core.Socket, _LOW_LEVEL, _NAME)
    elif getattr(backend.core, "HEAD", None) is not None:
        try:
            return _capsule(backend.core.Socket)
        except Exception:
            return None  # an audit hook forbids ctypes by now
    return None


def interpreted(core: dict[str, Any]) -> dict[str, Any]:
    """What an interpreted `_core`, whose names are *core*, puts in the place of its own `Socket`, of the functions that
    set its fields, and of those that the interpreter has as well.

    The class here is the same but for its base. It makes its objects as Cython does (by __cinit__), and like any type
    that is written in C it cannot be changed.
    """
    cls: type = core["Socket"]
    namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    # Making the class makes their descriptors again. These two are of use to the compiled class only.
    for name in cls.__slots__:  # type: ignore[attr-defined]
        del namespace[name]
    slots = [name for name in cls.__slots__ if name not in ("_sp_errorhandler", "_sp_state")]  # type: ignore[attr-defined]
    # Over compiled calls (in a stack of layers) a socket has to be one of their own descriptors.
    calls: Any = sys.modules[f"{core['__package__']}.syscalls"]
    compiled = getattr(calls, "Head", None)
    found = _find_head() if compiled is None else None
    base: Any
    if compiled is not None:
        base = compiled
        slots.remove("_sp_waits_first")
        namespace["_sp_waits_first"] = compiled._sp_c_waits_first
        names: dict[str, Any] = {"_set_fd": _set_fd, "_set_timeout": _set_timeout, "_prepare": _prepare_nothing}
    elif found is None:
        names = {"_prepare": _prepare_nothing}
        base = object
    else:
        base, handler = found

        def _prepare(sock: Any) -> None:
            sock._sp_c_errorhandler = handler

        names = {"_set_fd": _set_fd, "_set_timeout": _set_timeout, "_prepare": _prepare}
    namespace["__slots__"] = tuple(slots)
    create = base.__new__

    def __new__(cls: Any, *arguments: Any, **keywords: Any) -> Any:
        self = create(cls)
        self.__cinit__()
        return self

    namespace["__new__"] = __new__
    namespace["__del__"] = _finalizer(core["_sys"].close, base is not object)
    if sys.implementation.name == "cpython":
        names.update((name, _native(getattr(_socket, name), core[name])) for name in _NUMBERS)
    names["_audit_new"] = names["_audit_address"] = names["_audit_lookup"] = sys.audit
    names["_borrowed"] = borrower(calls)
    names["HEAD"] = compiled if found is None else base
    names["_index"] = names["_saturated"] = index
    for name, value in namespace.items():
        if type(value) is _FUNCTION:
            value.__qualname__ = f"{_NAME}.{name}"
    namespace["__module__"] = _LOW_LEVEL
    namespace["__qualname__"] = _NAME
    names["Socket"] = made = type(_NAME, (base,), namespace)
    if names["HEAD"] is not None and _head_can_be_written():
        _make_immutable(made)
    return names


#: By the compiled type: what `borrower` has made of it.
_borrowers: dict[type, type] = {}


def borrower(calls: Any) -> Any:
    """What makes a `Descriptor` of a number for the calls of a module ``syscalls``: compiled ones demand their own."""
    compiled = getattr(calls, "Head", None)
    if compiled is None:
        return Descriptor

    class Borrowed(compiled):  # type: ignore[misc,valid-type]
        """A descriptor that somebody else owns."""

        __slots__ = ("_sp_fd",)

        def __init__(self, fd: int) -> None:
            self._sp_fd = self._sp_c_fd = fd  # type: ignore[misc]

    return _borrowers.setdefault(compiled, Borrowed)


def _head_can_be_written() -> bool:
    try:
        import ctypes  # noqa: F401
    except ImportError:
        return False
    return True


def _finalizer(close: Any, with_fields: bool) -> Any:
    """What `Socket.__del__` does, with nothing that is looked up in a module: an object may outlive them all."""
    is_finalizing = sys.is_finalizing

    def __del__(self: Any) -> None:
        fd = self._sp_fd
        if fd == -1:
            return
        try:
            # About the code that let go of the socket. (A compiled __del__ has no frame of its own.)
            warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        except Exception as failure:
            # Late in the interpreter's own end what shows warnings may be a ruin. A warning made an error is none.
            if isinstance(failure, Warning) or not is_finalizing():
                raise
        finally:
            self._sp_fd = -1
            if with_fields:
                self._sp_c_fd = -1
            try:
                close(fd)
            except OSError:
                pass  # nobody is there to be told, as in the standard library

    warn = _warn
    return __del__


def _native(function: Any, own: Any) -> Any:
    """*function* of the interpreter in the place of our *own*, whose signature can be read."""
    if function.__text_signature__:
        return function
    shown: Any = Function(function)
    shown.model = own
    shown.__module__ = own.__module__
    # The names in those of our own would be looked for in a module that a built-in function has not.
    shown.__annotations__ = {}
    return shown


def _set_fd(sock: Any, fd: int) -> None:
    sock._sp_fd = sock._sp_c_fd = fd


def _set_timeout(sock: Any, timeout: int) -> None:
    sock._sp_timeout = sock._sp_c_timeout = timeout


def _prepare_nothing(sock: Any) -> None:
    pass


def _find_head() -> tuple[type, int] | None:
    global _head, _head_made
    if not _head_made:
        if sys.implementation.name == "cpython":
            try:
                _head = _make_head()
            except Exception:
                # No ctypes, one without pythonapi, or an audit hook that forbids it. It is needed for TLS only.
                _head = None
        _head_made = True
    return _head


def _make_head() -> tuple[type, int] | None:
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
    spec = Spec(f"{__name__}.Head".encode(), size, 0, _BASE | _IMMUTABLE, slots)
    _keep((members, spec))
    create = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(Spec))(("PyType_FromSpec", ctypes.pythonapi))
    return create(spec), handler


def _keep(owner: object) -> None:
    """Lets *owner* live as long as the process: types and capsules refer to its memory to the very end."""
    import ctypes

    ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))(owner)


def _make_immutable(cls: type) -> None:
    """Sets Py_TPFLAGS_IMMUTABLETYPE, as the standard library's socket has it."""
    import ctypes

    address = id(cls) + object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t)
    flags = ctypes.c_ulong.from_address(address + _WORDS_BEFORE_FLAGS * ctypes.sizeof(ctypes.c_void_p))
    if flags.value == cls.__flags__:
        flags.value |= _IMMUTABLE


def _capsule(socket_type: type) -> Any:
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
