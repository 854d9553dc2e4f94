# The lookups of hosts, as tuples. A part of syscalls.pyx.

cdef enum:
    # Most hosts' entries fit; a larger one makes the lookup come again.
    HOST_BUFFER_SIZE = 8192

cdef int raise_gaierror(int code, int error) except -1:
    if code == libc.EAI_SYSTEM:
        return fail(error)
    raise gaierror(code, libc.gai_strerror(code).decode("utf-8", "surrogateescape"))


cdef tuple host_entry(int family, bytes name, bytes packed):
    """Looks up the host of *name*, or without one the host of *packed*."""
    cdef libc.hostent entry
    cdef size_t size = HOST_BUFFER_SIZE
    cdef char *buffer = NULL
    cdef const char *text = NULL if name is None else PyBytes_AS_STRING(name)
    cdef const char *raw = NULL if packed is None else PyBytes_AS_STRING(packed)
    cdef libc.socklen_t length = 0 if packed is None else <libc.socklen_t>PyBytes_GET_SIZE(packed)
    cdef int error, i
    try:
        while True:
            PyMem_Free(buffer)
            buffer = <char *>PyMem_Malloc(size)
            if buffer == NULL:
                raise MemoryError
            if libc.SP_HAVE_GETHOSTBYNAME2_R:
                with nogil:
                    error = look_up(text, raw, length, family, &entry, buffer, size)
            else:
                error = look_up(text, raw, length, family, &entry, buffer, size)
            if error != libc.SP_BUFFER_TOO_SMALL:
                break
            size *= 2
        if error:
            raise herror(error, libc.hstrerror(error).decode("utf-8", "surrogateescape"))
        aliases = []
        i = 0
        while entry.h_aliases != NULL and entry.h_aliases[i] != NULL:
            aliases.append(<bytes>entry.h_aliases[i])
            i += 1
        addresses = []
        i = 0
        while entry.h_addr_list[i] != NULL:
            addresses.append(PyBytes_FromStringAndSize(entry.h_addr_list[i], entry.h_length))
            i += 1
        return <bytes>entry.h_name, aliases, entry.h_addrtype, addresses
    finally:
        PyMem_Free(buffer)


cdef inline int look_up(
    const char *name, const char *raw, libc.socklen_t length, int family, libc.hostent *entry, char *buffer,
    size_t size
) noexcept nogil:
    if name != NULL:
        return libc.sp_gethostbyname(name, family, entry, buffer, size)
    return libc.sp_gethostbyaddr(raw, length, family, entry, buffer, size)
