"""recvmmsg(2) and sendmmsg(2) for the ctypes and the cffi backend. Loaded when the first of them is called.

To set the members of structures one by one is what takes time there. So an array of mmsghdr is bytes that `struct`
packs and unpacks, in one block of memory with all that it points to; for receiving the block is kept, with a pattern
of what it has to hold before a call.
"""

from __future__ import annotations

from _socket import MSG_DONTWAIT
from errno import EINTR

from socketpkg._engine.arguments import plain_bytes

from . import NAME_SIZE, POLLERR, POLLIN, POLLOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from _typeshed import ReadableBuffer, WriteableBuffer

    from socketpkg.contract import HasDescriptor, Items

    from .calls import ForeignSyscalls

#: UIO_MAXIOV of the kernel: sendmmsg(2) takes no more messages in one call.
BATCH_COUNT = 1024
#: How much memory for messages there is at once, when a single one does not ask for more.
BATCH_SIZE = 4194304
#: An idle block larger than this is not kept.
KEPT_SIZE = 1048576
#: What a message costs the kernel beside its bytes, as the bytes that are copied in that time.
MESSAGE_COST = 1024


class Block:
    """Memory for receiving *room* messages."""

    __slots__ = ("address", "control", "data", "key", "keep", "names", "pattern", "size", "target", "vectors", "view")

    def __init__(self, backend: ForeignSyscalls, room: int, bufsize: int, ancbufsize: int) -> None:
        header, vector = backend._mmsghdr, backend._iovec
        self.key = room, bufsize, ancbufsize
        self.vectors = room * header.size
        self.names = self.vectors + room * vector.size
        self.control = self.names + room * NAME_SIZE
        self.data = self.control + room * ancbufsize
        self.size = self.data + room * bufsize
        self.target, self.view = backend._memory(self.size)
        self.keep: list[Any] = []
        self.address = address = backend._place(self.target, self.keep)
        parts = [
            header.pack(
                address + self.names + i * NAME_SIZE,
                NAME_SIZE,
                address + self.vectors + i * vector.size,
                1,
                address + self.control + i * ancbufsize if ancbufsize else 0,
                ancbufsize,
                0,
                0,
            )
            for i in range(room)
        ]
        parts += [vector.pack(address + self.data + i * bufsize, bufsize) for i in range(room)]
        # Of zeros: an item that the kernel has not written has no length, so that none is made up.
        self.pattern = b"".join(parts), bytes(room * ancbufsize)

    def prepare(self, backend: ForeignSyscalls) -> None:
        """Makes it ready for the next call."""
        headers, control = self.pattern
        self.write(backend, 0, headers)
        if control:
            self.write(backend, self.control, control)

    def write(self, backend: ForeignSyscalls, start: int, content: bytes) -> None:
        """Writes to its memory."""
        backend._write(self.target, self.view, start, content)


def receive_many(
    backend: ForeignSyscalls,
    sock: HasDescriptor,
    count: int,
    bufsize: int,
    buffers: tuple[WriteableBuffer, ...] | None,
    ancbufsize: int,
    flags: int,
    timeout: int,
) -> tuple[list[Any], list[Items], list[int], list[bytes]]:
    """What the contract's recvmmsg gives, or with *buffers* (*count* of them) its recvmmsg_into."""
    data: list[Any] = []
    ancillary: list[Items] = []
    msg_flags: list[int] = []
    addresses: list[bytes] = []
    targets: list[tuple[Any, int]] = []
    block: Block | None = None
    try:
        if buffers is not None:
            backend._writable_all("recvmmsg_into", buffers, targets)
        each = bufsize + ancbufsize
        room = min(count, BATCH_COUNT, max(1, BATCH_SIZE // each) if each else count)
        block = _block(backend, room, bufsize, ancbufsize)
        while len(data) < count:
            asked = min(room, count - len(data))
            block.prepare(backend)
            if buffers is None and flags & backend._msg_trunc:
                # A stream counts bytes that it does not write (tcp(7)): the memory must hold no other socket's data.
                block.write(backend, block.data, bytes(block.size - block.data))
            size = asked * (bufsize + MESSAGE_COST)
            keep: list[Any] = []
            if buffers is not None:
                part = targets[len(data) : len(data) + asked]
                size += sum([length for _, length in part])
                vectors = [backend._iovec.pack(backend._place(target, keep), length) for target, length in part]
                block.write(backend, block.vectors, b"".join(vectors))
                del part
            mode = flags | backend._waitforone
            if not data:
                received = backend._transfer(
                    *(sock, POLLIN, backend._recvmmsg, backend._recvmmsg_released, block.target, asked, size, mode),
                    timeout,
                )
            elif backend._poll(sock._sp_fd, 0, 0) & POLLERR:
                # The error is left to the next call: a receive would clear it here, and this call succeeds.
                break
            else:
                received = backend._recvmmsg_released(sock._sp_fd, block.target, asked, mode | MSG_DONTWAIT)
                if received < 0:
                    break
            _take(backend, block, received, buffers is None, data, ancillary, msg_flags, addresses)
            if received < asked:
                break
        if block.size <= KEPT_SIZE:
            backend._blocks.append(block)
        return data, ancillary, msg_flags, addresses
    except BaseException:
        for items in ancillary:
            backend.close_rights(items)
        if block is not None and ancbufsize:
            # Of messages that were received before the handler of a signal raised.
            for start in range(block.control, block.data, ancbufsize):
                backend.close_rights(backend._items(block.view[start : start + ancbufsize]))
        raise
    finally:
        keep = []
        backend._release_targets(targets)


def _take(
    backend: ForeignSyscalls,
    block: Block,
    received: int,
    with_data: bool,
    data: list[Any],
    ancillary: list[Items],
    msg_flags: list[int],
    addresses: list[bytes],
) -> None:
    """Adds what has been received. The descriptors in it then belong to *ancillary*."""
    view = block.view
    _, bufsize, ancbufsize = block.key
    headers = view[: received * backend._mmsghdr.size]
    if ancbufsize:
        start = block.control
        for _, _, _, _, _, control_size, _, _ in backend._mmsghdr.iter_unpack(headers):
            ancillary.append(backend._items(view[start : start + min(control_size, ancbufsize)]))
            start += ancbufsize
        block.write(backend, block.control, block.pattern[1])
    start = block.data
    name = block.names
    address = addresses[-1] if addresses else b""
    for _, name_size, _, _, _, _, marks, size in backend._mmsghdr.iter_unpack(headers):
        if with_data:
            # MSG_TRUNC gives the length of the datagram.
            data.append(view[start : start + min(size, bufsize)])
            start += bufsize
        else:
            data.append(size)
        # The same object for the same sender, which its reader decodes once.
        raw = view[name : name + min(name_size, NAME_SIZE)]
        if raw != address:
            address = raw
        addresses.append(address)
        name += NAME_SIZE
        msg_flags.append(marks)


def _block(backend: ForeignSyscalls, room: int, bufsize: int, ancbufsize: int) -> Block:
    """A block that is kept, or a new one."""
    try:
        block: Block = backend._blocks.pop()
    except IndexError:
        pass
    else:
        if block.key == (room, bufsize, ancbufsize):
            return block
    return Block(backend, room, bufsize, ancbufsize)


def send_many(
    backend: ForeignSyscalls,
    sock: HasDescriptor,
    data: list[ReadableBuffer | tuple[ReadableBuffer, ...]],
    ancillary: list[tuple[tuple[int, int, ReadableBuffer], ...]],
    addresses: list[bytes],
    flags: int,
    timeout: int,
) -> int:
    """The contract's sendmmsg. What the messages hold is copied: to have the address of one object costs less than to
    have those of many."""
    header, vector = backend._mmsghdr, backend._iovec
    count = len(data)
    parts: list[bytes] = []
    sizes: list[int] = []
    for source in data:
        if type(source) is bytes:
            parts.append(source)
            sizes.append(len(source))
        else:
            pieces = source if isinstance(source, tuple) else (source,)
            content = b"".join([plain_bytes(piece) for piece in pieces])
            parts.append(content)
            sizes.append(len(content))
    total = sum(sizes)
    end = total
    names: dict[bytes, int] = {b"": 0}
    for raw in addresses:
        if raw not in names:
            names[raw] = end
            parts.append(raw)
            end += len(raw)
    controls: list[tuple[int, int]] = []
    for items in ancillary:
        control = backend._control(items) if items else b""
        controls.append((end, len(control)))
        parts.append(control)
        end += len(control)
    keep: list[Any] = []
    content = b"".join(parts)
    source_target, _ = backend._readable(content)
    try:
        target, view = backend._memory(count * (header.size + vector.size))
        base = backend._place(source_target, keep)
        vectors = backend._place(target, keep) + count * header.size
        headers: list[bytes] = []
        rows: list[bytes] = []
        position = base
        pack, pack_vector, step = header.pack, vector.pack, vector.size
        for i, (size, raw) in enumerate(zip(sizes, addresses, strict=True)):
            start, length = controls[i] if ancillary else (0, 0)
            name = base + names[raw] if raw else 0
            headers.append(pack(name, len(raw), vectors, 1, base + start if length else 0, length, 0, 0))
            rows.append(pack_vector(position, size))
            position += size
            vectors += step
        backend._write(target, view, 0, b"".join(headers) + b"".join(rows))
        size = total + count * MESSAGE_COST
        sent = backend._transfer(
            *(sock, POLLOUT, backend._sendmmsg, backend._sendmmsg_released, target, min(count, BATCH_COUNT), size),
            *(flags, timeout),
        )
        mode = flags if timeout < 0 else flags | MSG_DONTWAIT
        while sent < count and (timeout < 0 or sent % BATCH_COUNT == 0):
            rest = backend._at_offset(target, sent * header.size)
            result = backend._sendmmsg_released(sock._sp_fd, rest, min(count - sent, BATCH_COUNT), mode)
            if result >= 0:
                sent += result
            elif backend._errno(result) != EINTR:
                # Keep the partial count: the next call begins with the message that fails.
                break
        return sent
    finally:
        if backend._must_release:
            backend._release_target(source_target)
        del source_target
