# Transfers: what each of them is about, waiting, and the one loop that they go through. A part of syscalls.pyx.

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
    # What recv() receives on the stack. A copy of 8 KiB takes longer than what it saves.
    STACK_SIZE = 4096
    # The most that is kept for the next recv() of more than that.
    SPARE_SIZE = 1048576
    NANOSECONDS_PER_MS = 1000000
    INT_MAX = 2147483647
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
    return libc.sp_number(<int *>&sock._sp_fd)


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
        return False  # its result counts messages, and its caller sends the others
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
    return t.size <= QUICK_SIZE or (t.operation <= RECVMSG and not libc.sp_byte(&brings_much[t.fd & (DESCRIPTORS - 1)]))


cdef inline ssize_t noted(Transfer *t, ssize_t result) noexcept nogil:
    """The result of a transfer, noted for the next one."""
    if t.size > QUICK_SIZE and t.operation <= RECVMSG:
        libc.sp_set_byte(&brings_much[t.fd & (DESCRIPTORS - 1)], result > QUICK_SIZE)
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
                    # The kernel's blocking send takes all of a stream's bytes, so the rest has to go too. After an
                    # error the partial count is the result: the next call meets the error.
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


cdef inline int accepted(Descriptor sock, Transfer *t, long long timeout) except -1:
    """The descriptor that a transfer accepts, close-on-exec and blocking."""
    return <int>_transfer(sock, t, False, timeout)


# -- buffers ----------------------------------------------------------------------------------------------------------


cdef extern from "Python.h":
    void Py_XDECREF(PyObject *)
    # It says by its result that it has raised.
    int try_buffer "PyObject_GetBuffer" (object buffer, Py_buffer *view, int flags) noexcept
    PyObject *new_bytes "PyBytes_FromStringAndSize" (const char *data, Py_ssize_t size) except NULL
    char *bytes_data "PyBytes_AS_STRING" (PyObject *)
    Py_ssize_t bytes_size "PyBytes_GET_SIZE" (PyObject *)

# A bytes object that no other code refers to, for the next large receive. Programs ask for 64 or 256 KiB and mostly
# get some hundred bytes: making an object of that size, and touching its pages, takes longer than the system call.
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


cdef inline int exports_writable(object buffer, Py_buffer *view) except -1:
    """Exports a buffer that can be written to: 1, or 0 when it has none. The caller then raises its own error, which
    so has no context."""
    if try_buffer(buffer, view, PyBUF_WRITABLE) == 0:
        return 1
    if not PyErr_ExceptionMatches(Exception):
        return -1
    PyErr_Clear()
    return 0


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
