/* The system calls of the benchmark's operations in plain C loops: what no module can be faster than.
 *
 * raw_NAME(loops) does the scenario NAME so many times, on sockets of its own, and returns the nanoseconds that the
 * timed part took: the same part as in operations.py. On failure it returns -1, and raw_error() says what failed. Like
 * there, what was sent is checked to have arrived. Another file with more scenarios includes this one.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define LARGE (1 << 18)
#define BLOCK (1 << 16)
#define MEBIBYTE (1 << 20)
/* One batch of all turns. */
#define ALL (1LL << 62)

typedef long long i64;

static char message[500];
/* What is sent, and what was received. */
static char big[MEBIBYTE], other[MEBIBYTE];
/* The scenario that runs: its descriptors, the process that it has started, the address that it sends to or has asked
 * for, the sender's, and a number that it has asked for. */
static int fds[4] = {-1, -1, -1, -1};
static pid_t child = -1;
static struct sockaddr_storage address, sender;
static socklen_t length, sender_length;
static int value;

const char *raw_error(void) { return message; }

static i64 now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (i64)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Ends the scenario; -1. */
static i64 failed(const char *what) {
    snprintf(message, sizeof message, "%s: %s", what, errno ? strerror(errno) : "wrong result");
    return -1;
}

/* Waits for the process that the scenario has started; whether that has done what it should. */
static int child_succeeded(void) {
    int status = -1;
    pid_t ended = waitpid(child, &status, 0);
    int right = ended == child && status == 0;
    child = -1;
    return right;
}

static void end(void) {
    for (int i = 0; i < 4; i++) {
        if (fds[i] >= 0) close(fds[i]);
        fds[i] = -1;
    }
    if (child > 0) child_succeeded();
}

/* Goes to "done" with the reason unless `what` is true. In a timed part errno is left alone before. */
#define MUST(what)                                                                                                     \
    do {                                                                                                               \
        if (__builtin_expect(!(what), 0)) {                                                                            \
            elapsed = failed(#what);                                                                                   \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

/* Defines raw_NAME: `prepare`, and then batches of `most` turns or fewer. `turn` is timed; `before` and `after` come
 * around each batch of `count` turns and are not. All are expressions that are false when they have failed. In `after`,
 * `loops` is the number of turns that are left. */
#define SCENARIO(name, most, prepare, before, turn, after)                                                             \
    i64 raw_##name(i64 loops) {                                                                                        \
        i64 elapsed = 0;                                                                                               \
        errno = 0;                                                                                                     \
        MUST(prepare);                                                                                                 \
        while (loops > 0) {                                                                                            \
            i64 count = loops < (most) ? loops : (most);                                                               \
            MUST(before);                                                                                              \
            errno = 0;                                                                                                 \
            i64 start = now();                                                                                         \
            for (i64 i = 0; i < count; i++) MUST(turn);                                                                \
            elapsed += now() - start;                                                                                  \
            loops -= count;                                                                                            \
            errno = 0;                                                                                                 \
            MUST(after);                                                                                               \
        }                                                                                                              \
    done:                                                                                                              \
        end();                                                                                                         \
        return elapsed;                                                                                                \
    }
#define NOTHING 1

static int empty(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

static int shut(int fd) { return fd >= 0 && close(fd) == 0; }

/* -- transfer ----------------------------------------------------------------------------------------------------- */

static int pair(int flags) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, fds) == 0; }

static int filled_pair(void) {
    for (int i = 0; i < 2 * BLOCK; i++) big[i] = (char)i;
    return pair(0);
}

/* Writes so much of `big`, and has other bytes at both ends of what is to be received. */
static int put(i64 size) {
    other[0] = ~big[0];
    other[size - 1] = ~big[size - 1];
    return write(fds[0], big, size) == size;
}

/* Whether both ends have been received, and after the last turn everything: reading all of it each time would bring it
 * into the cache. */
static int received(i64 size, i64 left) {
    return other[0] == big[0] && other[size - 1] == big[size - 1] && (left || memcmp(big, other, size) == 0) &&
           empty(fds[1]);
}

#define SEND_RECV send(fds[0], "x", 1, 0) == 1 && recv(fds[1], other, 1, 0) == 1
SCENARIO(send_recv, ALL, pair(0), NOTHING, SEND_RECV, other[0] == 'x' && empty(fds[1]))
SCENARIO(send_recv_timeout, ALL, pair(SOCK_NONBLOCK), NOTHING, SEND_RECV, other[0] == 'x' && empty(fds[1]))
SCENARIO(send, BATCH, pair(0), NOTHING, send(fds[0], "x", 1, 0) == 1,
         read(fds[1], other, BATCH) == count && empty(fds[1]))
SCENARIO(recv, BATCH, filled_pair(), put(count), recv(fds[1], other, 1, 0) == 1,
         other[0] == big[count - 1] && empty(fds[1]))
SCENARIO(recv_into, BATCH, filled_pair(), put(count), recv(fds[1], other, 1, 0) == 1,
         other[0] == big[count - 1] && empty(fds[1]))
SCENARIO(eagain, ALL, pair(SOCK_NONBLOCK), NOTHING, recv(fds[1], other, 1, 0) == -1 && errno == EAGAIN, NOTHING)
SCENARIO(recv_large, 1, filled_pair(), put(16), recv(fds[1], other, LARGE, 0) == 16, received(16, loops))
SCENARIO(recv_large_later, 1, filled_pair(), put(16), recv(fds[1], other, LARGE, 0) == 16, received(16, loops))
SCENARIO(recv_into_64k, 1, filled_pair(), put(BLOCK), recv(fds[1], other, BLOCK, 0) == BLOCK, received(BLOCK, loops))

#define RECV_FULL(name, size, batch)                                                                                   \
    SCENARIO(name, batch, filled_pair(), put(count * size), recv(fds[1], other, size, 0) == size,                      \
             memcmp(big, other, size) == 0 && empty(fds[1]))
RECV_FULL(recv_4k, 4096, 32)
RECV_FULL(recv_16k, 16384, 8)
RECV_FULL(recv_64k, 65536, 2)

/* The reader is a process, as in operations.py. It answers with a byte when it has the first of the blocks, which is
 * not timed since both processes meet their memory for the first time, and with another when it has the others. */
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

static int send_block(void) {
    for (size_t sent = 0; sent < MEBIBYTE;) {
        ssize_t n = send(fds[0], big + sent, MEBIBYTE - sent, MSG_NOSIGNAL);
        if (n <= 0) return 0;
        sent += n;
    }
    return 1;
}

static int start_reader(i64 blocks) {
    if (!pair(0) || pipe(fds + 2) < 0 || (child = fork()) < 0) return 0;
    if (child == 0) {
        close(fds[0]);
        _exit(reader(fds[1], fds[3], blocks));
    }
    int given = shut(fds[1]) && shut(fds[3]);
    fds[1] = fds[3] = -1;
    return given && send_block() && read(fds[2], other, 1) == 1;
}

SCENARIO(sendall_1m, ALL, start_reader(loops), NOTHING,
         send_block() && (i + 1 < count || read(fds[2], other, 1) == 1), child_succeeded())

/* Two bound UDP sockets, and the second one's address. */
static int udp_pair(int family) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    for (int i = 0; i < 2; i++) {
        fds[i] = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fds[i] < 0 || bind(fds[i], any, family == AF_INET ? sizeof v4 : sizeof v6) < 0) return 0;
    }
    length = sizeof address;
    return getsockname(fds[1], (struct sockaddr *)&address, &length) == 0;
}

static int datagram(void) {
    if (sendto(fds[0], "0123456789abcdef", 16, 0, (struct sockaddr *)&address, length) != 16) return 0;
    sender_length = sizeof sender;
    return recvfrom(fds[1], other, 1024, 0, (struct sockaddr *)&sender, &sender_length) == 16;
}

SCENARIO(udp4, ALL, udp_pair(AF_INET), NOTHING, datagram(), !memcmp(other, "0123456789abcdef", 16) && empty(fds[1]))
SCENARIO(udp6, ALL, udp_pair(AF_INET6), NOTHING, datagram(), !memcmp(other, "0123456789abcdef", 16) && empty(fds[1]))

/* A message of as many buffers of 16 bytes as a system call takes, in what is sent and in what is received. */
#define PART 16
#define PARTS 1024
static struct iovec sent_parts[PARTS], received_parts[PARTS];

static int parts_pair(void) {
    for (int i = 0; i < PARTS; i++) {
        sent_parts[i] = (struct iovec){.iov_base = big + i * PART, .iov_len = PART};
        received_parts[i] = (struct iovec){.iov_base = other + i * PART, .iov_len = PART};
    }
    return filled_pair();
}

static int send_parts(int number) {
    struct msghdr m = {.msg_iov = sent_parts, .msg_iovlen = number};
    return sendmsg(fds[0], &m, 0) == number * PART;
}

static int receive_parts(int number) {
    struct msghdr m = {.msg_iov = received_parts, .msg_iovlen = number};
    return recvmsg(fds[1], &m, 0) == number * PART;
}

#define SENDMSG(name, number, batch)                                                                                   \
    SCENARIO(name, batch, parts_pair(), NOTHING, send_parts(number),                                                   \
             read(fds[1], other, number *PART *batch) == number * PART * count && empty(fds[1]) &&                     \
                 memcmp(big, other, number *PART) == 0)
SENDMSG(sendmsg_1, 1, 64)
SENDMSG(sendmsg_64, 64, 64)
SENDMSG(sendmsg_1024, 1024, 8)
#define RECVMSG_INTO(name, number, batch)                                                                              \
    SCENARIO(name, batch, parts_pair(), put(number *PART *count), receive_parts(number),                               \
             empty(fds[1]) && memcmp(big + (count - 1) * number * PART, other, number *PART) == 0)
RECVMSG_INTO(recvmsg_into_1, 1, 64)
RECVMSG_INTO(recvmsg_into_64, 64, 64)
RECVMSG_INTO(recvmsg_into_1024, 1024, 8)

static union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
} out, in;

/* A socketpair, and the message that hands a descriptor over. */
static int rights_pair(void) {
    if (!pair(0) || (fds[2] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) return 0;
    out.align.cmsg_level = SOL_SOCKET;
    out.align.cmsg_type = SCM_RIGHTS;
    out.align.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&out.align), &fds[2], sizeof(int));
    return 1;
}

static int pass_descriptor(void) {
    int got;
    struct iovec iov = {.iov_base = other, .iov_len = 1};
    struct msghdr s = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &out, .msg_controllen = sizeof out};
    struct msghdr r = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &in, .msg_controllen = sizeof in};
    if (sendmsg(fds[0], &s, 0) != 1 || recvmsg(fds[1], &r, MSG_CMSG_CLOEXEC) != 1) return 0;
    if (r.msg_controllen < CMSG_LEN(sizeof(int)) || in.align.cmsg_type != SCM_RIGHTS) return 0;
    memcpy(&got, CMSG_DATA(&in.align), sizeof got);
    return shut(got);
}

SCENARIO(scm_rights, ALL, rights_pair(), NOTHING, pass_descriptor(), empty(fds[1]))
SCENARIO(send_fds, ALL, rights_pair(), NOTHING, pass_descriptor(), empty(fds[1]))

/* -- sockets and connections -------------------------------------------------------------------------------------- */

static int tcp_socket(void) { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

SCENARIO(socket_close, ALL, NOTHING, NOTHING, shut(tcp_socket()), NOTHING)
SCENARIO(with_socket, ALL, NOTHING, NOTHING, shut(tcp_socket()), NOTHING)

static int shut_pair(void) { return shut(fds[0]) & shut(fds[1]); }

SCENARIO(socketpair, ALL, NOTHING, NOTHING, pair(0) && shut_pair(), (fds[0] = fds[1] = -1))
SCENARIO(dup, ALL, (fds[0] = tcp_socket()) >= 0, NOTHING, shut(fcntl(fds[0], F_DUPFD_CLOEXEC, 0)), NOTHING)

/* A listener whose connections end by a reset, as in operations.py, and its address. */
static int listener(void) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    length = sizeof address;
    fds[0] = tcp_socket();
    return fds[0] >= 0 && bind(fds[0], (struct sockaddr *)&any, sizeof any) == 0 && listen(fds[0], 2 * BATCH) == 0 &&
           setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 &&
           getsockname(fds[0], (struct sockaddr *)&address, &length) == 0;
}

static int connected(void) {
    int fd = tcp_socket();
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int connect_and_accept(void) {
    int client = connected();
    sender_length = sizeof sender;
    return shut(accept4(fds[0], (struct sockaddr *)&sender, &sender_length, SOCK_CLOEXEC)) & shut(client);
}

static int accept_all(i64 count) {
    while (count-- > 0)
        if (!shut(accept(fds[0], NULL, NULL))) return 0;
    return empty(fds[0]);
}

SCENARIO(tcp, ALL, listener(), NOTHING, connect_and_accept(), empty(fds[0]))
SCENARIO(create_connection, BATCH, listener(), NOTHING, shut(connected()), accept_all(count))

/* A TCP connection: listener, client, server. */
static int connection(void) {
    return listener() && (fds[1] = connected()) >= 0 && (fds[2] = accept(fds[0], NULL, NULL)) >= 0;
}

/* A socket whose keepalive is off. */
static int option_socket(void) { return (value = 0, length = sizeof value, fds[0] = tcp_socket()) >= 0; }

#define NAME(get) (length = sizeof address, get(fds[1], (struct sockaddr *)&address, &length)) == 0
SCENARIO(getsockname, ALL, connection(), NOTHING, NAME(getsockname), length == sizeof(struct sockaddr_in))
SCENARIO(getpeername, ALL, connection(), NOTHING, NAME(getpeername), length == sizeof(struct sockaddr_in))
SCENARIO(getsockopt, ALL, option_socket(), NOTHING,
         (length = sizeof value, getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &length)) == 0, value == SOCK_STREAM)
SCENARIO(setsockopt, ALL, option_socket(), (value = 1),
         setsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value) == 0,
         getsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &value, &length) == 0 && value)

static int told_nonblocking(void) {
    int one = 1;
    return ioctl(fds[0], FIONBIO, &one) == 0;
}

SCENARIO(settimeout, ALL, option_socket(), NOTHING, told_nonblocking(), NOTHING)
SCENARIO(settimeout_float, ALL, option_socket(), NOTHING, told_nonblocking(), NOTHING)

/* -- functions: the C library's ----------------------------------------------------------------------------------- */

static int resolve(void) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *result;
    if (getaddrinfo("127.0.0.1", "80", &hints, &result) != 0) return 0;
    freeaddrinfo(result);
    return 1;
}

SCENARIO(getaddrinfo, ALL, NOTHING, NOTHING, resolve(), NOTHING)

static int name_of_number(void) {
    char host[NI_MAXHOST], service[NI_MAXSERV];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(80)};
    return getnameinfo((struct sockaddr *)&v4, sizeof v4, host, sizeof host, service, sizeof service,
                       NI_NUMERICHOST | NI_NUMERICSERV) == 0 &&
           !strcmp(host, "127.0.0.1") && !strcmp(service, "80");
}

SCENARIO(getnameinfo, ALL, NOTHING, NOTHING, name_of_number(), NOTHING)

static struct in_addr documentation;
#define NUMERIC "192.0.2.33"
SCENARIO(inet_pton, ALL, NOTHING, NOTHING, inet_pton(AF_INET, NUMERIC, &documentation) == 1,
         ntohl(documentation.s_addr) == 0xc0000221)
SCENARIO(inet_ntop, ALL, (documentation.s_addr = htonl(0xc0000221)), NOTHING,
         inet_ntop(AF_INET, &documentation, other, INET_ADDRSTRLEN), strcmp(other, NUMERIC) == 0)

/* -- lines -------------------------------------------------------------------------------------------------------- */

static int say(int fd, const char *line) {
    ssize_t size = (ssize_t)strlen(line);
    return send(fd, line, size, 0) == size;
}

static int hear(int fd, const char *line) {
    ssize_t got = recv(fd, other, 8192, 0);
    return got == (ssize_t)strlen(line) && memcmp(other, line, got) == 0;
}

static int prompt_connection(void) {
    int one = 1;
    return connection() && setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
           setsockopt(fds[2], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
}

#define REQUEST "GET / HTTP/1.1\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\n"
SCENARIO(readline, ALL, pair(0), NOTHING, say(fds[0], REQUEST) && hear(fds[1], REQUEST), empty(fds[1]))
SCENARIO(ping_pong, ALL, prompt_connection(), NOTHING,
         say(fds[1], REQUEST) && hear(fds[2], REQUEST) && say(fds[2], ANSWER) && hear(fds[1], ANSWER),
         empty(fds[1]) && empty(fds[2]))
