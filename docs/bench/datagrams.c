/* The raw loops of datagrams.py, beside those of raw.c. */

#include "raw.c"

#include <netinet/udp.h>

/* As in datagrams.py. */
#define DATAGRAM 1200
#define DATAGRAMS 32
#define SEGMENTS 54

#ifdef __linux__

static struct mmsghdr sent[DATAGRAMS], got[DATAGRAMS];

/* A pair of UDP sockets, and so many datagrams, of bytes that tell each from the others. */
static int datagram_pair(int number) {
    for (int i = 0; i < number; i++) memset(big + i * DATAGRAM, i, DATAGRAM);
    memset(other, -1, sizeof other);
    return udp_pair(AF_INET);
}

static int message_pair(void) {
    static struct sockaddr_storage senders[DATAGRAMS];
    static struct iovec parts[DATAGRAMS], spaces[DATAGRAMS];
    if (!datagram_pair(DATAGRAMS)) return 0;
    for (int i = 0; i < DATAGRAMS; i++) {
        parts[i] = (struct iovec){big + i * DATAGRAM, DATAGRAM};
        spaces[i] = (struct iovec){other + i * DATAGRAM, DATAGRAM};
        sent[i].msg_hdr =
            (struct msghdr){.msg_name = &address, .msg_namelen = length, .msg_iov = &parts[i], .msg_iovlen = 1};
        got[i].msg_hdr = (struct msghdr){.msg_name = &senders[i], .msg_iov = &spaces[i], .msg_iovlen = 1};
    }
    return 1;
}

static int messages(void) {
    if (sendmmsg(fds[0], sent, DATAGRAMS, 0) != DATAGRAMS) return 0;
    for (int i = 0; i < DATAGRAMS; i++) got[i].msg_hdr.msg_namelen = sizeof address;
    return recvmmsg(fds[1], got, DATAGRAMS, MSG_WAITFORONE, NULL) == DATAGRAMS;
}

SCENARIO(mmsg, ALL, message_pair(), NOTHING, messages(),
         memcmp(big, other, DATAGRAMS * DATAGRAM) == 0 && empty(fds[1]))

#if defined(UDP_SEGMENT) && defined(UDP_GRO)

static int segment_pair(void) {
    int size = DATAGRAM, one = 1;
    return datagram_pair(SEGMENTS) && setsockopt(fds[0], IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) == 0 &&
           setsockopt(fds[1], IPPROTO_UDP, UDP_GRO, &one, sizeof one) == 0;
}

static int segments(void) {
    ssize_t size = SEGMENTS * DATAGRAM;
    if (sendto(fds[0], big, size, 0, (struct sockaddr *)&address, length) != size) return 0;
    for (ssize_t had = 0; had < size;) {
        struct iovec iov = {other + had, BLOCK};
        struct msghdr m = {.msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &iov, .msg_iovlen = 1,
                           .msg_control = &in, .msg_controllen = sizeof in};
        ssize_t n = recvmsg(fds[1], &m, 0);
        if (n <= 0) return 0;
        had += n;
    }
    return 1;
}

SCENARIO(segments, ALL, segment_pair(), NOTHING, segments(),
         memcmp(big, other, SEGMENTS * DATAGRAM) == 0 && empty(fds[1]))

#endif

#endif
