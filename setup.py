"""What pyproject.toml cannot say: the extension modules of the backends, and what happens when one does not build.

Each extension is optional: without a compiler the installation succeeds, and the ctypes backend serves. With
``SOCKETPKG_REQUIRE_BACKENDS=1`` in the environment a failure to build fails the installation.

A backend is built whole or not at all, so that what is installed never is half a backend. Why one was left out is
written into the installed package, where the doctor and the ImportError find it: installers hide what a build prints.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import setuptools
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

from distutils.errors import DistutilsExecError  # isort: skip  # setuptools' own

ROOT = Path(__file__).parent
BUILD = Path("build")
INCLUDE = BUILD / "include"
INCLUDE_DIRS = ["backends/include", str(INCLUDE)]
#: The module that says why a backend was left out, in the package.
REPORT = Path("socketpkg", "_not_built.py")

# All C compiles without a warning, but for what Cython writes: its PyTypeObjects lack the fields of newer Pythons.
WARNINGS = ["-Wall", "-Wextra"]
CYTHON_WARNINGS = ["-Wno-missing-field-initializers"]
# The interpreter's own flags ask for debug information, which makes a module seven times as large and helps nobody but
# who works on the C code. Those set -g in CFLAGS.
NO_DEBUG = [] if "-g" in os.environ.get("CFLAGS", "").split() else ["-g0"]
# Symbols are three quarters of a module's size and of use to a debugger only. Who asks for them, or for a sanitizer
# that names places by them, has them.
WITH_SYMBOLS = any(f" {flag}" in f" {os.environ.get('CFLAGS', '')}" for flag in ("-g", "-fsanitize"))
STRIP = ["-Wl,-S", "-Wl,-x"] if sys.platform == "darwin" else ["-Wl,--strip-all"]


def tool(folder: str, module: str) -> ModuleType:
    """A module that is needed to build, imported from its folder: the packages here cannot be imported yet."""
    sys.path[:0] = [str(ROOT / folder)]
    try:
        return import_module(module)
    finally:
        del sys.path[0]


plan = tool("backends", "_plan")


def c_extensions() -> list[Extension]:
    """The Cython backend, as its build script describes it."""
    from Cython import __version__ as cython
    from Cython.Build import cythonize

    build = tool("backends/socketpkg_c", "_build_c")
    written = BUILD / f"cython-{cython}"  # another Cython writes other C
    extensions = cythonize(
        [
            Extension(
                f"socketpkg_c.{module}",
                [source.as_posix()],
                include_dirs=INCLUDE_DIRS,
                depends=headers(),
                define_macros=build.MACROS.get(module, []),
            )
            for module, source in build.sources(Path("backends/socketpkg_c"), Path("socketpkg")).items()
        ],
        include_path=["backends"],
        build_dir=str(written),
        # Cython looks for the .pxd of the sources in socketpkg beside them, and so does not see when one changed.
        force=newer(Path("backends/socketpkg_c").glob("*.pxd"), written.rglob("*.c")),
        compiler_directives=build.DIRECTIVES,
    )
    return list(extensions)


def newer(sources: Iterable[Path], results: Iterable[Path]) -> bool:
    """Whether a source is newer than a result."""
    oldest = min((path.stat().st_mtime for path in results), default=None)
    return oldest is not None and any(path.stat().st_mtime > oldest for path in sources)


def cffi_extensions() -> list[Extension]:
    """The cffi backend: what its build script describes, as one C source."""
    ffi = tool("backends/socketpkg_cffi", "_build_ffi").describe("socketpkg_cffi", INCLUDE_DIRS)
    extension = ffi.distutils_extension(tmpdir=str(BUILD / "cffi"))
    extension.depends += headers()
    return [extension]


def headers() -> list[str]:
    """What a changed line in makes every extension stale."""
    return [str(path) for folder in map(Path, INCLUDE_DIRS) for path in sorted(folder.iterdir())]


def constants() -> None:
    """Writes the list of constants that the C code includes."""
    INCLUDE.mkdir(parents=True, exist_ok=True)
    tool("backends", "_build").write_constants_def(INCLUDE)


class Distribution(setuptools.Distribution):
    """What is built, and what is not. The extension modules themselves are described when they are to be compiled:
    that generates C code, which neither the metadata nor an sdist needs."""

    #: The packages of the backends that are built.
    backends: list[str]
    #: Why others are not, by the package.
    left_out: dict[str, str]

    def __init__(self, attributes: dict[str, Any] | None = None) -> None:
        self.backends, self.left_out = list(BACKENDS), dict(LEFT_OUT)
        super().__init__(attributes)

    def has_ext_modules(self) -> bool:
        """Whether there are extension modules. So a wheel without any is one for every platform."""
        return bool(self.backends)

    def leave_out(self, package: str, reason: str) -> None:
        """Does without a backend, and tells so; or fails, where all are required."""
        if package in self.backends:
            self.backends.remove(package)
        self.left_out[package] = reason


class BuildBackends(build_ext):
    """build_ext that builds a backend's extensions all or none."""

    def finalize_options(self) -> None:
        """Describes the extension modules."""
        if self.distribution.ext_modules is None:
            self.distribution.ext_modules = extensions(self.distribution)
        super().finalize_options()

    def run(self) -> None:
        """Builds, and leaves word of what was not built."""
        super().run()
        folder = Path() if self.inplace else Path(self.build_lib)
        write_report(folder, self.distribution.left_out)

    def build_extensions(self) -> None:
        """Builds them side by side; one that fails takes its backend's whole set along."""
        if self.compiler.compiler_type == "unix":
            self.compiler.call = self.compiler.spawn = run_compiler  # the newer name, and the older one
            for extension in self.extensions:
                extension.extra_compile_args += [*WARNINGS, *NO_DEBUG]
                if not WITH_SYMBOLS:
                    extension.extra_link_args += STRIP
                if backend_of(extension) == "socketpkg_c":
                    extension.extra_compile_args += CYTHON_WARNINGS
        self.remove_stale()
        failed: dict[str, str] = {}
        # As setuptools does for --parallel: the threads only wait for compilers.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            builds = [(extension, pool.submit(self.build_extension, extension)) for extension in self.extensions]
            for extension, build in builds:
                try:
                    build.result()
                except Exception as error:
                    if plan.REQUIRED:
                        pool.shutdown(cancel_futures=True)
                        raise
                    reason = f"{extension.name} did not compile when socketpkg was installed: {error}"
                    failed.setdefault(backend_of(extension), reason)
        for package, reason in failed.items():
            self.distribution.leave_out(package, reason)
        for extension in self.extensions:
            if backend_of(extension) in failed:
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
        self.extensions = [e for e in self.extensions if backend_of(e) not in failed]

    def remove_stale(self) -> None:
        """Removes modules that an earlier build left and this one does not make: setuptools would pack them."""
        wanted = {Path(self.get_ext_fullpath(extension.name)).absolute() for extension in self.extensions}
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        folders = [Path("backends")] if self.inplace else [Path(self.build_lib)]
        for old in (path for folder in folders for path in folder.glob(f"socketpkg_*/*{suffix}")):
            if old.absolute() not in wanted:
                old.unlink()


def run_compiler(command: list[str], **_: object) -> None:
    """Runs a compiler. Its first complaint goes into the error, for it is kept, and all of them to the person."""
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    sys.stderr.write(done.stderr)
    if done.returncode:
        line = plan.first_error(done.stderr) or f"exit status {done.returncode}"
        raise DistutilsExecError(f"{command[0]}: {line}")


def write_report(folder: Path, left_out: dict[str, str]) -> None:
    """Writes the module that says why backends were left out, and tells the person who installs."""
    path = folder / REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = "".join(f"    {package!r}: {reason!r},\n" for package, reason in sorted(left_out.items()))
    path.write_text(
        '"""Why compiled backends are not a part of this installation, by their package. Written by setup.py."""\n\n'
        f"REASONS: dict[str, str] = {{\n{entries}}}\n",
        encoding="utf-8",
    )
    for package, reason in sorted(left_out.items()):
        note(f"{package} is not built: {reason}")


class Wheel(bdist_wheel):
    """bdist_wheel that knows what was built before it says for which platform the wheel is."""

    def run(self) -> None:
        """Builds, then packs."""
        if not self.skip_build:
            self.run_command("build")
        self.root_is_pure = not self.distribution.has_ext_modules()
        super().run()


class BuildModules(build_py):
    """build_py that adds what a vendored copy is made of and no package has: the C headers and the licence.

    In the source tree, and so in an editable installation, `socketpkg._commands.vendor` finds them where they are.
    """

    def material(self) -> dict[str, str]:
        """Where each of the files comes from, by where it goes."""
        folder = Path(self.build_lib, "socketpkg", "_commands", "vendor", "material")
        return {str(folder / Path(source).name): source for source in ["LICENSE", *headers()]}

    def run(self) -> None:
        """Copies the modules, then those."""
        super().run()
        if not self.distribution.has_ext_modules():  # otherwise build_ext knows more
            write_report(Path() if self.editable_mode else Path(self.build_lib), self.distribution.left_out)
        if not self.editable_mode:
            for target, source in self.material().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What `run` leaves."""
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else self.material())]


def backend_of(extension: Extension) -> str:
    """The package of the backend that *extension* is a part of."""
    return extension.name.partition(".")[0]


def note(text: str) -> None:
    """Tells the person who installs."""
    print(f"socketpkg: {text}", file=sys.stderr)


def extensions(distribution: Distribution) -> list[Extension]:
    """Those of each backend that is to be built. One whose C code cannot be generated is left out, unless required."""
    found: list[Extension] = []
    for package in list(distribution.backends):
        try:
            found += MAKERS[package]()
        except Exception as error:
            if plan.REQUIRED:
                raise
            distribution.leave_out(package, f"its C code could not be generated: {type(error).__name__}: {error}")
    return found


MAKERS = {"socketpkg_c": c_extensions, "socketpkg_cffi": cffi_extensions}

if os.name == "nt":
    raise SystemExit("socketpkg runs on Linux, macOS and the BSDs; Windows is not supported")
os.chdir(ROOT)
constants()
BACKENDS, LEFT_OUT = plan.plan()
setup(
    distclass=Distribution,
    install_requires=[plan.CFFI_AT_RUN_TIME] if "socketpkg_cffi" in BACKENDS else [],
    cmdclass={"bdist_wheel": Wheel, "build_ext": BuildBackends, "build_py": BuildModules},
)
