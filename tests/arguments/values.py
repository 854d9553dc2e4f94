"""The values of each kind of argument, right, odd and wrong ones; each is made anew for each call."""

from __future__ import annotations

import array
import enum
import io
import mmap
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

#: Makes a value: (module) -> value.
Make = Callable[[Any], Any]


class Tagged(Exception):
    """What a failing value raises: its argument says which of them it was."""


class IntSubclass(int):
    pass


class StrSubclass(str):
    pass


class Loud(str):
    """A str that shows as another one, as those of some frameworks do."""

    def __str__(self) -> str:
        return "not the text"


class StrMember(enum.StrEnum):
    LOOPBACK = "127.0.0.1"
    LOOPBACK6 = "::1"
    TCP = "tcp"
    HTTP = "http"
    LO = "lo"


class BytesSubclass(bytes):
    pass


class BytearraySubclass(bytearray):
    pass


class TupleSubclass(tuple[Any, ...]):
    pass


class ListSubclass(list[Any]):
    pass


class Index:
    """A number only by its __index__."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def __index__(self) -> Any:
        return self.number


class Int:
    """A number by __int__ and __float__, which are not enough."""

    def __int__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0


class FailingIndex:
    def __init__(self, tag: Any = "index") -> None:
        self.tag = tag

    def __index__(self) -> int:
        raise Tagged(self.tag)


class FailingBool:
    def __bool__(self) -> bool:
        raise Tagged("bool")


class Buffer:
    """A buffer by its __buffer__ (Python 3.12)."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.content)


class FailingBuffer:
    def __init__(self, tag: Any = "buffer") -> None:
        self.tag = tag

    def __buffer__(self, flags: int) -> memoryview:
        raise Tagged(self.tag)


class FailingIterable:
    def __init__(self, tag: Any = "iter") -> None:
        self.tag = tag

    def __iter__(self) -> Iterator[Any]:
        raise Tagged(self.tag)


class FailingAfterOne:
    def __init__(self, first: Any) -> None:
        self.first = first

    def __iter__(self) -> Iterator[Any]:
        yield self.first
        raise Tagged("next")


class FailingPath:
    def __fspath__(self) -> str:
        raise Tagged("fspath")


def released(data: Any) -> memoryview:
    view = memoryview(data)
    view.release()
    return view


def mapped(content: bytes) -> mmap.mmap:
    pages = mmap.mmap(-1, max(len(content), 1))
    pages[: len(content)] = content
    return pages


# -- values by kind: name -> maker -------------------------------------------------------------------------------------

EDGES = (
    *(0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32 - 1, 2**32, -(2**32)),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 2**100, -(2**100)),
)

NO_NUMBERS: dict[str, Make] = {
    "None": lambda S: None,
    "float": lambda S: 1.0,
    "nan": lambda S: float("nan"),
    "complex": lambda S: 1j,
    "str": lambda S: "1",
    "bytes": lambda S: b"1",
    "list": lambda S: [1],
    "tuple": lambda S: (1,),
    "object": lambda S: object(),
    "type": lambda S: int,
    "__int__": lambda S: Int(),
    "index fails": lambda S: FailingIndex(),
    "index gives str": lambda S: Index("1"),
    "index gives None": lambda S: Index(None),
}


def numbers(right: Make, without: tuple[int, ...] = ()) -> dict[str, Make]:
    """Values for a number. *without* are edges that would do harm, or take too long."""
    values = {str(edge): lambda S, edge=edge: edge for edge in EDGES if edge not in without}
    if 0 not in without and 1 not in without:
        values |= {"True": lambda S: True, "False": lambda S: False}
    values |= {
        "int subclass": lambda S: IntSubclass(right(S)),
        "__index__": lambda S: Index(int(right(S))),
        "__index__ of 2**31": lambda S: Index(2**31),
        "__index__ of 2**100": lambda S: Index(2**100),
        "int subclass of 2**63": lambda S: IntSubclass(2**63),
        "bool by index": lambda S: Index(IntSubclass(int(right(S)))),
    }
    return values | NO_NUMBERS


def readable(content: bytes) -> dict[str, Make]:
    """Values for a buffer that is only read."""
    even = content if len(content) % 4 == 0 else content.ljust(len(content) + -len(content) % 4, b"\0")
    values: dict[str, Make] = {
        "bytes": lambda S: content,
        "empty": lambda S: b"",
        "bytes subclass": lambda S: BytesSubclass(content),
        "bytearray": lambda S: bytearray(content),
        "empty bytearray": lambda S: bytearray(),
        "bytearray subclass": lambda S: BytearraySubclass(content),
        "memoryview": lambda S: memoryview(content),
        "writable memoryview": lambda S: memoryview(bytearray(content)),
        "empty memoryview": lambda S: memoryview(b""),
        "array": lambda S: array.array("B", content),
        "array of ints": lambda S: array.array("i", even),
        "cast": lambda S: memoryview(even).cast("i"),
        "two dimensions": lambda S: memoryview(even).cast("B", (len(even) // 2, 2)),
        "no dimension": lambda S: memoryview(b"1").cast("B", ()),
        "mmap": lambda S: mapped(content),
        "in pieces": lambda S: memoryview(content + content)[::2],
        "in pieces, writable": lambda S: memoryview(bytearray(content + content))[::2],
        "backwards": lambda S: memoryview(content)[::-1],
        "one in pieces": lambda S: memoryview(b"12")[::2],
        "released": lambda S: released(content),
        "__buffer__": lambda S: Buffer(content),
        "__buffer__ in pieces": lambda S: Buffer(memoryview(content + content)[::2]),
        "__buffer__ fails": lambda S: FailingBuffer(),
        "None": lambda S: None,
        "str": lambda S: "text",
        "str subclass": lambda S: StrSubclass("text"),
        "int": lambda S: 3,
        "float": lambda S: 1.0,
        "list": lambda S: [1, 2],
        "tuple": lambda S: (1, 2),
        "object": lambda S: object(),
        "BytesIO": lambda S: io.BytesIO(content),
        "type": lambda S: bytes,
    }
    return values


def writable(size: int) -> dict[str, Make]:
    """Values for a buffer that is written to."""
    return readable(bytes(size)) | {"read-only __buffer__": lambda S: Buffer(bytes(size))}


def texts(right: str, loud: bool = True) -> dict[str, Make]:
    """Values for a text, which is mostly a name of something."""
    values: dict[str, Make] = {
        "str": lambda S: right,
        "str subclass": lambda S: StrSubclass(right),
        "empty": lambda S: "",
        "empty bytes": lambda S: b"",
        "bytes": lambda S: right.encode(),
        "bytes subclass": lambda S: BytesSubclass(right.encode()),
        "bytearray": lambda S: bytearray(right.encode()),
        "memoryview": lambda S: memoryview(right.encode()),
        "str with a NUL": lambda S: right + "\0x",
        "bytes with a NUL": lambda S: right.encode() + b"\0x",
        "bytearray with a NUL": lambda S: bytearray(right.encode() + b"\0x"),
        "surrogate": lambda S: "\udcff",
        "lone surrogate": lambda S: "\ud800",
        "path": lambda S: pathlib.PurePosixPath(right or "x"),
        "failing path": lambda S: FailingPath(),
        "None": lambda S: None,
        "int": lambda S: 7,
        "bool": lambda S: True,
        "float": lambda S: 1.5,
        "list": lambda S: [right],
        "tuple": lambda S: (right,),
        "object": lambda S: object(),
        "__index__": lambda S: Index(1),
        "__buffer__": lambda S: Buffer(right.encode()),
    }
    if loud:
        values["str that shows as another"] = lambda S: Loud(right)
    for member in StrMember:
        if member.value == right:
            values["StrEnum"] = lambda S, member=member: member
    return values


def hosts(right: str) -> dict[str, Make]:
    """Values for a host. Those that are no numbers are refused before anybody is asked for them."""
    return texts(right) | {
        "empty label": lambda S: "a..b",
        "dot": lambda S: ".",
        "leading dot": lambda S: ".x",
        "long label": lambda S: "a" * 64 + ".x",
        "long": lambda S: "x" * 300,
        "long with an umlaut": lambda S: "a" * 70 + "\u00e9",
        "full stop of another script": lambda S: "a\u3002\u3002b",
        "with blanks": lambda S: "127.0.0.1 x",
        "latin-1 bytes": lambda S: b"\xe9..",
        "broadcast": lambda S: "<broadcast>",
        "short form": lambda S: "127.1",
        "scope": lambda S: "fe80::1%lo",
        "scope that there is not": lambda S: "fe80::1%nosuchif",
        "empty scope": lambda S: "fe80::1%",
    }


def iterables(*right: Make, wrong: Make) -> dict[str, Make]:
    """Values for an iterable of what *right* makes."""

    def items(S: Any) -> list[Any]:
        return [make(S) for make in right]

    return {
        "list": items,
        "empty": lambda S: [],
        "tuple": lambda S: tuple(items(S)),
        "tuple subclass": lambda S: TupleSubclass(items(S)),
        "list subclass": lambda S: ListSubclass(items(S)),
        "generator": lambda S: (item for item in items(S)),
        "iterator": lambda S: iter(items(S)),
        "dict": lambda S: dict.fromkeys(range(2)),
        "wrong item": lambda S: [*items(S), wrong(S)],
        "wrong item first": lambda S: [wrong(S), *items(S)],
        "None in it": lambda S: [None],
        "int in it": lambda S: [5],
        "str in it": lambda S: ["x"],
        "None": lambda S: None,
        "int": lambda S: 5,
        "bytes": lambda S: b"xy",
        "str": lambda S: "xy",
        "bytearray": lambda S: bytearray(4),
        "memoryview": lambda S: memoryview(bytearray(4)),
        "object": lambda S: object(),
        "type": lambda S: list,
        "iter fails": lambda S: FailingIterable(),
        "next fails": lambda S: FailingAfterOne(items(S)[0]),
    }


ANYTHING: dict[str, Make] = {
    **NO_NUMBERS,
    "0": lambda S: 0,
    "1": lambda S: 1,
    "True": lambda S: True,
    "False": lambda S: False,
    "-1": lambda S: -1,
    "bool fails": lambda S: FailingBool(),
    "2**100": lambda S: 2**100,
    "-2**63": lambda S: -(2**63),
    "1e300": lambda S: 1e300,
    "1e-300": lambda S: 1e-300,
    "inf": lambda S: float("inf"),
    "-inf": lambda S: float("-inf"),
    "-0.0": lambda S: -0.0,
    "0.0": lambda S: 0.0,
    "-1e-10": lambda S: -1e-10,
    "int subclass": lambda S: IntSubclass(2),
    "Index": lambda S: Index(2),
    "2**32": lambda S: 2**32,
    "9223372037": lambda S: 9223372037,
}


def modes() -> dict[str, Make]:
    return texts("r") | {
        mode: lambda S, mode=mode: mode for mode in ("rb", "wb", "rwb", "w", "a", "r+", "br", "b", "rr")
    }


class Value(NamedTuple):
    """One argument of a call: what makes the right value, what it is tried with, what makes one that fails."""

    right: Make
    values: dict[str, Make]
    failing: Callable[[Any, int], Any] | None = None
    name: str | None = None


def number(right: int | Make, *, name: str | None = None, without: tuple[int, ...] = ()) -> Value:
    make: Make = right if callable(right) else lambda S: right
    return Value(make, numbers(make, without), lambda S, tag: FailingIndex(tag), name)


def data(content: bytes, *, name: str | None = None) -> Value:
    return Value(lambda S: content, readable(content), lambda S, tag: FailingBuffer(tag), name)


def room(size: int, *, name: str | None = None) -> Value:
    return Value(lambda S: bytearray(size), writable(size), lambda S, tag: FailingBuffer(tag), name)


def text(right: str, *, name: str | None = None, loud: bool = True) -> Value:
    return Value(lambda S: right, texts(right, loud), None, name)


def host(right: str, *, name: str | None = None) -> Value:
    return Value(lambda S: right, hosts(right), None, name)


def anything(right: Any, *, name: str | None = None) -> Value:
    return Value(lambda S: right, ANYTHING, None, name)


def items(*right: Make, wrong: Make, name: str | None = None) -> Value:
    return Value(
        lambda S: [make(S) for make in right], iterables(*right, wrong=wrong), lambda S, tag: FailingIterable(tag), name
    )
