"""Threads, processes and many connections."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import resource
import selectors
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from .target import LOCALHOST, PATIENCE, PYPY, Worker, control_fails, run_python, socket

# -- threads ----------------------------------------------------------------------------------------------------------


def test_one_thread_receives_while_another_sends_on_the_same_socket(stream: Any) -> None:
    one, two = stream
    rounds = 500

    def serve() -> None:
        for _ in range(rounds):
            two.sendall(two.recv(8, socket.MSG_WAITALL))

    def send() -> None:
        for number in range(rounds):
            one.sendall(b"%08d" % number)

    with Worker(serve), Worker(send):
        for number in range(rounds):
            assert one.recv(8, socket.MSG_WAITALL) == b"%08d" % number


def test_many_threads_send_datagrams_on_one_socket(udp: Any) -> None:
    one, two = udp
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    address = two.getsockname()

    def send(number: int) -> None:
        for item in range(50):
            one.sendto(b"%d %d" % (number, item), address)

    workers = [Worker(send, number) for number in range(6)]
    for worker in workers:
        worker.result()
    received = {two.recv(100) for _ in range(300)}
    assert received == {b"%d %d" % (number, item) for number in range(6) for item in range(50)}


def test_many_threads_receive_from_one_socket(pair: Any) -> None:
    one, two = pair
    workers = [Worker(two.recv, 4, socket.MSG_WAITALL) for _ in range(8)]
    for number in range(8):
        one.sendall(b"%04d" % number)
    assert sorted(worker.result() for worker in workers) == [b"%04d" % number for number in range(8)]


def test_many_threads_accept_from_one_listener(listener: Any) -> None:
    workers = [Worker(listener.accept) for _ in range(8)]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket()) for _ in range(8)]
        for client in clients:
            client.connect(listener.getsockname())
        accepted = [worker.result() for worker in workers]
        for server, _ in accepted:
            stack.enter_context(server)
        assert sorted(address for _, address in accepted) == sorted(client.getsockname() for client in clients)


def test_other_threads_run_while_one_waits(pair: Any) -> None:
    one, two = pair
    for timeout in (None, PATIENCE):
        one.settimeout(timeout)
        with Worker(one.recv, 1) as worker:
            total = sum(range(1000))
            two.send(b"x")
            assert worker.result() == b"x"
        assert total == 499500


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_shutdown_in_another_thread_ends_a_recv(stream: Any, timeout: float | None) -> None:
    one, _ = stream
    one.settimeout(timeout)
    started = threading.Event()

    def receive() -> bytes:
        started.set()
        return bytes(one.recv(1))

    with Worker(receive) as worker:
        started.wait(PATIENCE)
        one.shutdown(socket.SHUT_RDWR)
        assert worker.result() == b""


def test_shutdown_in_another_thread_ends_an_accept(listener: Any) -> None:
    listener.settimeout(None)
    started = threading.Event()

    def accept() -> None:
        started.set()
        with pytest.raises(OSError) as caught:
            listener.accept()
        assert caught.value.errno == errno.EINVAL

    with Worker(accept):
        started.wait(PATIENCE)
        time.sleep(0.02)  # nothing tells that the call waits; either way it must end
        listener.shutdown(socket.SHUT_RDWR)


def test_close_in_another_thread_while_one_receives(pair: Any) -> None:
    """The call goes on over the kernel's socket, or says that the descriptor is gone; it does not crash or hang."""
    one, two = pair
    one.settimeout(PATIENCE)
    started = threading.Event()

    def receive() -> object:
        started.set()
        try:
            return one.recv(1)
        except OSError as error:
            return error.errno

    with Worker(receive) as worker:
        started.wait(PATIENCE)
        one.close()
        with contextlib.suppress(OSError):
            two.send(b"x")
        two.close()
        assert worker.result() in (b"x", b"", errno.EBADF)
    assert one.fileno() == -1


def test_closing_from_many_threads_closes_once() -> None:
    for _ in range(50):
        one, two = socket.socketpair()
        barrier = threading.Barrier(4)

        def close(sock: Any = one, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(PATIENCE)
            sock.close()

        workers = [Worker(close) for _ in range(4)]
        for worker in workers:
            worker.result()
        assert one.fileno() == -1
        assert two.recv(1) == b""
        two.close()


def test_settimeout_in_one_thread_while_another_uses_the_socket(pair: Any) -> None:
    one, two = pair
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            for timeout in (None, PATIENCE, PATIENCE / 2):
                one.settimeout(timeout)
                assert one.gettimeout() == timeout

    with Worker(flip):
        try:
            for _ in range(500):
                two.send(b"x")
                assert one.recv(1) == b"x"
        finally:
            stop.set()


def test_creating_sockets_in_many_threads() -> None:
    def create() -> None:
        for _ in range(100):
            with socket.socket() as sock:
                sock.settimeout(1)
                assert sock.getsockname() == ("0.0.0.0", 0)

    for worker in [Worker(create) for _ in range(6)]:
        worker.result()


def test_the_resolver_in_many_threads() -> None:
    def resolve() -> None:
        for _ in range(30):
            assert socket.getaddrinfo("localhost", 80, socket.AF_INET, socket.SOCK_STREAM)[0][4] == (LOCALHOST, 80)
            assert socket.gethostbyname("127.0.0.1") == LOCALHOST

    for worker in [Worker(resolve) for _ in range(6)]:
        worker.result()


@control_fails("the C library's answer lies in static memory, and is read when another thread may have changed it")
def test_services_in_many_threads() -> None:
    def look_up() -> None:
        for _ in range(200):
            assert socket.getservbyname("http", "tcp") == 80
            assert socket.getservbyname("domain", "udp") == 53
            assert socket.getservbyport(22, "tcp") == "ssh"
            assert socket.getprotobyname("tcp") == 6
            assert socket.getprotobyname("udp") == 17

    for worker in [Worker(look_up) for _ in range(6)]:
        worker.result()


def test_a_server_with_a_thread_for_each_client(listener: Any) -> None:
    clients = 20

    def serve(server: Any) -> None:
        with server:
            while data := server.recv(1000):
                server.sendall(data.upper())

    def talk(number: int) -> None:
        with socket.create_connection(listener.getsockname(), timeout=PATIENCE) as client:
            for item in range(10):
                text = b"client %d says %d" % (number, item)
                client.sendall(text)
                assert client.recv(len(text), socket.MSG_WAITALL) == text.upper()
            client.shutdown(socket.SHUT_WR)

    talkers = [Worker(talk, number) for number in range(clients)]
    servers = [Worker(serve, listener.accept()[0]) for _ in range(clients)]
    for worker in talkers + servers:
        worker.result()


def test_a_free_threaded_pile_up_on_one_object(pair: Any) -> None:
    """Every thread reads and changes the state of one object; nothing may come out torn."""
    one, two = pair
    names = {None, 1.0, 2.0}

    def poke() -> None:
        for _ in range(300):
            one.settimeout(1)
            assert one.gettimeout() in names
            repr(one)
            one.settimeout(2.0)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            assert one.fileno() >= 0
            assert one.type is socket.SOCK_STREAM

    for worker in [Worker(poke) for _ in range(4)]:
        worker.result()
    two.send(b"x")
    assert one.recv(1) == b"x"


# -- processes --------------------------------------------------------------------------------------------------------


def fork() -> int:
    with warnings.catch_warnings():
        # The interpreter warns of forking beside threads; the watchdog of the test runner is one.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def wait_for(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def test_a_forked_child_uses_the_socket(pair: Any) -> None:
    one, two = pair
    child = fork()
    if not child:
        status = 1
        try:
            one.close()
            two.sendall(b"child heard " + two.recv(100))
            two.close()
            status = 0
        finally:
            os._exit(status)
    two.close()
    one.sendall(b"hello")
    assert one.recv(100, socket.MSG_WAITALL) == b"child heard hello"
    assert wait_for(child) == 0


def test_a_forked_child_accepts(listener: Any) -> None:
    child = fork()
    if not child:
        status = 1
        try:
            listener.settimeout(PATIENCE)
            server, _ = listener.accept()
            with server:
                server.sendall(b"pid %d" % os.getpid())
            status = 0
        finally:
            os._exit(status)
    with socket.create_connection(listener.getsockname(), timeout=PATIENCE) as client:
        assert client.recv(100, socket.MSG_WAITALL) == b"pid %d" % child
    assert wait_for(child) == 0


def test_closing_in_the_child_leaves_the_parents(pair: Any) -> None:
    one, two = pair
    child = fork()
    if not child:
        one.close()
        two.close()
        os._exit(0)
    assert wait_for(child) == 0
    one.send(b"x")
    assert two.recv(1) == b"x"


def test_a_timeout_in_a_forked_child(pair: Any) -> None:
    one, _ = pair
    child = fork()
    if not child:
        status = 1
        try:
            one.settimeout(0.05)
            try:
                one.recv(1)
            except TimeoutError:
                status = 0
        finally:
            os._exit(status)
    assert wait_for(child) == 0


def test_creating_and_resolving_in_a_forked_child() -> None:
    child = fork()
    if not child:
        status = 1
        try:
            server = socket.create_server((LOCALHOST, 0))
            client = socket.create_connection(server.getsockname())
            accepted, _ = server.accept()
            accepted.sendall(b"x")
            if client.recv(1) == b"x":
                status = 0
        finally:
            os._exit(status)
    assert wait_for(child) == 0


def test_another_program_inherits_a_socket(pair: Any) -> None:
    one, two = pair
    program = f"""
import {socket.__name__} as socket, sys
with socket.socket(fileno=int(sys.argv[1])) as sock:
    sock.sendall(b"inherited as %d %d" % (sock.family, sock.type))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(two.fileno())], pass_fds=[two.fileno()], timeout=PATIENCE * 2, check=False
    )
    assert done.returncode == 0
    two.close()
    assert one.recv(100, socket.MSG_WAITALL) == b"inherited as 1 1"


def test_another_program_does_not_inherit_what_it_is_not_given(pair: Any) -> None:
    _, two = pair
    code = "import os, sys\ntry:\n os.fstat(int(sys.argv[1]))\nexcept OSError: sys.exit(7)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(two.fileno())], close_fds=False, timeout=PATIENCE * 2, check=False
    )
    assert done.returncode == 7


def test_threads_that_wait_at_the_end_of_the_interpreter() -> None:
    code = """
    import threading, time
    one, two = socket.socketpair()
    threading.Thread(target=one.recv, args=(1,), daemon=True).start()
    time.sleep(0.05)
    print("end")
    """
    assert run_python(code, options=("-W", "ignore")) == "end\n"


# -- a thousand connections -------------------------------------------------------------------------------------------

CONNECTIONS = 1000


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.fail(f"the machine allows {hard} descriptors, and the test needs {wanted}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_connections_at_once(many_descriptors: None) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((LOCALHOST, 0), backlog=CONNECTIONS))
        clients, servers = [], {}
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=PATIENCE))
            server, address = listener.accept()
            stack.enter_context(server)
            server.settimeout(PATIENCE)
            clients.append(client)
            servers[address] = server
        assert len({sock.fileno() for sock in (*clients, *servers.values())}) == 2 * CONNECTIONS
        for number, client in enumerate(clients):
            client.sendall(b"%06d" % number)
        for number, client in enumerate(clients):
            server = servers[client.getsockname()]
            assert server.recv(6, socket.MSG_WAITALL) == b"%06d" % number
            server.sendall(b"%06d" % -number)
        for number, client in enumerate(clients):
            assert client.recv(6) == b"%06d" % -number


def test_a_thousand_connections_in_an_event_loop(many_descriptors: None) -> None:
    """Every socket is non-blocking, and one thread serves them all."""
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        listener = stack.enter_context(socket.create_server((LOCALHOST, 0), backlog=CONNECTIONS))
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, "listener")
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            assert client.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
            selector.register(client, selectors.EVENT_WRITE, "client")
        answers = 0
        deadline = time.monotonic() + PATIENCE * 2
        while answers < CONNECTIONS:
            assert time.monotonic() < deadline
            for key, events in selector.select(PATIENCE):
                sock: Any = key.fileobj
                if key.data == "listener":
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            server, _ = sock.accept()
                            server.setblocking(False)
                            stack.enter_context(server)
                            selector.register(server, selectors.EVENT_READ, "server")
                elif key.data == "server":
                    sock.send(sock.recv(100).upper())
                    selector.unregister(sock)
                elif events & selectors.EVENT_WRITE:
                    sock.send(b"ping")
                    selector.modify(sock, selectors.EVENT_READ, "client")
                else:
                    assert sock.recv(100) == b"PING"
                    answers += 1
                    selector.unregister(sock)


def test_running_out_of_descriptors(listener: Any) -> None:
    """The error names itself, and nothing is lost: with descriptors again, all goes on."""
    with socket.socket() as client:
        client.connect(listener.getsockname())
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        gc.collect()
        last = os.dup(0)
        os.close(last)
        resource.setrlimit(resource.RLIMIT_NOFILE, (last, hard))
        try:
            for call in (socket.socket, socket.socketpair, client.dup, listener.accept):
                with pytest.raises(OSError) as caught:
                    call()
                assert caught.value.errno == errno.EMFILE
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        server, _ = listener.accept()
        server.close()


def test_sockets_do_not_pile_up() -> None:
    """Ten thousand sockets one after another leave the number of descriptors as it was."""
    first = os.dup(0)
    os.close(first)
    for _ in range(2000 if PYPY else 10_000):
        socket.socket().close()
    again = os.dup(0)
    os.close(again)
    assert again == first
