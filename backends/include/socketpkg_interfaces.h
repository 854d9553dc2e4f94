/* The interfaces of the network namespace that a socket is in: netdevice(7).
 *
 * if_nametoindex(3) and if_indextoname(3) answer for the namespace of the thread, which may be another one, and open a
 * socket of their own for each question. Where the platform has no such ioctl(2), they are what there is.
 */
#ifndef SOCKETPKG_INTERFACES_H
#define SOCKETPKG_INTERFACES_H

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#if defined(__linux__) && defined(SIOCGIFNAME)
#define SP_HAVE_INTERFACE_IOCTL 1
#else
#define SP_HAVE_INTERFACE_IOCTL 0
#endif

/* The index of an interface; -1 with errno when there is none of that name. */
static inline int sp_index_by_name(int fd, const char *name)
{
#if SP_HAVE_INTERFACE_IOCTL
    struct ifreq request;
    if (strlen(name) >= sizeof(request.ifr_name)) {
        errno = ENODEV;
        return -1;
    }
    memset(&request, 0, sizeof(request));
    strcpy(request.ifr_name, name);
    return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
#else
    unsigned int index = if_nametoindex(name);
    (void)fd;
    return index == 0 ? -1 : (int)index;
#endif
}

/* Puts the name of an interface into *name*, which has room for IF_NAMESIZE bytes; -1 with errno when there is none. */
static inline int sp_name_by_index(int fd, int index, char *name)
{
#if SP_HAVE_INTERFACE_IOCTL
    struct ifreq request;
    memset(&request, 0, sizeof(request));
    request.ifr_ifindex = index;
    if (ioctl(fd, SIOCGIFNAME, &request) < 0)
        return -1;
    memcpy(name, request.ifr_name, sizeof(request.ifr_name));
    return 0;
#else
    (void)fd;
    return if_indextoname((unsigned int)index, name) == NULL ? -1 : 0;
#endif
}

#endif
