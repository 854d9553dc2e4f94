"""What a program may see of TCP and UDP, as scenarios: `test_sim.py` runs them on the loopback and on ``sim``.

``python sim_scenarios.py`` prints what each scenario told, as JSON. Ports that the system chose are told by the order
in which they showed up.
"""

from __future__ import annotations

import errno
import json
import os
import select
import struct
import threading
from collections.abc import Callable
from typing import Any

import socketpkg as socket

SCENARIOS: dict[str, Callable[[], Any]] = {}
LOCAL = "127.0.0.1"


def scenario(function: Callable[[], Any]) -> Callable[[], Any]:
    SCENARIOS[function.__name__] = function
    return function


def told(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call gives, or the name of its error."""
    try:
        result = call(*arguments)
    except OSError as failure:
        return errno.errorcode.get(failure.errno or 0, type(failure).__name__)
    return None if isinstance(result, socket.socket) else result


def pair(family: int = socket.AF_INET, host: str = LOCAL) -> tuple[Any, Any, Any]:
    """A listener, and the two ends of a connection."""
    listener = socket.socket(family)
    listener.bind((host, 0))
    listener.listen()
    client = socket.socket(family)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    return listener, client, server


def closed(*socks: Any) -> None:
    for sock in socks:
        sock.close()


@scenario
def names_at_every_stage() -> Any:
    found: list[Any] = []
    for family, host, wild in ((socket.AF_INET, LOCAL, "0.0.0.0"), (socket.AF_INET6, "::1", "::")):
        listener = socket.socket(family)
        found += [told(listener.getsockname), told(listener.getpeername)]
        listener.bind((wild, 0))
        found += [told(listener.getsockname), told(listener.bind, (wild, 0)), told(listener.accept)]
        listener.listen()
        port = listener.getsockname()[1]
        client = socket.socket(family)
        client.connect((host, port))
        server, address = listener.accept()
        found += [address, client.getsockname() == address, client.getpeername(), server.getsockname()]
        found += [server.getpeername() == address, listener.getsockname(), told(listener.getpeername)]
        found += [told(client.connect, (host, port)), told(listener.connect, (host, port))]
        found += [told(client.bind, (host, 0)), told(client.listen)]
        client.close()
        found += [server.recv(1), server.getsockname(), told(server.getpeername)]
        closed(listener, server)
    return found


@scenario
def bound_before_connecting() -> Any:
    listener = socket.socket()
    listener.bind(("", 0))
    listener.listen()
    client = socket.socket()
    client.bind((LOCAL, 0))
    name = client.getsockname()
    client.connect((LOCAL, listener.getsockname()[1]))
    server, address = listener.accept()
    found = [address == name, client.getsockname() == name, server.getsockname() == client.getpeername()]
    closed(listener, client, server)
    return found


@scenario
def refused() -> Any:
    listener, client, server = pair()
    address = listener.getsockname()
    closed(listener, client, server)
    bound = socket.socket()
    bound.bind((LOCAL, 0))
    found = []
    for target in (address, bound.getsockname()):
        sock = socket.socket()
        found += [told(sock.connect, target), sock.connect_ex(target), told(sock.getpeername)]
        sock.settimeout(5)
        found += [told(sock.connect, target)]
        sock.close()
        waiting = socket.socket()
        waiting.setblocking(False)
        found.append(told(waiting.connect, target))
        select.select([], [waiting], [], 5)
        found += [waiting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
        waiting.close()
        again = socket.socket()
        again.setblocking(False)
        found.append(again.connect_ex(target))
        select.select([], [again], [], 5)
        found += [again.connect_ex(target)]
        again.close()
    bound.close()
    return found


@scenario
def connecting_without_waiting() -> Any:
    listener = socket.create_server((LOCAL, 0))
    client = socket.socket()
    client.setblocking(False)
    found = [client.connect_ex(listener.getsockname())]
    select.select([], [client], [], 5)
    found += [client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
    found += [client.connect_ex(listener.getsockname()), client.connect_ex(listener.getsockname())]
    found += [told(client.recv, 10)]
    closed(listener, client)
    return found


@scenario
def a_full_backlog() -> Any:
    listener = socket.create_server((LOCAL, 0), backlog=0)
    address = listener.getsockname()
    first, waiting, late, last, refused = socks = [socket.socket() for _ in range(5)]
    for sock in (first, waiting, last, refused):
        sock.setblocking(False)
    found = [told(first.connect_ex, address), told(waiting.connect_ex, address)]
    found += [told(waiting.connect_ex, address), told(waiting.getpeername), told(waiting.send, b"x")]
    found += [told(waiting.recv, 1), told(waiting.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR)]
    late.settimeout(0.2)
    found.append(told(late.connect_ex, address))
    late.close()
    found.append([sock is first for sock in select.select([], [first, waiting], [], 0)[1]])
    listener.accept()[0].close()
    # TCP tries again after some seconds.
    found.append(len(select.select([], [waiting], [], 20)[1]))
    found += [told(waiting.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR), waiting.getpeername() == address]
    found += [told(waiting.connect_ex, address), told(waiting.connect_ex, address)]
    server, peer = listener.accept()
    found.append(peer == waiting.getsockname())
    waiting.setblocking(True)
    server.sendall(b"from the server")
    waiting.sendall(b"from the client")
    found += [told(waiting.recv, 100), told(server.recv, 100)]
    server.close()
    found.append(told(waiting.recv, 100))
    # The listener goes away while one waits.
    found += [told(last.connect_ex, address), told(refused.connect_ex, address)]
    listener.close()
    found.append(len(select.select([], [refused], [], 20)[1]))
    found.append(told(refused.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR))
    closed(*socks)
    return found


@scenario
def addresses_in_use() -> Any:
    found = []
    for reuse in ((), ("SO_REUSEADDR",), ("SO_REUSEPORT",)):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for first, second in (
                (("AF_INET", LOCAL), ("AF_INET", LOCAL)),
                (("AF_INET", LOCAL), ("AF_INET", "0.0.0.0")),
                (("AF_INET", LOCAL), ("AF_INET", "127.0.0.2")),
                (("AF_INET", "0.0.0.0"), ("AF_INET6", "::")),
                (("AF_INET6", "::1"), ("AF_INET6", "::")),
                (("AF_INET6", "::1"), ("AF_INET", LOCAL)),
            ):
                socks: list[Any] = []
                port = 0
                for family, host in (first, second):
                    sock = socket.socket(getattr(socket, family), kind)
                    for option in reuse:
                        sock.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
                    found.append(told(sock.bind, (host, port)))
                    port = sock.getsockname()[1]
                    if kind == socket.SOCK_STREAM:
                        found.append(told(sock.listen))
                    socks.append(sock)
                closed(*socks)
    return found


@scenario
def dual_stack() -> Any:
    found: list[Any] = []
    for only in (0, 1):
        listener = socket.socket(socket.AF_INET6)
        found.append(listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        listener.bind(("::", 0))
        found.append(told(listener.setsockopt, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0))
        listener.listen()
        port = listener.getsockname()[1]
        four, six, mapped = socket.socket(), socket.socket(socket.AF_INET6), socket.socket(socket.AF_INET6)
        found += [told(four.connect, (LOCAL, port)), told(six.connect, ("::1", port))]
        found.append(told(mapped.connect, ("::ffff:127.0.0.1", port)))
        listener.settimeout(0.05)
        for _ in range(3):
            try:
                server, address = listener.accept()
            except TimeoutError:
                found.append("nobody")
            else:
                found += [address, server.getsockname(), server.family]
                server.close()
        found.append(told(mapped.getpeername))
        closed(four, six, mapped, listener)
    return found


@scenario
def ends_of_streams() -> Any:
    found: list[Any] = []
    listener, client, server = pair()
    client.sendall(b"abc")
    client.shutdown(socket.SHUT_WR)
    found += [server.recv(10), server.recv(10), told(client.send, b"x")]
    server.sendall(b"back")
    found += [client.recv(10)]
    closed(client, server)
    # What is sent to a peer that has closed is taken, once.
    client, server = socket.create_connection(listener.getsockname()), listener.accept()[0]
    server.close()
    found += [client.recv(1), client.send(b"x"), client.recv(1), told(client.send, b"x"), told(client.getpeername)]
    client.close()
    # A connection with unread data is reset when it is closed.
    client, server = socket.create_connection(listener.getsockname()), listener.accept()[0]
    client.sendall(b"unread")
    select.select([server], [], [])
    server.close()
    found += [told(client.recv, 10), told(client.recv, 10), told(client.send, b"x")]
    client.close()
    # So is one with SO_LINGER of no time.
    client, server = socket.create_connection(listener.getsockname()), listener.accept()[0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    found += [told(server.recv, 10), told(server.recv, 10), told(server.send, b"x")]
    server.close()
    client, server = socket.create_connection(listener.getsockname()), listener.accept()[0]
    server.sendall(b"before")
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    found += [told(client.getpeername), told(client.recv, 10)]
    found += [told(client.recv, 10), told(client.recv, 10)]
    closed(client, listener)
    return found


@scenario
def not_connected() -> Any:
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            sock = socket.socket(family, kind)
            found += [told(sock.send, b"x"), told(sock.getpeername), told(sock.shutdown, socket.SHUT_RDWR)]
            sock.close()
    sock = socket.socket()
    found += [told(sock.recv, 1), told(sock.accept), told(sock.sendto, b"x", (LOCAL, 1))]
    sock.close()
    return found


@scenario
def wrong_addresses() -> Any:
    found = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        sock = socket.socket(socket.AF_INET, kind)
        found += [told(sock.bind, ("192.0.2.7", 0)), told(sock.connect, ("255.255.255.255", 9))]
        sock.close()
    found += [told(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 17)]
    found += [told(socket.socket, socket.AF_INET, socket.SOCK_DGRAM, 6), told(socket.socketpair, socket.AF_INET)]
    return found


@scenario
def options() -> Any:
    found: list[Any] = []
    names = (
        ("IPPROTO_TCP", "TCP_NODELAY TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT TCP_LINGER2 TCP_CORK"),
        ("IPPROTO_IP", "IP_TTL IP_TOS IP_MULTICAST_TTL IP_MULTICAST_LOOP IP_PKTINFO IP_RECVTOS"),
        (
            "SOL_SOCKET",
            "SO_KEEPALIVE SO_REUSEADDR SO_REUSEPORT SO_BROADCAST SO_OOBINLINE SO_TYPE SO_DOMAIN SO_PROTOCOL",
        ),
        ("SOL_SOCKET", "SO_ACCEPTCONN SO_ERROR SO_RCVLOWAT SO_PRIORITY"),
    )
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        sock = socket.socket(socket.AF_INET, kind)
        for level_name, words in names:
            level = getattr(socket, level_name)
            for word in words.split():
                option = getattr(socket, word)
                found.append((word, told(sock.getsockopt, level, option)))
                for value in (1, 7, -1, 300):
                    if word not in ("SO_PRIORITY", "SO_RCVLOWAT"):
                        found.append(
                            (told(sock.setsockopt, level, option, value), told(sock.getsockopt, level, option))
                        )
        found += [told(sock.getsockopt, socket.IPPROTO_TCP, 9999), told(sock.setsockopt, socket.IPPROTO_IP, 9999, 1)]
        found += [told(sock.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, b"\1")]
        sock.close()
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
    listener.bind((LOCAL, 0))
    listener.listen()
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    for level, option in (("IPPROTO_TCP", "TCP_NODELAY"), ("SOL_SOCKET", "SO_KEEPALIVE"), ("IPPROTO_IP", "IP_TTL")):
        found.append(server.getsockopt(getattr(socket, level), getattr(socket, option)))
        found.append(client.getsockopt(getattr(socket, level), getattr(socket, option)))
    for sock in (listener, server, client):
        found.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))
        copied = socket.socket(fileno=os.dup(sock.fileno()))
        found += [copied.family, copied.type, copied.proto, copied.getsockname() == sock.getsockname()]
        copied.close()
    closed(listener, client, server)
    return found


@scenario
def listeners_that_end() -> Any:
    listener, client, server = pair()
    found = [told(listener.shutdown, socket.SHUT_RDWR), told(listener.accept)]
    found.append(told(socket.create_connection, listener.getsockname()))
    closed(listener, client, server)
    return found


@scenario
def datagrams() -> Any:
    found: list[Any] = []
    for family, host in ((socket.AF_INET, LOCAL), (socket.AF_INET6, "::1")):
        receiver, sender = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        receiver.bind((host, 0))
        address = receiver.getsockname()
        found += [sender.getsockname(), sender.sendto(b"one", address), sender.getsockname()]
        data, source = receiver.recvfrom(10)
        found += [data, source, source[1] == sender.getsockname()[1]]
        found += [sender.sendto(b"", address), receiver.recvfrom(10)[0], sender.sendto(b"longer", address)]
        found += [
            receiver.recv(3),
            sender.sendto(b"peek", address),
            receiver.recv(9, socket.MSG_PEEK),
            receiver.recv(9),
        ]
        found += [sender.sendto(b"into", address)]
        buffer = bytearray(6)
        found += [receiver.recv_into(buffer), bytes(buffer), sender.sendmsg([b"a", b"bc"], [], 0, address)]
        found += [receiver.recvmsg(10)[:3], sender.sendmsg([b"cut off"], [], 0, address), receiver.recvmsg(3)[:3]]
        found += [told(receiver.recv, 1, socket.MSG_DONTWAIT), told(sender.sendto, bytes(70000), address)]
        found += [told(sender.listen), told(sender.accept)]
        # A connected one hears nobody else.
        receiver.connect(sender.getsockname() if family == socket.AF_INET else ("::1", sender.getsockname()[1]))
        other = socket.socket(family, socket.SOCK_DGRAM)
        found += [other.sendto(b"other", address), told(receiver.recv, 9, socket.MSG_DONTWAIT)]
        found += [sender.sendto(b"peer", address), receiver.recvfrom(9)[0], receiver.getpeername()]
        sender.connect(address)
        found += [sender.getpeername(), sender.send(b"x"), receiver.recv(9), sender.getsockname()]
        receiver.close()
        found += [told(sender.send, b"y"), told(sender.recv, 9), told(sender.send, b"z"), told(sender.send, b"z")]
        closed(sender, other)
    return found


@scenario
def a_burst_of_datagrams() -> Any:
    receiver, sender = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    receiver.bind((LOCAL, 0))
    receiver.settimeout(5)
    for number in range(100):
        sender.sendto(b"%d" % number, receiver.getsockname())
    found = [receiver.recv(10) for _ in range(100)]
    for _ in range(5000):  # more than there is room for: it does not wait
        sender.sendto(bytes(1000), receiver.getsockname())
    found.append(receiver.recv(2000) == bytes(1000))
    closed(receiver, sender)
    return found


@scenario
def ancillary() -> Any:
    found: list[Any] = []
    receiver, sender = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    receiver.bind(("", 0))
    address = (LOCAL, receiver.getsockname()[1])
    for option in ("IP_PKTINFO", "IP_RECVTTL", "IP_RECVTOS"):
        number = getattr(socket, option, {"IP_RECVTTL": 12}.get(option))
        receiver.setsockopt(socket.IPPROTO_IP, number, 1)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 7)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
    sender.sendto(b"x", address)
    found += [sorted(receiver.recvmsg(10, 200)[1]), sender.sendto(b"y", address), receiver.recvmsg(10, 24)[2]]
    item = (socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", 3))
    found += [sender.sendmsg([b"z"], [item], 0, address), sorted(receiver.recvmsg(10, 200)[1])]
    found.append(told(sender.sendmsg, [b"z"], [(socket.IPPROTO_IP, 999, b"abcd")], 0, address))
    closed(receiver, sender)
    receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    receiver.bind(("::", 0))
    for option in ("IPV6_RECVPKTINFO", "IPV6_RECVHOPLIMIT", "IPV6_RECVTCLASS"):
        receiver.setsockopt(socket.IPPROTO_IPV6, getattr(socket, option), 1)
    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 9)
    sender.sendto(b"x", ("::1", receiver.getsockname()[1]))
    found.append(sorted(receiver.recvmsg(10, 200)[1]))
    closed(receiver, sender)
    return found


@scenario
def groups() -> Any:
    group = "224.1.2.3"
    receivers = []
    for join in (True, True, False):
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((group, receivers[0].getsockname()[1] if receivers else 0))
        if join:
            request = socket.inet_aton(group) + socket.inet_aton(LOCAL)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        receivers.append(sock)
    sender = socket.socket(type=socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOCAL))
    found: list[Any] = [sender.sendto(b"all", (group, receivers[0].getsockname()[1]))]
    for sock in receivers[:2]:
        sock.settimeout(5)
        found.append(sock.recv(10))
    again = (socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(LOCAL))
    leave = (socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(LOCAL))
    found += [told(receivers[0].setsockopt, *again), told(receivers[0].setsockopt, *leave)]
    found += [told(receivers[0].setsockopt, *leave)]
    found.append(told(sender.sendto, b"x", ("255.255.255.255", 9)))
    closed(sender, *receivers)
    return found


@scenario
def look_ups() -> Any:
    found = [
        told(socket.getaddrinfo, LOCAL, 80, 0, socket.SOCK_STREAM),
        told(socket.getaddrinfo, "::1", "http", 0, socket.SOCK_STREAM),
        told(socket.getaddrinfo, None, 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_PASSIVE),
        told(socket.getaddrinfo, "localhost", 80, socket.AF_INET, socket.SOCK_DGRAM),
        told(socket.gethostbyname, "localhost"),
        told(socket.gethostbyname, "127.1"),
        told(socket.getnameinfo, (LOCAL, 80), socket.NI_NUMERICHOST),
        told(socket.getnameinfo, ("192.0.2.9", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV),
    ]
    for call in (
        lambda: socket.getaddrinfo("no.such.name.invalid", 80),
        lambda: socket.getaddrinfo(LOCAL, "no such service"),
        lambda: socket.gethostbyname("no.such.name.invalid"),
        lambda: socket.getaddrinfo(None, None),
    ):
        try:
            call()
        except socket.gaierror as failure:
            found.append(failure.errno)
    return found


@scenario
def threads_and_forks() -> Any:
    listener, client, server = pair()
    heard: list[bytes] = []
    thread = threading.Thread(target=lambda: heard.append(server.recv(10)))
    thread.start()
    client.sendall(b"thread")
    thread.join()
    child = os.fork()
    if not child:
        server.sendall(repr((server.getsockname() == client.getpeername(), listener.family)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    found = [heard, client.recv(100)]
    # What the parent closes the child still has.
    child = os.fork()
    if not child:
        sock, _ = listener.accept()
        sock.sendall(b"child")
        os._exit(0)
    address = listener.getsockname()
    listener.close()
    again = socket.create_connection(address)
    found.append(again.recv(10))
    os.waitpid(child, 0)
    closed(again, client, server)
    return found


@scenario
def bulk() -> Any:
    receiver, sender = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    receiver.bind((LOCAL, 0))
    sender.connect(receiver.getsockname())
    found = [sender.sendmmsg([b"a", b"bb", b"ccc"]), [data for data, _ in receiver.recvmmsg(5, 10)]]
    found += [sender.send_segments(b"x" * 10, 4), [receiver.recv(10) for _ in range(3)]]
    receiver.setsockopt(socket.IPPROTO_UDP, 104, 1)  # UDP_GRO
    sender.send(b"one")
    found.append(receiver.recv_segments(100)[0])
    closed(receiver, sender)
    return found


class Ports:
    """Tells ports that the system chose by their order."""

    def __init__(self) -> None:
        self._seen: dict[int, str] = {}

    def plain(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, (list, tuple)):
            parts = list(value)
            if len(parts) in (2, 4) and isinstance(parts[0], str) and isinstance(parts[1], int) and parts[1] >= 1024:
                parts[1] = self._seen.setdefault(parts[1], f"port {len(self._seen) + 1}")
            return [self.plain(part) for part in parts]
        return value


if __name__ == "__main__":
    print(json.dumps({name: Ports().plain(function()) for name, function in SCENARIOS.items()}))
