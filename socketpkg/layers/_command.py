"""The options of layers as options of ``python -m socketpkg run``, made of the layers' own tables."""

from __future__ import annotations

import argparse
import os
import shlex

from .. import _config, backends
from . import _options
from ._base import Layer
from ._stack import _layer as layer_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The layers in the order in which a call meets them when options name them.
ORDER = ("chaos", "guard", "trace", "sim")
#: Options that have a short name too: the layer, and its option.
SHORT = {
    "--allow": ("guard", "allow"),
    "--deny": ("guard", "deny"),
    "--pcap": ("trace", "pcap"),
    "--seed": ("chaos", "seed"),
    "--summary": ("trace", "summary"),
}


class _Given(argparse.Action):
    """Adds (layer, option, text) to the namespace's list: their order means something."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        layer, key, text = self.const
        given = getattr(namespace, "layers", None) or []
        namespace.layers = [*given, (layer, key, values if isinstance(values, str) else text)]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declares ``--trace``, ``--trace-pcap FILE`` and so on, and the short names."""
    for name in ORDER:
        if name not in _config.LAYERS:
            continue
        cls = layer_class(name)
        group = parser.add_argument_group(f"layer {name}", cls.SUMMARY)
        _add(group, f"--{name}", name, None, None, f"put the layer {name} into the stack")
        for key, option in cls.OPTIONS.items():
            shorts = [short for short, target in SHORT.items() if target == (name, key)]
            word = key.replace("_", "-")
            if option.default is True:  # without an argument an option can only change what it is without it
                _add(group, f"--{name}-no-{word}", name, key, option, f"do not {option.help}", text="no")
            else:
                _add(group, f"--{name}-{word}", name, key, option, option.help, *shorts)


def _add(
    group: Any, word: str, layer: str, key: str | None, option: Any, help: str, *shorts: str, text: str | None = None
) -> None:
    plain = option is None or option.read is _options._read_flag
    group.add_argument(
        word,
        *shorts,
        action=_Given,
        dest="layers",
        const=(layer, key, text),
        nargs=0 if plain else None,
        metavar=None if plain else key.upper().replace("_", "-") if key else None,
        help=help.replace("%", "%%"),
    )


def apply(
    parser: argparse.ArgumentParser, given: list[tuple[str, str | None, str | None, str]], backend: str | None
) -> str:
    """Puts the options of layers into the environment, for this process and its children; returns the name of the
    stack. It is called before a backend is chosen. An option is (layer, key, text, what was typed)."""
    asked = os.environ.get(backends.VARIABLE, "") if backend is None else backend
    named = [name for name in ORDER if any(layer == name for layer, *_ in given)]
    words = [word.strip().lower() for word in asked.split("+")] if asked.strip() else []
    for name in named:
        pairs = []
        cls: type[Layer] = layer_class(name)
        for layer, key, value, typed in given:
            if layer == name and key is not None:
                pairs.append((key, value))
                try:
                    cls.read_options(pairs[-1:], "the command line", typed)
                except backends.LayerError as error:
                    parser.error(str(error))
        if pairs:
            added = " ".join(key if value is None else shlex.quote(f"{key}={value}") for key, value in pairs)
            variable = cls.variable()
            os.environ[variable] = " ".join(filter(None, [os.environ.get(variable, ""), added]))
    return "+".join([*(name for name in named if name not in words), *words])
