"""How sockets come into being, what they say of themselves, and how they end."""

from __future__ import annotations

import copy
import errno
import gc
import os
import pickle
import select
import warnings
import weakref
from typing import Any

import pytest

from .target import LINUX, LOCALHOST, PATIENCE, PYPY, requires_ipv6, run_python, socket, stdlib, tcp_pair

STREAM_AND_DATAGRAM = [
    ("AF_INET", "SOCK_STREAM"),
    ("AF_INET", "SOCK_DGRAM"),
    pytest.param("AF_INET6", "SOCK_STREAM", marks=requires_ipv6),
    pytest.param("AF_INET6", "SOCK_DGRAM", marks=requires_ipv6),
    ("AF_UNIX", "SOCK_STREAM"),
    ("AF_UNIX", "SOCK_DGRAM"),
    ("AF_UNIX", "SOCK_SEQPACKET"),
]


def closed_descriptor() -> int:
    """The number of a descriptor that is not open, far from those that come next."""
    low = os.open(os.devnull, os.O_RDONLY)
    try:
        high = os.dup2(low, 900)
    finally:
        os.close(low)
    os.close(high)
    return high


# -- arguments --------------------------------------------------------------------------------------------------------


def test_the_defaults_are_inet_stream_and_protocol_0() -> None:
    with socket.socket() as sock:
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
        assert sock.fileno() >= 0


@pytest.mark.parametrize(("family", "kind"), STREAM_AND_DATAGRAM)
def test_family_and_type_are_the_enums(family: str, kind: str) -> None:
    with socket.socket(getattr(socket, family), getattr(socket, kind)) as sock:
        assert sock.family is socket.AddressFamily[family]
        assert sock.type is socket.SocketKind[kind]
        assert type(sock.proto) is int
        assert sock.proto == 0


def test_family_and_type_may_be_plain_ints() -> None:
    with socket.socket(int(socket.AF_UNIX), int(socket.SOCK_DGRAM)) as sock:
        assert sock.family is socket.AddressFamily.AF_UNIX
        assert sock.type is socket.SocketKind.SOCK_DGRAM


def test_every_argument_may_be_named() -> None:
    with socket.socket(family=socket.AF_INET, type=socket.SOCK_DGRAM, proto=socket.IPPROTO_UDP, fileno=None) as sock:
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)


def test_every_argument_may_be_positional() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, None) as sock:
        assert sock.proto == socket.IPPROTO_TCP


def test_minus_one_stands_for_the_default() -> None:
    with socket.socket(-1, -1, -1) as sock:
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)


@pytest.mark.parametrize(
    "arguments",
    [("AF_INET",), (socket.AF_INET, "SOCK_STREAM"), (socket.AF_INET, socket.SOCK_STREAM, "tcp"), (2.0,), (None,)],
)
def test_wrong_types_of_arguments(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        socket.socket(*arguments)


@pytest.mark.parametrize("arguments", [(2**40,), (2, 2**40), (2, 1, 2**40), (-(2**40),)])
def test_arguments_too_large_for_a_c_int(arguments: tuple[int, ...]) -> None:
    with pytest.raises(OverflowError):
        socket.socket(*arguments)


def test_a_family_that_the_kernel_lacks() -> None:
    with pytest.raises(OSError) as caught:
        socket.socket(250, socket.SOCK_STREAM)
    assert caught.value.errno == errno.EAFNOSUPPORT


def test_a_protocol_that_does_not_go_with_the_type() -> None:
    with pytest.raises(OSError) as caught:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDP)
    assert caught.value.errno == errno.EPROTONOSUPPORT


def test_unknown_keyword() -> None:
    with pytest.raises(TypeError):
        socket.socket(kind=1)


@pytest.mark.skipif(not LINUX, reason="the flags are Linux's")
@pytest.mark.parametrize("flags", ["SOCK_CLOEXEC", "SOCK_NONBLOCK", "both"])
def test_flags_in_the_type(flags: str) -> None:
    bits = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK if flags == "both" else getattr(socket, flags)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM | bits) as sock:
        assert sock.type is socket.SocketKind.SOCK_STREAM
        nonblocking = flags != "SOCK_CLOEXEC"
        assert sock.gettimeout() == (0.0 if nonblocking else None)
        assert sock.getblocking() is not nonblocking
        assert os.get_blocking(sock.fileno()) is not nonblocking
        assert not sock.get_inheritable()


def test_nonblock_flag_wins_over_the_default_timeout() -> None:
    socket.setdefaulttimeout(5)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
            assert sock.gettimeout() == 0.0
    finally:
        socket.setdefaulttimeout(None)


# -- fileno= ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "kind"), STREAM_AND_DATAGRAM)
def test_fileno_detects_family_type_and_protocol(family: str, kind: str) -> None:
    with socket.socket(getattr(socket, family), getattr(socket, kind)) as sock:
        other = socket.socket(fileno=sock.fileno())
        try:
            assert other.family is sock.family
            assert other.type is sock.type
            expected = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) if LINUX else 0
            assert other.proto == expected
            assert other.fileno() == sock.fileno()
        finally:
            other.detach()


def test_fileno_with_what_is_given_beside_it_is_believed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM, 7, fileno=sock.fileno())
        try:
            assert (other.family, other.type, other.proto) == (socket.AF_UNIX, socket.SOCK_DGRAM, 7)
        finally:
            other.detach()


@pytest.mark.parametrize("bad", ["foo", 1.5, b"3", object()])
def test_fileno_of_a_wrong_type(bad: object) -> None:
    with pytest.raises(TypeError):
        socket.socket(fileno=bad)


@pytest.mark.parametrize("family", [-1, 2])
def test_negative_fileno(family: int) -> None:
    with pytest.raises(ValueError, match="negative file descriptor"):
        socket.socket(family, fileno=-1)


def test_fileno_that_is_not_open() -> None:
    with pytest.raises(OSError) as caught:
        socket.socket(fileno=closed_descriptor())
    assert caught.value.errno == errno.EBADF


def test_fileno_that_is_not_a_socket() -> None:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as caught:
            socket.socket(fileno=descriptor)
        assert caught.value.errno == errno.ENOTSOCK
        os.fstat(descriptor)  # it was not ours to close
    finally:
        os.close(descriptor)


def test_fileno_that_is_not_a_socket_with_everything_given() -> None:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as caught:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
        assert caught.value.errno == errno.ENOTSOCK
    finally:
        os.close(descriptor)


def test_fileno_of_an_unconnected_and_of_a_connected_socket_keep_working() -> None:
    with tcp_pair() as (client, server):
        descriptor = client.detach()
        with socket.socket(fileno=descriptor) as again:
            again.sendall(b"over the old descriptor")
            assert server.recv(100) == b"over the old descriptor"


def test_fileno_takes_the_default_timeout() -> None:
    with socket.socket() as sock:
        socket.setdefaulttimeout(3)
        try:
            other = socket.socket(fileno=sock.fileno())
        finally:
            socket.setdefaulttimeout(None)
        assert other.gettimeout() == 3
        other.detach()


# -- attributes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["family", "type", "proto", "timeout"])
def test_attributes_are_read_only(sock: Any, name: str) -> None:
    with pytest.raises((AttributeError, TypeError)):
        setattr(sock, name, 1)


def test_timeout_attribute(sock: Any) -> None:
    assert sock.timeout is None
    sock.settimeout(2)
    assert sock.timeout == 2.0
    assert type(sock.timeout) is float


def test_unknown_attribute(sock: Any) -> None:
    with pytest.raises(AttributeError):
        sock.no_such_thing  # noqa: B018


def test_there_is_no_dict() -> None:
    with socket.socket() as sock, pytest.raises(AttributeError):
        sock.colour = "blue"
    assert "__dict__" not in dir(socket.socket)


def test_slots() -> None:
    assert socket.socket.__slots__ == ["__weakref__", "_io_refs", "_closed"]


# -- repr -------------------------------------------------------------------------------------------------------------


def name_of(sock: Any) -> str:
    return f"{type(sock).__module__}.{type(sock).__qualname__}"


def test_repr_of_an_unbound_socket() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        expected = (
            f"<{name_of(sock)} fd={sock.fileno()}, family={int(socket.AF_INET)}, "
            f"type={int(socket.SOCK_STREAM)}, proto=0, laddr=('0.0.0.0', 0)>"
        )
        assert repr(sock) == expected


def test_repr_of_a_connected_socket() -> None:
    with tcp_pair() as (client, server):
        text = repr(client)
        assert f"laddr={client.getsockname()}" in text
        assert f"raddr={server.getsockname()}" in text
        assert text.endswith(f", raddr={client.getpeername()}>")


def test_repr_of_a_unix_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        assert repr(sock) == f"<{name_of(sock)} fd={sock.fileno()}, family=1, type=1, proto=0>"


def test_repr_of_a_closed_socket() -> None:
    with socket.socket() as sock:
        pass
    assert repr(sock) == f"<{name_of(sock)} [closed] fd=-1, family=2, type=1, proto=0>"


def test_repr_of_a_subclass() -> None:
    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        pass

    with Mine() as sock:
        assert repr(sock).startswith(f"<{__name__}.{Mine.__qualname__} fd=")


@pytest.mark.parametrize("step", ["unbound", "bound", "connected", "closed"])
def test_repr_is_that_of_the_standard_library(step: str) -> None:
    def describe(module: Any, descriptor: int) -> str:
        sock = module.socket(fileno=descriptor)
        try:
            if step == "closed":
                os.close(sock.detach())
            return repr(sock).replace(f"<{module.__name__}.socket", "<socket.socket", 1)
        finally:
            sock.detach()

    with tcp_pair() as (client, _), socket.socket() as sock:
        if step == "bound":
            sock.bind((LOCALHOST, 0))
        if step == "connected":
            sock.close()
            sock = client
        if step == "closed":
            # Each of the two closes a descriptor of its own; both have number -1 then.
            assert describe(socket, os.dup(sock.fileno())) == describe(stdlib, os.dup(sock.fileno()))
        else:
            assert describe(socket, sock.fileno()) == describe(stdlib, sock.fileno())


def test_str_is_repr(sock: Any) -> None:
    assert str(sock) == repr(sock)


# -- the end ----------------------------------------------------------------------------------------------------------


def test_close_frees_the_descriptor(sock: Any) -> None:
    descriptor = sock.fileno()
    sock.close()
    assert sock.fileno() == -1
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_close_twice(sock: Any) -> None:
    sock.close()
    sock.close()


def test_close_after_the_descriptor_went_away(sock: Any) -> None:
    os.close(sock.fileno())
    with pytest.raises(OSError) as caught:
        sock.close()
    assert caught.value.errno == errno.EBADF
    assert sock.fileno() == -1


def test_context_manager_gives_the_socket_and_closes_it() -> None:
    sock = socket.socket()
    with sock as inside:
        assert inside is sock
    assert sock.fileno() == -1


def test_context_manager_closes_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), socket.socket() as sock:
        1 / 0  # noqa: B018
    assert sock.fileno() == -1


def test_context_manager_of_a_closed_socket(sock: Any) -> None:
    sock.close()
    with sock as inside:
        assert inside is sock


CLOSED_CALLS = {
    "accept": (),
    "bind": (("127.0.0.1", 0),),
    "connect": (("127.0.0.1", 1),),
    "dup": (),
    "get_inheritable": (),
    "getpeername": (),
    "getsockname": (),
    "getsockopt": (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    "listen": (),
    "recv": (1,),
    "recv_into": (bytearray(1),),
    "recvfrom": (1,),
    "recvfrom_into": (bytearray(1),),
    "recvmsg": (1,),
    "recvmsg_into": ([bytearray(1)],),
    "send": (b"x",),
    "sendall": (b"x",),
    "sendmsg": ([b"x"],),
    "sendto": (b"x", ("127.0.0.1", 1)),
    "set_inheritable": (True,),
    "setblocking": (True,),
    "setsockopt": (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    "settimeout": (1,),
    "shutdown": (socket.SHUT_RDWR,),
}


@pytest.mark.parametrize("method", sorted(CLOSED_CALLS))
@pytest.mark.parametrize("how", ["close", "detach"])
def test_a_closed_socket_refuses(method: str, how: str) -> None:
    sock = socket.socket()
    if how == "close":
        sock.close()
    else:
        os.close(sock.detach())
    with pytest.raises(OSError) as caught:
        getattr(sock, method)(*CLOSED_CALLS[method])
    assert caught.value.errno == errno.EBADF
    assert caught.value.strerror == os.strerror(errno.EBADF)


def test_what_a_closed_socket_still_tells(sock: Any) -> None:
    sock.settimeout(4)
    sock.close()
    assert sock.fileno() == -1
    assert sock.gettimeout() == 4
    assert sock.getblocking() is True
    assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
    assert sock.connect_ex(("127.0.0.1", 1)) == errno.EBADF
    assert sock.detach() == -1


def test_dropped_open_it_warns_and_closes() -> None:
    sock = socket.socket()
    descriptor, text = sock.fileno(), repr(sock)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del sock
        for _ in range(3):
            gc.collect()
    assert [w.category for w in caught] == [ResourceWarning]
    assert str(caught[0].message) == f"unclosed {text}"
    with pytest.raises(OSError):
        os.fstat(descriptor)


def test_the_resource_warning_has_the_socket_as_its_source() -> None:
    sources = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings._showwarnmsg_impl, saved = (  # type: ignore[attr-defined]
            lambda message: sources.append(type(message.source)),
            warnings._showwarnmsg_impl,  # type: ignore[attr-defined]
        )
        try:
            socket.socket()
            for _ in range(3):
                gc.collect()
        finally:
            warnings._showwarnmsg_impl = saved  # type: ignore[attr-defined]
    assert sources == [socket.socket]


@pytest.mark.parametrize("end", ["close", "detach", "with"])
def test_no_warning_when_it_was_ended(end: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sock = socket.socket()
        if end == "with":
            with sock:
                pass
        elif end == "detach":
            os.close(sock.detach())
        else:
            sock.close()
        del sock
        gc.collect()


def test_a_socket_alive_at_the_end_of_the_interpreter_does_no_harm() -> None:
    assert run_python("s = socket.socket(); print(s.fileno() > 2)") == "True\n"


def test_failing_creation_leaves_nothing_to_warn_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            with pytest.raises(OSError):
                socket.socket(250, socket.SOCK_STREAM)
        gc.collect()


def test_a_socket_whose_init_was_never_called() -> None:
    sock = socket.socket.__new__(socket.socket)
    assert sock.fileno() == -1
    with pytest.raises(OSError):
        sock.recv(1)
    del sock
    gc.collect()


# -- detach, dup, fromfd, close(fd) -----------------------------------------------------------------------------------


def test_detach_hands_the_descriptor_over(sock: Any) -> None:
    descriptor = sock.fileno()
    assert sock.detach() == descriptor
    try:
        assert sock.fileno() == -1
        assert "[closed]" in repr(sock)
        sock.close()
        os.fstat(descriptor)
        assert sock.detach() == -1
    finally:
        os.close(descriptor)


def test_dup_is_an_independent_descriptor() -> None:
    with tcp_pair() as (client, server):
        with client.dup() as twin:
            assert twin.fileno() != client.fileno()
            assert (twin.family, twin.type, twin.proto) == (client.family, client.type, client.proto)
            client.close()
            twin.sendall(b"still there")
        assert server.recv(100) == b"still there"
        assert server.recv(100) == b""


@pytest.mark.parametrize("timeout", [None, 0.0, 7.5])
def test_dup_has_the_timeout(sock: Any, timeout: float | None) -> None:
    sock.settimeout(timeout)
    with sock.dup() as twin:
        assert twin.gettimeout() == timeout
        assert os.get_blocking(twin.fileno()) is (timeout is None)


def test_dup_does_not_take_the_default_timeout(sock: Any) -> None:
    socket.setdefaulttimeout(9)
    try:
        with sock.dup() as twin:
            assert twin.gettimeout() is None
    finally:
        socket.setdefaulttimeout(None)


def test_dup_is_of_the_same_class_and_not_inheritable() -> None:
    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        pass

    with Mine() as sock:
        sock.set_inheritable(True)
        with sock.dup() as twin:
            assert type(twin) is Mine
            assert not twin.get_inheritable()


def test_fromfd_duplicates() -> None:
    with tcp_pair() as (client, server):
        with socket.fromfd(client.fileno(), socket.AF_INET, socket.SOCK_STREAM) as twin:
            assert type(twin) is socket.socket
            assert twin.fileno() != client.fileno()
            assert twin.getsockname() == client.getsockname()
            assert not twin.get_inheritable()
            twin.send(b"from the twin")
            assert server.recv(100) == b"from the twin"
        client.send(b"from the first")
        assert server.recv(100) == b"from the first"


def test_fromfd_takes_the_protocol_and_the_default_timeout(sock: Any) -> None:
    socket.setdefaulttimeout(9)
    try:
        with socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as twin:
            assert twin.proto == socket.IPPROTO_TCP
            assert twin.gettimeout() == 9
    finally:
        socket.setdefaulttimeout(None)


def test_fromfd_of_what_is_not_open() -> None:
    with pytest.raises(OSError) as caught:
        socket.fromfd(closed_descriptor(), socket.AF_INET, socket.SOCK_STREAM)
    assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("bad", ["x", None, 1.0])
def test_fromfd_of_a_wrong_type(bad: object) -> None:
    with pytest.raises(TypeError):
        socket.fromfd(bad, socket.AF_INET, socket.SOCK_STREAM)


def test_module_dup(sock: Any) -> None:
    twin = socket.dup(sock.fileno())
    try:
        assert type(twin) is int
        assert twin != sock.fileno()
        assert os.get_inheritable(twin) is False
    finally:
        socket.close(twin)


def test_module_dup_of_what_is_not_open() -> None:
    with pytest.raises(OSError) as caught:
        socket.dup(closed_descriptor())
    assert caught.value.errno == errno.EBADF


def test_module_close(sock: Any) -> None:
    descriptor = sock.detach()
    assert socket.close(descriptor) is None
    with pytest.raises(OSError) as caught:
        socket.close(descriptor)
    assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("function", ["close", "dup"])
@pytest.mark.parametrize("bad", ["x", None, 1.5])
def test_module_close_and_dup_of_a_wrong_type(function: str, bad: object) -> None:
    with pytest.raises(TypeError):
        getattr(socket, function)(bad)


# -- inheritance by other programs ------------------------------------------------------------------------------------


def test_a_new_socket_is_not_inheritable(sock: Any) -> None:
    assert sock.get_inheritable() is False
    assert os.get_inheritable(sock.fileno()) is False


def test_set_inheritable(sock: Any) -> None:
    sock.set_inheritable(True)
    assert sock.get_inheritable() is True
    assert os.get_inheritable(sock.fileno()) is True
    os.set_inheritable(sock.fileno(), False)
    assert sock.get_inheritable() is False
    sock.set_inheritable(False)
    assert sock.get_inheritable() is False


def test_an_accepted_socket_and_both_of_a_pair_are_not_inheritable(pair: Any, tcp: Any) -> None:
    for sock in (*pair, *tcp):
        assert sock.get_inheritable() is False


@pytest.mark.parametrize("timeout", [None, 0.0, PATIENCE])
def test_a_socket_that_a_listener_with_a_timeout_accepts_is_not_inheritable(
    listener: Any, timeout: float | None
) -> None:
    with socket.create_connection(listener.getsockname()):
        select.select([listener], [], [], PATIENCE)
        listener.settimeout(timeout)
        with listener.accept()[0] as accepted:
            assert accepted.get_inheritable() is False


# -- the object -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(sock: Any, protocol: int) -> None:
    # The two oldest protocols fail before the socket is asked.
    text = "^cannot pickle 'socket' object$" if protocol >= 2 else "socket"
    with pytest.raises(TypeError, match=text):
        pickle.dumps(sock, protocol)


def test_copying_is_refused(sock: Any) -> None:
    with pytest.raises(TypeError, match="cannot pickle 'socket' object"):
        copy.copy(sock)


def test_pickling_of_a_subclass_names_it() -> None:
    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        pass

    with Mine() as sock, pytest.raises(TypeError, match="cannot pickle 'Mine' object"):
        pickle.dumps(sock)


def test_weak_references() -> None:
    sock = socket.socket()
    reference = weakref.ref(sock)
    assert reference() is sock
    sock.close()
    del sock
    for _ in range(3):
        gc.collect()
    assert reference() is None


def test_a_cycle_through_a_socket_is_collected() -> None:
    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        pass

    sock = Mine()
    sock.me = sock
    reference = weakref.ref(sock)
    sock.close()
    del sock
    for _ in range(3):
        gc.collect()
    assert reference() is None


def test_sockets_are_hashable_and_equal_only_to_themselves(pair: Any) -> None:
    one, two = pair
    assert len({one, two}) == 2
    assert one == one and one != two


def test_subclass_with_its_own_init() -> None:
    class Mine(socket.socket):  # type: ignore[misc,name-defined]
        def __init__(self, colour: str) -> None:
            super().__init__(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.colour = colour

    with Mine("blue") as sock:
        assert sock.colour == "blue"
        assert sock.family == socket.AF_UNIX


def test_subclass_that_overrides_a_method() -> None:
    class Loud(socket.socket):  # type: ignore[misc,name-defined]
        def send(self, data: bytes, *rest: Any) -> int:
            return int(super().send(data.upper(), *rest))

    one, two = socket.socketpair()
    with two, Loud(fileno=one.detach()) as loud:
        loud.send(b"hello")
        assert two.recv(10) == b"HELLO"


def test_the_class_hierarchy() -> None:
    assert socket.SocketType in socket.socket.__mro__
    assert socket.socket.__bases__ == (socket.SocketType,)
    assert socket.socket.__name__ == "socket"


@pytest.mark.skipif(PYPY, reason="PyPy's classes of the interpreter say it otherwise")
def test_the_base_class_is_immutable() -> None:
    with pytest.raises(TypeError, match="immutable"):
        socket.SocketType.foo = 1


def test_the_class_can_be_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "getsockname", lambda self: ("patched", 1))
    with socket.socket() as sock:
        assert sock.getsockname() == ("patched", 1)
