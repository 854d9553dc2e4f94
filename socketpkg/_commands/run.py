"""``python -m socketpkg run``: runs a program as Python itself would, on our sockets.

It runs in this process, so that the interpreter's options hold. What tells the program apart from one that Python has
started itself is a caller below its first frame, which the traceback of an error does not show.

The command line is read twice: by `prepare`, while the package is imported and no backend has been chosen yet, and by
`main`. The module imports nothing that is slow to import, for that comes before every program's own start.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import sys
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType

from .. import _bootstrap, backends

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any, NoReturn

SUMMARY = "run a program that uses the standard library's socket on socketpkg"
USAGE = (
    "python -m socketpkg run [-h] [--backend NAME] [--no-children] [PYTHON OPTION ...]"
    " (FILE | -m MODULE | -c CODE | -) [ARGUMENT ...]"
)


class Usage(Exception):
    """The command line is wrong; the text says how."""


class CommandLine:
    """The words after ``run``, taken apart as python takes those after its name."""

    def __init__(self, words: Sequence[str]) -> None:
        #: The backend that is asked for.
        self.backend: str | None = None
        #: The options of layers in their order: the layer, the option, its text if it takes one, and what was typed.
        self.layers: list[tuple[str, str | None, str | None, str]] = []
        #: The same as they were written.
        self.layer_words: list[str] = []
        #: Whether the Python programs that the program starts run on socketpkg too.
        self.children = True
        #: Options of the interpreter. They hold from its start, so it takes a new one.
        self.interpreter: list[str] = []
        #: Whether the first line of the program is left out, as the interpreter's -x does.
        self.skip = False
        #: Whether help is asked for.
        self.help = False
        #: What the program is: "" a file, "m" a module, "c" its text, "-" what comes by the standard input.
        self.kind = ""
        #: The file, the module or the text.
        self.program = ""
        #: What comes after it.
        self.arguments: list[str] = []
        self._read(list(words))

    def _read(self, words: list[str]) -> None:
        while words:
            word = words.pop(0)
            if word == "--":
                break
            if word == "-":
                self.kind, self.arguments = "-", words
                return
            if word in ("-h", "--help"):
                self.help = True
                return
            if word == "--no-children":
                self.children = False
            elif word.partition("=")[0] == "--backend":
                self.backend = word[len("--backend=") :] if "=" in word else _next(words, word)
            elif word.partition("=")[0] == "--check-hash-based-pycs":
                self.interpreter += [word] if "=" in word else [word, _next(words, word)]
            elif word.startswith("--"):
                self._layer_option(word, words)
            elif word.startswith("-"):
                if self._letters(word, words):
                    return
            else:
                words.insert(0, word)
                break
        if not words:
            raise Usage("the program to run is missing")
        self.program, *self.arguments = words

    def _layer_option(self, word: str, words: list[str]) -> None:
        """Reads an option of a layer. The layers are loaded when there is one, and not before."""
        name, equals, value = word.partition("=")
        parser = _layer_parser()
        action = parser._option_string_actions.get(name)
        if action is None or (equals and action.nargs == 0):
            raise Usage(f"unrecognized option: {word}")
        self.layer_words.append(word)
        if action.nargs != 0 and not equals:
            value = _next(words, word)
            self.layer_words.append(value)
        layer, key, text = action.const
        self.layers.append((layer, key, text if action.nargs == 0 else value, name))

    def _letters(self, word: str, words: list[str]) -> bool:
        """Reads options of one letter that stand together; whether the last of them was the program."""
        for position, letter in enumerate(word[1:], 1):
            if letter == "x":
                self.skip = True
                continue
            if letter not in _bootstrap.WITH_ARGUMENT:
                self.interpreter.append(f"-{letter}")
                continue
            argument = word[position + 1 :]
            if letter in "cm":
                if not (argument or words):
                    raise Usage("the program to run is missing")
                self.kind, self.program, self.arguments = letter, argument or words.pop(0), words
                return True
            self.interpreter += [f"-{letter}", argument or _next(words, f"-{letter}")]
            break
        return False

    def words(self) -> list[str]:
        """The same less the interpreter's options."""
        own = [] if self.backend is None else ["--backend", self.backend]
        own += [] if self.children else ["--no-children"]
        own += ["-x"] if self.skip else []
        own += self.layer_words
        program = {"": ["--", self.program], "-": ["-"]}.get(self.kind, [f"-{self.kind}", self.program])
        return [*own, *program, *self.arguments]


def _next(words: list[str], option: str) -> str:
    if not words:
        raise Usage(f"argument expected for {option}")
    return words.pop(0)


def prepare(words: Sequence[str]) -> None:
    """What has to be done before a backend is chosen: sets the one that is asked for, and starts the interpreter anew
    when options of it are. *words* are those after ``run``; what is wrong with them is said by `main`.

    The name goes into the environment, so that the program's child processes have the same backend.
    """
    try:
        line = CommandLine(words)
    except Usage:
        return
    if line.help:
        return
    if line.interpreter:
        _start_anew(line, len(words))
    name = line.backend
    if line.layers:
        name = importlib.import_module(".layers._command", backends.__package__).apply(
            _layer_parser(), line.layers, name
        )
    if name is not None:
        os.environ[backends.VARIABLE] = name
        backends.asked_by = "the command line"


def _start_anew(line: CommandLine, count: int) -> NoReturn:
    """Runs the interpreter with the options before ``-m socketpkg run`` that came behind it."""
    before = sys.orig_argv[1 : len(sys.orig_argv) - count]
    command = [sys.executable, *line.interpreter, *before, *line.words()]
    os.execv(sys.executable, command)


def main(words: Sequence[str]) -> int:
    """Runs the program; returns when it has run to its end. What it raises goes on from here."""
    try:
        line = CommandLine(words)
    except Usage as error:
        print(f"usage: {USAGE}\npython -m socketpkg run: error: {error}", file=sys.stderr)
        return 2
    if line.help:
        _help().print_help()
        return 0
    try:
        backends.current()
    except ImportError as error:
        print(f"python -m socketpkg run: {error}", file=sys.stderr)
        return 2 if isinstance(error, backends.LayerError) else 1
    if line.kind == "-" and sys.stdin is not None and sys.stdin.isatty():
        return _interactive(line)
    (_bootstrap.reach_children if line.children else _bootstrap.leave_children_alone)()
    sys.modules[str(backends.__package__)].install()
    if line.kind == "m":
        sys.argv = ["-m", *line.arguments]
        _run_module(line.program, True)
        return 0
    if line.kind:
        return _run_text(line)
    return _run_file(line.program, [line.program, *line.arguments], line.skip)


def _layer_parser() -> argparse.ArgumentParser:
    """What knows the options of the layers, made of the layers' own tables."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m socketpkg run", usage=USAGE, add_help=False, allow_abbrev=False)
    importlib.import_module(".layers._command", backends.__package__).add_options(parser)
    return parser


def _help() -> argparse.ArgumentParser:
    """What describes the options; they are read without it, since it takes longer to import than all else here."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m socketpkg run",
        usage=USAGE,
        description=f"{SUMMARY}. The interpreter's own options, such as -X dev or -I, may stand before the program.",
    )
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's own options, for the help."""
    parser.add_argument("--backend", metavar="NAME", help=f"which one to use, in place of {backends.VARIABLE}'s")
    parser.add_argument(
        "--no-children", action="store_true", help="leave the Python programs alone that the program starts"
    )
    parser.add_argument("-m", metavar="MODULE", help="a module to run")
    parser.add_argument("-c", metavar="CODE", help="the text of a program to run")
    importlib.import_module(".layers._command", backends.__package__).add_options(parser)
    parser.add_argument("file", metavar="FILE", help="a file, a folder or a zip file to run; - is the standard input")


def run(options: argparse.Namespace) -> int:
    """Not reached: ``python -m socketpkg`` hands the words of this command to `main` as they are."""
    raise AssertionError(options)


def _interactive(line: CommandLine) -> int:
    """Python's own prompt: a new interpreter's, whose start puts socketpkg in place."""
    _bootstrap.reach_children()
    os.execv(sys.executable, [sys.executable, "-", *line.arguments])


def _run_text(line: CommandLine) -> int:
    """Runs the text of a program, or what comes by the standard input."""
    sys.argv = ["-c" if line.kind == "c" else "-", *line.arguments]
    if not sys.flags.safe_path:
        sys.path[0] = ""
    source: str | bytes
    if line.kind == "c":
        name, source = "<string>", line.program
        if sys.version_info >= (3, 14) and source[:1].isspace():
            from textwrap import dedent

            source = dedent(source)
    else:
        name, source = "<stdin>", b"" if sys.stdin is None else sys.stdin.buffer.read()
    if line.skip:
        source = source.partition("\n")[2] if isinstance(source, str) else source.partition(b"\n")[2]
    main = _new_main()
    main.__loader__ = BuiltinImporter
    if line.kind == "-":
        main.__file__ = name
        if sys.version_info < (3, 15):
            main.__cached__ = None  # type: ignore[attr-defined]

    make = _compiler()

    def body() -> None:
        code = make(source, name, "exec", 0, True)
        if line.kind == "c" and sys.version_info >= (3, 13):
            # So tracebacks have the lines of the text; the interpreter does the same.
            import linecache

            register: Any = linecache._register_code  # type: ignore[attr-defined]
            register(code if sys.version_info >= (3, 14) else name, source, name)
        exec(code, main.__dict__)

    _as_the_first_frame(body, 2)
    return 0


def _run_file(path: str, arguments: list[str], skip: bool) -> int:
    """Runs a file of Python source, less its first line with *skip*, or bytecode, or the ``__main__`` of a folder or
    a zip file."""
    sys.argv = arguments
    absolute = os.path.join(os.getcwd(), path)
    if _is_on_a_path(absolute):
        if sys.flags.safe_path:
            sys.path.insert(0, absolute)
        else:
            sys.path[0] = absolute
        _run_module("__main__", False)
        return 0
    try:
        with io.open_code(absolute) as file:
            source = file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"{sys.orig_argv[0]}: can't open file {absolute!r}: {reason}", file=sys.stderr)
        return 2
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    compiled = source.startswith(MAGIC_NUMBER)
    if skip and not compiled:
        source = b"\n" + source.partition(b"\n")[2]  # lines keep their numbers
    main = _new_main()
    main.__file__ = absolute
    main.__loader__ = (SourcelessFileLoader if compiled else SourceFileLoader)("__main__", absolute)
    if sys.version_info < (3, 15):
        main.__cached__ = None  # type: ignore[attr-defined]

    make = _compiler()

    def body() -> None:
        exec(_bytecode(source) if compiled else make(source, absolute, "exec", 0, True), main.__dict__)

    _as_the_first_frame(body, 2)
    return 0


# What pkgutil has for these two, without the modules that it imports: they take longer than all else here.


def _is_on_a_path(path: str) -> bool:
    """Whether modules are imported from *path*: a folder, or a zip file."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _compiler() -> Any:
    """compile(), or a function of the backend's that takes the same here and is sooner done."""
    backend = sys.modules[f"{backends.__package__}._socket"].backend
    return getattr(sys.modules.get(f"{backend.package}.syscalls"), "compile_program", compile)


def _bytecode(source: bytes) -> CodeType:
    """The code in a .pyc file."""
    from marshal import loads

    code: CodeType = loads(source[16:])
    return code


def _run_module(name: str, alter_argv: bool) -> None:
    # What `python -m` itself calls. Its public relatives take __main__ away when the program ends, before the
    # threads and exit functions that still need it.
    from runpy import _run_module_as_main  # type: ignore[attr-defined]

    _new_main()
    _as_the_first_frame(lambda: _run_module_as_main(name, alter_argv), 2)


def _new_main() -> ModuleType:
    """An empty __main__ as the interpreter makes it, in place of ours."""
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
