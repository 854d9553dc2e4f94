/* Accepting all connections that wait, for one release of the GIL. */
#ifndef SOCKETPKG_ACCEPT_H
#define SOCKETPKG_ACCEPT_H

#include "socketpkg_fallbacks.h"

/* Accepts up to *count* connections: the first as the listener's mode has it, and of the others those that wait; with
 * *goes_on*, the first is one of the others. How many, or -1 and errno when there is not even one. The errors of the
 * others are the next call's to find.
 *
 * *fd* is the listener, and *number* where its number stands, which is read again for each of the others: another
 * thread may have closed it meanwhile, and the number may be that of another file. A caller whose descriptor nobody
 * else closes has NULL for it.
 *
 * *fds* holds -1 for each of them before; of the name of the i-th the first sizes[i] bytes of names[i] count. */
static inline int sp_accept_waiting(int fd, const int *number, int count, int goes_on, int *fds,
                                    struct sockaddr_storage *names, socklen_t *sizes)
{
    int found = 0, blocks = -1;
    while (found < count) {
        int connection;
        if (found > 0 || goes_on) {
            struct pollfd listener;
            if (number != NULL)
                fd = __atomic_load_n(number, __ATOMIC_RELAXED);
            if (fd < 0)
                break;
            /* accept(2) has no flag that keeps it from waiting: where the mode does not, poll(2) is asked before. */
            if (blocks < 0) {
                int flags = fcntl(fd, F_GETFL);
                blocks = flags < 0 || !(flags & O_NONBLOCK);
            }
            listener.fd = fd;
            listener.events = POLLIN;
            if (blocks && poll(&listener, 1, 0) <= 0)
                break;
        }
        sizes[found] = sizeof names[found];
        connection = sp_accept4(fd, (struct sockaddr *)&names[found], &sizes[found]);
        if (connection < 0)
            break;
        /* The kernel may claim more than it has put there. */
        if (sizes[found] > sizeof names[found])
            sizes[found] = sizeof names[found];
        fds[found++] = connection;
    }
    return found > 0 ? found : -1;
}

#endif
