"""getsockopt and setsockopt: ints, bytes, and None with a length."""

from __future__ import annotations

import errno
import inspect
import re
import struct
from typing import Any

import pytest

from .target import LINUX, control_fails, requires_ipv6, same_as_stdlib, socket


def test_an_int(sock: Any) -> None:
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
    assert sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1) is None
    value = sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    assert value == 1
    assert type(value) is int
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, False)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0


class Integer:
    def __index__(self) -> int:
        return 1


def test_anything_with_an_index_is_an_int(sock: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, Integer())
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


@pytest.mark.parametrize("name", ["SO_RCVBUF", "SO_SNDBUF", "SO_TYPE", "SO_ERROR", "SO_KEEPALIVE", "SO_BROADCAST"])
def test_ints_are_what_the_standard_library_reads(name: str) -> None:
    def read(module: Any) -> int:
        with module.socket() as sock:
            value: int = sock.getsockopt(module.SOL_SOCKET, getattr(module, name))
            return value

    assert same_as_stdlib(read)[0] == "returns"


def test_so_error_tells_of_a_failed_connection() -> None:
    with socket.socket() as taken, socket.socket() as sock:
        taken.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        if sock.connect_ex(taken.getsockname()) == errno.EINPROGRESS:
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_bytes(sock: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 7))
    value = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    assert type(value) is bytes
    assert struct.unpack("ii", value) == (1, 7)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_buffer(sock: Any, kind: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, kind(struct.pack("ii", 1, 9)))
    assert struct.unpack("ii", sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == (1, 9)


def test_a_buffer_is_free_after_the_call(sock: Any) -> None:
    value = bytearray(struct.pack("ii", 1, 9))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value)
    value.append(1)
    with pytest.raises(OSError):
        sock.setsockopt(socket.SOL_SOCKET, 9999, value)
    value.append(1)


def test_an_int_as_bytes(sock: Any) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, struct.pack("i", 1))
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 4) == struct.pack("i", 1)


@pytest.mark.parametrize("length", [4, 5, 64, 1024])
def test_a_longer_buffer_gives_what_the_kernel_gave(sock: Any, length: int) -> None:
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, length) == struct.pack("i", socket.SOCK_STREAM)


def test_a_shorter_buffer_gives_a_part(sock: Any) -> None:
    value = sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, 2)
    assert value == struct.pack("i", socket.SOCK_STREAM)[:2]


def test_a_length_of_0_asks_for_an_int(sock: Any) -> None:
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, 0) == socket.SOCK_STREAM


@pytest.mark.parametrize("length", [-1, 1025, 2**20, -(2**31)])
def test_a_length_out_of_range(sock: Any, length: int) -> None:
    with pytest.raises(OSError, match="getsockopt buflen out of range") as caught:
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE, length)
    assert caught.value.errno is None


@pytest.mark.skipif(not LINUX, reason="what the kernel says of null pointers is its own")
def test_none_with_a_length(sock: Any) -> None:
    with pytest.raises(OSError) as caught:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, None, 4)
    assert caught.value.errno == errno.EFAULT


@pytest.mark.skipif(not LINUX, reason="what the kernel says of null pointers is its own")
def test_none_of_no_length(sock: Any) -> None:
    with pytest.raises(OSError) as caught:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, None, 0)
    assert caught.value.errno in (errno.EINVAL, errno.EFAULT)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (1,),
        (1, 2),
        (1, 2, 3, 4),
        (1, 2, None),
        (1, 2, b"x", 1),
        (1, 2, "text"),
        (1, 2, 1.5),
        (1, 2, [1]),
        (1, 2, None, None),
        (1, 2, None, "4"),
        (None, 2, 1),
        (1, "2", 1),
        (1, 2, None, 4, 5),
    ],
    ids=repr,
)
def test_wrong_arguments_of_setsockopt(sock: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        sock.setsockopt(*arguments)


@control_fails("one text, 'takes exactly 3 arguments', for all of them", fixed=(3, 15))
@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ((), "at least 3"),
        ((1,), "at least 3"),
        ((1, 2), "at least 3"),
        ((1, 2, 3, 4, 5), "at most 4"),
        ((1, 2, None, 4, 5, 6), "at most 4"),
    ],
    ids=repr,
)
def test_wrong_counts_of_arguments_of_setsockopt(sock: Any, arguments: tuple[Any, ...], allowed: str) -> None:
    text = f"setsockopt() takes {allowed} arguments ({len(arguments)} given)"
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        sock.setsockopt(*arguments)


@pytest.mark.socketpkg_only
def test_the_signature_of_setsockopt_says_what_it_takes(sock: Any) -> None:
    signature = inspect.signature(sock.setsockopt)
    assert list(signature.parameters) == ["level", "option", "value", "optlen"]
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_ONLY] * 3 + [inspect.Parameter.VAR_POSITIONAL]
    signature.bind(1, 2, 3)
    signature.bind(1, 2, None, 4)


@pytest.mark.parametrize(
    "arguments", [(), (1,), (1, "2"), (None, 2), (1, 2, "4"), (1, 2, None), (1, 2, 4, 5), (1, 2.0)], ids=repr
)
def test_wrong_arguments_of_getsockopt(sock: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        sock.getsockopt(*arguments)


@control_fails("gh-107545, a TypeError about buffers came instead", fixed=(3, 15))
@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**64, 2**200])
def test_an_int_too_large(sock: Any, value: int) -> None:
    with pytest.raises(OverflowError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, value)


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("value", [2**31, 2**64, -(2**40)])
def test_a_level_or_an_option_too_large(sock: Any, position: int, value: int) -> None:
    arguments = [socket.SOL_SOCKET, socket.SO_RCVBUF]
    arguments[position] = value
    with pytest.raises(OverflowError):
        sock.getsockopt(*arguments)
    with pytest.raises(OverflowError):
        sock.setsockopt(*arguments, 1)


@pytest.mark.parametrize("value", [-1, 2**31 - 1, -(2**31)])
def test_ints_at_the_edges_reach_the_kernel(value: int) -> None:
    def set_it(module: Any) -> Any:
        with module.socket(module.AF_INET, module.SOCK_DGRAM) as sock:
            sock.setsockopt(module.IPPROTO_IP, module.IP_TTL, value)
            return sock.getsockopt(module.IPPROTO_IP, module.IP_TTL)

    same_as_stdlib(set_it)


def test_an_option_that_does_not_exist(sock: Any) -> None:
    for call in (
        lambda: sock.getsockopt(socket.SOL_SOCKET, 9999),
        lambda: sock.getsockopt(socket.SOL_SOCKET, 9999, 16),
        lambda: sock.setsockopt(socket.SOL_SOCKET, 9999, 1),
        lambda: sock.setsockopt(socket.SOL_SOCKET, 9999, b"1234"),
    ):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.ENOPROTOOPT


def test_values_that_are_too_short(sock: Any) -> None:
    for value in (b"", b"\1"):
        with pytest.raises(OSError) as caught:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, value)
        assert caught.value.errno == errno.EINVAL


def test_tcp_options(sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.mark.skipif(not LINUX, reason="the option is Linux's")
def test_a_text_option(tcp: Any) -> None:
    client, _ = tcp
    algorithm = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    assert algorithm.rstrip(b"\0").isascii()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, algorithm.rstrip(b"\0"))


@requires_ipv6
def test_ipv6_options() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        for value in (1, 0):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, value)
            assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == value


@pytest.mark.skipif(not LINUX, reason="the option is Linux's")
def test_credentials_of_the_peer(pair: Any) -> None:
    import os

    value = pair[0].getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    assert struct.unpack("iII", value) == (os.getpid(), os.getuid(), os.getgid())


@pytest.mark.skipif(not LINUX, reason="multicast options are structures of their own elsewhere")
def test_a_structure() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        group = socket.inet_aton("239.1.2.3") + socket.inet_aton("127.0.0.1")
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        with pytest.raises(OSError) as caught:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        assert caught.value.errno == errno.EADDRINUSE
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, group)
