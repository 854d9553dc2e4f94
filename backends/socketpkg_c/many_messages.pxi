# Many messages in one system call: recvmmsg and sendmmsg. A part of syscalls.pyx.

cdef enum:
    # UIO_MAXIOV of the kernel: sendmmsg(2) takes no more messages in one call.
    BATCH_COUNT = 1024
    # How much memory for messages there is at once, when a single one does not ask for more.
    BATCH_SIZE = 4194304
    # What a message costs the kernel beside its bytes, as the bytes that are copied in that time.
    MESSAGE_COST = 1024
    # As in socketpkg/contract.py.
    UDP_GRO = 104


@cython.final
cdef class Batch:
    """An array of mmsghdr, and what it points to, which lives as long as it does."""

    cdef libc.mmsghdr *messages
    cdef libc.iovec *vectors
    cdef libc.sockaddr_storage *names
    cdef char *data
    cdef char *control
    # From the control memory of one message to that of the next.
    cdef size_t control_stride
    cdef Py_buffer *views
    cdef Py_ssize_t exported
    cdef list kept

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.exported):
            PyBuffer_Release(&self.views[i])
        PyMem_Free(self.views)
        PyMem_Free(self.messages)
        PyMem_Free(self.names)
        PyMem_Free(self.data)
        PyMem_Free(self.control)

    cdef int make(self, Py_ssize_t count) except -1:
        """Room for *count* messages of one buffer each, in one block."""
        self.messages = <libc.mmsghdr *>PyMem_Calloc(count, sizeof(libc.mmsghdr) + sizeof(libc.iovec))
        if self.messages == NULL:
            raise MemoryError
        self.vectors = <libc.iovec *>(self.messages + count)
        return 0

    cdef int make_views(self, Py_ssize_t count) except -1:
        self.views = <Py_buffer *>PyMem_Malloc(count * sizeof(Py_buffer))
        if self.views == NULL:
            raise MemoryError
        return 0

    cdef int make_names(self, Py_ssize_t count) except -1:
        self.names = <libc.sockaddr_storage *>PyMem_Malloc(count * sizeof(libc.sockaddr_storage))
        if self.names == NULL:
            raise MemoryError
        return 0

    cdef int make_data(self, Py_ssize_t count, Py_ssize_t size) except -1:
        self.data = <char *>PyMem_Malloc(count * size or 1)
        if self.data == NULL:
            raise MemoryError
        return 0

    cdef int make_control(self, Py_ssize_t count, Py_ssize_t size) except -1:
        # Of zeros, as in Message. Each message's begins where a cmsghdr may stand.
        self.control_stride = (<size_t>size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        self.control = <char *>PyMem_Calloc(count, self.control_stride)
        if self.control == NULL:
            raise MemoryError
        return 0


cdef bint in_error(Descriptor sock) noexcept:
    """Whether the next call is going to report an error. Only looking leaves it where it is."""
    cdef libc.pollfd descriptor
    descriptor.fd = number_of(sock)
    descriptor.events = 0
    return libc.c_poll(&descriptor, 1, 0) > 0 and descriptor.revents & libc.POLLERR


cdef int segment_size(libc.msghdr *header) noexcept:
    """What the control message UDP_GRO says, 0 without one."""
    cdef libc.cmsghdr *item = libc.CMSG_FIRSTHDR(header) if header.msg_controllen else NULL
    cdef int size = 0
    while item != NULL:
        if item.cmsg_level == libc.IPPROTO_UDP and item.cmsg_type == UDP_GRO:
            if item.cmsg_len >= libc.CMSG_LEN(sizeof(size)):
                memcpy(&size, libc.CMSG_DATA(item), sizeof(size))
        item = libc.CMSG_NXTHDR(header, item)
    return size


cdef tuple receive_many(
    Contract backend, Descriptor sock, Py_ssize_t count, Py_ssize_t bufsize, tuple buffers, Py_ssize_t ancbufsize,
    int flags,
    long long timeout
):
    """recvmmsg(2) of at most *count* messages of *bufsize* bytes, or into *buffers*: what the contract's recvmmsg and
    recvmmsg_into give."""
    cdef Batch batch = Batch.__new__(Batch)
    cdef Transfer t
    cdef list data = [], ancillary = [], msg_flags = [], addresses = []
    cdef Py_ssize_t room = count if count < BATCH_COUNT else BATCH_COUNT
    cdef Py_ssize_t each = bufsize + ancbufsize, total = 0, size, start, asked, received, i
    cdef int error = 0
    if each > 0 and room > BATCH_SIZE // each:
        room = BATCH_SIZE // each or 1
    batch.make(room)
    batch.make_names(room)
    if buffers is None:
        batch.make_data(room, bufsize)
    else:
        batch.make_views(count)
        for i in range(count):
            if not exports_writable(buffers[i], &batch.views[i]):
                raise TypeError("recvmmsg_into() argument 1 must be an iterable of single-segment read-write buffers")
            batch.exported += 1
    if ancbufsize:
        batch.make_control(room, ancbufsize)
    memset(&t, 0, sizeof(t))
    t.operation = RECVMMSG
    t.flags = flags | libc.SP_MSG_WAITFORONE
    t.messages = batch.messages
    try:
        start = 0
        while start < count:
            asked = room if room < count - start else count - start
            total = asked * (bufsize + MESSAGE_COST)
            for i in range(asked):
                batch.vectors[i].iov_base = batch.data + i * bufsize
                batch.vectors[i].iov_len = bufsize
                if buffers is not None:
                    batch.vectors[i].iov_base = batch.views[start + i].buf
                    batch.vectors[i].iov_len = batch.views[start + i].len
                    total += batch.views[start + i].len
                prepare(batch, i, ancbufsize)
            if buffers is None and flags & libc.MSG_TRUNC:
                # As in `clear`.
                memset(batch.data, 0, asked * bufsize)
            t.count = <unsigned int>asked
            t.size = total
            if start == 0:
                received = _transfer(sock, &t, False, timeout)
            elif in_error(sock):
                # The error is left to the next call: a receive would clear it here, and this call succeeds.
                break
            else:
                received = tried(sock, &t, False, libc.MSG_DONTWAIT, &error)
                if received < 0:
                    break
            if ancbufsize:
                take_items(backend, batch, received, ancillary)
            for i in range(received):
                size = batch.messages[i].msg_len
                if buffers is None:
                    # MSG_TRUNC makes the kernel tell the datagram's length.
                    data.append(
                        PyBytes_FromStringAndSize(batch.data + i * bufsize, size if size < bufsize else bufsize))
                else:
                    data.append(size)
                addresses.append(name_of(batch, i, addresses))
                msg_flags.append(batch.messages[i].msg_hdr.msg_flags)
            start += received
            if received < asked:
                break
    except BaseException:
        for items in ancillary:
            backend.close_rights(items)
        raise
    return data, ancillary, msg_flags, addresses


cdef inline void prepare(Batch batch, Py_ssize_t i, Py_ssize_t ancbufsize) noexcept:
    cdef libc.msghdr *header = &batch.messages[i].msg_hdr
    header.msg_name = &batch.names[i]
    header.msg_namelen = sizeof(libc.sockaddr_storage)
    header.msg_iov = &batch.vectors[i]
    header.msg_iovlen = 1
    if ancbufsize:
        header.msg_control = batch.control + i * batch.control_stride
        header.msg_controllen = ancbufsize


cdef bytes name_of(Batch batch, Py_ssize_t i, list before):
    """The address of a message: the same object as that of the one before when it has the same sender."""
    cdef libc.socklen_t size = batch.messages[i].msg_hdr.msg_namelen
    cdef bytes last
    if size > sizeof(libc.sockaddr_storage):
        size = sizeof(libc.sockaddr_storage)
    if before:
        last = before[-1]
        if PyBytes_GET_SIZE(last) == <Py_ssize_t>size and not memcmp(PyBytes_AS_STRING(last), &batch.names[i], size):
            return last
    return PyBytes_FromStringAndSize(<char *>&batch.names[i], size)


cdef int take_items(Contract backend, Batch batch, Py_ssize_t received, list ancillary) except -1:
    """Adds the ancillary items of each message. When that fails, the descriptors of those not added are closed."""
    cdef list items = None
    cdef Py_ssize_t i = 0
    try:
        while i < received:
            i += 1
            items = None
            items = items_of(&batch.messages[i - 1].msg_hdr)
            ancillary.append(items)
    except BaseException:
        if items is not None:
            backend.close_rights(items)
        while i < received:
            close_descriptors(&batch.messages[i].msg_hdr)
            i += 1
        raise
    return 0


cdef Py_ssize_t send_many(
    Descriptor sock, list data, list ancillary, list addresses, int flags, long long timeout
) except -1:
    """sendmmsg(2), as the contract's call of that name."""
    cdef Batch batch = Batch.__new__(Batch)
    cdef KeptMessage kept
    cdef Transfer t
    cdef libc.msghdr *header
    cdef libc.iovec *vector
    cdef Py_ssize_t count = len(data), total, sent, taken, i
    cdef int error = 0
    cdef bytes address
    cdef object source
    cdef bint blocking = timeout < 0
    batch.make(count)
    batch.kept = []
    total = count * MESSAGE_COST
    for i in range(count):
        header = &batch.messages[i].msg_hdr
        vector = &batch.vectors[i]
        header.msg_iov = vector
        header.msg_iovlen = 1
        source = data[i]
        if type(source) is bytes:
            vector.iov_base = PyBytes_AS_STRING(source)
            vector.iov_len = PyBytes_GET_SIZE(source)
            total += vector.iov_len
        elif type(source) is tuple:
            kept = KeptMessage.__new__(KeptMessage)
            take(&kept.message, source, False)
            header.msg_iov = kept.message.header.msg_iov
            header.msg_iovlen = kept.message.header.msg_iovlen
            total += kept.message.total
            batch.kept.append(kept)
        else:
            if batch.views == NULL:
                batch.make_views(count)
            PyObject_GetBuffer(source, &batch.views[batch.exported], PyBUF_SIMPLE)
            vector.iov_base = batch.views[batch.exported].buf
            vector.iov_len = batch.views[batch.exported].len
            batch.exported += 1
            total += vector.iov_len
        if ancillary and ancillary[i]:
            kept = KeptMessage.__new__(KeptMessage)
            fill_control(&kept.message, ancillary[i])
            header.msg_control = kept.message.header.msg_control
            header.msg_controllen = kept.message.header.msg_controllen
            batch.kept.append(kept)
        address = addresses[i]
        if PyBytes_GET_SIZE(address):
            header.msg_name = PyBytes_AS_STRING(address)
            header.msg_namelen = <libc.socklen_t>PyBytes_GET_SIZE(address)
    memset(&t, 0, sizeof(t))
    t.operation = SENDMMSG
    t.flags = flags
    t.messages = batch.messages
    t.count = <unsigned int>(count if count < BATCH_COUNT else BATCH_COUNT)
    t.size = total
    sent = _transfer(sock, &t, True, timeout)
    while sent < count and (blocking or sent % BATCH_COUNT == 0):
        t.messages = batch.messages + sent
        t.count = <unsigned int>(count - sent if count - sent < BATCH_COUNT else BATCH_COUNT)
        taken = tried(sock, &t, False, 0 if blocking else libc.MSG_DONTWAIT, &error)
        if taken >= 0:
            sent += taken
        elif error != libc.EINTR:
            # Keep the partial count: the next call begins with the message that fails.
            break
        PyErr_CheckSignals()
    return sent
