"""The doctor: which backends there are, which one was chosen and why, and what the kernel can do.

It must work when nothing else does. So it stands on `socketpkg.backends` alone, and tries the kernel with the standard
library's sockets.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import platform
import socket
import sys
import sysconfig
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from .. import _config, _version, backends

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

SUMMARY = "Say which backends can be used, which one was chosen and why, and what the kernel can do."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The doctor's options."""
    parser.add_argument("--json", action="store_true", help="print the same facts as one JSON object")


def run(options: argparse.Namespace) -> int:
    """Prints the report. The status is 1 when no backend could be chosen."""
    report = examine()
    try:
        print(json.dumps(report, indent=2) if options.json else render(report))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head(1), has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # or the interpreter complains when it flushes at its end
    return 0 if report["selection"]["error"] is None else 1


def examine() -> dict[str, Any]:
    """Everything the doctor knows, in the shape of its JSON."""
    selection = _selection()
    found = [_backend(status) for status in backends.available().values()]
    features = [{"name": f.name, "available": f.reason is None, "reason": f.reason or ""} for f in kernel_features()]
    return {
        "socketpkg": {
            "version": _version.__version__,
            "path": os.path.dirname(os.path.abspath(backends.__file__)),
            "vendored_as": _config.VENDORED_AS,
        },
        "python": {
            "version": platform.python_version(),
            "implementation": _implementation(),
            "compiler": platform.python_compiler(),
            "gil": gil_state(),
            "executable": sys.executable,
        },
        "selection": selection,
        "layers": _layers(selection["backend"]),
        "import_socket": _import_socket(),
        "backends": found,
        "system": {
            "kernel": f"{platform.system()} {platform.release()}",
            "machine": platform.machine(),
            "libc": " ".join(platform.libc_ver()).strip(),
            "features": features,
        },
    }


def gil_state() -> str:
    """Whether threads of this process share a lock, and whether they need to."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
    return ("enabled" if enabled else "disabled") + (" (free-threaded build)" if free_threaded else "")


def _implementation() -> str:
    name = platform.python_implementation()
    pypy = getattr(sys, "pypy_version_info", None)
    return name if pypy is None else f"{name} {'.'.join(map(str, pypy[:3]))}"


def _selection() -> dict[str, str | None]:
    name, error = None, None
    try:
        importlib.import_module(f"{backends.__package__}._socket")
        name = backends.selected()
    except ImportError as failure:
        error = str(failure)
    return {
        "variable": os.environ.get(backends.VARIABLE),
        "rule": backends.rule(),
        "backend": name,
        "error": error,
    }


def _layers(chosen: str | None) -> list[dict[str, str]]:
    """The layers of the stack that was chosen, from the top."""
    layers: Any = () if chosen is None else backends.current().layers
    return [{"name": layer.NAME, "state": layer.state(), "does": layer.SUMMARY} for layer in layers]


def _import_socket() -> str:
    """What ``import socket`` gives in a program that is started here, which SOCKET_BACKEND alone does not change."""
    run = f"python -m {backends.__package__} run"
    if _config.VENDORED_AS is not None:
        return "the standard library's"
    why_not = importlib.import_module(f"{backends.__package__}._bootstrap").reaches()
    if not why_not:
        return f"socketpkg's in the Python programs started here, by the sitecustomize of {run}"
    return f"the standard library's in the Python programs started here ({why_not}; {run} does)"


def _backend(status: backends.BackendStatus) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": status.name, "usable": status.usable, "reason": status.reason}
    if status.usable:
        backend = backends.load(status.name)
        facts["package"] = backend.package
        facts["features"] = sorted(backend.features)
        try:
            facts["describe"] = {str(k): str(v) for k, v in backend.syscalls.describe().items()}
        except Exception as error:  # a backend of anyone; its bug must not hide what is known of the others
            facts["describe"] = {"error": f"{type(error).__name__}: {error}"}
    return facts


def render(report: Mapping[str, Any]) -> str:
    """The report for people."""
    return "\n".join(_lines(report))


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    python, system, selection = report["python"], report["system"], report["selection"]
    own = report["socketpkg"]
    copy = "" if own["vendored_as"] is None else f", vendored as {own['vendored_as']},"
    yield f"socketpkg {own['version']}{copy} in {own['path']}"
    # PyPy does not say which compiler made it.
    parts = [python["version"], python["implementation"], python["compiler"], f"GIL {python['gil']}"]
    yield f"Python {', '.join(filter(None, parts))}"
    yield f"{system['kernel']}, {system['machine']}, {system['libc'] or 'libc unknown'}"
    yield ""
    rows = [("", "backend", "", "")]
    for backend in report["backends"]:
        mark = "*" if backend["name"] == (selection["backend"] or "").rpartition("+")[2] else ""
        if backend["usable"]:
            facts = ", ".join(f"{key} {value}" for key, value in backend["describe"].items())
            rows.append((mark, backend["name"], "usable", facts))
            if backend["features"]:
                rows.append(("", "", "", "can: " + ", ".join(backend["features"])))
        else:
            rows.append((mark, backend["name"], "no", backend["reason"]))
    yield from _table(rows)
    yield ""
    if selection["error"] is None:
        yield f"chosen: {selection['backend']}, by {selection['rule']}"
    else:
        yield f"chosen: none, by {selection['rule']}"
        yield f"        {selection['error']}"
    for layer in report["layers"]:
        yield f"        layer {layer['name']}, {layer['does']}: {layer['state']}"
    yield f"import socket: {report['import_socket']}"
    yield ""
    rows = [("", "kernel", "", "")]
    for feature in system["features"]:
        rows.append(("", feature["name"], "yes" if feature["available"] else "no", feature["reason"]))
    yield from _table(rows)


def _table(rows: list[tuple[str, str, str, str]]) -> Iterator[str]:
    widths = [max(1, *(len(row[column]) for row in rows)) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[3]]).rstrip()


# -- the kernel --------------------------------------------------------------------------------------------------------


class KernelFeature(NamedTuple):
    """One thing that a kernel may be able to do."""

    name: str
    #: Why not; None when it can.
    reason: str | None


class _Unnamed(Exception):
    """No header and no table has a number for this constant."""


class _Numbers:
    """The values of constants: from a backend, which knows more of them, else from the standard library's socket."""

    def __init__(self) -> None:
        self._known: Mapping[str, int] = {}
        for status in backends.available().values():
            if status.usable and not self._known:
                with contextlib.suppress(Exception):  # a backend whose table is broken; the next one's may not be
                    self._known = dict(backends.load(status.name).syscalls.constants())

    def __getattr__(self, name: str) -> int:
        value = self._known.get(name, getattr(socket, name, None))
        if value is None:
            raise _Unnamed(f"{name} is not known on this platform")
        return int(value)


def kernel_features() -> list[KernelFeature]:
    """What the kernel can do, each thing tried on a real socket."""
    numbers = _Numbers()
    result = []
    for name, probe in _PROBES.items():
        reason = None
        try:
            with contextlib.ExitStack() as stack:
                probe(numbers, stack)
        except OSError as error:
            reason = error.strerror or str(error)
        except (_Unnamed, ValueError, TypeError) as error:  # the latter two: an address that this Python cannot write
            reason = str(error)
        result.append(KernelFeature(name, reason))
    return result


def _udp(stack: contextlib.ExitStack, family: int = socket.AF_INET, host: str = "127.0.0.1") -> socket.socket:
    sock = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
    sock.bind((host, 0))
    return sock


def _connected(stack: contextlib.ExitStack) -> socket.socket:
    listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    client.settimeout(5)
    client.connect(listener.getsockname())
    return client


def _ipv6(_: _Numbers, stack: contextlib.ExitStack) -> None:
    _udp(stack, socket.AF_INET6, "::1")


def _dualstack(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
    sock = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
    sock.setsockopt(numbers.IPPROTO_IPV6, numbers.IPV6_V6ONLY, 0)
    sock.bind(("::", 0))


def _unix(_: _Numbers, stack: contextlib.ExitStack) -> None:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    sock.bind(os.path.join(folder, "s"))


def _abstract(_: _Numbers, stack: contextlib.ExitStack) -> None:
    sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    sock.bind(b"\0socketpkg-doctor-" + os.urandom(8).hex().encode())


def _so_peerpidfd(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
    for sock in (pair := socket.socketpair()):
        stack.enter_context(sock)
    os.close(pair[0].getsockopt(numbers.SOL_SOCKET, numbers.SO_PEERPIDFD))


def _so_txtime(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
    clock_and_flags = b"\1\0\0\0\0\0\0\0" if sys.byteorder == "little" else b"\0\0\0\1\0\0\0\0"  # CLOCK_MONOTONIC, 0
    _udp(stack).setsockopt(numbers.SOL_SOCKET, numbers.SO_TXTIME, clock_and_flags)


def _kernel_tls(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
    _connected(stack).setsockopt(numbers.IPPROTO_TCP, numbers.TCP_ULP, b"tls")


def _alg(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
    sock = stack.enter_context(socket.socket(numbers.AF_ALG, socket.SOCK_SEQPACKET))
    sock.bind(("hash", "sha256"))


def _option(level: str, option: str, kind: int = socket.SOCK_DGRAM, value: int = 1) -> _Probe:
    def probe(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
        sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
        sock.setsockopt(getattr(numbers, level), getattr(numbers, option), value)

    return probe


def _socket(family: str, kind: int, proto: str = "") -> _Probe:
    def probe(numbers: _Numbers, stack: contextlib.ExitStack) -> None:
        number = getattr(numbers, proto) if proto else 0
        stack.enter_context(socket.socket(getattr(numbers, family), kind, number))

    return probe


if TYPE_CHECKING:
    _Probe = Callable[[_Numbers, contextlib.ExitStack], None]

_PROBES: dict[str, _Probe] = {
    "IPv6 loopback": _ipv6,
    "IPv6 dual stack": _dualstack,
    "UNIX sockets": _unix,
    "UNIX abstract names": _abstract,
    "SO_REUSEPORT": _option("SOL_SOCKET", "SO_REUSEPORT"),
    "SO_TIMESTAMPNS": _option("SOL_SOCKET", "SO_TIMESTAMPNS"),
    "SO_TXTIME": _so_txtime,
    "SO_ZEROCOPY": _option("SOL_SOCKET", "SO_ZEROCOPY", socket.SOCK_STREAM),
    "SO_PEERPIDFD": _so_peerpidfd,
    "UDP_SEGMENT": _option("IPPROTO_UDP", "UDP_SEGMENT", value=1400),
    "UDP_GRO": _option("IPPROTO_UDP", "UDP_GRO"),
    "TCP_FASTOPEN": _option("IPPROTO_TCP", "TCP_FASTOPEN", socket.SOCK_STREAM),
    "TLS in the kernel": _kernel_tls,
    "MPTCP": _socket("AF_INET", socket.SOCK_STREAM, "IPPROTO_MPTCP"),
    "SCTP": _socket("AF_INET", socket.SOCK_STREAM, "IPPROTO_SCTP"),
    "UDP-Lite": _socket("AF_INET", socket.SOCK_DGRAM, "IPPROTO_UDPLITE"),
    "ICMP datagrams": _socket("AF_INET", socket.SOCK_DGRAM, "IPPROTO_ICMP"),
    "raw sockets": _socket("AF_INET", socket.SOCK_RAW, "IPPROTO_ICMP"),
    "AF_ALG": _alg,
    "AF_CAN": _socket("AF_CAN", socket.SOCK_RAW),
    "AF_NETLINK": _socket("AF_NETLINK", socket.SOCK_RAW),
    "AF_PACKET": _socket("AF_PACKET", socket.SOCK_RAW),
    "AF_TIPC": _socket("AF_TIPC", socket.SOCK_STREAM),
    "AF_VSOCK": _socket("AF_VSOCK", socket.SOCK_STREAM),
}
