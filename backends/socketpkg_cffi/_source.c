/* The system calls as the cffi backend wants them: each one is made here, and its errno taken, in one call from Python.
 * By the time that Python looks, another thread or the handler of a signal may have set the variable anew. */

#include "socketpkg_platform.h"
#include "socketpkg_constants.h"
#include "socketpkg_interfaces.h"
#include "socketpkg_netdb.h"
#include "socketpkg_fallbacks.h"
#include "socketpkg_accept.h"

/* What cffi generates for CPython releases the GIL around every call, by these two macros, and so do we around all but
 * the functions whose names begin with held_: those cannot block, and keep it as socketpkg_gil.h says. The compiler
 * knows the names, so none is compared at run time. Should cffi release the GIL in another way one day, then it is
 * released around these as well, and nothing else changes. */
#if defined(Py_BEGIN_ALLOW_THREADS) && !defined(PYPY_VERSION)
#include "socketpkg_gil.h"
#include "socketpkg_head.h"
#define SP_KEEPS_GIL 1
#define SP_GIL_HELD_WRAPPER "_cffi_f_held_"
#define SP_HOLDS_GIL(name) (strncmp(name, SP_GIL_HELD_WRAPPER, sizeof SP_GIL_HELD_WRAPPER - 1) == 0)
#undef Py_BEGIN_ALLOW_THREADS
#undef Py_END_ALLOW_THREADS
#define Py_BEGIN_ALLOW_THREADS { \
    PyThreadState *_save = NULL; \
    if (SP_HOLDS_GIL(__func__)) \
        sp_gil_keep(); \
    else \
        _save = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS \
    if (!SP_HOLDS_GIL(__func__)) { \
        sp_gil_asking(); \
        PyEval_RestoreThread(_save); \
        sp_gil_returned(); \
    } }
#else
#define SP_KEEPS_GIL 0
#endif

#define SP_RESULT(call)                     \
    do {                                    \
        ssize_t sp_result_ = (ssize_t)(call); \
        return sp_result_ < 0 ? -errno : sp_result_; \
    } while (0)
#define SP_STATUS(call) return (call) < 0 ? -errno : 0
/* A call that never blocks. _build_ffi.py declares held_NAME for each sp_NAME that is written with this, on one line.
 * */
#define SP_GIL_HELD static int

typedef __typeof__(((struct msghdr *)0)->msg_iovlen) sp_msg_iovlen_t;
typedef __typeof__(((struct msghdr *)0)->msg_controllen) sp_msg_controllen_t;
typedef __typeof__(((struct cmsghdr *)0)->cmsg_len) sp_cmsg_len_t;
typedef __typeof__(((struct mmsghdr *)0)->msg_len) sp_msg_len_t;

#if SP_HAVE_MSG_CMSG_CLOEXEC
#define SP_MSG_CMSG_CLOEXEC MSG_CMSG_CLOEXEC
#else
#define SP_MSG_CMSG_CLOEXEC 0
#endif
#if SP_HAVE_MSG_NOSIGNAL
#define SP_MSG_NOSIGNAL MSG_NOSIGNAL
#else
#define SP_MSG_NOSIGNAL 0
#endif
/* The flags with which a try that cannot block has the result that a blocking call would have. */
#define SP_NONBLOCKING_FLAGS (MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | SP_MSG_NOSIGNAL | SP_MSG_CMSG_CLOEXEC)

/* The values of the constants, and their names with a blank behind each. Gives the size of all names; *count* is how
 * many there are. For Python to ask for each one takes longer. */
static size_t sp_constants(int *count, long long *values, char *names)
{
    int i;
    size_t size = 0;
    for (i = 0; i < socketpkg_constants_count; i++) {
        size_t length = strlen(socketpkg_constants[i].name);
        if (values != NULL)
            values[i] = socketpkg_constants[i].value;
        if (names != NULL) {
            memcpy(names + size, socketpkg_constants[i].name, length);
            names[size + length] = ' ';
        }
        size += length + 1;
    }
    *count = socketpkg_constants_count;
    return size;
}

static const char *sp_compiler(void)
{
    return SP_COMPILER;
}

static const char *sp_libc(void)
{
    return SP_LIBC;
}

/* -- descriptors ---------------------------------------------------------------------------------------------- */

static int sp_socket(int family, int type, int proto)
{
#if SP_HAVE_SOCK_CLOEXEC
    SP_RESULT(socket(family, type | SOCK_CLOEXEC, proto));
#else
    int fd = socket(family, type, proto);
    if (fd < 0)
        return -errno;
    if (sp_close_on_exec(fd) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
#endif
}

static int sp_socketpair(int family, int type, int proto, int *pair)
{
#if SP_HAVE_SOCK_CLOEXEC
    SP_STATUS(socketpair(family, type | SOCK_CLOEXEC, proto, pair));
#else
    if (socketpair(family, type, proto, pair) < 0)
        return -errno;
    /* The caller closes both when this fails. */
    SP_STATUS(sp_close_on_exec(pair[0]) < 0 ? -1 : sp_close_on_exec(pair[1]));
#endif
}

/* Room for the name of a peer, and the length of a name that the kernel has put there: it may claim more. */
enum { SP_NAME_SIZE = sizeof(struct sockaddr_storage) };

static int sp_name_length(socklen_t length)
{
    return length < SP_NAME_SIZE ? (int)length : SP_NAME_SIZE;
}

/* A result and the length of the name that came with it, in one number. */
#define SP_NAMED(result, length) ((long long)(result) << 8 | sp_name_length(length))

/* The descriptor; *length is that of the name. Both may be NULL. */
static int sp_accept(int fd, void *name, int *length)
{
    socklen_t size = SP_NAME_SIZE;
    int result = sp_accept4(fd, name, name == NULL ? NULL : &size);
    if (result < 0)
        return -errno;
    if (length != NULL)
        *length = sp_name_length(size);
    return result;
}

/* Accepts the connections that wait, up to *count*: how many. *fd* is a duplicate that only the caller closes. */
static int sp_accept_many(int fd, int count, int *fds, void *names, socklen_t *sizes)
{
    SP_RESULT(sp_accept_waiting(fd, NULL, count, 1, fds, names, sizes));
}

/* What has come of *events* on one descriptor, with POLLERR and its kin; 0 when the time is over. */
static int sp_poll(int fd, int events, int milliseconds)
{
    struct pollfd descriptor = {fd, (short)events, 0};
    int result = poll(&descriptor, 1, milliseconds);
    return result < 0 ? -errno : result == 0 ? 0 : descriptor.revents;
}

static long long held_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Fixes for how many nanoseconds a thread keeps the GIL; with 0 it measures that itself again. For tests. */
static void held_keep_gil_for(long long budget)
{
#if SP_KEEPS_GIL
    sp_gil_fixed = budget;
#else
    (void)budget;
#endif
}

/* How many threads wait in our calls to get the GIL back. For tests. */
static int held_gil_waiting(void)
{
#if SP_KEEPS_GIL
    return __atomic_load_n(&sp_gil_waiting, __ATOMIC_RELAXED);
#else
    return 0;
#endif
}

/* On CPython, adds the functions of socketpkg_head.h to the module of that name. */
static int held_add_head_functions(const char *module)
{
#if SP_KEEPS_GIL
    return sp_head_add(module);
#else
    (void)module;
    return -1;
#endif
}

SP_GIL_HELD sp_bind(int fd, const void *address, socklen_t length)
{
    SP_STATUS(bind(fd, address, length));
}

static int sp_connect(int fd, const void *address, socklen_t length)
{
    SP_STATUS(connect(fd, address, length));
}

SP_GIL_HELD sp_listen(int fd, int backlog)
{
    SP_STATUS(listen(fd, backlog));
}

SP_GIL_HELD sp_shutdown(int fd, int how)
{
    SP_STATUS(shutdown(fd, how));
}

SP_GIL_HELD sp_sockatmark(int fd)
{
    int result = sockatmark(fd);
    return result < 0 ? -errno : result;
}

/* The length of the name. */
SP_GIL_HELD sp_getsockname(int fd, void *name)
{
    socklen_t length = SP_NAME_SIZE;
    return getsockname(fd, name, &length) < 0 ? -errno : sp_name_length(length);
}

SP_GIL_HELD sp_getpeername(int fd, void *name)
{
    socklen_t length = SP_NAME_SIZE;
    return getpeername(fd, name, &length) < 0 ? -errno : sp_name_length(length);
}

SP_GIL_HELD sp_getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    SP_STATUS(getsockopt(fd, level, option, value, length));
}

#define SP_FAILURES (-4294967296LL)

/* An option that is an int, or SP_FAILURES less an errno: below every int. */
static long long sp_getsockopt_int(int fd, int level, int option)
{
    int value = 0;
    socklen_t length = sizeof(value);
    if (getsockopt(fd, level, option, &value, &length) < 0)
        return SP_FAILURES - errno;
    return value;
}

SP_GIL_HELD sp_setsockopt_int(int fd, int level, int option, int value)
{
    SP_STATUS(setsockopt(fd, level, option, &value, sizeof(value)));
}

SP_GIL_HELD sp_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    SP_STATUS(setsockopt(fd, level, option, value, length));
}

/* -- transfer ------------------------------------------------------------------------------------------------- */

static ssize_t sp_recv(int fd, void *buffer, size_t size, int flags)
{
    SP_RESULT(recv(fd, buffer, size, flags));
}

static long long sp_recvfrom(int fd, void *buffer, size_t size, int flags, void *name)
{
    socklen_t length = SP_NAME_SIZE;
    ssize_t result = recvfrom(fd, buffer, size, flags, name, &length);
    return result < 0 ? -errno : SP_NAMED(result, length);
}

/* A receive in blocking mode, as the interpreter's own makes it where nothing keeps the GIL. Where something does, it
 * tries first, and gives the GIL up to wait. Nobody can have closed the descriptor between the two. */
static ssize_t held_recv_waiting(int fd, void *buffer, size_t size)
{
    ssize_t result;
#if SP_KEEPS_GIL
    result = sp_recv(fd, buffer, size, MSG_DONTWAIT);
    if (result != -EAGAIN)
        return result;
    Py_BEGIN_ALLOW_THREADS
    result = sp_recv(fd, buffer, size, 0);
    Py_END_ALLOW_THREADS
#else
    result = sp_recv(fd, buffer, size, 0);
#endif
    return result;
}

static long long held_recvfrom_waiting(int fd, void *buffer, size_t size, void *name)
{
    long long result;
#if SP_KEEPS_GIL
    result = sp_recvfrom(fd, buffer, size, MSG_DONTWAIT, name);
    if (result != -EAGAIN)
        return result;
    Py_BEGIN_ALLOW_THREADS
    result = sp_recvfrom(fd, buffer, size, 0, name);
    Py_END_ALLOW_THREADS
#else
    result = sp_recvfrom(fd, buffer, size, 0, name);
#endif
    return result;
}

static ssize_t sp_send(int fd, const void *data, size_t size, int flags)
{
    SP_RESULT(send(fd, data, size, flags));
}

static ssize_t sp_sendto(int fd, const void *data, size_t size, int flags, const void *address, socklen_t length)
{
    SP_RESULT(sendto(fd, data, size, flags, address, length));
}

static ssize_t sp_sendmsg_of(int fd, void *vectors, size_t count, int flags, const void *name, socklen_t name_size,
                             const void *control, size_t control_size)
{
    struct msghdr message = {0};
    message.msg_iov = vectors;
    message.msg_iovlen = (sp_msg_iovlen_t)count;
    message.msg_name = name_size ? (void *)name : NULL;
    message.msg_namelen = name_size;
    message.msg_control = control_size ? (void *)control : NULL;
    message.msg_controllen = (sp_msg_controllen_t)control_size;
    SP_RESULT(sendmsg(fd, &message, flags));
}

/* Of one buffer, which is all that most messages have. */
static ssize_t sp_sendmsg(int fd, const void *data, size_t size, int flags, const void *name, socklen_t name_size,
                          const void *control, size_t control_size)
{
    struct iovec vector = {(void *)data, size};
    return sp_sendmsg_of(fd, &vector, 1, flags, name, name_size, control, control_size);
}

/* *results*, from the second on: the lengths of the name and of the control data, and the flags. */
static ssize_t sp_recvmsg_of(int fd, void *vectors, size_t count, int flags, void *name, void *control,
                             size_t control_size, int *results)
{
    ssize_t result;
    struct msghdr message = {0};
    message.msg_iov = vectors;
    message.msg_iovlen = (sp_msg_iovlen_t)count;
    message.msg_name = name;
    message.msg_namelen = SP_NAME_SIZE;
    message.msg_control = control_size ? control : NULL;
    message.msg_controllen = (sp_msg_controllen_t)control_size;
    result = recvmsg(fd, &message, flags);
    if (result < 0)
        return -errno;
    results[1] = sp_name_length(message.msg_namelen);
    results[2] = (int)(message.msg_controllen < control_size ? message.msg_controllen : control_size);
    results[3] = message.msg_flags;
#if !SP_HAVE_MSG_CMSG_CLOEXEC
    if (message.msg_control != NULL) {
        struct cmsghdr *item;
        for (item = CMSG_FIRSTHDR(&message); item != NULL; item = CMSG_NXTHDR(&message, item)) {
            if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
                /* An item that was cut off may claim more than there is. */
                const char *data = (const char *)CMSG_DATA(item);
                const char *end = (const char *)message.msg_control + message.msg_controllen;
                size_t count;
                if (item->cmsg_len < CMSG_LEN(0))
                    break;
                count = item->cmsg_len - CMSG_LEN(0);
                if (count > (size_t)(end - data))
                    count = (size_t)(end - data);
                for (; count >= sizeof(int); count -= sizeof(int), data += sizeof(int)) {
                    int fd_received;
                    memcpy(&fd_received, data, sizeof fd_received);
                    (void)sp_close_on_exec(fd_received);
                }
            }
        }
    }
#endif
    return result;
}

static ssize_t sp_recvmsg(int fd, void *data, size_t size, int flags, void *name, void *control, size_t control_size,
                          int *results)
{
    struct iovec vector = {data, size};
    return sp_recvmsg_of(fd, &vector, 1, flags, name, control, control_size, results);
}

static int sp_receive_many(int fd, void *messages, unsigned int count, int flags)
{
    SP_RESULT(sp_recvmmsg(fd, messages, count, flags));
}

static int sp_send_many(int fd, void *messages, unsigned int count, int flags)
{
    SP_RESULT(sp_sendmmsg(fd, messages, count, flags));
}

static size_t sp_cmsg_len(size_t length)
{
    return CMSG_LEN(length);
}

static size_t sp_cmsg_space(size_t length)
{
    return CMSG_SPACE(length);
}

/* -- names and numbers ---------------------------------------------------------------------------------------- */

/* *error is errno, which goes with EAI_SYSTEM. */
static int sp_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                          struct addrinfo **results, int *error)
{
    int code = getaddrinfo(host, service, hints, results);
    *error = errno;
    return code;
}

static int sp_getnameinfo(const void *address, socklen_t length, char *host, socklen_t host_size, char *service,
                          socklen_t service_size, int flags, int *error)
{
    int code = getnameinfo(address, length, host, host_size, service, service_size, flags);
    *error = errno;
    return code;
}

static int sp_if_nameindex(struct if_nameindex **list)
{
    *list = if_nameindex();
    return *list == NULL ? -errno : 0;
}

static int sp_getifaddrs(struct ifaddrs **list)
{
    SP_STATUS(getifaddrs(list));
}

/* On Linux the name is a macro for a member of a union, which cffi cannot declare. */
static struct sockaddr *sp_ifa_other(struct ifaddrs *entry)
{
    return entry->ifa_dstaddr;
}

static int sp_if_nametoindex(const char *name, unsigned int *index)
{
    *index = if_nametoindex(name);
    return *index == 0 ? -errno : 0;
}

static int sp_if_indextoname(unsigned int index, char *name)
{
    return if_indextoname(index, name) == NULL ? -errno : 0;
}

SP_GIL_HELD sp_interface_index(int fd, const char *name)
{
    int index = sp_index_by_name(fd, name);
    return index < 0 ? -errno : index;
}

SP_GIL_HELD sp_interface_name(int fd, int index, char *name)
{
    SP_STATUS(sp_name_by_index(fd, index, name));
}

static int sp_sethostname(const void *name, size_t length)
{
    SP_STATUS(sethostname(name, (SP_SETHOSTNAME_LEN)length));
}

/* -- calls that cannot block ---------------------------------------------------------------------------------- */

/* The same functions: called with MSG_DONTWAIT, or of the kind that never waits. */
#define held_socket sp_socket
#define held_socketpair sp_socketpair
#define held_getsockopt_int sp_getsockopt_int
#define held_recv sp_recv
#define held_recvfrom sp_recvfrom
#define held_recvmsg sp_recvmsg
#define held_recvmsg_of sp_recvmsg_of
#define held_send sp_send
#define held_sendto sp_sendto
#define held_sendmsg sp_sendmsg
#define held_sendmsg_of sp_sendmsg_of
#define held_receive_many sp_receive_many
#define held_send_many sp_send_many
