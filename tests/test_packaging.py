"""What an installation leaves, and what it does when the compiler is missing or fails.

The slow tests install the source tree that these tests lie in, each into a virtual environment of its own, through pip
as it is configured.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import socketpkg

ROOT = Path(__file__).resolve().parent.parent
PYPY = sys.implementation.name == "pypy"
COMPILED = ["cffi"] if PYPY else ["c", "cffi"]
LEFT_BEHIND = shutil.ignore_patterns(
    *(
        ".git",
        ".nox",
        ".venv*",
        "build",
        "dist",
        "*.egg-info",
        "__pycache__",
        "*.so",
        "*.pyc",
        ".*_cache",
        ".hypothesis",
    )
)

#: Where an installation has sources, and their kinds.
SOURCES = {
    "socketpkg_c": (".pyx", ".pxd"),
    "socketpkg_cffi": (".h", ".c"),
    "socketpkg/_commands/bench": (".c",),
    "socketpkg/_commands/vendor/material": (".h", ".def", ""),
}

# -- this installation -------------------------------------------------------------------------------------------------


def installed_files() -> list[PurePosixPath]:
    """What the installer recorded; a development installation is not one to look at."""
    distribution = importlib.metadata.distribution("socketpkg")
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("an editable installation records a link instead of the files")
    return [PurePosixPath(file) for file in distribution.files or ()]


def test_nothing_generic_is_installed() -> None:
    tops = {file.parts[0] for file in installed_files()}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"socketpkg", "socketpkg_c", "socketpkg_cffi", "socketpkg_ctypes", "socketpkg_ffi"}
    assert len(tops) == len(packages) + 1


def test_only_what_runs_is_installed() -> None:
    """And what the benchmark compiles, and what `python -m socketpkg vendor` generates C code from."""
    extension = str(sysconfig.get_config_var("EXT_SUFFIX"))
    for file in installed_files():
        if not file.parts[0].endswith(".dist-info") and "__pycache__" not in file.parts:
            runs = file.suffix in (".py", ".pyi") or file.name in ("py.typed", "raw.c") or file.name.endswith(extension)
            is_source = str(file.parent) in SOURCES and file.suffix in SOURCES[str(file.parent)]
            assert runs or is_source, file


def test_the_benchmark_has_its_raw_loops() -> None:
    assert "socketpkg/_commands/bench/raw.c" in {str(file) for file in installed_files()}


def test_types_are_announced() -> None:
    assert "socketpkg/py.typed" in {str(file) for file in installed_files()}


def test_the_licence_is_installed() -> None:
    assert any(file.name == "LICENSE" and file.parts[0].endswith(".dist-info") for file in installed_files())


def test_one_version() -> None:
    assert importlib.metadata.version("socketpkg") == socketpkg.__version__


def test_metadata() -> None:
    metadata = importlib.metadata.metadata("socketpkg")
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    required = [line for line in metadata.get_all("Requires-Dist") or () if "extra ==" not in line]
    assert len(required) == 1
    assert required[0].startswith("cffi>=")
    assert "platform_python_implementation" in required[0]


# -- installing --------------------------------------------------------------------------------------------------------


class Environment:
    """A virtual environment, and a copy of the source tree to install from."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.tree = tree
        self.outside = folder
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True, timeout=300)
        self.python = str(folder / "venv" / "bin" / "python")

    def pip(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs pip. The environment says nothing of compilers but what *env* does."""
        unwanted = ("CC", "CFLAGS", "LDSHARED", "SOCKETPKG_REQUIRE_BACKENDS", "SOCKET_BACKEND", "PYTHONPATH")
        clean = {key: value for key, value in os.environ.items() if key not in unwanted}
        command = [self.python, "-m", "pip", "--disable-pip-version-check", *arguments]
        return subprocess.run(
            command, env={**clean, **env}, cwd=self.outside, capture_output=True, text=True, timeout=900
        )

    def install(self, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        """``pip install`` of the tree, from nothing compiled before. Not optimised, for that takes most of the time."""
        for old in (self.tree / "build").glob("[!c]*"):
            shutil.rmtree(old)
        return self.pip("install", *options, str(self.tree), CFLAGS="-O0", **env)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs the environment's Python, outside the tree."""
        clean = {key: value for key, value in os.environ.items() if key not in ("SOCKET_BACKEND", "PYTHONPATH")}
        return subprocess.run(
            [self.python, "-W", "error", *arguments],
            env={**clean, **env},
            cwd=self.outside,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def doctor(self) -> Any:
        """What the installed doctor says."""
        done = self.run("-m", "socketpkg", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def usable(self) -> list[str]:
        """The backends that can be used."""
        return [backend["name"] for backend in self.doctor()["backends"] if backend["usable"]]

    def echo(self, backend: str) -> None:
        """Sends something through a backend."""
        code = (
            "import socketpkg as s; a, b = s.socketpair(); a.sendall(b'hello'); print(s.__backend__, b.recv(9));"
            "a.close(); b.close()"
        )
        done = self.run("-c", code, SOCKET_BACKEND=backend)
        assert done.stdout == f"{backend} b'hello'\n", done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree, with nothing built in it and without git's folder."""
    assert (ROOT / "pyproject.toml").exists(), "these tests lie in no source tree that could be installed"
    copy = tmp_path_factory.mktemp("source") / "socketpkg-tree"
    shutil.copytree(ROOT, copy, ignore=LEFT_BEHIND)
    return copy


@pytest.fixture
def environment(tmp_path: Path, tree: Path) -> Iterator[Environment]:
    """An empty environment."""
    made = Environment(tmp_path, tree)
    yield made
    left = [
        path for path in tree.rglob("*.c") if "build" not in path.parts and not (ROOT / path.relative_to(tree)).exists()
    ]
    assert not left, "a build leaves no C files beside the sources"


@pytest.mark.slow
def test_without_a_compiler(environment: Environment) -> None:
    done = environment.install(CC="/bin/false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert environment.usable() == ["ctypes"]
    reasons = {b["name"]: b["reason"] for b in environment.doctor()["backends"]}
    assert all(reasons[name].startswith("not built: ") for name in COMPILED)
    environment.echo("ctypes")
    named = environment.run("-c", "import socketpkg", SOCKET_BACKEND="cffi")
    assert (
        "ImportError: socketpkg cannot use the backend 'cffi', chosen by SOCKET_BACKEND=cffi: not built" in named.stderr
    )


@pytest.mark.slow
def test_without_a_compiler_that_is_required(environment: Environment) -> None:
    done = environment.install(CC="/bin/false", SOCKETPKG_REQUIRE_BACKENDS="1")
    assert done.returncode != 0
    assert "/bin/false" in done.stdout + done.stderr
    assert environment.run("-c", "import socketpkg").returncode == 1


@pytest.mark.slow
@pytest.mark.skipif(PYPY, reason="PyPy has no c backend")
def test_half_a_backend_is_none(environment: Environment, tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\ncase "$*" in *_core.c*) exit 1;; esac\nexec cc "$@"\n')
    compiler.chmod(0o755)
    done = environment.install(CC=str(compiler))
    assert done.returncode == 0, done.stdout + done.stderr
    assert environment.usable() == ["cffi", "ctypes"]
    (c,) = (b for b in environment.doctor()["backends"] if b["name"] == "c")
    assert c["reason"].startswith("not built: ")
    environment.echo("cffi")


@pytest.mark.slow
def test_editable(environment: Environment) -> None:
    done = environment.install("--editable", SOCKETPKG_REQUIRE_BACKENDS="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert environment.usable() == [*COMPILED, "ctypes"]
    assert Path(environment.doctor()["socketpkg"]["path"]) == environment.tree / "socketpkg"
    for backend in [*COMPILED, "ctypes"]:
        environment.echo(backend)


@pytest.mark.slow
def test_the_sdist_has_every_source(environment: Environment, tmp_path: Path) -> None:
    expected = {
        path.relative_to(environment.tree).as_posix()
        for path in environment.tree.rglob("*")
        if path.is_file() and "build" not in path.relative_to(environment.tree).parts
    }
    assert environment.pip("install", "build").returncode == 0
    done = environment.run("-m", "build", "--sdist", "--outdir", str(tmp_path / "dist"), str(environment.tree))
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,) = (tmp_path / "dist").iterdir()
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    missing = {
        name for name in expected if ".egg-info/" not in name and name != ".gitignore" and not name.endswith(".so")
    }
    assert missing - packed == set()
    assert not [name for name in packed if name.endswith((".so", ".o", ".pyc")) or name.startswith("build/")]


def test_no_with_statement_where_errors_have_no_traceback() -> None:
    """Cython passes the traceback to __exit__ without a look at whether there is one: see socketpkg_traceback.h."""
    backend = ROOT / "backends" / "socketpkg_c"
    if not backend.is_dir():
        pytest.skip("no source tree")
    including = [path for path in backend.glob("*.p[xy][dx]") if "socketpkg_traceback.h" in path.read_text()]
    assert sorted(path.name for path in including) == ["_core.pxd", "syscalls.pyx"]
    for path in including:
        twin = ROOT / "socketpkg" / "_engine" / f"{path.stem}.py"
        text = (twin if path.suffix == ".pxd" else path).read_text()
        assert re.findall(r"^ *with (?!nogil:|gil:).*$", text, re.MULTILINE) == []
