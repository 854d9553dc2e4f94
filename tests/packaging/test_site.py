"""The site that `nox -s docs` builds: every public name of the package is in its reference."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pkgutil
import re
import socket
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType

import pytest

import socketpkg
from socketpkg.contract import Syscalls

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site: the one that SOCKETPKG_TEST_SITE names, or one that is built now."""
    if "SOCKETPKG_TEST_SITE" in os.environ:
        return Path(os.environ["SOCKETPKG_TEST_SITE"])
    for needed in ("sphinx", "myst_parser", "furo"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"there is no {needed}; nox -s docs builds the site")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-d", str(folder / "trees")]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(folder / "html")], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def documented(site: Path) -> set[str]:
    """The names that the site has an entry for, from its inventory."""
    *_, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split()[0] for line in lines if line.split()[1].startswith("py:")}


def modules() -> list[str]:
    """The modules that a program may import: those without an underscore in their path."""
    found = ["socketpkg", "socketpkg_pytest"]
    for module in pkgutil.walk_packages(socketpkg.__path__, "socketpkg."):
        if "._" not in module.name:
            found.append(module.name)
    return found


def public(module: ModuleType) -> set[str]:
    """The public names of *module*: what it says, or what is defined in it."""
    if module is socketpkg:
        standard = {name for name in socketpkg.__all__ if hasattr(socket, name) or name.isupper()}
        return {"__backend__", "__version__", "install", "AddressFamily", "SocketKind", "MsgFlag", "AddressInfo"} | (
            set(socketpkg.__all__) - standard - socketpkg._socket.core.CONSTANTS.keys()
        )
    if hasattr(module, "__all__"):
        return set(module.__all__)
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith(("_", "pytest_"))
        and (inspect.isclass(value) or inspect.isroutine(value))
        and value.__module__ == module.__name__
    }


def test_there_are_public_modules() -> None:
    found = set(modules())
    assert {"socketpkg.streams", "socketpkg.layers", "socketpkg.layers.trace", "socketpkg.contract"} <= found


@pytest.mark.parametrize("name", modules())
def test_every_name_that_a_module_promises_is_there(name: str) -> None:
    module = importlib.import_module(name)
    assert [promised for promised in getattr(module, "__all__", ()) if not hasattr(module, promised)] == []


@pytest.mark.parametrize("name", modules())
def test_every_public_name_is_in_the_reference(name: str, site: Path, documented: set[str]) -> None:
    module = importlib.import_module(name)
    assert name in documented
    missing = set()
    for attribute in public(module):
        value = getattr(module, attribute)
        if getattr(value, "__module__", name).partition(".")[0] == "socketserver":
            page = (site / "reference" / "server.html").read_text(encoding="utf-8")
            if f"library/socketserver.html#socketserver.{attribute}" not in page:
                missing.add(attribute)
        elif f"{name}.{attribute}" not in documented:
            missing.add(attribute)
    assert missing == set()


@pytest.mark.parametrize("name", modules())
def test_every_method_of_a_public_class_is_in_the_reference(name: str, documented: set[str]) -> None:
    module = importlib.import_module(name)
    missing = set()
    for attribute in public(module):
        cls = getattr(module, attribute)
        if not inspect.isclass(cls) or cls.__module__ != name or name == "socketpkg":
            continue
        for member, value in vars(cls).items():
            described = callable(value) or isinstance(value, (property, classmethod, staticmethod))
            # A layer redefines what the contract has, or what its base has for it.
            inherited = any(member in vars(base) for base in cls.__mro__[1:])
            if member.startswith("_") or not described or (inherited and issubclass(cls, Syscalls)):
                continue
            if f"{name}.{attribute}.{member}" not in documented:
                missing.add(f"{attribute}.{member}")
    assert missing == set()


def test_what_a_socket_has_of_its_own_is_in_the_reference(documented: set[str]) -> None:
    own = {name for name in dir(socketpkg.socket) if not name.startswith("_") and not hasattr(socket.socket, name)}
    assert {"recvmmsg", "recv_exactly"} <= own
    assert {name for name in own if f"socketpkg.socket.{name}" not in documented} == set()


def test_every_standard_name_and_constant_is_on_its_page(site: Path) -> None:
    page = (site / "reference" / "standard.html").read_text(encoding="utf-8")
    shown = set(re.findall(r'<span class="pre">([^<]+)</span>', page))
    enums = {"AddressFamily", "SocketKind", "MsgFlag", "AddressInfo"}
    assert {name for name in socketpkg.__all__ if name not in shown} - enums == set()
    assert 'href="https://docs.python.org/3/library/socket.html#socket.create_connection"' in page
    assert 'href="https://docs.python.org/3/library/socket.html#socket.socket.recv"' in page
