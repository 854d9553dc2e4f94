"""Every system call of a backend fails with every errno that its man page names: what does a program see?

The right exception, no descriptor that stays behind and none that is gone, no byte lost. `child.py` makes the calls
fail, by a library (`shim.c`) that is loaded before the C library; here is what is right. The standard library does the
same scenes, as the control and as the judge of what the rules here do not know.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
BACKENDS = ["c", "cffi", "ctypes"] if sys.implementation.name == "cpython" else ["cffi", "ctypes"]
#: The backend below the layer sim, where the session of that layer runs this.
SIMULATED = os.environ.get("SOCKETPKG_SIMULATED", "")
if SIMULATED:
    BACKENDS = [f"sim+{SIMULATED}"]
Record = dict[str, Any]
#: What tells one case from another.
CASE = ("scene", "timeout", "call", "errno", "when")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is loaded so on Linux")

#: Calls that are made again when a signal has interrupted them (PEP 475).
RESTARTED = {"accept", "poll", "recv", "recvmmsg", "recvmsg", "send", "sendmmsg", "sendmsg"}


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes system calls fail."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a C compiler has to build the shim"
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", str(library), str(HERE / "shim.c"), "-ldl"], check=True)
    return library


def played(shim: Path, engine: str, cases: list[Record] | None = None) -> list[Record]:
    """What the child tells of an engine, of all cases or of some."""
    environment = {**os.environ, "SOCKET_BACKEND": "" if engine == "stdlib" else engine}
    # What a sanitizer has to be loaded before, it is loaded before this too.
    environment["LD_PRELOAD"] = " ".join([*os.environ.get("LD_PRELOAD", "").split(), str(shim)])
    command = [sys.executable, str(HERE / "child.py"), engine]
    if cases is not None:
        command.append(json.dumps([{name: case[name] for name in CASE} for case in cases]))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    records: list[Record] = json.loads(done.stdout)
    return records


def key(record: Record) -> tuple[Any, ...]:
    """What was done."""
    return tuple(record[name] for name in CASE)


@pytest.fixture(scope="module")
def control(shim: Path) -> dict[tuple[Any, ...], Record]:
    """What the standard library does."""
    return {key(record): record for record in played(shim, "stdlib")}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of a backend."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def records(backend: str, shim: Path) -> list[Record]:
    """What a backend does."""
    return played(shim, backend)


def _show(records: list[Record]) -> str:
    return "\n".join(str(record) for record in records[:20])


def test_each_scene_works_when_nothing_fails(records: list[Record], control: dict[tuple[Any, ...], Record]) -> None:
    for record in records:
        if not record["call"]:
            reference = control.get(key(record))
            if room_varies(record):
                assert record["raised"] in (NOTHING, BLOCKING), record
                continue
            assert record["raised"] == (reference["raised"] if reference else None), record


def test_no_descriptor_stays_behind_and_none_is_gone(records: list[Record]) -> None:
    wrong = [record for record in records if record["leaked"] or record["gone"]]
    assert not wrong, _show(wrong)


def test_no_byte_is_lost_and_none_is_made_up(records: list[Record]) -> None:
    wrong = [record for record in records if record["wrong"]]
    assert not wrong, _show(wrong)


@pytest.mark.skipif(bool(SIMULATED), reason="sim makes other calls than the program's")
def test_what_fails_is_told(
    records: list[Record], control: dict[tuple[Any, ...], Record], backend: str, shim: Path
) -> None:
    wrong = [record for record in records if record["call"] and not right(record, control.get(key(record)))]
    for _ in range(2):
        if wrong:
            # A machine under load lets an alarm ring before a timeout is over.
            again = played(shim, backend, wrong)
            wrong = [record for record in again if not right(record, control.get(key(record)))]
    assert not wrong, _show(wrong)


def test_there_is_no_scene_that_makes_no_call(records: list[Record]) -> None:
    # 44 scenes, and more than 3,000 faults: an empty list would pass the other tests.
    assert len({record["scene"] for record in records}) > 50
    assert len(records) > 3000
    called = {record["call"] for record in records}
    assert called >= {
        "accept",
        "connect",
        "recv",
        "recvmsg",
        "recvmmsg",
        "send",
        "sendmsg",
        "sendmmsg",
        "poll",
        "close",
    }


def room_varies(record: Record) -> bool:
    """Whether there may be no room for all of it: that is a matter of how much the reader takes meanwhile."""
    return record["scene"] == "sendall_in_rounds" and record["timeout"] == 0


def right(record: Record, reference: Record | None) -> bool:
    """Whether a program was told what it has to be told."""
    raised = record["raised"]
    code = record["errno"]
    if raised == BLOCKING and room_varies(record):
        return True
    if raised and raised[1] == ("ENOTSUP" if code == "EOPNOTSUPP" else code):
        return True
    if record["result"] == code:  # of connect_ex
        return True
    expected = by_rule(record)
    if expected is not None and raised in expected:
        return True
    return reference is not None and raised == reference["raised"]


NOTHING = None
OF_THE_ALARM = ["Interrupted", None]
TIMED_OUT = ["TimeoutError", None]
BLOCKING = ["BlockingIOError", "EAGAIN"]


def by_rule(record: Record) -> list[list[Any] | None] | None:
    """What may be raised where it is not the errno itself."""
    scene, call, code, when = record["scene"], record["call"], record["errno"], record["when"]
    if scene == "accept_many" and (call in ("poll", "fcntl", "close") or when == "second"):
        # What has come is given, and the error is the next call's. The first connection is waited for by poll.
        return [NOTHING, TIMED_OUT] if call == "poll" and code == "EINTR" else [NOTHING]
    if scene == "relay" and (call in ("fcntl", "close") or (call == "shutdown" and code == "ENOTCONN")):
        # The pipes have the room that they have, and what close(2) says of them is no matter.
        return [NOTHING, OF_THE_ALARM]
    if scene == "relay" and code in ("EAGAIN", "EALREADY"):
        # It goes on when there is something to do: what always fails so ends with the alarm.
        return [OF_THE_ALARM if when == "every" else NOTHING]
    if scene == "close_and_wake":
        # A connection that cannot be shut down is closed all the same.
        return [NOTHING]
    if call in RESTARTED and code == "EINTR":
        # What always is interrupted ends with what the handler of a signal raises.
        return [OF_THE_ALARM] if when == "every" else [NOTHING]
    if call in RESTARTED and code == "EAGAIN":
        if when != "every":
            # A socket that waits has waited and tried again: the first try of a call is one that cannot wait.
            return [NOTHING] if record["timeout"] != 0 else [BLOCKING]
        return [TIMED_OUT] if record["timeout"] else [BLOCKING]
    if scene == "send_segments" and call == "sendmsg" and code in ("EINVAL", "EMSGSIZE", "EIO"):
        # The kernel cannot cut: they are sent one by one.
        return [NOTHING]
    if scene in ("create_server_dualstack", "has_dualstack") and call in ("getsockopt", "socket", "setsockopt"):
        # "Not supported", whatever the reason.
        return [["ValueError", None]] if scene == "create_server_dualstack" else [NOTHING]
    return None
