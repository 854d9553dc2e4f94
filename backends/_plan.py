"""Build-time helper: which of the compiled backends an installation builds here, what that takes, and why it leaves
one out. Not installed, but in the sdist; it needs nothing but the standard library and setuptools.

Two ask. The build backend (`_build_backend`) asks before anything is there, for the requirements to install. setup.py
asks when they are there, for what can be built. What both decide by is known at both times: the interpreter and the
compiler.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

#: Whether a compiled backend that cannot be built is an error.
REQUIRED = os.environ.get("SOCKETPKG_REQUIRE_BACKENDS", "").strip() not in ("", "0")

PYPY = sys.implementation.name == "pypy"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
#: The package of each compiled backend, and the module that generates its C code.
GENERATORS = {"socketpkg_cffi": "cffi"} if PYPY else {"socketpkg_c": "Cython", "socketpkg_cffi": "cffi"}
#: What is installed for a generator. PyPy brings its own cffi.
REQUIREMENTS = {"Cython": "Cython>=3.1", "cffi": "cffi>=1.16"}
#: cffi 2.0 is the first one that knows free-threaded Pythons.
if FREE_THREADED:
    REQUIREMENTS["cffi"] = "cffi>=2.0"
#: What the module of the cffi backend needs at run time.
CFFI_AT_RUN_TIME = f"{REQUIREMENTS['cffi']}; platform_python_implementation != 'PyPy'"

#: What is said of every backend that was left out, after the remedy.
AGAIN = "then install socketpkg anew, with pip's --no-cache-dir --force-reinstall"

_PROBE = "#include <Python.h>\nint socketpkg_probe(void);\nint socketpkg_probe(void) { return PY_VERSION_HEX != 0; }\n"
#: The line of a compiler's output that says what is wrong.
_ERROR_LINE = re.compile(r"error|not found|no such file|cannot|undefined|denied", re.IGNORECASE)


def requirements() -> list[str]:
    """What has to be installed to build what can be built here. For a build that cannot compile it is nothing."""
    if compiler_problem() and not REQUIRED:
        return []
    return [
        REQUIREMENTS[generator]
        for package, generator in GENERATORS.items()
        if not (PYPY and generator == "cffi") and not _refused(package)
    ]


def plan() -> tuple[list[str], dict[str, str]]:
    """The packages of the backends to build, and of the other compiled ones why they are left out."""
    chosen: list[str] = []
    left_out: dict[str, str] = {}
    problem = compiler_problem()
    for package, generator in GENERATORS.items():
        if problem:
            left_out[package] = problem
        elif find_spec(generator) is not None:
            chosen.append(package)
        else:
            left_out[package] = _refused(package) or (
                f"{generator} was not there when socketpkg was installed; install {REQUIREMENTS[generator]!r}, {AGAIN}"
            )
    if PYPY:
        left_out["socketpkg_c"] = "PyPy has no c backend: its own compiler makes the cffi backend faster"
    if REQUIRED and chosen != list(GENERATORS):
        wanted = {package: reason for package, reason in left_out.items() if package in GENERATORS}
        refused = {package: reason for package, reason in wanted.items() if _refused(package) != reason}
        if refused:
            raise SystemExit("\n".join(f"socketpkg: {package} is required: {why}" for package, why in refused.items()))
    return chosen, left_out


def _refused(package: str) -> str:
    """Why a backend's generator is not asked for on this interpreter; empty when it is."""
    if package != "socketpkg_cffi":
        return ""
    if FREE_THREADED and sys.version_info < (3, 14):
        return "cffi cannot be installed on the free-threaded Python 3.13; on 3.14 it can"
    if find_spec("_ctypes") is None and not PYPY:
        return (
            "this Python was made without _ctypes, so libffi may be missing, which cffi needs;"
            f" install cffi, setuptools and Cython beside it, {AGAIN} --no-build-isolation"
        )
    return ""


# -- the compiler ------------------------------------------------------------------------------------------------------

_problem: str | None = None


def compiler_problem() -> str:
    """Why no extension module at all can be compiled here, with the remedy; empty when a small one can."""
    global _problem
    if _problem is None:
        _problem = _try_compiler()
    return _problem


def _try_compiler() -> str:
    import setuptools  # noqa: F401  # puts its distutils in place

    from distutils.ccompiler import new_compiler  # isort: skip
    from distutils.sysconfig import customize_compiler  # isort: skip

    compiler = new_compiler()
    if compiler.compiler_type != "unix":
        return ""
    customize_compiler(compiler)
    include = sysconfig.get_path("include")
    program = compiler.compiler_so[0]
    if not shutil.which(program):
        return f"there was no C compiler ({program}) when socketpkg was installed; {_install('gcc')}, {AGAIN}"
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "probe.c"), str(Path(folder, "probe.o"))
        source.write_text(_PROBE, encoding="ascii")
        platform_include = sysconfig.get_path("platinclude")
        includes = [f"-I{path}" for path in dict.fromkeys((include, platform_include))]
        for command in (
            [*compiler.compiler_so, *includes, "-c", str(source), "-o", made],
            [*compiler.linker_so, made, "-o", str(Path(folder, "probe.so"))],
        ):
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
            if done.returncode:
                what = "the C compiler"
                if not Path(include, "Python.h").is_file():
                    return f"Python.h was not there when socketpkg was installed; {_install('headers')}, {AGAIN}"
                line = first_error(done.stderr) or f"exit status {done.returncode}"
                return (
                    f"{what} ({program}) did not work when socketpkg was installed: {line}; {_install('gcc')}, {AGAIN}"
                )
    return ""


def first_error(output: str) -> str:
    """The first line of a compiler's output that tells of an error, else the first one at all."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if _ERROR_LINE.search(line)), lines[0] if lines else "")


#: By the package manager: how a compiler is installed, and Python's headers.
_MANAGERS = {
    "apt-get": {"gcc": "apt install gcc libc6-dev", "headers": "apt install python3-dev"},
    "dnf": {"gcc": "dnf install gcc", "headers": "dnf install python3-devel"},
    "apk": {"gcc": "apk add gcc musl-dev", "headers": "apk add python3-dev"},
    "zypper": {"gcc": "zypper install gcc", "headers": "zypper install python3-devel"},
    "pacman": {"gcc": "pacman -S gcc", "headers": "pacman -S python"},
    "xcode-select": {"gcc": "xcode-select --install", "headers": "xcode-select --install"},
}
_WORDS = {"gcc": "a C compiler", "headers": "the headers of this Python"}


def _install(what: str) -> str:
    """The advice to install *what*, with this machine's command if that is known."""
    commands = [known[what] for manager, known in _MANAGERS.items() if shutil.which(manager)]
    return f"install {_WORDS[what]}" + (f" ({commands[0]})" if commands else "")
