"""Typed uses of the package: what typeshed says of `socket` and `socketserver`, said of `socketpkg`.

mypy and pyright read this file (``nox -s types``); nobody runs it. A line with ``type: ignore`` has to be an error:
both tools complain of a comment that nothing needs.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true, reportPrivateUsage=false

from __future__ import annotations

import array
import io
import mmap
import selectors
import socket as stdlib
import ssl
from collections.abc import Callable
from typing import Any, Literal, assert_type

import socketpkg
import socketpkg as socket
from socketpkg import (
    _socket,
    ancillary,
    backends,
    connecting,
    interfaces,
    relaying,
    resolving,
    server,
    streams,
    tcpinfo,
)
from socketpkg import options as socket_options

# -- constants ---------------------------------------------------------------------------------------------------------


def constants() -> None:
    assert_type(socket.AF_INET, Literal[socket.AddressFamily.AF_INET])
    assert_type(socket.AF_UNIX, Literal[socket.AddressFamily.AF_UNIX])
    assert_type(socket.AF_XDP, Literal[socket.AddressFamily.AF_XDP])
    assert_type(socket.SOCK_STREAM, Literal[socket.SocketKind.SOCK_STREAM])
    assert_type(socket.SOCK_NONBLOCK, Literal[socket.SocketKind.SOCK_NONBLOCK])
    assert_type(socket.MSG_PEEK, Literal[socket.MsgFlag.MSG_PEEK])
    assert_type(socket.AI_PASSIVE, Literal[socket.AddressInfo.AI_PASSIVE])
    assert_type(socket.MSG_PEEK | socket.MSG_DONTWAIT, socket.MsgFlag)
    assert_type(socket.AI_PASSIVE | socket.AI_NUMERICHOST, socket.AddressInfo)
    assert_type(socket.AF_DECnet, Literal[socket.AddressFamily.AF_DECnet])
    assert_type(socket.SOL_SOCKET, int)
    assert_type(socket.SO_REUSEADDR, int)
    assert_type(socket.IPPROTO_TCP, int)
    assert_type(socket.TCP_NODELAY, int)
    assert_type(socket.SOMAXCONN, int)
    assert_type(socket.BDADDR_ANY, str)
    assert_type(socket.has_ipv6, bool)
    assert_type(socket.EBADF, int)
    family: socket.AddressFamily = socket.AF_INET6
    kind: socket.SocketKind = socket.SOCK_DGRAM
    number: int = socket.MSG_OOB
    assert_type(socket.AddressFamily(2), socket.AddressFamily)
    del family, kind, number


def what_is_not_there() -> None:
    print(socket.no_such_name)  # type: ignore[attr-defined]
    print(socket.AF_NO_SUCH)  # type: ignore[attr-defined]
    socket.socket().no_such_method()  # type: ignore[attr-defined]


# -- errors ------------------------------------------------------------------------------------------------------------


def errors() -> None:
    error: type[OSError] = socket.error
    timeout: type[TimeoutError] = socket.timeout
    # The same classes, so that code which mixes the two modules catches them.
    gaierror: type[stdlib.gaierror] = socket.gaierror
    herror: type[stdlib.herror] = socket.herror
    try:
        socket.create_connection(("localhost", 80))
    except socket.gaierror as failure:
        assert_type(failure.errno, int | None)
    except socket.timeout as failure:
        assert_type(failure, TimeoutError)
    except socket.error as failure:
        assert_type(failure.strerror, str | None)
    del error, timeout, gaierror, herror


# -- sockets -----------------------------------------------------------------------------------------------------------


class Special(socket.socket):
    """A subclass, as programs write it."""

    def __init__(self, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label = label

    def send(self, data: Any, flags: Any = 0, /) -> int:
        return super().send(data, flags)


def making() -> None:
    socket.socket()
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    socket.socket(family=socket.AF_INET, type=socket.SOCK_STREAM, proto=0, fileno=None)
    socket.socket(2, 1)
    socket.socket(fileno=3)
    socket.socket("AF_INET")  # type: ignore[arg-type]
    socket.socket(kind=1)  # type: ignore[call-arg]
    with socket.socket() as sock:
        assert_type(sock, socket.socket)
    with Special("one") as special:
        assert_type(special, Special)
        assert_type(special.dup(), Special)
    low: _socket.socket = socket.socket()
    socket_type: type[_socket.socket] = socket.SocketType
    assert_type(socket.fromfd(3, socket.AF_INET, socket.SOCK_STREAM), socket.socket)
    assert_type(socket.socketpair(), tuple[socket.socket, socket.socket])
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM, 0)
    del low, socket_type


def state(sock: socket.socket) -> None:
    assert_type(sock.family, socket.AddressFamily)
    assert_type(sock.type, socket.SocketKind)
    assert_type(sock.proto, int)
    assert_type(sock.timeout, float | None)
    assert_type(sock.fileno(), int)
    assert_type(sock.gettimeout(), float | None)
    assert_type(sock.settimeout(1.5), None)
    sock.settimeout(1)
    sock.settimeout(None)
    sock.settimeout("1")  # type: ignore[arg-type]
    sock.setblocking(False)
    assert_type(sock.getblocking(), bool)
    assert_type(sock.get_inheritable(), bool)
    sock.set_inheritable(True)
    assert_type(sock.detach(), int)
    assert_type(sock.close(), None)
    sock.family = socket.AF_INET  # type: ignore[misc]


def connections(sock: socket.socket) -> None:
    sock.bind(("", 0))
    sock.bind("/run/socket")
    sock.bind(b"\0abstract")
    sock.bind(("::1", 0, 0, 0))
    sock.bind("127.0.0.1", 0)
    sock.bind(8080)  # type: ignore[call-overload]
    sock.connect(("localhost", 80))
    sock.connect("localhost", 80)
    assert_type(sock.connect_ex(("localhost", 80)), int)
    sock.listen()
    sock.listen(5)
    assert_type(sock.accept(), tuple[socket.socket, Any])
    assert_type(sock.getsockname(), Any)
    assert_type(sock.getpeername(), Any)
    sock.shutdown(socket.SHUT_RDWR)


def options(sock: socket.socket) -> None:
    assert_type(sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE), int)
    assert_type(sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8), bytes)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"12345678")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, None, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, None)  # type: ignore[call-overload]


def transfer(sock: socket.socket, memory: mmap.mmap) -> None:
    assert_type(sock.recv(4096), bytes)
    assert_type(sock.recv(4096, socket.MSG_PEEK | socket.MSG_DONTWAIT), bytes)
    assert_type(sock.recv_into(bytearray(8)), int)
    assert_type(sock.recv_into(memoryview(bytearray(8)), 4, socket.MSG_PEEK), int)
    sock.recv_into(buffer=array.array("i", [0]), nbytes=4, flags=0)
    sock.recv_into(memory)
    sock.recv_into("text")  # type: ignore[arg-type]
    assert_type(sock.recvfrom(4096), tuple[bytes, Any])
    assert_type(sock.recvfrom_into(bytearray(8), 4, 0), tuple[int, Any])
    assert_type(sock.send(b"data"), int)
    assert_type(sock.send(memoryview(b"data"), socket.MSG_OOB), int)
    assert_type(sock.sendall(bytearray(b"data")), None)
    sock.sendall(array.array("i"))
    sock.sendall("text")  # type: ignore[arg-type]
    assert_type(sock.sendto(b"data", ("localhost", 53)), int)
    assert_type(sock.sendto(b"data", socket.MSG_DONTWAIT, ("localhost", 53)), int)
    sock.sendto(b"data")  # type: ignore[call-overload]
    with open("/dev/null", "rb") as file:
        assert_type(sock.sendfile(file), int)
        sock.sendfile(file, offset=1, count=2)
    sock.sendfile(io.BytesIO(b"data"))
    sock.sendfile(io.StringIO("text"))  # type: ignore[arg-type]


def messages(sock: socket.socket) -> None:
    assert_type(sock.recvmsg(4096, socket.CMSG_SPACE(4)), tuple[bytes, list[tuple[int, int, bytes]], int, Any])
    assert_type(sock.recvmsg_into([bytearray(8)]), tuple[int, list[tuple[int, int, bytes]], int, Any])
    assert_type(sock.sendmsg([b"one", bytearray(b"two")]), int)
    sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))], 0, ("localhost", 53))
    assert_type(sock.sendmsg_afalg([b"x"], op=socket.ALG_OP_ENCRYPT, iv=b"", assoclen=0, flags=0), int)
    assert_type(socket.send_fds(sock, [b"x"], [0, 1]), int)
    assert_type(socket.recv_fds(sock, 1024, 2), tuple[bytes, list[int], int, Any])
    assert_type(socket.CMSG_LEN(4), int)


def files(sock: socket.socket, mode: Literal["rb", "wb"], size: int) -> None:
    assert_type(sock.makefile(), io.TextIOWrapper)
    assert_type(sock.makefile("r", encoding="utf-8", errors="strict", newline="\n"), io.TextIOWrapper)
    assert_type(sock.makefile("rw", 1), io.TextIOWrapper)
    assert_type(sock.makefile("w"), io.TextIOWrapper)
    assert_type(sock.makefile("rb"), io.BufferedReader)
    assert_type(sock.makefile("rb", -1), io.BufferedReader)
    assert_type(sock.makefile("wb"), io.BufferedWriter)
    assert_type(sock.makefile("rwb", buffering=None), io.BufferedRWPair)
    assert_type(sock.makefile("rb", 0), socket.SocketIO)
    assert_type(sock.makefile("rwb", buffering=0), socket.SocketIO)
    assert_type(sock.makefile("rb", 4096), io.IOBase)
    assert_type(sock.makefile(mode, size), io.IOBase)
    sock.makefile("a")  # type: ignore[call-overload]
    raw = socket.SocketIO(sock, "rb")
    assert_type(raw.readinto(bytearray(8)), int | None)
    assert_type(raw.write(b"data"), int | None)
    assert_type(raw.name, int)
    assert_type(raw.mode, Literal["rb", "wb", "rwb"])
    socket.SocketIO(sock, "a")  # type: ignore[arg-type]


# -- functions ---------------------------------------------------------------------------------------------------------


def helpers() -> None:
    assert_type(socket.create_connection(("localhost", 80)), socket.socket)
    socket.create_connection(("localhost", "http"), 1.5, ("", 0), all_errors=True)
    socket.create_connection((None, 80), timeout=None)
    socket.create_connection("localhost")  # type: ignore[arg-type]
    assert_type(socket.create_server(("", 0)), socket.socket)
    socket.create_server(("", 0), family=socket.AF_INET6, backlog=5, reuse_port=True, dualstack_ipv6=True)
    assert_type(socket.has_dualstack_ipv6(), bool)
    assert_type(socket.getfqdn(), str)
    assert_type(socket.getfqdn("localhost"), str)


def resolver() -> None:
    found = socket.getaddrinfo("localhost", 80, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
    for family, kind, proto, name, address in found:
        assert_type(family, Literal[socket.AddressFamily.AF_INET, socket.AddressFamily.AF_INET6])
        assert_type(kind, socket.SocketKind)
        assert_type(proto, int)
        assert_type(name, str)
        assert_type(address, tuple[str, int] | tuple[str, int, int, int])
        with socket.socket(family, kind, proto) as sock:
            sock.connect(address)
        socket.getnameinfo(address, socket.NI_NUMERICHOST)
    socket.getaddrinfo(host=None, port="http", type=socket.SOCK_STREAM)
    socket.getaddrinfo(b"localhost", None)
    assert_type(socket.getnameinfo(("127.0.0.1", 80), 0), tuple[str, str])
    assert_type(socket.gethostname(), str)
    socket.sethostname("name")
    assert_type(socket.gethostbyname("localhost"), str)
    assert_type(socket.gethostbyname_ex("localhost"), tuple[str, list[str], list[str]])
    assert_type(socket.gethostbyaddr("127.0.0.1"), tuple[str, list[str], list[str]])
    assert_type(socket.getservbyname("http", "tcp"), int)
    assert_type(socket.getservbyport(80), str)
    assert_type(socket.getprotobyname("tcp"), int)
    assert_type(socket.if_nameindex(), list[tuple[int, str]])
    assert_type(socket.if_nametoindex("lo"), int)
    assert_type(socket.if_indextoname(1), str)


def numbers() -> None:
    assert_type(socket.htons(1), int)
    assert_type(socket.ntohs(1), int)
    assert_type(socket.htonl(1), int)
    assert_type(socket.ntohl(1), int)
    assert_type(socket.inet_aton("127.0.0.1"), bytes)
    assert_type(socket.inet_ntoa(b"\x7f\0\0\1"), str)
    assert_type(socket.inet_pton(socket.AF_INET6, "::1"), bytes)
    assert_type(socket.inet_ntop(socket.AF_INET6, memoryview(bytes(16))), str)
    socket.inet_aton(b"127.0.0.1")  # type: ignore[arg-type]
    assert_type(socket.getdefaulttimeout(), float | None)
    socket.setdefaulttimeout(None)
    socket.setdefaulttimeout(1.5)
    socket.close(socket.dup(3))


# -- what socketpkg has more -------------------------------------------------------------------------------------------


def datagrams(sock: socket.socket) -> None:
    assert_type(sock.recvmmsg(10, 1500), list[tuple[bytes, Any]])
    assert_type(sock.recvmmsg(10, 1500, socket.MSG_DONTWAIT, ancbufsize=None), list[tuple[bytes, Any]])
    assert_type(sock.recvmmsg(10, 1500, ancbufsize=0), list[tuple[bytes, list[tuple[int, int, bytes]], int, Any]])
    assert_type(sock.recvmmsg_into([bytearray(9), memoryview(bytearray(9))]), list[tuple[int, Any]])
    assert_type(
        sock.recvmmsg_into((bytearray(9),), ancbufsize=64), list[tuple[int, list[tuple[int, int, bytes]], int, Any]]
    )
    there = ("127.0.0.1", 9)
    assert_type(sock.sendmmsg([b"a", bytearray(b"b"), [b"c", b"d"]]), int)
    assert_type(sock.sendmmsg([(b"a", there), ([b"b", b"c"], there), ((b"d", b"e"), None)], socket.MSG_DONTWAIT), int)
    assert_type(sock.sendmmsg((b"%d" % i, there, [(0, 2, b"1234")]) for i in range(3)), int)
    sock.sendmmsg(["text"])  # type: ignore[list-item]
    assert_type(sock.send_segments(b"abcdef", 3), int)
    assert_type(sock.send_segments(memoryview(b"abcdef"), 3, there, socket.MSG_DONTWAIT), int)
    assert_type(sock.recv_segments(), tuple[list[bytes], Any])
    assert_type(sock.recv_segments(4096, socket.MSG_PEEK), tuple[list[bytes], Any])


def extensions() -> None:
    assert_type(socketpkg.__version__, str)
    assert_type(socketpkg.__backend__, str)
    assert_type(socketpkg.install(), None)
    assert_type(backends.selected(), str)
    assert_type(backends.current(), backends.Backend)
    assert_type(backends.features, frozenset[str])
    for name, status in backends.available().items():
        assert_type(name, str)
        assert_type(status.usable, bool)
        assert_type(status.reason, str)
    assert_type(_socket.AF_INET, int)
    assert_type(_socket.socket().family, int)


# -- the standard library's modules take our sockets -------------------------------------------------------------------


def others(sock: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
    # At run time once `socketpkg.install()` has run.
    ssl.create_default_context().wrap_socket(sock)


# -- socketpkg.server --------------------------------------------------------------------------------------------------


class Handler(server.StreamRequestHandler):
    """A handler, as programs write it."""

    def handle(self) -> None:
        self.wfile.write(self.rfile.readline())


class Threaded(server.ThreadingMixIn, server.TCPServer):
    """A server that is combined by hand."""

    allow_reuse_address = True
    daemon_threads = True


def servers(handler: Callable[[Any, Any, server.BaseServer], server.BaseRequestHandler]) -> None:
    with server.TCPServer(("127.0.0.1", 0), Handler) as tcp:
        assert_type(tcp, server.TCPServer)
        assert_type(tcp.socket, socket.socket)
        assert_type(tcp.get_request(), tuple[socket.socket, Any])
        assert_type(tcp.fileno(), int)
        tcp.serve_forever(poll_interval=0.1)
    with server.UDPServer(("127.0.0.1", 0), handler, bind_and_activate=False) as udp:
        assert_type(udp.socket, socket.socket)
        assert_type(udp.get_request(), tuple[tuple[bytes, socket.socket], Any])
    with server.UnixStreamServer("/run/socket", Handler) as unix:
        assert_type(unix.socket, socket.socket)
    server.UnixDatagramServer(b"\0abstract", handler)
    server.ThreadingTCPServer(("::1", 0, 0, 0), Handler)
    server.ForkingUnixStreamServer("/run/socket", Handler)
    server.TCPServer("/run/socket", Handler)  # type: ignore[arg-type]
    server.UnixStreamServer(("127.0.0.1", 0), Handler)  # type: ignore[arg-type]
    server.TCPServer(("127.0.0.1", 0), int)  # type: ignore[arg-type]
    Threaded(("127.0.0.1", 0), Handler).handle_request()


# -- what the standard library does not have ---------------------------------------------------------------------------


def streams_of(sock: socket.socket, tls: ssl.SSLSocket) -> None:
    assert_type(sock.recv_exactly(4), bytes)
    assert_type(sock.recv_exactly_into(bytearray(4)), int)
    with streams.Stream(sock, limit=1000) as stream:
        assert_type(stream, streams.Stream)
        assert_type(stream.read_exactly(4, timeout=1.5), bytes)
        assert_type(stream.read_until(b";", 100, timeout=None), bytes)
        assert_type(list(stream), list[bytes])
        try:
            stream.write(bytearray(4))
        except streams.IncompleteReadError as end:
            assert_type(end.partial, bytes)
        except streams.LimitOverrunError as overrun:
            assert_type(overrun.consumed, int)
        assert_type(stream.detach(), bytes)
    streams.Stream(tls).readline()
    streams.Stream(3)  # type: ignore[arg-type]
    stream.read_exactly("4")  # type: ignore[arg-type]


def items_of(sock: socket.socket) -> None:
    for item in ancillary.decode(sock.recvmsg(100, 100)[1]):
        if isinstance(item, ancillary.Timestamping):
            assert_type(item.hardware, int | None)
    sock.sendmsg([b"x"], ancillary.encode(ancillary.TimeToLive(3), (1, 2, b"3")))
    ancillary.TimeToLive("3")  # type: ignore[arg-type]


def tcp(sock: socket.socket, tls: ssl.SSLSocket) -> None:
    assert_type(tcpinfo.tcp_info(sock).rtt_us, int | None)
    tcpinfo.tcp_info(tls)


def options_of(sock: socket.socket, tls: ssl.SSLSocket) -> None:
    assert_type(socket_options.TCP_NODELAY.get(sock), bool)
    assert_type(socket_options.SO_LINGER.get(sock), int | None)
    socket_options.TCP_USER_TIMEOUT.set(tls, 1.5)
    socket_options.TCP_USER_TIMEOUT.set(sock, "1.5")  # type: ignore[arg-type]
    socket_options.set_keepalive(sock, 10, probes=3)
    socket_options.join_group(sock, "239.1.2.3", 1)
    assert_type(socket_options.peer_credentials(sock).uid, int)
    assert_type([entry.address for entry in interfaces.getifaddrs()], list[str | None])


def connecting_to() -> None:
    sock = connecting.create_connection(("host", 80), 3, happy_eyeballs=0.25, options=[(1, 2, 3), (1, 2, None, 4)])
    assert_type(sock, socket.socket)
    connecting.create_connection("host")  # type: ignore[arg-type]
    for family, _, _, name, _ in resolving.getaddrinfo("host", 80, timeout=1.5):
        assert_type(name, str)
        print(family)
    assert_type(resolving.getnameinfo(("127.0.0.1", 80), 0, timeout=None), tuple[str, str])


def proxies(a: socket.socket, b: socket.socket) -> None:
    assert_type(relaying.relay(a, b, idle_timeout=1.5).forward, int)
    assert_type(relaying.accept_many(a, 3), list[tuple[socket.socket, Any]])
    a.close(wake=True)
    a.close(True)  # type: ignore[call-arg]
