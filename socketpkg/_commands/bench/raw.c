/* The system calls of the benchmark's operations in plain C loops: what no module can be faster than.
 *
 * raw_NAME(loops) does the scenario NAME so many times, on sockets of its own, and returns the nanoseconds that the timed
 * part took: the same part as in operations.py. On failure it returns -1, and raw_error() says what failed. Like there,
 * what was sent is checked to have arrived.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define LARGE (1 << 18)
#define BLOCK (1 << 16)
#define MEBIBYTE (1 << 20)
/* The datagrams of operations.py. */
#define DATAGRAM 1200
#define DATAGRAMS 32
#define SEGMENTS 54

typedef long long i64;

static char message[200];
static char big[MEBIBYTE], other[MEBIBYTE];

const char *raw_error(void) { return message; }

static i64 now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (i64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static i64 failed(const char *what, int line) {
    snprintf(message, sizeof message, "%s at line %d of raw.c: %s", what, line, errno ? strerror(errno) : "wrong result");
    return -1;
}

/* Every call is checked; a failure ends the loop. */
#define MUST(what)                                                                                                      \
    do {                                                                                                                \
        errno = 0;                                                                                                      \
        if (!(what)) {                                                                                                  \
            elapsed = failed(#what, __LINE__);                                                                          \
            goto done;                                                                                                  \
        }                                                                                                               \
    } while (0)
/* The same in a timed part, without touching errno before. */
#define DO(what)                                                                                                        \
    do {                                                                                                                \
        if (__builtin_expect(!(what), 0)) {                                                                             \
            elapsed = failed(#what, __LINE__);                                                                          \
            goto done;                                                                                                  \
        }                                                                                                               \
    } while (0)

static void end(int *fds, int count) {
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0) close(fds[i]);
}

static int empty(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    errno = 0;
    return poll(&p, 1, 0) == 0;
}

/* -- transfer ----------------------------------------------------------------------------------------------------- */

static i64 send_recv(i64 loops, int nonblocking) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    char byte = 0;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | nonblocking, 0, fds) == 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(send(fds[0], "x", 1, 0) == 1);
        DO(recv(fds[1], &byte, 1, 0) == 1);
    }
    elapsed = now() - start;
    MUST(byte == 'x' && empty(fds[1]));
done:
    end(fds, 2);
    return elapsed;
}

i64 raw_send_recv(i64 loops) { return send_recv(loops, 0); }
i64 raw_send_recv_timeout(i64 loops) { return send_recv(loops, SOCK_NONBLOCK); }

i64 raw_send(i64 loops) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    char bytes[BATCH];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    while (loops > 0) {
        int batch = loops < BATCH ? (int)loops : BATCH;
        i64 start = now();
        for (int i = 0; i < batch; i++) DO(send(fds[0], "x", 1, 0) == 1);
        elapsed += now() - start;
        MUST(read(fds[1], bytes, sizeof bytes) == batch && empty(fds[1]));
        loops -= batch;
    }
done:
    end(fds, 2);
    return elapsed;
}

static i64 receive(i64 loops) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    char bytes[BATCH], byte = 0;
    memset(bytes, 'x', sizeof bytes);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    while (loops > 0) {
        int batch = loops < BATCH ? (int)loops : BATCH;
        MUST(write(fds[0], bytes, batch) == batch);
        i64 start = now();
        for (int i = 0; i < batch; i++) DO(recv(fds[1], &byte, 1, 0) == 1);
        elapsed += now() - start;
        MUST(byte == 'x' && empty(fds[1]));
        loops -= batch;
    }
done:
    end(fds, 2);
    return elapsed;
}

i64 raw_recv(i64 loops) { return receive(loops); }
i64 raw_recv_into(i64 loops) { return receive(loops); }

i64 raw_eagain(i64 loops) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    char byte;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) DO(recv(fds[1], &byte, 1, 0) == -1 && errno == EAGAIN);
    elapsed = now() - start;
done:
    end(fds, 2);
    return elapsed;
}

/* Writes so much and times the receiving of it. */
static i64 receive_blocks(i64 loops, ssize_t size, ssize_t space) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    for (int i = 0; i < size; i++) big[i] = (char)i;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    for (i64 i = 0; i < loops; i++) {
        MUST(write(fds[0], big, size) == size);
        i64 start = now();
        ssize_t got = recv(fds[1], other, space, 0);
        elapsed += now() - start;
        MUST(got == size);
    }
    MUST(memcmp(big, other, size) == 0 && empty(fds[1]));
done:
    end(fds, 2);
    return elapsed;
}

i64 raw_recv_large(i64 loops) { return receive_blocks(loops, 16, LARGE); }
i64 raw_recv_large_later(i64 loops) { return receive_blocks(loops, 16, LARGE); }
i64 raw_recv_into_64k(i64 loops) { return receive_blocks(loops, BLOCK, BLOCK); }

/* The reader is a process, as in operations.py. It answers with a byte when it has the first of the blocks, which is not
 * timed since both processes meet their memory for the first time, and with another when it has the others. */
static int reader(int fd, int answer, i64 blocks) {
    i64 turns[2] = {MEBIBYTE, blocks * MEBIBYTE};
    for (int turn = 0; turn < 2; turn++) {
        while (turns[turn] > 0) {
            ssize_t got = read(fd, other, turns[turn] < LARGE ? turns[turn] : LARGE);
            if (got <= 0) return 1;
            turns[turn] -= got;
        }
        if (write(answer, ".", 1) != 1) return 1;
    }
    return 0;
}

static int send_block(int fd) {
    for (size_t sent = 0; sent < MEBIBYTE;) {
        ssize_t n = send(fd, big + sent, MEBIBYTE - sent, MSG_NOSIGNAL);
        if (n <= 0) return 0;
        sent += n;
    }
    return 1;
}

i64 raw_sendall_1m(i64 loops) {
    int fds[4] = {-1, -1, -1, -1};
    i64 elapsed = 0;
    int status = -1;
    pid_t child = -1;
    char byte;
    memset(big, 'x', sizeof big);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    MUST(pipe(fds + 2) == 0);
    MUST((child = fork()) >= 0);
    if (child == 0) {
        close(fds[0]);
        _exit(reader(fds[1], fds[3], loops));
    }
    close(fds[1]), fds[1] = -1;
    close(fds[3]), fds[3] = -1;
    MUST(send_block(fds[0]) && read(fds[2], &byte, 1) == 1);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) DO(send_block(fds[0]));
    DO(read(fds[2], &byte, 1) == 1);
    elapsed = now() - start;
done:
    end(fds, 4);
    if (child > 0 && (waitpid(child, &status, 0) != child || status != 0) && elapsed >= 0)
        elapsed = failed("the reader", __LINE__);
    return elapsed;
}

/* Two bound UDP sockets, and the second one's address. */
static int udp_pair(int family, int fds[2], struct sockaddr_storage *address, socklen_t *length) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    for (int i = 0; i < 2; i++) {
        fds[i] = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fds[i] < 0 || bind(fds[i], any, family == AF_INET ? sizeof v4 : sizeof v6) < 0) return -1;
    }
    *length = sizeof *address;
    return getsockname(fds[1], (struct sockaddr *)address, length);
}

static i64 udp(i64 loops, int family) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    char buffer[1024];
    struct sockaddr_storage to, from;
    socklen_t length, from_length = 0;
    MUST(udp_pair(family, fds, &to, &length) == 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(sendto(fds[0], "0123456789abcdef", 16, 0, (struct sockaddr *)&to, length) == 16);
        from_length = sizeof from;
        DO(recvfrom(fds[1], buffer, sizeof buffer, 0, (struct sockaddr *)&from, &from_length) == 16);
    }
    elapsed = now() - start;
    MUST(memcmp(buffer, "0123456789abcdef", 16) == 0 && empty(fds[1]));
done:
    end(fds, 2);
    return elapsed;
}

i64 raw_udp4(i64 loops) { return udp(loops, AF_INET); }
i64 raw_udp6(i64 loops) { return udp(loops, AF_INET6); }

i64 raw_scm_rights(i64 loops) {
    int fds[3] = {-1, -1, -1};
    i64 elapsed = 0;
    char byte = 'x';
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } out, in;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    MUST((fds[2] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
    memset(&out, 0, sizeof out);
    out.align.cmsg_level = SOL_SOCKET;
    out.align.cmsg_type = SCM_RIGHTS;
    out.align.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&out.align), &fds[2], sizeof(int));
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        int got;
        struct msghdr s = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &out, .msg_controllen = sizeof out};
        struct msghdr r = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &in, .msg_controllen = sizeof in};
        DO(sendmsg(fds[0], &s, 0) == 1);
        DO(recvmsg(fds[1], &r, MSG_CMSG_CLOEXEC) == 1);
        DO(r.msg_controllen >= CMSG_LEN(sizeof(int)) && in.align.cmsg_type == SCM_RIGHTS);
        memcpy(&got, CMSG_DATA(&in.align), sizeof got);
        DO(close(got) == 0);
    }
    elapsed = now() - start;
    MUST(empty(fds[1]));
done:
    end(fds, 3);
    return elapsed;
}

/* -- sockets and connections -------------------------------------------------------------------------------------- */

i64 raw_socket_close(i64 loops) {
    i64 elapsed = 0;
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        DO(fd >= 0);
        DO(close(fd) == 0);
    }
    elapsed = now() - start;
done:
    return elapsed;
}

/* A listener whose connections end by a reset, as in operations.py. */
static int listener(struct sockaddr_in *address) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)address, length) < 0 || listen(fd, 2 * BATCH) < 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0 ||
                    getsockname(fd, (struct sockaddr *)address, &length) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int connected(const struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

i64 raw_tcp(i64 loops) {
    int fds[1] = {-1};
    i64 elapsed = 0;
    struct sockaddr_in address, peer;
    MUST((fds[0] = listener(&address)) >= 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        socklen_t length = sizeof peer;
        int client = connected(&address);
        DO(client >= 0);
        int server = accept4(fds[0], (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
        DO(server >= 0);
        DO(close(server) == 0);
        DO(close(client) == 0);
    }
    elapsed = now() - start;
done:
    end(fds, 1);
    return elapsed;
}

i64 raw_create_connection(i64 loops) {
    int fds[1] = {-1};
    i64 elapsed = 0;
    struct sockaddr_in address;
    MUST((fds[0] = listener(&address)) >= 0);
    while (loops > 0) {
        int batch = loops < BATCH ? (int)loops : BATCH;
        i64 start = now();
        for (int i = 0; i < batch; i++) {
            int client = connected(&address);
            DO(client >= 0);
            DO(close(client) == 0);
        }
        elapsed += now() - start;
        for (int i = 0; i < batch; i++) {
            int server = accept(fds[0], NULL, NULL);
            MUST(server >= 0);
            close(server);
        }
        loops -= batch;
    }
    MUST(empty(fds[0]));
done:
    end(fds, 1);
    return elapsed;
}

/* A TCP connection: listener, client, server. */
static int connection(int fds[3]) {
    struct sockaddr_in address;
    fds[1] = fds[2] = -1;
    if ((fds[0] = listener(&address)) < 0 || (fds[1] = connected(&address)) < 0) return -1;
    return fds[2] = accept(fds[0], NULL, NULL);
}

static i64 name(i64 loops, int (*get)(int, struct sockaddr *, socklen_t *)) {
    int fds[3] = {-1, -1, -1};
    i64 elapsed = 0;
    struct sockaddr_in address;
    MUST(connection(fds) >= 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        socklen_t length = sizeof address;
        DO(get(fds[1], (struct sockaddr *)&address, &length) == 0);
    }
    elapsed = now() - start;
done:
    end(fds, 3);
    return elapsed;
}

/* glibc declares their address as a transparent union: these two have the plain type. */
static int own_name(int fd, struct sockaddr *address, socklen_t *length) { return getsockname(fd, address, length); }
static int peer_name(int fd, struct sockaddr *address, socklen_t *length) { return getpeername(fd, address, length); }

i64 raw_getsockname(i64 loops) { return name(loops, own_name); }
i64 raw_getpeername(i64 loops) { return name(loops, peer_name); }

i64 raw_getsockopt(i64 loops) {
    int fds[1] = {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    i64 elapsed = 0;
    int value = 0;
    MUST(fds[0] >= 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        socklen_t length = sizeof value;
        DO(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &length) == 0);
    }
    elapsed = now() - start;
    MUST(value == SOCK_STREAM);
done:
    end(fds, 1);
    return elapsed;
}

i64 raw_setsockopt(i64 loops) {
    int fds[1] = {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    i64 elapsed = 0;
    int one = 1;
    MUST(fds[0] >= 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) DO(setsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) == 0);
    elapsed = now() - start;
done:
    end(fds, 1);
    return elapsed;
}

/* -- functions: the C library's ----------------------------------------------------------------------------------- */

i64 raw_getaddrinfo(i64 loops) {
    i64 elapsed = 0;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *result;
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(getaddrinfo("127.0.0.1", "80", &hints, &result) == 0);
        freeaddrinfo(result);
    }
    elapsed = now() - start;
done:
    return elapsed;
}

i64 raw_inet_pton(i64 loops) {
    i64 elapsed = 0;
    struct in_addr address;
    i64 start = now();
    for (i64 i = 0; i < loops; i++) DO(inet_pton(AF_INET, "192.0.2.33", &address) == 1);
    elapsed = now() - start;
    MUST(ntohl(address.s_addr) == 0xc0000221);
done:
    return elapsed;
}

i64 raw_inet_ntop(i64 loops) {
    i64 elapsed = 0;
    struct in_addr address = {.s_addr = htonl(0xc0000221)};
    char text[INET_ADDRSTRLEN] = "";
    i64 start = now();
    for (i64 i = 0; i < loops; i++) DO(inet_ntop(AF_INET, &address, text, sizeof text) != NULL);
    elapsed = now() - start;
    MUST(strcmp(text, "192.0.2.33") == 0);
done:
    return elapsed;
}

/* -- lines -------------------------------------------------------------------------------------------------------- */

static int say(int fd, const char *line) {
    ssize_t length = (ssize_t)strlen(line);
    return send(fd, line, length, 0) == length;
}

static int hear(int fd, const char *line) {
    char buffer[8192];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    return got == (ssize_t)strlen(line) && memcmp(buffer, line, got) == 0;
}

i64 raw_readline(i64 loops) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(say(fds[0], "GET / HTTP/1.1\r\n"));
        DO(hear(fds[1], "GET / HTTP/1.1\r\n"));
    }
    elapsed = now() - start;
    MUST(empty(fds[1]));
done:
    end(fds, 2);
    return elapsed;
}

i64 raw_ping_pong(i64 loops) {
    int fds[3] = {-1, -1, -1};
    i64 elapsed = 0;
    int one = 1;
    MUST(connection(fds) >= 0);
    for (int i = 1; i < 3; i++) MUST(setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(say(fds[1], "GET / HTTP/1.1\r\n"));
        DO(hear(fds[2], "GET / HTTP/1.1\r\n"));
        DO(say(fds[2], "HTTP/1.1 200 OK\r\n"));
        DO(hear(fds[1], "HTTP/1.1 200 OK\r\n"));
    }
    elapsed = now() - start;
done:
    end(fds, 3);
    return elapsed;
}

/* -- many datagrams: operations.py -------------------------------------------------------------------------------------- */

#ifdef __linux__

i64 raw_mmsg(i64 loops) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    struct sockaddr_storage to, from[DATAGRAMS];
    socklen_t length;
    struct mmsghdr out[DATAGRAMS], in[DATAGRAMS];
    struct iovec parts[DATAGRAMS], spaces[DATAGRAMS];
    MUST(udp_pair(AF_INET, fds, &to, &length) == 0);
    memset(out, 0, sizeof out);
    memset(in, 0, sizeof in);
    memset(other, 0, sizeof other);
    for (int i = 0; i < DATAGRAMS; i++) {
        memset(big + i * DATAGRAM, i, DATAGRAM);
        parts[i] = (struct iovec){big + i * DATAGRAM, DATAGRAM};
        spaces[i] = (struct iovec){other + i * DATAGRAM, DATAGRAM};
        out[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = length, .msg_iov = &parts[i], .msg_iovlen = 1};
        in[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_iov = &spaces[i], .msg_iovlen = 1};
    }
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(sendmmsg(fds[0], out, DATAGRAMS, 0) == DATAGRAMS);
        for (int j = 0; j < DATAGRAMS; j++) in[j].msg_hdr.msg_namelen = sizeof from[j];
        DO(recvmmsg(fds[1], in, DATAGRAMS, MSG_WAITFORONE, NULL) == DATAGRAMS);
    }
    elapsed = now() - start;
    MUST(memcmp(big, other, DATAGRAMS * DATAGRAM) == 0 && empty(fds[1]));
done:
    end(fds, 2);
    return elapsed;
}

#if defined(UDP_SEGMENT) && defined(UDP_GRO)
i64 raw_segments(i64 loops) {
    int fds[2] = {-1, -1};
    i64 elapsed = 0;
    int size = DATAGRAM, one = 1;
    struct sockaddr_storage to, from;
    socklen_t length;
    MUST(udp_pair(AF_INET, fds, &to, &length) == 0);
    MUST(setsockopt(fds[0], IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) == 0);
    MUST(setsockopt(fds[1], IPPROTO_UDP, UDP_GRO, &one, sizeof one) == 0);
    for (int i = 0; i < SEGMENTS; i++) memset(big + i * DATAGRAM, i, DATAGRAM);
    memset(other, 0, sizeof other);
    i64 start = now();
    for (i64 i = 0; i < loops; i++) {
        DO(sendto(fds[0], big, SEGMENTS * DATAGRAM, 0, (struct sockaddr *)&to, length) == SEGMENTS * DATAGRAM);
        for (ssize_t got = 0; got < SEGMENTS * DATAGRAM;) {
            union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
            } control;
            struct iovec iov = {other + got, BLOCK};
            struct msghdr in = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1,
                                .msg_control = &control, .msg_controllen = sizeof control};
            ssize_t n = recvmsg(fds[1], &in, 0);
            DO(n > 0);
            got += n;
        }
    }
    elapsed = now() - start;
    MUST(memcmp(big, other, SEGMENTS * DATAGRAM) == 0 && empty(fds[1]));
done:
    end(fds, 2);
    return elapsed;
}
#endif

#endif
