# What the C library and the kernel offer, as backends/include/socketpkg_platform.h finds it.

from cpython.object cimport PyObject
from libc.stdint cimport uint16_t, uint32_t

cdef extern from "socketpkg_platform.h" nogil:
    """
    #if SP_HAVE_SOCK_CLOEXEC
    #define SP_SOCK_CLOEXEC SOCK_CLOEXEC
    #else
    #define SP_SOCK_CLOEXEC 0
    #endif
    #if SP_HAVE_MSG_CMSG_CLOEXEC
    #define SP_MSG_CMSG_CLOEXEC MSG_CMSG_CLOEXEC
    #else
    #define SP_MSG_CMSG_CLOEXEC 0
    #endif
    #define sp_number(pointer) __atomic_load_n(pointer, __ATOMIC_RELAXED)
    #define sp_byte(pointer) __atomic_load_n(pointer, __ATOMIC_RELAXED)
    #define sp_set_byte(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELAXED)
    #define sp_set_errno(error) (errno = (error))
    #define sp_exchange(pointer, value) __atomic_exchange_n(pointer, value, __ATOMIC_ACQ_REL)
    """
    int sp_number(int *pointer)
    unsigned char sp_byte(unsigned char *pointer)
    void sp_set_byte(unsigned char *pointer, unsigned char value)
    const int SP_SENDS_HEED_DONTWAIT
    void sp_set_errno(int error)
    const char *c_strerror "strerror" (int error)
    PyObject *sp_exchange(PyObject **pointer, PyObject *value)
    const int SP_SOCK_CLOEXEC, SP_MSG_CMSG_CLOEXEC

    const int SP_HAVE_SA_LEN, SP_HAVE_SOCK_CLOEXEC, SP_HAVE_MSG_CMSG_CLOEXEC, SP_HAVE_GETHOSTBYNAME2_R
    const char *SP_LIBC
    const char *SP_COMPILER

    int EAGAIN, EBADF, EWOULDBLOCK, EINTR, EINPROGRESS, EMSGSIZE, ENOMEM, ERANGE, EISCONN, ECONNRESET
    int AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC
    int SOL_SOCKET, SO_ERROR, SCM_RIGHTS, IPPROTO_UDP
    int MSG_DONTWAIT, MSG_WAITALL, MSG_TRUNC
    int F_DUPFD_CLOEXEC, FIOCLEX, FIONBIO, CLOCK_MONOTONIC
    int POLLIN, POLLOUT, POLLERR
    int NI_MAXHOST, NI_MAXSERV, EAI_SYSTEM, IFNAMSIZ, INET6_ADDRSTRLEN, NO_RECOVERY

    ctypedef unsigned int socklen_t
    ctypedef unsigned short sa_family_t

    struct sockaddr:
        sa_family_t sa_family
    struct sockaddr_storage:
        sa_family_t ss_family
    struct iovec:
        void *iov_base
        size_t iov_len
    struct msghdr:
        void *msg_name
        socklen_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    struct pollfd:
        int fd
        short events
        short revents
    struct timespec:
        long tv_sec
        long tv_nsec
    struct in_addr:
        uint32_t s_addr
    struct addrinfo:
        int ai_flags
        int ai_family
        int ai_socktype
        int ai_protocol
        socklen_t ai_addrlen
        sockaddr *ai_addr
        char *ai_canonname
        addrinfo *ai_next
    struct hostent:
        char *h_name
        char **h_aliases
        int h_addrtype
        int h_length
        char **h_addr_list
    struct if_nameindex_entry "if_nameindex":
        unsigned int if_index
        char *if_name
    struct ifaddrs:
        ifaddrs *ifa_next
        char *ifa_name
        unsigned int ifa_flags
        sockaddr *ifa_addr
        sockaddr *ifa_netmask
        sockaddr *ifa_dstaddr

    int c_socket "socket" (int family, int type, int proto)
    int c_socketpair "socketpair" (int family, int type, int proto, int *fds)
    int c_bind "bind" (int fd, const sockaddr *address, socklen_t length)
    int c_connect "connect" (int fd, const sockaddr *address, socklen_t length)
    int c_listen "listen" (int fd, int backlog)
    int c_shutdown "shutdown" (int fd, int how)
    int c_getsockname "getsockname" (int fd, sockaddr *address, socklen_t *length)
    int c_getpeername "getpeername" (int fd, sockaddr *address, socklen_t *length)
    int c_getsockopt "getsockopt" (int fd, int level, int option, void *value, socklen_t *length)
    int c_setsockopt "setsockopt" (int fd, int level, int option, const void *value, socklen_t length)
    ssize_t c_recv "recv" (int fd, void *data, size_t size, int flags)
    ssize_t c_recvfrom "recvfrom" (int fd, void *data, size_t size, int flags, sockaddr *address, socklen_t *length)
    ssize_t c_send "send" (int fd, const void *data, size_t size, int flags)
    ssize_t c_sendto "sendto" (
        int fd, const void *data, size_t size, int flags, const sockaddr *address, socklen_t length)
    ssize_t c_recvmsg "recvmsg" (int fd, msghdr *message, int flags)
    ssize_t c_sendmsg "sendmsg" (int fd, const msghdr *message, int flags)
    const int SP_HAVE_MMSG, SP_MSG_WAITFORONE
    int c_close "close" (int fd)
    int c_fcntl "fcntl" (int fd, int command, ...)
    int c_ioctl "ioctl" (int fd, unsigned long request, ...)
    int c_poll "poll" (pollfd *descriptors, unsigned long count, int milliseconds)
    int clock_gettime(int clock, timespec *now)
    int c_gethostname "gethostname" (char *name, size_t size)
    int c_sethostname "sethostname" (const char *name, size_t size)

    cmsghdr *CMSG_FIRSTHDR(msghdr *message)
    cmsghdr *CMSG_NXTHDR(msghdr *message, cmsghdr *item)
    unsigned char *CMSG_DATA(cmsghdr *item)
    size_t CMSG_LEN(size_t length)
    size_t CMSG_SPACE(size_t length)

    int c_getaddrinfo "getaddrinfo" (const char *host, const char *service, const addrinfo *hints, addrinfo **found)
    void freeaddrinfo(addrinfo *found)
    const char *gai_strerror(int error)
    int c_getnameinfo "getnameinfo" (
        const sockaddr *address, socklen_t length, char *host, socklen_t host_size, char *service,
        socklen_t service_size, int flags)
    const char *hstrerror(int error)
    if_nameindex_entry *c_if_nameindex "if_nameindex" ()
    void if_freenameindex(if_nameindex_entry *entries)
    int c_getifaddrs "getifaddrs" (ifaddrs **entries)
    void freeifaddrs(ifaddrs *entries)
    socklen_t sp_sockaddr_size(const sockaddr *address)
    unsigned int c_if_nametoindex "if_nametoindex" (const char *name)
    char *c_if_indextoname "if_indextoname" (unsigned int index, char *name)
    int c_inet_pton "inet_pton" (int family, const char *text, void *packed)
    const char *c_inet_ntop "inet_ntop" (int family, const void *packed, char *text, socklen_t size)
    int c_inet_aton "inet_aton" (const char *text, in_addr *packed)
    uint16_t c_htons "htons" (uint16_t number)
    uint16_t c_ntohs "ntohs" (uint16_t number)

cdef extern from "socketpkg_fallbacks.h" nogil:
    int sp_accept4(int fd, sockaddr *address, socklen_t *length)
    int sp_recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)
    int sp_sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)

cdef extern from "socketpkg_accept.h" nogil:
    int sp_accept_waiting(
        int fd, const int *number, int count, int goes_on, int *fds, sockaddr_storage *names, socklen_t *sizes)

cdef extern from "socketpkg_gil.h" nogil:
    void sp_gil_asking()
    void sp_gil_returned()
    long long sp_gil_fixed
    int sp_gil_waiting

cdef extern from "socketpkg_gil.h":
    void sp_gil_keep()

cdef extern from "socketpkg_interfaces.h" nogil:
    enum:
        IF_NAMESIZE
    int sp_index_by_name(int fd, const char *name)
    int sp_name_by_index(int fd, int index, char *name)

cdef extern from "socketpkg_netdb.h" nogil:
    const int SP_BUFFER_TOO_SMALL
    int sp_getservbyname(const char *name, const char *proto)
    int sp_getservbyport(int port, const char *proto, char *name, size_t size)
    int sp_getprotobyname(const char *name)
    int sp_gethostbyname(const char *name, int family, hostent *entry, char *buffer, size_t size)
    int sp_gethostbyaddr(const void *packed, socklen_t length, int family, hostent *entry, char *buffer, size_t size)

cdef extern from "socketpkg_constants.h":
    struct socketpkg_constant:
        const char *name
        long long value
    const socketpkg_constant *socketpkg_constants
    const int socketpkg_constants_count
