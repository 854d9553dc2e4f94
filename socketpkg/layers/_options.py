"""Options of layers: one syntax for all, and one way to say what is wrong with them.

``key=value`` pairs, separated by blanks or commas; a flag may stand alone (``summary``), and a value that holds a blank
or a comma is quoted as in a shell. ``@path`` reads more of them from a file, where ``#`` begins a comment.
"""

from __future__ import annotations

import os
import shlex

from ..backends import LayerError as LayerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

#: How deep files of options may name each other.
_NESTING = 8

_SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_YES = ("1", "yes", "true", "on")
_NO = ("0", "no", "false", "off")


class Option:
    """An option of a layer: how its text is read, and what it is when nothing is said."""

    __slots__ = ("default", "expected", "help", "many", "read")

    def __init__(
        self, read: Callable[[str], Any], default: Any, expected: str, help: str, *, many: bool = False
    ) -> None:
        #: Makes the value of the text; ValueError when it cannot.
        self.read: Callable[[str], Any] = read
        self.default: Any = default
        #: What a right value looks like, for the error.
        self.expected: str = expected
        #: What it is for, in a line.
        self.help: str = help
        #: Whether it may be given more than once; its value then is a list.
        self.many: bool = many


def flag(help: str) -> Option:
    """An option that is on or off; it is on when it stands alone."""
    return Option(_read_flag, False, "yes or no", help)


def text(default: str, help: str) -> Option:
    """An option that is any text."""
    return Option(str, default, "some text", help)


def path(help: str) -> Option:
    """An option that names a file."""
    return Option(_read_path, "", "the path of a file", help)


def number(default: float, help: str, lowest: float = 0.0, highest: float = float("inf")) -> Option:
    """An option that is a number from *lowest* to *highest*."""
    expected = f"a number from {lowest:g}" + ("" if highest == float("inf") else f" to {highest:g}")

    def read(word: str) -> float:
        value = float(word)
        if not lowest <= value <= highest:
            raise ValueError(word)
        return value

    return Option(read, default, expected, help)


def integer(default: int, help: str) -> Option:
    """An option that is a whole number."""
    return Option(int, default, "a whole number", help)


def size(default: int, help: str) -> Option:
    """An option that is a number of bytes; k, m and g stand for the powers of 1024."""
    return Option(_read_size, default, "a number of bytes, such as 100, 64k or 1m", help)


def choice(values: tuple[str, ...], help: str) -> Option:
    """An option that is one of *values*; the first is the default."""

    def read(word: str) -> str:
        if word not in values:
            raise ValueError(word)
        return word

    return Option(read, values[0], f"one of {', '.join(values)}", help)


def _read_flag(word: str) -> bool:
    lowered = word.lower()
    if lowered in _YES:
        return True
    if lowered in _NO:
        return False
    raise ValueError(word)


def _read_path(word: str) -> str:
    if not word or "\0" in word:
        raise ValueError(word)
    return word


def _read_size(word: str) -> int:
    lowered = word.lower().removesuffix("b")
    unit = lowered[-1:] if lowered[-1:] in "kmg" else ""
    return int(lowered.removesuffix(unit)) * _SIZES[unit] if lowered.isascii() and lowered[:1].isdigit() else int("?")


def pairs(source: str, where: str, depth: int = 0) -> list[tuple[str, str | None]]:
    """The pairs of key and text that *source* holds, in their order; the text is None for a key that stands alone.

    *where* says in errors what is being read. LayerError for a file or a quotation that cannot be read.
    """
    lexer = shlex.shlex(source, posix=True, punctuation_chars=False)
    lexer.whitespace = " \t\r\n,"
    lexer.whitespace_split = True
    lexer.commenters = "#" if depth else ""
    found: list[tuple[str, str | None]] = []
    try:
        words = list(lexer)
    except ValueError as error:
        raise LayerError(f"{where}: {str(error).lower()}") from None
    for word in words:
        if word.startswith("@"):
            found += _pairs_of_file(word[1:], where, depth)
        else:
            key, equals, value = word.partition("=")
            found.append((key, value if equals else None))
    return found


def _pairs_of_file(name: str, where: str, depth: int) -> list[tuple[str, str | None]]:
    if depth >= _NESTING:
        raise LayerError(f"{where}: the files of options name each other without end, at {name!r}")
    try:
        with open(os.path.expanduser(name), encoding="utf-8") as file:
            content = file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LayerError(f"{where}: cannot read the options in {name!r}: {reason}") from error
    return pairs(content, f"{where}, file {name!r}", depth + 1)


def read(found: Iterable[tuple[str, Any]], table: Mapping[str, Option], where: str, typed: str = "") -> dict[str, Any]:
    """The values of the options in *found* by *table*, those that are not given left out.

    LayerError for a key or a value that is wrong; it lists the right ones, and calls the option what was *typed* for
    it, if that is another word.
    """
    result: dict[str, Any] = {}
    for given, word in found:
        key = given.replace("-", "_")
        option = table.get(key)
        if option is None:
            known = f"its options are: {', '.join(sorted(table))}" if table else "it has none"
            raise LayerError(f"{where}: there is no option {given!r}; {known}")
        if word is None:
            if option.read is not _read_flag:
                raise LayerError(f"{where}: the option {typed or given!r} needs a value: {option.expected}")
            word = "yes"
        elif isinstance(word, bool):
            word = "yes" if word else "no"
        try:
            value = option.read(str(word))
        except LayerError:
            raise
        except (ValueError, OverflowError) as error:
            detail = str(error) if getattr(error, "explains", False) else f"it is {option.expected}"
            raise LayerError(f"{where}: the option {typed or given!r} cannot be {str(word)!r}: {detail}") from None
        if option.many:
            result.setdefault(key, []).append(value)
        else:
            result[key] = value
    return result
