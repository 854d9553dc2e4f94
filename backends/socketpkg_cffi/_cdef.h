/* What Python sees of _source.c and the system's headers. The compiler fills in and checks whatever is left open with
 * "...": sizes, offsets, widths. A function whose name begins with sp_ or held_ and that can fail returns -errno. One
 * that begins with held_ keeps the GIL. */

typedef int... socklen_t;
typedef int... sp_msg_iovlen_t;
typedef int... sp_msg_controllen_t;
typedef int... sp_cmsg_len_t;
typedef int... sp_msg_len_t;

struct sockaddr {
    ...;
};

struct addrinfo {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    socklen_t ai_addrlen;
    struct sockaddr *ai_addr;
    char *ai_canonname;
    struct addrinfo *ai_next;
    ...;
};

struct iovec {
    void *iov_base;
    size_t iov_len;
    ...;
};

struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    sp_msg_iovlen_t msg_iovlen;
    void *msg_control;
    sp_msg_controllen_t msg_controllen;
    int msg_flags;
    ...;
};

struct mmsghdr {
    struct msghdr msg_hdr;
    sp_msg_len_t msg_len;
    ...;
};

struct cmsghdr {
    sp_cmsg_len_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
    ...;
};

struct hostent {
    char *h_name;
    char **h_aliases;
    int h_addrtype;
    int h_length;
    char **h_addr_list;
    ...;
};

struct if_nameindex {
    unsigned int if_index;
    char *if_name;
    ...;
};

struct ifaddrs {
    struct ifaddrs *ifa_next;
    char *ifa_name;
    unsigned int ifa_flags;
    struct sockaddr *ifa_addr;
    struct sockaddr *ifa_netmask;
    ...;
};

#define SP_HAVE_GETHOSTBYNAME2_R ...
#define SP_HAVE_GETHOSTBYADDR_R ...
#define SP_BUFFER_TOO_SMALL ...
#define SP_NAME_SIZE ...
#define SP_MSG_WAITFORONE ...
#define SP_HAVE_MMSG ...
#define SP_HAVE_SA_LEN ...
#define SP_KEEPS_GIL ...
#define SP_NONBLOCKING_FLAGS ...
#define SP_SENDS_HEED_DONTWAIT ...
#define MSG_DONTWAIT ...
#define MSG_TRUNC ...
#define SOL_SOCKET ...
#define SO_ERROR ...
#define SCM_RIGHTS ...
#define AF_INET6 ...
#define EAI_SYSTEM ...

size_t sp_constants(int *count, long long *values, char *names);
const char *sp_compiler(void);
const char *sp_libc(void);

/* Calls that never block. Those that _source.c marks as SP_GIL_HELD are added to them. */
int held_socket(int family, int type, int proto);
int held_socketpair(int family, int type, int proto, int *pair);
#define SP_FAILURES ...
long long held_getsockopt_int(int fd, int level, int option);

long long held_now(void);
void held_keep_gil_for(long long budget);
int held_add_head_functions(const char *module);
int held_gil_waiting(void);

/* Calls that do not block here, for they are given MSG_DONTWAIT. */
ssize_t held_recv(int fd, void *buffer, size_t size, int flags);
long long held_recvfrom(int fd, void *buffer, size_t size, int flags, void *name);
ssize_t held_recvmsg(int fd, void *data, size_t size, int flags, void *name, void *control, size_t control_size,
                      int *results);
ssize_t held_recvmsg_of(int fd, void *vectors, size_t count, int flags, void *name, void *control, size_t control_size,
                         int *results);
ssize_t held_send(int fd, const void *data, size_t size, int flags);
ssize_t held_sendto(int fd, const void *data, size_t size, int flags, const void *address, socklen_t length);
ssize_t held_sendmsg(int fd, const void *data, size_t size, int flags, const void *name, socklen_t name_size,
                      const void *control, size_t control_size);
ssize_t held_sendmsg_of(int fd, void *vectors, size_t count, int flags, const void *name, socklen_t name_size,
                         const void *control, size_t control_size);
int held_receive_many(int fd, void *messages, unsigned int count, int flags);
int held_send_many(int fd, void *messages, unsigned int count, int flags);

/* Receives in blocking mode: the first try holds the GIL, and the wait releases it. */
ssize_t held_recv_waiting(int fd, void *buffer, size_t size);
long long held_recvfrom_waiting(int fd, void *buffer, size_t size, void *name);

/* The same, where they may block, and those that no flag keeps from it. */
int sp_poll(int fd, int events, int milliseconds);
int sp_accept(int fd, void *name, int *length);
int sp_accept_many(int fd, int count, int *fds, void *names, socklen_t *sizes);
int sp_connect(int fd, const void *address, socklen_t length);
ssize_t sp_recv(int fd, void *buffer, size_t size, int flags);
long long sp_recvfrom(int fd, void *buffer, size_t size, int flags, void *name);
ssize_t sp_recvmsg(int fd, void *data, size_t size, int flags, void *name, void *control, size_t control_size,
                   int *results);
ssize_t sp_recvmsg_of(int fd, void *vectors, size_t count, int flags, void *name, void *control, size_t control_size,
                      int *results);
ssize_t sp_send(int fd, const void *data, size_t size, int flags);
ssize_t sp_sendto(int fd, const void *data, size_t size, int flags, const void *address, socklen_t length);
ssize_t sp_sendmsg(int fd, const void *data, size_t size, int flags, const void *name, socklen_t name_size,
                   const void *control, size_t control_size);
ssize_t sp_sendmsg_of(int fd, void *vectors, size_t count, int flags, const void *name, socklen_t name_size,
                      const void *control, size_t control_size);
int sp_receive_many(int fd, void *messages, unsigned int count, int flags);
int sp_send_many(int fd, void *messages, unsigned int count, int flags);

size_t sp_cmsg_len(size_t length);
size_t sp_cmsg_space(size_t length);

int sp_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **results,
                   int *error);
void freeaddrinfo(struct addrinfo *results);
const char *gai_strerror(int code);
int sp_getnameinfo(const void *address, socklen_t length, char *host, socklen_t host_size, char *service,
                   socklen_t service_size, int flags, int *error);
int sp_gethostbyname(const char *name, int family, struct hostent *entry, char *buffer, size_t size);
int sp_gethostbyaddr(const void *packed, socklen_t length, int family, struct hostent *entry, char *buffer,
                     size_t size);
const char *hstrerror(int code);
int sp_getservbyname(const char *name, const char *proto);
int sp_getservbyport(int port, const char *proto, char *name, size_t size);
int sp_getprotobyname(const char *name);
int sp_if_nameindex(struct if_nameindex **list);
void if_freenameindex(struct if_nameindex *list);
int sp_getifaddrs(struct ifaddrs **list);
void freeifaddrs(struct ifaddrs *list);
struct sockaddr *sp_ifa_other(struct ifaddrs *entry);
socklen_t sp_sockaddr_size(const struct sockaddr *address);
int sp_if_nametoindex(const char *name, unsigned int *index);
int sp_if_indextoname(unsigned int index, char *name);
int inet_aton(const char *text, void *packed);
int sp_sethostname(const void *name, size_t length);
