# What the compiled twins of functions of the public class do: see socketpkg_functions.h. A part of _core.pxd.

cdef inline bint _intact(object make) noexcept:
    """Whether *make* is the public class, and as it was made: its objects may then be made without its `__init__`."""
    return sp_is_intact(make) and not sp_is_traced()


cdef inline Socket _new(object make):
    """An object of the public class as its `__init__` leaves it, but without a descriptor."""
    cdef Socket sock = Socket.__new__(make)
    sp_fill(sock, sp_io_refs_offset, 0)
    sp_fill(sock, sp_closed_offset, False)
    return sock


cdef inline object _twin_of_init(object function, PyObject **given, Py_ssize_t count):
    cdef object sock = <object>given[0]
    cdef object family = <object>given[1] if count > 1 else -1
    cdef object kind = <object>given[2] if count > 2 else -1
    cdef object proto = <object>given[3] if count > 3 else -1
    cdef object fileno = <object>given[4] if count > 4 else None
    if fileno is None:
        if family == -1:
            family = sp_global(function, "AF_INET")
        if kind == -1:
            kind = sp_global(function, "SOCK_STREAM")
        if proto == -1:
            proto = 0
    initialize(sock, family, kind, proto, fileno)
    sp_fill(sock, sp_io_refs_offset, 0)
    sp_fill(sock, sp_closed_offset, False)
    return None


cdef inline object _twin_of_close(object function, PyObject **given, Py_ssize_t count):
    sp_fill(<object>given[0], sp_closed_offset, True)
    if <object>sp_slot(<object>given[0], sp_io_refs_offset) <= 0:
        _close_socket(<Socket>given[0])
    return None


cdef inline object _twin_of_exit(object function, PyObject **given, Py_ssize_t count):
    if not <object>sp_slot(<object>given[0], sp_closed_offset):
        _twin_of_close(function, given, count)
    return None


cdef inline object _twin_of_accept(object function, PyObject **given, Py_ssize_t count):
    cdef Socket listener = <Socket>given[0]
    cdef object make = sp_global(function, "socket")
    cdef object address
    cdef Socket sock
    cdef int fd
    fd, address = _accepted(listener)
    sock = adopt(make, listener._sp_family, listener._sp_type, listener._sp_proto, fd, listener)
    if listener._sp_timeout > 0 and sp_global(function, "getdefaulttimeout")() is None:
        sock.setblocking(True)
    return sock, address


cdef inline bint _is_as_made() noexcept:
    """Whether what the twins stand for is still what the public class has."""
    for name, value in _made:
        if getattr(_public, name, None) is not value:
            return False
    return True


cdef inline _set_twins(object cls):
    global _public, _made
    if not SP_HAVE_TWINS:
        return
    own = vars(cls)
    # A compiler such as Nuitka makes something else of functions than the interpreter does.
    for name in ("__init__", "close", "_real_close", "__exit__", "accept"):
        if not sp_is_python(own[name]):
            return
    _public = cls
    _made = tuple([(name, getattr(cls, name, None)) for name in _TWINS_NEED])
    sp_set_public(cls, own["_closed"], own["_io_refs"], &_is_as_made)
    close = own["close"]
    real_close = own["_real_close"]
    sp_set_twin(SP_INIT, own["__init__"], _twin_of_init, 5, None, None)
    sp_set_twin(SP_CLOSE, close, _twin_of_close, 1, real_close, None)
    sp_set_twin(SP_EXIT, own["__exit__"], _twin_of_exit, 4, close, real_close)
    sp_set_twin(SP_ACCEPT, own["accept"], _twin_of_accept, 1, None, None)
