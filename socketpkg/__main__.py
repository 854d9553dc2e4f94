"""``python -m socketpkg``: the programs that come with the package. Without the name of one it is the doctor."""

from __future__ import annotations

import sys
from importlib import import_module

from . import _config, _version

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any, Protocol

    class Command(Protocol):
        """What a command's module has."""

        @property
        def SUMMARY(self) -> str:
            """Its summary, in one line."""
            ...

        def add_arguments(self, parser: argparse.ArgumentParser) -> None:
            """Declares the command's own options."""
            ...

        def run(self, options: argparse.Namespace) -> int:
            """Does it, and returns the exit status."""
            ...


DEFAULT = "doctor"


def command(name: str) -> Command:
    """A command by its name."""
    found: Any = import_module(f".{_config.COMMANDS[name]}", __package__)
    return found  # type: ignore[no-any-return]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that *arguments* (by default those of the process) name; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"] and "run" in _config.COMMANDS:
        # It reads its words itself, for they are python's, and what it runs should start without delay.
        status: int = import_module(f".{_config.COMMANDS['run']}", __package__).main(words[1:])
        return status
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}", description=f"Without a command, and with only options, it is {DEFAULT}."
    )
    parser.add_argument("--version", action="version", version=f"socketpkg {_version.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version")):
        words.insert(0, DEFAULT)
    # Only the command that was named is imported: the modules of the others must not be in a program that `run` starts.
    for name in [words[0]] if words[0] in _config.COMMANDS else _config.COMMANDS:
        chosen = command(name)
        subparser = commands.add_parser(name, help=chosen.SUMMARY, description=chosen.SUMMARY)
        chosen.add_arguments(subparser)
        subparser.set_defaults(run=chosen.run)
    options = parser.parse_args(words)
    status = options.run(options)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
