"""Small programs with the classic mistakes, and their mended twins, for test_chaos.

Run as ``python wrong_programs.py NAME wrong|right``. It ends with a status other than 0 when the program has failed.
"""

import select
import struct
import sys
import threading

import socketpkg as socket


def exactly(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def pair():
    """Two connected TCP sockets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        while True:
            try:
                return one, server.accept()[0]
            except ConnectionAbortedError:
                continue


def one_recv_is_one_message(right):
    one, two = pair()
    for number in range(5):
        message = b"message %d\n" % number
        one.sendall(message)
        assert (exactly(two, len(message)) if right else two.recv(4096)) == message


def a_header_comes_whole(right):
    one, two = pair()
    for size in range(1, 6):
        one.sendall(struct.pack("!I", size) + b"x" * size)
        head = exactly(two, 4) if right else two.recv(4)
        (length,) = struct.unpack("!I", head)
        assert exactly(two, length) == b"x" * size


def send_is_sendall(right):
    one, two = pair()
    data = bytes(range(256)) * 20
    if right:
        one.sendall(data)
    else:
        one.send(data)
    one.shutdown(socket.SHUT_WR)
    found = b""
    while part := two.recv(65536):
        found += part
    assert found == data


def readiness_is_a_promise(right):
    one, two = pair()
    two.setblocking(False)
    for _ in range(10):
        one.sendall(b"x")
        while True:
            select.select([two], [], [])
            try:
                assert two.recv(1) == b"x"
            except BlockingIOError:
                if not right:
                    raise
                continue
            break


def a_writable_socket_takes_all(right):
    one, two = pair()
    one.setblocking(False)
    data = b"y" * 5000
    sent = 0
    while sent < len(data):
        select.select([], [one], [])
        try:
            count = one.send(data[sent:])
        except BlockingIOError:
            continue
        sent = sent + count if right else len(data)
    one.close()
    found = b""
    while part := two.recv(65536):
        found += part
    assert found == data


def a_line_comes_in_one_piece(right):
    one, two = pair()
    for number in range(5):
        line = b"line number %d\n" % number
        one.sendall(line)
        data = b""
        while not data.endswith(b"\n"):
            data += two.recv(100)
            if not right:
                break
        assert data == line


def datagrams_come_in_order(right):
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        two.bind(("127.0.0.1", 0))
        two.settimeout(0.3)
        one.connect(two.getsockname())
        if right:  # numbered, sent until it is confirmed, as far as a stop-and-wait can tell
            for number in range(20):
                while True:
                    one.send(b"%d" % number)
                    try:
                        while two.recv(100) != b"%d" % number:
                            pass
                    except TimeoutError:
                        continue
                    break
            return
        for number in range(20):
            one.send(b"%d" % number)
        assert [two.recv(100) for _ in range(20)] == [b"%d" % number for number in range(20)]


def a_datagram_arrives_once(right):
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        two.bind(("127.0.0.1", 0))
        two.settimeout(0.3)
        total = 0
        seen = set()
        for number in range(20):
            while number not in seen:
                one.sendto(b"%d" % number, two.getsockname())
                try:
                    while True:
                        got = int(two.recv(100))
                        total += 1
                        seen.add(got)
                        if got == number:
                            break
                except TimeoutError:
                    continue
        if right:
            assert seen == set(range(20))
        else:
            assert total == 20


def accept_never_fails(right):
    served = []

    def serve(server):
        while len(served) < 10:
            try:
                connection, _ = server.accept()
            except OSError:
                if right:
                    continue
                server.close()
                return
            with connection:
                connection.sendall(b"hello")
                served.append(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        for _ in range(10):
            with socket.create_connection(server.getsockname(), timeout=3) as client:
                assert exactly(client, 5) == b"hello"
        thread.join()


def recv_into_fills_the_buffer(right):
    one, two = pair()
    one.sendall(b"z" * 1000)
    buffer = bytearray(1000)
    if right:
        view = memoryview(buffer)
        while view:
            view = view[two.recv_into(view) :]
    else:
        two.recv_into(buffer)
    assert buffer == b"z" * 1000


PROGRAMS = {
    program.__name__: program
    for program in (
        one_recv_is_one_message,
        a_header_comes_whole,
        send_is_sendall,
        readiness_is_a_promise,
        a_writable_socket_takes_all,
        a_line_comes_in_one_piece,
        datagrams_come_in_order,
        a_datagram_arrives_once,
        accept_never_fails,
        recv_into_fills_the_buffer,
    )
}

if __name__ == "__main__":
    name, kind, *seeds = sys.argv[1:]
    if not seeds:
        PROGRAMS[name](kind == "right")
        sys.exit()
    # Many seeds in one process: the layer is set anew for each, and forgets what it counted.
    from socketpkg import layers

    chaos = layers.get("chaos")
    failed = []
    threading.excepthook = lambda _: None
    for seed in range(int(seeds[0]), int(seeds[1])):
        chaos.restart(seed)
        try:
            PROGRAMS[name](kind == "right")
        except Exception:
            failed.append(seed)
    print(*failed)
