/* The platform as the C code of socketpkg sees it: one include for every system header, and facts about them.
 *
 * Both compiled backends include this file before anything else of the system. It
 *
 *  - asks for the platform's whole API (_GNU_SOURCE and its like),
 *  - includes what the platform has of the socket headers, each one only where it exists,
 *  - defines SP_HAVE_x as 1 or 0, never leaves it undefined: test with #if, not #ifdef,
 *  - defines what CPython's module has everywhere, with the values that it has there.
 *
 * The constants of the kernel that the headers are too old for are rows of socketpkg_linux.h; they are in the table of
 * socketpkg_constants.h, and are not macros.
 *
 * It compiles on Linux (glibc, musl), macOS, FreeBSD, OpenBSD, NetBSD and DragonFly, as C99 or later.
 */
#ifndef SOCKETPKG_PLATFORM_H
#define SOCKETPKG_PLATFORM_H

#if defined(_WIN32) || defined(_MSC_VER)
#error "socketpkg has no backend for Windows: its sockets are not POSIX ones. Use the standard library's socket."
#endif

/* -- which platform ------------------------------------------------------------------------------------------- */

#if defined(__linux__)
#define SP_LINUX 1
#else
#define SP_LINUX 0
#endif

/* Linux on a machine that numbers its socket options as asm-generic does, which is to say any new one */
#if SP_LINUX && !defined(__alpha__) && !defined(__hppa__) && !defined(__mips__) && !defined(__sparc__)
#define SP_LINUX_GENERIC 1
#else
#define SP_LINUX_GENERIC 0
#endif

#if defined(__APPLE__)
#define SP_APPLE 1
#else
#define SP_APPLE 0
#endif

#if defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || defined(__DragonFly__)
#define SP_BSD 1
#else
#define SP_BSD 0
#endif

/* -- the whole API, please: before the first include ---------------------------------------------------------- */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* accept4, ppoll, gethostbyname2_r, struct in6_pktinfo */
#endif
#if defined(__NetBSD__) && !defined(_NETBSD_SOURCE)
#define _NETBSD_SOURCE 1
#endif
#if SP_APPLE
#ifndef _DARWIN_C_SOURCE
#define _DARWIN_C_SOURCE 1
#endif
#ifndef __APPLE_USE_RFC_3542
#define __APPLE_USE_RFC_3542 1 /* IPV6_PKTINFO and the rest of RFC 3542; the default is the RFC that it replaced */
#endif
#endif

#ifndef __has_include
#error "socketpkg needs a C compiler with __has_include (gcc 5 and clang 3 have it)."
#endif

/* -- system headers ------------------------------------------------------------------------------------------- */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/types.h>
/* The BSDs' network headers expect <sys/types.h> and <sys/socket.h> before them, and <netinet/in.h> before most. */
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <net/if.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <netdb.h>

#if __has_include(<sys/param.h>)
#include <sys/param.h> /* __FreeBSD_version, __NetBSD_Version__, OpenBSD */
#endif
#if __has_include(<netinet/in_systm.h>)
#include <netinet/in_systm.h> /* n_time, which the BSDs' <netinet/ip.h> uses */
#endif
#if __has_include(<netinet/ip.h>)
#include <netinet/ip.h>
#endif
#if __has_include(<net/ethernet.h>)
#include <net/ethernet.h> /* ETHERTYPE_; before <linux/if_ether.h>, which then leaves musl's struct ethhdr alone */
#endif
#if __has_include(<netinet/udp.h>)
#include <netinet/udp.h>
#endif
#if !SP_LINUX && __has_include(<netinet/sctp.h>)
#include <netinet/sctp.h>
#endif
#if __has_include(<sys/ucred.h>) && !SP_LINUX
#include <sys/ucred.h>
#endif
#if __has_include(<sys/sockio.h>)
#include <sys/sockio.h>
#endif
#if SP_APPLE
#if __has_include(<sys/sys_domain.h>)
#include <sys/sys_domain.h>
#endif
#if __has_include(<sys/kern_control.h>)
#include <sys/kern_control.h>
#endif
#if __has_include(<sys/vsock.h>)
#include <sys/vsock.h>
#endif
#endif
#if defined(__FreeBSD__) || defined(__DragonFly__)
#if __has_include(<bluetooth.h>)
#include <bluetooth.h>
#endif
#if __has_include(<netlink/netlink.h>)
#include <netlink/netlink.h>
#endif
#if __has_include(<dev/hyperv/hvsock.h>)
#include <dev/hyperv/hvsock.h>
#endif
#endif
#if defined(__NetBSD__)
#if __has_include(<netbt/hci.h>)
#include <netbt/hci.h>
#endif
#if __has_include(<netbt/l2cap.h>)
#include <netbt/l2cap.h>
#endif
#if __has_include(<netbt/rfcomm.h>)
#include <netbt/rfcomm.h>
#endif
#if __has_include(<netbt/sco.h>)
#include <netbt/sco.h>
#endif
#if __has_include(<netcan/can.h>)
#include <netcan/can.h>
#endif
#endif

#if SP_LINUX
/* The headers of the kernel that get along with the C library's. <linux/in.h>, <linux/in6.h>, <linux/ip.h>,
 * <linux/tcp.h>, <linux/udp.h> and <linux/if.h> declare the C library's structs a second time: not these. */
#if __has_include(<linux/types.h>)
#include <linux/types.h>
#if __has_include(<linux/sockios.h>)
#include <linux/sockios.h>
#endif
#if __has_include(<linux/if_ether.h>)
#include <linux/if_ether.h>
#endif
#if __has_include(<linux/if_packet.h>)
#include <linux/if_packet.h>
#endif
#if __has_include(<linux/netlink.h>)
#include <linux/netlink.h>
#endif
#if __has_include(<linux/errqueue.h>)
#include <linux/errqueue.h>
#endif
#if __has_include(<linux/net_tstamp.h>)
#include <linux/net_tstamp.h>
#endif
#if __has_include(<linux/if_alg.h>)
#include <linux/if_alg.h>
#endif
#if __has_include(<linux/can.h>)
#include <linux/can.h>
#endif
#if __has_include(<linux/can/raw.h>)
#include <linux/can/raw.h>
#endif
#if __has_include(<linux/can/isotp.h>)
#include <linux/can/isotp.h>
#endif
#if __has_include(<linux/can/j1939.h>)
#include <linux/can/j1939.h>
#endif
#if __has_include(<linux/tipc.h>)
#include <linux/tipc.h>
#endif
#if __has_include(<linux/qrtr.h>)
#include <linux/qrtr.h>
#endif
#if __has_include(<linux/vm_sockets.h>)
#include <linux/vm_sockets.h>
#endif
#if __has_include(<linux/if_xdp.h>)
#include <linux/if_xdp.h>
#endif
#if __has_include(<linux/tls.h>)
#include <linux/tls.h>
#endif
#endif
#endif

/* -- facts ---------------------------------------------------------------------------------------------------- */

/* struct sockaddr begins with its own length: 4.4BSD and what came of it */
#if SP_APPLE || SP_BSD
#define SP_HAVE_SA_LEN 1
#else
#define SP_HAVE_SA_LEN 0
#endif

/* socket(2) and socketpair(2) take the flags SOCK_CLOEXEC and SOCK_NONBLOCK */
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
#define SP_HAVE_SOCK_CLOEXEC 1
#else
#define SP_HAVE_SOCK_CLOEXEC 0
#endif

/* accept4(2); every platform but macOS that has the flags has the call */
#if SP_HAVE_SOCK_CLOEXEC && !SP_APPLE
#define SP_HAVE_ACCEPT4 1
#else
#define SP_HAVE_ACCEPT4 0
#endif

/* recvmsg(2) takes MSG_CMSG_CLOEXEC */
#if defined(MSG_CMSG_CLOEXEC)
#define SP_HAVE_MSG_CMSG_CLOEXEC 1
#else
#define SP_HAVE_MSG_CMSG_CLOEXEC 0
#endif

/* send(2) takes MSG_NOSIGNAL */
#if defined(MSG_NOSIGNAL)
#define SP_HAVE_MSG_NOSIGNAL 1
#else
#define SP_HAVE_MSG_NOSIGNAL 0
#endif

/* fcntl(2) takes F_DUPFD_CLOEXEC */
#if defined(F_DUPFD_CLOEXEC)
#define SP_HAVE_F_DUPFD_CLOEXEC 1
#else
#define SP_HAVE_F_DUPFD_CLOEXEC 0
#endif

/* ppoll(2), with a timeout in nanoseconds. NetBSD 10 has it; the one before calls it pollts. */
#if SP_LINUX || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__DragonFly__)
#define SP_HAVE_PPOLL 1
#elif defined(__NetBSD__) && __NetBSD_Version__ >= 1000000000
#define SP_HAVE_PPOLL 1
#else
#define SP_HAVE_PPOLL 0
#endif

/* clock_gettime(CLOCK_MONOTONIC) */
#if defined(CLOCK_MONOTONIC)
#define SP_HAVE_CLOCK_MONOTONIC 1
#else
#define SP_HAVE_CLOCK_MONOTONIC 0
#endif

/* The reentrant resolver functions with six and eight arguments that return int:
 * gethostbyname2_r(name, family, &result, buffer, size, &found, &herrno) and gethostbyaddr_r likewise */
#if SP_LINUX || defined(__FreeBSD__) || defined(__DragonFly__)
#define SP_HAVE_GETHOSTBYNAME2_R 1
#define SP_HAVE_GETHOSTBYADDR_R 1
#else
#define SP_HAVE_GETHOSTBYNAME2_R 0
#define SP_HAVE_GETHOSTBYADDR_R 0
#endif

/* getservbyname_r, getservbyport_r and getprotobyname_r in the form of glibc; musl has the first two only */
#if SP_LINUX || defined(__FreeBSD__) || defined(__DragonFly__)
#define SP_HAVE_GETSERVBYNAME_R 1
#else
#define SP_HAVE_GETSERVBYNAME_R 0
#endif
#if defined(__GLIBC__) || defined(__FreeBSD__) || defined(__DragonFly__)
#define SP_HAVE_GETPROTOBYNAME_R 1
#else
#define SP_HAVE_GETPROTOBYNAME_R 0
#endif

/* recvmmsg(2) and sendmmsg(2) */
#if SP_LINUX || defined(__FreeBSD__) || defined(__NetBSD__)
#define SP_HAVE_MMSG 1
#elif defined(__OpenBSD__) && defined(MSG_WAITFORONE) /* since 7.2 */
#define SP_HAVE_MMSG 1
#else
#define SP_HAVE_MMSG 0
#endif
#if SP_HAVE_MMSG
#define SP_MSG_WAITFORONE MSG_WAITFORONE
#else
/* What socketpkg_fallbacks.h has in their place takes the same. */
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};
#define SP_MSG_WAITFORONE 0
#endif

/* send(2) and its like heed MSG_DONTWAIT on a descriptor in blocking mode. XNU looks at the descriptor's mode alone
 * when it sends (sosendcheck): there no send may keep the GIL. Defined by the compiler's command, it is for tests. */
#ifndef SP_SENDS_HEED_DONTWAIT
#define SP_SENDS_HEED_DONTWAIT (!SP_APPLE)
#endif

/* sethostname(2)'s length is a size_t on Linux, OpenBSD and NetBSD and an int on the others */
#if SP_APPLE || defined(__FreeBSD__) || defined(__DragonFly__)
#define SP_SETHOSTNAME_LEN int
#else
#define SP_SETHOSTNAME_LEN size_t
#endif

/* The C library, for people */
#if defined(__GLIBC__)
#define SP_LIBC "glibc"
#elif SP_LINUX
#define SP_LIBC "musl" /* or another that, like it, has no macro of its own; tested with musl only */
#elif SP_APPLE
#define SP_LIBC "libSystem"
#elif SP_BSD
#define SP_LIBC "BSD libc"
#else
#define SP_LIBC "unknown"
#endif

/* The compiler, for people */
#define SP_TEXT_(x) #x
#define SP_TEXT(x) SP_TEXT_(x)
#if defined(__clang__)
#define SP_COMPILER "clang " SP_TEXT(__clang_major__) "." SP_TEXT(__clang_minor__) "." SP_TEXT(__clang_patchlevel__)
#elif defined(__GNUC__)
#define SP_COMPILER "gcc " __VERSION__
#else
#define SP_COMPILER "unknown"
#endif

/* -- what CPython's module has on every platform, with these values when the headers lack it -------------------- */

#ifndef SOMAXCONN
#define SOMAXCONN 5
#elif defined(__GLIBC__) && SOMAXCONN < 4096
/* glibc before 2.31 has the 128 of old kernels; what was built with one should not differ from the others. */
#undef SOMAXCONN
#define SOMAXCONN 4096
#endif
#ifndef SOL_IP
#define SOL_IP 0
#endif
#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef IPPROTO_IP
#define IPPROTO_IP 0
#endif
#ifndef IPPROTO_ICMP
#define IPPROTO_ICMP 1
#endif
#ifndef IPPROTO_TCP
#define IPPROTO_TCP 6
#endif
#ifndef IPPROTO_UDP
#define IPPROTO_UDP 17
#endif
#ifndef IPPROTO_RAW
#define IPPROTO_RAW 255
#endif
#ifndef IPPORT_RESERVED
#define IPPORT_RESERVED 1024 /* an enum constant in glibc and missing in musl; CPython gives 1024 for either */
#endif
#ifndef IPPORT_USERRESERVED
#define IPPORT_USERRESERVED 5000
#endif
#ifndef INADDR_ANY
#define INADDR_ANY 0x00000000U
#endif
#ifndef INADDR_BROADCAST
#define INADDR_BROADCAST 0xffffffffU
#endif
#ifndef INADDR_LOOPBACK
#define INADDR_LOOPBACK 0x7f000001U
#endif
#ifndef INADDR_UNSPEC_GROUP
#define INADDR_UNSPEC_GROUP 0xe0000000U
#endif
#ifndef INADDR_ALLHOSTS_GROUP
#define INADDR_ALLHOSTS_GROUP 0xe0000001U
#endif
#ifndef INADDR_MAX_LOCAL_GROUP
#define INADDR_MAX_LOCAL_GROUP 0xe00000ffU
#endif
#ifndef INADDR_NONE
#define INADDR_NONE 0xffffffffU
#endif
#ifndef SHUT_RD
#define SHUT_RD 0
#endif
#ifndef SHUT_WR
#define SHUT_WR 1
#endif
#ifndef SHUT_RDWR
#define SHUT_RDWR 2
#endif
#if defined(IPPROTO_UDPLITE) && !defined(UDPLITE_SEND_CSCOV)
#define UDPLITE_SEND_CSCOV 10
#endif
#if defined(IPPROTO_UDPLITE) && !defined(UDPLITE_RECV_CSCOV)
#define UDPLITE_RECV_CSCOV 11
#endif

/* -- Linux: what is no row of socketpkg_linux.h because it is not one number everywhere ------------------------- */

#if SP_LINUX && !defined(SO_VM_SOCKETS_CONNECT_TIMEOUT)
#define SO_VM_SOCKETS_CONNECT_TIMEOUT (sizeof(time_t) == sizeof(long) ? 6 : 8) /* as <linux/vm_sockets.h> */
#endif
#if SP_LINUX && !defined(SIOCINQ) && defined(FIONREAD)
#define SIOCINQ FIONREAD
#endif
#if SP_LINUX && !defined(SIOCOUTQ) && defined(TIOCOUTQ)
#define SIOCOUTQ TIOCOUTQ
#endif
#if SP_LINUX_GENERIC && !defined(SO_RCVTIMEO_OLD)
#if defined(__powerpc__)
#define SO_RCVTIMEO_OLD 18
#define SO_SNDTIMEO_OLD 19
#else
#define SO_RCVTIMEO_OLD 20
#define SO_SNDTIMEO_OLD 21
#endif
#endif
#if SP_LINUX && !defined(IOCTL_VM_SOCKETS_GET_LOCAL_CID)
#define IOCTL_VM_SOCKETS_GET_LOCAL_CID _IO(7, 0xb9)
#endif

/* -- constants as numbers of Python ----------------------------------------------------------------------------- */

/* A macro's value as CPython's module has it. That takes them as a long: with 64 bits an unsigned one above INT_MAX
 * stays positive (INADDR_BROADCAST, VMADDR_CID_ANY) and a negative one negative (EAI_AGAIN); with 32 bits both are
 * negative. What takes more than 32 bits (of AF_XDP) CPython does not have, and is whole everywhere. */
#define SP_AS_LONG(value) \
    ((long long)(value) - (sizeof(long) == 4 && (long long)(value) >> 31 == 1 ? 4294967296LL : 0LL))

/* -- interfaces ------------------------------------------------------------------------------------------------- */

/* How many bytes a sockaddr of getifaddrs(3) has; 0 for none. */
static inline socklen_t sp_sockaddr_size(const struct sockaddr *address)
{
    if (address == NULL)
        return 0;
#if SP_LINUX
    switch (address->sa_family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
#ifdef AF_PACKET
    case AF_PACKET:
        /* struct sockaddr_ll: sll_halen is its 12th byte, and the C library has room for longer addresses than its 8 */
        return 12 + ((const unsigned char *)address)[11];
#endif
    default:
        return sizeof(sa_family_t);
    }
#else
    return address->sa_len;
#endif
}

#endif /* SOCKETPKG_PLATFORM_H */
