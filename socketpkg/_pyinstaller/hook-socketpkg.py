"""What a frozen program takes along of socketpkg, which no import statement shows: the backend is chosen at run time,
and compiled modules import one another where a freezer cannot look."""

from __future__ import annotations

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_submodules

from socketpkg import _config

#: Not of use in a program: other commands, and what only a build reads.
_OUT = ("._bootstrap", "._build_c", "._build_ffi", "._commands.bench", "._commands.vendor", "._pyinstaller")


def _wanted(name: str) -> bool:
    return not any(f"{out}." in f"{name}." for out in _OUT)


hiddenimports = collect_submodules("socketpkg", filter=_wanted)
for package in ("socketpkg_ffi", *_config.BUILT_IN.values()):
    if find_spec(package) is not None:
        hiddenimports += collect_submodules(package, filter=_wanted)
if find_spec("_cffi_backend") is not None:
    hiddenimports.append("_cffi_backend")  # which the module of the cffi backend imports from C
