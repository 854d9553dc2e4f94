"""Every argument of every public function and method, tried with right, odd and wrong values.

`cases` gives the calls, each with a name; `outcome` makes one of them with a module and tells what came of it in words
that can be compared: of the standard library's module, and of another backend's. Run as a program, it prints the
outcome of each call as JSON::

    python tests/arguments/matrix.py socketpkg

A call gets new values and a new socket each time, for some of the values are used up. No call waits: the sockets have a
timeout of 0, and no name is looked up that the machine does not know itself.
"""

from __future__ import annotations

import array
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

if not __package__:  # as a program: this file's package is found beside it (PEP 366)
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    __package__ = "arguments"

from .values import (
    FailingIndex,
    FailingIterable,
    Make,
    Tagged,
    TupleSubclass,
    Value,
    anything,
    data,
    host,
    items,
    iterables,
    modes,
    number,
    numbers,
    readable,
    room,
    text,
    texts,
    writable,
)


class Call(NamedTuple):
    """A function or method with the arguments that it is tried with."""

    name: str
    #: (module, stack) -> what is called; what must be closed afterwards goes to the stack.
    target: Callable[[Any, contextlib.ExitStack], Callable[..., Any]]
    values: tuple[Value, ...]
    #: How many of the values may be left out.
    optional: int = 0
    #: Whether the result is the same each time.
    repeatable: bool = True
    #: Whether calls with fewer or more arguments than these are tried.
    counts: bool = True
    #: Only ours, so there is no standard library to compare with.
    extension: bool = False


# -- sockets -----------------------------------------------------------------------------------------------------------


def method(name: str, make: Callable[[Any, contextlib.ExitStack], Any]) -> Callable[..., Callable[..., Any]]:
    return lambda S, stack: getattr(make(S, stack), name)


def pair(S: Any, stack: contextlib.ExitStack) -> Any:
    """One end of a pair of streams; ten bytes are there."""
    one, two = S.socketpair()
    stack.callback(two.close)
    stack.callback(one.close)
    two.send(b"0123456789")
    one.settimeout(0)
    return one


def messages(S: Any, stack: contextlib.ExitStack) -> Any:
    """One end of a pair of AF_UNIX datagram sockets; a message is there."""
    one, two = S.socketpair(S.AF_UNIX, S.SOCK_DGRAM)
    stack.callback(two.close)
    stack.callback(one.close)
    two.send(b"0123456789")
    one.settimeout(0)
    return one


def unlink(sock: Any) -> None:
    """Removes the path that a call has bound the socket to: the next one may bind there, too."""
    with contextlib.suppress(OSError, ValueError):
        name = sock.getsockname()
        if isinstance(name, str) and name:
            os.unlink(name)


def fresh(family: str = "AF_INET", kind: str = "SOCK_STREAM") -> Callable[[Any, contextlib.ExitStack], Any]:
    def make(S: Any, stack: contextlib.ExitStack) -> Any:
        sock = S.socket(getattr(S, family), getattr(S, kind))
        stack.callback(sock.close)
        if family == "AF_UNIX":
            stack.callback(unlink, sock)
        sock.settimeout(0)
        return sock

    return make


def disguised(family: str, kind: str = "SOCK_DGRAM", proto: str | int = 0) -> Callable[..., Any]:
    """A UDP socket that says that it is of *family*: addresses are converted, and then the kernel refuses them."""

    def make(S: Any, stack: contextlib.ExitStack) -> Any:
        udp = S.socket(S.AF_INET, S.SOCK_DGRAM)
        number = getattr(S, proto) if isinstance(proto, str) else proto
        sock = S.socket(getattr(S, family), getattr(S, kind), number, fileno=udp.detach())
        stack.callback(sock.close)
        sock.settimeout(0)
        return sock

    return make


def plain(name: str) -> Callable[..., Callable[..., Any]]:
    return lambda S, stack: getattr(S, name)


# -- addresses ---------------------------------------------------------------------------------------------------------


def addresses(*parts: Value, needed: int | None = None) -> Value:
    """Values for an address that is a tuple of *parts*."""
    needed = len(parts) if needed is None else needed

    def right(S: Any) -> tuple[Any, ...]:
        return tuple([part.right(S) for part in parts])

    values: dict[str, Make] = {
        "tuple subclass": lambda S: TupleSubclass(right(S)),
        "list": lambda S: list(right(S)),
        "empty tuple": lambda S: (),
        "too long": lambda S: (*right(S), 0),
        "much too long": lambda S: (*right(S), 0, 0, 0, 0),
        "None": lambda S: None,
        "str": lambda S: "127.0.0.1",
        "bytes": lambda S: b"127.0.0.1",
        "int": lambda S: 5,
        "object": lambda S: object(),
        "generator": lambda S: (part for part in right(S)),
    }
    for count in range(1, len(parts)):
        values[f"{count} parts"] = lambda S, count=count: right(S)[:count]
    for at, part in enumerate(parts):
        for name, make in part.values.items():
            values[f"part {at}: {name}"] = lambda S, at=at, make=make: (*right(S)[:at], make(S), *right(S)[at + 1 :])
    # Two wrong parts: which one is complained of?
    for one in range(len(parts)):
        for two in range(one + 1, len(parts)):
            for first in (object, FailingIndex, int):
                values[f"parts {one} ({first.__name__}) and {two} wrong"] = lambda S, one=one, two=two, first=first: (
                    tuple(
                        [
                            first() if at == one else FailingIndex("two") if at == two else part
                            for at, part in enumerate(right(S))
                        ]
                    )
                )

    def failing(S: Any, tag: int) -> Any:
        return tuple([FailingIndex(tag) if at == 1 else part for at, part in enumerate(right(S))])

    return Value(right, values, failing if len(parts) > 1 else None)


def constant(name: str) -> Make:
    return lambda S: int(getattr(S, name))


def inet() -> Value:
    return addresses(host("127.0.0.1"), number(9))


def inet6() -> Value:
    return addresses(host("::1"), number(9), number(0), number(0), needed=2)


def unix() -> Value:
    values = readable(b"/nowhere/at all/x") | texts("/nowhere/at all/x")
    values |= {
        "long": lambda S: "x" * 108,
        "long bytes": lambda S: b"x" * 107 + b"\0",
        "107": lambda S: "/nowhere/" + "x" * 98,
        "long abstract": lambda S: "\0" + "x" * 108,
    }
    del values["empty"], values["empty bytes"]  # a name of the kernel's choice
    for name in ("empty bytearray", "empty memoryview", "array of ints", "backwards", "no dimension", "one in pieces"):
        values.pop(name)  # which would make a file here
    return Value(lambda S: "/nowhere/at all/x", values)


FORMS: dict[str, tuple[Callable[..., Any], Value]] = {
    "unix": (fresh("AF_UNIX"), unix()),
    "inet": (fresh("AF_INET", "SOCK_DGRAM"), inet()),
    "inet6": (fresh("AF_INET6", "SOCK_DGRAM"), inet6()),
}
if sys.platform == "linux":
    edges = (0, 1)
    FORMS |= {
        "netlink": (disguised("AF_NETLINK"), addresses(number(0), number(0))),
        "packet": (
            disguised("AF_PACKET"),
            addresses(text("lo"), number(3), number(0), number(1), data(b"123456"), needed=2),
        ),
        "vsock": (disguised("AF_VSOCK"), addresses(number(1), number(9))),
        "qipcrtr": (disguised("AF_QIPCRTR"), addresses(number(1), number(9))),
        "alg": (disguised("AF_ALG"), addresses(text("hash"), text("sha1"), number(0), number(0), needed=2)),
        "tipc": (
            disguised("AF_TIPC"),
            addresses(number(constant("TIPC_ADDR_NAME")), number(1), number(2), number(3), number(0), needed=4),
        ),
        "can raw": (disguised("AF_CAN", proto="CAN_RAW"), addresses(text("lo", loud=False))),
        "can bcm": (disguised("AF_CAN", proto="CAN_BCM"), addresses(text("lo", loud=False))),
        "can isotp": (
            disguised("AF_CAN", proto="CAN_ISOTP"),
            addresses(text("lo", loud=False), number(1), number(2)),
        ),
        "can j1939": (
            disguised("AF_CAN", proto="CAN_J1939"),
            addresses(text("lo", loud=False), number(1), number(2), number(3)),
        ),
        "can of no protocol": (disguised("AF_CAN", proto=77), addresses(text("lo", loud=False))),
    }
    import socket as _stdlib

    if hasattr(_stdlib, "AF_BLUETOOTH") and hasattr(_stdlib, "BTPROTO_SCO"):
        bdaddr = "00:11:22:33:44:55"
        FORMS |= {
            "l2cap": (
                disguised("AF_BLUETOOTH", proto="BTPROTO_L2CAP"),
                addresses(text(bdaddr), number(1), needed=2),
            ),
            "rfcomm": (disguised("AF_BLUETOOTH", proto="BTPROTO_RFCOMM"), addresses(text(bdaddr), number(1))),
            "hci": (disguised("AF_BLUETOOTH", proto="BTPROTO_HCI"), addresses(number(1))),
            "sco": (disguised("AF_BLUETOOTH", proto="BTPROTO_SCO"), Value(lambda S: bdaddr, texts(bdaddr))),
        }

    def other_family(S: Any, stack: contextlib.ExitStack) -> Any:
        udp = S.socket(S.AF_INET, S.SOCK_DGRAM)
        sock = S.socket(77, S.SOCK_DGRAM, 0, fileno=udp.detach())
        stack.callback(sock.close)
        return sock


# -- files -------------------------------------------------------------------------------------------------------------


def files() -> dict[str, Make]:
    return {
        "BytesIO": lambda S: io.BytesIO(b"content"),
        "StringIO": lambda S: io.StringIO("content"),
        "None": lambda S: None,
        "int": lambda S: 3,
        "str": lambda S: "/etc/passwd",
        "bytes": lambda S: b"content",
        "object": lambda S: object(),
        "closed": closed_file,
    }


def closed_file(S: Any) -> Any:
    file = io.BytesIO(b"content")
    file.close()
    return file


def a_file() -> Value:
    return Value(lambda S: io.BytesIO(b"content"), files())


# -- the calls ---------------------------------------------------------------------------------------------------------

#: Descriptors that are in use by whoever runs this, also those that the standard library takes for 0: it cuts a number
#: that no int holds.
TAKEN = (0, 1, 255, 256, 2**32, -(2**32), -(2**63))
#: More memory than a machine has, but the kernel gives the pages; and a float of these seconds.
MUCH = (2**31 - 1, 2**31, 2**32 - 1, 2**32)


#: Descriptors that were made for a call, and are closed after it.
_made: list[int] = []


def descriptor(S: Any) -> int:
    _made.append(os.dup(2))
    return _made[-1]


def socket_descriptor(S: Any) -> int:
    with S.socket(S.AF_INET, S.SOCK_DGRAM) as sock:
        _made.append(os.dup(sock.fileno()))
    return _made[-1]


def detaching(S: Any, stack: contextlib.ExitStack) -> Callable[[], int]:
    def detach() -> int:
        _made.append(fresh()(S, stack).detach())
        return _made[-1]

    return detach


def duplicating(S: Any, stack: contextlib.ExitStack) -> Callable[[Any], int]:
    def dup(*arguments: Any, **keywords: Any) -> int:
        _made.append(S.dup(*arguments, **keywords))
        return _made[-1]

    return dup


def rights(S: Any) -> tuple[int, int, bytes]:
    return (int(S.SOL_SOCKET), int(S.SCM_RIGHTS), array.array("i", [2]).tobytes())


def ancillary() -> Value:
    right = [rights]
    values = iterables(*right, wrong=lambda S: 5)
    part_values = (
        number(constant("SOL_SOCKET")),
        number(constant("SCM_RIGHTS")),
        data(array.array("i", [2]).tobytes()),
    )
    for at, part in enumerate(part_values):
        for name, make in part.values.items():
            values[f"part {at}: {name}"] = lambda S, at=at, make=make: [
                (*rights(S)[:at], make(S), *rights(S)[at + 1 :])
            ]
    values |= {
        "pair": lambda S: [(1, 2)],
        "four": lambda S: [(1, 2, b"", 4)],
        "item as list": lambda S: [list(rights(S))],
        "item as str": lambda S: ["abc"],
        "item as generator": lambda S: [(part for part in rights(S))],
        "item as iterator": lambda S: [iter(rights(S))],
        "item as bytes": lambda S: [b"abc"],
        "item as dict": lambda S: [{1: 1, 2: 2, b"": 3}],
        "item as None": lambda S: [None],
        "item as set": lambda S: [{1}],
        "two wrong parts": lambda S: [(FailingIndex("one"), FailingIndex("two"), b"")],
        "second item wrong": lambda S: [rights(S), (FailingIndex("one"), 2, b"")],
    }
    return Value(lambda S: [rights(S)], values, lambda S, tag: FailingIterable(tag))


def option() -> Value:
    """The value of a socket option: a number, a buffer or None."""
    values = {f"number {name}": make for name, make in numbers(lambda S: 1).items()}
    values |= readable((1).to_bytes(4, sys.byteorder))
    return Value(lambda S: 1, values, lambda S, tag: FailingIndex(tag))


def calls() -> Iterator[Call]:
    """All of them."""
    yield from _socket_calls()
    yield from _transfer_calls()
    yield from _module_calls()
    yield from _extension_calls()


def _socket_calls() -> Iterator[Call]:
    yield Call(
        "socket",
        plain("socket"),
        (
            number(constant("AF_INET"), name="family"),
            number(constant("SOCK_DGRAM"), name="type"),
            number(0, name="proto"),
        ),
        optional=3,
        counts=False,
    )
    yield Call(
        "socket with a descriptor",
        lambda S, stack: lambda fileno: S.socket(S.AF_INET, S.SOCK_DGRAM, 0, fileno),
        (Value(socket_descriptor, numbers(lambda S: 2, TAKEN)),),
        counts=False,
    )
    yield Call(
        "socket that finds out",
        lambda S, stack: lambda fileno: S.socket(fileno=fileno),
        (Value(lambda S: None, numbers(lambda S: 2, TAKEN)),),
        counts=False,
    )
    for form, (make, address) in FORMS.items():
        for name in ("bind", "connect", "connect_ex"):
            yield Call(f"{name} {form}", method(name, make), (address,), counts=form == "inet6")
        yield Call(f"sendto {form}", method("sendto", make), (data(b"x"), address), counts=False)
        yield Call(f"sendto flags {form}", method("sendto", make), (data(b"x"), number(0), address), counts=False)
        if form not in ("inet", "inet6"):
            yield Call(
                f"sendmsg {form}",
                method("sendmsg", make),
                (items(lambda S: b"x", wrong=lambda S: 5), ancillary(), number(0), address),
                counts=False,
            )
    if sys.platform == "linux":
        yield Call("connect of no family", method("connect", other_family), (inet(),), counts=False)
    yield Call("listen", method("listen", fresh()), (number(1),), optional=1)
    yield Call("_accept", method("_accept", fresh()), ())
    yield Call("accept", method("accept", fresh()), ())
    yield Call("shutdown", method("shutdown", pair), (number(1),))
    yield Call("settimeout", method("settimeout", fresh()), (anything(1),))
    yield Call("setblocking", method("setblocking", fresh()), (anything(True),))
    yield Call("getsockopt", method("getsockopt", fresh()), (number(1), number(3)))
    yield Call("getsockopt of a size", method("getsockopt", fresh()), (number(1), number(3), number(4)))
    yield Call("getsockopt of AF_VSOCK", method("getsockopt", disguised("AF_VSOCK")), (number(1), number(3)))
    yield Call("setsockopt", method("setsockopt", fresh()), (number(1), number(2), option()))
    yield Call("setsockopt of AF_VSOCK", method("setsockopt", disguised("AF_VSOCK")), (number(1), number(2), option()))
    yield Call(
        "setsockopt with a length",
        method("setsockopt", fresh()),
        (number(1), number(2), Value(lambda S: None, option().values), number(4)),
    )
    yield Call("socket.detach", detaching, (), repeatable=False, counts=False)
    for name in ("fileno", "close", "getsockname", "gettimeout", "getblocking", "get_inheritable", "dup"):
        yield Call(f"socket.{name}", method(name, fresh()), (), repeatable=name not in ("fileno", "dup"))
    yield Call("getpeername", method("getpeername", fresh()), ())
    yield Call("set_inheritable", method("set_inheritable", fresh()), (anything(True, name="inheritable"),))
    yield Call("__enter__", method("__enter__", fresh()), ())
    yield Call("__exit__", method("__exit__", fresh()), (anything(None), anything(None), anything(None)), optional=3)
    yield Call(
        "makefile",
        method("makefile", pair),
        (Value(lambda S: "r", modes(), None, "mode"), number(512, name="buffering", without=MUCH)),
        optional=2,
    )
    yield Call(
        "makefile text",
        lambda S, stack: (
            lambda encoding, errors, newline: pair(S, stack).makefile(
                "r", encoding=encoding, errors=errors, newline=newline
            )
        ),
        (text("utf-8"), text("strict"), text("\n")),
        counts=False,
    )
    sending = pair_that_waits
    yield Call("sendfile", method("sendfile", sending), (a_file(), number(0, name="offset"), number(3, name="count")))


def pair_that_waits(S: Any, stack: contextlib.ExitStack) -> Any:
    sock = pair(S, stack)
    sock.settimeout(5)
    return sock


def _transfer_calls() -> Iterator[Call]:
    huge = (2**31 - 1, 2**31, 2**32 - 1, 2**32)
    size, flags = number(4, name="bufsize", without=huge), number(0, name="flags")
    for name in ("recv", "recvfrom"):
        yield Call(name, method(name, pair), (size, flags), optional=1)
        yield Call(f"{name} of nothing", method(name, pair), (Value(lambda S: 0, {}), flags), counts=False)
        yield Call(f"{name} of a message", method(name, messages), (size, flags), counts=False)
    for name in ("recv_into", "recvfrom_into"):
        values = (room(8, name="buffer"), number(4, name="nbytes"), flags)
        yield Call(name, method(name, pair), values, optional=2)
        yield Call(f"{name} of a message", method(name, messages), values, counts=False)
        yield Call(
            f"{name} into nothing", method(name, pair), (Value(lambda S: bytearray(), {}), *values[1:]), counts=False
        )
    for name in ("send", "sendall"):
        yield Call(name, method(name, pair), (data(b"some data"), flags), optional=1)
        yield Call(f"{name} of a message", method(name, messages), (data(b"some data"), flags), counts=False)
    yield Call("recvmsg", method("recvmsg", pair), (size, number(64, without=huge), flags), optional=2)
    yield Call(
        "recvmsg of a message", method("recvmsg", messages), (size, number(64, without=huge), flags), counts=False
    )
    rooms = items(lambda S: bytearray(3), lambda S: bytearray(5), wrong=lambda S: b"ro")
    rooms.values.update((f"with {name}", lambda S, make=make: [make(S)]) for name, make in writable(8).items())
    yield Call("recvmsg_into", method("recvmsg_into", pair), (rooms, number(64, without=huge), flags), optional=2)
    parts = items(lambda S: b"one", lambda S: bytearray(b"two"), wrong=lambda S: 5)
    parts.values.update(
        (f"with {name}", lambda S, make=make: [make(S)]) for name, make in readable(b"12345678").items()
    )
    parts.values.update(
        (f"then {name}", lambda S, make=make: [b"x", make(S)]) for name, make in readable(b"1234").items()
    )
    address = Value(lambda S: None, {name: make for name, make in unix().values.items() if name != "None"})
    yield Call("sendmsg", method("sendmsg", pair), (parts, ancillary(), flags, address), optional=3)
    descriptors = items(lambda S: 2, wrong=lambda S: "x")
    del descriptors.values["int in it"]  # which is one of whoever runs this
    yield Call("send_fds", plain_with_socket("send_fds", pair), (parts, descriptors), counts=False)
    yield Call("recv_fds", plain_with_socket("recv_fds", pair), (size, number(2, without=huge), flags), counts=False)
    if sys.platform == "linux":
        yield Call("sendmsg_afalg", afalg, (parts, number(1), data(b"iv"), number(8), flags), counts=False)
        yield Call("sendmsg_afalg msg", lambda S, stack: alg(S, stack).sendmsg_afalg, (parts,), optional=1)
        yield Call(
            "sendmsg_afalg assoclen",
            lambda S, stack: lambda assoclen: alg(S, stack).sendmsg_afalg(op=S.ALG_OP_ENCRYPT, assoclen=assoclen),
            (number(0),),
            counts=False,
        )


alg = disguised("AF_ALG", "SOCK_SEQPACKET")


def afalg(S: Any, stack: contextlib.ExitStack) -> Callable[..., Any]:
    sock = alg(S, stack)
    return lambda msg, op, iv, assoclen, flags: sock.sendmsg_afalg(msg, op=op, iv=iv, assoclen=assoclen, flags=flags)


def plain_with_socket(name: str, make: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    return lambda S, stack: functools.partial(getattr(S, name), make(S, stack))


def _module_calls() -> Iterator[Call]:
    yield Call("close", plain("close"), (number(descriptor, without=TAKEN),))
    yield Call("dup", duplicating, (number(descriptor, without=TAKEN),), repeatable=False)
    yield Call(
        "fromfd",
        plain("fromfd"),
        (
            number(2, without=TAKEN, name="fd"),
            number(constant("AF_INET"), name="family"),
            number(constant("SOCK_STREAM"), name="type"),
            number(0, name="proto"),
        ),
        optional=1,
    )
    yield Call(
        "socketpair",
        plain("socketpair"),
        (
            number(constant("AF_UNIX"), name="family"),
            number(constant("SOCK_STREAM"), name="type"),
            number(0, name="proto"),
        ),
        optional=3,
    )
    ports = Value(
        lambda S: 80,
        numbers(lambda S: 80)
        | {f"text {name}": make for name, make in texts("80").items()}
        | {
            f"odd {odd!r}": lambda S, odd=odd: odd
            for odd in ("", " 80", "080", "+80", "-1", "65536", "http", "0x50", "8_0")
        },
        lambda S, tag: FailingIndex(tag),
        "port",
    )
    numbers_of = [number(0, name=name) for name in ("family", "type", "proto", "flags")]
    yield Call("getaddrinfo", plain("getaddrinfo"), (host("127.0.0.1", name="host"), ports, *numbers_of), optional=4)
    nowhere = Value(lambda S: None, {"None": lambda S: None}, None, "host")
    yield Call("getaddrinfo of None", plain("getaddrinfo"), (nowhere, ports, *numbers_of), counts=False)
    for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        yield Call(name, plain(name), (host("127.0.0.1"),))
    yield Call("getfqdn", plain("getfqdn"), (host("127.0.0.1", name="name"),), optional=1)
    numeric = 3  # NI_NUMERICHOST | NI_NUMERICSERV
    yield Call("getnameinfo", plain("getnameinfo"), (inet(), number(numeric)))
    yield Call("getnameinfo of IPv6", plain("getnameinfo"), (inet6(), number(numeric)))
    yield Call("getservbyname", plain("getservbyname"), (text("http"), text("tcp")), optional=1)
    yield Call("getservbyport", plain("getservbyport"), (number(80), text("tcp")), optional=1)
    yield Call("getprotobyname", plain("getprotobyname"), (text("tcp"),))
    for name in ("htons", "ntohs", "htonl", "ntohl"):
        yield Call(name, plain(name), (number(1),))
    yield Call("inet_aton", plain("inet_aton"), (text("127.0.0.1"),))
    yield Call("inet_ntoa", plain("inet_ntoa"), (data(b"\x7f\0\0\1"),))
    family = number(constant("AF_INET"))
    yield Call("inet_pton", plain("inet_pton"), (family, text("127.0.0.1")))
    yield Call("inet_pton of IPv6", plain("inet_pton"), (number(constant("AF_INET6")), text("::1")), counts=False)
    yield Call("inet_ntop", plain("inet_ntop"), (family, data(b"\x7f\0\0\1")))
    yield Call("if_nametoindex", plain("if_nametoindex"), (text("lo", loud=False, name="oname"),))
    yield Call("if_indextoname", plain("if_indextoname"), (number(1),))
    yield Call("if_nameindex", plain("if_nameindex"), ())
    yield Call("CMSG_LEN", plain("CMSG_LEN"), (number(4),))
    yield Call("CMSG_SPACE", plain("CMSG_SPACE"), (number(4),))
    yield Call("setdefaulttimeout", restoring_timeout, (anything(None),))
    yield Call("getdefaulttimeout", plain("getdefaulttimeout"), ())
    yield Call("gethostname", plain("gethostname"), ())
    # Too long for the kernel: the machine keeps its name.
    yield Call("sethostname", plain("sethostname"), (Value(lambda S: "x" * 300, hostnames()),))
    yield Call("has_dualstack_ipv6", plain("has_dualstack_ipv6"), ())
    closed = 1  # nobody listens at TCP port 1
    yield Call(
        "create_connection",
        lambda S, stack: lambda address, timeout=5.0: S.create_connection(address, timeout),
        (addresses(host("127.0.0.1"), number(closed, without=(0, 1, 255, 256))), anything(5.0)),
        counts=False,
    )
    yield Call(
        "create_server",
        lambda S, stack: lambda address, family, backlog: S.create_server(address, family=family, backlog=backlog),
        (addresses(host("127.0.0.1"), number(0)), number(constant("AF_INET")), number(5)),
        counts=False,
        repeatable=False,
    )


def hostnames() -> dict[str, Make]:
    long = "x" * 300
    values = {name: make for name, make in texts(long, loud=False).items() if not name.startswith("empty")}
    for name in ("surrogate", "lone surrogate"):
        del values[name]
    return values


def restoring_timeout(S: Any, stack: contextlib.ExitStack) -> Callable[..., Any]:
    stack.callback(S.setdefaulttimeout, None)
    return S.setdefaulttimeout


def _extension_calls() -> Iterator[Call]:
    """What the standard library does not have: only the backends are compared."""
    huge = (2**31 - 1, 2**31, 2**32 - 1, 2**32)
    size, flags = number(4, without=huge), number(0)
    count = number(2, without=(*huge, 2**63 - 1))

    def call(name: str, make: Callable[..., Any], *values: Value) -> Call:
        return Call(name, method(name, make), values, extension=True, counts=False)

    yield call("recvmmsg", messages, count, size, flags)
    rooms = items(lambda S: bytearray(3), lambda S: bytearray(5), wrong=lambda S: b"ro")
    rooms.values.update((f"with {name}", lambda S, make=make: [make(S)]) for name, make in writable(8).items())
    yield call("recvmmsg_into", messages, rooms, flags)
    parts = items(lambda S: b"one", lambda S: (b"two", None), wrong=lambda S: 5)
    parts.values.update(
        (f"with {name}", lambda S, make=make: [make(S)]) for name, make in readable(b"12345678").items()
    )
    parts.values.update(
        (f"in {name}", lambda S, make=make: [[make(S)]]) for name, make in readable(b"12345678").items()
    )
    yield call("sendmmsg", messages, parts, flags)
    yield call("send_segments", messages, data(b"12345678"), number(4), Value(lambda S: None, unix().values), flags)
    yield call("recv_segments", fresh("AF_INET", "SOCK_DGRAM"), number(65535, without=huge), flags)
    yield Call("bind of two", method("bind", fresh()), (host("127.0.0.1"), number(0)), extension=True, counts=False)
    yield Call(
        "connect of two",
        method("connect", fresh("AF_INET", "SOCK_DGRAM")),
        (host("127.0.0.1"), number(9)),
        0,
        True,
        False,
        True,
    )


# -- what came of it ---------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a call came to. *kind* and *what* are to be the standard library's; *text* is to be the other backends'."""

    kind: str
    what: str
    errno: int | None
    text: str


_ADDRESS = re.compile(r"0x[0-9a-f]+")


def outcome(case: Case, S: Any) -> Outcome:
    """What a call comes to with a module."""
    try:
        return _outcome(case, S)
    finally:
        for fd in _made:
            with contextlib.suppress(OSError):
                os.close(fd)
        _made.clear()


def _outcome(case: Case, S: Any) -> Outcome:
    with contextlib.ExitStack() as stack:
        try:
            result = case.make(S, stack)
        except Exception as error:
            shown = _ADDRESS.sub("0x...", str(error)).replace(f"{Tagged.__module__}.", "")
            tag = repr(error.args) if isinstance(error, Tagged) else ""
            try:
                return Outcome("raises", type(error).__name__ + tag, getattr(error, "errno", None), shown)
            finally:
                del error
        try:
            return Outcome("returns", type(result).__name__, None, _shown(result) if case.repeatable else "")
        finally:
            if hasattr(result, "close"):
                with contextlib.suppress(OSError):
                    result.close()
            elif isinstance(result, tuple):
                for item in result:
                    if hasattr(item, "detach"):
                        item.close()


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(_shown(item) for item in value)})"
    if value is None or isinstance(value, (int, float, str, bytes)):
        return f"{type(value).__name__} {value!r}"
    return type(value).__name__


class Case(NamedTuple):
    name: str
    make: Callable[[Any, contextlib.ExitStack], Any]
    repeatable: bool
    extension: bool
    #: Whether the call is refused for its form alone, by whoever runs Python functions.
    form: bool = False


def cases() -> Iterator[Case]:
    for call in calls():
        yield from _cases_of(call)


def _cases_of(call: Call) -> Iterator[Case]:
    values = call.values

    def case(name: str, arguments: Callable[[Any], list[Any]], form: bool = False, /, **keywords: Make) -> Case:
        def make(S: Any, stack: contextlib.ExitStack) -> Any:
            target = call.target(S, stack)
            return target(*arguments(S), **{key: value(S) for key, value in keywords.items()})

        return Case(f"{call.name}: {name}", make, call.repeatable, call.extension, form)

    def right(S: Any) -> list[Any]:
        return [value.right(S) for value in values]

    yield case("right", right)
    # A negative size is no number too large: it is complained of when all have been converted.
    for one in range(len(values)):
        for two in range(len(values)):
            failing = values[two].failing
            if one != two and "-1" in values[one].values and failing is not None:
                yield case(
                    f"{one} is negative and {two} fails", functools.partial(_negative_and_failing, values, one, two)
                )
    for at, value in enumerate(values):
        for name, make in value.values.items():
            yield case(f"{at} {name}", lambda S, at=at, make=make: [*right(S)[:at], make(S), *right(S)[at + 1 :]])
    # The order in which they are looked at.
    for one in range(len(values)):
        for two in range(one + 1, len(values)):
            if values[one].failing and values[two].failing:
                yield case(f"{one} and {two} fail", functools.partial(_two_failing, values, one, two))
            # What has no way to fail by itself is of a wrong type.
            elif values[two].failing:
                yield case(f"{one} is wrong and {two} fails", functools.partial(_wrong_and_failing, values, one, two))
            elif values[one].failing:
                yield case(f"{two} is wrong and {one} fails", functools.partial(_wrong_and_failing, values, two, one))
    if not call.counts:
        return
    least = len(values) - call.optional
    for count in (*range(len(values)), len(values) + 1, len(values) + 2):
        yield case(
            f"{count} arguments",
            lambda S, count=count: [*right(S), None, None][:count],
            not least <= count <= len(values),
        )
    yield case("a keyword that there is not", right, True, nonsense=lambda S: 1)
    for at, value in enumerate(values):
        key = value.name or "x"
        yield case(f"{at} as keyword {key}", lambda S, at=at: right(S)[:at], True, **{key: value.right})


def _two_failing(values: tuple[Value, ...], one: int, two: int, S: Any) -> list[Any]:
    made = [value.right(S) for value in values]
    for at in (one, two):
        failing = values[at].failing
        assert failing is not None
        made[at] = failing(S, at)
    return made


def _negative_and_failing(values: tuple[Value, ...], negative: int, fails: int, S: Any) -> list[Any]:
    made = [value.right(S) for value in values]
    made[negative] = -1
    failing = values[fails].failing
    assert failing is not None
    made[fails] = failing(S, fails)
    return made


def _wrong_and_failing(values: tuple[Value, ...], wrong: int, fails: int, S: Any) -> list[Any]:
    made = [value.right(S) for value in values]
    made[wrong] = object()
    failing = values[fails].failing
    assert failing is not None
    made[fails] = failing(S, fails)
    return made


def outcomes(S: Any) -> dict[str, Outcome]:
    """What all the calls come to with a module."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases():
            assert case.name not in found, case.name
            if not (case.extension and S.__name__ == "socket"):
                found[case.name] = outcome(case, S)
        gc.collect()
    return found


def forms() -> set[str]:
    """The names of the calls that are refused for their form alone, with texts of functions in C or in Python."""
    return {case.name for case in cases() if case.form}


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    json.dump({name: list(result) for name, result in outcomes(module).items()}, sys.stdout)


if __name__ == "__main__":
    main()
