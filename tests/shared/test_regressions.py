"""Known faults of socket implementations, each with the test that would have found it.

The name of a test says what must happen, its docstring where the fault is on record. Those that touch security
or memory stand in test_regressions_safety.py. What could not be tested, and why, stands in docs/conformance.md.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import select
import signal
import struct
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from .target import (
    CLOSED_PORT,
    IS_STDLIB,
    LINUX,
    LOCALHOST,
    MODULE,
    PATIENCE,
    Worker,
    control_fails,
    full_backlog,
    run_python,
    same_as_stdlib,
    socket,
)

INT = struct.calcsize("i")


@pytest.mark.skipif(not LINUX, reason="autobind is Linux's")
def test_two_sockets_bind_to_no_name() -> None:
    """gh-94821, gh-88659."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        one.bind("")
        two.bind("")
        names = [one.getsockname(), two.getsockname()]
        assert [(type(name), len(name), name[:1]) for name in names] == [(bytes, 6, b"\0")] * 2
        assert names[0] != names[1]


def test_an_unbound_unix_socket_has_a_name_of_text() -> None:
    """gh-74391."""
    with socket.socket(socket.AF_UNIX) as sock:
        assert sock.getsockname() == ""
        assert type(sock.getsockname()) is str


@control_fails("gh-80109: it waits for what it has already read", fixed=(3, 13))
def test_a_file_for_reading_and_writing_keeps_its_lines(pair: Any) -> None:
    """gh-80109."""
    one, two = pair
    one.settimeout(3)
    two.sendall(b"one\ntwo\nthree\n")
    with one.makefile("rw", encoding="utf-8", newline="\n") as file:
        for line in ("one\n", "two\n", "three\n"):
            assert file.readline() == line
            file.write("got " + line)
            file.flush()
    assert two.recv(100) == b"got one\ngot two\ngot three\n"


def test_a_file_that_timed_out_stays_so_and_a_new_one_goes_on(pair: Any) -> None:
    """gh-76910, cheroot#105."""
    one, two = pair
    one.settimeout(0.02)
    with one.makefile("rb") as file:
        two.sendall(b"half a l")
        with pytest.raises(TimeoutError):
            file.readline()
        two.sendall(b"ine\nnext\n")
        with pytest.raises(OSError, match="^cannot read from timed out object$"):
            file.readline()
    with one.makefile("rb") as file:
        assert file.readline() == b"ine\n"
        assert file.readline() == b"next\n"


def test_close_after_a_reset(tcp: Any) -> None:
    """gh-74504: it does not fail, and it closes."""
    client, server = tcp
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.send(b"x")
    server.close()
    select.select([client], [], [], PATIENCE)
    client.close()
    assert client.fileno() == -1
    assert client._closed


def test_errors_of_the_resolver_are_those_of_this_call() -> None:
    """gh-155336: the number came from h_errno, which another call had left."""
    for _ in range(3):
        with pytest.raises(OSError) as caught:
            socket.gethostbyaddr("198.51.100.1")
        assert caught.value.errno
        with pytest.raises(socket.gaierror) as other:
            socket.gethostbyaddr("host.invalid")
        assert other.value.errno < 0  # type: ignore[operator]
        assert socket.gethostbyaddr(LOCALHOST)[2] == [LOCALHOST]


@control_fails("gh-100218, the number is missing", fixed=(3, 14, 10))
def test_an_unknown_interface_has_an_errno() -> None:
    """gh-100218, gh-140905."""
    with pytest.raises(OSError) as caught:
        socket.if_nametoindex("no-such-if")
    assert caught.value.errno == errno.ENODEV


@control_fails("gh-107545, a TypeError about buffers", fixed=(3, 15))
def test_an_option_too_large_is_an_overflow() -> None:
    """gh-107545."""
    with socket.socket() as sock, pytest.raises(OverflowError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**31)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_peer_that_hangs_up_ends_the_wait(stream: Any, timeout: float | None) -> None:
    """bpo-42513, gh-23567: POLLERR and POLLHUP must end it."""
    one, two = stream
    one.settimeout(timeout)
    with Worker(one.recv, 1) as worker:
        time.sleep(0.01)
        two.close()
        assert worker.result() == b""


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_reset_ends_the_wait_of_a_sender(tcp: Any, timeout: float | None) -> None:
    """bpo-42513, gh-23567."""
    client, server = tcp
    client.settimeout(timeout)

    def send_on() -> None:
        while True:
            client.sendall(bytes(1 << 20))

    def send() -> None:
        with pytest.raises(ConnectionError):
            send_on()

    with Worker(send):
        time.sleep(0.02)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.close()


@contextlib.contextmanager
def signals(interval: float, handler: Any) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, interval, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_blocking_connect_waits_on_after_a_signal(alarms: Any) -> None:
    """gh-81992: without a timeout it must wait for ever, not with a negative one that poll does not know."""
    seen = threading.Event()
    connected = threading.Event()
    accepted = []

    def accept(listener: Any) -> None:
        assert seen.wait(PATIENCE)
        listener.settimeout(0.02)
        while not connected.is_set():
            with contextlib.suppress(TimeoutError):
                accepted.append(listener.accept()[0])

    with full_backlog() as (listener, address), socket.socket() as sock, Worker(accept, listener):
        try:
            alarms(0.01, once=seen.set, after=1)
            sock.connect(address)
        finally:
            connected.set()
        assert sock.getpeername() == address
    for server in accepted:
        server.close()


def test_connect_and_signals() -> None:
    """gh-132819: what the handler raises comes out; a socket that does not block does not wait for it."""

    def fail(number: int, frame: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise ZeroDivisionError

    with full_backlog() as (_, address):
        for timeout in (None, PATIENCE):
            with socket.socket() as sock, signals(0.02, fail):
                sock.settimeout(timeout)
                with pytest.raises(ZeroDivisionError):
                    sock.connect(address)
        with socket.socket() as sock, signals(0.02, lambda *_: None):
            sock.setblocking(False)
            with pytest.raises(BlockingIOError):
                sock.connect(address)


@pytest.mark.skipif(not LINUX, reason="sockets of protocol 0 say so elsewhere")
def test_an_explicit_protocol_is_kept(sock: Any) -> None:
    """gh-148783, gh-148784."""
    # Not the one that the kernel would tell: there are kernels that tell none.
    other = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDPLITE, fileno=sock.fileno())
    try:
        assert other.proto == socket.IPPROTO_UDPLITE
    finally:
        other.detach()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as explicit:
        assert explicit.proto == socket.IPPROTO_TCP


def test_a_descriptor_tells_its_family() -> None:
    """bpo-28134, gh-1349: a wrong family misprints addresses."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        other = socket.socket(fileno=sock.fileno())
        try:
            assert (other.family, other.type) == (socket.AF_INET6, socket.SOCK_DGRAM)
            assert other.getsockname() == sock.getsockname()
        finally:
            other.detach()


def test_sendfile_starts_at_the_offset_not_at_the_position(tcp: Any, tmp_path: Any) -> None:
    """gh-150107 of asyncio: `f.seek(5); s.sendfile(f, 0)` sends from 0."""
    client, server = tcp
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(5)
        assert client.sendfile(file, 0) == 10
        assert server.recv(20, socket.MSG_WAITALL | socket.MSG_DONTWAIT) == b"0123456789"


@control_fails("gh-114077", fixed=(3, 12, 2))
@pytest.mark.parametrize("count", [None, 3 << 30, 2**40])
def test_sendfile_asks_for_no_more_than_32_bits_hold(
    tcp: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, count: int | None
) -> None:
    """gh-114077, gh-112341: on a machine of 32 bits a larger count is an OverflowError. The kernel is not asked."""
    client, _ = tcp
    asked = []

    def sendfile(out: int, file: int, offset: int, size: int) -> int:
        asked.append((offset, size))
        return 0 if offset else 1 << 20

    monkeypatch.setattr(os, "sendfile", sendfile)
    path = tmp_path / "sparse"
    with path.open("wb+") as file:
        file.truncate(5 << 30)
        assert client.sendfile(file, count=count) == 1 << 20
    assert [offset for offset, _ in asked] == [0, 1 << 20]
    assert all(0 < size < 2**31 for _, size in asked)


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "70000000000"])
def test_odd_ports_of_getaddrinfo(port: str) -> None:
    """gh-74895: an error of the resolver, or what the C library makes of the number, but no OverflowError."""

    def look_up(module: Any) -> Any:
        return module.getaddrinfo(LOCALHOST, port, type=module.SOCK_STREAM)

    ours = same_as_stdlib(look_up)
    assert ours[0] == "returns" or issubclass(ours[1], socket.gaierror)


def test_the_descriptor_is_read_once() -> None:
    """gh-132886, gh-153935: methods in one thread, close in another; errors are those of a closed socket."""
    for _ in range(30):
        one, two = socket.socketpair()
        stop = threading.Event()

        def use(sock: Any = one, stop: threading.Event = stop) -> None:
            try:
                while not stop.is_set():
                    sock.settimeout(0.001)
                    sock.gettimeout()
                    with contextlib.suppress(TimeoutError):
                        sock.recv(1)
            except OSError as error:
                assert error.errno == errno.EBADF  # noqa: PT017

        with two, Worker(use):
            time.sleep(0.002)
            one.close()
            stop.set()


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_shutdown_and_close_wake_a_receiver(tcp: Any, timeout: float | None) -> None:
    """gh-154224 was macOS's."""
    client, _ = tcp
    client.settimeout(timeout)

    def receive() -> object:
        try:
            return client.recv(1)
        except OSError as error:
            return error.errno

    with Worker(receive) as worker:
        time.sleep(0.02)
        client.shutdown(socket.SHUT_RDWR)
        client.close()
        assert worker.result() in (b"", errno.EBADF, errno.ENOTCONN)


def test_descriptors_that_cannot_be_handed_over_are_closed(pair: Any) -> None:
    """gh-80931, gh-150683: the check for leaks that every test has is what looks for them."""
    one, two = pair
    read, write = os.pipe()
    try:
        socket.send_fds(one, [b"x"], [read, write] * 20)
        data, _, flags, _ = two.recvmsg(1, 0)
        assert data == b"x"
        assert flags & socket.MSG_CTRUNC
    finally:
        os.close(read)
        os.close(write)


def test_what_follows_an_address_and_a_blank() -> None:
    """inet_aton of glibc stops at a blank; musl's takes none of it: the answer is the C library's."""
    code = """
import ctypes
accepted = bool(ctypes.CDLL(None).inet_aton(b"127.0.0.1 garbage", ctypes.create_string_buffer(4)))
try:
    print(accepted, socket.inet_aton("127.0.0.1 garbage"))
except OSError:
    print(accepted, None)
"""
    assert run_python(code) in ("True b'\\x7f\\x00\\x00\\x01'\n", "False None\n")


@pytest.mark.parametrize(
    "call",
    [
        lambda: socket.create_connection((LOCALHOST, CLOSED_PORT)),
        lambda: socket.create_connection((LOCALHOST, CLOSED_PORT), source_address=("203.0.113.9", 0)),
        lambda: socket.create_server(("203.0.113.9", 0)),
        pytest.param(
            lambda: socket.create_server((LOCALHOST, 70_000)),
            marks=control_fails("create_server closes it only after an OSError"),
        ),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 9999),
        lambda: socket.socketpair(socket.AF_INET),
        lambda: socket.fromfd(12_345, socket.AF_INET, socket.SOCK_STREAM),
        lambda: socket.socket(fileno=12_345),
    ],
)
def test_helpers_that_fail_close_what_they_opened(call: Any) -> None:
    """The pattern of redis-py#3314 and pg8000#100."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with pytest.raises((OSError, OverflowError)):
            call()
        gc.collect()


def test_a_timeout_that_is_wrong_leaks_no_socket(listener: Any) -> None:
    """The same, when the error is not the kernel's."""
    for timeout in (-1, "soon"):
        try:
            socket.create_connection(listener.getsockname(), timeout=timeout)
        except (ValueError, TypeError) as error:
            # The standard library closes it only after an OSError; the collector does the rest there.
            if IS_STDLIB:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ResourceWarning)
                    error.__traceback__ = None
                    del error
                    gc.collect()
        else:
            pytest.fail("no error")


def test_the_length_of_a_hostname_is_passed_on() -> None:
    """sethostname: it was never to end at a NUL, and needs a permission."""
    code = f"""
import {MODULE} as socket, ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x04000000):
    print("denied")
else:
    socket.sethostname("a-name-of-its-own")
    assert os.uname().nodename == "a-name-of-its-own" == socket.gethostname()
    socket.sethostname(b"bytes-too")
    assert socket.gethostname() == "bytes-too"
    try:
        socket.sethostname("x" * 65)
    except OSError as error:
        print("too long", error.errno)
    print("set")
"""
    output = run_python(code)
    assert output in ("denied\n", f"too long {errno.EINVAL}\nset\n")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may set it")
def test_setting_the_hostname_needs_a_permission() -> None:
    """sethostname."""
    with pytest.raises(PermissionError):
        socket.sethostname(socket.gethostname())
