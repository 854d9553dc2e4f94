"""Known faults of socket implementations that touch security or memory, each with the test that would have found it.

The name of a test says what must happen, its docstring where the fault is on record. The others stand in
test_regressions.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import ssl
import struct
import sys
import time
import warnings
from typing import Any

import pytest

from .target import (
    LOCALHOST,
    PATIENCE,
    PYPY,
    Worker,
    control_fails,
    full_backlog,
    run_python,
    socket,
    stdlib,
)

INT = struct.calcsize("i")

# -- security ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["recv_into", "recvfrom_into"])
@pytest.mark.parametrize("nbytes", [5, 8, 1024, 2**31 - 1])
def test_a_buffer_is_never_written_past_its_end(pair: Any, method: str, nbytes: int) -> None:
    """CVE-2014-1912, bpo-20246."""
    one, two = pair
    one.send(b"12345678")
    buffer = bytearray(4)
    with pytest.raises(ValueError):
        getattr(two, method)(buffer, nbytes)
    with pytest.raises(ValueError):
        getattr(two, method)(buffer, -1)
    assert buffer == bytes(4)
    assert two.recv(100) == b"12345678"


def test_recvmsg_into_never_writes_past_its_buffers(pair: Any) -> None:
    """CVE-2014-1912 for a list of buffers."""
    one, two = pair
    one.send(b"12345678")
    store = bytearray(12)
    view = memoryview(store)
    assert two.recvmsg_into([view[2:4], view[6:8]])[0] == 4
    assert store == b"\0\x0012\0\x0034\0\0\0\0"


@pytest.mark.skipif(PYPY, reason="PyPy's asyncio does not check it before the call")
def test_asyncio_receives_no_more_than_its_buffer_holds() -> None:
    """CVE-2026-3298, gh-148808."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
        ):
            one.bind((LOCALHOST, 0))
            one.setblocking(False)
            two.sendto(b"x" * 100, one.getsockname())
            with pytest.raises(ValueError):
                await asyncio.wait_for(loop.sock_recvfrom_into(one, bytearray(4), 100), PATIENCE)

    with asyncio.Runner() as runner:
        runner.run(main())


def close_both(one: Any, two: Any) -> None:
    one.close()
    two.close()


@pytest.mark.skipif(not hasattr(stdlib, "_fallback_socketpair"), reason="this Python has only the system's socketpair")
@control_fails("CVE-2024-3219", fixed=(3, 13))
def test_socketpair_over_tcp_takes_no_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2024-3219, gh-122133; gh-122797 and gh-129676 came of its correction."""
    real = socket.socket
    strangers = []

    class Racing(real):  # type: ignore[misc,valid-type]
        def listen(self, *arguments: Any) -> None:
            super().listen(*arguments)
            stranger = real(self.family, self.type)
            strangers.append(stranger)
            stranger.connect(self.getsockname())

    monkeypatch.setattr(socket, "socket", Racing)
    try:
        with pytest.raises(OSError):
            close_both(*socket._fallback_socketpair())
    finally:
        for stranger in strangers:
            stranger.close()


@pytest.mark.skipif(not hasattr(stdlib, "_fallback_socketpair"), reason="this Python has only the system's socketpair")
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_socketpair_over_tcp_works_when_nobody_interferes(family: str) -> None:
    """gh-122797 and gh-129676."""
    one, two = socket._fallback_socketpair(getattr(socket, family))
    with one, two:
        assert one.getblocking() and two.getblocking()
        assert one.getpeername() == two.getsockname()
        one.sendall(b"x")
        assert two.recv(1) == b"x"
    with pytest.raises(ValueError):
        socket._fallback_socketpair(socket.AF_UNIX)
    with pytest.raises(ValueError):
        socket._fallback_socketpair(socket.AF_INET, socket.SOCK_DGRAM)
    with pytest.raises(ValueError):
        socket._fallback_socketpair(socket.AF_INET, socket.SOCK_STREAM, 6)


@pytest.mark.parametrize("host", ["xn--016c" + "a" * 5000, "ü" * 5000, "xn--" + "a" * 50_000, ("ü" * 60 + ".") * 500])
def test_long_hosts_fail_fast(host: str) -> None:
    """CVE-2022-45061, gh-98433: the time was quadratic. The bound is no measure of speed, only less than that takes."""
    before = time.process_time()
    with pytest.raises((UnicodeError, socket.gaierror)):
        socket.getaddrinfo(host, 80)
    with socket.socket() as sock, pytest.raises((UnicodeError, TypeError, socket.gaierror)):
        sock.connect((host, 80))
    assert time.process_time() - before < 5


def test_tls_over_a_connection_that_was_closed_returns_no_plain_text(tcp: Any) -> None:
    """CVE-2023-40217, gh-108310: what came before the handshake was handed over as if it had been authenticated."""
    client, server = tcp
    client.sendall(b"plain text that must not be believed")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    select.select([server], [], [], PATIENCE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    received = None
    with (
        pytest.raises((OSError, ValueError)),
        context.wrap_socket(server, server_side=True, do_handshake_on_connect=False) as wrapped,
    ):
        received = wrapped.recv(100)
    assert received is None
    server.close()


def test_abstract_names_are_never_a_default() -> None:
    """CVE-2022-42919, gh-97514: anybody may connect to an abstract name."""
    one, two = socket.socketpair()
    with one, two:
        assert one.getsockname() == two.getsockname() == ""
    with socket.socket(socket.AF_UNIX) as sock:
        assert sock.getsockname() == ""


@control_fails("every address gets the whole timeout")
def test_create_connection_keeps_its_timeout_over_many_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """gh-106283."""
    with full_backlog() as (_, address):
        answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * 10
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answers)
        before = time.monotonic()
        with pytest.raises(TimeoutError):
            socket.create_connection(("black.hole", 80), timeout=0.5)
        assert time.monotonic() - before < 4.5


@control_fails("every address gets the whole timeout")
def test_create_connection_leaves_each_address_the_rest_of_its_timeout(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gh-106283: an address that fails late takes from what the next ones have; the connection has it all again."""
    waits = []

    class Slow(socket.socket):
        def connect(self, address: Any) -> None:
            waits.append(self.gettimeout())
            if len(waits) == 3:
                super().connect(address)
            else:
                time.sleep(0.01)
                raise ConnectionRefusedError

    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())] * 3
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: answers)
    monkeypatch.setattr(socket, "socket", Slow)
    with socket.create_connection(("slow", 80), timeout=PATIENCE) as client:
        assert client.gettimeout() == PATIENCE
    first, second, third = waits
    assert first == PATIENCE
    assert 0 < second <= PATIENCE - 0.01
    assert 0 < third <= PATIENCE - 0.02


def test_long_interface_names_are_refused() -> None:
    """bpo-45228, gh-28404: J1939's were copied onto the stack whole.

    Where the kernel has no CAN, an object over another descriptor stands for it: the name is judged first.
    """
    if not hasattr(socket, "CAN_J1939"):
        pytest.skip("no CAN")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        for protocol, address in [
            (socket.CAN_J1939, ("x" * 1000, 0, 0, 0)),
            (socket.CAN_RAW, ("x" * 1000,)),
            (socket.CAN_ISOTP, ("x" * 1000, 1, 2)),
        ]:
            sock = socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, protocol, fileno=carrier.fileno())
            try:
                with pytest.raises(OSError, match="interface name too long"):
                    sock.bind(address)
            finally:
                sock.detach()


# -- memory safety ----------------------------------------------------------------------------------------------------


class Clearing:
    """An integer that clears a list while it is being read."""

    def __init__(self, target: list[Any], value: int) -> None:
        self.target = target
        self.value = value

    def __index__(self) -> int:
        self.target.clear()
        return self.value


@control_fails("gh-143637: it reads freed memory, and may crash", fixed=(3, 14, 3), run=False)
def test_items_that_vanish_while_they_are_read(pair: Any) -> None:
    """gh-143637."""
    one, two = pair
    items: list[Any] = []
    items.extend((Clearing(items, socket.SOL_SOCKET), socket.SCM_RIGHTS, b"") for _ in range(20))
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        one.sendmsg([b"x"], items)
    one.send(b"still alive")
    assert b"still alive" in two.recv(100)


def clearing_buffer(target: list[Any], data: bytes | bytearray) -> Any:
    """A buffer that clears a list when it is asked for (3.12 on: before, only C could write one)."""

    class Buffer:
        def __buffer__(self, flags: int) -> memoryview:
            target.clear()
            return memoryview(data)

    return Buffer()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes have no __buffer__ before 3.12")
@control_fails("gh-143988: it reads freed memory, and may crash", fixed=(3, 16), run=False)
def test_buffers_that_vanish_while_they_are_read(pair: Any) -> None:
    """gh-143988."""
    one, two = pair
    buffers: list[Any] = []
    buffers.extend(clearing_buffer(buffers, b"data") for _ in range(20))
    # All that were there at the start of the call.
    assert one.sendmsg(buffers) == 80
    assert buffers == []
    buffers.extend(clearing_buffer(buffers, bytearray(4)) for _ in range(20))
    assert two.recvmsg_into(buffers)[0] == 80
    assert buffers == []


def test_a_buffer_cannot_be_resized_during_the_call(pair: Any) -> None:
    """gh-143988 for all backends: it stays exported until the kernel is done with it."""
    one, two = pair
    buffer = bytearray(100)
    with Worker(two.recv_into, buffer) as worker:
        time.sleep(0.02)
        try:
            buffer.append(1)
        except BufferError:
            pass
        one.send(b"x" * 100)
        assert worker.result() == 100
    buffer.append(1)


@pytest.mark.skipif(PYPY, reason="PyPy does not count references")
def test_a_raising_audit_hook_leaks_nothing_of_getaddrinfo() -> None:
    """gh-146245; what it says of sendto is in test_audit."""
    code = """
import gc, sys
armed = False

def hook(event, arguments):
    if armed and event == "socket.getaddrinfo":
        raise PermissionError

sys.addaudithook(hook)

class Host(str):
    pass

host = Host("127.0.0.1")
before = sys.getrefcount(host)
armed = True
for _ in range(100):
    try:
        socket.getaddrinfo(host, 80)
    except PermissionError:
        pass
armed = False
gc.collect()
print(sys.getrefcount(host) - before)
"""
    assert run_python(code) == "0\n"


@pytest.mark.parametrize(
    ("kind", "name"), [("x" * 14, "aes"), ("x" * 20, "aes"), ("hash", "x" * 64), ("hash", "x" * 100)]
)
def test_names_of_algorithms_are_not_cut(kind: str, name: str) -> None:
    """bpo-35050, gh-10058; the address of AF_ALG must fit (gh-82463, gh-234)."""
    if not hasattr(socket, "AF_ALG"):
        pytest.skip("no AF_ALG")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        sock = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0, fileno=carrier.fileno())
        try:
            with pytest.raises(ValueError, match="too long"):
                sock.bind((kind, name))
        finally:
            sock.detach()


ADDRESSES = [
    ("AF_BLUETOOTH", "SOCK_STREAM", "BTPROTO_RFCOMM", ("00:11:22:33:44:55:66", 1)),
    ("AF_BLUETOOTH", "SOCK_STREAM", "BTPROTO_RFCOMM", ("no address", 1)),
    ("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_SCO", "no address"),
    ("AF_BLUETOOTH", "SOCK_SEQPACKET", "BTPROTO_SCO", 5),
    ("AF_NETLINK", "SOCK_RAW", 0, (1, 2, 3)),
    ("AF_NETLINK", "SOCK_RAW", 0, "wrong"),
    ("AF_PACKET", "SOCK_RAW", 0, ("lo", 70_000)),
    ("AF_PACKET", "SOCK_RAW", 0, ("lo", 0, 0, 0, b"123456789")),
    ("AF_VSOCK", "SOCK_STREAM", 0, "wrong"),
    ("AF_TIPC", "SOCK_RDM", 0, (1, 2)),
    ("AF_QIPCRTR", "SOCK_DGRAM", 0, ("1", 2)),
    ("AF_CAN", "SOCK_RAW", "CAN_RAW", 5),
]


@pytest.mark.parametrize(("family", "kind", "protocol", "address"), ADDRESSES, ids=repr)
def test_addresses_that_do_not_fit_are_refused(family: str, kind: str, protocol: Any, address: Any) -> None:
    """gh-111178, gh-131668: fields narrower than what was parsed into them; bpo-31927: other types read as bytes."""
    if not all(hasattr(socket, name) for name in (family, protocol) if isinstance(name, str)):
        pytest.skip("this system has no such family")
    number = protocol if isinstance(protocol, int) else getattr(socket, protocol)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        sock = socket.socket(getattr(socket, family), getattr(socket, kind), number, fileno=carrier.fileno())
        try:
            with pytest.raises((TypeError, ValueError, OverflowError, OSError)) as caught:
                sock.bind(address)
            # Of the errors that the kernel makes none may be there: the address was not to reach it.
            assert getattr(caught.value, "errno", None) in (None, errno.ENODEV)
        finally:
            sock.detach()


def test_the_sender_of_a_unix_datagram_may_have_the_longest_path(short_dir: Any) -> None:
    """nix#1763: the address was cut, or read from beyond it."""
    path = f"{short_dir}/".ljust(107, "p")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        one.bind(path)
        two.bind(f"{short_dir}/two")
        one.sendto(b"x", f"{short_dir}/two")
        assert two.recvfrom(1) == (b"x", path)
        one.sendto(b"y", f"{short_dir}/two")
        assert two.recvfrom_into(bytearray(1)) == (1, path)


def test_items_are_clipped_to_the_control_buffer(pair: Any) -> None:
    """rustix#1683, gh-96283. Every size of the buffer, so that each kind of cut comes up; no descriptor is lost."""
    one, two = pair
    read, write = os.pipe()
    try:
        for room in range(socket.CMSG_SPACE(3 * INT) + 8):
            one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("3i", read, write, read))])
            with warnings.catch_warnings():
                warnings.simplefilter("error", ResourceWarning)
                data, items, flags, _ = two.recvmsg(1, room)
            assert data == b"x"
            total = 0
            for level, kind, item in items:
                assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
                assert len(item) <= max(room - socket.CMSG_LEN(0), 0)
                whole = len(item) // INT
                for descriptor in struct.unpack(f"{whole}i", item[: whole * INT]):
                    os.fstat(descriptor)
                    os.close(descriptor)
                total += whole
            assert bool(flags & socket.MSG_CTRUNC) is (total < 3)
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize(
    "timeout",
    [
        2**31 // 1000 + 1,
        pytest.param(2**31, marks=control_fails("the timeout wraps around", fixed=(3, 13, 2))),
        2**32 // 1000 + 1,
        pytest.param(2**32, marks=control_fails("the timeout wraps around", fixed=(3, 13, 2))),
        9_000_000_000,
    ],
)
def test_long_timeouts_are_long(pair: Any, timeout: int) -> None:
    """gh-126876."""
    one, two = pair
    one.settimeout(timeout)
    with Worker(one.recv, 1) as worker:
        time.sleep(0.01)
        two.send(b"x")
        assert worker.result() == b"x"


def test_a_long_default_timeout_and_connect(listener: Any) -> None:
    """gh-126876."""
    socket.setdefaulttimeout(2**31)
    try:
        with socket.socket() as sock:
            sock.connect(listener.getsockname())
            listener.accept()[0].close()
            assert sock.recv(1) == b""
    finally:
        socket.setdefaulttimeout(None)


def test_failing_getaddrinfo_frees_nothing_that_it_did_not_get() -> None:
    """gh-100795."""
    for _ in range(200):
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo(LOCALHOST, "no-such-service")
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo(LOCALHOST, 80, 250)


@pytest.mark.parametrize(
    "index",
    [
        -1,
        2**32,
        pytest.param(2**64 - 1, marks=control_fails("gh-81194, a SystemError", fixed=(3, 13))),
        2**64,
        -(2**70),
    ],
)
def test_indexes_of_interfaces_out_of_range(index: int) -> None:
    """gh-81194, gh-133093."""
    with pytest.raises((OverflowError, ValueError, OSError)):
        socket.if_indextoname(index)


def test_the_largest_index_of_an_interface() -> None:
    """gh-81194."""
    with pytest.raises(OSError) as caught:
        socket.if_indextoname(2**32 - 1)
    assert caught.value.errno == errno.ENXIO
