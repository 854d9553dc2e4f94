"""The contract in C: each call compiled to the system call it is about.

Every transfer (recv, send, accept and their kin) is described by a `Transfer` and goes through one loop, `_transfer`
(transfer.pxi).
"""

from os import strerror

import cython
from _socket import gaierror, herror

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals, PyErr_Clear, PyErr_ExceptionMatches, PyErr_SetFromErrno, PyErr_SetObject
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_INCREF
from libc.errno cimport errno
from libc.string cimport memcmp, memcpy, memset, strlen

from socketpkg_c cimport libc
from socketpkg_c.contract cimport Descriptor
from socketpkg_c.contract cimport Syscalls as Contract

cdef extern from "Python.h":
    const unsigned long Py_TPFLAGS_IMMUTABLETYPE
    ctypedef struct PyTypeObject:
        unsigned long tp_flags
    int _PyBytes_Resize(PyObject **bytes_object, Py_ssize_t size) except -1
    const char *PyUnicode_AsUTF8(str text) except NULL
    str PyUnicode_FromString(const char *text)
    ctypedef struct PyCompilerFlags:
        int cf_flags
        int cf_feature_version
    const int Py_file_input, PyCF_IGNORE_COOKIE, PY_MINOR_VERSION
    object Py_CompileStringObject(const char *source, object name, int start, PyCompilerFlags *flags, int optimize)

cdef extern from "socketpkg_traceback.h":
    pass

# Functions that one method calls, and nothing else.
cdef extern from "socketpkg_platform.h":
    int sockatmark(int fd)

cdef extern from *:
    const unsigned int CYTHON_HEX_VERSION

# Parts of this module, so that the C compiler can inline what is called from one in another.
include "transfer.pxi"
include "messages.pxi"
include "many_messages.pxi"
include "resolver.pxi"


# -- the contract -----------------------------------------------------------------------------------------------------


cdef class Syscalls(Contract):
    features = frozenset({"compiled-core", "keeps-gil", *(("sa-len",) if libc.SP_HAVE_SA_LEN else ())})

    def constants(self):
        cdef int i
        return {
            libc.socketpkg_constants[i].name.decode("ascii"): libc.socketpkg_constants[i].value
            for i in range(libc.socketpkg_constants_count)
        }

    def describe(self):
        return {
            "compiler": libc.SP_COMPILER.decode(),
            "cython": ".".join([str(CYTHON_HEX_VERSION >> shift & 255) for shift in (24, 16, 8)]),
            "libc": libc.SP_LIBC.decode(),
        }

    # -- descriptors

    cpdef int socket(self, int family, int type, int proto) except -1:
        cdef int fd = check(libc.c_socket(family, type | libc.SP_SOCK_CLOEXEC, proto))
        if not libc.SP_HAVE_SOCK_CLOEXEC:
            libc.c_ioctl(fd, libc.FIOCLEX)
        return fd

    cpdef tuple socketpair(self, int family, int type, int proto):
        cdef int fds[2]
        check(libc.c_socketpair(family, type | libc.SP_SOCK_CLOEXEC, proto, fds))
        if not libc.SP_HAVE_SOCK_CLOEXEC:
            libc.c_ioctl(fds[0], libc.FIOCLEX)
            libc.c_ioctl(fds[1], libc.FIOCLEX)
        return fds[0], fds[1]

    cpdef tuple accept(self, Descriptor sock, long long timeout):
        cdef libc.sockaddr_storage storage
        cdef Transfer t
        cdef int connection
        memset(&t, 0, sizeof(t))
        t.operation = ACCEPT
        t.address = <libc.sockaddr *>&storage
        connection = accepted(sock, &t, timeout)
        try:
            return connection, address_bytes(&storage, t.address_size)
        except BaseException:
            libc.c_close(connection)
            raise

    def accept_unnamed(self, Descriptor sock, long long timeout):
        cdef Transfer t
        memset(&t, 0, sizeof(t))
        t.operation = ACCEPT
        # There is always a descriptor, and poll(2) does not report it: so never wait.
        return accepted(sock, &t, timeout if timeout < 0 else 0)

    cpdef accept_many(self, Descriptor sock, Py_ssize_t count, long long timeout, list found):
        cdef Burst burst
        cdef Transfer t
        cdef Py_ssize_t left = count
        cdef int waiting, i, error = 0
        memset(&t, 0, sizeof(t))
        t.operation = ACCEPT_MANY
        t.data = <char *>&burst
        burst.number = <int *>&sock._sp_fd
        while left > 0:
            burst.count = <int>left if left < BURST_COUNT else BURST_COUNT
            burst.goes_on = left < count
            if burst.goes_on:
                waiting = <int>tried(sock, &t, False, 0, &error)
                if waiting < 0:
                    return
            else:
                waiting = <int>_transfer(sock, &t, False, timeout)
            i = 0
            try:
                while i < waiting:
                    found.append((burst.fds[i], address_bytes(&burst.names[i], burst.sizes[i])))
                    i += 1
            except BaseException:
                while i < waiting:
                    libc.c_close(burst.fds[i])
                    i += 1
                raise
            if waiting < burst.count:
                return
            left -= waiting

    cpdef close(self, int fd):
        cdef int result, error
        with nogil:
            result = libc.c_close(fd)
            error = errno
        if result < 0:
            fail(error)

    cpdef int dup(self, int fd) except -1:
        return check(libc.c_fcntl(fd, libc.F_DUPFD_CLOEXEC, 0))

    cpdef set_blocking(self, Descriptor sock, bint blocking):
        cdef int nonblocking = not blocking
        check(libc.c_ioctl(number_of(sock), libc.FIONBIO, &nonblocking))

    # -- addresses

    cpdef bind(self, Descriptor sock, bytes address):
        cdef const char *data = PyBytes_AS_STRING(address)
        cdef libc.socklen_t size = <libc.socklen_t>PyBytes_GET_SIZE(address)
        cdef int fd = number_of(sock), result, error
        with nogil:  # the path of a UNIX socket may be on a slow file system
            result = libc.c_bind(fd, <const libc.sockaddr *>data, size)
            error = errno
            libc.sp_gil_asking()
        libc.sp_gil_returned()
        if result < 0:
            fail(error)

    cpdef int connect(self, Descriptor sock, bytes address, long long timeout) except -2:
        cdef const char *data = PyBytes_AS_STRING(address)
        cdef libc.socklen_t size = <libc.socklen_t>PyBytes_GET_SIZE(address)
        cdef long long deadline = 0
        cdef int fd = number_of(sock), result, error
        # Without the GIL: no argument keeps connect(2) from blocking, and O_NONBLOCK is not ours alone.
        with nogil:
            result = libc.c_connect(fd, <const libc.sockaddr *>data, size)
            error = errno
            libc.sp_gil_asking()
        libc.sp_gil_returned()
        if result == 0:
            return 0
        if error == libc.EINTR:
            PyErr_CheckSignals()
            # The kernel goes on connecting; asked a second time it would say EALREADY.
            if timeout == 0:
                return error
        elif error != libc.EINPROGRESS or timeout <= 0:
            return error
        if not wait(sock, libc.POLLOUT, timeout, &deadline):
            return -1
        if number_of(sock) < 0:
            return libc.EBADF
        error = self.getsockopt_int(sock, libc.SOL_SOCKET, libc.SO_ERROR)
        return 0 if error == libc.EISCONN else error

    cpdef listen(self, Descriptor sock, int backlog):
        check(libc.c_listen(number_of(sock), backlog))

    cpdef shutdown(self, Descriptor sock, int how):
        check(libc.c_shutdown(number_of(sock), how))

    def sockatmark(self, Descriptor sock):
        return check(sockatmark(number_of(sock))) != 0

    cpdef bytes getsockname(self, Descriptor sock):
        cdef libc.sockaddr_storage storage
        cdef libc.socklen_t size = sizeof(storage)
        check(libc.c_getsockname(number_of(sock), <libc.sockaddr *>&storage, &size))
        return address_bytes(&storage, size)

    cpdef bytes getpeername(self, Descriptor sock):
        cdef libc.sockaddr_storage storage
        cdef libc.socklen_t size = sizeof(storage)
        check(libc.c_getpeername(number_of(sock), <libc.sockaddr *>&storage, &size))
        return address_bytes(&storage, size)

    # -- options

    cpdef int getsockopt_int(self, Descriptor sock, int level, int option) except? -1:
        cdef int value = 0
        cdef libc.socklen_t size = sizeof(value)
        check(libc.c_getsockopt(number_of(sock), level, option, &value, &size))
        return value

    cpdef bytes getsockopt(self, Descriptor sock, int level, int option, int buflen):
        cdef char value[1024]
        cdef libc.socklen_t size = buflen
        cdef bytes large
        if buflen < 1:
            raise ValueError("buflen is not positive")
        if buflen > <int>sizeof(value):
            large = bytes(buflen)
            check(libc.c_getsockopt(number_of(sock), level, option, PyBytes_AS_STRING(large), &size))
            return large[:min(<int>size, buflen)]
        # Some options leave a gap in what they write; nothing of our stack may show through it.
        memset(value, 0, buflen)
        check(libc.c_getsockopt(number_of(sock), level, option, value, &size))
        return PyBytes_FromStringAndSize(value, size)

    cpdef setsockopt_int(self, Descriptor sock, int level, int option, int value):
        check(libc.c_setsockopt(number_of(sock), level, option, &value, sizeof(value)))

    cpdef setsockopt(self, Descriptor sock, int level, int option, object value):
        cdef Py_buffer view
        PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)
        try:
            if view.len > INT_MAX:
                raise OverflowError("socket option is larger than INT_MAX bytes")
            check(libc.c_setsockopt(number_of(sock), level, option, view.buf, <libc.socklen_t>view.len))
        finally:
            PyBuffer_Release(&view)

    cpdef setsockopt_null(self, Descriptor sock, int level, int option, unsigned int optlen):
        check(libc.c_setsockopt(number_of(sock), level, option, NULL, optlen))

    # -- transfer

    cpdef bytes recv(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout):
        cdef Transfer t
        t.operation = RECV
        t.flags = flags
        return receive(sock, &t, bufsize, timeout)

    cpdef Py_ssize_t recv_into(
        self, Descriptor sock, object buffer, Py_ssize_t nbytes, int flags, long long timeout
    ) except -1:
        cdef Py_buffer view
        cdef Transfer t
        export_writable(buffer, &view, "recv_into")
        try:
            t.operation = RECV
            t.flags = flags
            sized(&view, nbytes, &t)
            if t.size == 0:
                return 0
            return _transfer(sock, &t, False, timeout)
        finally:
            PyBuffer_Release(&view)

    cpdef tuple recvfrom(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout):
        cdef libc.sockaddr_storage storage
        cdef Transfer t
        t.operation = RECVFROM
        t.flags = flags
        t.address = <libc.sockaddr *>&storage
        data = receive(sock, &t, bufsize, timeout)
        return data, address_bytes(&storage, t.address_size)

    cpdef tuple recvfrom_into(self, Descriptor sock, object buffer, Py_ssize_t nbytes, int flags, long long timeout):
        cdef Py_buffer view
        cdef libc.sockaddr_storage storage
        cdef Transfer t
        cdef ssize_t count
        export_writable(buffer, &view, "recvfrom_into")
        try:
            t.operation = RECVFROM
            t.flags = flags
            t.address = <libc.sockaddr *>&storage
            sized(&view, nbytes, &t)
            count = _transfer(sock, &t, False, timeout)
        finally:
            PyBuffer_Release(&view)
        return count, address_bytes(&storage, t.address_size)

    cpdef Py_ssize_t send(self, Descriptor sock, object data, int flags, long long timeout) except -1:
        cdef Py_buffer view
        cdef Transfer t
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            t.operation = SEND
            t.flags = flags
            t.data = <char *>view.buf
            t.size = view.len
            return _transfer(sock, &t, True, timeout)
        finally:
            PyBuffer_Release(&view)

    cpdef sendall(self, Descriptor sock, object data, int flags, long long timeout):
        cdef Py_buffer view
        cdef Transfer t
        cdef long long deadline = 0
        cdef char *data_left
        cdef Py_ssize_t left, count
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        left = view.len
        try:
            t.operation = SEND
            t.flags = flags
            data_left = <char *>view.buf
            if timeout > 0:
                deadline = saturated_sum(monotonic_ns(), timeout)
            while True:
                t.data = data_left
                t.size = left
                count = _transfer_until(sock, &t, True, timeout, &deadline)
                data_left += count
                left -= count
                PyErr_CheckSignals()
                if left == 0:
                    return
                if timeout > 0 and monotonic_ns() >= deadline:
                    raise TimeoutError("timed out")
        except BaseException as failure:
            failure.characters_written = view.len - left
            raise
        finally:
            PyBuffer_Release(&view)

    cpdef Py_ssize_t sendto(self, Descriptor sock, object data, int flags, bytes address, long long timeout) except -1:
        cdef Py_buffer view
        cdef Transfer t
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            t.operation = SENDTO
            t.flags = flags
            t.data = <char *>view.buf
            t.size = view.len
            t.address = <libc.sockaddr *>PyBytes_AS_STRING(address)
            t.address_size = <libc.socklen_t>PyBytes_GET_SIZE(address)
            return _transfer(sock, &t, True, timeout)
        finally:
            PyBuffer_Release(&view)

    cpdef tuple recvmsg(self, Descriptor sock, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout):
        return receive_message(sock, bufsize, None, ancbufsize, flags, timeout)

    cpdef tuple recvmsg_into(self, Descriptor sock, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout):
        return receive_message(sock, 0, buffers, ancbufsize, flags, timeout)

    cpdef Py_ssize_t sendmsg(
        self, Descriptor sock, tuple buffers, tuple ancillary, int flags, bytes address, long long timeout
    ) except -1:
        cdef Message message
        cdef Transfer t
        begin(&message)
        try:
            take(&message, buffers, False)
            fill_control(&message, ancillary)
            if address:
                message.header.msg_name = PyBytes_AS_STRING(address)
                message.header.msg_namelen = <libc.socklen_t>PyBytes_GET_SIZE(address)
            memset(&t, 0, sizeof(t))
            t.operation = SENDMSG
            t.flags = flags
            t.size = message.total
            t.message = &message.header
            return _transfer(sock, &t, True, timeout)
        finally:
            release(&message)

    cpdef long long cmsg_len(self, long long length) except -1:
        return libc.CMSG_LEN(<size_t>length)

    cpdef long long cmsg_space(self, long long length) except -1:
        return libc.CMSG_SPACE(<size_t>length)

    # -- names and numbers

    cpdef list getaddrinfo(self, bytes host, bytes service, int family, int type, int proto, int flags):
        cdef libc.addrinfo hints
        cdef libc.addrinfo *found = NULL
        cdef libc.addrinfo *entry
        cdef const char *host_text = NULL if host is None else PyBytes_AS_STRING(host)
        cdef const char *service_text = NULL if service is None else PyBytes_AS_STRING(service)
        cdef int code, error
        cdef list result = []
        memset(&hints, 0, sizeof(hints))
        hints.ai_family = family
        hints.ai_socktype = type
        hints.ai_protocol = proto
        hints.ai_flags = flags
        with nogil:
            code = libc.c_getaddrinfo(host_text, service_text, &hints, &found)
            error = errno
        if code:
            # A failure may leave anything in `found`: it is not freed (gh-100795).
            raise_gaierror(code, error)
        try:
            entry = found
            while entry != NULL:
                result.append((
                    entry.ai_family,
                    entry.ai_socktype,
                    entry.ai_protocol,
                    b"" if entry.ai_canonname == NULL else <bytes>entry.ai_canonname,
                    PyBytes_FromStringAndSize(<char *>entry.ai_addr, entry.ai_addrlen),
                ))
                entry = entry.ai_next
        finally:
            if found != NULL:
                libc.freeaddrinfo(found)
        return result

    cpdef tuple getnameinfo(self, bytes address, int flags):
        cdef char host[1025]  # NI_MAXHOST and NI_MAXSERV of every platform
        cdef char service[32]
        cdef const char *data = PyBytes_AS_STRING(address)
        cdef libc.socklen_t size = <libc.socklen_t>PyBytes_GET_SIZE(address)
        cdef int code, error
        with nogil:
            code = libc.c_getnameinfo(
                <const libc.sockaddr *>data, size, host, sizeof(host), service, sizeof(service), flags)
            error = errno
        if code:
            raise_gaierror(code, error)
        return <bytes>host, <bytes>service

    def gethostbyname(self, bytes name, int family):
        return host_entry(family, name, None)

    def gethostbyaddr(self, bytes packed, int family):
        return host_entry(family, None, packed)

    # The next three give the C library's own memory away, so the GIL is held until it has been read.

    def getservbyname(self, bytes name, bytes proto):
        return libc.sp_getservbyname(PyBytes_AS_STRING(name), NULL if proto is None else PyBytes_AS_STRING(proto))

    def getservbyport(self, unsigned short port, bytes proto):
        cdef const char *protocol = NULL if proto is None else PyBytes_AS_STRING(proto)
        cdef char name[256]
        cdef bytes whole
        cdef int length = libc.sp_getservbyport(port, protocol, name, sizeof(name))
        if length < 0:
            return None
        if length <= <int>sizeof(name):
            return PyBytes_FromStringAndSize(name, length)
        whole = PyBytes_FromStringAndSize(NULL, length)
        libc.sp_getservbyport(port, protocol, PyBytes_AS_STRING(whole), length)
        return whole

    def getprotobyname(self, bytes name):
        return libc.sp_getprotobyname(PyBytes_AS_STRING(name))

    def if_nameindex(self):
        cdef libc.if_nameindex_entry *entries = libc.c_if_nameindex()
        cdef int i = 0
        if entries == NULL:
            check(-1)
        try:
            result = []
            while entries[i].if_index:
                result.append((entries[i].if_index, <bytes>entries[i].if_name))
                i += 1
            return result
        finally:
            libc.if_freenameindex(entries)

    def getifaddrs(self):
        cdef libc.ifaddrs *entries = NULL
        cdef libc.ifaddrs *entry
        cdef int result, error
        with nogil:
            result = libc.c_getifaddrs(&entries)
            error = errno
        if result < 0:
            fail(error)
        try:
            found = []
            entry = entries
            while entry != NULL:
                found.append((
                    <bytes>entry.ifa_name, entry.ifa_flags,
                    sockaddr_bytes(entry.ifa_addr), sockaddr_bytes(entry.ifa_netmask),
                    sockaddr_bytes(entry.ifa_dstaddr),
                ))
                entry = entry.ifa_next
            return found
        finally:
            if entries != NULL:
                libc.freeifaddrs(entries)

    def if_nametoindex(self, bytes name):
        cdef unsigned int index = libc.c_if_nametoindex(PyBytes_AS_STRING(name))
        if index == 0:
            check(-1)
        return index

    def if_indextoname(self, unsigned int index):
        cdef char name[256]  # IFNAMSIZ is 16 on all platforms but one, where it is 256
        if libc.c_if_indextoname(index, name) == NULL:
            check(-1)
        return <bytes>name

    def interface_index(self, Descriptor sock, bytes name):
        cdef int index = libc.sp_index_by_name(sock._sp_fd, PyBytes_AS_STRING(name))
        if index < 0:
            check(-1)
        return index

    def interface_name(self, Descriptor sock, int index):
        cdef char name[libc.IF_NAMESIZE]
        if libc.sp_name_by_index(sock._sp_fd, index, name) < 0:
            check(-1)
        return <bytes>name

    cpdef bytes inet_pton(self, int family, str text):
        cdef char packed[16]
        cdef int result = libc.c_inet_pton(family, PyUnicode_AsUTF8(text), packed)
        if result > 0:
            return PyBytes_FromStringAndSize(packed, 4 if family == libc.AF_INET else 16)
        if result < 0:
            check(-1)
        return None

    cpdef str inet_ntop(self, int family, bytes packed):
        cdef char text[64]
        if libc.c_inet_ntop(family, PyBytes_AS_STRING(packed), text, sizeof(text)) == NULL:
            check(-1)
        return PyUnicode_FromString(text)

    cpdef bytes inet_aton(self, str text):
        cdef libc.in_addr packed
        if libc.c_inet_aton(PyUnicode_AsUTF8(text), &packed):
            return PyBytes_FromStringAndSize(<char *>&packed, sizeof(packed))
        return None

    # -- many messages at once

    cpdef tuple recvmmsg(
        self, Descriptor sock, Py_ssize_t count, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout
    ):
        if not libc.SP_HAVE_MMSG:
            return Contract.recvmmsg(self, sock, count, bufsize, ancbufsize, flags, timeout)
        return receive_many(self, sock, count, bufsize, None, ancbufsize, flags, timeout)

    cpdef tuple recvmmsg_into(
        self, Descriptor sock, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout
    ):
        if not libc.SP_HAVE_MMSG:
            return Contract.recvmmsg_into(self, sock, buffers, ancbufsize, flags, timeout)
        return receive_many(self, sock, len(buffers), 0, buffers, ancbufsize, flags, timeout)

    cpdef Py_ssize_t sendmmsg(
        self, Descriptor sock, list data, list ancillary, list addresses, int flags, long long timeout
    ) except -1:
        if not libc.SP_HAVE_MMSG:
            return Contract.sendmmsg(self, sock, data, ancillary, addresses, flags, timeout)
        return send_many(sock, data, ancillary, addresses, flags, timeout)

    cpdef tuple recv_segments(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout):
        cdef libc.sockaddr_storage storage
        cdef libc.msghdr header
        cdef libc.iovec vector
        cdef long long control[64]  # aligned as a cmsghdr has to be, with room for those of other options
        cdef Transfer t
        cdef Py_ssize_t count, size, start
        cdef list segments = []
        cdef char *data = <char *>PyMem_Malloc(bufsize or 1)
        if data == NULL:
            raise MemoryError
        try:
            vector.iov_base = data
            vector.iov_len = bufsize
            memset(&header, 0, sizeof(header))
            header.msg_name = &storage
            header.msg_namelen = sizeof(storage)
            header.msg_iov = &vector
            header.msg_iovlen = 1
            header.msg_control = control
            header.msg_controllen = sizeof(control)
            memset(&t, 0, sizeof(t))
            t.operation = RECVMSG
            t.flags = flags
            t.size = bufsize
            t.message = &header
            count = _transfer(sock, &t, False, timeout)
            if count > bufsize:
                count = bufsize
            size = segment_size(&header)
            if size < 1 or size > count:
                size = count
            start = 0
            while True:
                if size > count - start:
                    size = count - start
                segments.append(PyBytes_FromStringAndSize(data + start, size))
                start += size
                if start >= count:
                    break
        finally:
            PyMem_Free(data)
        return segments, address_bytes(&storage, header.msg_namelen)

    def gethostname(self):
        cdef char name[1025]
        check(libc.c_gethostname(name, sizeof(name) - 1))
        name[sizeof(name) - 1] = 0
        return <bytes>name

    def sethostname(self, bytes name):
        check(libc.c_sethostname(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name)))


# -- for _ssl ---------------------------------------------------------------------------------------------------------

cdef struct SocketAPI:
    PyObject *socket_type
    PyObject *error
    PyObject *timeout_error

# The capsule points to it.
cdef SocketAPI socket_api


def keep_gil_for(long long budget):
    """Fixes for how many nanoseconds a thread keeps the GIL; with 0 it measures that itself again. For tests."""
    libc.sp_gil_fixed = budget


def gil_waiting():
    """How many threads wait in calls of this backend to get the GIL back. For tests."""
    return libc.sp_gil_waiting


def capi(type socket_type, str module, str name):
    """The capsule ``_socket.CAPI`` for CPython's ``_ssl``, which takes instances of *socket_type*.

    It is a type of this package's `_core`: its objects have the fields that ``_ssl`` reads. From here on it is the
    *name* of *module*, and cannot be changed, as the standard library's cannot.
    """
    socket_type.__module__ = module
    socket_type.__name__ = socket_type.__qualname__ = name
    (<PyTypeObject *>socket_type).tp_flags |= Py_TPFLAGS_IMMUTABLETYPE
    # Counted: _ssl holds no references of its own.
    Py_INCREF(socket_type)
    socket_api.socket_type = <PyObject *>socket_type
    socket_api.error = <PyObject *>OSError
    socket_api.timeout_error = <PyObject *>TimeoutError
    return PyCapsule_New(&socket_api, "_socket.CAPI", NULL)


# -- for layers --------------------------------------------------------------------------------------------------------


cdef object _raise_errno():
    """The error handler that CPython's _ssl finds in a socket."""
    PyErr_SetFromErrno(OSError)


cdef class Head(Descriptor):
    """What an interpreted `Socket` over these calls derives from, below the layers of a stack: the fields that the
    calls and CPython's _ssl read, for Python to write. It has the names of `socketpkg._engine.capi`."""

    def __cinit__(self):
        self._sp_fd = -1
        self._sp_timeout = -1
        self._sp_errorhandler = &_raise_errno

    @property
    def _sp_c_fd(self):
        return self._sp_fd

    @_sp_c_fd.setter
    def _sp_c_fd(self, int fd):
        self._sp_fd = fd

    @property
    def _sp_c_timeout(self):
        return self._sp_timeout

    @_sp_c_timeout.setter
    def _sp_c_timeout(self, long long timeout):
        self._sp_timeout = timeout

    @property
    def _sp_c_waits_first(self):
        return self._sp_waits_first

    @_sp_c_waits_first.setter
    def _sp_c_waits_first(self, bint waits_first):
        self._sp_waits_first = waits_first


# -- for `python -m socketpkg run` -------------------------------------------------------------------------------------


def compile_program(source, str name, mode, flags, dont_inherit):
    """compile() of a program's text, with these arguments only: "exec", no flags, and True.

    Without the classes of the module ast, which compile() makes before it looks at its argument: more than a hundred,
    and a third of the instructions of socketpkg's import. The interpreter compiles its own program so, too.
    """
    cdef PyCompilerFlags used
    used.cf_flags = PyCF_IGNORE_COOKIE if isinstance(source, str) else 0
    used.cf_feature_version = PY_MINOR_VERSION
    cdef bytes text = source.encode() if isinstance(source, str) else source
    if <Py_ssize_t>strlen(PyBytes_AS_STRING(text)) != PyBytes_GET_SIZE(text):
        return compile(source, name, mode, flags, dont_inherit)  # which says that there can be none
    return Py_CompileStringObject(PyBytes_AS_STRING(text), name, Py_file_input, &used, -1)
