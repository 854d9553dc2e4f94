"""Addresses as text and as bytes, and numbers in network order: inet_aton, inet_pton, htons and their kin."""

from __future__ import annotations

import array
import errno
import sys
from typing import Any

import pytest

from .target import (
    PYPY,
    requires_ipv6,
    socket,
    stdlib,
)


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("1.2.3.4", b"\1\2\3\4"),
        ("0.0.0.0", b"\0\0\0\0"),
        ("255.255.255.255", b"\xff\xff\xff\xff"),
        ("127.1", b"\x7f\0\0\1"),
        ("1.2.3", b"\1\2\0\3"),
        ("1.2.515", b"\1\2\2\3"),
        ("16909060", b"\1\2\3\4"),
        ("0x7f000001", b"\x7f\0\0\1"),
        ("0177.0.0.1", b"\x7f\0\0\1"),
        ("0x7f.0x1", b"\x7f\0\0\1"),
        ("0", b"\0\0\0\0"),
        ("127.0.0.1 ", b"\x7f\0\0\1"),
    ],
)
def test_inet_aton(text: str, packed: bytes) -> None:
    assert socket.inet_aton(text) == packed


@pytest.mark.parametrize(
    "bad", ["", "foo", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "::1", "1.2.3.4x", "-1", "4294967296"]
)
def test_inet_aton_refuses(bad: str) -> None:
    with pytest.raises(OSError, match="^illegal IP address string passed to inet_aton$"):
        socket.inet_aton(bad)


@pytest.mark.parametrize(
    "kind", [bytes, bytearray, lambda data: memoryview(bytes(data)), lambda data: array.array("B", data)]
)
def test_inet_ntoa(kind: Any) -> None:
    assert socket.inet_ntoa(kind([1, 2, 3, 4])) == "1.2.3.4"


@pytest.mark.parametrize("bad", [b"", b"123", b"12345"])
def test_inet_ntoa_refuses(bad: bytes) -> None:
    with pytest.raises(OSError, match="^packed IP wrong length"):
        socket.inet_ntoa(bad)


@pytest.mark.parametrize("function", ["inet_aton", "inet_ntoa"])
@pytest.mark.parametrize("bad", [None, 1, 1.5, []])
def test_wrong_types_for_inet_functions(function: str, bad: Any) -> None:
    with pytest.raises(TypeError):
        getattr(socket, function)(bad)


def test_text_where_bytes_belong() -> None:
    with pytest.raises(TypeError):
        socket.inet_ntoa("1234")
    with pytest.raises(TypeError):
        socket.inet_ntop(socket.AF_INET, "1234")
    with pytest.raises(TypeError):
        socket.inet_pton(socket.AF_INET, b"1.2.3.4")


def test_a_packed_address_in_pieces() -> None:
    pieces = memoryview(b"1.2.3.4.")[::2]
    for function in (socket.inet_ntoa, lambda packed: socket.inet_ntop(socket.AF_INET, packed)):
        with pytest.raises(BufferError):
            function(pieces)


IPV4 = {"0.0.0.0": "00000000", "255.0.255.255": "ff00ffff", "170.85.170.85": "aa55aa55", "1.2.3.4": "01020304"}
IPV6 = {
    "::": "0" * 32,
    "::1": "0" * 31 + "1",
    "1::6": "0001" + "0" * 24 + "0006",
    "45ef:76cb:1a:56ef:afeb:bac:1924:aeae": "45ef76cb001a56efafeb0bac1924aeae",
    "::ffff:1.2.3.4": "0" * 20 + "ffff01020304",
    "fe80::1": "fe80" + "0" * 27 + "1",
}


@pytest.mark.parametrize(("text", "packed"), IPV4.items())
def test_inet_pton_and_ntop(text: str, packed: str) -> None:
    assert socket.inet_pton(socket.AF_INET, text) == bytes.fromhex(packed)
    assert socket.inet_ntop(socket.AF_INET, bytes.fromhex(packed)) == text
    assert socket.inet_ntop(socket.AF_INET, bytearray.fromhex(packed)) == text


@requires_ipv6
@pytest.mark.parametrize(("text", "packed"), IPV6.items())
def test_inet_pton_and_ntop_of_ipv6(text: str, packed: str) -> None:
    assert socket.inet_pton(socket.AF_INET6, text) == bytes.fromhex(packed)
    assert socket.inet_ntop(socket.AF_INET6, bytes.fromhex(packed)) == text
    assert socket.inet_ntop(socket.AF_INET6, memoryview(bytes.fromhex(packed))) == text


@pytest.mark.parametrize("bad", ["", "0.0.0.", "300.0.0.0", "a.0.0.0", "1.2.3.4.5", "127.1", "::1", "1.2.3.4 "])
def test_inet_pton_refuses(bad: str) -> None:
    with pytest.raises(OSError, match="^illegal IP address string passed to inet_pton$"):
        socket.inet_pton(socket.AF_INET, bad)


@requires_ipv6
@pytest.mark.parametrize(
    "bad", ["", "0:0:0:0:0:0:0", ":", ":::", "1:2:3:4:5:6:7:8:9", "1::2::3", "fe80::1%lo", "12345::", "1.2.3.4"]
)
def test_inet_pton_of_ipv6_refuses(bad: str) -> None:
    with pytest.raises(OSError, match="^illegal IP address string passed to inet_pton$"):
        socket.inet_pton(socket.AF_INET6, bad)


@pytest.mark.parametrize(("family", "lengths"), [("AF_INET", (0, 3, 5, 16)), ("AF_INET6", (0, 4, 15, 17))])
def test_inet_ntop_refuses(family: str, lengths: tuple[int, ...]) -> None:
    for length in lengths:
        with pytest.raises(ValueError, match=r"^invalid length of packed IP address string$"):
            socket.inet_ntop(getattr(socket, family), bytes(length))


def test_inet_functions_of_another_family() -> None:
    with pytest.raises(ValueError, match=r"^unknown address family -?\d+$"):
        socket.inet_ntop(socket.AF_UNIX, b"1234")
    with pytest.raises(OSError) as caught:
        socket.inet_pton(socket.AF_UNIX, "1.2.3.4")
    assert caught.value.errno == errno.EAFNOSUPPORT


@pytest.mark.parametrize("value", [0, 1, 255, 256, 0xFFFF, 0x1234])
def test_short_byte_orders(value: int) -> None:
    expected = int.from_bytes(value.to_bytes(2, "big"), sys.byteorder)
    assert socket.htons(value) == socket.ntohs(value) == expected


@pytest.mark.parametrize("value", [0, 1, 255, 0xFFFFFFFF, 0x12345678])
def test_long_byte_orders(value: int) -> None:
    expected = int.from_bytes(value.to_bytes(4, "big"), sys.byteorder)
    assert socket.htonl(value) == socket.ntohl(value) == expected


def says_as_the_standard_library(function: str, value: int) -> None:
    with pytest.raises((OverflowError, ValueError)) as caught:
        getattr(socket, function)(value)
    if not PYPY:
        with pytest.raises((OverflowError, ValueError)) as expected:
            getattr(stdlib, function)(value)
        assert type(caught.value) is type(expected.value)
        # With 32 bits a long long is no long, and what does not fit there has a text of its own on c.
        assert str(caught.value) == str(expected.value) or (sys.maxsize < 2**32 and abs(value) >= 2**63)


@pytest.mark.parametrize(("function", "limit"), [("htons", 16), ("ntohs", 16), ("htonl", 32), ("ntohl", 32)])
def test_byte_orders_out_of_range(function: str, limit: int) -> None:
    for value in (-1, -(2**31) - 1, 2**limit, 2**40, 2**64, 2**100):
        says_as_the_standard_library(function, value)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the number was cut to 32 bits")
def test_an_index_of_an_interface_out_of_range() -> None:
    for value in (-1, -(2**64), 2**32, 2**64):
        says_as_the_standard_library("if_indextoname", value)


@pytest.mark.parametrize("function", ["htons", "ntohs", "htonl", "ntohl"])
def test_byte_orders_of_wrong_types(function: str) -> None:
    for arguments in [(), ("1",), (1.5,), (None,), (1, 2)]:
        with pytest.raises(TypeError):
            getattr(socket, function)(*arguments)
