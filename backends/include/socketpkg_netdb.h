/* The functions of <netdb.h> whose reentrant form is not the same on every platform.
 *
 * Where there is none, the plain function is called: its result lives in memory of the C library's, so of the hosts'
 * the caller must keep other threads out until it has read the entry.
 */
#ifndef SOCKETPKG_NETDB_H
#define SOCKETPKG_NETDB_H

#include <pthread.h>

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

/* The entries of services and protocols. These keep other threads out themselves where they have to.
 *
 * SP_FIND_..._R and SP_FIND_..._LOCKED look an entry up by FUNCTION with the arguments behind USE. USE is a statement:
 * it reads what it needs from *found*, which is null when there is no entry, and is released right after.
 */

#if SP_HAVE_GETSERVBYNAME_R || SP_HAVE_GETPROTOBYNAME_R
enum { SP_ENTRY_SIZE = 1024, SP_ENTRY_LIMIT = 1 << 24 };

/* A larger buffer in place of *buffer*, which is *first* at the beginning; null when SP_ENTRY_LIMIT is reached or
 * memory has run out. */
static inline char *sp_grow(char *buffer, const char *first, size_t *size)
{
    if (buffer != first)
        free(buffer);
    *size *= 4;
    return *size > SP_ENTRY_LIMIT ? NULL : malloc(*size);
}

#define SP_FIND_R(KIND, FUNCTION, USE, ...)                                                                            \
    do {                                                                                                               \
        struct KIND entry, *found = NULL;                                                                              \
        char first[SP_ENTRY_SIZE], *buffer = first;                                                                    \
        size_t size = sizeof first;                                                                                    \
        while (buffer != NULL && FUNCTION##_r(__VA_ARGS__, &entry, buffer, size, &found) == ERANGE)                    \
            buffer = sp_grow(buffer, first, &size);                                                                    \
        USE;                                                                                                           \
        if (buffer != first)                                                                                           \
            free(buffer);                                                                                              \
    } while (0)
#endif
#if !SP_HAVE_GETSERVBYNAME_R || !SP_HAVE_GETPROTOBYNAME_R
/* Held until what the C library keeps in memory of its own has been read. */
static pthread_mutex_t sp_entries = PTHREAD_MUTEX_INITIALIZER;

#define SP_FIND_LOCKED(KIND, FUNCTION, USE, ...)                                                                       \
    do {                                                                                                               \
        struct KIND *found;                                                                                            \
        pthread_mutex_lock(&sp_entries);                                                                               \
        found = FUNCTION(__VA_ARGS__);                                                                                 \
        USE;                                                                                                           \
        pthread_mutex_unlock(&sp_entries);                                                                             \
    } while (0)
#endif

#if SP_HAVE_GETSERVBYNAME_R
#define SP_FIND_SERVICE(FUNCTION, USE, ...) SP_FIND_R(servent, FUNCTION, USE, __VA_ARGS__)
#else
#define SP_FIND_SERVICE(FUNCTION, USE, ...) SP_FIND_LOCKED(servent, FUNCTION, USE, __VA_ARGS__)
#endif
#if SP_HAVE_GETPROTOBYNAME_R
#define SP_FIND_PROTOCOL(FUNCTION, USE, ...) SP_FIND_R(protoent, FUNCTION, USE, __VA_ARGS__)
#else
#define SP_FIND_PROTOCOL(FUNCTION, USE, ...) SP_FIND_LOCKED(protoent, FUNCTION, USE, __VA_ARGS__)
#endif

/* The port in host byte order, or -1. */
static inline int sp_getservbyname(const char *name, const char *proto)
{
    int port = -1;
    SP_FIND_SERVICE(getservbyname, if (found != NULL) port = ntohs((uint16_t)found->s_port), name, proto);
    return port;
}

static inline int sp_copy_name(const char *found, char *name, size_t size)
{
    size_t length = strlen(found);
    memcpy(name, found, length < size ? length : size);
    return length < INT_MAX ? (int)length : INT_MAX;
}

/* The length of the name of a port in host byte order, copied to *name* as far as there is room; or -1. */
static inline int sp_getservbyport(int port, const char *proto, char *name, size_t size_of_name)
{
    int length = -1;
    SP_FIND_SERVICE(getservbyport, if (found != NULL) length = sp_copy_name(found->s_name, name, size_of_name),
                    htons((uint16_t)port), proto);
    return length;
}

/* The protocol's number, or -1. */
static inline int sp_getprotobyname(const char *name)
{
    int number = -1;
    SP_FIND_PROTOCOL(getprotobyname, if (found != NULL) number = found->p_proto, name);
    return number;
}

#endif /* SOCKETPKG_NETDB_H */
