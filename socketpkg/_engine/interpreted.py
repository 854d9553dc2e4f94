"""The interpreted `Socket`: the class of an interpreted `_core`, made again to look like one that is written in C."""

from __future__ import annotations

import _socket
import sys
from _operator import index
from _warnings import warn as _warn

from ..contract import Descriptor
from .arguments import IN_C, contiguous
from .functions import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:
    from .annotations import Any

#: Functions of numbers alone, where CPython's own take and give the same as ours. To call a function of Python takes
#: longer than their work.
_NUMBERS = "CMSG_LEN CMSG_SPACE htonl htons inet_aton inet_ntoa inet_ntop inet_pton ntohl ntohs".split()

#: Whether no other thread and no handler of a signal can come between two steps that call nothing: CPython with a GIL.
_ONE_STEP = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()

#: What the class is called, and the module that it is found in: not those of the backend.
NAME = "socket"
LOW_LEVEL = f"{__name__.rpartition('._engine.')[0]}._socket"

#: What a method of an interpreted class is.
_FUNCTION = type(lambda: None)


def interpreted(core: dict[str, Any]) -> dict[str, Any]:
    """What an interpreted `_core`, whose names are *core*, puts in place of its own `Socket`, of the functions that
    set its fields, and of those that the interpreter has as well.

    The class here is the same but for its base. It makes its objects as Cython does (by __cinit__), and like any type
    that is written in C it cannot be changed.
    """
    cls: type = core["Socket"]
    namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    # Making the class makes their descriptors again. These two are of use to the compiled class only.
    for name in cls.__slots__:  # type: ignore[attr-defined]
        del namespace[name]
    slots = [name for name in cls.__slots__ if name != "_sp_errorhandler"]  # type: ignore[attr-defined]
    # Over compiled calls (in a stack of layers) a socket has to be one of their own descriptors.
    calls: Any = sys.modules[f"{core['__package__']}.syscalls"]
    compiled = getattr(calls, "Head", None)
    makers: Any = getattr(calls, "HEAD_FUNCTIONS", None)
    if makers is None:
        from . import capi as makers
    found = makers.make_head(f"{__name__}.Head") if compiled is None else None
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

    if found is not None:
        handler = found[1]

        def __new__(cls: Any, *arguments: Any, **keywords: Any) -> Any:
            # What __cinit__ does, without the calls.
            self = create(cls)
            self._sp_fd = self._sp_c_fd = self._sp_timeout = self._sp_c_timeout = -1
            self._sp_family = self._sp_type = self._sp_proto = 0
            self._sp_waits_first = False
            self._sp_c_errorhandler = handler
            return self

    namespace["__new__"] = __new__
    close: Any = None
    if not _ONE_STEP:
        from .interrupted import closer, taker

        take, names["_taken"] = taker("_set_fd" in names)
        close = closer(core["_sys"].close, take, names.get("_set_fd", core["_set_fd"]))
    else:
        names["_taken"] = _taken if "_set_fd" in names else _taken_from_slot
        if found is not None:
            close = _closer(core["_sys"].close)
    if close is not None:
        model = cls.close  # type: ignore[attr-defined]
        close.__doc__ = model.__doc__
        close.__module__ = model.__module__
        close.__annotations__ = model.__annotations__
        namespace["close"] = names["_close_socket"] = close
    namespace["__del__"] = _finalizer(core["_sys"].close, base is not object)
    if sys.implementation.name == "cpython":
        names.update((name, _native(getattr(_socket, name), core[name])) for name in _NUMBERS if hasattr(_socket, name))
    names["_audit_new"] = names["_audit_one"] = names["_audit_address"] = names["_audit_lookup"] = sys.audit
    names["_borrowed"] = borrower(calls)
    names["_room"] = list
    names["_open"] = _opener(core["_sys"])
    names["_opened"] = _opened
    names["HEAD"] = compiled if found is None else base
    names["_check_buffer"] = _check_buffer
    names.update(IN_C)
    names["_intact"], names["_new"], names["_set_twins"] = _makers()
    names["_index"] = names["_saturated"] = index
    for name, value in namespace.items():
        if type(value) is _FUNCTION:
            value.__qualname__ = f"{NAME}.{name}"
    namespace["__module__"] = LOW_LEVEL
    namespace["__qualname__"] = NAME
    names["Socket"] = made = type(NAME, (base,), namespace)
    if names["HEAD"] is not None:
        makers.make_immutable(made)
        names["make_capsule"] = _capsule_maker(makers, made)
    return names


def _capsule_maker(makers: Any, made: type) -> Any:
    def make_capsule() -> Any:
        """The capsule ``_socket.CAPI`` for CPython's ``_ssl``, which takes instances of `Socket`; None without one."""
        try:
            return makers.make_capsule(made)
        except Exception:
            return None

    return make_capsule


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


def _finalizer(close: Any, with_fields: bool) -> Any:
    """What `Socket.__del__` does, with nothing that is looked up in a module: an object may outlive them all."""
    is_finalizing = sys.is_finalizing

    def __del__(self: Any) -> None:
        try:
            fd = self._sp_fd
        except AttributeError:
            return  # the handler of a signal raised before __new__ had set it
        if fd == -1:
            return
        try:
            # About the code that let go of the socket. (A compiled __del__ has no frame of its own.)
            warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        except Exception as failure:
            # At shutdown the warnings machinery may be gone; a warning turned into an error must still be raised.
            if isinstance(failure, Warning) or not is_finalizing():
                raise
        finally:
            self._sp_fd = -1
            if with_fields:
                self._sp_c_fd = -1
            try:
                close(fd)
            except OSError:
                pass  # a finalizer cannot report it, as in the standard library

    warn = _warn
    return __del__


def _closer(call: Any) -> Any:
    """What `Socket.close` does, in one function. No handler of a signal can run between the look at the descriptor and
    its close, for a handler that raises there would leave it without an owner."""

    def close(self: Any) -> None:
        fd = self._sp_fd
        self._sp_fd = self._sp_c_fd = -1
        if fd != -1:
            try:
                call(fd)
            except ConnectionResetError:
                pass  # the peer's reset says nothing about the descriptor, which is closed (bpo-30319)

    return close


def _opener(calls: Any) -> Any:
    """What makes a new descriptor in a list (`_room`), in which it is found when a signal's handler raises then."""
    if hasattr(calls, "socket_into"):
        return calls.socket_into
    make = calls.socket

    def open(made: list[int], family: int, kind: int, protocol: int) -> int:
        made.append(make(family, kind, protocol))
        return made[0]

    return open


def _opened(made: list[int], fd: int) -> int:
    return made[0] if made else -1


def _makers() -> tuple[Any, Any, Any]:
    """(`_intact`, `_new`, `_set_twins`) of a core: how it makes objects of the public class without `__init__`."""
    public: Any = None
    init: Any = None
    trace, profile = sys.gettrace, sys.getprofile

    def intact(make: Any) -> bool:
        """Whether *make* is the public class, with the `__init__` that it was made with, and nobody watches calls."""
        return make is public and make.__init__ is init and trace() is None and profile() is None

    def new(make: Any) -> Any:
        """An object as `__init__` leaves it, but without a descriptor."""
        sock = make.__new__(make)
        sock._io_refs = 0
        sock._closed = False
        return sock

    def set_public(cls: Any) -> None:
        nonlocal public, init
        public = cls
        init = cls.__init__

    return intact, new, set_public


def _native(function: Any, own: Any) -> Any:
    """*function* of the interpreter instead of our *own*, whose signature can be read."""
    if function.__text_signature__:
        return function
    shown: Any = Function(function)
    shown.model = own
    shown.__module__ = own.__module__
    # The names in our own annotations would be looked up in the function's module, and a built-in function has none.
    shown.__annotations__ = {}
    return shown


def _set_fd(sock: Any, fd: int) -> None:
    sock._sp_fd = sock._sp_c_fd = fd


def _taken(sock: Any) -> int:
    fd: int = sock._sp_fd
    sock._sp_fd = sock._sp_c_fd = -1
    return fd


def _taken_from_slot(sock: Any) -> int:
    fd: int = sock._sp_fd
    sock._sp_fd = -1
    return fd


def _set_timeout(sock: Any, timeout: int) -> None:
    sock._sp_timeout = sock._sp_c_timeout = timeout


def _check_buffer(value: Any) -> None:
    """Raises what is wrong with a buffer that is to be read."""
    contiguous(value).release()


def _prepare_nothing(sock: Any) -> None:
    pass
