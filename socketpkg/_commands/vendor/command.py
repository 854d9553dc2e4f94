"""``python -m socketpkg vendor``: its arguments, what it says, and its exit status."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import tempfile
from pathlib import Path

from ... import _config, _version, backends
from . import advice, build, generate, material
from .errors import VendorError
from .manifest import MANIFEST, Manifest, digest_of
from .place import Place, terminable
from .rewrite import ROOT
from .sources import BACKEND, Sources

SUMMARY = "put a copy of socketpkg with one backend into the tree of a program"
FASTEST = "fastest"
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's own options."""
    parser.add_argument("dest", metavar="DEST", help="a package folder of the program, such as src/myapp/_vendor")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say whether the copy in DEST was changed: status 1 if so")
    what.add_argument("--update", action="store_true", help="renew the copy in DEST, with the options it was made with")
    parser.add_argument("--force", action="store_true", help="with --update: overwrite files that were changed")
    _add_options(parser)
    parser.set_defaults(parser=parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    """Those that decide what the copy is, and that it remembers."""
    choices = (*_config.BUILT_IN, FASTEST)
    parser.add_argument("--backend", choices=choices, help="the backend that it has; fastest, if not said, measures")
    parser.add_argument("--package", metavar="NAME", help="what DEST is called, if its folders don't say: a.b._vendor")
    parser.add_argument("--no-build", action="store_true", help="write the C sources, and don't compile them")


def run(options: argparse.Namespace) -> int:
    """Does it. Bad input, and a copy that cannot be made, give the status 2, with nothing written."""
    parser: argparse.ArgumentParser = options.parser
    if options.force and not options.update:
        parser.error("--force goes with --update")
    if options.check and (options.backend or options.package or options.no_build):
        parser.error("--check goes with none of --backend, --package, --no-build")
    try:
        with terminable():
            if options.check:
                return _check(options.dest)
            return _update(options) if options.update else _make(options)
    except (VendorError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; {options.dest} is as it was", file=sys.stderr)
        return INTERRUPTED


def _check(dest: str) -> int:
    copy = Path(dest) / ROOT
    manifest = Manifest.read(copy, dest)
    changes = list(manifest.changes(copy))
    for kind, path in changes:
        print(f"{kind}: {copy / path}")
    what = f"the copy of socketpkg {manifest.version} in {copy}"
    print(f"{what} was changed" if changes else f"{what} is as it was made")
    return 1 if changes else 0


def _make(options: argparse.Namespace) -> int:
    place = Place(options.dest, options.package)
    place.require_empty()
    place.require_writable()
    _write(place, options, _chosen(options))
    return 0


def _update(options: argparse.Namespace) -> int:
    old = Manifest.read(Path(options.dest) / ROOT, options.dest)
    made_with = argparse.ArgumentParser(exit_on_error=False)
    _add_options(made_with)
    try:
        remembered, unknown = made_with.parse_known_args(shlex.split(old.options))
    except (argparse.ArgumentError, ValueError) as error:
        raise VendorError(f"the options in {Path(options.dest, ROOT, MANIFEST)} are not understood: {error}") from None
    if unknown:
        raise VendorError(f"the options in {Path(options.dest, ROOT, MANIFEST)} are not understood: {old.options}")
    for name, value in vars(remembered).items():
        if not getattr(options, name):
            setattr(options, name, value)
    place = Place(options.dest, options.package)
    changes = list(old.changes(place.copy))
    if changes and not options.force:
        listed = "".join(f"\n{kind}: {place.copy / path}" for kind, path in changes)
        raise VendorError(f"the copy was changed, and --update without --force leaves it so:{listed}")
    place.require_writable()
    new = _write(place, options, _chosen(options))
    names = sorted(set(old.files) | set(new.files))
    count = sum(old.files.get(name) != new.files.get(name) for name in names)
    print(f"It was version {old.version}; {count} of {len(names)} files are different.")
    return 0


def _chosen(options: argparse.Namespace) -> str:
    """The backend that is asked for, which must be usable unless it is not to be built."""
    statuses = backends.available()
    name: str = options.backend or FASTEST
    if name != FASTEST:
        if not statuses[name].usable and not options.no_build:
            raise VendorError(f"the backend {name} cannot be used here: {statuses[name].reason}")
        return name
    usable = [name for name in _config.BUILT_IN if statuses[name].usable]
    if not usable:
        reasons = "; ".join(f"{name}: {statuses[name].reason}" for name in _config.BUILT_IN)
        raise VendorError(f"there is no backend that can be used here, and so no fastest one: {reasons}")
    for name in _config.BUILT_IN:
        if name not in usable:
            print(f"not measured: {name}, since it cannot be used here: {statuses[name].reason}")
    from ..bench import rank
    from ..bench.lockstep import WorkerError

    try:
        ranking = rank(usable)
    except WorkerError as error:
        raise VendorError(f"the backends cannot be measured: {error}. Name one with --backend") from error
    print("measured, as a multiple of the time that the standard library's socket takes:")
    for name, ratio in ranking:
        print(f"    {name:<8}{ratio:.2f}")
    print(f"the fastest is {ranking[0][0]}")
    return ranking[0][0]


def _write(place: Place, options: argparse.Namespace, backend: str) -> Manifest:
    """Makes the copy, puts it into its place, and says so."""
    sources = Sources(backend)
    generator = generate.generator(backend)
    if sources.compiled and not options.no_build:
        build.require_compiler()
    with tempfile.TemporaryDirectory(prefix=f"{ROOT}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (work := folder / "work").mkdir()
        files = sources.python(place.name)
        files["LICENSE"] = material.licence()
        extensions = {}
        for module, code in sorted(generate.c_files(sources, place.name, work).items()):
            path = f"{BACKEND}/{module}.c"
            files[path] = code
            extensions[f"{place.name}.{BACKEND}.{module}"] = path
        manifest = Manifest(
            version=_version.__version__,
            backend=backend,
            name=place.name,
            options=_remembered(options, backend),
            generator=generator,
            requires=advice.CFFI if backend == "cffi" else "",
            extensions=extensions,
            files={path: digest_of(text.encode()) for path, text in files.items()},
        )
        root = folder / "root"
        inside = Path(*place.name.split("."))
        for path, text in {**files, MANIFEST: manifest.text()}.items():
            target = root / inside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        for parent in inside.parents[:-1]:
            (root / parent / "__init__.py").touch()
        if not options.no_build:
            if extensions:
                paths = {name: (inside / path).as_posix() for name, path in extensions.items()}
                build.build(root, paths, folder / "objects")
            build.try_out(root, place.name, backend)
        place.put(root / inside)
    built = f", built for {platform.python_implementation()} {platform.python_version()}"
    built = built if extensions and not options.no_build else ""
    print(f"socketpkg {manifest.version} with the backend {backend} is in {os.path.join(place.given, ROOT)}{built}.")
    print(f"The program says: from {place.package} import {ROOT} as socket")
    for line in advice.lines(place, manifest):
        print(line)
    return manifest


def _remembered(options: argparse.Namespace, backend: str) -> str:
    words = ["--backend", backend]
    if options.package:
        words += ["--package", options.package]
    if options.no_build:
        words += ["--no-build"]
    return shlex.join(words)
