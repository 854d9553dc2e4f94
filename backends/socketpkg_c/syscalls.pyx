"""The contract in C: each call compiled to the system call it is about.

Every transfer (recv, send, accept and their kin) is described by a `Transfer` and goes through one loop, `_transfer`.
"""

from os import strerror

import cython
from _socket import gaierror, herror

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno, PyErr_SetObject
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_INCREF
from libc.errno cimport errno
from libc.string cimport memcmp, memcpy, memset

from socketpkg_c cimport libc
from socketpkg_c.contract cimport Descriptor
from socketpkg_c.contract cimport Syscalls as Contract

cdef extern from "Python.h":
    const unsigned long Py_TPFLAGS_IMMUTABLETYPE
    ctypedef struct PyTypeObject:
        unsigned long tp_flags
    int _PyBytes_Resize(PyObject **bytes_object, Py_ssize_t size) except -1
    const char *PyUnicode_AsUTF8(str text) except NULL
    str PyUnicode_FromString(const char *text)

cdef extern from "socketpkg_traceback.h":
    pass

# Functions that one method calls, and nothing else.
cdef extern from "socketpkg_platform.h":
    int sockatmark(int fd)

cdef extern from *:
    const unsigned int CYTHON_HEX_VERSION

cdef enum:
    # A transfer of at most this many bytes is tried with the GIL held: copying them takes less time (some microseconds)
    # than giving the GIL up and getting it back beside a busy thread (up to 5 ms). Two threads that move blocks get as
    # much done with it as without it up to here, and with 64 KiB only two thirds.
    QUICK_SIZE = 16384
    # After so many waits that ended at once, with nothing to do, a receive rests; and what is not at once any more.
    VAIN_WAITS = 4
    VAIN_NS = 100000
    # The size of the table of hints `brings_much`, by descriptor.
    DESCRIPTORS = 256
    # What recv() receives on the stack.
    STACK_SIZE = 16384
    # The most that is kept for the next recv() of more than that.
    SPARE_SIZE = 1048576
    # What a message takes without memory of its own.
    FEW_BUFFERS = 4
    FEW_ITEMS = 4
    LITTLE_CONTROL = 256
    # What a cmsghdr needs on any platform.
    ALIGNMENT = 16
    NANOSECONDS_PER_MS = 1000000
    INT_MAX = 2147483647
    # Most hosts' entries fit; a larger one makes the lookup come again.
    HOST_BUFFER_SIZE = 8192
    # How many connections are accepted for one release of the GIL.
    BURST_COUNT = 64

# The receives whose result is a count of bytes are first.
cdef enum Operation:
    RECV
    RECVFROM
    RECVMSG
    SEND
    SENDTO
    SENDMSG
    RECVMMSG
    SENDMMSG
    ACCEPT
    ACCEPT_MANY

# Whether the last receive of more than QUICK_SIZE bytes on a descriptor brought more than that. Programs ask for 64 or
# 256 KiB and mostly get some hundred bytes, so such a receive keeps the GIL as well until it has brought much. By the
# descriptor's last byte: of two that share it, one may find the other's answer, and takes as long as without any.
cdef unsigned char brings_much[DESCRIPTORS]

# One transfer: what to call and what to call it with.
cdef struct Transfer:
    Operation operation
    int fd
    int flags
    char *data
    size_t size
    libc.sockaddr *address
    libc.socklen_t address_size
    libc.msghdr *message
    libc.mmsghdr *messages
    unsigned int count

# What ACCEPT_MANY has for its data: the arguments of sp_accept_waiting.
cdef struct Burst:
    const int *number
    int count
    bint goes_on
    int fds[BURST_COUNT]
    libc.sockaddr_storage names[BURST_COUNT]
    libc.socklen_t sizes[BURST_COUNT]


# -- errors and waiting -----------------------------------------------------------------------------------------------


# What a BlockingIOError is made of, and where strerror(3) has its text. Never changed: threads share it.
cdef tuple again = (libc.EAGAIN, strerror(libc.EAGAIN))
cdef const char *again_text = libc.c_strerror(libc.EAGAIN)


cdef int fail(int error) except -1:
    """Raises the OSError of an errno."""
    if error == libc.EAGAIN and libc.c_strerror(error) == again_text:
        # To a program that polls this is a result like others, so it is raised as the class that OSError would look
        # up, with arguments that are kept. In another language the C library's text is elsewhere.
        PyErr_SetObject(BlockingIOError, again)
        return -1
    libc.sp_set_errno(error)
    PyErr_SetFromErrno(OSError)
    return -1


cdef int check(int result) except -1:
    """Raises the OSError of errno when a call that cannot block returned -1."""
    if result < 0:
        PyErr_SetFromErrno(OSError)
    return result


cdef inline bint would_block(int error) noexcept nogil:
    return error == libc.EAGAIN or error == libc.EWOULDBLOCK


cdef long long monotonic_ns() noexcept nogil:
    cdef libc.timespec now
    libc.clock_gettime(libc.CLOCK_MONOTONIC, &now)
    return <long long>now.tv_sec * 1000000000 + now.tv_nsec


cdef inline int number_of(Descriptor sock) noexcept:
    """The descriptor as it is now. It is good for one system call: other threads and handlers of signals close it."""
    return libc.sp_number(&sock._sp_fd)


cdef bint wait(Descriptor sock, short events, long long timeout, long long *deadline) except -1:
    """Waits until the descriptor is ready: True, or False when the deadline has passed.

    The deadline is set at the first wait of a call, and 0 before it. Whatever poll(2) reports ends the wait, and so
    does a socket that was closed: an error or an invalid descriptor shows itself in the next try.
    """
    cdef libc.pollfd descriptor
    cdef long long left
    cdef int milliseconds, result, error
    descriptor.events = events
    while True:
        descriptor.fd = number_of(sock)
        if descriptor.fd < 0:
            return True
        milliseconds = -1
        if timeout >= 0:
            if deadline[0] == 0:
                deadline[0] = saturated_sum(monotonic_ns(), timeout)
                left = timeout
            else:
                left = deadline[0] - monotonic_ns()
                if left <= 0:
                    return False
            # Rounded up: a wait must not end before its time. Longer ones come round again.
            left = left // NANOSECONDS_PER_MS + (left % NANOSECONDS_PER_MS != 0)
            milliseconds = INT_MAX if left > INT_MAX else <int>left
        with nogil:
            result = libc.c_poll(&descriptor, 1, milliseconds)
            error = errno
            libc.sp_gil_asking()
        libc.sp_gil_returned()
        if result > 0:
            return True
        if result < 0:
            if error != libc.EINTR:
                fail(error)
            PyErr_CheckSignals()


cdef inline long long saturated_sum(long long a, long long b) noexcept nogil:
    cdef long long most = 9223372036854775807
    return most if a > most - b else a + b


# -- the transfer loop ------------------------------------------------------------------------------------------------


cdef ssize_t attempt(Transfer *t, int more_flags) noexcept nogil:
    """One system call."""
    cdef int flags = t.flags | more_flags
    cdef Burst *burst
    if t.operation == RECV:
        return libc.c_recv(t.fd, t.data, t.size, flags)
    if t.operation == SEND:
        return libc.c_send(t.fd, t.data, t.size, flags)
    if t.operation == RECVFROM:
        t.address_size = sizeof(libc.sockaddr_storage)
        return libc.c_recvfrom(t.fd, t.data, t.size, flags, t.address, &t.address_size)
    if t.operation == SENDTO:
        return libc.c_sendto(t.fd, t.data, t.size, flags, t.address, t.address_size)
    if t.operation == RECVMSG:
        return libc.c_recvmsg(t.fd, t.message, flags)
    if t.operation == SENDMSG:
        return libc.c_sendmsg(t.fd, t.message, flags)
    if t.operation == RECVMMSG:
        return libc.sp_recvmmsg(t.fd, t.messages, t.count, flags)
    if t.operation == SENDMMSG:
        return libc.sp_sendmmsg(t.fd, t.messages, t.count, flags)
    if t.operation == ACCEPT_MANY:
        burst = <Burst *>t.data
        return libc.sp_accept_waiting(
            t.fd, burst.number, burst.count, burst.goes_on, burst.fds, burst.names, burst.sizes)
    t.address_size = sizeof(libc.sockaddr_storage)
    return libc.sp_accept4(t.fd, t.address, NULL if t.address == NULL else &t.address_size)


cdef bint advance(Transfer *t, size_t count) noexcept nogil:
    """Leaves in *t* what a stream has not taken of it; False when nothing is left."""
    if t.operation == SENDMMSG:
        return False  # what counts there is messages, and the caller goes on with the others
    if t.operation != SENDMSG:
        t.data += count
        t.size -= count
        return t.size != 0
    # Descriptors and credentials went with the first byte.
    t.message.msg_control = NULL
    t.message.msg_controllen = 0
    while t.message.msg_iovlen and count >= t.message.msg_iov.iov_len:
        count -= t.message.msg_iov.iov_len
        t.message.msg_iov += 1
        t.message.msg_iovlen -= 1
    if t.message.msg_iovlen == 0:
        return False
    t.message.msg_iov.iov_base = <char *>t.message.msg_iov.iov_base + count
    t.message.msg_iov.iov_len -= count
    return True


cdef ssize_t _transfer(Descriptor sock, Transfer *t, bint sending, long long timeout) except -1:
    """Tries first and waits second, as the contract says."""
    cdef long long deadline = 0
    return _transfer_until(sock, t, sending, timeout, &deadline)


cdef inline bint keeps_gil(Transfer *t, bint sending) noexcept nogil:
    """Whether a try is to keep the GIL. MSG_DONTWAIT keeps it from blocking, where the platform heeds it."""
    if t.operation >= ACCEPT or (sending and not libc.SP_SENDS_HEED_DONTWAIT):
        return False
    return t.size <= QUICK_SIZE or (t.operation <= RECVMSG and not brings_much[t.fd & (DESCRIPTORS - 1)])


cdef inline ssize_t noted(Transfer *t, ssize_t result) noexcept nogil:
    """The result of a transfer, noted for the next one."""
    if t.size > QUICK_SIZE and t.operation <= RECVMSG:
        brings_much[t.fd & (DESCRIPTORS - 1)] = result > QUICK_SIZE
    return result


cdef inline ssize_t tried(Descriptor sock, Transfer *t, bint gil_held, int flags, int *error) noexcept:
    """One system call on the descriptor as it is now; a *gil_held* one keeps the GIL."""
    cdef ssize_t result
    if gil_held:
        libc.sp_gil_keep()
        t.fd = number_of(sock)
        result = attempt(t, flags)
        if result < 0:
            error[0] = errno
        return result
    t.fd = number_of(sock)
    with nogil:
        result = attempt(t, flags)
        if result < 0:
            error[0] = errno
        libc.sp_gil_asking()
    libc.sp_gil_returned()
    return result


cdef int check_woken(Descriptor sock) except -1:
    """Raises EBADF if close(wake=True) ended a wait in the kernel. Loaded when a socket was closed in a wait."""
    from socketpkg._engine.woken import check as check_of

    check_of(sock)
    return 0


cdef ssize_t _transfer_until(
    Descriptor sock, Transfer *t, bint sending, long long timeout, long long *deadline
) except -1:
    cdef short events = libc.POLLOUT if sending else libc.POLLIN
    cdef bint gil_held
    cdef ssize_t result, rest
    cdef int error = 0
    cdef int vain = 0  # how many waits in a row ended at once, with nothing to do
    cdef long long began
    if t.size > QUICK_SIZE:
        t.fd = number_of(sock)  # for `brings_much`
    gil_held = keeps_gil(t, sending)
    if timeout < 0:
        # The socket is in blocking mode. MSG_WAITALL would be cut short by a try that cannot block, and so would what
        # SO_RCVLOWAT asks for.
        if gil_held and not t.flags & libc.MSG_WAITALL and (sending or not sock._sp_waits_first):
            result = tried(sock, t, True, libc.MSG_DONTWAIT, &error)
            if result >= 0:
                if sending and result < <ssize_t>t.size and advance(t, result):
                    # The kernel's blocking send takes all of a stream's bytes, so the rest has to go too. What is
                    # sent is sent: an error now shows itself in the next call.
                    rest = tried(sock, t, False, 0, &error)
                    if rest > 0:
                        result += rest
                return noted(t, result)
            if error == libc.EINTR:
                PyErr_CheckSignals()
            elif not would_block(error):
                return fail(error)
        while True:
            result = tried(sock, t, False, 0, &error)
            if result <= 0 and number_of(sock) < 0:
                check_woken(sock)
            if result >= 0:
                return noted(t, result)
            # EAGAIN here comes from SO_RCVTIMEO or from somebody else's O_NONBLOCK, and is the caller's to see.
            if error != libc.EINTR:
                return fail(error)
            PyErr_CheckSignals()
    if timeout > 0 and (t.operation >= ACCEPT or (not sending and sock._sp_waits_first)):
        # accept has no flags, and O_NONBLOCK may have been cleared by others: only a wait keeps the deadline.
        if not wait(sock, events, timeout, deadline):
            raise TimeoutError("timed out")
    while True:
        # MSG_DONTWAIT, since O_NONBLOCK is not ours alone: whoever shares the open file description can clear it.
        result = tried(sock, t, gil_held, 0 if t.operation >= ACCEPT else libc.MSG_DONTWAIT, &error)
        if result >= 0:
            return noted(t, result)
        if error == libc.EINTR:
            PyErr_CheckSignals()
        elif timeout == 0 or not would_block(error):
            return fail(error)
        else:
            began = 0
            if vain:
                # A signal interrupts no wait that ends at once, so its handler runs here.
                PyErr_CheckSignals()
                if vain >= VAIN_WAITS and not sending and t.operation < ACCEPT:
                    pause()
                began = monotonic_ns()
            if not wait(sock, events, timeout, deadline):
                raise TimeoutError("timed out")
            vain = vain + 1 if began == 0 or monotonic_ns() - began < VAIN_NS else 0


cdef void pause() noexcept:
    """Leaves the processor to others for a millisecond.

    poll(2) reports a datagram socket that was shut down as ready for ever, and there is never anything to receive.
    """
    with nogil:
        libc.c_poll(NULL, 0, 1)
        libc.sp_gil_asking()
    libc.sp_gil_returned()


# -- buffers ----------------------------------------------------------------------------------------------------------


cdef extern from "Python.h":
    void Py_XDECREF(PyObject *)
    PyObject *new_bytes "PyBytes_FromStringAndSize" (const char *data, Py_ssize_t size) except NULL
    char *bytes_data "PyBytes_AS_STRING" (PyObject *)
    Py_ssize_t bytes_size "PyBytes_GET_SIZE" (PyObject *)

# A bytes object that nobody has seen, for the next large receive. Programs ask for 64 or 256 KiB and mostly get some
# hundred bytes: making an object of that size, and touching its pages, takes longer than the system call.
cdef PyObject *spare = NULL


cdef bytes receive(Descriptor sock, Transfer *t, Py_ssize_t bufsize, long long timeout):
    """What a transfer receives into memory of its own, *bufsize* bytes at most."""
    cdef char stack[STACK_SIZE]
    cdef PyObject *room
    cdef PyObject *idle
    cdef ssize_t count
    cdef Py_ssize_t size
    t.size = bufsize
    if bufsize <= STACK_SIZE:
        t.data = stack
        point(t)
        clear(t)
        count = _transfer(sock, t, False, timeout)
        # MSG_TRUNC makes the kernel tell the datagram's length, which may be more than there was room for.
        return PyBytes_FromStringAndSize(stack, count if count < bufsize else bufsize)
    room = libc.sp_exchange(&spare, <PyObject *>NULL)
    if room == NULL or bytes_size(room) < bufsize:
        Py_XDECREF(room)
        room = new_bytes(NULL, bufsize)
    size = bytes_size(room)
    t.data = bytes_data(room)
    point(t)
    clear(t)
    try:
        count = _transfer(sock, t, False, timeout)
        count = count if count < bufsize else bufsize
        if count <= size // 4 and size <= SPARE_SIZE:
            return PyBytes_FromStringAndSize(t.data, count)
        idle = room
        room = NULL
        return shortened(idle, count)
    finally:
        if size <= SPARE_SIZE and room != NULL:
            room = libc.sp_exchange(&spare, room)
        Py_XDECREF(room)


cdef inline void clear(Transfer *t) noexcept:
    """Fills the room with zeros where the kernel may count bytes that it does not write: with MSG_TRUNC a stream throws
    its data away (tcp(7)). What lies there is another connection's data, or the stack's."""
    if t.flags & libc.MSG_TRUNC:
        memset(t.data, 0, t.size)


cdef inline void point(Transfer *t) noexcept:
    """Lets the message of a transfer that has one receive into its data."""
    if t.operation == RECVMSG:
        t.message.msg_iov.iov_base = t.data
        t.message.msg_iov.iov_len = t.size


cdef bytes shortened(PyObject *data, Py_ssize_t size):
    """The bytes object that *data* points to, a reference that this call takes, cut to *size* bytes."""
    _PyBytes_Resize(&data, size)
    result = <bytes>data
    # _PyBytes_Resize gave back a reference of our own, and `result` has taken another.
    Py_XDECREF(data)
    return result


cdef bint exports_writable(object buffer, Py_buffer *view) except -1:
    """Exports a buffer that can be written to; False when it has none. Whoever raises for it does so outside, or the
    error would hide this one."""
    try:
        PyObject_GetBuffer(buffer, view, PyBUF_WRITABLE)
    except Exception:
        return False
    return True


cdef int export_writable(object buffer, Py_buffer *view, str caller) except -1:
    if not exports_writable(buffer, view):
        raise TypeError(
            f"{caller}() argument 1 must be read-write bytes-like object, not {type(buffer).__name__}")
    return 0


cdef int sized(Py_buffer *view, Py_ssize_t nbytes, Transfer *t) except -1:
    """Points *t* at the first *nbytes* of the buffer; 0 is all of it."""
    if nbytes > view.len:
        if t.operation == RECVFROM:
            raise ValueError("nbytes is greater than the length of the buffer")
        raise ValueError("buffer too small for requested bytes")
    t.data = <char *>view.buf
    t.size = nbytes if nbytes else view.len
    return 0


cdef inline bytes address_bytes(libc.sockaddr_storage *storage, libc.socklen_t size):
    if size > sizeof(libc.sockaddr_storage):
        size = sizeof(libc.sockaddr_storage)
    return PyBytes_FromStringAndSize(<char *>storage, size)


cdef inline bytes sockaddr_bytes(const libc.sockaddr *address):
    """An address that the C library has made, of which its family tells the size."""
    return PyBytes_FromStringAndSize(<const char *>address, libc.sp_sockaddr_size(address))


# -- messages ---------------------------------------------------------------------------------------------------------


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


# -- the resolver -----------------------------------------------------------------------------------------------------


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


# -- the contract -----------------------------------------------------------------------------------------------------


cdef inline int accepted(Descriptor sock, Transfer *t, long long timeout) except -1:
    """The descriptor that a transfer accepts, close-on-exec and blocking."""
    return <int>_transfer(sock, t, False, timeout)


cdef class Syscalls(Contract):
    features = frozenset({"compiled-core", "keeps-gil", *(("sa-len",) if libc.SP_HAVE_SA_LEN else ())})

    def constants(self):
        cdef int i
        return {
            libc.socketpkg_constants[i].name.decode("ascii"): libc.socketpkg_constants[i].value
            for i in range(libc.socketpkg_constants_count)
        }

    def describe(self):
        return {
            "compiler": libc.SP_COMPILER.decode(),
            "cython": ".".join([str(CYTHON_HEX_VERSION >> shift & 255) for shift in (24, 16, 8)]),
            "libc": libc.SP_LIBC.decode(),
        }

    # -- descriptors

    cpdef int socket(self, int family, int type, int proto) except -1:
        cdef int fd = check(libc.c_socket(family, type | libc.SP_SOCK_CLOEXEC, proto))
        if not libc.SP_HAVE_SOCK_CLOEXEC:
            libc.c_ioctl(fd, libc.FIOCLEX)
        return fd

    cpdef tuple socketpair(self, int family, int type, int proto):
        cdef int fds[2]
        check(libc.c_socketpair(family, type | libc.SP_SOCK_CLOEXEC, proto, fds))
        if not libc.SP_HAVE_SOCK_CLOEXEC:
            libc.c_ioctl(fds[0], libc.FIOCLEX)
            libc.c_ioctl(fds[1], libc.FIOCLEX)
        return fds[0], fds[1]

    cpdef tuple accept(self, Descriptor sock, long long timeout):
        cdef libc.sockaddr_storage storage
        cdef Transfer t
        cdef int connection
        memset(&t, 0, sizeof(t))
        t.operation = ACCEPT
        t.address = <libc.sockaddr *>&storage
        connection = accepted(sock, &t, timeout)
        try:
            return connection, address_bytes(&storage, t.address_size)
        except BaseException:
            libc.c_close(connection)
            raise

    def accept_unnamed(self, Descriptor sock, long long timeout):
        cdef Transfer t
        memset(&t, 0, sizeof(t))
        t.operation = ACCEPT
        # It comes at once, and poll(2) does not know.
        return accepted(sock, &t, timeout if timeout < 0 else 0)

    cpdef accept_many(self, Descriptor sock, Py_ssize_t count, long long timeout, list found):
        cdef Burst burst
        cdef Transfer t
        cdef Py_ssize_t left = count
        cdef int waiting, i, error = 0
        memset(&t, 0, sizeof(t))
        t.operation = ACCEPT_MANY
        t.data = <char *>&burst
        burst.number = &sock._sp_fd
        while left > 0:
            burst.count = <int>left if left < BURST_COUNT else BURST_COUNT
            burst.goes_on = left < count
            if burst.goes_on:
                waiting = <int>tried(sock, &t, False, 0, &error)
                if waiting < 0:
                    return
            else:
                waiting = <int>_transfer(sock, &t, False, timeout)
            i = 0
            try:
                while i < waiting:
                    found.append((burst.fds[i], address_bytes(&burst.names[i], burst.sizes[i])))
                    i += 1
            except BaseException:
                while i < waiting:
                    libc.c_close(burst.fds[i])
                    i += 1
                raise
            if waiting < burst.count:
                return
            left -= waiting

    cpdef close(self, int fd):
        cdef int result, error
        with nogil:
            result = libc.c_close(fd)
            error = errno
        if result < 0:
            fail(error)

    cpdef int dup(self, int fd) except -1:
        return check(libc.c_fcntl(fd, libc.F_DUPFD_CLOEXEC, 0))

    cpdef set_blocking(self, Descriptor sock, bint blocking):
        cdef int nonblocking = not blocking
        check(libc.c_ioctl(number_of(sock), libc.FIONBIO, &nonblocking))

    # -- addresses

    cpdef bind(self, Descriptor sock, bytes address):
        cdef const char *data = PyBytes_AS_STRING(address)
        cdef libc.socklen_t size = <libc.socklen_t>PyBytes_GET_SIZE(address)
        cdef int fd = number_of(sock), result, error
        with nogil:  # the path of a UNIX socket may be on a slow file system
            result = libc.c_bind(fd, <const libc.sockaddr *>data, size)
            error = errno
            libc.sp_gil_asking()
        libc.sp_gil_returned()
        if result < 0:
            fail(error)

    cpdef int connect(self, Descriptor sock, bytes address, long long timeout) except -2:
        cdef const char *data = PyBytes_AS_STRING(address)
        cdef libc.socklen_t size = <libc.socklen_t>PyBytes_GET_SIZE(address)
        cdef long long deadline = 0
        cdef int fd = number_of(sock), result, error
        # Without the GIL: no argument keeps connect(2) from blocking, and O_NONBLOCK is not ours alone.
        with nogil:
            result = libc.c_connect(fd, <const libc.sockaddr *>data, size)
            error = errno
            libc.sp_gil_asking()
        libc.sp_gil_returned()
        if result == 0:
            return 0
        if error == libc.EINTR:
            PyErr_CheckSignals()
            # The kernel goes on connecting; asked a second time it would say EALREADY.
            if timeout == 0:
                return error
        elif error != libc.EINPROGRESS or timeout <= 0:
            return error
        if not wait(sock, libc.POLLOUT, timeout, &deadline):
            return -1
        if number_of(sock) < 0:
            return libc.EBADF
        error = self.getsockopt_int(sock, libc.SOL_SOCKET, libc.SO_ERROR)
        return 0 if error == libc.EISCONN else error

    cpdef listen(self, Descriptor sock, int backlog):
        check(libc.c_listen(number_of(sock), backlog))

    cpdef shutdown(self, Descriptor sock, int how):
        check(libc.c_shutdown(number_of(sock), how))

    def sockatmark(self, Descriptor sock):
        return check(sockatmark(number_of(sock))) != 0

    cpdef bytes getsockname(self, Descriptor sock):
        cdef libc.sockaddr_storage storage
        cdef libc.socklen_t size = sizeof(storage)
        check(libc.c_getsockname(number_of(sock), <libc.sockaddr *>&storage, &size))
        return address_bytes(&storage, size)

    cpdef bytes getpeername(self, Descriptor sock):
        cdef libc.sockaddr_storage storage
        cdef libc.socklen_t size = sizeof(storage)
        check(libc.c_getpeername(number_of(sock), <libc.sockaddr *>&storage, &size))
        return address_bytes(&storage, size)

    # -- options

    cpdef int getsockopt_int(self, Descriptor sock, int level, int option) except? -1:
        cdef int value = 0
        cdef libc.socklen_t size = sizeof(value)
        check(libc.c_getsockopt(number_of(sock), level, option, &value, &size))
        return value

    cpdef bytes getsockopt(self, Descriptor sock, int level, int option, int buflen):
        cdef char value[1024]
        cdef libc.socklen_t size = buflen
        cdef bytes large
        if buflen < 1:
            raise ValueError("buflen is not positive")
        if buflen > <int>sizeof(value):
            large = bytes(buflen)
            check(libc.c_getsockopt(number_of(sock), level, option, PyBytes_AS_STRING(large), &size))
            return large[:min(<int>size, buflen)]
        # Some options leave a gap in what they write; nothing of our stack may show through it.
        memset(value, 0, buflen)
        check(libc.c_getsockopt(number_of(sock), level, option, value, &size))
        return PyBytes_FromStringAndSize(value, size)

    cpdef setsockopt_int(self, Descriptor sock, int level, int option, int value):
        check(libc.c_setsockopt(number_of(sock), level, option, &value, sizeof(value)))

    cpdef setsockopt(self, Descriptor sock, int level, int option, object value):
        cdef Py_buffer view
        PyObject_GetBuffer(value, &view, PyBUF_SIMPLE)
        try:
            if view.len > INT_MAX:
                raise OverflowError("socket option is larger than INT_MAX bytes")
            check(libc.c_setsockopt(number_of(sock), level, option, view.buf, <libc.socklen_t>view.len))
        finally:
            PyBuffer_Release(&view)

    cpdef setsockopt_null(self, Descriptor sock, int level, int option, unsigned int optlen):
        check(libc.c_setsockopt(number_of(sock), level, option, NULL, optlen))

    # -- transfer

    cpdef bytes recv(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout):
        cdef Transfer t
        t.operation = RECV
        t.flags = flags
        return receive(sock, &t, bufsize, timeout)

    cpdef Py_ssize_t recv_into(
        self, Descriptor sock, object buffer, Py_ssize_t nbytes, int flags, long long timeout
    ) except -1:
        cdef Py_buffer view
        cdef Transfer t
        export_writable(buffer, &view, "recv_into")
        try:
            t.operation = RECV
            t.flags = flags
            sized(&view, nbytes, &t)
            if t.size == 0:
                return 0
            return _transfer(sock, &t, False, timeout)
        finally:
            PyBuffer_Release(&view)

    cpdef tuple recvfrom(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout):
        cdef libc.sockaddr_storage storage
        cdef Transfer t
        t.operation = RECVFROM
        t.flags = flags
        t.address = <libc.sockaddr *>&storage
        data = receive(sock, &t, bufsize, timeout)
        return data, address_bytes(&storage, t.address_size)

    cpdef tuple recvfrom_into(self, Descriptor sock, object buffer, Py_ssize_t nbytes, int flags, long long timeout):
        cdef Py_buffer view
        cdef libc.sockaddr_storage storage
        cdef Transfer t
        cdef ssize_t count
        export_writable(buffer, &view, "recvfrom_into")
        try:
            t.operation = RECVFROM
            t.flags = flags
            t.address = <libc.sockaddr *>&storage
            sized(&view, nbytes, &t)
            count = _transfer(sock, &t, False, timeout)
        finally:
            PyBuffer_Release(&view)
        return count, address_bytes(&storage, t.address_size)

    cpdef Py_ssize_t send(self, Descriptor sock, object data, int flags, long long timeout) except -1:
        cdef Py_buffer view
        cdef Transfer t
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            t.operation = SEND
            t.flags = flags
            t.data = <char *>view.buf
            t.size = view.len
            return _transfer(sock, &t, True, timeout)
        finally:
            PyBuffer_Release(&view)

    cpdef sendall(self, Descriptor sock, object data, int flags, long long timeout):
        cdef Py_buffer view
        cdef Transfer t
        cdef long long deadline = 0
        cdef char *data_left
        cdef Py_ssize_t left, count
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        left = view.len
        try:
            t.operation = SEND
            t.flags = flags
            data_left = <char *>view.buf
            if timeout > 0:
                deadline = saturated_sum(monotonic_ns(), timeout)
            while True:
                t.data = data_left
                t.size = left
                count = _transfer_until(sock, &t, True, timeout, &deadline)
                data_left += count
                left -= count
                PyErr_CheckSignals()
                if left == 0:
                    return
                if timeout > 0 and monotonic_ns() >= deadline:
                    raise TimeoutError("timed out")
        except BaseException as failure:
            failure.characters_written = view.len - left
            raise
        finally:
            PyBuffer_Release(&view)

    cpdef Py_ssize_t sendto(self, Descriptor sock, object data, int flags, bytes address, long long timeout) except -1:
        cdef Py_buffer view
        cdef Transfer t
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            t.operation = SENDTO
            t.flags = flags
            t.data = <char *>view.buf
            t.size = view.len
            t.address = <libc.sockaddr *>PyBytes_AS_STRING(address)
            t.address_size = <libc.socklen_t>PyBytes_GET_SIZE(address)
            return _transfer(sock, &t, True, timeout)
        finally:
            PyBuffer_Release(&view)

    cpdef tuple recvmsg(self, Descriptor sock, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout):
        return receive_message(sock, bufsize, None, ancbufsize, flags, timeout)

    cpdef tuple recvmsg_into(self, Descriptor sock, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout):
        return receive_message(sock, 0, buffers, ancbufsize, flags, timeout)

    cpdef Py_ssize_t sendmsg(
        self, Descriptor sock, tuple buffers, tuple ancillary, int flags, bytes address, long long timeout
    ) except -1:
        cdef Message message
        cdef Transfer t
        begin(&message)
        try:
            take(&message, buffers, False)
            fill_control(&message, ancillary)
            if address:
                message.header.msg_name = PyBytes_AS_STRING(address)
                message.header.msg_namelen = <libc.socklen_t>PyBytes_GET_SIZE(address)
            memset(&t, 0, sizeof(t))
            t.operation = SENDMSG
            t.flags = flags
            t.size = message.total
            t.message = &message.header
            return _transfer(sock, &t, True, timeout)
        finally:
            release(&message)

    def cmsg_len(self, size_t length):
        return libc.CMSG_LEN(length)

    def cmsg_space(self, size_t length):
        return libc.CMSG_SPACE(length)

    # -- names and numbers

    cpdef list getaddrinfo(self, bytes host, bytes service, int family, int type, int proto, int flags):
        cdef libc.addrinfo hints
        cdef libc.addrinfo *found = NULL
        cdef libc.addrinfo *entry
        cdef const char *host_text = NULL if host is None else PyBytes_AS_STRING(host)
        cdef const char *service_text = NULL if service is None else PyBytes_AS_STRING(service)
        cdef int code, error
        cdef list result = []
        memset(&hints, 0, sizeof(hints))
        hints.ai_family = family
        hints.ai_socktype = type
        hints.ai_protocol = proto
        hints.ai_flags = flags
        with nogil:
            code = libc.c_getaddrinfo(host_text, service_text, &hints, &found)
            error = errno
        if code:
            # A failure may leave anything in `found`: it is not freed (gh-100795).
            raise_gaierror(code, error)
        try:
            entry = found
            while entry != NULL:
                result.append((
                    entry.ai_family,
                    entry.ai_socktype,
                    entry.ai_protocol,
                    b"" if entry.ai_canonname == NULL else <bytes>entry.ai_canonname,
                    PyBytes_FromStringAndSize(<char *>entry.ai_addr, entry.ai_addrlen),
                ))
                entry = entry.ai_next
        finally:
            if found != NULL:
                libc.freeaddrinfo(found)
        return result

    def getnameinfo(self, bytes address, int flags):
        cdef char host[1025]  # NI_MAXHOST and NI_MAXSERV of every platform
        cdef char service[32]
        cdef const char *data = PyBytes_AS_STRING(address)
        cdef libc.socklen_t size = <libc.socklen_t>PyBytes_GET_SIZE(address)
        cdef int code, error
        with nogil:
            code = libc.c_getnameinfo(
                <const libc.sockaddr *>data, size, host, sizeof(host), service, sizeof(service), flags)
            error = errno
        if code:
            raise_gaierror(code, error)
        return <bytes>host, <bytes>service

    def gethostbyname(self, bytes name, int family):
        return host_entry(family, name, None)

    def gethostbyaddr(self, bytes packed, int family):
        return host_entry(family, None, packed)

    # The next three give the C library's own memory away, so the GIL is held until it has been read.

    def getservbyname(self, bytes name, bytes proto):
        return libc.sp_getservbyname(PyBytes_AS_STRING(name), NULL if proto is None else PyBytes_AS_STRING(proto))

    def getservbyport(self, unsigned short port, bytes proto):
        cdef const char *protocol = NULL if proto is None else PyBytes_AS_STRING(proto)
        cdef char name[256]
        cdef bytes whole
        cdef int length = libc.sp_getservbyport(port, protocol, name, sizeof(name))
        if length < 0:
            return None
        if length <= <int>sizeof(name):
            return PyBytes_FromStringAndSize(name, length)
        whole = PyBytes_FromStringAndSize(NULL, length)
        libc.sp_getservbyport(port, protocol, PyBytes_AS_STRING(whole), length)
        return whole

    def getprotobyname(self, bytes name):
        return libc.sp_getprotobyname(PyBytes_AS_STRING(name))

    def if_nameindex(self):
        cdef libc.if_nameindex_entry *entries = libc.c_if_nameindex()
        cdef int i = 0
        if entries == NULL:
            check(-1)
        try:
            result = []
            while entries[i].if_index:
                result.append((entries[i].if_index, <bytes>entries[i].if_name))
                i += 1
            return result
        finally:
            libc.if_freenameindex(entries)

    def getifaddrs(self):
        cdef libc.ifaddrs *entries = NULL
        cdef libc.ifaddrs *entry
        cdef int result, error
        with nogil:
            result = libc.c_getifaddrs(&entries)
            error = errno
        if result < 0:
            fail(error)
        try:
            found = []
            entry = entries
            while entry != NULL:
                found.append((
                    <bytes>entry.ifa_name, entry.ifa_flags,
                    sockaddr_bytes(entry.ifa_addr), sockaddr_bytes(entry.ifa_netmask),
                    sockaddr_bytes(entry.ifa_dstaddr),
                ))
                entry = entry.ifa_next
            return found
        finally:
            if entries != NULL:
                libc.freeifaddrs(entries)

    def if_nametoindex(self, bytes name):
        cdef unsigned int index = libc.c_if_nametoindex(PyBytes_AS_STRING(name))
        if index == 0:
            check(-1)
        return index

    def if_indextoname(self, unsigned int index):
        cdef char name[256]  # IFNAMSIZ is 16 on all platforms but one, where it is 256
        if libc.c_if_indextoname(index, name) == NULL:
            check(-1)
        return <bytes>name

    cpdef bytes inet_pton(self, int family, str text):
        cdef char packed[16]
        cdef int result = libc.c_inet_pton(family, PyUnicode_AsUTF8(text), packed)
        if result > 0:
            return PyBytes_FromStringAndSize(packed, 4 if family == libc.AF_INET else 16)
        if result < 0:
            check(-1)
        return None

    cpdef str inet_ntop(self, int family, bytes packed):
        cdef char text[64]
        if libc.c_inet_ntop(family, PyBytes_AS_STRING(packed), text, sizeof(text)) == NULL:
            check(-1)
        return PyUnicode_FromString(text)

    def inet_aton(self, str text):
        cdef libc.in_addr packed
        if libc.c_inet_aton(PyUnicode_AsUTF8(text), &packed):
            return PyBytes_FromStringAndSize(<char *>&packed, sizeof(packed))
        return None

    # -- many messages at once

    cpdef tuple recvmmsg(
        self, Descriptor sock, Py_ssize_t count, Py_ssize_t bufsize, Py_ssize_t ancbufsize, int flags, long long timeout
    ):
        if not libc.SP_HAVE_MMSG:
            return Contract.recvmmsg(self, sock, count, bufsize, ancbufsize, flags, timeout)
        return receive_many(self, sock, count, bufsize, None, ancbufsize, flags, timeout)

    cpdef tuple recvmmsg_into(
        self, Descriptor sock, tuple buffers, Py_ssize_t ancbufsize, int flags, long long timeout
    ):
        if not libc.SP_HAVE_MMSG:
            return Contract.recvmmsg_into(self, sock, buffers, ancbufsize, flags, timeout)
        return receive_many(self, sock, len(buffers), 0, buffers, ancbufsize, flags, timeout)

    cpdef Py_ssize_t sendmmsg(
        self, Descriptor sock, list data, list ancillary, list addresses, int flags, long long timeout
    ) except -1:
        if not libc.SP_HAVE_MMSG:
            return Contract.sendmmsg(self, sock, data, ancillary, addresses, flags, timeout)
        return send_many(sock, data, ancillary, addresses, flags, timeout)

    cpdef tuple recv_segments(self, Descriptor sock, Py_ssize_t bufsize, int flags, long long timeout):
        cdef libc.sockaddr_storage storage
        cdef libc.msghdr header
        cdef libc.iovec vector
        cdef long long control[64]  # aligned as a cmsghdr has to be, with room for those of other options
        cdef Transfer t
        cdef Py_ssize_t count, size, start
        cdef list segments = []
        cdef char *data = <char *>PyMem_Malloc(bufsize or 1)
        if data == NULL:
            raise MemoryError
        try:
            vector.iov_base = data
            vector.iov_len = bufsize
            memset(&header, 0, sizeof(header))
            header.msg_name = &storage
            header.msg_namelen = sizeof(storage)
            header.msg_iov = &vector
            header.msg_iovlen = 1
            header.msg_control = control
            header.msg_controllen = sizeof(control)
            memset(&t, 0, sizeof(t))
            t.operation = RECVMSG
            t.flags = flags
            t.size = bufsize
            t.message = &header
            count = _transfer(sock, &t, False, timeout)
            if count > bufsize:
                count = bufsize
            size = segment_size(&header)
            if size < 1 or size > count:
                size = count
            start = 0
            while True:
                if size > count - start:
                    size = count - start
                segments.append(PyBytes_FromStringAndSize(data + start, size))
                start += size
                if start >= count:
                    break
        finally:
            PyMem_Free(data)
        return segments, address_bytes(&storage, header.msg_namelen)

    def gethostname(self):
        cdef char name[1025]
        check(libc.c_gethostname(name, sizeof(name) - 1))
        name[sizeof(name) - 1] = 0
        return <bytes>name

    def sethostname(self, bytes name):
        check(libc.c_sethostname(PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name)))


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


# -- many messages at once --------------------------------------------------------------------------------------------

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
                # It is the next call's: one that came up here would be lost.
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


# -- for _ssl ---------------------------------------------------------------------------------------------------------

cdef struct SocketAPI:
    PyObject *socket_type
    PyObject *error
    PyObject *timeout_error

# The capsule points to it.
cdef SocketAPI socket_api


def keep_gil_for(long long budget):
    """Sets for how many nanoseconds a thread keeps the GIL, in place of what it finds out; 0 lets it. For tests."""
    libc.sp_gil_fixed = budget


def capi(type socket_type, str module, str name):
    """The capsule ``_socket.CAPI`` for CPython's ``_ssl``, which takes instances of *socket_type*.

    It is a type of this package's `_core`: its objects have the fields that ``_ssl`` reads. From here on it is the
    *name* of *module*, and cannot be changed, as the standard library's cannot.
    """
    socket_type.__module__ = module
    socket_type.__name__ = socket_type.__qualname__ = name
    (<PyTypeObject *>socket_type).tp_flags |= Py_TPFLAGS_IMMUTABLETYPE
    # Counted: _ssl holds no references of its own.
    Py_INCREF(socket_type)
    socket_api.socket_type = <PyObject *>socket_type
    socket_api.error = <PyObject *>OSError
    socket_api.timeout_error = <PyObject *>TimeoutError
    return PyCapsule_New(&socket_api, "_socket.CAPI", NULL)


# -- for layers --------------------------------------------------------------------------------------------------------


cdef object _raise_errno():
    """The error handler that CPython's _ssl finds in a socket."""
    PyErr_SetFromErrno(OSError)


cdef class Head(Descriptor):
    """What an interpreted `Socket` over these calls derives from, below the layers of a stack: the fields that the
    calls and CPython's _ssl read, for Python to write. It has the names of `socketpkg._engine.capi`."""

    def __cinit__(self):
        self._sp_fd = -1
        self._sp_timeout = -1
        self._sp_errorhandler = &_raise_errno

    @property
    def _sp_c_fd(self):
        return self._sp_fd

    @_sp_c_fd.setter
    def _sp_c_fd(self, int fd):
        self._sp_fd = fd

    @property
    def _sp_c_timeout(self):
        return self._sp_timeout

    @_sp_c_timeout.setter
    def _sp_c_timeout(self, long long timeout):
        self._sp_timeout = timeout

    @property
    def _sp_c_waits_first(self):
        return self._sp_waits_first

    @_sp_c_waits_first.setter
    def _sp_c_waits_first(self, bint waits_first):
        self._sp_waits_first = waits_first
