# Messages of sendmsg and recvmsg: their buffers and their ancillary data. A part of syscalls.pyx.

cdef enum:
    # What a message takes without memory of its own.
    FEW_BUFFERS = 4
    FEW_ITEMS = 4
    LITTLE_CONTROL = 256
    # What a cmsghdr needs on any platform.
    ALIGNMENT = 16

# A msghdr with its buffers and its control buffer. It begins with `begin` and ends with `release`.
cdef struct Message:
    libc.msghdr header
    libc.iovec *vector
    char *control
    Py_buffer *views
    Py_ssize_t exported
    Py_ssize_t total
    # Most messages fit into these.
    libc.iovec few_vectors[FEW_BUFFERS]
    Py_buffer few_views[FEW_BUFFERS]
    char little_control[LITTLE_CONTROL]


cdef inline void begin(Message *message) noexcept:
    memset(&message.header, 0, sizeof(message.header))
    message.vector = NULL
    message.control = NULL
    message.views = NULL
    message.exported = 0
    message.total = 0


cdef void release(Message *message) noexcept:
    cdef Py_ssize_t i
    for i in range(message.exported):
        PyBuffer_Release(&message.views[i])
    message.exported = 0
    if message.views != message.few_views:
        PyMem_Free(message.views)
    if message.vector != message.few_vectors:
        PyMem_Free(message.vector)
    if message.control != message.little_control:
        PyMem_Free(message.control)
    message.views = NULL
    message.vector = NULL
    message.control = NULL


@cython.final
cdef class KeptMessage:
    """A message that lives longer than the call that makes it."""

    cdef Message message

    def __cinit__(self):
        begin(&self.message)

    def __dealloc__(self):
        release(&self.message)


cdef int take(Message *message, tuple buffers, bint writable) except -1:
    """Exports *buffers* and gathers them."""
    cdef Py_ssize_t count = len(buffers), i
    if count <= FEW_BUFFERS:
        message.views = message.few_views
        message.vector = message.few_vectors
    else:
        message.views = <Py_buffer *>PyMem_Calloc(count, sizeof(Py_buffer))
        message.vector = <libc.iovec *>PyMem_Calloc(count, sizeof(libc.iovec))
        if message.views == NULL or message.vector == NULL:
            raise MemoryError
    for i in range(count):
        if writable:
            if not exports_writable(buffers[i], &message.views[i]):
                raise TypeError("recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers")
        else:
            PyObject_GetBuffer(buffers[i], &message.views[i], PyBUF_SIMPLE)
        message.exported += 1
        message.vector[i].iov_base = message.views[i].buf
        message.vector[i].iov_len = message.views[i].len
        message.total += message.views[i].len
    message.header.msg_iov = message.vector
    message.header.msg_iovlen = count
    return 0


cdef int make_control(Message *message, size_t size) except -1:
    if size:
        if size <= LITTLE_CONTROL:
            message.control = message.little_control
            memset(message.control, 0, size)
        else:
            message.control = <char *>PyMem_Calloc(size, 1)
            if message.control == NULL:
                raise MemoryError
        message.header.msg_control = message.control
        message.header.msg_controllen = size
    return 0


cdef int fill_control(Message *message, tuple ancillary) except -1:
    """Lays out ancillary items. Their data is copied, so it need not stay exported."""
    cdef Py_buffer few[FEW_ITEMS]
    cdef Py_buffer *sources = few
    cdef Py_ssize_t count = len(ancillary), exported = 0, i
    cdef size_t space = 0, length
    cdef libc.cmsghdr *item = NULL
    cdef tuple triple
    if count == 0:
        return 0
    if count > FEW_ITEMS:
        sources = <Py_buffer *>PyMem_Malloc(count * sizeof(Py_buffer))
        if sources == NULL:
            raise MemoryError
    try:
        for i in range(count):
            triple = ancillary[i]
            PyObject_GetBuffer(triple[2], &sources[i], PyBUF_SIMPLE)
            exported += 1
            length = sources[i].len
            space += libc.CMSG_SPACE(length)
            if length > INT_MAX or space > INT_MAX:
                raise OSError("ancillary data item too large" if length > INT_MAX else "too much ancillary data")
        make_control(message, space)
        for i in range(count):
            triple = ancillary[i]
            if item == NULL:
                item = libc.CMSG_FIRSTHDR(&message.header)
            else:
                item = libc.CMSG_NXTHDR(&message.header, item)
            if item == NULL:
                raise RuntimeError("unexpected NULL result from CMSG_NXTHDR")
            item.cmsg_level = triple[0]
            item.cmsg_type = triple[1]
            item.cmsg_len = libc.CMSG_LEN(sources[i].len)
            memcpy(libc.CMSG_DATA(item), sources[i].buf, sources[i].len)
    finally:
        for i in range(exported):
            PyBuffer_Release(&sources[i])
        if sources != few:
            PyMem_Free(sources)
    return 0


cdef list items_of(libc.msghdr *header):
    """The ancillary items that came, each clipped to what lies within the control buffer."""
    cdef list found = []
    cdef libc.cmsghdr *item
    cdef size_t length
    try:
        item = libc.CMSG_FIRSTHDR(header) if header.msg_controllen else NULL
        while item != NULL:
            length = data_size(header, item)
            found.append((
                item.cmsg_level,
                item.cmsg_type,
                PyBytes_FromStringAndSize(<char *>libc.CMSG_DATA(item), length),
            ))
            item = libc.CMSG_NXTHDR(header, item)
    except BaseException:
        close_descriptors(header)
        raise
    return found


cdef size_t data_size(libc.msghdr *header, libc.cmsghdr *item) noexcept:
    """How much data of an item there is: a header cut off, or one that lies about its length, promises more."""
    cdef char *data = <char *>libc.CMSG_DATA(item)
    cdef size_t head = data - <char *>item
    cdef size_t claimed = item.cmsg_len - head if item.cmsg_len > head else 0
    cdef size_t start = data - <char *>header.msg_control
    cdef size_t room = header.msg_controllen - start if header.msg_controllen > start else 0
    return claimed if claimed < room else room


cdef void close_descriptors(libc.msghdr *header) noexcept:
    """Closes descriptors that have come and will not be handed over."""
    cdef libc.cmsghdr *item = NULL
    cdef int *fds
    cdef size_t i
    if header.msg_controllen:
        item = libc.CMSG_FIRSTHDR(header)
    while item != NULL:
        if item.cmsg_level == libc.SOL_SOCKET and item.cmsg_type == libc.SCM_RIGHTS:
            fds = <int *>libc.CMSG_DATA(item)
            for i in range(data_size(header, item) // sizeof(int)):
                libc.c_close(fds[i])
        item = libc.CMSG_NXTHDR(header, item)


cdef tuple receive_message(
    Descriptor sock, Py_ssize_t bufsize, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout
):
    """recvmsg(2) into *buffers*, or without them of *bufsize* bytes.

    Gives the count or the bytes, the ancillary items, msg_flags and the address.
    """
    cdef Message message
    cdef libc.sockaddr_storage storage
    cdef Transfer t
    cdef object received, address, msg_flags
    cdef list items
    begin(&message)
    try:
        if buffers is not None:
            take(&message, buffers, True)
        else:
            message.header.msg_iov = message.few_vectors
            message.header.msg_iovlen = 1
        make_control(&message, ancbufsize)
        message.header.msg_name = &storage
        message.header.msg_namelen = sizeof(storage)
        t.operation = RECVMSG
        t.flags = flags
        t.message = &message.header
        try:
            if buffers is None:
                received = receive(sock, &t, bufsize, timeout)
            else:
                t.size = message.total
                received = _transfer(sock, &t, False, timeout)
            address = address_bytes(&storage, message.header.msg_namelen)
            msg_flags = message.header.msg_flags
        except BaseException:
            # No memory for what has come already.
            close_descriptors(&message.header)
            raise
        items = items_of(&message.header)  # which closes them itself
        try:
            return received, items, msg_flags, address
        except BaseException:
            close_descriptors(&message.header)
            raise
    finally:
        release(&message)
