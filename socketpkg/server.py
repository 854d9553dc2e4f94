"""The standard library's ``socketserver`` over the sockets of this package, under the same names.

https://docs.python.org/3/library/socketserver.html is the manual. The servers are subclasses of the standard library's,
which do all the work, and differ in one thing: their socket is a `socketpkg.socket`, and so is each request that a
stream server accepts. The mix-ins and the request handlers are the standard library's own: they take what they are
given.
"""

# A type checker takes our sockets for another class than those that the base classes have. It is what this is about.
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

import socketserver
from socketserver import (
    BaseRequestHandler,
    BaseServer,
    DatagramRequestHandler,
    ForkingMixIn,
    StreamRequestHandler,
    ThreadingMixIn,
)

# As a module: a name that is replaced in it, as tests do with `socket`, holds here too.
import socketpkg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeAlias

    from _typeshed import ReadableBuffer

    _InternetAddress: TypeAlias = tuple[str | bytes | bytearray, int] | tuple[str | bytes | bytearray, int, int, int]
    _UnixAddress: TypeAlias = str | ReadableBuffer

__all__ = [
    "BaseRequestHandler",
    "BaseServer",
    "DatagramRequestHandler",
    "ForkingMixIn",
    "ForkingTCPServer",
    "ForkingUDPServer",
    "ForkingUnixDatagramServer",
    "ForkingUnixStreamServer",
    "StreamRequestHandler",
    "TCPServer",
    "ThreadingMixIn",
    "ThreadingTCPServer",
    "ThreadingUDPServer",
    "ThreadingUnixDatagramServer",
    "ThreadingUnixStreamServer",
    "UDPServer",
    "UnixDatagramServer",
    "UnixStreamServer",
]

# Each of these four inherits from its counterpart, and the counterparts from each other. In the order in which methods
# are looked up ours all come first, so `TCPServer` must have nothing but what holds for all of them.


class TCPServer(socketserver.TCPServer):
    """A server on a stream socket of AF_INET, or of the class attribute *address_family*."""

    address_family: int = socketpkg.AF_INET
    if TYPE_CHECKING:
        socket: socketpkg.socket

        def get_request(self) -> tuple[socketpkg.socket, Any]: ...

    def __init__(
        self,
        server_address: _InternetAddress,
        RequestHandlerClass: Callable[[Any, Any, Self], BaseRequestHandler],
        bind_and_activate: bool = True,
    ) -> None:
        # Not the overridden __init__, which makes a socket of the standard library, but that of its base.
        super(socketserver.TCPServer, self).__init__(server_address, RequestHandlerClass)
        self.socket = socketpkg.socket(self.address_family, self.socket_type)
        if bind_and_activate:
            try:
                self.server_bind()
                self.server_activate()
            except BaseException:
                self.server_close()
                raise


class UDPServer(TCPServer, socketserver.UDPServer):
    """A server on a datagram socket of AF_INET, or of the class attribute *address_family*."""

    socket_type: int = socketpkg.SOCK_DGRAM
    if TYPE_CHECKING:

        def get_request(self) -> tuple[tuple[bytes, socketpkg.socket], Any]: ...  # type: ignore[override]


class UnixStreamServer(TCPServer, socketserver.UnixStreamServer):
    """A server on a stream socket of AF_UNIX; its address is a path."""

    address_family: int = socketpkg.AF_UNIX
    if TYPE_CHECKING:

        def __init__(
            self,
            server_address: _UnixAddress,
            RequestHandlerClass: Callable[[Any, Any, Self], BaseRequestHandler],
            bind_and_activate: bool = True,
        ) -> None: ...


class UnixDatagramServer(UDPServer, socketserver.UnixDatagramServer):
    """A server on a datagram socket of AF_UNIX; its address is a path."""

    address_family: int = socketpkg.AF_UNIX
    if TYPE_CHECKING:

        def __init__(
            self,
            server_address: _UnixAddress,
            RequestHandlerClass: Callable[[Any, Any, Self], BaseRequestHandler],
            bind_and_activate: bool = True,
        ) -> None: ...


class ForkingTCPServer(ForkingMixIn, TCPServer):
    """A `TCPServer` that handles each request in a process of its own."""


class ForkingUDPServer(ForkingMixIn, UDPServer):
    """A `UDPServer` that handles each request in a process of its own."""


class ForkingUnixStreamServer(ForkingMixIn, UnixStreamServer):
    """A `UnixStreamServer` that handles each request in a process of its own."""


class ForkingUnixDatagramServer(ForkingMixIn, UnixDatagramServer):
    """A `UnixDatagramServer` that handles each request in a process of its own."""


class ThreadingTCPServer(ThreadingMixIn, TCPServer):
    """A `TCPServer` that handles each request in a thread of its own."""


class ThreadingUDPServer(ThreadingMixIn, UDPServer):
    """A `UDPServer` that handles each request in a thread of its own."""


class ThreadingUnixStreamServer(ThreadingMixIn, UnixStreamServer):
    """A `UnixStreamServer` that handles each request in a thread of its own."""


class ThreadingUnixDatagramServer(ThreadingMixIn, UnixDatagramServer):
    """A `UnixDatagramServer` that handles each request in a thread of its own."""
