"""Memory runs out at each allocation of a call, one after another: nothing may crash, and descriptors have an owner.

Where one function has returned the number of a descriptor and the next has not taken it yet, the interpreter may lack
the memory for that very call; then nobody is left to close it. CPython 3.13's own socket lost 19 so in the calls here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .test_faults import BACKENDS

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("_testcapi") is None or sys.implementation.name != "cpython",
    reason="only CPython's _testcapi lets memory run out, and this Python came without it",
)

#: What a program may see. The bridge of ctypes says ArgumentError of an argument that it has no memory to convert; an
#: interpreter without memory for an exception's own parts has said SystemError.
RIGHT = {
    "c": {None, "MemoryError"},
    "cffi": {None, "MemoryError", "SystemError"},
    "ctypes": {None, "MemoryError", "SystemError", "ArgumentError", "TypeError"},
}


#: The calls in which a number goes from one function to the next, and in how many places of each it may be lost.
HANDED_ON = {"accept", "dup", "fromfd", "recv_fds", "socket", "socketpair"}
PLACES = 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_runs_out(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("memory.py")), backend],
        # The program imports what stands beside it.
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}, "SOCKET_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    expected = {"fails": "OSError", "times_out": "BlockingIOError"}
    wrong = [one for one in told if "gone" in one or one["raised"] not in {*RIGHT[backend], expected.get(one["call"])}]
    assert not wrong, wrong
    left = [one for one in told if one["leaked"]]
    assert {one["call"] for one in left} <= HANDED_ON, left
    assert max(Counter(one["call"] for one in left).values(), default=0) <= PLACES, left
    # Each of them did run out of memory, some of them often.
    assert {one["call"] for one in told if one["raised"] == "MemoryError"} >= {"dup", "recvmsg", "socketpair", "accept"}
