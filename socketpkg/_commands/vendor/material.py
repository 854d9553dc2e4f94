"""The files that a copy needs and that no package has: the headers of the C code, and the licence.

An installation has them in a folder beside this module, where setup.py puts them. In a source tree they are where they
are edited.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from .errors import VendorError

_INSTALLED = Path(__file__).resolve().parent / "material"
_TREE = _INSTALLED.parents[3]
_LICENCE = "LICENSE"
_CONSTANTS = "socketpkg_constants.def"


def licence() -> str:
    """The text of the licence."""
    return _text((_INSTALLED if _INSTALLED.is_dir() else _TREE) / _LICENCE)


def headers() -> dict[str, str]:
    """What the C code includes, by name."""
    if _INSTALLED.is_dir():
        return {path.name: _text(path) for path in _INSTALLED.iterdir() if path.name != _LICENCE}
    found = {path.name: _text(path) for path in (_TREE / "backends" / "include").glob("*.h")}
    try:
        found[_CONSTANTS] = runpy.run_path(str(_TREE / "backends" / "_build.py"))["constants_def"]()
    except OSError as error:
        raise VendorError(f"the C headers of socketpkg are not here: {error}") from None
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise VendorError(f"a file of socketpkg is not here: {error}") from None
