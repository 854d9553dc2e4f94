"""``python -m socketpkg run``: runs a program as Python itself would, on our sockets.

It runs in this process, so that the interpreter's options hold. What tells the program apart from one that Python has
started itself is a caller below its first frame, which the traceback of an error does not show.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import io
import os
import sys
from importlib.machinery import SourceFileLoader, SourcelessFileLoader
from pkgutil import get_importer, read_code
from types import ModuleType

from .. import backends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

SUMMARY = "run a program that uses the standard library's socket on socketpkg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's own options."""
    # All that follows the name of the program is the program's.
    parser.usage = "python -m socketpkg run [-h] [--backend NAME] (FILE | -m MODULE) [ARGUMENT ...]"
    parser.add_argument("--backend", metavar="NAME", help=f"which one to use, in the place of {backends.VARIABLE}'s")
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="a module to run, and its arguments")
    parser.add_argument("file", metavar="FILE", nargs=argparse.REMAINDER, help="a file to run, and its arguments")
    if any(word.startswith(("--", "-h")) and not word.startswith("--backend") for word in sys.argv):
        # Those of the layers, which are not loaded for nothing.
        importlib.import_module(".layers._command", backends.__package__).add_options(parser)
    parser.set_defaults(parser=parser)


def run(options: argparse.Namespace) -> int:
    """Runs the program; returns when it has run to its end. What it raises goes on from here."""
    module: list[str] | None = options.module
    words: list[str] = options.file
    if module is not None:
        words = module + words  # "-mNAME" leaves the arguments behind
    elif words[:1] == ["--"]:
        del words[0]
    if not words:
        options.parser.error("the program to run is missing")
    name = options.backend
    if getattr(options, "layers", None):
        name = importlib.import_module(".layers._command", backends.__package__).apply(
            options.parser, options.layers, name
        )
    _choose(options.parser, name)
    importlib.import_module("socketpkg").install()
    if module is None:
        return _run_file(words[0], words)
    sys.argv = ["-m", *words[1:]]
    _run_module(words[0], True)
    return 0


def _choose(parser: argparse.ArgumentParser, name: str | None) -> None:
    """Sees to it that the backend is the one that is wanted; starts the interpreter anew when another one is loaded.

    The name goes into the environment, so that the program's child processes have the same backend.
    """
    if name is not None and name != os.environ.get(backends.VARIABLE):
        os.environ[backends.VARIABLE] = name
        # Everything that the package has is bound to the backend that the environment named when it was imported.
        if getattr(sys.modules[backends.__package__], "__backend__", None) != name:  # pyright: ignore[reportArgumentType]
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    try:
        backends.current()
    except ImportError as error:
        parser.exit(2 if isinstance(error, backends.LayerError) else 1, f"{parser.prog}: {error}\n")


def _run_file(path: str, arguments: list[str]) -> int:
    """Runs a file of Python source or bytecode, or the ``__main__`` of a folder or a zip file."""
    sys.argv = arguments
    absolute = os.path.join(os.getcwd(), path)
    if get_importer(absolute) is not None:
        if sys.flags.safe_path:
            sys.path.insert(0, absolute)
        else:
            sys.path[0] = absolute
        _run_module("__main__", False)
        return 0
    try:
        with io.open_code(absolute) as file:
            code = read_code(file)
            compiled = code is not None
            file.seek(0)
            source = b"" if compiled else file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"{sys.orig_argv[0]}: can't open file {absolute!r}: {reason}", file=sys.stderr)
        return 2
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    main = _new_main()
    main.__file__ = absolute
    main.__loader__ = (SourcelessFileLoader if compiled else SourceFileLoader)("__main__", absolute)
    if sys.version_info < (3, 15):
        main.__cached__ = None  # type: ignore[attr-defined]

    def body() -> None:
        exec(code if compiled else compile(source, absolute, "exec", dont_inherit=True), main.__dict__)

    _as_the_first_frame(body, 2)
    return 0


def _run_module(name: str, alter_argv: bool) -> None:
    # What `python -m` itself calls. Its public relatives take __main__ away when the program ends, before the
    # threads and exit functions that still need it.
    from runpy import _run_module_as_main  # type: ignore[attr-defined]

    _new_main()
    _as_the_first_frame(lambda: _run_module_as_main(name, alter_argv), 2)


def _new_main() -> ModuleType:
    """An empty __main__ as the interpreter makes it, in the place of ours."""
    main = ModuleType("__main__")
    main.__builtins__ = builtins  # type: ignore[attr-defined]
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main


def _as_the_first_frame(call: Callable[[], object], above: int) -> None:
    """Calls, and reports an error as the interpreter would if *call* had been made without us.

    *above* is how many frames the traceback loses.
    """
    try:
        call()
    except SystemExit:
        raise
    except BaseException as error:
        traceback = error.__traceback__
        for _ in range(above):
            traceback = None if traceback is None else traceback.tb_next
        hook = sys.excepthook

        def report(kind: type[BaseException], value: BaseException, _: TracebackType | None) -> None:
            # The interpreter calls it after everything on the way out has added its frame.
            sys.excepthook = hook
            hook(kind, value.with_traceback(traceback), traceback)

        sys.excepthook = report
        raise
