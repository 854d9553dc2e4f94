"""Programs that are packed: frozen by PyInstaller, in a zip file of the standard library's zipapp, in one of shiv's.

`nox -s frozen` installs what packs them, and then none may be missing. Without it what is not installed is skipped.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

import socketpkg
from socketpkg import backends

pytestmark = [pytest.mark.slow]

ROOT = Path(socketpkg.__file__).parent.parent
USABLE = [name for name, status in backends.available().items() if status.usable]
PROGRAM = """
import socketpkg as socket
import sys
one, two = socket.socketpair()
one.sendall(b"x")
print(socket.__backend__, two.recv(1), socket.getaddrinfo("127.0.0.1", 1)[0][4])
one.close(), two.close()
for status in socket.backends.available().values():
    print(status.name, status.usable, status.reason)
"""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("SOCKET_BACKEND", "PYTHONPATH")}


def needs(module: str) -> None:
    """Skips, unless the session requires everything."""
    if importlib.util.find_spec(module) is None:
        assert not os.environ.get("SOCKETPKG_REQUIRE_FREEZERS"), f"{module} is required here"
        pytest.skip(f"{module} is not installed")


def ran(*command: object, backend: str = "") -> list[str]:
    """The lines that a packed program prints."""
    done = subprocess.run(
        [*map(str, command)],
        env={**ENVIRONMENT, "SOCKET_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def test_pyinstaller_without_options(tmp_path: Path) -> None:
    needs("PyInstaller")
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "PyInstaller", "-y", "--log-level", "ERROR", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    program = tmp_path / "dist" / "program" / "program"
    for backend in ["", *USABLE]:
        lines = ran(program, backend=backend)
        assert lines[0] == f"{backend or USABLE[0]} b'x' ('127.0.0.1', 1)"
        assert [line.split()[1] for line in lines[1:]] == ["True"] * len(USABLE)


def test_what_a_freezer_left_out_is_not_called_not_built(tmp_path: Path) -> None:
    needs("PyInstaller")
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "PyInstaller", "-y", "--log-level", "ERROR"]
    command += ["--exclude-module", f"socketpkg_{USABLE[0]}.syscalls", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    lines = ran(tmp_path / "dist" / "program" / "program")
    assert lines[0].startswith(USABLE[1])
    (line,) = [line for line in lines[1:] if line.startswith(f"{USABLE[0]} ")]
    assert line.startswith(f"{USABLE[0]} False not in this frozen program: ")
    assert "not built" not in line


def packages(folder: Path) -> None:
    """Copies what is installed of socketpkg."""
    for name in ("socketpkg", "socketpkg_ffi", *backends.BUILT_IN.values()):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


def test_zipapp(tmp_path: Path) -> None:
    """A zip file holds no compiled modules, and what was built is not called not built."""
    packages(tmp_path / "app")
    (tmp_path / "app" / "__main__.py").write_text(PROGRAM)
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz")
    lines = ran(sys.executable, "-I", tmp_path / "app.pyz")
    assert lines[0].startswith("ctypes ")
    for name in USABLE:
        if name != "ctypes":
            (line,) = [line for line in lines[1:] if line.startswith(f"{name} ")]
            assert line.startswith(f"{name} False not here, though it was built when socketpkg was installed: ")


def whole(site: Path) -> None:
    """Makes a folder of all that a program needs for every backend, the program too."""
    packages(site)
    (site / "program.py").write_text(f"def main():\n    exec({PROGRAM!r})\n")
    for name in ("cffi", "pycparser"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            shutil.copytree(Path(spec.origin).parent, site / name)
    for extension in Path(str(getattr(importlib.util.find_spec("_cffi_backend"), "origin", "/no"))).parent.glob(
        "_cffi_backend*"
    ):
        shutil.copy(extension, site)


def test_shiv(tmp_path: Path) -> None:
    """It unpacks its file, and so has every backend."""
    needs("shiv")
    site = tmp_path / "site"
    whole(site)
    command = [sys.executable, "-m", "shiv", "--site-packages", site, "-e", "program:main", "-o", tmp_path / "app.pyz"]
    done = subprocess.run([*map(str, command)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    ENVIRONMENT["SHIV_ROOT"] = str(tmp_path / "unpacked")
    for backend in USABLE:
        assert ran(sys.executable, tmp_path / "app.pyz", backend=backend)[0].startswith(f"{backend} b'x'")


def test_pex(tmp_path: Path) -> None:
    """It unpacks its file, too."""
    needs("pex")
    site = tmp_path / "site"
    whole(site)
    root = ["--pex-root", tmp_path / "root", "--runtime-pex-root", tmp_path / "root"]
    command = [sys.executable, "-m", "pex", *root, "-D", site, "-e", "program:main", "-o", tmp_path / "app.pex"]
    done = subprocess.run([*map(str, command)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for backend in USABLE:
        assert ran(sys.executable, tmp_path / "app.pex", backend=backend)[0].startswith(f"{backend} b'x'")


def test_cx_freeze(tmp_path: Path) -> None:
    """It is told the packages whole."""
    needs("cx_Freeze")
    (tmp_path / "program.py").write_text(PROGRAM)
    names = ["socketpkg", "socketpkg_ffi", *backends.BUILT_IN.values()]
    command = [sys.executable, "-m", "cx_Freeze", "build_exe", "--script", "program.py", "--build-exe", "frozen"]
    command += ["--packages", ",".join(names), "--includes", "_cffi_backend", "--silent"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    for backend in USABLE:
        assert ran(tmp_path / "frozen" / "program", backend=backend)[0].startswith(f"{backend} b'x'")
