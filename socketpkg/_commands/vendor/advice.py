"""The lines that the program's own build needs, so that it builds the copy and takes along what belongs to it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from .manifest import MANIFEST, Manifest
from .place import Place
from .sources import BACKEND, TYPED

#: What the cffi backend needs at run time.
CFFI = "cffi>=1.16; platform_python_implementation != 'PyPy'"
DATA = ("LICENSE", MANIFEST, TYPED, "*.pyi")


def lines(place: Place, copy: Manifest) -> Iterator[str]:
    """What to add to which file, for the build tool that the program has; setuptools if that cannot be seen."""
    if _build_backend(place) == "mesonpy":
        yield from _meson(place, copy)
    else:
        yield from _setuptools(place, copy)
    if copy.requires:
        yield from ("", "The program needs cffi where it runs, not where it is built. In pyproject.toml:", "")
        yield from _indented("[project]", f'dependencies = ["{CFFI}"]')


def _build_backend(place: Place) -> str:
    try:
        with open(place.project / "pyproject.toml", "rb") as file:
            return str(tomllib.load(file)["build-system"]["build-backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _setuptools(place: Place, copy: Manifest) -> Iterator[str]:
    if copy.extensions:
        yield from ("", "The program's build compiles the copy, with a C compiler and nothing else. In setup.py:", "")
        rows = (f'    Extension("{name}", ["{place.relative}/{path}"]),' for name, path in copy.extensions.items())
        yield from _indented("from setuptools import Extension, setup", "", "setup(ext_modules=[", *rows, "])")
    yield from ("", "What is not Python comes along. In pyproject.toml:", "")
    data = ", ".join(f'"{name}"' for name in DATA)
    yield from _indented("[tool.setuptools.package-data]", f'"{place.name}" = [{data}]')
    folders = sorted(path.rpartition("/")[0] for path in copy.files if path.rpartition("/")[2] == "__init__.py")
    first, *rest = (".".join([place.name, *filter(None, folder.split("/"))]) for folder in folders)
    yield from ("", f"A project that lists its packages by name adds {', '.join([first, *rest[:-1]])} and {rest[-1]}.")


def _meson(place: Place, copy: Manifest) -> Iterator[str]:
    inside = place.name.replace(".", "/")
    yield from ("", "In meson.build, where py is import('python').find_installation(pure: false):", "")
    rows = [f"install_subdir('{place.relative}', install_dir: py.get_install_dir() / '{inside.rpartition('/')[0]}',"]
    rows += ["  exclude_files: ["]
    rows += [f"    '{path}'," for path in copy.extensions.values()]
    rows += ["  ])"]
    for name, path in copy.extensions.items():
        rows += [
            f"py.extension_module('{name.rpartition('.')[2]}', '{place.relative}/{path}',",
            f"  subdir: '{inside}/{BACKEND}', install: true)",
        ]
    yield from _indented(*rows)
    if copy.extensions:
        yield from ("", "This installs also what is compiled in place: make the copy with --no-build.")


def _indented(*rows: str) -> Iterator[str]:
    return (f"    {row}".rstrip() for row in rows)
