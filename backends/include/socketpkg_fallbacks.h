/* The system calls that a platform, or a sandbox, may lack, made of those that are everywhere.
 *
 * A kernel that is older than the C library, gVisor and filters of seccomp answer ENOSYS. That is no error of the
 * program's: the calls below then do the same in more steps. Which of them are missing is not remembered, for to hear
 * ENOSYS costs little. All of them set errno and may block; none needs the GIL.
 */
#ifndef SOCKETPKG_FALLBACKS_H
#define SOCKETPKG_FALLBACKS_H

#include "socketpkg_platform.h"

/* A fork by another thread may come between the call that makes the descriptor and this one. */
static inline int sp_close_on_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

/* accept4(2) with SOCK_CLOEXEC: the descriptor is close-on-exec and in blocking mode. */
static inline int sp_accept4(int fd, struct sockaddr *address, socklen_t *length)
{
    int made, flags, error;
#if SP_HAVE_ACCEPT4
    made = accept4(fd, address, length, SOCK_CLOEXEC);
    if (made >= 0 || errno != ENOSYS)
        return made;
#endif
    made = accept(fd, address, length);
    if (made < 0)
        return -1;
    /* Everywhere but on Linux it has inherited O_NONBLOCK from the listener. */
    flags = fcntl(made, F_GETFL);
    if (sp_close_on_exec(made) == 0 && flags >= 0
        && (!(flags & O_NONBLOCK) || fcntl(made, F_SETFL, flags & ~O_NONBLOCK) == 0))
        return made;
    error = errno;
    close(made);
    errno = error;
    return -1;
}

/* recvmmsg(2) without a timeout. */
static inline int sp_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
    unsigned int i;
#if SP_HAVE_MMSG
    int result = recvmmsg(fd, messages, count, flags, NULL);
    if (result >= 0 || errno != ENOSYS)
        return result;
#endif
    for (i = 0; i < count; i++) {
        ssize_t received = recvmsg(fd, &messages[i].msg_hdr, flags & ~SP_MSG_WAITFORONE);
        if (received < 0)
            return i == 0 ? -1 : (int)i;
        messages[i].msg_len = (unsigned int)received;
        if (flags & SP_MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    return (int)i;
}

/* sendmmsg(2) */
static inline int sp_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
    unsigned int i;
#if SP_HAVE_MMSG
    int result = sendmmsg(fd, messages, count, flags);
    if (result >= 0 || errno != ENOSYS)
        return result;
#endif
    for (i = 0; i < count; i++) {
        ssize_t sent = sendmsg(fd, &messages[i].msg_hdr, flags);
        if (sent < 0)
            return i == 0 ? -1 : (int)i;
        messages[i].msg_len = (unsigned int)sent;
    }
    return (int)i;
}

#endif /* SOCKETPKG_FALLBACKS_H */
