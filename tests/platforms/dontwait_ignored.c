/* Loaded before the C library: send(2) and its like that ignore MSG_DONTWAIT and look at the descriptor's mode alone,
 * as those of XNU do. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    return syscall(SYS_sendto, fd, data, size, flags & ~MSG_DONTWAIT, NULL, 0);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
    return syscall(SYS_sendto, fd, data, size, flags & ~MSG_DONTWAIT, address, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return syscall(SYS_sendmsg, fd, message, flags & ~MSG_DONTWAIT);
}
