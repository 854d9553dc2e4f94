/* The functions of <netdb.h> whose reentrant form is not the same on every platform.
 *
 * Where there is none, the plain function is called: its result lives in memory of the C library's, so the caller must
 * keep other threads out (hold the GIL) until it has read the entry.
 */
#ifndef SOCKETPKG_NETDB_H
#define SOCKETPKG_NETDB_H

#include "socketpkg_platform.h"

/* "The buffer is too small, come again with a larger one." No h_errno has this value. */
#define SP_BUFFER_TOO_SMALL (-2)

/* Looks a host up by its name. 0 with *entry* filled in (its pointers lead into *buffer*), SP_BUFFER_TOO_SMALL, or
 * the h_errno. It comes from the call itself: the variable of that name may be another thread's. */
static inline int sp_gethostbyname(const char *name, int family, struct hostent *entry, char *buffer, size_t size)
{
#if SP_HAVE_GETHOSTBYNAME2_R
    struct hostent *found = NULL;
    int error = 0;
    int status = gethostbyname2_r(name, family, entry, buffer, size, &found, &error);
    if (found != NULL)
        return 0;
    if (status == ERANGE)
        return SP_BUFFER_TOO_SMALL;
    return error != 0 ? error : NO_RECOVERY;
#else
    struct hostent *found = gethostbyname2(name, family);
    (void)buffer;
    (void)size;
    if (found == NULL)
        return h_errno;
    *entry = *found;
    return 0;
#endif
}

/* The same for a packed address. */
static inline int sp_gethostbyaddr(const void *packed, socklen_t length, int family, struct hostent *entry,
                                   char *buffer, size_t size)
{
#if SP_HAVE_GETHOSTBYADDR_R
    struct hostent *found = NULL;
    int error = 0;
    int status = gethostbyaddr_r(packed, length, family, entry, buffer, size, &found, &error);
    if (found != NULL)
        return 0;
    if (status == ERANGE)
        return SP_BUFFER_TOO_SMALL;
    return error != 0 ? error : NO_RECOVERY;
#else
    struct hostent *found = gethostbyaddr(packed, length, family);
    (void)buffer;
    (void)size;
    if (found == NULL)
        return h_errno;
    *entry = *found;
    return 0;
#endif
}

#endif /* SOCKETPKG_NETDB_H */
