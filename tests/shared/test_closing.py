"""close(wake=True): calls that wait in other threads end, and their descriptor becomes nobody else's meanwhile."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .target import LINUX, LOCALHOST, PATIENCE, PYPY, Worker, extension, fill, run_python, socket, tcp_pair, udp_pair

pytestmark = [pytest.mark.socketpkg_only, pytest.mark.skipif(not LINUX, reason="what shutdown(2) wakes on Linux")]

#: What a call may end with: EBADF when it looked at its socket again, ENOTSOCK when it was just about to.
CLEAR = {errno.EBADF, errno.ENOTSOCK}


def _hanging_connect(sock: Any) -> Any:
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((LOCALHOST, 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        return sock.connect(listener.getsockname())


def _unbound_udp() -> Iterator[Any]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, 0))
        yield sock


def _tcp() -> Iterator[Any]:
    with tcp_pair() as (one, _):
        yield one


def _full_tcp() -> Iterator[Any]:
    with tcp_pair() as (one, _):
        for _ in range(5):
            fill(one)
            time.sleep(0.05)  # what the peer's buffer takes makes room again
        yield one


def _unix() -> Iterator[Any]:
    one, two = socket.socketpair()
    with one, two:
        yield one


def _full_unix() -> Iterator[Any]:
    one, two = socket.socketpair()
    with one, two:
        fill(one)
        yield one


def _unix_dgram() -> Iterator[Any]:
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, two:
        yield one


def _listener() -> Iterator[Any]:
    with socket.socket() as sock:
        sock.bind((LOCALHOST, 0))
        sock.listen()
        yield sock


def _new() -> Iterator[Any]:
    with socket.socket() as sock:
        yield sock


def _connected_udp() -> Iterator[Any]:
    with udp_pair() as (one, two):
        one.connect(two.getsockname())
        yield one


RECEIVES: dict[str, Callable[[Any], Any]] = {
    "recv": lambda sock: sock.recv(10),
    "recv_large": lambda sock: sock.recv(1 << 20),
    "recv_into": lambda sock: sock.recv_into(bytearray(10)),
    "recvfrom": lambda sock: sock.recvfrom(10),
    "recvfrom_into": lambda sock: sock.recvfrom_into(bytearray(10)),
    "recvmsg": lambda sock: sock.recvmsg(10, 100),
    "recvmsg_into": lambda sock: sock.recvmsg_into([bytearray(10)]),
    "recvmmsg": lambda sock: sock.recvmmsg(4, 10),
}
MAKERS: dict[str, Callable[[], Iterator[Any]]] = {
    "tcp": _tcp,
    "unix": _unix,
    "udp": _unbound_udp,
    "connected_udp": _connected_udp,
    "unix_dgram": _unix_dgram,
}
SENDS: dict[str, Callable[[Any], Any]] = {
    "sendall": lambda sock: sock.sendall(bytes(10_000_000)),
    "sendall_small": lambda sock: until(lambda: sock.sendall(bytes(1000))),
    "send": lambda sock: until(lambda: sock.send(bytes(1000))),
    "sendmsg": lambda sock: until(lambda: sock.sendmsg([bytes(1000)])),
}


def until(call: Callable[[], Any]) -> None:
    while True:
        call()


def ends(make: Callable[[], Iterator[Any]], call: Callable[[Any], Any], timeout: float | None) -> None:
    with contextlib.contextmanager(make)() as sock:
        sock.settimeout(timeout)
        number = sock.fileno()
        worker = Worker(call, sock)
        # So that it waits. When it does not yet, the test is none, but passes.
        time.sleep(0.1)
        assert worker._thread.is_alive()
        sock.close(wake=True)
        with pytest.raises(OSError) as caught:
            worker.result()
        assert caught.value.errno in CLEAR, caught.value
        assert sock.fileno() == -1 and "[closed]" in repr(sock)
        # Its number is nobody's for as long as the object lives.
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
        for fd in others:
            os.close(fd)
        assert number not in others
        assert os.readlink(f"/proc/self/fd/{number}") == os.devnull


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", RECEIVES)
def test_a_receive(kind: str, name: str, timeout: float | None) -> None:
    ends(MAKERS[kind], RECEIVES[name], timeout)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("kind", [_full_tcp, _full_unix])
@pytest.mark.parametrize("name", SENDS)
def test_a_send(kind: Callable[[], Iterator[Any]], name: str, timeout: float | None) -> None:
    ends(kind, SENDS[name], timeout)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_an_accept(timeout: float | None) -> None:
    ends(_listener, lambda sock: sock.accept(), timeout)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_connect(timeout: float | None) -> None:
    ends(_new, _hanging_connect, timeout)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_messages(timeout: float | None) -> None:
    """recv_exactly() and the streams of socketpkg."""
    ends(_tcp, lambda sock: sock.recv_exactly(10), timeout)
    ends(_tcp, lambda sock: extension("streams").Stream(sock).readline(), timeout)


def test_several_threads() -> None:
    with tcp_pair() as (one, _):
        workers = [Worker(one.recv, 10) for _ in range(8)]
        time.sleep(0.1)
        one.close(wake=True)
        for worker in workers:
            with pytest.raises(OSError) as caught:
                worker.result()
            assert caught.value.errno in CLEAR


def test_the_number_is_given_back_with_the_object(pair: tuple[Any, Any]) -> None:
    one, two = socket.socketpair()
    with two:
        number = one.fileno()
        one.close(wake=True)
        one.close(wake=True)
        one.close()
        assert os.readlink(f"/proc/self/fd/{number}") == os.devnull
        assert not os.get_inheritable(number)
        assert two.recv(1) == b"", "the connection has ended at once, not with the object"
        with pytest.raises(OSError, match="Bad file descriptor"):
            one.recv(1)
        del one
        for _ in range(4 if PYPY else 1):
            gc.collect()
        with pytest.raises(OSError):
            os.fstat(number)


def test_the_port_is_free_at_once() -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind((LOCALHOST, 0))
        first.listen()
        address = first.getsockname()
        first.close(wake=True)
        second.bind(address)


def test_what_was_sent_arrives() -> None:
    with tcp_pair() as (one, two):
        one.sendall(b"farewell")
        one.close(wake=True)
        assert two.recv_exactly(8) == b"farewell"
        assert two.recv(1) == b""


def test_files_lose_it_too() -> None:
    with tcp_pair() as (one, _), one.makefile("rb") as file:
        worker = Worker(file.readline)
        time.sleep(0.1)
        one.close(wake=True)
        with pytest.raises(OSError) as caught:
            worker.result()
        assert caught.value.errno in CLEAR


def test_a_plain_close_is_as_ever(tcp: tuple[Any, Any]) -> None:
    one, _ = tcp
    number = one.fileno()
    with one.makefile("rb"):
        one.close()
        assert one.fileno() == number
    assert one.fileno() == -1
    with pytest.raises(OSError):
        os.fstat(number)


def test_no_descriptor_is_left() -> None:
    """Then the socket stays, shut down, until the object ends: nothing worse."""
    with tcp_pair() as (one, two):
        import resource

        worker = Worker(one.recv, 10)
        time.sleep(0.1)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            one.close(wake=True)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        with pytest.raises(OSError) as caught:
            worker.result()
        assert caught.value.errno in CLEAR
        assert two.recv(1) == b""


def test_races() -> None:
    """Threads that receive from and send to sockets which others close, while a stranger's descriptors come and go.

    What a call reads must be its own connection's, and what the stranger has must stay his.
    """
    stop = time.monotonic() + 3
    wrong: list[Any] = []

    def stranger() -> None:
        while time.monotonic() < stop and not wrong:
            inside, outside = socket.socketpair()
            with inside, outside:
                outside.sendall(b"stranger")
                if inside.recv(100) != b"stranger":
                    wrong.append("a call took from the stranger, or sent to him")

    def user(sock: Any) -> None:
        try:
            while True:
                if b"stranger" in (data := sock.recv(100)):
                    wrong.append(data)
                sock.sendall(b"mine")
        except OSError as failure:
            if failure.errno not in (*CLEAR, errno.EPIPE, errno.ECONNRESET):
                wrong.append(failure)

    def owner() -> None:
        while time.monotonic() < stop and not wrong:
            one, two = socket.socketpair()
            with two:
                users = [threading.Thread(target=user, args=(one,)) for _ in range(3)]
                for thread in users:
                    thread.start()
                for _ in range(20):
                    two.send(b"mine")
                one.close(wake=True)
                for thread in users:
                    thread.join(PATIENCE)
                    if thread.is_alive():
                        wrong.append("a thread was not woken")

    threads = [threading.Thread(target=target) for target in (stranger, stranger, owner, owner)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_at_the_end_of_the_process() -> None:
    assert run_python("s = socket.socket(); s.close(wake=True); print('end')") == "end\n"


def test_children_do_not_get_the_number() -> None:
    one, two = socket.socketpair()
    with one, two:
        number = one.fileno()
        one.close(wake=True)
        program = f"import os\ntry: os.fstat({number})\nexcept OSError: print('closed')"
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, close_fds=False
        )
        assert done.stdout == "closed\n"


def test_a_file_that_is_closed_meanwhile_does_not_give_the_number_away(stop_before: Callable[..., bool]) -> None:
    """The last file of a closed socket closes its descriptor, but not that of one that wakes others."""
    step = 0
    going_on = True
    while going_on:
        step += 1
        with tcp_pair() as (one, _):
            fd = one.fileno()
            file = one.makefile("rb")
            going_on = stop_before(step, lambda one=one: one.close(wake=True), file.close, "socketpkg")
            os.fstat(fd)
            file.close()
            os.fstat(fd)
            del file
    assert step > 10


def test_the_first_finalizer_is_made_where_one_thread_comes() -> None:
    """It registers with atexit, which CPython 3.13 without a GIL lets two threads do at once."""
    code = """
        import importlib, weakref
        importlib.import_module(f"{socket.__name__}._closing")
        print(weakref.finalize._registered_with_atexit)
    """
    assert run_python(code) == "True\n"
