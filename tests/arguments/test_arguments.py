"""Every argument of every public function and method, beside the standard library's, and alike on all backends."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

import socketpkg
from socketpkg import backends

from .matrix import Outcome, forms, outcomes

ROOT = Path(__file__).parents[2]

#: Where socketpkg differs on purpose: a pattern of the names of calls, and the words of docs/differences.md about it.
_FORMS = "(netlink|packet|vsock|qipcrtr|alg|tipc|can [a-z0-9 ]+|l2cap|rfcomm|hci|no family)"
ON_PURPOSE = (
    (r"socket (that finds out|with a descriptor): 0 -2147483649", "number that no C int holds"),
    (r"(\w+ )+unix: \d (failing )?path|sendmsg: 3 (failing )?path", "path-like"),
    (r".* inet6: \d part 0: scope|getnameinfo( of IPv6)?: 0 part 0: scope", "'%scope'"),
    (rf"[\w ]+ {_FORMS}: \d bytes", "sockaddr as bytes"),
    (r".* packet: \d part 0: surrogate", "interface name"),
    (r".* can (isotp|j1939): .*", "AF_CAN"),
    (r"setsockopt: .*", "setsockopt"),
    (r"setsockopt (of AF_VSOCK|with a length): .*", "setsockopt"),
    (r"recv_fds: .*", "recv_fds"),
    (r"if_nametoindex: .*", "if_nametoindex"),
)
#: Where it does what newer Pythons do: the same, and the first version of Python that has it.
BEFORE = (
    ((3, 12), r"setblocking: .*", "setblocking"),
    ((3, 12), r"getaddrinfo( of None)?: 1 .*|create_connection: 0 part 1: .*", "may be of any size"),
    ((3, 13), r".*: 0 (part 0: )?long with an umlaut", "UnicodeEncodeError"),
    ((3, 13), r"if_indextoname: .*", "if_indextoname"),
)
#: The other way round: what newer ones do is no better.
SINCE = (((3, 14), r"sendmsg.*: .* (negative and \d fails|iter fails|next fails|0 and 1 fail)", "raised while"),)
DIFFERENT = {
    **dict(ON_PURPOSE),
    **{pattern: words for version, pattern, words in SINCE if sys.version_info >= version},
    **{pattern: words for version, pattern, words in BEFORE if sys.version_info < version},
}


def descriptors() -> set[int]:
    found = set()
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            os.fstat(int(name))  # the listing's own is closed by now
            found.add(int(name))
    return found


@pytest.fixture(scope="module")
def ours() -> dict[str, Outcome]:
    before = descriptors()
    found = outcomes(socketpkg)
    assert descriptors() <= before, "descriptors left open"
    return found


def test_there_are_as_many_calls_as_ever(ours: dict[str, Outcome]) -> None:
    """A change that loses most of the matrix must not look like one that passes it."""
    assert len(ours) > 20_000


@pytest.mark.skipif(platform.python_implementation() == "PyPy", reason="PyPy's own module is no measure")
def test_the_standard_library_does_the_same(ours: dict[str, Outcome]) -> None:
    import socket

    different = {}
    used = set()
    before = descriptors()
    expected = outcomes(socket)
    for left in descriptors() - before:
        # CPython's fromfd() leaves the duplicate open when there can be no socket for it.
        os.close(left)
    for name, theirs in expected.items():
        own = ours[name]
        if own[:3] == theirs[:3] and (own.kind == "raises" or own.text == theirs.text):
            continue
        reasons = [pattern for pattern in DIFFERENT if re.fullmatch(pattern, name)]
        used.update(reasons)
        if not reasons:
            different[name] = theirs, own
    shown = "\n".join(f"{name}\n    {theirs}\n    {own}" for name, (theirs, own) in list(different.items())[:50])
    assert not different, f"{len(different)} calls differ:\n{shown}"
    if sys.version_info < (3, 14):
        assert DIFFERENT.keys() - used == set(), "what differed once does no longer"


@pytest.mark.parametrize("number", [2**32, -(2**32), 2**32 + 1, 2**31, -(2**63), 2**63 - 1])
def test_a_number_that_no_int_holds_is_no_descriptor(number: int) -> None:
    """The standard library cuts it, and closes or duplicates what is there."""
    for function in (socketpkg.close, socketpkg.dup):
        with pytest.raises(OSError) as caught:
            function(number)
        assert caught.value.errno == errno.EBADF
    with pytest.raises(ValueError, match="negative file descriptor"):
        socketpkg.socket(fileno=number)


def test_what_differs_is_documented() -> None:
    text = " ".join((ROOT / "docs" / "differences.md").read_text().split())
    for pattern, words in (*ON_PURPOSE, *[entry[1:] for entry in BEFORE + SINCE]):
        assert words in text, f"docs/differences.md says nothing of {pattern}"


def test_the_backends_say_the_same(ours: dict[str, Outcome]) -> None:
    """Also the text of each error."""
    by_form = forms()
    for name, status in backends.available().items():
        if name == socketpkg.__backend__ or name not in ("c", "cffi", "ctypes") or not status.usable:
            continue
        result = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("matrix.py")), "socketpkg"],
            env={**os.environ, "SOCKET_BACKEND": name, "PYTHONSAFEPATH": "1"},
            stdout=subprocess.PIPE,
            check=True,
        )
        others = {call: Outcome(*outcome) for call, outcome in json.loads(result.stdout).items()}
        assert others.keys() == ours.keys()
        different = [
            (call, ours[call], others[call])
            for call in ours
            if (ours[call][:3] != others[call][:3] if call in by_form else ours[call] != others[call])
        ]
        shown = "\n".join(f"{call}\n    {one}\n    {other}" for call, one, other in different[:50])
        assert not different, f"{len(different)} calls differ between {socketpkg.__backend__} and {name}:\n{shown}"
