"""A descriptor has one owner, and a call uses it for one system call: nobody reads, writes or closes a stranger's."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import IS_STDLIB, LINUX, LOCALHOST, PATIENCE, PYPY, Worker, fill, run_python, socket

SECRET = b"for the old connection"
STRANGERS = b"for the stranger"


# -- a number that is another file's when the call goes on ------------------------------------------------------------


def receives(name: str, *arguments: Any) -> Any:
    return pytest.param(lambda sock: getattr(sock, name)(*arguments), id=name)


RECEIVING = [
    receives("recv", 100),
    receives("recv_into", bytearray(100)),
    receives("recvfrom", 100),
    receives("recvfrom_into", bytearray(100)),
    receives("recvmsg", 100, 100),
    receives("recvmsg_into", [bytearray(100)], 100),
]
SENDING = [receives(name, SECRET * 20_000) for name in ("send", "sendall")]
SENDING += [receives("sendmsg", [SECRET * 20_000])]
if not IS_STDLIB:
    RECEIVING += [receives("recvmmsg", 4, 100), receives("recvmmsg_into", [bytearray(100)] * 4)]
    RECEIVING += [receives("recv_segments", 100)]


def waiting(call: Callable[[Any], Any], sock: Any) -> tuple[Worker, list[str]]:
    """Makes the call in a thread that has time to come to its wait."""
    seen: list[str] = []

    def run() -> None:
        try:
            call(sock)
            seen.append("returned")
        except OSError as failure:
            seen.append(errno.errorcode.get(failure.errno or 0, type(failure).__name__))

    worker = Worker(run)
    time.sleep(0.15)
    return worker, seen


@contextlib.contextmanager
def replaced(sock: Any, stranger: Any) -> Iterator[None]:
    """Closes *sock*, whose number is the *stranger*'s then."""
    number = sock.fileno()
    sock.close()
    os.dup2(stranger.fileno(), number)
    try:
        yield
    finally:
        os.close(number)


@pytest.mark.parametrize("how", ["close", "detach"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
@pytest.mark.parametrize("call", RECEIVING)
def test_a_receive_does_not_go_on_with_the_number(call: Callable[[Any], Any], kind: str, how: str) -> None:
    one, two = socket.socketpair(socket.AF_UNIX, getattr(socket, kind))
    stranger, other = socket.socketpair()
    with one, two, stranger, other:
        other.sendall(STRANGERS)
        one.settimeout(PATIENCE)
        worker, seen = waiting(call, one)
        if how == "detach":
            kept = os.dup(one.fileno())
            number = one.detach()
            os.dup2(stranger.fileno(), number)
            two.send(b"x")
            worker.result()
            os.close(number)
            os.close(kept)
        else:
            with replaced(one, stranger):
                # It ends the wait: poll(2) keeps the file that it looks at.
                two.send(b"x")
                worker.result()
        assert seen == ["EBADF"]
        stranger.settimeout(PATIENCE)
        assert stranger.recv(100) == STRANGERS


@pytest.mark.parametrize("call", SENDING)
def test_a_send_does_not_go_on_with_the_number(call: Callable[[Any], Any]) -> None:
    one, two = socket.socketpair()
    stranger, other = socket.socketpair()
    with one, two, stranger, other:
        fill(one)
        one.settimeout(PATIENCE)
        worker, seen = waiting(call, one)
        with replaced(one, stranger):
            two.settimeout(PATIENCE)
            two.recv(1 << 20)
            worker.result()
        assert seen == ["EBADF"]
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(100)


def test_a_sendall_that_has_begun_does_not_go_on_with_the_number() -> None:
    one, two = socket.socketpair()
    stranger, other = socket.socketpair()
    with one, two, stranger, other:
        one.settimeout(PATIENCE)
        worker, seen = waiting(lambda sock: sock.sendall(SECRET * 200_000), one)
        with replaced(one, stranger):
            two.settimeout(PATIENCE)
            while two.recv(1 << 20):
                if seen:
                    break
            worker.result()
        assert seen == ["EBADF"]
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(100)


def test_accept_does_not_go_on_with_the_number() -> None:
    with socket.create_server((LOCALHOST, 0)) as one, socket.create_server((LOCALHOST, 0)) as stranger:
        address = one.getsockname()
        with socket.create_connection(stranger.getsockname()) as client:
            one.settimeout(PATIENCE)
            worker, seen = waiting(lambda sock: sock.accept(), one)
            # poll(2) keeps the listener that was closed, so this ends the wait.
            with replaced(one, stranger), socket.create_connection(address):
                worker.result()
            assert seen == ["EBADF"]
            stranger.settimeout(PATIENCE)
            connection, peer = stranger.accept()
            with connection:
                assert peer == client.getsockname()


@pytest.mark.skipif(not LINUX, reason="the kernel's queue of connections is Linux's")
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connect_does_not_ask_the_stranger(method: str) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((LOCALHOST, 0))
        listener.listen(0)
        address = listener.getsockname()
        stack.enter_context(socket.create_connection(address))
        stranger, other = socket.socketpair()
        one = socket.socket()
        for sock in (stranger, other, one):
            stack.enter_context(sock)
        one.settimeout(PATIENCE)
        codes: list[int] = []
        worker, seen = waiting(lambda sock: codes.append(getattr(sock, method)(address)), one)
        with replaced(one, stranger):
            # Room in the queue: the next try of the kernel connects, and that ends the wait.
            stack.enter_context(listener.accept()[0])
            worker.result()
        assert seen == (["EBADF"] if method == "connect" else ["returned"])
        assert codes == ([] if method == "connect" else [errno.EBADF])


# -- descriptors that are made and cannot be handed over --------------------------------------------------------------


class Failing(socket.socket):  # type: ignore[misc]
    """Fails when it has its descriptor already."""

    armed = False

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if Failing.armed:
            raise ValueError("no more")


class FailingBefore(socket.socket):  # type: ignore[misc]
    """Fails when it has no descriptor yet."""

    armed = False

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        if FailingBefore.armed:
            raise ValueError("not even one")
        super().__init__(*arguments, **keywords)


@pytest.fixture(params=[Failing, FailingBefore])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class of sockets that cannot be made while it is armed."""
    monkeypatch.setattr(request.param, "armed", False)
    return request.param


def descriptors() -> set[int]:
    return {int(name) for name in os.listdir("/dev/fd")}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("call", ["dup", "fromfd", "socketpair", "accept"])
def test_a_descriptor_is_closed_once_when_its_object_fails(
    failing: Any, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if IS_STDLIB and failing is FailingBefore:
        pytest.skip("the standard library leaves the descriptor open")
    listener = socket.create_server((LOCALHOST, 0))
    client = socket.create_connection(listener.getsockname())
    listener.settimeout(PATIENCE)
    sock = failing()
    calls = {
        "dup": sock.dup,
        "fromfd": lambda: socket.fromfd(client.fileno(), socket.AF_INET, socket.SOCK_STREAM),
        "socketpair": socket.socketpair,
        "accept": listener.accept,
    }
    if call != "dup":
        monkeypatch.setattr(socket, "socket", failing)
    before = descriptors()
    failing.armed = True
    strangers = []
    try:
        calls[call]()
    except ValueError:
        # The traceback keeps the object that failed. Its number may be a stranger's when it is closed a second time.
        strangers = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]
    else:
        pytest.fail("it did not fail")
    gc.collect()
    failing.armed = False
    for fd in strangers:
        os.fstat(fd)
        os.close(fd)
    for opened in (sock, client, listener):
        opened.close()
    assert descriptors() <= before


HANDLER_RAISES = """
    import gc, os, signal, struct, sys, time, warnings

    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda unraisable: None
    armed = False

    class Stop(Exception):
        pass

    def handler(*_):
        global armed
        if armed:
            armed = False
            raise Stop

    signal.signal(signal.SIGALRM, handler)
    operations = {
        "socket": lambda: socket.socket().close(),
        "socketpair": lambda: [sock.close() for sock in socket.socketpair()],
    }
    for name, operation in operations.items():
        before = len(os.listdir("/dev/fd"))
        raised = 0
        signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            try:
                armed = True
                operation()
                armed = False
            except Stop:
                raised += 1
            except OSError as failure:
                print(name, failure)
                break
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.collect()
        print(name, raised > 50, len(os.listdir("/dev/fd")) - before)
    sys.stdout.flush()
    os._exit(0)
"""


def test_a_handler_that_raises_leaves_no_descriptor() -> None:
    """socket() and close() have one moment each where the descriptor has no owner yet, or none any more."""
    lines = [line.split() for line in run_python(f"{HANDLER_RAISES}").splitlines()]
    assert [line[0] for line in lines] == ["socket", "socketpair"], lines
    # How many handlers there were is the machine's matter, and a socketpair of the standard library leaves some. PyPy's
    # ctypes is written in Python, and a handler can run in it before it hands over what it has.
    if not (PYPY and not IS_STDLIB and "ctypes" in socket.__backend__):
        assert int(lines[0][2]) == 0
    assert IS_STDLIB or int(lines[1][2]) <= 2


def detached_at_once(sockets: list[Any]) -> list[int]:
    """The descriptors that four threads got of the sockets, each of which they all detach."""
    start = threading.Barrier(4)
    taken: list[int] = []

    def detach() -> None:
        start.wait(PATIENCE)
        taken.extend([sock.detach() for sock in sockets])

    threads = [threading.Thread(target=detach) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [fd for fd in taken if fd != -1]


def test_of_threads_that_detach_a_socket_at_once_one_gets_its_descriptor() -> None:
    """Nor may two close it: the second one would close a stranger's.

    Without a GIL only a lock or an atomic exchange sees to that: before there was one, two got it 111 times of 30,000.
    """
    for _ in range(10):
        sockets = [socket.socket() for _ in range(500)]
        numbers = [sock.fileno() for sock in sockets]
        taken = detached_at_once(sockets)
        for fd in numbers:
            os.close(fd)
        assert sorted(taken) == sorted(numbers)


class Stop(Exception):
    """What a signal's handler raises."""


@pytest.mark.skipif(IS_STDLIB, reason="only of Python code")
@pytest.mark.skipif("+" in getattr(socket, "__backend__", ""), reason="layers count on what CPython makes one step")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_step_of_socket_leaves_a_descriptor_without_an_owner(stop_before: Callable[..., bool]) -> None:
    """PyPy runs the handlers of signals between any two steps. The compiled backend has those of the public class."""

    def stop() -> None:
        raise Stop

    before = descriptors()
    made: list[Any] = []
    step = 0
    while not made:
        step += 1
        with contextlib.suppress(Stop):
            stop_before(step, lambda: made.append(socket.socket()), stop, "socketpkg")
        if not made:
            assert descriptors() == before, f"step {step}"
    made.pop().close()
    assert step > 10


# -- O_NONBLOCK is not the socket's alone -----------------------------------------------------------------------------

BLOCKING_MODE_IS_SHARED = """
    import errno, os, sys, threading, time

    name, timeout, when = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    ticks = 0

    def tick():
        global ticks
        while True:
            time.sleep(0.005)
            ticks += 1

    threading.Thread(target=tick, daemon=True).start()
    calls = {
        "recv": lambda sock: sock.recv(1),
        "recv_into": lambda sock: sock.recv_into(bytearray(1)),
        "recvfrom": lambda sock: sock.recvfrom(1),
        "recvfrom_into": lambda sock: sock.recvfrom_into(bytearray(1)),
        "recvmsg": lambda sock: sock.recvmsg(1),
        "recvmsg_into": lambda sock: sock.recvmsg_into([bytearray(1)]),
        "recvmmsg": lambda sock: sock.recvmmsg(2, 1),
        "recvmmsg_into": lambda sock: sock.recvmmsg_into([bytearray(1)]),
        "recv_segments": lambda sock: sock.recv_segments(9),
        "send": lambda sock: [sock.send(b"x" * 100) for _ in range(100_000)],
        "sendall": lambda sock: sock.sendall(b"x" * 10_000_000),
        "sendmsg": lambda sock: [sock.sendmsg([b"x" * 100]) for _ in range(100_000)],
        "accept": lambda sock: sock.accept(),
    }
    if name == "accept":
        sock, peer = socket.create_server(("127.0.0.1", 0)), None
    else:
        sock, peer = socket.socketpair()
    sock.settimeout(timeout)

    def clear():
        os.set_blocking(sock.fileno(), True)

    if when == "before":
        clear()
    else:
        threading.Timer(timeout / 2, clear).start()
    before = ticks
    try:
        result = calls[name](sock)
    except TimeoutError:
        result = "timed out"
    except BlockingIOError:
        result = "nothing there"
    print(result, "others ran" if ticks > before or not timeout else "nobody ran")
    sys.stdout.flush()
    os._exit(0)
"""
MODE_CALLS = ["recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "accept"]
if not IS_STDLIB:
    MODE_CALLS += ["send", "sendall", "sendmsg", "recvmmsg", "recvmmsg_into", "recv_segments"]


@pytest.mark.skipif(not LINUX, reason="elsewhere send(2) does not heed MSG_DONTWAIT")
@pytest.mark.parametrize("when", ["before", "during"])
@pytest.mark.parametrize("name", MODE_CALLS)
def test_a_timeout_is_kept_when_somebody_clears_the_mode(name: str, when: str) -> None:
    assert run_python(BLOCKING_MODE_IS_SHARED, name, "0.2", when) == "timed out others ran\n"


@pytest.mark.skipif(IS_STDLIB, reason="the standard library blocks")
@pytest.mark.parametrize("name", [name for name in MODE_CALLS if name != "accept"])
def test_a_call_that_never_waits_does_not_when_somebody_clears_the_mode(name: str) -> None:
    assert run_python(BLOCKING_MODE_IS_SHARED, name, "0", "before") == "nothing there others ran\n"


def test_a_datagram_socket_that_was_shut_down_keeps_its_timeout() -> None:
    """It polls as readable for ever, and its receive finds nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, 0))
        sock.connect(sock.getsockname())
        sock.settimeout(0.1)
        sock.shutdown(socket.SHUT_RD)
        try:
            # Linux: b"" where the socket is connected, EAGAIN else.
            assert sock.recv(10) == b""
        except TimeoutError:
            pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, 0))
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RD)
        sock.settimeout(0.1)
        begin = time.monotonic()
        for call in (lambda: sock.recv(10), lambda: sock.recvfrom(10), lambda: sock.recvmsg(10)):
            with pytest.raises(TimeoutError):
                call()
        assert time.monotonic() - begin < PATIENCE


# -- what the kernel did not write ------------------------------------------------------------------------------------


@pytest.mark.skipif(not LINUX, reason="MSG_TRUNC of a stream is Linux's")
@pytest.mark.parametrize("size", [100, 5_000, 60_000, 300_000])
@pytest.mark.parametrize("method", ["recv", "recvfrom", "recvmsg", "recvmmsg"])
def test_no_byte_of_another_connection_is_handed_out(tcp: Any, method: str, size: int) -> None:
    """A TCP receive with MSG_TRUNC throws the data away, and counts it (tcp(7))."""
    if IS_STDLIB:
        pytest.skip("the standard library hands out memory that was not written")
    one, two = tcp
    with contextlib.ExitStack() as stack:
        other, another = socket.socketpair()
        stack.enter_context(other), stack.enter_context(another)
        for room in (size, 10 * size):
            other.sendall(SECRET * (20_000 // len(SECRET)))
            another.recv(room)
            another.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while another.recv(room):
                    pass
            another.setblocking(True)
        one.sendall(b"y" * size)
        two.settimeout(PATIENCE)
        received = 0
        while received < size:
            arguments = (1, size) if method == "recvmmsg" else (size,)
            result = getattr(two, method)(*arguments, socket.MSG_TRUNC)
            data = result if method == "recv" else result[0][0] if method == "recvmmsg" else result[0]
            assert not data.strip(b"\0y"), data[:40]
            received += len(data)


# -- SO_RCVLOWAT ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["recv", "recv_into", "recvfrom", "recvmsg", "accepted", "dup"])
def test_a_receive_waits_for_as_much_as_was_asked_for(way: str) -> None:
    """With a timeout. (Linux 6 forgets to wake a blocking receive that has taken a part.)"""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((LOCALHOST, 0)))
        if way == "accepted":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 10)
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        sock = stack.enter_context(listener.accept()[0])
        if way != "accepted":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 10)
        if way == "dup":
            sock = stack.enter_context(sock.dup())
        sock.settimeout(PATIENCE)
        client.sendall(b"abc")
        timer = threading.Timer(0.1, client.sendall, [b"defghij"])
        timer.start()
        if way == "recv_into":
            room = bytearray(100)
            data = bytes(room[: sock.recv_into(room)])
        elif way in ("recvfrom", "recvmsg"):
            data = getattr(sock, way)(100)[0]
        else:
            data = sock.recv(100)
        timer.join()
        assert data == b"abcdefghij"
