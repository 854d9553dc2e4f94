# What a call asks for its descriptor, and the calls of socketpkg/contract.py that programs make often, with C types:
# `Socket` calls them through the method table. The others are ordinary methods.

cimport cython

cdef extern from *:
    """
    /* Without a GIL one thread may close the socket or set the timeout while another one reads the field. */
    #ifdef Py_GIL_DISABLED
    typedef _Atomic(int) sp_descriptor;
    typedef _Atomic(long long) sp_timeout;
    #else
    typedef int sp_descriptor;
    typedef long long sp_timeout;
    #endif
    """
    ctypedef int sp_descriptor
    ctypedef long long sp_timeout


cdef class Descriptor:
    # CPython's _ssl is handed a `Socket` in place of a _socket.socket and reads these fields at their offsets
    # behind the object's head, so the order and types of the first six are those of its PySocketSockObject. Neither
    # class may have cdef or cpdef methods: a method table would stand before them.
    cdef sp_descriptor _sp_fd
    cdef int _sp_family
    cdef int _sp_type
    cdef int _sp_proto
    cdef object (*_sp_errorhandler)()
    cdef sp_timeout _sp_timeout
    # From 3.13 on CPython's own object has a pointer here, to the state of its module, which only that one reads.
    cdef bint _sp_waits_first


cdef class RequiredSyscalls:
    cpdef int socket(self, int family, int type, int proto) except -1
    cpdef tuple socketpair(self, int family, int type, int proto)
    cpdef tuple accept(self, Descriptor sock, long long timeout)
    cpdef bind(self, Descriptor sock, bytes address)
    cpdef int connect(self, Descriptor sock, bytes address, long long timeout) except -2
    cpdef listen(self, Descriptor sock, int backlog)
    cpdef shutdown(self, Descriptor sock, int how)
    cpdef bytes getsockname(self, Descriptor sock)
    cpdef bytes getpeername(self, Descriptor sock)
    cpdef int getsockopt_int(self, Descriptor sock, int level, int option) except? -1
    cpdef bytes getsockopt(self, Descriptor sock, int level, int option, int buflen)
    cpdef setsockopt_int(self, Descriptor sock, int level, int option, int value)
    cpdef setsockopt(self, Descriptor sock, int level, int option, object value)
    cpdef setsockopt_null(self, Descriptor sock, int level, int option, unsigned int optlen)
    cpdef bytes recv(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout)
    cpdef Py_ssize_t recv_into(
        self, Descriptor sock, object buffer, Py_ssize_t nbytes, int flags, long long timeout
    ) except -1
    cpdef tuple recvfrom(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout)
    cpdef tuple recvfrom_into(self, Descriptor sock, object buffer, Py_ssize_t nbytes, int flags, long long timeout)
    cpdef Py_ssize_t send(self, Descriptor sock, object data, int flags, long long timeout) except -1
    cpdef sendall(self, Descriptor sock, object data, int flags, long long timeout)
    cpdef Py_ssize_t sendto(self, Descriptor sock, object data, int flags, bytes address, long long timeout) except -1
    cpdef tuple recvmsg(self, Descriptor sock, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef tuple recvmsg_into(self, Descriptor sock, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef Py_ssize_t sendmsg(
        self, Descriptor sock, tuple buffers, tuple ancillary, int flags, bytes address, long long timeout
    ) except -1
    cpdef long long cmsg_len(self, long long length) except -1
    cpdef long long cmsg_space(self, long long length) except -1
    cpdef list getaddrinfo(self, bytes host, bytes service, int family, int type, int proto, int flags)
    cpdef tuple getnameinfo(self, bytes address, int flags)
    cpdef bytes inet_pton(self, int family, str text)
    cpdef str inet_ntop(self, int family, bytes packed)
    cpdef bytes inet_aton(self, str text)


cdef class Syscalls(RequiredSyscalls):
    cpdef close(self, int fd)
    cpdef int dup(self, int fd) except -1
    cpdef set_blocking(self, Descriptor sock, bint blocking)

    @cython.locals(backend=object, start=Py_ssize_t, fd=int)
    cpdef accept_many(self, Descriptor sock, Py_ssize_t count, long long timeout, list found)

    cpdef tuple recvmmsg(
        self, Descriptor sock, Py_ssize_t count, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags,
        long long timeout)
    cpdef tuple recvmmsg_into(self, Descriptor sock, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef Py_ssize_t sendmmsg(
        self, Descriptor sock, list data, list ancillary, list addresses, int flags, long long timeout
    ) except -1
    cpdef tuple recv_segments(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout)
    cpdef close_rights(self, list items)
