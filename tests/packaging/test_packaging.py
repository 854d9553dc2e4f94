"""What an installation leaves, and what it does when the compiler is missing or fails.

The slow tests install the source tree that these tests lie in, each into a virtual environment of its own, through pip
as it is configured.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import socketpkg
from socketpkg import backends

ROOT = Path(__file__).resolve().parents[2]
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

#: What a build writes beside the sources.
BUILT = "socketpkg/_not_built.py"

#: Where an installation has sources, and their kinds.
SOURCES = {
    "socketpkg_c": (".pyx", ".pxd", ".pxi"),
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


def reasons() -> dict[str, str]:
    """What the installation wrote down of the backends that it left out."""
    found: dict[str, str] = importlib.import_module("socketpkg._not_built").REASONS
    return found


def test_every_compiled_backend_is_here_or_has_a_reason() -> None:
    installed_files()
    for name in ("c", "cffi"):
        status = backends.available()[name]
        reason = reasons().get(f"socketpkg_{name}")
        assert (status.usable and reason is None) or status.reason == f"not built: {reason}"


def sections(module: Path) -> Iterator[int]:
    """The types of the sections of an ELF file (elf(5))."""
    image = module.read_bytes()
    assert image[:4] == b"\x7fELF"
    wide, order = image[4] == 2, "<" if image[5] == 1 else ">"
    (start,) = struct.unpack_from(order + ("Q" if wide else "I"), image, 40 if wide else 32)
    size, count = struct.unpack_from(order + "HH", image, 58 if wide else 46)
    for index in range(count):
        yield struct.unpack_from(order + "I", image, start + index * size + 4)[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="modules are ELF files on Linux")
def test_compiled_modules_are_stripped() -> None:
    """Symbols of a module that is not debugged are three quarters of its size."""
    symtab = 2
    installed_files()
    modules = [path for name in COMPILED for path in Path(package(f"socketpkg_{name}")).glob("*.so")]
    assert modules
    assert [path.name for path in modules if symtab in sections(path)] == []


def package(name: str) -> str:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return os.path.dirname(spec.origin)


def test_nothing_generic_is_installed() -> None:
    tops = {file.parts[0] for file in installed_files()}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    ours = {"socketpkg", "socketpkg_c", "socketpkg_cffi", "socketpkg_ctypes", "socketpkg_ffi", "socketpkg_pytest"}
    assert packages == ours
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sections of ELF")
@pytest.mark.skipif("-g" in os.environ.get("CFLAGS", "").split(), reason="it was asked for")
def test_compiled_modules_have_no_debug_information() -> None:
    """It is six sevenths of a module that has it."""
    modules = [
        module
        for name in ("socketpkg_c", "socketpkg_cffi")
        for module in Path(importlib.import_module(name).__file__ or "").parent.glob("*.so")
    ]
    assert modules or sys.implementation.name != "cpython"
    for module in modules:
        assert b".debug_info" not in module.read_bytes(), module


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
    if "socketpkg_cffi" in reasons():
        assert required == [], "what has no cffi backend needs no cffi"
    else:
        assert len(required) == 1
        assert required[0].startswith("cffi>=")
        assert "platform_python_implementation" in required[0]


@pytest.mark.skipif(not backends.available()["c"].usable, reason="there is no c backend")
def test_c_needs_neither_ctypes_nor_cffi() -> None:
    """An interpreter that was made without _ctypes has the c backend, TLS on it, and a reason for the other two."""
    code = """
import sys
for name in ("_ctypes", "_cffi_backend"):
    sys.modules[name] = None
import socketpkg
socketpkg.install()
import ssl
one, two = socketpkg.socketpair()
one.sendall(b"x")
print(socketpkg.__backend__, two.recv(2))
two.close()
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(one, do_handshake_on_connect=False, server_hostname="x").close()
for status in socketpkg.backends.available().values():
    print(status.name, status.reason)
"""
    environment = {key: value for key, value in os.environ.items() if key != "SOCKET_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    first, c, cffi, ctypes = done.stdout.splitlines()
    assert (first, c) == ("c b'x'", "c ")
    if "socketpkg_cffi" not in reasons():
        assert cffi.startswith("cffi not usable here: its module needs cffi")
    assert ctypes.startswith("ctypes not usable here: this Python was made without ctypes; install libffi")


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

    def installed(self) -> list[str]:
        """The distributions that are installed, but for the installers themselves."""
        code = (
            "from importlib.metadata import distributions as d; print(*{x.name for x in d()} - {'pip', 'setuptools'})"
        )
        return sorted(self.run("-c", code).stdout.split())

    def wheel_tags(self) -> list[str]:
        """For what the wheel was that has been installed."""
        code = "from importlib.metadata import distribution as d; print(d('socketpkg').read_text('WHEEL'))"
        return re.findall(r"^Tag: (\S+)$", self.run("-c", code).stdout, re.MULTILINE)

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
    done = environment.install(CC="/no/such/compiler")
    assert done.returncode == 0, done.stdout + done.stderr
    assert environment.usable() == ["ctypes"]
    told = "not built: there was no C compiler (/no/such/compiler) when socketpkg was installed; install a C compiler"
    why = {b["name"]: b["reason"] for b in environment.doctor()["backends"]}
    for name in COMPILED:
        assert why[name].startswith(told)
        assert why[name].endswith("then install socketpkg anew, with pip's --no-cache-dir --force-reinstall")
    environment.echo("ctypes")
    named = environment.run("-c", "import socketpkg", SOCKET_BACKEND="cffi")
    assert (
        f"ImportError: socketpkg cannot use the backend 'cffi', chosen by SOCKET_BACKEND=cffi: {told}" in named.stderr
    )
    assert named.stderr.count("there was no C compiler") == (1 if not PYPY else 2), "the same reason is told once"
    assert "cffi" not in environment.installed(), "what cannot be used is not installed"
    assert environment.wheel_tags() == ["py3-none-any"]


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
    complaint = "echo '_core.c: In function boom:' >&2; echo '_core.c:7:1: error: boom has no end' >&2; exit 1"
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *_core.c*) {complaint};; esac\nexec cc "$@"\n')
    compiler.chmod(0o755)
    done = environment.install(CC=str(compiler))
    assert done.returncode == 0, done.stdout + done.stderr
    assert environment.usable() == ["cffi", "ctypes"]
    (c,) = (b for b in environment.doctor()["backends"] if b["name"] == "c")
    assert c["reason"].startswith("not built: socketpkg_c._core did not compile when socketpkg was installed: ")
    assert "_core.c:7:1: error: boom has no end" in c["reason"], "the compiler's first complaint that is an error"
    environment.echo("cffi")


@pytest.mark.slow
@pytest.mark.skipif(PYPY, reason="PyPy brings its own cffi")
def test_without_cffi(environment: Environment) -> None:
    """Where cffi cannot be had the rest is installed, and needs none."""
    assert environment.pip("install", "setuptools>=77", "Cython>=3.1").returncode == 0
    done = environment.install("--no-build-isolation")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cffi" not in environment.installed()
    assert environment.usable() == ["c", "ctypes"]
    (cffi,) = (b for b in environment.doctor()["backends"] if b["name"] == "cffi")
    assert cffi["reason"].startswith("not built: cffi was not there when socketpkg was installed; install 'cffi>=")
    for backend in ("c", "ctypes"):
        environment.echo(backend)


@pytest.mark.slow
@pytest.mark.skipif(PYPY, reason="PyPy brings its own cffi")
def test_cffi_can_be_taken_away(environment: Environment) -> None:
    """Only its own backend needs it, also at run time."""
    done = environment.install(SOCKETPKG_REQUIRE_BACKENDS="1")
    assert done.returncode == 0, done.stdout + done.stderr
    environment.echo("cffi")
    assert environment.pip("uninstall", "-y", "cffi").returncode == 0
    assert environment.usable() == ["c", "ctypes"]
    for backend in ("c", "ctypes"):
        environment.echo(backend)
    named = environment.run("-c", "import socketpkg", SOCKET_BACKEND="cffi")
    assert "not usable here: its module needs cffi, which is not installed (pip install cffi)" in named.stderr


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
        name
        for name in expected
        if ".egg-info/" not in name and name not in (".gitignore", BUILT) and not name.endswith(".so")
    }
    assert missing - packed == set()
    assert not [name for name in packed if name.endswith((".so", ".o", ".pyc")) or name.startswith("build/")]
    assert BUILT not in packed


# -- the plan of an installation ---------------------------------------------------------------------------------------

PLAN = ROOT / "backends" / "_plan.py"


def planned(tmp_path: Path, before: str, after: str, *options: str, **env: str) -> str:
    """What a fresh interpreter prints that changes what it is, loads the plan, and asks it."""
    if not PLAN.exists():
        pytest.skip("no source tree")
    pytest.importorskip("setuptools")
    program = tmp_path / "ask.py"
    program.write_text(
        f"import sys, sysconfig, importlib.util\nsys.path.insert(0, {str(PLAN.parent)!r})\n"
        f"{before}\nimport _plan\n{after}\n"
    )
    clean = {key: value for key, value in os.environ.items() if key not in ("CC", "SOCKETPKG_REQUIRE_BACKENDS")}
    done = subprocess.run(
        [sys.executable, *options, str(program)], env={**clean, **env}, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


FREE_THREADED = (
    "real = sysconfig.get_config_var\n"
    "sysconfig.get_config_var = lambda name: 1 if name == 'Py_GIL_DISABLED' else real(name)\n"
    "import importlib.machinery"
)
WITHOUT = (
    "real_spec = importlib.util.find_spec\n"
    "importlib.util.find_spec = lambda name, package=None: None if name in {names} else real_spec(name, package)"
)
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@needs_compiler
@pytest.mark.skipif(PYPY, reason="of CPython's requirements")
@pytest.mark.parametrize(
    ("version", "wanted"), [((3, 13), "['Cython>=3.1']"), ((3, 14), "['Cython>=3.1', 'cffi>=2.0']")]
)
def test_a_free_threaded_python_is_asked_for_what_it_can_have(
    tmp_path: Path, version: tuple[int, int], wanted: str
) -> None:
    before = f"{FREE_THREADED}\nimport setuptools\nsys.version_info = {(*version, 0, 'final', 0)}"
    assert planned(tmp_path, before, "print(_plan.requirements())") == f"{wanted}\n"


@needs_compiler
@pytest.mark.skipif(PYPY, reason="of CPython's requirements")
def test_a_free_threaded_3_13_does_not_require_what_it_cannot_have(tmp_path: Path) -> None:
    before = f"{FREE_THREADED}\n{WITHOUT.format(names=('cffi',))}\nimport setuptools\nsys.version_info = (3, 13)"
    chosen = planned(tmp_path, before, "print(_plan.plan())", SOCKETPKG_REQUIRE_BACKENDS="1")
    reason = "cffi cannot be installed on the free-threaded Python 3.13; on 3.14 it can"
    cython = importlib.util.find_spec("Cython") is not None
    if cython:
        assert chosen == f"(['socketpkg_c'], {{'socketpkg_cffi': '{reason}'}})\n"
    else:
        assert "socketpkg: socketpkg_c is required: Cython was not there" in chosen
        assert reason not in chosen


@needs_compiler
@pytest.mark.skipif(PYPY, reason="of CPython's requirements")
def test_a_python_without_ctypes_is_not_asked_for_cffi(tmp_path: Path) -> None:
    before = WITHOUT.format(names=("_ctypes", "cffi"))
    assert planned(tmp_path, before, "print(_plan.requirements())") == "['Cython>=3.1']\n"
    assert "this Python was made without _ctypes" in planned(tmp_path, before, "print(_plan.plan())")


@needs_compiler
@pytest.mark.skipif(PYPY, reason="of CPython's requirements")
def test_an_ordinary_python_is_asked_for_both(tmp_path: Path) -> None:
    assert planned(tmp_path, "", "print(_plan.requirements())") == "['Cython>=3.1', 'cffi>=1.16']\n"
    assert planned(tmp_path, "", "print(_plan.requirements())", CC="/no/such/cc") == "[]\n"


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("", ""),
        ("cc: fatal error: no input files\n", "cc: fatal error: no input files"),
        ("a.c: In function 'f':\na.c:3: warning: w\na.c:4:1: error: e\na.c:5: error: f\n", "a.c:4:1: error: e"),
        ("sh: 1: cc: not found\n", "sh: 1: cc: not found"),
        ("something else\nand more\n", "something else"),
    ],
)
def test_the_first_complaint_of_a_compiler(tmp_path: Path, output: str, line: str) -> None:
    assert planned(tmp_path, "", f"print(repr(_plan.first_error({output!r})))") == f"{line!r}\n"


def test_no_with_statement_where_errors_have_no_traceback() -> None:
    """Cython passes the traceback to __exit__ without a look at whether there is one: see socketpkg_traceback.h."""
    backend = ROOT / "backends" / "socketpkg_c"
    if not backend.is_dir():
        pytest.skip("no source tree")
    including = [path for path in backend.glob("*.p[xy][dx]") if "socketpkg_traceback.h" in path.read_text()]
    assert sorted(path.name for path in including) == ["_core.pxd", "syscalls.pyx"]
    for path in [*including, *backend.glob("*.pxi")]:
        twin = ROOT / "socketpkg" / "_engine" / f"{path.stem}.py"
        text = (twin if path.suffix == ".pxd" else path).read_text()
        assert re.findall(r"^ *with (?!nogil:|gil:).*$", text, re.MULTILINE) == []
