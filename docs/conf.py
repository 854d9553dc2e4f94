"""The site: `nox -s docs` builds it with Sphinx from the Markdown of this folder and the docstrings of the package."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# The backend whose functions are Python: the signatures and docstrings are those of the others.
os.environ["SOCKET_BACKEND"] = "ctypes"

import _inventory
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import socketpkg
import socketpkg.contract

# Annotations there name the contract, which the import itself does not load beside a compiled backend.
vars(socketpkg.backends).setdefault("contract", socketpkg.contract)

project = "socketpkg"
author = "socketpkg contributors"
copyright = author
release = version = socketpkg.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build"]
# What is between single backquotes in a docstring is code.
default_role = "code"
nitpicky = True
# What signatures name that no manual has: what only type checkers see, and what is ours and nobody's to use.
nitpick_ignore_regex = [
    (r"py:(class|obj|data)", r"(?:_typeshed\.|.*\b_)\w+.*"),
    (r"py:(class|obj|data)", r"ReadableBuffer|WriteableBuffer|SupportsIndex|Any|Self|(?:.*\.)?_T"),
    (r"py:class", r"HasDescriptor|Items|AbstractContextManager|IPv[46]Address|BaseRequestHandler"),
]

myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]

autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
# Functions in C have their form in the first line of their docstring; ours say there what they return, too.
autodoc_docstring_signature = False
python_use_unqualified_type_names = True

intersphinx_mapping: dict[str, tuple[str, str]] = {}
intersphinx_timeout = 0.1

html_theme = "furo"
html_title = f"socketpkg {release}"
html_show_sphinx = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

CONSTANTS = socketpkg._socket.core.CONSTANTS
#: They have entries of their own in the reference.
ENUMS = ("AddressFamily", "SocketKind", "MsgFlag", "AddressInfo")


def _is_constant(name: str) -> bool:
    return name in CONSTANTS or name.isupper()


def _paragraphs(names: Iterable[str], make: Any) -> list[nodes.Node]:
    """*names* by their first part, each group a paragraph."""
    found: list[nodes.Node] = []
    for _, group in groupby(sorted(names), key=lambda name: name.partition("_")[0]):
        paragraph = nodes.paragraph()
        for name in group:
            if paragraph.children:
                paragraph += nodes.Text(" ")
            paragraph += make(name)
        found.append(paragraph)
    return found


class StandardNames(SphinxDirective):
    """``{standard-names} functions`` or ``methods``: the standard library's, linked to its manual."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        kind = self.arguments[0]
        owner: Any = socket.socket if kind == "methods" else socket
        names = [
            name for name in dir(owner) if not name.startswith("_") and not _is_constant(name) and name not in ENUMS
        ]
        if kind == "functions":
            names = [name for name in names if name in socketpkg.__all__]
        prefix = "socket.socket." if kind == "methods" else "socket."
        known = {
            line.split()[1] for line in _inventory.NAMES.read_text(encoding="utf-8").splitlines() if line[0] != "#"
        }
        paragraph = nodes.paragraph()
        for name in names:
            if paragraph.children:
                paragraph += nodes.Text(", ")
            code = nodes.literal(name, name)
            if prefix + name in known:
                link = addnodes.pending_xref(
                    "", code, refdomain="py", reftype="obj", reftarget=prefix + name, refexplicit=True
                )
                paragraph += link
            else:
                paragraph += code
        return [paragraph]


class Constants(SphinxDirective):
    """``{constants} standard`` or ``own``: those that the standard library has on this Python, and the others."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        own = self.arguments[0] == "own"
        chosen = [name for name in socketpkg.__all__ if _is_constant(name) and hasattr(socket, name) != own]
        return _paragraphs(chosen, lambda name: nodes.literal(name, name))


def _without_aliases(app: object, what: object, name: object, found: object, options: object, lines: list[str]) -> None:
    """Takes away what every named tuple says of a field by itself."""
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", _without_aliases)
    inventory = Path(app.doctreedir) / "python.inv"
    _inventory.write(inventory)
    app.config.intersphinx_mapping = {"python": ("https://docs.python.org/3", str(inventory))}
    app.add_directive("standard-names", StandardNames)
    app.add_directive("constants", Constants)
