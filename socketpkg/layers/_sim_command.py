"""``python -m socketpkg sim``: looks at the running networks of the layer ``sim``, and cuts and heals their links."""

from __future__ import annotations

import argparse
import os
import sys

from ._names import Names
from ._sim_network import Link, Network, base_folder, running
from ._sim_view import View

SUMMARY = "look at the running networks of the layer sim, cut and heal their links"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("--network", default="", metavar="NAME", help="the network; without it all that are running")
    parser.add_argument(
        "--folder", default="", metavar="PATH", help="where the networks are, as the option of the layer"
    )
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    actions.add_parser("ss", help="the sockets, as ss(8) shows those of the machine")
    for name, words in (
        ("partition", "cut the link between two hosts"),
        ("link", "change it: latency=50 loss=0.1 ..."),
    ):
        action = actions.add_parser(name, help=words)
        action.add_argument("host", help="an address of a host")
        action.add_argument("other", help="an address of the other one")
        if name == "link":
            action.add_argument("settings", nargs="+", metavar="KEY=VALUE", help=", ".join(Link._fields))
    heal = actions.add_parser("heal", help="mend the link between two hosts, or all links")
    heal.add_argument("hosts", nargs="*", metavar="HOST", help="an address of each")
    parser.set_defaults(parser=parser)


def run(options: argparse.Namespace) -> int:
    """Does it. The status is 1 when there is no such network."""
    folders = running(options.folder)
    if options.network:
        folders = [path for path in folders if path == f"{base_folder(options.folder)}/n-{options.network}"]
    if not folders:
        print("there is no running network" + (f" {options.network!r}" if options.network else ""), file=sys.stderr)
        return 1
    from .. import _socket

    names = Names(_socket.backend.syscalls)
    for folder in folders:
        view = View(Network(names, folder, lambda name: True))
        try:
            _act(view, options)
        except ValueError as failure:
            options.parser.error(str(failure))
        if options.action == "ss":
            name = os.path.basename(folder)
            print(f"network {name[2:]}" if name.startswith("n-") else f"network of one program, {folder}")
            print(view)
    return 0


def _act(view: View, options: argparse.Namespace) -> None:
    if options.action == "partition":
        view.partition(options.host, options.other)
    elif options.action == "link":
        given = Link.parse(" ".join(options.settings))._asdict()
        keys = [word.partition("=")[0] for word in options.settings]
        view.set_link(options.host, options.other, **{key: given[key] for key in keys})
    elif options.action == "heal":
        if len(options.hosts) not in (0, 2):
            raise ValueError("heal takes two hosts, or none for all links")
        view.heal(*options.hosts)
