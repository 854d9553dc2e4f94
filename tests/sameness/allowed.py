"""The differences that docs/differences.md names, as something that a comparison can ask.

Each has the sentence of that page it stands on (a test looks it up there), and a function that tells whether a
difference is of its kind. They are narrow on purpose: a difference that none of them knows is a fault.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """What two engines told of one step that is not the same."""

    reference: str
    engine: str
    line: str
    #: What is different of it: the outcome, the events, ...
    key: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.line}\n    {self.key}\n    {self.reference}: {self.expected}\n    {self.engine}: {self.found}"


@dataclass(frozen=True)
class Allowed:
    """A kind of difference that is there on purpose."""

    #: The words of docs/differences.md, line breaks being blanks.
    words: str
    applies: Callable[[Difference], bool]
    #: Whether the engines go different ways from then on, so that nothing more can be compared.
    ends: bool = True


def raised(told: Any) -> str:
    """The type of the exception that was raised, '' for none."""
    return str(told[1]) if isinstance(told, list) and told[:1] == ["raised"] else ""


#: What the handler of the alarm raises that ends what takes too long (engine.py).
INTERRUPTED = "__main__.Interrupted"


def text(told: Any) -> str:
    """Its text."""
    return str(told[3]) if raised(told) else ""


def against_stdlib(difference: Difference) -> bool:
    """Whether it is one from the standard library, and not one between backends."""
    return difference.reference == "stdlib"


def _received(difference: Difference) -> bool:
    return (
        difference.key == "received"
        and against_stdlib(difference)
        and difference.found == [[fd, True] for fd, _ in difference.expected]
    )


def _text(difference: Difference) -> bool:
    # The system's own errors have their text from the C library everywhere.
    expected, found = difference.expected, difference.found
    return (
        difference.key == "outcome"
        and against_stdlib(difference)
        and raised(expected) != ""
        and raised(expected) == raised(found)
        and expected[2] is None
        and found[2] is None
        and expected[4:] == found[4:]
    )


def _truncated(difference: Difference) -> bool:
    # (data, address), (data, ancdata, flags, address) or data
    if not ("MSG_TRUNC" in difference.line and difference.key == "outcome" and against_stdlib(difference)):
        return False
    longer, shorter = _data(difference.expected), _data(difference.found)
    return longer is not None and shorter is not None and len(longer) > len(shorter) and longer.startswith(shorter)


def _data(told: Any) -> bytes | None:
    """The bytes of what a receive gave."""
    first = told[0] if isinstance(told, list) and told else None
    if isinstance(first, list) and first[:1] == ["tuple"]:
        first = first[1]
    return first if isinstance(first, bytes) else None


def _flags_of_descriptors(difference: Difference) -> bool:
    return against_stdlib(difference) and re.search(r"socket\.recv_fds\([^)]*MSG_", difference.line) is not None


#: What the kernel says of a call that can never succeed.
_HOPELESS = (
    errno.EINVAL,
    errno.EOPNOTSUPP,
    errno.ENOTCONN,
    errno.EPIPE,
    errno.EDESTADDRREQ,
    errno.EPROTOTYPE,
    errno.EMSGSIZE,
    errno.EBADF,
    errno.ENOTSOCK,
    errno.EFAULT,
    errno.EISCONN,
)


def _at_once(difference: Difference) -> bool:
    # It waits until the timeout, or until the handler of a signal raises or has done what makes the call succeed.
    return (
        against_stdlib(difference)
        and difference.key == "outcome"
        and (raised(difference.expected) in ("builtins.TimeoutError", INTERRUPTED) or "during(" in difference.line)
        and isinstance(difference.found, list)
        and raised(difference.found) != ""
        and difference.found[2] in _HOPELESS
    )


def _option_numbers(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and ".setsockopt(" in difference.line
        and raised(difference.expected) == "builtins.TypeError"
        and raised(difference.found) in ("builtins.OverflowError", "builtins.TypeError")
    )


def _interface(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and "socket.if_nametoindex(" in difference.line
        and raised(difference.expected) == raised(difference.found) == "builtins.OSError"
        and difference.expected[2] is None
    )


def _files(difference: Difference) -> bool:
    # Which call it was that failed shows in the reasons of the exception.
    expected, found = difference.expected, difference.found
    if not (against_stdlib(difference) and ".sendfile(" in difference.line and difference.key == "outcome"):
        return False
    return expected == [0] or (raised(expected) != "" and raised(found) != "" and expected[1:4] == found[1:4])


def _servers(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and "socket.create_server(" in difference.line
        and difference.key == "warnings"
        and [warning[0] for warning in difference.expected] == ["ResourceWarning"]
        and difference.found == []
    )


def _many_buffers(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and ".sendmsg([b'x'] * 1030" in difference.line
        and raised(difference.expected) == "builtins.OSError"
        and difference.expected[2] == errno.EMSGSIZE
    )


def _left_open(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and difference.key == "descriptors"
        and re.search(r"\.dup\(\)|\.accept\(\)|socket\.fromfd\(", difference.line) is not None
        and len(difference.found) < len(difference.expected)
        and all(descriptor in difference.expected for descriptor in difference.found)
    )


def _nothing(difference: Difference) -> bool:
    # Where the standard library waits, it may meet the timeout, or a handler that closes the socket.
    ended = raised(difference.expected) == "builtins.TimeoutError" or (
        "during(" in difference.line and difference.expected[2:3] == [errno.EBADF]
    )
    sending = re.search(r"\.send\w*\(", difference.line) is not None
    return against_stdlib(difference) and sending and ended and raised(difference.found) == ""


def _never_waits(difference: Difference) -> bool:
    # A datagram socket that was shut down has an end for a call that waits, and EAGAIN for one that does not.
    expected, found = difference.expected, difference.found
    return (
        against_stdlib(difference)
        and difference.key == "outcome"
        and (
            (raised(expected) == INTERRUPTED and found == [None])
            or (raised(expected) == INTERRUPTED and found == [""] and ".read" in difference.line)
            or ((raised(expected) == INTERRUPTED or _is_end(expected)) and raised(found) == "builtins.BlockingIOError")
        )
    )


def _is_end(told: Any) -> bool:
    """Whether a receive gave nothing: b"", 0, or a tuple that begins with one of them."""
    first = told[0] if isinstance(told, list) and told else None
    if isinstance(first, list) and first[:1] == ["tuple"]:
        first = first[1]
    return first in (b"", 0) and first is not False


def _raw_address(difference: Difference) -> bool:
    found = difference.found
    if difference.key == "events":
        # Of an address that the standard library does not come to use.
        taken = len(found) == 1 and found[0][0] in ("socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg")
        return against_stdlib(difference) and difference.expected == [] and taken and isinstance(found[0][-1], bytes)
    return (
        against_stdlib(difference)
        and difference.key == "outcome"
        and text(difference.expected).endswith("address must be tuple, not bytes")
        and found[2:3] == [errno.EINVAL]
    )


def _cut_short(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and re.search(r"during\(lambda: \w+\.send(msg)?\(", difference.line) is not None
        and difference.key == "outcome"
        and raised(difference.expected) == ""
    )


def _handlers_run(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and re.search(r"during\(lambda: \w+\.recv", difference.line) is not None
        and difference.key == "outcome"
        and raised(difference.expected) == "builtins.TimeoutError"
        and raised(difference.found) not in ("", "builtins.TimeoutError")
    )


def _port_of_any_size(difference: Difference) -> bool:
    if not (against_stdlib(difference) and "socket.getaddrinfo(" in difference.line):
        return False
    if difference.key == "events":
        # The standard library refuses it before it tells of the call.
        told = len(difference.found) == 1 and difference.found[0][0] == "socket.getaddrinfo"
        return difference.expected == [] and told and abs(difference.found[0][2]) >= 1 << 63
    refused = text(difference.expected) == "Python int too large to convert to C long"
    return refused and raised(difference.found) in ("", "socket.gaierror")


def _any_truth(difference: Difference) -> bool:
    if not (against_stdlib(difference) and ".setblocking(" in difference.line):
        return False
    if difference.key == "descriptors":
        # An object whose `__index__` says 0 is true.
        return "Index(0)" in difference.line and len(difference.expected) == len(difference.found)
    refused = raised(difference.expected) in ("builtins.TypeError", "builtins.OverflowError")
    done = difference.found == [None] or difference.found[2:3] == [errno.EBADF]
    return difference.key == "outcome" and refused and done


def _index_too_large(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and "socket.if_indextoname(" in difference.line
        and text(difference.found) == "index is too large"
    )


def _text_pair(difference: Difference) -> bool:
    return (
        against_stdlib(difference)
        and ".makefile(" in difference.line
        and (difference.expected, difference.found) == ([["TextIOWrapper"]], [["TextPair"]])
    )


ALLOWED = [
    Allowed(
        "Descriptors that arrive by SCM_RIGHTS (`recvmsg`, `recvmsg_into`, `recv_fds`) are close-on-exec",
        _received,
        ends=False,
    ),
    Allowed(
        "All other errors have the same text on each backend; mostly it is the standard library's", _text, ends=False
    ),
    Allowed("`recv(2, MSG_TRUNC)` and its kin give the bytes that came, at most two", _truncated, ends=False),
    Allowed("`recv_fds` of its *flags*", _flags_of_descriptors),
    Allowed("The families that Linux alone has take it beside their form", _raw_address, ends=False),
    Allowed("An error that the kernel tells at once is raised at once", _at_once),
    Allowed("`setsockopt` with an int out of range is an OverflowError", _option_numbers, ends=False),
    Allowed("`if_nametoindex` has the errno", _interface, ends=False),
    Allowed("an `int` port of `getaddrinfo` may be of any size", _port_of_any_size, ends=False),
    Allowed("`if_indextoname` refuses what is no C unsigned int (older ones cut it)", _index_too_large, ends=False),
    # What is read, and the mode, differ from then on.
    Allowed("it is of a subclass of `io.TextIOWrapper` before 3.13", _text_pair),
    Allowed("`setblocking` takes every object for true or false", _any_truth),
    Allowed("`sendfile` sends what the file's `read` gives where the descriptor does not have it", _files),
    Allowed("`create_server` closes its socket whatever is wrong with its arguments", _servers, ends=False),
    Allowed("`dup`, `accept` and `fromfd` close their descriptor when the new object refuses it", _left_open),
    Allowed("A socket whose timeout is 0 never waits in a call that transfers something", _never_waits),
    # poll(2) says that there is no room for more while a part of the buffer is free; sending says that there is.
    Allowed("a call that can be served at once is served even if its timeout is tiny", _nothing),
    Allowed("whose handler returns does not cut it short at once", _cut_short),
    Allowed("on a datagram socket that was shut down runs the handlers of signals while it waits", _handlers_run),
    Allowed("`sendmsg` on a stream takes any number of buffers, in several system calls", _many_buffers),
]
