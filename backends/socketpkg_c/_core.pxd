# The C side of socketpkg/_engine/_core.py.

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_SetFromErrno
from cpython.object cimport PyObject
from libc.limits cimport LLONG_MAX, LLONG_MIN

from socketpkg_c._address cimport AddressCodec
from socketpkg_c.contract cimport Descriptor, sp_timeout
from socketpkg_c.contract cimport Syscalls as Contract
from socketpkg_c.conversions cimport _decoded, _encoded, _is_buffer, _plain_bytes, _plain_str, _strerror

cdef Contract _sys
cdef AddressCodec _codec
cdef int AF_INET, AF_INET6, SOCK_STREAM, _AF_VSOCK, _AF_ALG, _SOCK_NONBLOCK, _SOCK_FLAGS
cdef int _AF_UNIX, _SOL_SOCKET, _SO_TYPE, _SO_PROTOCOL, _SO_RCVLOWAT
cdef bint _LITTLE_ENDIAN
cdef bint IndexLikeInt, _GENERATED
cdef long long INT_MAX, INT_MIN, UINT_MAX, SSIZE_MAX, SSIZE_MIN, NANOSECONDS
cdef object _ZERO
cdef sp_timeout _default_timeout


cdef class Socket(Descriptor):
    pass


cdef inline object _raise_errno():
    """The error handler: raises what errno says."""
    PyErr_SetFromErrno(OSError)


cdef extern from "socketpkg_functions.h":
    int SP_HAVE_TWINS
    enum:
        SP_INIT
        SP_CLOSE
        SP_EXIT
        SP_ACCEPT
    ctypedef object (*sp_body)(object function, PyObject **given, Py_ssize_t count)
    Py_ssize_t sp_closed_offset, sp_io_refs_offset
    bint sp_is_intact(object cls)
    bint sp_is_traced()
    PyObject *sp_slot(object sock, Py_ssize_t offset)
    object sp_global(object function, str name)
    void sp_fill(object sock, Py_ssize_t offset, object value)
    bint sp_is_python(object function)
    void sp_set_twin(int which, object function, sp_body body, Py_ssize_t most, object inner, object inmost)
    void sp_set_public(object cls, object closed, object io_refs, bint (*look)() noexcept)

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


cdef inline int _check_buffer(object value) except -1:
    """Raises what is wrong with a buffer that is to be read."""
    cdef Py_buffer view
    PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)
    PyBuffer_Release(&view)
    return 0


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


cdef inline int _audit_one(const char *event, object argument) except -1:
    return PySys_Audit(event, "(O)", <PyObject *>argument)


cdef inline int _audit_lookup(const char *event, object host, object port, int family, int type, int proto) except -1:
    return PySys_Audit(event, "OOiii", <PyObject *>host, <PyObject *>port, family, type, proto)


cdef extern from *:
    """
    #define sp_taken(pointer) __atomic_exchange_n(pointer, -1, __ATOMIC_ACQ_REL)
    """
    int sp_taken(int *pointer)


cdef inline int _taken(Socket sock) noexcept:
    """Takes the descriptor from a socket object. Of several threads one gets it, also without the GIL."""
    return sp_taken(<int *>&sock._sp_fd)


cdef inline void _prepare(Socket sock) noexcept:
    sock._sp_errorhandler = &_raise_errno


cdef dict _offered
cdef inline Descriptor _borrowed(int fd):
    """What a call takes of a descriptor that somebody else owns."""
    cdef Descriptor descriptor = Descriptor.__new__(Descriptor)
    descriptor._sp_fd = fd
    return descriptor


# Compiled, no handler of a signal runs between a call and the keeping of its result: there is no need of a room for it.
cdef inline object _room():
    return None


cdef inline int _open(object made, int family, int kind, int protocol) except -1:
    return _sys.socket(family, kind, protocol)


cdef inline int _opened(object made, int fd) noexcept:
    return fd


@cython.locals(timeout="long long", owner=Socket, offered=bint)
cdef void _take_over(Socket sock, int family, int kind, int protocol, int fd) except *
cdef tuple _kind_of(int fd, int family, int kind, int protocol)


@cython.locals(owner=Socket, fd=int, family_number=int, kind=int, protocol=int)
cpdef adopt(object make, object family, object type, object proto, object source, Socket like=*)
cpdef own(Socket sock, int fd, Socket listener)


@cython.locals(family_number=int, kind=int, protocol=int, a=Socket, b=Socket)
cpdef tuple pair(object make, object family, object type, object proto)


@cython.locals(first=int, second=int)
cdef void _own_pair(Socket a, Socket b, int family, int kind, int protocol, bint audits) except *
cdef tuple _accepted(Socket sock)
cdef object _public
cdef tuple _made, _TWINS_NEED


@cython.locals(marks=int)
cdef tuple _message(Socket sock, tuple message, int added)
cdef void _inherit(Socket sock, Socket like) except *


@cython.locals(family_number=int, kind=int, protocol=int, fd=int, known=bint)
cpdef initialize(Socket sock, object family, object type, object proto, object fileno)
cdef void _set_fd(Socket sock, int fd) noexcept
cdef void _set_timeout(Socket sock, long long timeout) noexcept


@cython.locals(number="long long")
cdef int c_int(object value) except? -1


@cython.locals(number="long long")
cdef long long c_long(object value) except? -1


@cython.locals(number=Py_ssize_t)
cdef Py_ssize_t c_ssize(object value) except? -1


@cython.locals(number="long long")
cdef long long c_unsigned(object value, long long most, str c_type) except? -1


@cython.locals(number="long long")
cdef int _descriptor(object value) except? -1

cpdef Py_ssize_t _ancillary_size(object ancbufsize) except -1
cpdef tuple _tuple_of(object iterable, str message)
cpdef tuple _ancillary_items(object ancdata)
cdef str _text(object value, str function, int position)

cdef Py_ssize_t IOV_MAX


@cython.locals(start=Py_ssize_t, size=Py_ssize_t, count=Py_ssize_t, sent=Py_ssize_t, timeout="long long")
cdef object _send_gathered(Socket sock, tuple sources, tuple items, int flags, bytes raw)
cdef int _CMSG_CLOEXEC
cdef int _close_on_exec(Descriptor sock, int flags) except -1
cdef int _check_ancillary_size(Py_ssize_t size) except -1
cdef int _flags_after(object data, object flags) except? -1
cdef int _check_writable(object buffer, str caller) except -1
cdef bint _is_sequence(object value) except -1


@cython.locals(number="long long")
cdef int _short(object x, str function) except -1
cdef long long _word(object x) except? -1


@cython.locals(number="long long")
cdef long long _unsigned_int(object value, str c_type, str too_large) except? -1
cdef long long _swap16(long long number)
cdef long long _swap32(long long number)

cdef int _AI_NUMERIC
cdef dict _numeric_kinds
cdef list _numeric_addresses(str host, object port, bytes raw, int family, int kind, int protocol, int flags)

cdef object _seconds(long long timeout)


cdef long long _SECONDS_MAX
cdef double _SCALED_END


cdef extern from *:
    """
    /* Rounded when it is set. The x87 of i386 computes with more digits than a double has, and what should be 0.05 s
     * exactly would be rounded up to the next nanosecond. */
    typedef volatile double sp_rounded;
    """
    ctypedef double sp_rounded


@cython.locals(nanoseconds="long long", scaled=sp_rounded, negative=bint)
cpdef long long timeout_ns(object value) except? -2
cdef _close(int fd)


@cython.locals(fd=int)
cdef _close_socket(Socket sock)


include "twins.pxi"
