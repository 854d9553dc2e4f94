"""``python -m socketpkg chaos --seeds N -- COMMAND``: a program's own tests, with what the network may do to them."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

from .. import backends
from . import _options, _stack
from .chaos import Layer

SUMMARY = "run a command again and again, each time with other legal misfortunes of the network"
#: How many lines of what was done a failure shows.
SHOWN = 12
#: How many seeds are tried where nothing is said.
SEEDS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.usage = "python -m socketpkg chaos [--seeds N] [--seed FIRST] [--kinds KINDS] [--rate RATE] -- COMMAND ..."
    parser.add_argument("--seeds", type=int, metavar="N", help=f"how many seeds to try ({SEEDS})")
    parser.add_argument("--seed", default="", metavar="FIRST", help="the first of them (1); alone, the only one")
    parser.add_argument("--kinds", default="legal", help=Layer.OPTIONS["kinds"].help)
    parser.add_argument("--rate", default="1", help=Layer.OPTIONS["rate"].help)
    parser.add_argument("--backend", default="", metavar="NAME", help="the backend, or the stack, below")
    parser.add_argument("--no-control", action="store_true", help="do not run the command once without chaos before")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command and its arguments")
    parser.set_defaults(parser=parser)


def run(options: argparse.Namespace) -> int:
    """Runs the command with each seed.

    The status is 1 when it failed with one, 2 when it fails without chaos or never met it.
    """
    parser: argparse.ArgumentParser = options.parser
    words: list[str] = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        parser.error("the command to run is missing")
    settings = [("kinds", options.kinds), ("rate", options.rate)]
    for key, text in [*settings, ("seed", options.seed or "1")]:
        try:
            _options.read([(key, text)], Layer.OPTIONS, "the command line", f"--{key}")
        except backends.LayerError as error:
            parser.error(str(error))
    count = options.seeds
    if count is None:
        count = 1 if options.seed else SEEDS
    if count < 1:
        parser.error("--seeds is 1 or more")
    first = int(options.seed or "1")
    seeds = range(first, first + count)
    below = options.backend or os.environ.get(backends.VARIABLE, "") or "auto"
    command = through_run(words)
    try:
        _stack.split(f"{Layer.NAME}+{below}".lower())
    except backends.LayerError as error:
        parser.error(f"the stack below, {below!r}: {error}")
    try:
        return _try(options, words, command, settings, seeds, below)
    except _CannotRun as failure:
        print(f"chaos: {failure}", file=sys.stderr)
        return 2


class _CannotRun(Exception):
    """The command is not there, or no program."""


def _try(
    options: argparse.Namespace,
    words: list[str],
    command: list[str],
    settings: list[tuple[str, str]],
    seeds: range,
    below: str,
) -> int:
    if not options.no_control:
        status = _run(command, {backends.VARIABLE: below})
        if status:
            print(f"chaos: without chaos the command fails already, with status {status}", file=sys.stderr)
            return 2
    failed = []
    met = False
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="socketpkg-chaos-") as folder:
            log = os.path.join(folder, "log")
            pairs = [f"seed={seed}", *(f"{key}={value}" for key, value in settings), f"log={shlex.quote(log)}"]
            environment = {backends.VARIABLE: f"chaos+{below}", Layer.variable(): " ".join(pairs)}
            status = _run(command, environment)
            # The layer opens it when a program loads the stack.
            met = met or os.path.exists(log)
            done = _lines(log)
        if not status:
            print(f"chaos: seed {seed} passed, {len(done)} things done", file=sys.stderr)
            continue
        failed.append(seed)
        print(f"chaos: seed {seed} FAILED with status {status}; of {len(done)} things done, the last:", file=sys.stderr)
        for line in done[-SHOWN:]:
            print(f"    {line}", file=sys.stderr)
        print(f"chaos: to repeat it: {_repeat(options, seed, words)}", file=sys.stderr)
    if not met and not failed:
        print(
            "chaos: the command started nothing that uses socketpkg, so nothing was tried; start its programs with"
            " python -m socketpkg run",
            file=sys.stderr,
        )
        return 2
    print(
        f"chaos: {len(seeds) - len(failed)} of {len(seeds)} seeds passed"
        + (f"; failed: {', '.join(map(str, failed))}" if failed else ""),
        file=sys.stderr,
    )
    return 1 if failed else 0


def _repeat(options: argparse.Namespace, seed: int, words: list[str]) -> str:
    parts = ["python", "-m", "socketpkg", "chaos", "--seed", str(seed)]
    for key, usual in (("kinds", "legal"), ("rate", "1"), ("backend", "")):
        if getattr(options, key) != usual:
            parts += [f"--{key}", getattr(options, key)]
    return shlex.join([*parts, "--", *words])


def _run(command: list[str], environment: dict[str, str]) -> int:
    try:
        return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode
    except OSError as error:
        raise _CannotRun(f"cannot run {command[0]!r}: {error.strerror}") from error


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def through_run(words: list[str]) -> list[str]:
    """The command with ``-m socketpkg run`` in it, where it starts Python: a program that knows nothing of socketpkg
    uses it then. Another command is as it was; the environment reaches what it starts."""
    name = os.path.basename(words[0])
    run = ["-m", "socketpkg", "run"]
    if name.startswith(("python", "pypy")):
        position = 1
        while position < len(words) and words[position].startswith("-") and words[position] != "-":
            if words[position].startswith("-m"):
                if words[position + 1 : position + 2] == ["socketpkg"] or words[position] == "-msocketpkg":
                    return words
                return [*words[:position], *run, *words[position:]]
            if words[position] == "-c":
                break
            position += 2 if words[position] in ("-X", "-W") else 1
        return [*words[:position], *run, *words[position:]]
    path = shutil.which(words[0])
    if path is not None:
        try:
            with open(path, "rb") as file:
                head = file.read(200).split(b"\n")[0]
        except OSError:
            head = b""
        if head.startswith(b"#!") and b"python" in head:
            interpreter = head[2:].decode("utf-8", "replace").split()
            return [*interpreter, *run, path, *words[1:]]
    return words
