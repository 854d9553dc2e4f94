"""Sending and receiving: every method's arguments, flags, buffers and sizes."""

from __future__ import annotations

import array
import contextlib
import errno
import gc
import hashlib
import mmap
import os
import random
import select
import struct
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import LINUX, LOCALHOST, ON_SIM, PATIENCE, PYPY, Worker, control_fails, socket, udp_pair

MiB = 1 << 20


def readable_buffers() -> dict[str, Callable[[bytes], Any]]:
    """Ways to hold some bytes, each of which can be sent."""

    def mapped(data: bytes) -> mmap.mmap:
        area = mmap.mmap(-1, len(data))
        area[:] = data
        return area

    return {
        "bytes": bytes,
        "bytearray": bytearray,
        "memoryview": memoryview,
        "slice": lambda data: memoryview(b"<<" + data + b">>")[2:-2],
        "cast": lambda data: memoryview(data).cast("H"),
        "two dimensions": lambda data: memoryview(data).cast("B", (2, len(data) // 2)),
        "array of bytes": lambda data: array.array("B", data),
        "array of ints": lambda data: array.array("i", data),
        "mmap": mapped,
    }


SAMPLE = bytes(range(16)) * 4
BUFFERS = readable_buffers()
SENDERS: dict[str, Callable[[Any, Any], Any]] = {
    "send": lambda sock, data: sock.send(data),
    "sendall": lambda sock, data: sock.sendall(data),
    "sendmsg": lambda sock, data: sock.sendmsg([data]),
}


# -- send and sendall -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(BUFFERS))
@pytest.mark.parametrize("method", sorted(SENDERS))
def test_every_kind_of_buffer_is_sent(pair: Any, method: str, kind: str) -> None:
    one, two = pair
    buffer = BUFFERS[kind](SAMPLE)
    result = SENDERS[method](one, buffer)
    assert result == (None if method == "sendall" else len(SAMPLE))
    assert two.recv(1000) == SAMPLE
    if kind == "mmap":
        buffer.close()  # nothing holds it any more


@pytest.mark.parametrize("kind", sorted(BUFFERS))
def test_every_kind_of_buffer_is_sent_to_an_address(udp: Any, kind: str) -> None:
    one, two = udp
    buffer = BUFFERS[kind](SAMPLE)
    assert one.sendto(buffer, two.getsockname()) == len(SAMPLE)
    assert two.recv(1000) == SAMPLE
    if kind == "mmap":
        buffer.close()


@pytest.mark.parametrize("bad", ["text", None, 3, 1.5, ["x"], object()])
@pytest.mark.parametrize("method", sorted(SENDERS))
def test_what_is_no_buffer_is_not_sent(pair: Any, method: str, bad: Any) -> None:
    with pytest.raises(TypeError):
        SENDERS[method](pair[0], bad)


@pytest.mark.parametrize("method", sorted(SENDERS))
def test_a_buffer_with_gaps_is_not_sent(pair: Any, method: str) -> None:
    with pytest.raises((BufferError, TypeError, ValueError)):
        SENDERS[method](pair[0], memoryview(SAMPLE)[::2])


@pytest.mark.parametrize("method", sorted(SENDERS))
def test_a_released_view_is_not_sent(pair: Any, method: str) -> None:
    view = memoryview(SAMPLE)
    view.release()
    with pytest.raises(ValueError, match="released"):
        SENDERS[method](pair[0], view)


@pytest.mark.parametrize("method", sorted(SENDERS))
def test_a_buffer_is_free_after_the_call(pair: Any, method: str) -> None:
    data = bytearray(b"hello")
    SENDERS[method](pair[0], data)
    data.extend(b" again")
    pair[0].setblocking(False)
    pair[1].close()
    with pytest.raises(OSError):
        SENDERS[method](pair[0], data)
    data.extend(b"!")


@pytest.mark.parametrize("method", sorted(SENDERS))
def test_nothing_is_sent(pair: Any, method: str) -> None:
    one, two = pair
    assert SENDERS[method](one, b"") == (None if method == "sendall" else 0)
    one.close()
    assert two.recv(1) == b""


def test_an_empty_datagram_is_a_datagram(udp: Any) -> None:
    one, two = udp
    assert one.sendto(b"", two.getsockname()) == 0
    assert two.recvfrom(10) == (b"", one.getsockname())


@pytest.mark.parametrize("method", ["send", "sendall"])
def test_flags_of_sending(pair: Any, method: str) -> None:
    one, two = pair
    getattr(one, method)(b"quiet", socket.MSG_NOSIGNAL)
    assert two.recv(10) == b"quiet"
    with pytest.raises(TypeError):
        getattr(one, method)(b"x", "flags")
    with pytest.raises(TypeError):
        getattr(one, method)(b"x", 0, 0)
    with pytest.raises(TypeError):
        getattr(one, method)()
    with pytest.raises(OverflowError):
        getattr(one, method)(b"x", 2**40)


@pytest.mark.parametrize("method", ["send", "sendall"])
def test_the_flags_of_sending_reach_the_kernel(tcp: Any, method: str) -> None:
    client, server = tcp
    getattr(client, method)(b"!", socket.MSG_OOB)
    assert select.select([], [], [server], PATIENCE)[2] == [server]
    assert server.recv(10, socket.MSG_OOB) == b"!"
    client.sendall(b"normal")
    assert server.recv(10) == b"normal"


def test_send_without_a_peer(dgram: Any) -> None:
    with pytest.raises(OSError) as caught:
        dgram.send(b"x")
    assert caught.value.errno == errno.EDESTADDRREQ


def test_a_datagram_too_large(udp: Any) -> None:
    one, two = udp
    with pytest.raises(OSError) as caught:
        one.sendto(bytes(70_000), two.getsockname())
    assert caught.value.errno == errno.EMSGSIZE


def test_a_blocking_send_takes_everything(pair: Any) -> None:
    one, two = pair
    data = bytes(4 * MiB)
    with Worker(one.send, data) as worker:
        received = 0
        while received < len(data):
            received += len(two.recv(MiB))
        assert worker.result() == len(data)


def test_a_nonblocking_send_takes_a_part(stream: Any) -> None:
    one, two = stream
    data = random.Random(1).randbytes(16 * MiB)
    one.setblocking(False)
    count = one.send(data)
    assert 0 < count < len(data)
    two.settimeout(PATIENCE)
    received = bytearray()
    while len(received) < count:
        received += two.recv(MiB)
    assert received == data[:count]


# -- sendto -----------------------------------------------------------------------------------------------------------


def test_sendto_with_flags_in_the_middle(udp: Any) -> None:
    one, two = udp
    assert one.sendto(b"abc", socket.MSG_DONTWAIT, two.getsockname()) == 3
    assert two.recvfrom(10) == (b"abc", one.getsockname())


def test_sendto_texts(udp: Any) -> None:
    one, two = udp
    name = two.getsockname()
    with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'str'$"):
        one.sendto("text", name)
    with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'complex'$"):
        one.sendto(5j, name)
    with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'str'$"):
        one.sendto("text", 0, name)
    with pytest.raises(TypeError, match=r"^a bytes-like object is required, not 'complex'$"):
        one.sendto(5j, 0, name)
    with pytest.raises(TypeError, match=r"not NoneType$"):
        one.sendto(b"data", None)
    with pytest.raises(TypeError, match=r"not NoneType$"):
        one.sendto(b"data", 0, None)
    with pytest.raises(TypeError, match="an integer"):
        one.sendto(b"data", "flags", name)
    with pytest.raises(TypeError, match="an integer"):
        one.sendto(b"data", None, name)
    with pytest.raises(TypeError, match=r"\(1 given\)"):
        one.sendto(b"data")
    with pytest.raises(TypeError, match=r"\(4 given\)"):
        one.sendto(b"data", 0, name, 0)
    with pytest.raises(TypeError):
        one.sendto()


def test_sendto_fails(udp: Any) -> None:
    one, _ = udp
    for arguments in [("text", (LOCALHOST, 9)), (b"x",), (b"x", None), (b"x", "0", (LOCALHOST, 9)), ()]:
        with pytest.raises(TypeError):
            one.sendto(*arguments)
    with pytest.raises(OverflowError):
        one.sendto(b"x", (LOCALHOST, 65536))


def test_sendto_leaves_the_buffer_free_after_an_error(udp: Any) -> None:
    data = bytearray(b"data")
    with pytest.raises(TypeError):
        udp[0].sendto(data, "no address")
    data.extend(b"more")


# -- receiving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 5, 100, 65536])
def test_recv_gives_at_most_what_was_asked(pair: Any, count: int) -> None:
    one, two = pair
    one.send(b"hello, world")
    data = two.recv(count)
    assert data == b"hello, world"[:count]
    assert type(data) is bytes


def test_recv_of_nothing_asks_nobody(pair: Any, sock: Any) -> None:
    """It neither waits for data nor minds that there is no peer."""
    for one in (*pair, sock):
        assert one.recv(0) == b""
        assert one.recv_into(bytearray()) == 0


def test_recvfrom_of_nothing_asks_the_kernel(udp: Any) -> None:
    one, two = udp
    two.setblocking(False)
    with pytest.raises(BlockingIOError):
        two.recvfrom(0)
    with pytest.raises(BlockingIOError):
        two.recvfrom_into(bytearray())
    one.sendto(b"lost", two.getsockname())
    assert select.select([two], [], [], PATIENCE)[0] == [two]
    assert two.recvfrom(0) == (b"", one.getsockname())
    with pytest.raises(BlockingIOError):
        two.recvfrom(1)


@pytest.mark.parametrize(("method", "empty"), [("recv", b""), ("recvfrom", b"")])
def test_recv_of_nothing(pair: Any, method: str, empty: bytes) -> None:
    one, two = pair
    one.send(b"x")
    result = getattr(two, method)(0)
    assert (result if method == "recv" else result[0]) == empty
    assert two.recv(1) == b"x"


@pytest.mark.parametrize("method", ["recv", "recvfrom"])
@pytest.mark.parametrize("count", [-1, -(2**31)])
def test_a_negative_size(pair: Any, method: str, count: int) -> None:
    with pytest.raises(ValueError, match=rf"^negative buffersize in {method}$"):
        getattr(pair[0], method)(count)


@pytest.mark.parametrize("method", ["recv", "recvfrom"])
@pytest.mark.parametrize("bad", ["1", None, 1.0, b"1"])
def test_a_size_of_a_wrong_type(pair: Any, method: str, bad: Any) -> None:
    with pytest.raises(TypeError):
        getattr(pair[0], method)(bad)


@pytest.mark.parametrize("method", ["recv", "recvfrom"])
def test_sizes_that_no_memory_has(pair: Any, method: str) -> None:
    with pytest.raises((OverflowError, MemoryError)):
        getattr(pair[0], method)(2**80)
    with pytest.raises((OverflowError, MemoryError)):
        getattr(pair[0], method)(2**62)


@pytest.mark.parametrize("method", ["recv", "recvfrom"])
def test_the_arguments_of_recv(pair: Any, method: str) -> None:
    one, _ = pair
    with pytest.raises(TypeError):
        getattr(one, method)()
    with pytest.raises(TypeError):
        getattr(one, method)(1, 0, 0)
    with pytest.raises(TypeError):
        getattr(one, method)(1, "0")
    with pytest.raises(OverflowError):
        getattr(one, method)(1, 2**40)


def test_recvfrom_gives_the_address(udp: Any) -> None:
    one, two = udp
    one.sendto(b"hello", two.getsockname())
    data, address = two.recvfrom(100)
    assert (data, address) == (b"hello", one.getsockname())
    assert type(address) is tuple


def test_recvfrom_of_a_stream_has_no_address(pair: Any, tcp: Any) -> None:
    for one, two in (pair, tcp):
        one.send(b"x")
        assert two.recvfrom(1) == (b"x", None)


def test_recvfrom_into_gives_count_and_address(udp: Any) -> None:
    one, two = udp
    buffer = bytearray(b"." * 10)
    one.sendto(b"hello", two.getsockname())
    assert two.recvfrom_into(buffer) == (5, one.getsockname())
    assert buffer == b"hello....."


@pytest.mark.parametrize("method", ["recv_into", "recvfrom_into"])
class TestInto:
    """recv_into and recvfrom_into share everything but the address."""

    @staticmethod
    def count(result: Any) -> int:
        return int(result[0] if isinstance(result, tuple) else result)

    @pytest.mark.parametrize("kind", ["bytearray", "memoryview", "slice", "array", "ints", "mmap"])
    def test_every_kind_of_buffer(self, pair: Any, method: str, kind: str) -> None:
        one, two = pair
        one.send(b"12345678")
        store = mmap.mmap(-1, 16) if kind == "mmap" else bytearray(16)
        buffer: Any = {
            "bytearray": lambda: store,
            "mmap": lambda: store,
            "memoryview": lambda: memoryview(store),
            "slice": lambda: memoryview(store)[4:],
            "array": lambda: array.array("B", bytes(16)),
            "ints": lambda: array.array("i", bytes(16)),
        }[kind]()
        assert self.count(getattr(two, method)(buffer)) == 8
        if kind == "slice":
            assert store == b"\0\0\0\x0012345678\0\0\0\0"
        else:
            assert bytes(buffer)[:9] == b"12345678\0"
        if kind == "mmap":
            buffer.close()

    @pytest.mark.parametrize("nbytes", [1, 3, 5, 8])
    def test_nbytes_is_the_most(self, pair: Any, method: str, nbytes: int) -> None:
        one, two = pair
        one.send(b"hello")
        buffer = bytearray(8)
        assert self.count(getattr(two, method)(buffer, nbytes)) == min(nbytes, 5)
        assert buffer == b"hello"[:nbytes].ljust(8, b"\0")

    def test_nbytes_0_is_the_whole_buffer(self, pair: Any, method: str) -> None:
        one, two = pair
        one.send(b"hello")
        buffer = bytearray(3)
        assert self.count(getattr(two, method)(buffer, 0)) == 3
        assert buffer == b"hel"

    @pytest.mark.parametrize("form", ["positional", "keywords"])
    def test_flags(self, pair: Any, method: str, form: str) -> None:
        one, two = pair
        one.send(b"hello")
        buffer = bytearray(5)
        call = getattr(two, method)
        if form == "keywords":
            assert self.count(call(buffer=buffer, nbytes=5, flags=socket.MSG_PEEK)) == 5
        else:
            assert self.count(call(buffer, 5, socket.MSG_PEEK)) == 5
        assert two.recv(10) == b"hello"

    @pytest.mark.parametrize("nbytes", [5, 100, 2**31 - 1, 2**40])
    def test_a_buffer_smaller_than_asked(self, pair: Any, method: str, nbytes: int) -> None:
        one, two = pair
        one.send(b"hello")
        buffer = bytearray(4)
        with pytest.raises((ValueError, OverflowError)) as caught:
            getattr(two, method)(buffer, nbytes)
        assert buffer == bytes(4)
        if isinstance(caught.value, ValueError) and not PYPY:
            assert "small" in str(caught.value) or "greater" in str(caught.value)
        assert two.recv(10) == b"hello", "nothing is lost"
        buffer.append(1)

    def test_a_negative_nbytes(self, pair: Any, method: str) -> None:
        one, two = pair
        one.send(b"hello")
        with pytest.raises(ValueError, match=f"^negative buffersize in {method}$"):
            getattr(two, method)(bytearray(4), -1)
        assert two.recv(10) == b"hello"

    @pytest.mark.parametrize(
        "bad", [b"bytes", memoryview(b"bytes"), "text", None, 5, [1]], ids=lambda bad: type(bad).__name__
    )
    def test_what_cannot_be_written_to(self, pair: Any, method: str, bad: Any) -> None:
        one, two = pair
        one.send(b"hello")
        with pytest.raises((TypeError, BufferError)):
            getattr(two, method)(bad)
        assert two.recv(10) == b"hello"

    def test_a_buffer_with_gaps(self, pair: Any, method: str) -> None:
        one, two = pair
        one.send(b"hello")
        with pytest.raises((BufferError, TypeError, ValueError)):
            getattr(two, method)(memoryview(bytearray(20))[::2])
        assert two.recv(10) == b"hello"

    def test_an_empty_buffer(self, pair: Any, method: str) -> None:
        one, two = pair
        one.send(b"hello")
        assert self.count(getattr(two, method)(bytearray())) == 0
        assert two.recv(10) == b"hello"

    def test_the_buffer_is_free_after_the_call(self, pair: Any, method: str) -> None:
        one, two = pair
        buffer = bytearray(5)
        one.send(b"hello")
        getattr(two, method)(buffer)
        buffer.append(1)
        two.setblocking(False)
        with pytest.raises(BlockingIOError):
            getattr(two, method)(buffer)
        buffer.append(1)

    def test_wrong_arguments(self, pair: Any, method: str) -> None:
        call = getattr(pair[0], method)
        one = bytearray(1)
        for arguments in [(), (one, "1"), (one, 1, "0"), (one, 1, 0, 0), (one, None)]:
            with pytest.raises(TypeError):
                call(*arguments)
        with pytest.raises(TypeError):
            call(bytearray(1), size=1)


# -- flags of receiving -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["recv", "recvfrom"])
def test_peek(stream: Any, method: str) -> None:
    one, two = stream
    two.settimeout(PATIENCE)
    one.send(b"hello")
    for _ in range(2):
        data = getattr(two, method)(3, socket.MSG_PEEK)
        assert (data if method == "recv" else data[0]) == b"hel"
    assert two.recv(10) == b"hello"


def test_peek_at_a_datagram(udp: Any) -> None:
    one, two = udp
    one.sendto(b"hello", two.getsockname())
    assert two.recvfrom(10, socket.MSG_PEEK) == (b"hello", one.getsockname())
    assert two.recvfrom(10) == (b"hello", one.getsockname())


@pytest.mark.parametrize("method", ["recv", "recvfrom", "recv_into", "recvfrom_into"])
def test_dontwait(udp: Any, method: str) -> None:
    _, two = udp
    two.settimeout(None)
    arguments = (bytearray(5), 0, socket.MSG_DONTWAIT) if "into" in method else (5, socket.MSG_DONTWAIT)
    with pytest.raises(BlockingIOError):
        getattr(two, method)(*arguments)


@pytest.mark.skipif(ON_SIM, reason="the limits are those of the kernel's sockets")
@pytest.mark.parametrize("limit", ["O_NONBLOCK", "a timeout of the kernel"])
@pytest.mark.parametrize("method", ["recv", "recvfrom", "recv_into", "recvfrom_into", "send", "sendall"])
def test_a_blocking_call_whose_wait_the_kernel_ends(stream: Any, method: str, limit: str) -> None:
    """Its end is the caller's to see, also where a first try found nothing."""
    one, _ = stream
    sends = method.startswith("send")
    if sends:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                one.send(bytes(MiB))
    one.settimeout(None)
    if limit == "O_NONBLOCK":
        os.set_blocking(one.fileno(), False)
    else:
        option = socket.SO_SNDTIMEO if sends else socket.SO_RCVTIMEO
        one.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", 0, 1000))
    argument: Any = b"x" if sends else bytearray(5) if "into" in method else 5
    with pytest.raises(BlockingIOError) as caught:
        getattr(one, method)(argument)
    assert caught.value.errno == errno.EAGAIN


def test_waitall(stream: Any) -> None:
    one, two = stream

    def in_pieces() -> None:
        for piece in (b"one ", b"two ", b"three"):
            one.sendall(piece)

    with Worker(in_pieces):
        assert two.recv(13, socket.MSG_WAITALL) == b"one two three"


def test_a_datagram_larger_than_asked_is_cut(udp: Any) -> None:
    one, two = udp
    one.sendto(b"0123456789", two.getsockname())
    one.sendto(b"next", two.getsockname())
    assert two.recv(4) == b"0123"
    assert two.recv(100) == b"next"


@pytest.mark.skipif(not LINUX, reason="the flag tells the length on Linux only")
@control_fails("the length that MSG_TRUNC tells is taken for the length of the data")
@pytest.mark.parametrize("method", ["recv", "recvfrom"])
def test_trunc_gives_no_more_than_was_asked(udp: Any, method: str) -> None:
    """The kernel returns the length of the whole datagram; what was never received must not be made up."""
    one, two = udp
    one.sendto(b"0123456789", two.getsockname())
    data = getattr(two, method)(4, socket.MSG_TRUNC)
    assert (data if method == "recv" else data[0]) == b"0123"


@pytest.mark.skipif(not LINUX, reason="the flag tells the length on Linux only")
@pytest.mark.parametrize("method", ["recv_into", "recvfrom_into", "recvmsg_into"])
def test_trunc_tells_the_length(udp: Any, method: str) -> None:
    one, two = udp
    one.sendto(b"0123456789", two.getsockname())
    buffer = bytearray(4)
    result = getattr(two, method)([buffer] if method == "recvmsg_into" else buffer, 0, socket.MSG_TRUNC)
    assert (result if method == "recv_into" else result[0]) == 10
    assert buffer == b"0123"


# -- the end of a connection ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["SHUT_WR", "SHUT_RDWR"])
def test_shutdown_ends_the_stream(stream: Any, how: str) -> None:
    one, two = stream
    one.send(b"last words")
    assert one.shutdown(getattr(socket, how)) is None
    assert two.recv(100, socket.MSG_WAITALL) == b"last words"
    assert two.recv(100) == b""
    with pytest.raises(BrokenPipeError):
        one.send(b"x")


def test_shutdown_of_reading(pair: Any) -> None:
    one, two = pair
    one.shutdown(socket.SHUT_RD)
    assert one.recv(1) == b""
    one.send(b"still")
    assert two.recv(10) == b"still"


@pytest.mark.parametrize("bad", [3, -1, 99])
def test_shutdown_of_something_else(pair: Any, bad: int) -> None:
    with pytest.raises(OSError) as caught:
        pair[0].shutdown(bad)
    assert caught.value.errno == errno.EINVAL


def test_shutdown_arguments(pair: Any) -> None:
    for arguments in [(), ("how",), (None,), (1, 2)]:
        with pytest.raises(TypeError):
            pair[0].shutdown(*arguments)
    with pytest.raises(OverflowError):
        pair[0].shutdown(2**40)


def test_shutdown_of_an_unconnected_socket(sock: Any) -> None:
    with pytest.raises(OSError) as caught:
        sock.shutdown(socket.SHUT_RDWR)
    assert caught.value.errno == errno.ENOTCONN


# -- listen -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), (0,), (1,), (-1,), (2**31 - 1,), (True,)])
def test_listen(sock: Any, arguments: tuple[int, ...]) -> None:
    sock.bind((LOCALHOST, 0))
    assert sock.listen(*arguments) is None
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    with socket.socket() as client:
        client.connect(sock.getsockname())
        server, address = sock.accept()
        server.close()
        assert address == client.getsockname()


def test_listen_arguments(sock: Any) -> None:
    with pytest.raises(OverflowError):
        sock.listen(2**31)
    for arguments in [("1",), (None,), (1.5,), (1, 2)]:
        with pytest.raises(TypeError):
            sock.listen(*arguments)


def test_listen_on_a_datagram_socket(dgram: Any) -> None:
    with pytest.raises(OSError) as caught:
        dgram.listen()
    assert caught.value.errno == errno.EOPNOTSUPP


def test_accept_gives_the_class_of_the_module(listener: Any) -> None:
    with socket.socket() as client:
        client.connect(listener.getsockname())
        server, address = listener.accept()
        with server:
            assert type(server) is socket.socket
            assert (server.family, server.type, server.proto) == (listener.family, listener.type, listener.proto)
            assert address == client.getsockname()
            assert server.getpeername() == address


def test_accept_takes_no_arguments(listener: Any) -> None:
    with pytest.raises(TypeError):
        listener.accept(1)


# -- much of it -------------------------------------------------------------------------------------------------------


def stream_of_blocks(count: int) -> Iterator[bytes]:
    source = random.Random(20)
    for _ in range(count):
        yield source.randbytes(MiB)


@pytest.mark.parametrize("direction", ["to the server", "to the client"])
@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_64_mebibytes(tcp: Any, direction: str, timeout: float | None) -> None:
    sender, receiver = tcp if direction == "to the server" else reversed(tcp)
    sender.settimeout(timeout)
    receiver.settimeout(timeout)
    sent = hashlib.sha1(usedforsecurity=False)

    def send() -> None:
        for block in stream_of_blocks(64):
            sent.update(block)
            sender.sendall(block)
        sender.shutdown(socket.SHUT_WR)

    received = hashlib.sha1(usedforsecurity=False)
    count = 0
    with Worker(send):
        buffer = bytearray(MiB)
        view = memoryview(buffer)
        into = direction == "to the client"
        while True:
            if into:
                n = receiver.recv_into(buffer)
                received.update(view[:n])
            else:
                data = receiver.recv(MiB)
                n = len(data)
                received.update(data)
            if not n:
                break
            count += n
    assert count == 64 * MiB
    assert received.digest() == sent.digest()


def test_both_directions_at_once(stream: Any) -> None:
    one, two = stream
    data = random.Random(2).randbytes(8 * MiB)

    def receive(sock: Any) -> bytes:
        received = bytearray()
        while len(received) < len(data):
            received += sock.recv(MiB)
        return bytes(received)

    with (
        Worker(one.sendall, data) as _,
        Worker(two.sendall, data) as _,
        Worker(receive, one) as at_one,
        Worker(receive, two) as at_two,
    ):
        assert at_one.result() == data
        assert at_two.result() == data


def test_one_sendall_of_64_mebibytes_to_an_echo(pair: Any) -> None:
    one, two = pair
    data = bytes(range(256)) * (64 * MiB // 256)

    def echo() -> None:
        while received := two.recv(MiB):
            two.sendall(received)
        two.shutdown(socket.SHUT_WR)

    def send() -> None:
        assert one.sendall(data) is None
        one.shutdown(socket.SHUT_WR)

    digest = hashlib.sha1(usedforsecurity=False)
    with Worker(echo), Worker(send):
        while back := one.recv(MiB):
            digest.update(back)
    assert digest.digest() == hashlib.sha1(data, usedforsecurity=False).digest()


def test_many_datagrams_keep_their_bounds() -> None:
    with udp_pair() as (one, two):
        for size in (0, 1, 100, 1472, 9000, 65507):
            payload = random.Random(size).randbytes(size)
            assert one.sendto(payload, two.getsockname()) == size
            assert two.recv(70_000) == payload


FAILING: dict[str, Callable[[Any], Any]] = {
    "accept": lambda sock: sock.accept(),
    "getsockopt": lambda sock: sock.getsockopt(-1, -1),
    "recv": lambda sock: sock.recv(1),
    "recv large": lambda sock: sock.recv(2**20),
    "recv with flags": lambda sock: sock.recv(1, socket.MSG_PEEK),
    "recv_into": lambda sock: sock.recv_into(bytearray(1)),
    "recvfrom": lambda sock: sock.recvfrom(1),
    "recvfrom_into": lambda sock: sock.recvfrom_into(bytearray(1)),
    "recvmsg": lambda sock: sock.recvmsg(1, 64),
    "recvmsg_into": lambda sock: sock.recvmsg_into([bytearray(1)], 64),
    "send": lambda sock: [sock.send(b"x" * 2**16) for _ in range(2**10)],
    "sendall": lambda sock: sock.sendall(b"x" * 2**24),
    "sendmsg": lambda sock: sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, b"\xff" * 4)]),
    "setsockopt": lambda sock: sock.setsockopt(-1, -1, 1),
}


@pytest.mark.skipif(PYPY, reason="objects go when the collector finds them")
@pytest.mark.parametrize("timeout", [0, 0.01])
@pytest.mark.parametrize("name", FAILING)
def test_an_error_keeps_no_socket_alive(name: str, timeout: float) -> None:
    """Nothing refers to the exception but its handler, so the frames in its traceback go with it."""
    one, two = socket.socketpair()
    with two:
        one.settimeout(timeout)
        alive = weakref.ref(one)
        gc.disable()
        try:
            with contextlib.suppress(OSError):
                FAILING[name](one)
                pytest.fail("it has not failed")
            one.close()
            del one
            assert alive() is None
        finally:
            gc.enable()
