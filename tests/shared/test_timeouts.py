"""Timeouts and non-blocking mode: what they are set to, and what they do to each call."""

from __future__ import annotations

import errno
import math
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from .target import (
    IS_STDLIB,
    LOCALHOST,
    PATIENCE,
    Worker,
    control_fails,
    fill,
    full_backlog,
    same_as_stdlib,
    socket,
    tcp_pair,
    until_it_fails,
)

BRIEF = 0.05


@pytest.fixture
def default_timeout() -> Iterator[None]:
    """Puts the module's default timeout back."""
    before = socket.getdefaulttimeout()
    yield
    socket.setdefaulttimeout(before)


@pytest.fixture
def backlog() -> Iterator[tuple[str, int]]:
    with full_backlog() as (_, address):
        yield address


# -- settimeout, setblocking ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        (None, None),
        (0, 0.0),
        (0.0, 0.0),
        (1, 1.0),
        (2.5, 2.5),
        (True, 1.0),
        (1e-9, 1e-9),
        (86400 * 365, 31536000.0),
    ],
)
def test_settimeout(sock: Any, value: Any, reads: float | None) -> None:
    assert sock.settimeout(value) is None
    assert sock.gettimeout() == reads
    assert type(sock.gettimeout()) in (float, type(None))
    assert sock.timeout == sock.gettimeout()


def test_a_timeout_below_a_nanosecond_is_rounded_up(sock: Any) -> None:
    sock.settimeout(1e-12)
    assert sock.gettimeout() == pytest.approx(1e-9)


def test_a_timeout_has_nanoseconds(sock: Any) -> None:
    sock.settimeout(1.123456789)
    assert sock.gettimeout() == pytest.approx(1.123456789, abs=2e-9)


class Number:
    """What has only ``__index__``."""

    def __index__(self) -> int:
        return 3


def test_a_timeout_may_be_anything_with_an_index(sock: Any) -> None:
    sock.settimeout(Number())
    assert sock.gettimeout() == 3.0


@pytest.mark.parametrize("bad", ["", "1", b"1", (), [], {}, object(), 1j, "none"])
@pytest.mark.parametrize("function", ["settimeout", "setdefaulttimeout"])
def test_a_timeout_of_a_wrong_type(sock: Any, default_timeout: None, bad: object, function: str) -> None:
    with pytest.raises(TypeError):
        (sock.settimeout if function == "settimeout" else socket.setdefaulttimeout)(bad)
    assert sock.gettimeout() is None
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("value", [Decimal(1), Fraction(1, 2), Decimal(-1), Decimal("nan")])
def test_other_numbers_as_a_timeout(value: object) -> None:
    """Newer Pythons take what has ``__float__``."""

    def try_it(module: Any) -> Any:
        with module.socket() as sock:
            sock.settimeout(value)
            return sock.gettimeout()

    same_as_stdlib(try_it)


@pytest.mark.parametrize("bad", [-1, -0.5, -1e-9, -1e300])
@pytest.mark.parametrize("function", ["settimeout", "setdefaulttimeout"])
def test_a_negative_timeout(sock: Any, default_timeout: None, bad: float, function: str) -> None:
    error = (ValueError, OverflowError) if bad == -1e300 else ValueError
    with pytest.raises(error):
        (sock.settimeout if function == "settimeout" else socket.setdefaulttimeout)(bad)
    assert sock.gettimeout() is None
    assert socket.getdefaulttimeout() is None


def test_the_text_for_a_negative_timeout(sock: Any) -> None:
    with pytest.raises(ValueError, match="Timeout value out of range"):
        sock.settimeout(-1)


def test_not_a_number(sock: Any) -> None:
    with pytest.raises(ValueError, match="Invalid value NaN"):
        sock.settimeout(math.nan)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, 1e300, 2**63, 10**30])
def test_a_timeout_too_large(sock: Any, bad: float) -> None:
    with pytest.raises(OverflowError):
        sock.settimeout(bad)
    assert sock.gettimeout() is None


@pytest.mark.parametrize(
    ("value", "timeout"), [(True, None), (False, 0.0), (1, None), (0, 0.0), (-1, None), (2**31 - 1, None)]
)
def test_setblocking(sock: Any, value: int, timeout: float | None) -> None:
    sock.settimeout(5)
    assert sock.setblocking(value) is None
    assert sock.gettimeout() == timeout
    assert sock.getblocking() is (timeout is None)
    assert os.get_blocking(sock.fileno()) is (timeout is None)


@pytest.mark.parametrize("value", ["", "yes", None, [], 1.5, 2**31, 2**32 - 1, 2**32, 2**64, -(2**40)])
def test_setblocking_of_other_things(value: object) -> None:
    """Any object has been taken by its truth since 3.13, and only an int before."""

    def try_it(module: Any) -> tuple[object, object]:
        with module.socket() as sock:
            sock.settimeout(5)
            try:
                sock.setblocking(value)
            except (TypeError, OverflowError) as error:
                return type(error), sock.gettimeout()
            return None, sock.gettimeout()

    if sys.version_info >= (3, 13):
        same_as_stdlib(try_it)
    elif not IS_STDLIB:
        # socketpkg does as the newer Pythons on the older ones, too.
        assert try_it(socket) == (None, None if value else 0.0)


@pytest.mark.parametrize(
    ("timeout", "blocking", "descriptor_blocks"), [(None, True, True), (0, False, False), (3, True, False)]
)
def test_the_descriptor_after_each(sock: Any, timeout: float | None, blocking: bool, descriptor_blocks: bool) -> None:
    """A socket with a timeout has a descriptor that does not block."""
    for before in (None, 0, 1):
        sock.settimeout(before)
        sock.settimeout(timeout)
        assert sock.getblocking() is blocking
        assert os.get_blocking(sock.fileno()) is descriptor_blocks


def test_getblocking_tells_of_the_object_not_of_the_descriptor(sock: Any) -> None:
    os.set_blocking(sock.fileno(), False)
    assert sock.getblocking() is True


# -- the default ------------------------------------------------------------------------------------------------------


def test_there_is_no_default_timeout_at_first() -> None:
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("value", [None, 0, 4, 2.5])
def test_a_default_timeout(default_timeout: None, value: float | None) -> None:
    socket.setdefaulttimeout(value)
    assert socket.getdefaulttimeout() == value
    with socket.socket() as new:
        assert new.gettimeout() == value
        assert os.get_blocking(new.fileno()) is (value is None)
    one, two = socket.socketpair()
    with one, two:
        assert (one.gettimeout(), two.gettimeout()) == (value, value)
        assert os.get_blocking(one.fileno()) is (value is None)


def test_a_default_timeout_leaves_the_sockets_that_are(sock: Any, default_timeout: None) -> None:
    socket.setdefaulttimeout(4)
    assert sock.gettimeout() is None


@pytest.mark.parametrize("bad", [math.nan, -1])
def test_a_bad_default_timeout(default_timeout: None, bad: float) -> None:
    socket.setdefaulttimeout(4)
    with pytest.raises(ValueError, match="Invalid value NaN|Timeout value out of range"):
        socket.setdefaulttimeout(bad)
    assert socket.getdefaulttimeout() == 4


# -- accept -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "listening", "accepted"),
    [
        (None, None, None),
        (None, 5, None),
        (None, 0, None),
        (3, None, 3),
        (3, 5, 3),
        (0, 5, 0.0),
    ],
)
def test_the_timeout_of_an_accepted_socket(
    default_timeout: None, default: float | None, listening: float | None, accepted: float | None
) -> None:
    """It is the default; that of the listener does not count."""
    with socket.socket() as listener:
        listener.bind((LOCALHOST, 0))
        listener.listen()
        with socket.socket() as client:
            client.connect(listener.getsockname())
            select.select([listener], [], [], PATIENCE)
            listener.settimeout(listening)
            socket.setdefaulttimeout(default)
            server, _ = listener.accept()
            with server:
                assert server.gettimeout() == accepted
                assert os.get_blocking(server.fileno()) is (accepted is None)


def test_accept_times_out(listener: Any) -> None:
    listener.settimeout(BRIEF)
    with pytest.raises(TimeoutError, match="^timed out$"):
        listener.accept()


def test_accept_without_blocking(listener: Any) -> None:
    listener.setblocking(False)
    with pytest.raises(BlockingIOError) as caught:
        listener.accept()
    assert caught.value.errno == errno.EAGAIN


def test_accept_waits_for_a_client(listener: Any) -> None:
    with Worker(listener.accept) as worker, socket.socket() as client:
        client.connect(listener.getsockname())
        server, address = worker.result()
        with server:
            assert address == client.getsockname()


# -- receiving and sending --------------------------------------------------------------------------------------------

RECEIVING = {
    "recv": lambda s: s.recv(10),
    "recv_into": lambda s: s.recv_into(bytearray(10)),
    "recvfrom": lambda s: s.recvfrom(10),
    "recvfrom_into": lambda s: s.recvfrom_into(bytearray(10)),
    "recvmsg": lambda s: s.recvmsg(10),
    "recvmsg_into": lambda s: s.recvmsg_into([bytearray(10)]),
}
SENDING = {
    "send": lambda s: s.send(b"x" * 65536),
    "sendall": lambda s: s.sendall(b"x" * 65536),
    "sendto": lambda s: s.sendto(b"x" * 65536, None),
    "sendmsg": lambda s: s.sendmsg([b"x" * 65536]),
}


@pytest.mark.parametrize("method", sorted(RECEIVING))
def test_receiving_times_out(stream: Any, method: str) -> None:
    one, _ = stream
    one.settimeout(BRIEF)
    before = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        RECEIVING[method](one)
    assert time.monotonic() - before >= BRIEF * 0.9
    assert type(caught.value) is TimeoutError
    assert caught.value.args == ("timed out",)
    assert caught.value.errno is None


@pytest.mark.parametrize("method", sorted(RECEIVING))
def test_receiving_without_blocking(stream: Any, method: str) -> None:
    one, _ = stream
    one.setblocking(False)
    with pytest.raises(BlockingIOError) as caught:
        RECEIVING[method](one)
    assert caught.value.errno == errno.EAGAIN
    assert caught.value.strerror == os.strerror(errno.EAGAIN)


@pytest.mark.parametrize("method", ["send", "sendall", "sendmsg"])
def test_sending_times_out(stream: Any, method: str) -> None:
    one, _ = stream
    fill(one)
    one.settimeout(BRIEF)
    with pytest.raises(TimeoutError, match="^timed out$"):
        until_it_fails(lambda: SENDING[method](one))


@pytest.mark.parametrize("method", ["send", "sendall", "sendmsg"])
def test_sending_without_blocking(stream: Any, method: str) -> None:
    one, _ = stream
    fill(one)
    one.setblocking(False)
    with pytest.raises(BlockingIOError) as caught:
        until_it_fails(lambda: SENDING[method](one))
    assert caught.value.errno == errno.EAGAIN


@pytest.mark.parametrize("method", sorted(RECEIVING))
@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_receiving_goes_on_when_data_comes(stream: Any, method: str, timeout: float | None) -> None:
    one, two = stream
    one.settimeout(timeout)
    with Worker(RECEIVING[method], one) as worker:
        two.sendall(b"0123456789")
        result = worker.result()
    first = result[0] if isinstance(result, tuple) else result
    assert first in (b"0123456789", 10)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_sendall_goes_on_when_there_is_room(stream: Any, timeout: float | None) -> None:
    one, two = stream
    count = fill(one)
    one.settimeout(timeout)
    payload = b"y" * 300_000
    with Worker(one.sendall, payload) as worker:
        two.settimeout(PATIENCE)
        received = bytearray()
        while len(received) < count + len(payload):
            received += two.recv(1 << 20)
        assert worker.result() is None
    assert received[count:] == payload


def test_a_send_with_a_timeout_takes_what_fits(stream: Any) -> None:
    one, _ = stream
    one.settimeout(PATIENCE)
    assert 0 < one.send(b"x" * (64 << 20)) < 64 << 20


def test_recvfrom_of_a_datagram_times_out(udp: Any) -> None:
    one, _ = udp
    one.settimeout(BRIEF)
    with pytest.raises(TimeoutError, match="^timed out$"):
        one.recvfrom(10)


def test_sendall_has_one_deadline_for_everything(stream: Any) -> None:
    """A peer that keeps taking a little does not keep it alive."""
    one, two = stream
    # A socket is writable when a good part of its buffer is free: a small one, so that each sip ends a wait.
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
    fill(one)
    one.settimeout(0.5)
    stop = False

    def sip() -> None:
        two.settimeout(0.02)
        while not stop:
            try:
                two.recv(32768)
            except TimeoutError:
                pass
            time.sleep(0.02)

    with Worker(sip):
        before = time.monotonic()
        try:
            with pytest.raises(TimeoutError, match="^timed out$"):
                one.sendall(b"x" * (64 << 20))
            assert 0.45 <= time.monotonic() - before < PATIENCE
        finally:
            stop = True


def test_a_timeout_is_for_each_call_anew(pair: Any) -> None:
    one, two = pair
    one.settimeout(PATIENCE)
    for _ in range(3):
        two.send(b"x")
        assert one.recv(1) == b"x"
    one.settimeout(BRIEF)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            one.recv(1)
    two.send(b"later")
    assert one.recv(10) == b"later"


def test_a_tiny_timeout(pair: Any) -> None:
    one, two = pair
    one.settimeout(1e-9)
    with pytest.raises(TimeoutError, match="^timed out$"):
        one.recv(1)
    two.send(b"x")
    assert one.recv(1) == b"x"


@control_fails("gh-126876, the timeout wraps around", fixed=(3, 13, 2))
def test_a_timeout_longer_than_poll_can_take(pair: Any) -> None:
    one, two = pair
    one.settimeout(2**31)
    with Worker(one.recv, 1) as worker:
        time.sleep(0.02)  # so that it waits, of which nothing tells
        two.send(b"x")
        assert worker.result() == b"x"


def test_msg_dontwait_on_a_blocking_socket(pair: Any) -> None:
    one, _ = pair
    with pytest.raises(BlockingIOError):
        one.recv(1, socket.MSG_DONTWAIT)


def test_msg_waitall_with_a_timeout_takes_what_there_is(pair: Any) -> None:
    """The descriptor of a socket with a timeout does not block, so that the kernel does not wait for all."""
    one, two = pair
    one.settimeout(BRIEF)
    two.send(b"half")
    assert one.recv(8, socket.MSG_WAITALL) == b"half"


def test_msg_waitall_on_a_blocking_socket_waits_for_all(pair: Any) -> None:
    one, two = pair
    two.send(b"half")
    with Worker(one.recv, 8, socket.MSG_WAITALL) as worker:
        two.send(b"half")
        assert worker.result() == b"halfhalf"


def test_the_end_of_the_stream_needs_no_wait(stream: Any) -> None:
    one, two = stream
    one.settimeout(PATIENCE)
    two.close()
    assert one.recv(1) == b""


# -- connect ----------------------------------------------------------------------------------------------------------


def test_connect_times_out(backlog: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.settimeout(BRIEF)
        with pytest.raises(TimeoutError) as caught:
            sock.connect(backlog)
        assert str(caught.value) == "timed out"


def test_connect_without_blocking(backlog: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        with pytest.raises(BlockingIOError) as caught:
            sock.connect(backlog)
        assert caught.value.errno == errno.EINPROGRESS


def test_connect_ex_times_out(backlog: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.settimeout(BRIEF)
        assert sock.connect_ex(backlog) == errno.EAGAIN


def test_connect_ex_without_blocking(backlog: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        assert sock.connect_ex(backlog) == errno.EINPROGRESS
        assert sock.connect_ex(backlog) == errno.EALREADY


def test_connect_without_blocking_ends_in_a_connection(listener: Any) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        assert sock.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
        server, _ = listener.accept()
        with server:
            assert select.select([], [sock], [], PATIENCE)[1] == [sock]
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            assert sock.connect_ex(listener.getsockname()) in (0, errno.EISCONN)
            assert sock.getpeername() == listener.getsockname()


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_connect_refused(timeout: float | None) -> None:
    with socket.socket() as taken:
        taken.bind((LOCALHOST, 0))  # bound, but nobody listens
        with socket.socket() as sock:
            sock.settimeout(timeout)
            with pytest.raises(ConnectionRefusedError) as caught:
                sock.connect(taken.getsockname())
            assert caught.value.errno == errno.ECONNREFUSED
            assert caught.value.strerror == os.strerror(errno.ECONNREFUSED)
        with socket.socket() as sock:
            sock.settimeout(timeout)
            assert sock.connect_ex(taken.getsockname()) == errno.ECONNREFUSED


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_connect_ex_connects(listener: Any, timeout: float | None) -> None:
    with socket.socket() as sock:
        sock.settimeout(timeout)
        assert sock.connect_ex(listener.getsockname()) == 0
        server, _ = listener.accept()
        server.close()
        # Linux says once more that it is connected, when nobody had asked before.
        assert sock.connect_ex(listener.getsockname()) in (0, errno.EISCONN)
        assert sock.connect_ex(listener.getsockname()) == errno.EISCONN


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("not a tuple", TypeError),
        (("127.0.0.1",), TypeError),
        (("127.0.0.1", "80"), TypeError),
        (("127.0.0.1", 65536), OverflowError),
        (("127.0.0.1", -1), OverflowError),
        (("no\0name", 80), (ValueError, TypeError)),
    ],
)
def test_connect_ex_raises_for_what_is_no_address(sock: Any, address: Any, error: Any) -> None:
    with pytest.raises(error):
        sock.connect_ex(address)


def test_connect_ex_raises_for_a_name_that_does_not_resolve(sock: Any) -> None:
    with pytest.raises(socket.gaierror):
        sock.connect_ex(("name.invalid", 80))


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_connect_with_a_timeout_connects(listener: Any, timeout: float | None) -> None:
    with socket.socket() as sock:
        sock.settimeout(timeout)
        assert sock.connect(listener.getsockname()) is None
        server, _ = listener.accept()
        with server:
            assert sock.getpeername() == listener.getsockname()


def test_unix_connect_to_a_full_backlog(short_dir: Any) -> None:
    """A UNIX socket says EAGAIN where TCP says EINPROGRESS."""
    path = str(short_dir / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            first.connect(path)
            second.setblocking(False)
            assert second.connect_ex(path) == errno.EAGAIN
            with pytest.raises(BlockingIOError):
                second.connect(path)


# -- the two ends together --------------------------------------------------------------------------------------------


def test_mode_changed_between_calls(stream: Any) -> None:
    one, two = stream
    for timeout in (None, 0, BRIEF, None, PATIENCE, 0):
        one.settimeout(timeout)
        two.send(b"x")
        select.select([one], [], [], PATIENCE)
        assert one.recv(1) == b"x"


def test_udp_with_a_timeout_sends(udp: Any) -> None:
    one, two = udp
    one.settimeout(PATIENCE)
    assert one.sendto(b"data", two.getsockname()) == 4
    assert two.recv(10) == b"data"


def test_a_reset_connection(tcp: Any) -> None:
    client, server = tcp
    client.settimeout(PATIENCE)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    with pytest.raises(ConnectionResetError) as caught:
        client.recv(1)
    assert caught.value.errno == errno.ECONNRESET


def test_sending_to_a_peer_that_is_gone(pair: Any) -> None:
    one, two = pair
    two.close()
    with pytest.raises(BrokenPipeError) as caught:
        one.send(b"x")
    assert caught.value.errno == errno.EPIPE


def test_accept_of_a_socket_that_does_not_listen(sock: Any) -> None:
    for timeout in (None, 0, PATIENCE):
        sock.settimeout(timeout)
        with pytest.raises(OSError) as caught:
            sock.accept()
        assert caught.value.errno == errno.EINVAL


def test_receiving_on_an_unconnected_socket(sock: Any) -> None:
    for timeout in (None, 0, PATIENCE):
        sock.settimeout(timeout)
        with pytest.raises(OSError) as caught:
            sock.recv(1)
        assert caught.value.errno == errno.ENOTCONN


def test_more_descriptors_than_select_takes(pair: Any) -> None:
    """Waiting is not bounded by FD_SETSIZE."""
    import resource

    one, two = pair
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= 1100:
        pytest.skip("the limit of descriptors is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    try:
        number = os.dup2(one.fileno(), 1100)
        with socket.socket(fileno=number) as high:
            high.settimeout(BRIEF)
            with pytest.raises(TimeoutError):
                high.recv(1)
            two.send(b"x")
            assert high.recv(1) == b"x"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_large_timeout_on_every_call(listener: Any) -> None:
    """No timeout that is accepted makes a call fail."""
    huge = float(sys.maxsize // 10**9)
    with socket.socket() as sock:
        sock.settimeout(huge - 1)
        sock.connect(listener.getsockname())
        listener.settimeout(huge - 1)
        server, _ = listener.accept()
        with server:
            server.settimeout(huge - 1)
            server.sendall(b"x")
            assert sock.recv(1) == b"x"


def test_tcp_pair_blocks_by_default() -> None:
    with tcp_pair() as (client, server):
        assert client.getblocking() and server.getblocking()


class _Float(float):
    """A float that is none of just that type."""


@pytest.mark.parametrize(
    "value",
    [
        *(None, 0, 1, True, 5, 10**9, 10**9 + 1, 9223372036, 9223372037, 2**63, 2**64, -1),
        *(
            0.0,
            -0.0,
            5e-324,
            1e-10,
            1e-9,
            1.5e-9,
            0.1,
            0.3,
            2.5,
            1 / 3,
            1e9,
            1e9 + 0.1,
            9223372036.0,
            9223372037.0,
            1e300,
        ),
        *(-1e-10, -1.0, float("inf"), float("nan"), _Float(2.5), "5", b"5", 1j),
    ],
    ids=repr,
)
def test_timeouts_are_rounded_as_in_the_standard_library(value: Any) -> None:
    def timeout(module: Any) -> Any:
        with module.socket() as sock:
            sock.settimeout(value)
            return sock.gettimeout(), sock.getblocking()

    same_as_stdlib(timeout)


# -- a datagram socket that was shut down is ready for ever, and there is never anything -------------------------------


@pytest.fixture
def shut_down() -> Iterator[Any]:
    """Such a socket, which has a timeout."""
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, two:
        one.shutdown(socket.SHUT_RDWR)
        one.settimeout(0.5)
        yield one


class Interrupted(Exception):
    """What the handler of the alarm raises."""


@contextmanager
def interrupted_soon() -> Iterator[None]:
    """A block that has to be ended by a signal's handler."""

    def handler(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupted):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@control_fails("it looks for signals after an interrupted system call only, and there is none")
@pytest.mark.parametrize("method", ["recv", "recvfrom", "recvmsg"])
def test_a_handler_runs_while_a_socket_that_was_shut_down_waits(shut_down: Any, method: str) -> None:
    shut_down.settimeout(PATIENCE if not IS_STDLIB else 0.5)
    with interrupted_soon():
        getattr(shut_down, method)(5)


@control_fails("it looks for signals after an interrupted system call only, and there is none")
def test_a_handler_runs_while_a_datagram_waits_for_its_receiver() -> None:
    """poll(2) looks at the sender's own room alone, where it is not connected: it is ready, and nothing can be sent."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        two.bind("")
        one.settimeout(0)
        with pytest.raises(BlockingIOError):
            until_it_fails(lambda: one.sendto(b"x", two.getsockname()))
        one.settimeout(PATIENCE if not IS_STDLIB else 0.5)
        with interrupted_soon():
            one.sendto(b"x", two.getsockname())


@control_fails("it asks again without a rest")
@pytest.mark.parametrize("method", ["recv", "recvfrom", "recvmsg"])
def test_a_socket_that_was_shut_down_leaves_the_processor_to_others(shut_down: Any, method: str) -> None:
    begin = time.process_time()
    with pytest.raises(TimeoutError):
        getattr(shut_down, method)(5)
    assert time.process_time() - begin < 0.25
