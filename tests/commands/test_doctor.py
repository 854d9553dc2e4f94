"""``python -m socketpkg``: the table, the JSON, the exit status."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import socketpkg
from socketpkg import __main__, _config, backends
from socketpkg._commands.doctor import gil_state

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

REPORT_KEYS = {
    "socketpkg": {"version", "path", "vendored_as"},
    "python": {"version", "implementation", "compiler", "gil", "executable"},
    "selection": {"variable", "rule", "backend", "error"},
    "system": {"kernel", "machine", "libc", "features"},
}


def doctor(*arguments: str, backend: str | None = None, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the program as people do; nothing may warn."""
    env = {key: value for key, value in os.environ.items() if key != "SOCKET_BACKEND"}
    if backend is not None:
        env["SOCKET_BACKEND"] = backend
    if path is not None:
        env["PYTHONPATH"] = str(path)
    command = [sys.executable, "-W", "error", "-m", "socketpkg", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def report(*arguments: str, backend: str | None = None, path: Path | None = None) -> tuple[int, Any]:
    """The exit status and the JSON."""
    done = doctor(*arguments, "--json", backend=backend, path=path)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def shadow(folder: Path, package: str, syscalls: str) -> None:
    """A package that stands in front of the installed one."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text("")
    (folder / package / "syscalls.py").write_text(syscalls)


@pytest.mark.parametrize("arguments", [(), ("doctor",)])
def test_json_has_everything(arguments: tuple[str, ...]) -> None:
    status, facts = report(*arguments, backend="ctypes")
    assert status == 0
    assert set(facts) == {*REPORT_KEYS, "backends", "layers", "import_socket"}
    for part, keys in REPORT_KEYS.items():
        assert set(facts[part]) == keys
    assert facts["socketpkg"]["version"] == socketpkg.__version__
    assert facts["socketpkg"]["vendored_as"] is None
    assert facts["python"]["version"] == platform.python_version()
    assert facts["python"]["executable"] == sys.executable
    assert facts["selection"] == {
        "variable": "ctypes",
        "rule": "SOCKET_BACKEND=ctypes",
        "backend": "ctypes",
        "error": None,
    }


def test_json_tells_what_available_tells() -> None:
    _, facts = report()
    expected = {name: (status.usable, status.reason) for name, status in backends.available().items()}
    assert {b["name"]: (b["usable"], b["reason"]) for b in facts["backends"]} == expected
    for backend in facts["backends"]:
        if backend["usable"]:
            loaded = backends.load(backend["name"])
            assert backend["package"] == loaded.package
            assert backend["features"] == sorted(loaded.features)
            assert backend["describe"] == loaded.syscalls.describe()
    assert facts["selection"]["rule"].startswith("first usable of ")
    assert facts["selection"]["variable"] is None


def test_the_kernel_is_asked() -> None:
    _, facts = report()
    features = {f["name"]: f for f in facts["system"]["features"]}
    assert {"IPv6 loopback", "UNIX sockets", "UDP_SEGMENT", "SO_ZEROCOPY", "MPTCP", "AF_VSOCK", "AF_ALG"} <= set(
        features
    )
    assert features["UNIX sockets"]["available"]
    for feature in features.values():
        assert feature["available"] is (feature["reason"] == "")


def test_the_table_says_the_same() -> None:
    _, facts = report(backend="ctypes")
    done = doctor(backend="ctypes")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"socketpkg {facts['socketpkg']['version']} in {facts['socketpkg']['path']}"
    known = [facts["python"][key] for key in ("version", "implementation", "compiler") if facts["python"][key]]
    assert lines[1] == f"Python {', '.join([*known, 'GIL ' + facts['python']['gil']])}"
    assert "chosen: ctypes, by SOCKET_BACKEND=ctypes" in lines
    for backend in facts["backends"]:
        mark = "*" if backend["name"] == "ctypes" else " "
        (line,) = (line for line in lines if line.startswith(f"{mark}  {backend['name']} "))
        assert ("usable" if backend["usable"] else f"no      {backend['reason']}") in line
    for feature in facts["system"]["features"]:
        (line,) = (line for line in lines if line.startswith(f"   {feature['name']}  "))
        words = line.removeprefix(f"   {feature['name']}").split(maxsplit=1)
        assert words == (["yes"] if feature["available"] else ["no", feature["reason"]])
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("backend", ["nonsense", "cffi", "c"])
def test_a_named_backend_that_cannot_be_used(tmp_path: Path, backend: str) -> None:
    for name in ("c", "cffi"):
        shadow(tmp_path, f"socketpkg_{name}", "raise RuntimeError('the moon is full')")
    status, facts = report(backend=backend, path=tmp_path)
    assert status == 1
    assert facts["selection"]["backend"] is None
    assert facts["selection"]["rule"] == f"SOCKET_BACKEND={backend}"
    assert facts["selection"]["error"].startswith(f"socketpkg cannot use the backend {backend!r}")
    done = doctor(backend=backend, path=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    assert f"chosen: none, by SOCKET_BACKEND={backend}" in done.stdout
    assert facts["selection"]["error"] in done.stdout
    assert "the moon is full" in done.stdout


def test_none_can_be_used(tmp_path: Path) -> None:
    for name in ("c", "cffi", "ctypes"):
        shadow(tmp_path, f"socketpkg_{name}", "from .nothing import x")
    status, facts = report(path=tmp_path)
    assert status == 1
    assert facts["selection"]["error"].startswith("socketpkg has no backend that can be used here")
    assert not any(backend["usable"] for backend in facts["backends"])
    # The kernel is still asked, with the standard library's numbers.
    assert {f["name"]: f["available"] for f in facts["system"]["features"]}["UNIX sockets"]


def test_a_describe_that_fails_hides_nothing(tmp_path: Path) -> None:
    text = (
        "from socketpkg_ctypes.syscalls import Syscalls as Base\nclass Syscalls(Base):\n    def describe(self): 1 / 0"
    )
    shadow(tmp_path, "socketpkg_cffi", text)
    status, facts = report(backend="ctypes", path=tmp_path)
    assert status == 0
    (cffi,) = (b for b in facts["backends"] if b["name"] == "cffi")
    assert cffi["usable"]
    assert cffi["describe"] == {"error": "ZeroDivisionError: division by zero"}


def test_the_reader_may_go(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "socketpkg"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process, process.stderr:
        assert process.stderr.read() == ""


def test_help_and_version() -> None:
    done = doctor("--help")
    assert done.returncode == 0
    for name in _config.COMMANDS:
        assert name in done.stdout
    assert doctor("--version").stdout == f"socketpkg {socketpkg.__version__}\n"
    assert doctor("doctor", "--help").returncode == 0


@pytest.mark.parametrize("arguments", [("nonsense",), ("--nonsense",), ("doctor", "nonsense")])
def test_wrong_arguments(arguments: tuple[str, ...]) -> None:
    done = doctor(*arguments)
    assert done.returncode == 2
    assert "usage: " in done.stderr


def test_the_import_itself_still_fails() -> None:
    """Only the program forgives a backend that cannot be used."""
    env = {**os.environ, "SOCKET_BACKEND": "nonsense"}
    command = [sys.executable, "-c", "import socketpkg", "-m", "socketpkg"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "ImportError: socketpkg cannot use the backend 'nonsense'" in done.stderr


def test_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["selection"]["backend"] == backends.selected()
    assert facts["python"]["gil"] == gil_state()
