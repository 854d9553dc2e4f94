"""The contract between `Socket` and a backend.

A backend is one class, ``Syscalls``, a subclass of the one below. Each of its calls is about one system call
(or one function of the C library) and knows nothing of Python's addresses, enums, defaults or of the state of a
socket. Conventions that hold for every call:

* A call on a socket gets the socket (a `Descriptor`) and not its number. It reads the number right before each
  system call, and reads it again after each wait and before each further round: another thread or the handler of a
  signal may have closed the socket meanwhile, and the number may be that of another file. -1 gives EBADF.
* A descriptor that a call makes is an ``int``, and close-on-exec. One that cannot be handed over is closed again.
* An address is the raw ``sockaddr`` as ``bytes``, of the length that the kernel takes or gave.
* A timeout is a whole number of nanoseconds: negative waits for ever, ``0`` never waits. One deadline covers the
  whole call however often it is woken. The socket is in blocking mode exactly when its timeout is negative.
* The call is tried first and waits second: only when the kernel says EAGAIN does it wait for the descriptor, and
  it raises ``TimeoutError("timed out")`` when the deadline passes, ``BlockingIOError`` when the timeout is 0.
  A socket with ``_sp_waits_first`` waits first (SO_RCVLOWAT).
* A call that keeps the GIL cannot block by its own arguments (MSG_DONTWAIT). It does not trust O_NONBLOCK: that
  belongs to the open file description, and a duplicate or another process may have cleared it. accept and connect
  have no such argument, and release the GIL.
* A signal that arrives runs its Python handler; the call then goes on with what is left of its time (PEP 475), or
  ends with what the handler raised.
* A failure is ``OSError(errno, strerror)`` and nothing else is.
* Integers arrive as Python ints that fit the C type named in the docstring; `Socket` has checked them.
* Objects called *buffer* support the buffer protocol. They stay exported for exactly the call, also when it fails.

This file is also what the ``c`` backend is built on: Cython compiles it as ``socketpkg_c.contract``. It must
therefore import nothing that is slow to import, and stay plain Python.
"""

from __future__ import annotations

from _socket import IPPROTO_UDP, MSG_DONTWAIT, SCM_RIGHTS, SOL_SOCKET
from sys import byteorder

from socketpkg._engine.originals import close, dup, fsencode, nodename, set_blocking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Set
    from typing import Protocol

    from _typeshed import ReadableBuffer, WriteableBuffer

    Items = list[tuple[int, int, bytes]]

    class HasDescriptor(Protocol):
        """What a call asks: a `Descriptor` or a `Socket`."""

        _sp_fd: int
        _sp_waits_first: bool


#: The control message with the size of joined datagrams (linux/udp.h), and room for it behind those that other options
#: of the socket ask for.
UDP_GRO = 104
SEGMENT_CONTROL = 512
#: Of poll(2).
_POLLIN = 1


class Descriptor:
    """The descriptor of a socket, which another thread may close while a call uses it.

    The calls take one and never keep it. `Socket` is one that owns its descriptor; this class alone owns nothing. Its
    names are such as no program uses: subclasses of the public class set attributes of their own.
    """

    __slots__ = ("_sp_fd", "_sp_waits_first")

    def __init__(self, fd: int) -> None:
        #: The number; -1 when the socket is closed or detached.
        self._sp_fd = fd
        #: Whether a receive has to wait before its first try.
        self._sp_waits_first = False


class RequiredSyscalls:
    """What every backend must bring. The loader refuses a backend that lacks one of these."""

    def constants(self) -> Mapping[str, int]:
        """The constants of the platform's headers by name: those of `socketpkg._engine.constants.NAMES` that it has."""
        raise NotImplementedError

    # -- descriptors ---------------------------------------------------------------------------------------------

    def socket(self, family: int, type: int, proto: int) -> int:
        """socket(2), close-on-exec. Three C ints; returns the descriptor."""
        raise NotImplementedError

    def socketpair(self, family: int, type: int, proto: int) -> tuple[int, int]:
        """socketpair(2), both ends close-on-exec."""
        raise NotImplementedError

    def accept(self, sock: HasDescriptor, timeout: int) -> tuple[int, bytes]:
        """accept4(2): the descriptor of the connection, close-on-exec and in blocking mode, and the peer's address
        (empty when the kernel gave none)."""
        raise NotImplementedError

    # -- addresses -----------------------------------------------------------------------------------------------

    def bind(self, sock: HasDescriptor, address: bytes) -> None:
        """bind(2)."""
        raise NotImplementedError

    def connect(self, sock: HasDescriptor, address: bytes, timeout: int) -> int:
        """connect(2), finished: when the kernel goes on in the background (EINPROGRESS, EINTR) and the timeout
        allows it, waits until the descriptor is writable and reads SO_ERROR.

        Returns 0 when connected, the errno when not (EINPROGRESS when the timeout is 0), and -1 when the time ran
        out. It does not raise for a failed connection, since connect_ex() must not either.
        """
        raise NotImplementedError

    def listen(self, sock: HasDescriptor, backlog: int) -> None:
        """listen(2)."""
        raise NotImplementedError

    def shutdown(self, sock: HasDescriptor, how: int) -> None:
        """shutdown(2)."""
        raise NotImplementedError

    def sockatmark(self, sock: HasDescriptor) -> bool:
        """sockatmark(3): whether the next byte to be read is the one behind urgent data."""
        raise NotImplementedError

    def getsockname(self, sock: HasDescriptor) -> bytes:
        """getsockname(2): as many bytes as the kernel gave, at most the size of a sockaddr_storage."""
        raise NotImplementedError

    def getpeername(self, sock: HasDescriptor) -> bytes:
        """getpeername(2), with a result as that of getsockname."""
        raise NotImplementedError

    # -- options -------------------------------------------------------------------------------------------------

    def getsockopt_int(self, sock: HasDescriptor, level: int, option: int) -> int:
        """getsockopt(2) of an option that is a C int."""
        raise NotImplementedError

    def getsockopt(self, sock: HasDescriptor, level: int, option: int, buflen: int) -> bytes:
        """getsockopt(2) into a buffer of *buflen* bytes (1 or more): as many as the kernel gave."""
        raise NotImplementedError

    def setsockopt_int(self, sock: HasDescriptor, level: int, option: int, value: int) -> None:
        """setsockopt(2) with a C int."""
        raise NotImplementedError

    def setsockopt(self, sock: HasDescriptor, level: int, option: int, value: ReadableBuffer) -> None:
        """setsockopt(2) with the bytes of a buffer."""
        raise NotImplementedError

    def setsockopt_null(self, sock: HasDescriptor, level: int, option: int, optlen: int) -> None:
        """setsockopt(2) with a null pointer and the length *optlen* (a C unsigned int), as AF_ALG wants it."""
        raise NotImplementedError

    # -- transfer ------------------------------------------------------------------------------------------------

    def recv(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> bytes:
        """recv(2) of at most *bufsize* bytes (1 or more)."""
        raise NotImplementedError

    def recv_into(self, sock: HasDescriptor, buffer: WriteableBuffer, nbytes: int, flags: int, timeout: int) -> int:
        """recv(2) into a writable buffer; returns the count. *nbytes* (0 or more) is the most to take; 0 means all
        that *buffer* has room for. ValueError("buffer too small for requested bytes") when it is less than that.
        Without room for a single byte it returns 0, and the system call is not made."""
        raise NotImplementedError

    def recvfrom(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> tuple[bytes, bytes]:
        """recvfrom(2): the data and the sender's address (empty when the kernel gave none)."""
        raise NotImplementedError

    def recvfrom_into(
        self, sock: HasDescriptor, buffer: WriteableBuffer, nbytes: int, flags: int, timeout: int
    ) -> tuple[int, bytes]:
        """As recv_into, with the sender's address as recvfrom gives it."""
        raise NotImplementedError

    def send(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> int:
        """send(2); returns the count. With a negative timeout a stream takes everything, as the kernel's own
        blocking send does; otherwise what fits at once."""
        raise NotImplementedError

    def sendall(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, timeout: int) -> None:
        """send(2) until every byte of *data* is taken; *timeout* covers all of it. Every round runs the Python
        handlers of signals that have arrived. With a timeout of 0, BlockingIOError when the kernel takes no more."""
        raise NotImplementedError

    def sendto(self, sock: HasDescriptor, data: ReadableBuffer, flags: int, address: bytes, timeout: int) -> int:
        """sendto(2); returns the count."""
        raise NotImplementedError

    def recvmsg(
        self, sock: HasDescriptor, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, bytes]:
        """recvmsg(2): data, ancillary items (level, type, data), msg_flags and address. The descriptors of SCM_RIGHTS
        are close-on-exec when *flags* have MSG_CMSG_CLOEXEC; some families refuse it.
        An item that was cut off is clipped to what lies within the control buffer. When the items cannot be handed
        over, the descriptors of SCM_RIGHTS among them are closed."""
        raise NotImplementedError

    def recvmsg_into(
        self, sock: HasDescriptor, buffers: tuple[WriteableBuffer, ...], ancbufsize: int, flags: int, timeout: int
    ) -> tuple[int, list[tuple[int, int, bytes]], int, bytes]:
        """As recvmsg, scattered into *buffers*, with the count in place of the data."""
        raise NotImplementedError

    def sendmsg(
        self,
        sock: HasDescriptor,
        buffers: tuple[ReadableBuffer, ...],
        ancillary: tuple[tuple[int, int, ReadableBuffer], ...],
        flags: int,
        address: bytes,
        timeout: int,
    ) -> int:
        """sendmsg(2) of gathered *buffers* and ancillary items (level, type, data); returns the count. An empty
        *address* means no address. No control buffer is passed when there are no items."""
        raise NotImplementedError

    def cmsg_len(self, length: int) -> int:
        """CMSG_LEN of cmsg(3). *length* is 0 to INT_MAX; the result may be larger."""
        raise NotImplementedError

    def cmsg_space(self, length: int) -> int:
        """CMSG_SPACE of cmsg(3)."""
        raise NotImplementedError

    # -- names and numbers ---------------------------------------------------------------------------------------

    def getaddrinfo(
        self, host: bytes | None, service: bytes | None, family: int, type: int, proto: int, flags: int
    ) -> list[tuple[int, int, int, bytes, bytes]]:
        """getaddrinfo(3): for each result family, type, protocol, canonical name (empty for none) and address.
        Raises gaierror(EAI code, gai_strerror), or OSError for EAI_SYSTEM. The strings hold no NUL."""
        raise NotImplementedError

    def getnameinfo(self, address: bytes, flags: int) -> tuple[bytes, bytes]:
        """getnameinfo(3): host and service. Raises as getaddrinfo does."""
        raise NotImplementedError

    def gethostbyname(self, name: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        """gethostbyname2_r(3), or what the platform has: primary name, aliases, family and packed addresses.
        Raises herror(h_errno, hstrerror)."""
        raise NotImplementedError

    def gethostbyaddr(self, packed: bytes, family: int) -> tuple[bytes, list[bytes], int, list[bytes]]:
        """gethostbyaddr_r(3) of a packed address (an in_addr or in6_addr); result and errors as gethostbyname's."""
        raise NotImplementedError

    def getservbyname(self, name: bytes, proto: bytes | None) -> int:
        """getservbyname(3): the port in host byte order, or -1 when there is none."""
        raise NotImplementedError

    def getservbyport(self, port: int, proto: bytes | None) -> bytes | None:
        """getservbyport(3): *port* is in host byte order. The name, or None when there is none."""
        raise NotImplementedError

    def getprotobyname(self, name: bytes) -> int:
        """getprotobyname(3): the number, or -1 when there is none."""
        raise NotImplementedError

    def if_nameindex(self) -> list[tuple[int, bytes]]:
        """if_nameindex(3)."""
        raise NotImplementedError

    def getifaddrs(self) -> list[tuple[bytes, int, bytes, bytes, bytes]]:
        """getifaddrs(3): of each entry the interface's name, its flags (a C unsigned int), and as raw sockaddr the
        address, the netmask, and the broadcast address or the peer's; empty where there is none."""
        raise NotImplementedError

    def if_nametoindex(self, name: bytes) -> int:
        """if_nametoindex(3). OSError with the errno that the C library set (ENODEV)."""
        raise NotImplementedError

    def if_indextoname(self, index: int) -> bytes:
        """if_indextoname(3) of a C unsigned int."""
        raise NotImplementedError

    def inet_pton(self, family: int, text: str) -> bytes | None:
        """inet_pton(3) for AF_INET and AF_INET6: the packed address, or None for another text.
        OSError (EAFNOSUPPORT) for another family. *text* holds no NUL and no surrogate."""
        raise NotImplementedError

    def inet_ntop(self, family: int, packed: bytes) -> str:
        """inet_ntop(3); *packed* has the family's length."""
        raise NotImplementedError

    def inet_aton(self, text: str) -> bytes | None:
        """inet_aton(3): four packed bytes, or None when the C library refuses *text*."""
        raise NotImplementedError

    def sethostname(self, name: bytes) -> None:
        """sethostname(2); the length is passed, so *name* may hold anything."""
        raise NotImplementedError


class Syscalls(RequiredSyscalls):
    """The contract: what a backend must bring, and what can be built from it or from the standard library.

    ``features`` names what this backend can do beyond the contract, or how it does it:

    ``keeps-gil``
        a call that cannot block keeps the GIL, so that a busy thread does not make it wait (architecture.md)
    ``compiled-core``
        `Socket` and the address codec are compiled together with the backend
    ``sa-len``
        a sockaddr begins with its length, as on the BSDs and macOS: a backend there has to say so
    """

    features: Set[str] = frozenset()

    def describe(self) -> dict[str, str]:
        """Facts for a bug report: what built it, which versions it runs with. Keys are short lower-case words."""
        return {}

    def close(self, fd: int) -> None:
        """close(2), not repeated after EINTR."""
        close(fd)

    def dup(self, fd: int) -> int:
        """A second descriptor for the same socket, close-on-exec (F_DUPFD_CLOEXEC)."""
        return dup(fd)

    def set_blocking(self, sock: HasDescriptor, blocking: bool) -> None:
        """Sets or clears O_NONBLOCK."""
        set_blocking(sock._sp_fd, blocking)

    def poll(self, waiting: list[tuple[int, int]], timeout: int) -> list[tuple[int, int]]:
        """poll(2) of descriptors with the events that are waited for: those that are ready, with their events, none
        when the time is up. It does not raise for that."""
        from select import poll

        poller = poll()
        for fd, events in waiting:
            poller.register(fd, events)
        # In whole milliseconds, rounded up: poll(2) must not return before the deadline.
        return poller.poll(None if timeout < 0 else min(-(-timeout // 1_000_000), 2**31 - 1))

    def interface_index(self, sock: HasDescriptor, name: bytes) -> int:
        """The index of an interface in the network namespace of *sock*: SIOCGIFINDEX of netdevice(7). OSError (ENODEV)
        for one that is not there. *name* has less than IF_NAMESIZE bytes.

        Here it is the namespace of the thread, which is another one only in a program that calls setns(2)."""
        return self.if_nametoindex(name)

    def interface_name(self, sock: HasDescriptor, index: int) -> bytes:
        """The name of an interface, given by a C int, in the network namespace of *sock*: SIOCGIFNAME of netdevice(7).
        OSError (ENODEV) for one that is not there. Here, too, it is the namespace of the thread."""
        return self.if_indextoname(index & 0xFFFFFFFF)

    def gethostname(self) -> bytes:
        """gethostname(2), in the encoding of the file system."""
        return fsencode(nodename())

    def accept_unnamed(self, sock: HasDescriptor, timeout: int) -> int:
        """accept4(2) on a socket of AF_ALG: the descriptor, close-on-exec and in blocking mode. The kernel has no
        address for it, and refuses to give one (ECONNABORTED). There is always one, and nothing to wait for."""
        return self.accept(sock, timeout)[0]

    def accept_many(self, sock: HasDescriptor, count: int, timeout: int, found: list[tuple[int, bytes]]) -> None:
        """accept4(2) until no connection waits: the first one is waited for as accept does it, and of the others, up to
        *count* (1 or more) in all, those are taken that are there. What accept gives of each is added to *found*: it is
        the caller's from then on, also when the call fails. An error behind the first connection ends the call, and is
        not raised.

        accept4(2) has no flag that keeps it from waiting. On a descriptor in blocking mode it waits in place of a
        connection that was there, and that another thread or process has taken in this instant."""
        start = len(found)
        # A plain object for Cython too: map() needs the method as an object, and not the C function.
        backend = self
        while True:
            try:
                # extend() and map() are built in: no handler of a signal runs between the call and the list.
                found.extend(map(backend.accept, (sock,), (timeout,)))
            except OSError as failure:
                # What the handler of a signal raises has no errno.
                if len(found) == start or failure.errno is None:
                    raise
                return
            fd = sock._sp_fd
            if len(found) - start >= count or fd < 0 or not self.poll([(fd, _POLLIN)], 0):
                return
            timeout = min(timeout, 0)

    # -- many messages at once -----------------------------------------------------------------------------------

    # Where the platform has recvmmsg(2) and sendmmsg(2), a backend makes one system call of many of these. An error
    # behind a message that was taken or sent ends the call, and is not raised: what the call has done is its result.

    def recvmmsg(
        self, sock: HasDescriptor, count: int, bufsize: int, ancbufsize: int, flags: int, timeout: int
    ) -> tuple[list[bytes], list[Items], list[int], list[bytes]]:
        """recvmmsg(2), as from MSG_WAITFORONE on: waits for the first message as recvmsg does, and takes of the others,
        up to *count* (1 or more) in all, what is there. The lists hold what recvmsg gives of each message: data,
        ancillary items, msg_flags and address. The second one is empty when *ancbufsize* is 0.

        Here recvmsg is called again and again. An error after the first message, which Linux keeps for the next call,
        is lost."""
        data: list[bytes] = []
        ancillary: list[Items] = []
        msg_flags: list[int] = []
        addresses: list[bytes] = []
        try:
            while len(data) < count:
                try:
                    content, items, marks, address = self.recvmsg(sock, bufsize, ancbufsize, flags, timeout)
                except OSError:
                    if not data:
                        raise
                    break
                if ancbufsize:
                    ancillary.append(items)
                data.append(content)
                msg_flags.append(marks)
                addresses.append(address)
                flags |= MSG_DONTWAIT
                timeout = 0
        except BaseException:
            for items in ancillary:
                self.close_rights(items)
            raise
        return data, ancillary, msg_flags, addresses

    def recvmmsg_into(
        self, sock: HasDescriptor, buffers: tuple[WriteableBuffer, ...], ancbufsize: int, flags: int, timeout: int
    ) -> tuple[list[int], list[Items], list[int], list[bytes]]:
        """As recvmmsg, each message into one of *buffers* (1 or more), with the counts in place of the data."""
        counts: list[int] = []
        ancillary: list[Items] = []
        msg_flags: list[int] = []
        addresses: list[bytes] = []
        try:
            for buffer in buffers:
                try:
                    size, items, marks, address = self.recvmsg_into(sock, (buffer,), ancbufsize, flags, timeout)
                except OSError:
                    if not counts:
                        raise
                    break
                if ancbufsize:
                    ancillary.append(items)
                counts.append(size)
                msg_flags.append(marks)
                addresses.append(address)
                flags |= MSG_DONTWAIT
                timeout = 0
        except BaseException:
            for items in ancillary:
                self.close_rights(items)
            raise
        return counts, ancillary, msg_flags, addresses

    def sendmmsg(
        self,
        sock: HasDescriptor,
        data: list[ReadableBuffer | tuple[ReadableBuffer, ...]],
        ancillary: list[tuple[tuple[int, int, ReadableBuffer], ...]],
        addresses: list[bytes],
        flags: int,
        timeout: int,
    ) -> int:
        """sendmmsg(2) on a socket that keeps messages apart: how many were sent. The lists hold what sendmsg takes for
        each message (1 or more), but a single buffer need not be in a tuple; an empty *ancillary* means no items.

        It waits for room for the first message as sendmsg does. With a negative timeout it then sends all of them,
        as the kernel's own blocking call does; otherwise as many as there is room for.

        Here sendmsg is called again and again."""
        sent = 0
        for position in range(len(data)):
            source = data[position]
            buffers = source if isinstance(source, tuple) else (source,)
            items = ancillary[position] if ancillary else ()
            try:
                self.sendmsg(sock, buffers, items, flags, addresses[position], timeout)
            except OSError:
                if not sent:
                    raise
                break
            sent += 1
            if timeout >= 0:
                flags |= MSG_DONTWAIT
                timeout = 0
        return sent

    def recv_segments(self, sock: HasDescriptor, bufsize: int, flags: int, timeout: int) -> tuple[list[bytes], bytes]:
        """recvmsg(2) on a UDP socket that has the option UDP_GRO set: the datagrams that the kernel has joined, taken
        apart (1 or more), and the address of their sender. *bufsize* is the room for all of them."""
        data, items, _, address = self.recvmsg(sock, bufsize, SEGMENT_CONTROL, flags, timeout)
        size = len(data)
        for level, kind, content in items:
            if level == IPPROTO_UDP and kind == UDP_GRO:
                size = int.from_bytes(content, byteorder)
        if size < 1 or size >= len(data):
            return [data], address
        return [data[start : start + size] for start in range(0, len(data), size)], address

    def close_rights(self, items: Items) -> None:
        """Closes the descriptors of SCM_RIGHTS among ancillary items that cannot be handed over."""
        for level, kind, data in items:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                for start in range(0, len(data) - 3, 4):
                    try:
                        self.close(int.from_bytes(data[start : start + 4], byteorder, signed=True))
                    except OSError:
                        pass
