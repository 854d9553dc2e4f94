"""Compiles a copy that is not yet in its place, for the running interpreter, and sees whether it works."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from .errors import VendorError
from .process import run

_SETUP = """
import json, sys
from setuptools import Extension, setup
extensions = [Extension(name, [path]) for name, path in json.loads(sys.argv[1]).items()]
setup(
    name="copy", packages=[], ext_modules=extensions, script_name="setup.py",
    script_args=["--quiet", "build_ext", "--build-lib", ".", "--build-temp", sys.argv[2]],
)
"""
_TRIAL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
copy = importlib.import_module(sys.argv[2])
assert copy.__backend__ == sys.argv[3], copy.__backend__
one, two = copy.socketpair()
with one, two:
    one.sendall(b"through the copy")
    assert two.recv(64) == b"through the copy"
"""
_HINT = "; with --no-build the copy is made without being built"


def require_compiler() -> None:
    """VendorError when what `build` needs is missing."""
    if importlib.util.find_spec("setuptools") is None:
        raise VendorError(f"to build the copy takes setuptools: pip install 'socketpkg[vendor]'{_HINT}")
    words = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if not words or shutil.which(words[0]) is None:
        raise VendorError(f"there is no C compiler to build the copy with: {' '.join(words)} is not found{_HINT}")


def build(root: Path, extensions: Mapping[str, str], scratch: Path) -> None:
    """Compiles the *extensions*, C files in the folder *root* by the names of their modules, to where their names say.

    The environment's CC, CFLAGS and the like hold, as in any build with setuptools.
    """
    done = run([sys.executable, "-c", _SETUP, json.dumps(dict(extensions)), os.fspath(scratch)], root)
    if done.returncode:
        raise VendorError(f"the copy does not compile here{_HINT}. The compiler said:\n{done.output.rstrip()}")


def try_out(root: Path, name: str, backend: str) -> None:
    """Sends something through the copy called *name* below the folder *root*, in an interpreter of its own."""
    done = run([sys.executable, "-W", "error", "-c", _TRIAL, os.fspath(root), name, backend], root)
    if done.returncode:
        raise VendorError(f"the copy is made, but does not work here{_HINT}. It said:\n{done.output.rstrip()}")
