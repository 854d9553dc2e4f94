"""What pyproject.toml cannot say: the extension modules of the backends, and what happens when one does not build.

Each extension is optional: without a compiler the installation succeeds, and the ctypes backend serves. With
``SOCKETPKG_REQUIRE_BACKENDS=1`` in the environment a failure to build fails the installation.

A backend is built whole or not at all, so that what is installed never is half a backend.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
BUILD = Path("build")
INCLUDE = BUILD / "include"
INCLUDE_DIRS = ["backends/include", str(INCLUDE)]
REQUIRED = os.environ.get("SOCKETPKG_REQUIRE_BACKENDS", "").strip() not in ("", "0")

# All C compiles without a warning, but for what Cython writes: its PyTypeObjects lack the fields of newer Pythons.
WARNINGS = ["-Wall", "-Wextra"]
CYTHON_WARNINGS = ["-Wno-missing-field-initializers"]


def tool(folder: str, module: str) -> ModuleType:
    """A module that is needed to build, imported from its folder: the packages here cannot be imported yet."""
    sys.path[:0] = [str(ROOT / folder)]
    try:
        return import_module(module)
    finally:
        del sys.path[0]


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


class BuildBackends(build_ext):
    """build_ext that builds a backend's extensions all or none."""

    def build_extensions(self) -> None:
        """Builds them side by side; one that fails takes its backend's whole set along."""
        if self.compiler.compiler_type == "unix":
            for extension in self.extensions:
                extension.extra_compile_args += WARNINGS
                if backend_of(extension) == "socketpkg_c":
                    extension.extra_compile_args += CYTHON_WARNINGS
        self.remove_stale()
        failed = set()
        # As setuptools does for --parallel: the threads only wait for compilers.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            builds = [(extension, pool.submit(self.build_extension, extension)) for extension in self.extensions]
            for extension, build in builds:
                try:
                    build.result()
                except Exception as error:
                    if REQUIRED:
                        pool.shutdown(cancel_futures=True)
                        raise
                    if backend_of(extension) not in failed:
                        note(f"{backend_of(extension)} is not built, since {extension.name} does not compile: {error}")
                    failed.add(backend_of(extension))
        for extension in self.extensions:
            if backend_of(extension) in failed:
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
        # A new list: the distribution's own stays as it is, and with it the kind of the wheel.
        self.extensions = [e for e in self.extensions if backend_of(e) not in failed]

    def remove_stale(self) -> None:
        """Removes modules that an earlier build left and this one does not make: setuptools would pack them."""
        wanted = {Path(self.get_ext_fullpath(extension.name)).absolute() for extension in self.extensions}
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        folders = [Path("backends")] if self.inplace else [Path(self.build_lib)]
        for old in (path for folder in folders for path in folder.glob(f"socketpkg_*/*{suffix}")):
            if old.absolute() not in wanted:
                old.unlink()


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


def extensions() -> list[Extension]:
    """Those of each backend that can be built by this Python. What fails here is left out, unless it is required."""
    found: list[Extension] = []
    backends = {"cffi": cffi_extensions}
    if sys.implementation.name == "cpython":
        backends["c"] = c_extensions
    for name, make in backends.items():
        try:
            found += make()
        except Exception as error:
            if REQUIRED:
                raise
            note(f"the backend {name} is not built: {type(error).__name__}: {error}")
    return found


if os.name == "nt":
    raise SystemExit("socketpkg runs on Linux, macOS and the BSDs; Windows is not supported")
os.chdir(ROOT)
constants()
setup(ext_modules=extensions(), cmdclass={"build_ext": BuildBackends, "build_py": BuildModules})
