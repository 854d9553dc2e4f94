# The C side of socketpkg/_core.py.

cimport cython
from cpython.exc cimport PyErr_SetFromErrno
from cpython.object cimport PyObject
from libc.limits cimport LLONG_MAX, LLONG_MIN

from socketpkg_c._address cimport AddressCodec
from socketpkg_c._syscalls cimport Syscalls as Contract

cdef Contract _sys
cdef AddressCodec _codec
cdef int AF_INET, AF_INET6, SOCK_STREAM, _AF_VSOCK, _AF_ALG, _SOCK_NONBLOCK, _SOCK_FLAGS
cdef int _SOL_SOCKET, _SO_TYPE, _SO_PROTOCOL
cdef bint _LITTLE_ENDIAN
cdef long long INT_MAX, INT_MIN, SSIZE_MAX, SSIZE_MIN
cdef object _ZERO
cdef long long _default_timeout


cdef extern from *:
    """
    /* CPython's own object points to its module's state from 3.13 on. */
    #if PY_VERSION_HEX >= 0x030D0000
    typedef struct { void *pointer; } sp_state;
    #else
    typedef struct { char nothing[0]; } sp_state;
    #endif
    """
    ctypedef struct sp_state:
        pass


cdef class Socket:
    # CPython's _ssl is handed this object in the place of a _socket.socket and reads these fields at their offsets
    # behind the object's head, so their order and types are those of its PySocketSockObject. The class must have no
    # cdef or cpdef methods: a method table would stand before them.
    cdef int _fd
    cdef int _family
    cdef int _type
    cdef int _proto
    cdef object (*_errorhandler)()
    cdef long long _timeout
    cdef sp_state _state


cdef inline object _raise_errno():
    """The error handler: raises what errno says."""
    PyErr_SetFromErrno(OSError)


cdef extern from "socketpkg_traceback.h":
    pass

cdef extern from "Python.h":
    int PySys_Audit(const char *event, const char *format, ...) except -1
    object _index "PyNumber_Index" (object value)
    long long PyLong_AsLongLongAndOverflow(object value, int *overflow) except? -1
    ctypedef struct PyTypeObject
    ctypedef struct PyMethodDef
    ctypedef struct PyMethodDescrObject:
        PyMethodDef *d_method
    object PyDescr_NewMethod(PyTypeObject *cls, PyMethodDef *method)


cdef inline object _method_of(type cls, object method):
    """A method of another class as one of *cls*, which has to be a subclass."""
    return PyDescr_NewMethod(<PyTypeObject *>cls, (<PyMethodDescrObject *>method).d_method)


cdef inline long long _saturated(object value) except? -1:
    """An integer as it is, or the nearest one that a long long holds."""
    cdef int overflow = 0
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    return number if overflow == 0 else LLONG_MAX if overflow > 0 else LLONG_MIN


# sys.audit() takes its arguments as objects, and so takes longer when nobody listens than some system calls.
cdef inline int _audit_new(const char *event, Socket sock, int family, int type, int proto) except -1:
    return PySys_Audit(event, "Oiii", <PyObject *>sock, family, type, proto)


cdef inline int _audit_address(const char *event, Socket sock, object address) except -1:
    return PySys_Audit(event, "OO", <PyObject *>sock, <PyObject *>address)


cdef inline int _audit_lookup(const char *event, object host, object port, int family, int type, int proto) except -1:
    return PySys_Audit(event, "OOiii", <PyObject *>host, <PyObject *>port, family, type, proto)


cdef inline void _prepare(Socket sock) noexcept:
    sock._errorhandler = &_raise_errno


@cython.locals(family_number=int, kind=int, protocol=int, fd=int, timeout="long long")
cpdef initialize(Socket sock, object family, object type, object proto, object fileno)
cdef void _set_fd(Socket sock, int fd) noexcept
cdef void _set_timeout(Socket sock, long long timeout) noexcept


@cython.locals(number="long long")
cdef int c_int(object value) except? -1


@cython.locals(number="long long")
cdef Py_ssize_t c_ssize(object value) except? -1


@cython.locals(number="long long")
cdef long long c_unsigned(object value, int bits) except? -1

cdef int _descriptor(object fileno) except -1
cpdef Py_ssize_t _ancillary_size(object ancbufsize) except -1
cpdef tuple _tuple_of(object iterable, str message)
cpdef tuple _ancillary_items(object ancdata)
cdef str _text(object value, str function, int position)
cdef bytes _bytes(object buffer)

cdef long long _swap16(long long number)
cdef long long _swap32(long long number)

cdef int _AI_NUMERIC
cdef dict _numeric_kinds
cdef list _numeric_addresses(str host, object port, bytes raw, int family, int kind, int protocol, int flags)

cdef object _seconds(long long timeout)
cdef _close(int fd)
cdef object _sender(bytes raw, int proto, list ancillary)
