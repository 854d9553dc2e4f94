/* System calls that fail when a test says so: loaded before the C library (LD_PRELOAD), it has the functions that the
 * backends call, and passes on what is not to fail.
 *
 *     fault_arm("recv", ENOMEM, 2, 2)     the second recv from now on fails with ENOMEM
 *     fault_disarm()                      nothing fails, nothing is counted
 *     fault_count("recv")                 how many there were since it was armed
 *
 * A call that fails is not made, but for close: that one closes and reports the error, as Linux does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { NAMES = 64 };

static struct { const char *name; int count; } counts[NAMES];
static const char *armed_name;
static int armed_errno, armed_from, armed_until;
static volatile int counting;

void fault_disarm(void) { counting = 0; armed_name = NULL; }

void fault_arm(const char *name, int error, int from, int until)
{
    static char kept[32];
    counting = 0;
    memset(counts, 0, sizeof counts);
    strncpy(kept, name, sizeof kept - 1);
    armed_name = kept;
    armed_errno = error;
    armed_from = from;
    armed_until = until;
    counting = 1;
}

int fault_count(const char *name)
{
    for (int i = 0; i < NAMES && counts[i].name; i++)
        if (strcmp(counts[i].name, name) == 0)
            return counts[i].count;
    return 0;
}

/* The name of the i-th function that was called, NULL behind the last. */
const char *fault_name(int i) { return i < NAMES ? counts[i].name : NULL; }

/* Counts a call; says whether it has to fail. The names are literals of this file. */
static int fails(const char *name)
{
    if (!counting)
        return 0;
    int i = 0;
    while (i < NAMES && counts[i].name && strcmp(counts[i].name, name) != 0)
        i++;
    if (i == NAMES)
        return 0;
    counts[i].name = name;
    int number = ++counts[i].count;
    if (armed_name && strcmp(armed_name, name) == 0 && number >= armed_from && number <= armed_until) {
        errno = armed_errno;
        return 1;
    }
    return 0;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

#define CALL(result, name, parameters, arguments) CALL_AS(result, name, #name, parameters, arguments)
#define CALL_AS(result, name, as, parameters, arguments) \
    result name parameters \
    { \
        static result (*real) parameters; \
        if (fails(as)) \
            return -1; \
        if (!real) \
            real = (result (*) parameters)next(#name); \
        return real arguments; \
    }

CALL(int, socket, (int family, int type, int proto), (family, type, proto))
CALL(int, socketpair, (int family, int type, int proto, int fds[2]), (family, type, proto, fds))
CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
CALL(int, listen, (int fd, int backlog), (fd, backlog))
CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
CALL_AS(int, accept, "accept", (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
CALL_AS(int, accept4, "accept", (int fd, struct sockaddr *address, socklen_t *size, int flags),
        (fd, address, size, flags))
CALL(int, shutdown, (int fd, int how), (fd, how))
CALL(int, getsockname, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
CALL(int, getpeername, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
CALL(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *size), (fd, level, option, value, size))
CALL(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t size),
     (fd, level, option, value, size))
/* recv(2) and recvfrom(2), send(2) and sendto(2) are one call each: a backend may use either. */
CALL_AS(ssize_t, recv, "recv", (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
CALL_AS(ssize_t, __recv_chk, "recv", (int fd, void *data, size_t size, size_t room, int flags),
        (fd, data, size, room, flags))
CALL_AS(ssize_t, recvfrom, "recv",
        (int fd, void *data, size_t size, int flags, struct sockaddr *address, socklen_t *length),
        (fd, data, size, flags, address, length))
CALL_AS(ssize_t, __recvfrom_chk, "recv",
        (int fd, void *data, size_t size, size_t room, int flags, struct sockaddr *address, socklen_t *length),
        (fd, data, size, room, flags, address, length))
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
CALL(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
     (fd, messages, count, flags, timeout))
CALL_AS(ssize_t, send, "send", (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
CALL_AS(ssize_t, sendto, "send",
        (int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length),
        (fd, data, size, flags, address, length))
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CALL(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags), (fd, messages, count, flags))
CALL(ssize_t, sendfile, (int out, int in, off_t *offset, size_t count), (out, in, offset, count))
CALL_AS(ssize_t, sendfile64, "sendfile", (int out, int in, off_t *offset, size_t count), (out, in, offset, count))
CALL_AS(int, poll, "poll", (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))
CALL_AS(int, __poll_chk, "poll", (struct pollfd *fds, nfds_t count, int timeout, size_t room),
        (fds, count, timeout, room))
CALL_AS(int, ppoll, "poll", (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
        (fds, count, timeout, mask))
CALL(int, dup, (int fd), (fd))
CALL(int, gethostname, (char *name, size_t size), (name, size))

int fcntl(int fd, int command, ...)
{
    static int (*real)(int, int, ...);
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (fails("fcntl"))
        return -1;
    if (!real)
        real = (int (*)(int, int, ...))next("fcntl");
    return real(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return fcntl(fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, ...);
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (fails("ioctl"))
        return -1;
    if (!real)
        real = (int (*)(int, unsigned long, ...))next("ioctl");
    return real(fd, request, argument);
}

int close(int fd)
{
    static int (*real)(int);
    int fail = fails("close");
    if (!real)
        real = (int (*)(int))next("close");
    int result = real(fd);
    if (fail) {
        errno = armed_errno;
        return -1;
    }
    return result;
}
