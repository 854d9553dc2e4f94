"""The folder that a copy goes into, the name that it has there, and how it gets there in one piece."""

from __future__ import annotations

import keyword
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import VendorError
from .manifest import MANIFEST
from .rewrite import ROOT

_INIT = "__init__.py"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Place:
    """A package folder of a program, which has or gets a copy of socketpkg."""

    def __init__(self, dest: str, package: str | None = None) -> None:
        """Looks at the folder *dest*. *package* is the name of the package that it is, where its files don't say."""
        #: As it was given, for messages.
        self.given = dest
        self.folder: Path = Path(dest).absolute()
        if not self.folder.is_dir():
            found = "it is a file" if self.folder.exists() else "there is no such folder"
            raise VendorError(f"{dest} is no package folder: {found}. Make it, with an {_INIT} in it")
        self.folder = self.folder.resolve()
        if package is None and not (self.folder / _INIT).is_file():
            raise VendorError(
                f"{dest} is no package folder: it has no {_INIT}. For a namespace package, say with --package what it"
                " is called"
            )
        self.package: str = self._found_name() if package is None else package
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in self.package.split(".")):
            raise VendorError(
                f"{self.package!r} is no name that a package can be imported by; --package says what {dest} is called"
            )
        #: The name of the copy.
        self.name: str = f"{self.package}.{ROOT}"
        #: Its folder.
        self.copy: Path = self.folder / ROOT
        #: The folder that the program's build is described in.
        self.project: Path = self._found_project()

    def _found_name(self) -> str:
        parts = [self.folder.name]
        for parent in self.folder.parents:
            if not (parent / _INIT).is_file():
                break
            parts.insert(0, parent.name)
        return ".".join(parts)

    def _found_project(self) -> Path:
        here = Path.cwd()
        for folder in (self.folder, *self.folder.parents):
            if any((folder / name).is_file() for name in ("pyproject.toml", "setup.py", "setup.cfg", "meson.build")):
                return folder
            if folder == here and not (here / _INIT).is_file():
                # A program whose build is not described yet, perhaps in the tree of another one.
                return here
        return self.folder.parent

    @property
    def relative(self) -> str:
        """The copy's folder, from the one that the program's build is described in."""
        return Path(os.path.relpath(self.copy, self.project)).as_posix()

    def require_empty(self) -> None:
        """VendorError when there is something that a new copy would overwrite."""
        if (self.copy / MANIFEST).is_file():
            raise VendorError(f"{self.given} has a copy already; vendor --update {self.given} renews it")
        if os.path.lexists(self.copy):
            raise VendorError(f"{self.given} holds something else that is called {ROOT}; move it away")

    def require_writable(self) -> None:
        """VendorError when nothing can be written into the folder."""
        try:
            os.rmdir(tempfile.mkdtemp(prefix=f".{ROOT}-", dir=self.folder))
        except OSError as error:
            raise VendorError(f"{self.given} is not writable: {error.strerror}") from None

    def put(self, tree: Path) -> None:
        """Makes the folder *tree* the copy, in place of one that is there.

        It is written beside its place first. What could go wrong goes wrong there; then it is renamed into its place.
        """
        beside = Path(tempfile.mkdtemp(prefix=f".{ROOT}-", dir=self.folder))
        try:
            shutil.copytree(tree, beside / "new")
            with _undisturbed():
                old = None
                if self.copy.exists():
                    old = beside / "old"
                    self.copy.rename(old)
                try:
                    (beside / "new").rename(self.copy)
                except OSError:
                    if old is not None:
                        old.rename(self.copy)
                    raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets signals that end the program wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def terminable() -> Iterator[None]:
    """Makes the signals that ask a program to end exceptions, as SIGINT is, so that what was begun is cleaned up."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
