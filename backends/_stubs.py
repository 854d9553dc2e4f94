"""Writes the stubs of what is made at run time: the low-level module's names, and the enums of the public one.

    python backends/_stubs.py            writes socketpkg/_socket.pyi and socketpkg/_enums.pyi
    python backends/_stubs.py --check    fails when they are not what it would write

Like ``_build.py`` it is a tool for building and is not installed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "socketpkg"


def enums_of_the_public_module() -> dict[str, tuple[str, str]]:
    """Which of the names become members of which enum: what the public module says, read without running it."""
    for node in ast.parse((SOURCE / "__init__.py").read_text()).body:
        if isinstance(node, ast.Expr) and ast.unparse(node.value).startswith("_make_enums("):
            calls = [ast.unparse(argument).strip("()").split(", ") for argument in node.value.args]  # type: ignore[attr-defined]
            return {ast.literal_eval(enum): (base, ast.literal_eval(prefix)) for base, enum, prefix in calls}
    raise SystemExit("socketpkg/__init__.py makes no enums")


#: The enums: name, base and prefix of the members.
ENUMS = enums_of_the_public_module()
# What the public module replaces of the low-level one. A type checker takes a name that a star import brings for the
# one that is meant, whatever the module makes of it later.
REDEFINED = {"getaddrinfo", "socket", "socketpair"}
NOTE = "# Written by backends/_stubs.py; do not edit.\n"
UNCHECKED = "# pyright: basic, reportGeneralTypeIssues=false, reportIncompatibleVariableOverride=false\n"
WIDTH = 120
ELSEWHERE = 'if sys.platform != "linux":'

HEAD = """
import sys
from collections.abc import Iterable, Sequence
from os import PathLike
from socket import gaierror as gaierror
from socket import herror as herror
from socket import socket as _StdlibSocket
from types import ModuleType
from typing import Any, Final, SupportsIndex, TypeAlias, overload

from _typeshed import ReadableBuffer, WriteableBuffer
from typing_extensions import CapsuleType

from . import backends

# What makes an address depends on the family, and so does what comes back for one, which is Any.
_Address: TypeAlias = tuple[Any, ...] | str | ReadableBuffer
_Host: TypeAlias = str | bytes | bytearray
# What sendmmsg() sends. It gathers lists and tuples; list[ReadableBuffer] would not take a list[bytes].
_Data: TypeAlias = ReadableBuffer | Sequence[ReadableBuffer]
_Items: TypeAlias = Iterable[tuple[int, int, ReadableBuffer]]
_Message: TypeAlias = (
    ReadableBuffer | Sequence[ReadableBuffer] | tuple[_Data, _Address | None] | tuple[_Data, _Address | None, _Items]
)
"""

# The core has one signature where its callers know more, since it must compile: what depends on the count of the
# arguments is here.
OVERLOADS = """
def bind(self, address: _Address, /) -> None: ...
def bind(self, host: _Host, port: SupportsIndex, /) -> None: ...
def connect(self, address: _Address, /) -> None: ...
def connect(self, host: _Host, port: SupportsIndex, /) -> None: ...
def connect_ex(self, address: _Address, /) -> int: ...
def connect_ex(self, host: _Host, port: SupportsIndex, /) -> int: ...
def getservbyname(servicename: str, /) -> int: ...
def getservbyname(servicename: str, protocolname: str, /) -> int: ...
def getservbyport(port: SupportsIndex, /) -> str: ...
def getservbyport(port: SupportsIndex, protocolname: str, /) -> str: ...
def getsockopt(self, level: SupportsIndex, option: SupportsIndex, /) -> int: ...
def getsockopt(self, level: SupportsIndex, option: SupportsIndex, buflen: SupportsIndex, /) -> bytes: ...
def setsockopt(self, level: SupportsIndex, option: SupportsIndex, value: SupportsIndex | ReadableBuffer, /) -> None: ...
def setsockopt(self, level: SupportsIndex, option: SupportsIndex, value: None, optlen: SupportsIndex, /) -> None: ...
def recvmmsg(
    self, count: SupportsIndex, bufsize: SupportsIndex, flags: SupportsIndex = 0, *, ancbufsize: None = None
) -> list[tuple[bytes, Any]]: ...
def recvmmsg(
    self, count: SupportsIndex, bufsize: SupportsIndex, flags: SupportsIndex = 0, *, ancbufsize: SupportsIndex
) -> list[tuple[bytes, list[tuple[int, int, bytes]], int, Any]]: ...
def recvmmsg_into(
    self, buffers: Iterable[WriteableBuffer], flags: SupportsIndex = 0, *, ancbufsize: None = None
) -> list[tuple[int, Any]]: ...
def recvmmsg_into(
    self, buffers: Iterable[WriteableBuffer], flags: SupportsIndex = 0, *, ancbufsize: SupportsIndex
) -> list[tuple[int, list[tuple[int, int, bytes]], int, Any]]: ...
def sendto(self, data: ReadableBuffer, address: _Address, /) -> int: ...
def sendto(self, data: ReadableBuffer, flags: SupportsIndex, address: _Address, /) -> int: ...
"""
# The same for single parameters.
PARAMETERS = {
    ("getnameinfo", "sockaddr"): "tuple[str, int] | tuple[str, int, int] | tuple[str, int, int, int]",
    ("send_segments", "address"): "_Address | None",
    ("sendmmsg", "messages"): "Iterable[_Message]",
    ("sendmsg", "address"): "_Address | None",
    ("setblocking", "flag"): "object",
    ("setdefaulttimeout", "timeout"): "float | SupportsIndex | None",
    ("settimeout", "value"): "float | SupportsIndex | None",
}
# The methods of the core's type that begin with an underscore and are used from outside.
PRIVATE = {"__init__", "__del__", "_accept"}


def constants() -> tuple[list[str], list[str], frozenset[str]]:
    """The names of the integers, those of the strings, and which of all of them Linux does not have."""
    namespace: dict[str, object] = {}
    for file in ("constants.py", "strings.py"):
        exec((SOURCE / "_engine" / file).read_text(), namespace)
    names, strings, elsewhere = namespace["NAMES"], namespace["STRINGS"], namespace["ELSEWHERE"]
    assert isinstance(names, tuple) and isinstance(strings, dict) and isinstance(elsewhere, frozenset)
    # The strings of Hyper-V are there where its address family is.
    return sorted(names), sorted(strings), elsewhere | {name for name in strings if name.startswith("HV_")}


def functions() -> list[str]:
    """The functions that the low-level module takes from the core: its own list, read without running it."""
    for node in ast.parse((SOURCE / "_socket.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_FUNCTIONS":
            return sorted(eval(ast.unparse(node.value)))
    raise SystemExit("socketpkg/_socket.py has no _FUNCTIONS")


def is_member(name: str) -> bool:
    """Whether a name is an enum's member in the public module."""
    return name.startswith(tuple(prefix for _, prefix in ENUMS.values()))


def where_they_are(lines: Iterable[tuple[str, str]], elsewhere: frozenset[str], indent: str = "") -> list[str]:
    """The lines of (name, line), those of the names that Linux lacks behind a condition."""
    common, other = [], []
    for name, line in lines:
        if name in elsewhere:
            other.append(f"{indent}    {line}")
        else:
            common.append(f"{indent}{line}")
    return [*common, *([f"{indent}{ELSEWHERE}", *other] if other else [])]


def export(names: Iterable[str], elsewhere: frozenset[str]) -> list[str]:
    """The definition of ``__all__``."""
    every = set(names)
    # The linter sorts in another way: capitals first.
    unsorted = "" if all(name.isupper() for name in every) else "  # noqa: RUF022"
    return [
        *("__all__ = [" + unsorted, *(f'    "{name}",' for name in sorted(every - elsewhere)), "]"),
        *(ELSEWHERE, "    __all__ += [", *(f'        "{name}",' for name in sorted(every & elsewhere)), "    ]"),
    ]


# -- the low-level module ----------------------------------------------------------------------------------------------


def definition(node: ast.FunctionDef, indent: str = "") -> list[str]:
    """A function, method or property as a stub has it, laid out as the formatter of the project wants it."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    parts = []
    for position, parameter in enumerate(positional):
        value = arguments.defaults[position - first_default] if position >= first_default else None
        parts.append(declaration(node.name, parameter, value))
        if position + 1 == len(arguments.posonlyargs):
            parts.append("/")
    assert arguments.vararg is None and arguments.kwarg is None, f"{node.name}: give it an overload"
    if arguments.kwonlyargs:
        parts.append("*")
        defaults = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        parts += [declaration(node.name, parameter, value) for parameter, value in defaults]
    assert node.returns is not None
    returns = ast.unparse(node.returns).replace("Socket", "socket")
    lines = [f"@{ast.unparse(decorator)}" for decorator in node.decorator_list]
    head, tail = f"def {node.name}(", f") -> {returns}: ..."
    together = ", ".join(parts)
    if len(indent + head + together + tail) <= WIDTH:
        lines.append(head + together + tail)
    elif len(indent + together) + 4 <= WIDTH:
        lines += [head, f"    {together}", tail]
    else:
        lines += [head, *(f"    {part}," for part in parts), tail]
    return [indent + line for line in lines]


def overloaded(node: ast.FunctionDef, indent: str = "") -> list[str]:
    """The definition of a function or method, or those of its overloads."""
    overloads = [o for o in ast.parse(OVERLOADS).body if isinstance(o, ast.FunctionDef) and o.name == node.name]
    if not overloads:
        return definition(node, indent)
    return [line for chosen in overloads for line in (f"{indent}@overload", *definition(chosen, indent))]


def declaration(function: str, parameter: ast.arg, value: ast.expr | None) -> str:
    """A parameter with its type, and its default when that says something to a caller."""
    text = parameter.arg
    annotation = parameter.annotation and ast.unparse(parameter.annotation).replace("os.PathLike", "PathLike")
    annotation = PARAMETERS.get((function, parameter.arg), annotation)
    if annotation is not None:
        text += f": {annotation}"
    if value is None:
        return text
    try:
        ast.literal_eval(value)
    except ValueError:
        return f"{text} = ..."
    return f"{text} = {ast.unparse(value)}"


def low_level() -> str:
    """The stub of socketpkg._socket."""
    integers, strings, elsewhere = constants()
    core = {
        node.name: node
        for node in ast.parse((SOURCE / "_engine" / "_core.py").read_text()).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }
    exported = {"CAPI", "SocketType", "error", "gaierror", "has_ipv6", "herror", "timeout", *functions(), *strings}
    exported.update(name for name in integers if not is_member(name))
    exported -= REDEFINED
    lines = [NOTE.rstrip(), HEAD.rstrip(), ""]
    lines += ["# Without what the public module has in its own way: the members of its enums, for one."]
    lines += [*export(exported, elsewhere), ""]
    # So ours is accepted where the standard library's is asked for. At run time it is of another class.
    lines += ["class socket(_StdlibSocket):"]
    for node in core["Socket"].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__":
            slots = [f'"{name}"' for name in eval(ast.unparse(node.value))]
            line = f"    __slots__ = ({', '.join(slots)})"
            fits = len(line) <= WIDTH
            lines += [line] if fits else ["    __slots__ = (", *(f"        {slot}," for slot in slots), "    )"]
        if isinstance(node, ast.FunctionDef) and (node.name in PRIVATE or not node.name.startswith("_")):
            lines += overloaded(node, "    ")
    lines += ["", "SocketType = socket", "error = OSError", "timeout = TimeoutError", ""]
    for name in functions():
        function = core[name]
        assert isinstance(function, ast.FunctionDef)
        lines += overloaded(function)
    lines += ["", "backend: backends.Backend", "core: ModuleType", "CAPI: CapsuleType", "has_ipv6: bool", ""]
    declared = [(name, f"{name}: Final[str]") for name in strings]
    declared += [(name, f"{name}: Final[int]") for name in integers]
    lines += where_they_are(declared, elsewhere)
    text = "\n".join(lines) + "\n"
    # The enums come with the public class.
    for name in ("family", "type"):
        line = f"    def {name}(self) -> int: ..."
        text = text.replace(line, f"{line}  # type: ignore[override]")
    return text


# -- the enums ---------------------------------------------------------------------------------------------------------


def enums() -> str:
    """The stub of socketpkg._enums, a module that only type checkers see."""
    integers, _, elsewhere = constants()
    # Each derives from the standard library's, so that ours is accepted where that is asked for. No enum can do so at
    # run time, and a checker would say it here.
    lines = [NOTE.rstrip(), "# mypy: ignore-errors", UNCHECKED]
    lines += ["import socket as _stdlib", "import sys", "from typing import Final", ""]
    members: list[tuple[str, str]] = []
    for enum, (_, prefix) in ENUMS.items():
        names = [name for name in integers if name.startswith(prefix)]
        lines.append(f"class {enum}(_stdlib.{enum}):")
        lines += where_they_are([(name, f"{name} = ...") for name in names], elsewhere, "    ")
        lines.append("")
        members += [(name, f"{name}: Final = {enum}.{name}") for name in names]
    lines += where_they_are(members, elsewhere)
    lines += ["", *export((name for name, _ in members), elsewhere)]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Writes or checks the stubs."""
    stale = []
    for path, text in ((SOURCE / "_socket.pyi", low_level()), (SOURCE / "_enums.pyi", enums())):
        if not path.exists() or path.read_text() != text:
            stale.append(path.name)
            if "--check" not in arguments:
                path.write_text(text)
    if stale and "--check" in arguments:
        print(f"stale: {', '.join(stale)}; run python backends/_stubs.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
