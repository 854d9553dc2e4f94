# The calls of socketpkg/_syscalls.py that programs make often, with C types: `Socket` calls them through the method
# table. The others are ordinary methods.


cdef class SystemCalls:
    cpdef int socket(self, int family, int type, int proto) except -1
    cpdef tuple socketpair(self, int family, int type, int proto)
    cpdef tuple accept(self, int fd, long long timeout)
    cpdef bind(self, int fd, bytes address)
    cpdef int connect(self, int fd, bytes address, long long timeout) except -2
    cpdef listen(self, int fd, int backlog)
    cpdef shutdown(self, int fd, int how)
    cpdef bytes getsockname(self, int fd)
    cpdef bytes getpeername(self, int fd)
    cpdef int getsockopt_int(self, int fd, int level, int option) except? -1
    cpdef bytes getsockopt(self, int fd, int level, int option, int buflen)
    cpdef setsockopt_int(self, int fd, int level, int option, int value)
    cpdef setsockopt(self, int fd, int level, int option, object value)
    cpdef setsockopt_null(self, int fd, int level, int option, unsigned int optlen)
    cpdef bytes recv(self, int fd, Py_ssize_t bufsize, int flags, long long timeout)
    cpdef Py_ssize_t recv_into(self, int fd, object buffer, Py_ssize_t nbytes, int flags, long long timeout) except -1
    cpdef tuple recvfrom(self, int fd, Py_ssize_t bufsize, int flags, long long timeout)
    cpdef tuple recvfrom_into(self, int fd, object buffer, Py_ssize_t nbytes, int flags, long long timeout)
    cpdef Py_ssize_t send(self, int fd, object data, int flags, long long timeout) except -1
    cpdef sendall(self, int fd, object data, int flags, long long timeout)
    cpdef Py_ssize_t sendto(self, int fd, object data, int flags, bytes address, long long timeout) except -1
    cpdef tuple recvmsg(self, int fd, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef tuple recvmsg_into(self, int fd, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef Py_ssize_t sendmsg(
        self, int fd, tuple buffers, tuple ancillary, int flags, bytes address, long long timeout
    ) except -1
    cpdef list getaddrinfo(self, bytes host, bytes service, int family, int type, int proto, int flags)
    cpdef bytes inet_pton(self, int family, str text)
    cpdef str inet_ntop(self, int family, bytes packed)


cdef class Syscalls(SystemCalls):
    cpdef close(self, int fd)
    cpdef int dup(self, int fd) except -1
    cpdef set_blocking(self, int fd, bint blocking)
    cpdef tuple recvmmsg(
        self, int fd, Py_ssize_t count, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef tuple recvmmsg_into(self, int fd, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout)
    cpdef Py_ssize_t sendmmsg(
        self, int fd, list data, list ancillary, list addresses, int flags, long long timeout
    ) except -1
    cpdef tuple recv_segments(self, int fd, Py_ssize_t bufsize, int flags, long long timeout)
    cpdef close_rights(self, list items)
