"""What the compiled backend does in C: none of its calls runs a function of Python below the public module.

One that does costs several times what the rest of the call takes, and nothing else shows it.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import socketpkg

pytestmark = pytest.mark.skipif(
    "compiled-core" not in socketpkg.backends.features, reason="the core of this backend is interpreted"
)

#: The public module has functions of Python where the standard library's has them.
PUBLIC = (socketpkg.__file__, sys.modules["socketpkg._socketio"].__file__)
PACKAGES = tuple(
    os.path.dirname(str(sys.modules[name].__file__)) + os.sep
    for name in ("socketpkg", socketpkg.backends.current().package)
)

CALLS = """
one.send(b'x'); two.recv(9)
one.sendall(bytearray(9)); two.recv_into(room)
one.sendmsg([b'x', room[:3], memoryview(b'y')]); two.recvmsg(99)
one.sendmsg([b'x'], rights); close(struct.unpack('i', two.recvmsg(9, 99)[1][0][2])[0])
one.sendmsg([b'x']); two.recvmsg_into([room, bytearray(3)])
socketpkg.send_fds(one, [b'x'], [one.fileno()]); close(socketpkg.recv_fds(two, 9, 1)[1][0])
udp.sendto(b'x', udp.getsockname()); udp.recvfrom(9)
udp.sendto(b'x', ('localhost', udp.getsockname()[1])); udp.recvfrom_into(room)
udp.sendto(b'x', (b'127.0.0.1', udp.getsockname()[1])); udp.recvfrom_into(room)
udp.sendmsg([b'x'], [], 0, udp.getsockname()); udp.recvmsg(9)
udp6.sendto(b'x', ('::1', udp6.getsockname()[1])); udp6.recvfrom(9)
udp6.sendto(b'x', ('::1', udp6.getsockname()[1], 3, 0)); udp6.recvfrom(9)
unix.sendto(b'x', unix.getsockname()); unix.recvfrom(9)
unix.sendto(b'x', unix.getsockname().decode()); unix.recvfrom(9)
unix.sendto(b'x', bytearray(unix.getsockname())); unix.recvfrom(9)
named.sendto(b'x', named.getsockname()); named.recvfrom(9)
named.sendto(b'x', named.getsockname().encode()); named.recvfrom(9)
udp.sendmmsg([(b'x', udp.getsockname())]); udp.recvmmsg(3, 9)
udp.sendmmsg([(b'x', udp.getsockname())]); udp.recvmmsg_into([room])
udp.send_segments(b'xy', 1, udp.getsockname()); udp.recvfrom(9), udp.recvfrom(9)
tcp.getpeername(), tcp.getsockname(), unix.getsockname(), named.getsockname(), udp6.getsockname()
tcp.getsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_ERROR), tcp.getsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_LINGER, 8)
tcp.setsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_KEEPALIVE, True)
tcp.setsockopt(socketpkg.SOL_SOCKET, socketpkg.SO_LINGER, bytearray(8))
tcp.settimeout(2.5); tcp.gettimeout(); tcp.setblocking(False); tcp.getblocking(); tcp.setblocking(True)
udp.dup().close(); socketpkg.fromfd(udp.fileno(), udp.family, udp.type).close()
[sock.close() for sock in socketpkg.socketpair()]
socketpkg.create_connection(server.getsockname()).close(); server.accept()[0].close()
tcp.makefile('rwb').close()
socketpkg.htons(80), socketpkg.htonl(80), socketpkg.ntohs(80), socketpkg.ntohl(80)
socketpkg.CMSG_LEN(4), socketpkg.CMSG_SPACE(4)
socketpkg.inet_aton('127.0.0.1'), socketpkg.inet_ntoa(bytearray(4)), socketpkg.inet_ntoa(bytes(4))
socketpkg.inet_pton(2, '127.0.0.1'), socketpkg.inet_pton(10, '::1')
socketpkg.inet_ntop(2, bytearray(4)), socketpkg.inet_ntop(10, memoryview(bytes(16)))
socketpkg.getaddrinfo('127.0.0.1', 80), socketpkg.getaddrinfo(b'localhost', b'80'), socketpkg.getaddrinfo('::1', '80')
socketpkg.getaddrinfo(None, 80), socketpkg.getaddrinfo('localhost', None, flags=socketpkg.AI_CANONNAME)
socketpkg.gethostbyname('127.0.0.1'), socketpkg.gethostbyname('localhost'), socketpkg.gethostbyname(b'localhost')
socketpkg.gethostbyname_ex('127.0.0.1'), socketpkg.gethostbyaddr('127.0.0.1'), socketpkg.gethostname()
socketpkg.getnameinfo(('127.0.0.1', 80), 3), socketpkg.getnameinfo(('::1', 80, 3, 0), 3)
socketpkg.getservbyname('http'), socketpkg.getservbyname('http', 'tcp'), socketpkg.getservbyport(80)
socketpkg.getprotobyname('tcp'), socketpkg.if_nameindex()
socketpkg.if_nametoindex('lo'), socketpkg.if_nametoindex(b'lo'), socketpkg.if_indextoname(1)
socketpkg.setdefaulttimeout(None), socketpkg.getdefaulttimeout()
fails: udp_nonblocking.recv(1)
fails: udp_nonblocking.recvfrom(1)
fails: udp_nonblocking.recvmsg(1)
fails: tcp.connect(server.getsockname())
fails: udp.bind(udp.getsockname())
fails: udp.getpeername()
fails: udp.getsockopt(1, 99999)
fails: udp.send('x')
fails: udp.sendto(b'x', 5)
fails: udp.sendto(b'x', ('127.0.0.1', 70000))
fails: socketpkg.inet_aton('x')
fails: socketpkg.inet_pton(2, 'x')
fails: socketpkg.inet_ntoa(b'x')
fails: socketpkg.getservbyname('nonesuch')
fails: socketpkg.if_nametoindex('nonesuch')
fails: socketpkg.getaddrinfo('127.0.0.1', 'nonesuch')
""".strip().splitlines()


@pytest.fixture
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the calls are about."""
    with contextlib.ExitStack() as opened:

        def made(sock: Any, *address: Any) -> Any:
            opened.callback(sock.close)
            if address:
                sock.bind(*address)
            return sock

        one, two = map(made, socketpkg.socketpair(socketpkg.AF_UNIX, socketpkg.SOCK_DGRAM))
        server = made(socketpkg.create_server(("127.0.0.1", 0)))
        tcp = made(socketpkg.create_connection(server.getsockname()))
        made(server.accept()[0])
        udp_nonblocking = made(socketpkg.socket(socketpkg.AF_INET, socketpkg.SOCK_DGRAM), ("127.0.0.1", 0))
        udp_nonblocking.setblocking(False)

        yield {
            "close": os.close,
            "named": made(
                socketpkg.socket(socketpkg.AF_UNIX, socketpkg.SOCK_DGRAM), str(tmp_path_factory.mktemp("s") / "é")
            ),
            "one": one,
            "rights": [(socketpkg.SOL_SOCKET, socketpkg.SCM_RIGHTS, struct.pack("i", one.fileno()))],
            "room": bytearray(99),
            "server": server,
            "socketpkg": socketpkg,
            "struct": struct,
            "tcp": tcp,
            "two": two,
            "udp": made(socketpkg.socket(socketpkg.AF_INET, socketpkg.SOCK_DGRAM), ("127.0.0.1", 0)),
            "udp6": made(socketpkg.socket(socketpkg.AF_INET6, socketpkg.SOCK_DGRAM), ("::1", 0)),
            "udp_nonblocking": udp_nonblocking,
            "unix": made(socketpkg.socket(socketpkg.AF_UNIX, socketpkg.SOCK_DGRAM), f"\0compiled {os.getpid()}"),
        }


@pytest.mark.parametrize("call", CALLS)
def test_no_function_of_python_runs_below_the_public_module(call: str, names: dict[str, Any]) -> None:
    fails = call.startswith("fails: ")
    code = compile(call.removeprefix("fails: "), "<call>", "exec")
    entered: set[str] = set()

    def profile(frame: Any, event: str, argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(PACKAGES) and file not in PUBLIC:
            entered.add(f"{file}: {frame.f_code.co_qualname}")

    # The first turn may load a module, or ask what is asked once only.
    for _ in range(2):
        entered.clear()
        sys.setprofile(profile)
        try:
            exec(code, names)
        except (OSError, TypeError, OverflowError):
            assert fails
        else:
            assert not fails
        finally:
            sys.setprofile(None)
    assert not entered
