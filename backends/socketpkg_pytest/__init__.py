"""The pytest plugin: a test suite over a stack, without a change to it. Inert until an option or a mark asks for it.

``pytest --socket=chaos+guard+auto --socket-allow=127.0.0.1 --socket-chaos-seed=7``. The stack has to be there before
any test module imports ``socket``, so the options are read as early as pytest lets a plugin do it. It is a package of
its own, so that pytest loads nothing of socketpkg before it is asked for.
"""

from __future__ import annotations

import os
import shlex
import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_VARIABLE = "SOCKET_BACKEND"
#: What is an option of which layer, in the order in which a call meets the layers.
_OPTIONS = {
    "--socket-chaos-seed": ("chaos", "seed"),
    "--socket-chaos-kinds": ("chaos", "kinds"),
    "--socket-allow": ("guard", "allow"),
    "--socket-deny": ("guard", "deny"),
    "--socket-trace": ("trace", "file"),
    "--socket-sim-name": ("sim", "name"),
}
#: The stack that this run of pytest is on.
_STARTED = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options. With none of them the plugin does nothing."""
    group = parser.getgroup("socketpkg", "sockets through the layers and backends of socketpkg")
    group.addoption(
        "--socket", metavar="STACK", help="run the tests on this backend or stack, such as chaos+guard+auto"
    )
    group.addoption("--socket-allow", metavar="RULE", action="append", default=[], help="guard: allow this")
    group.addoption("--socket-deny", metavar="RULE", action="append", default=[], help="guard: refuse this")
    group.addoption("--socket-chaos-seed", metavar="SEED", help="chaos: where all decisions come from")
    group.addoption("--socket-chaos-kinds", metavar="KINDS", help="chaos: legal, faults, or single kinds joined by +")
    group.addoption(
        "--socket-sim-name", metavar="NAME=ADDRESS", action="append", default=[], help="sim: a host name's address"
    )
    group.addoption("--socket-trace", metavar="FILE", help="trace: write each call to this file")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before the first conftest imports anything: puts socketpkg in place of socket."""
    options = early_config.known_args_namespace
    stack = _stack(options)
    if stack is None:
        return
    for layer, pairs in _settings(options).items():
        variable = f"SOCKETPKG_{layer.upper()}"
        added = " ".join(shlex.quote(f"{key}={value}") for key, value in pairs)
        if pairs and added not in os.environ.get(variable, ""):
            os.environ[variable] = " ".join(filter(None, [os.environ.get(variable, ""), added]))
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Each worker has a network of its own, and not that of who has started it.
        os.environ.pop("SOCKETPKG_SIM_FOLDER", None)
    # The environment carries it to the workers of xdist and to every other child.
    os.environ[_VARIABLE] = stack
    _start(early_config, stack)


def _stack(options: Any) -> str | None:
    """The stack that the options ask for; None when they ask for nothing."""
    asked: str | None = options.socket
    layers = list(_settings(options))
    if asked is None and not layers:
        return None
    words = [word.strip().lower() for word in (asked or os.environ.get(_VARIABLE) or "auto").split("+")]
    return "+".join([*(layer for layer in layers if layer not in words), *words])


def _settings(options: Any) -> dict[str, list[tuple[str, str]]]:
    """The options by layer, in the order in which a call meets the layers."""
    found: dict[str, list[tuple[str, str]]] = {}
    for option, (layer, key) in _OPTIONS.items():
        for value in _given(options, option):
            found.setdefault(layer, []).append((key, value))
    return found


def _given(options: Any, option: str) -> list[str]:
    """What an option was given, however often it may be."""
    value = getattr(options, option.removeprefix("--").replace("-", "_"))
    return value if isinstance(value, list) else [] if value is None else [value]


def _with_options(text: str, options: Any, stack: str) -> str:
    """An error's *text*, which names what the options of pytest are stored as, with their own names."""
    asked = f"--socket={options.socket}" if options.socket is not None else "an option of pytest"
    text = text.replace(f"{_VARIABLE}={stack}", asked)
    for option, (layer, key) in _OPTIONS.items():
        if not _given(options, option):
            continue
        for source in (f"SOCKETPKG_{layer.upper()}: the option {key!r}", f"the layer {layer!r}, option {key!r}"):
            text = text.replace(source, option)
    return text


def _start(config: pytest.Config, stack: str) -> None:
    import warnings

    loaded = sys.modules.get("socketpkg")
    try:
        import socketpkg
        from socketpkg import backends

        wanted = backends.load(stack)
    except ImportError as error:
        raise pytest.UsageError(_with_options(str(error), config.known_args_namespace, stack)) from error
    if loaded is not None and backends.current() is not wanted:
        raise pytest.UsageError(
            f"socketpkg was imported with the backend {backends.selected()} before --socket={stack} was read; set"
            f" {_VARIABLE}={stack} in the environment"
        )
    with warnings.catch_warnings():
        # pytest and its plugins import what imports socket; what they hold is their own matter.
        warnings.simplefilter("ignore", RuntimeWarning)
        socketpkg.install()
    _replace_in_loaded()
    config.stash[_STARTED] = socketpkg.__backend__


def _replace_in_loaded() -> None:
    """Lets modules that have imported the module socket before hold ours: pytest has loaded some by now."""
    names = {"socket", "_socket"}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in (
            "socketpkg",
            "socketpkg_c",
            "socketpkg_cffi",
            "socketpkg_ctypes",
            "socketpkg_ffi",
        ):
            continue
        for held in names:
            value = getattr(module, "__dict__", {}).get(held)
            if getattr(value, "__name__", None) == held and type(value) is type(sys) and value is not sys.modules[held]:
                setattr(module, held, sys.modules[held])


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marks."""
    for line in (
        "socket_allow(*rules): guard lets the test reach this, and nothing else",
        "socket_chaos(seed=None, kinds='legal', rate=1): chaos does this to the test",
        "socket_backend(*names): run the test once on each backend or stack; it asks for the fixture socket_backend",
    ):
        config.addinivalue_line("markers", line)


def pytest_report_header(config: pytest.Config) -> str | None:
    """The stack, and the options of its layers."""
    if _STARTED not in config.stash:
        return None
    from socketpkg import layers

    states = [f"{layer.NAME} {layer.state()}" for layer in layers.stack()]
    return "; ".join([f"socket: {config.stash[_STARTED]}", *states])


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """After a failure: the command that makes it again."""
    if _STARTED not in config.stash or not exitstatus:
        return
    failed = [report.nodeid for report in terminalreporter.stats.get("failed", [])]
    if failed:
        # A node id begins at the root of the tests; the command is for the folder that pytest was started in.
        path, colons, name = failed[0].partition("::")
        first = os.path.relpath(config.rootpath / path, config.invocation_params.dir) + colons + name
        given = [word for word in config.invocation_params.args if str(word).startswith("--socket")]
        if not any(str(word).startswith("--socket=") or word == "--socket" for word in given):
            given.insert(0, f"--socket={os.environ[_VARIABLE]}")
        again = shlex.join(["pytest", *map(str, _with_values(config.invocation_params.args, given)), first])
        terminalreporter.write_line(f"socket: to repeat the first failure: {again}")


def _with_values(arguments: Any, given: list[Any]) -> list[Any]:
    """The options of the plugin, each with the value that stands behind it."""
    words = list(arguments)
    found = []
    for word in given:
        found.append(word)
        if "=" not in str(word) and word in words and words.index(word) + 1 < len(words):
            found.append(words[words.index(word) + 1])
    return found


# -- marks and fixtures ------------------------------------------------------------------------------------------------


def _layer(name: str, item: Any) -> Any:
    from socketpkg import layers

    try:
        return layers.get(name)
    except LookupError:
        raise pytest.UsageError(
            f"{item.nodeid} needs the layer {name}; run pytest with --socket={name}+auto or set {_VARIABLE}"
        ) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Sets the layers as the marks of a test say, for its fixtures too, and sets them back."""
    allow = item.get_closest_marker("socket_allow")
    chaos = item.get_closest_marker("socket_chaos")
    if allow is None and chaos is None:
        return (yield)
    changed: list[tuple[Any, dict[str, Any], Any, bool]] = []
    try:
        if allow is not None:
            layer = _layer("guard", item)
            changed.append((layer, dict(layer.options), layer.rules, layer.enabled))
            layer.configure(allow=[str(rule) for rule in allow.args])
            layer.enabled = True
        if chaos is not None:
            layer = _layer("chaos", item)
            changed.append((layer, dict(layer.options), None, layer.enabled))
            settings = dict(chaos.kwargs)
            if chaos.args:
                settings["seed"] = chaos.args[0]
            seed = settings.pop("seed", None)
            if settings:
                layer.configure(**settings)
            layer.restart(layer.options["seed"] if seed is None else seed)
            layer.enabled = True
        return (yield)
    finally:
        for layer, options, rules, enabled in changed:
            layer.options.clear()
            layer.options.update(options)
            if rules is not None:
                layer.rules = rules
            layer.enabled = enabled


class Calls(list):  # type: ignore[type-arg]
    """The calls of a test, as `socketpkg.layers.trace.Call`: name, arguments, result, error."""

    def of(self, *names: str) -> list[Any]:
        """Those with one of the names."""
        return [call for call in self if call.name in names]


@pytest.fixture
def socket_trace(request: pytest.FixtureRequest) -> Iterator[Calls]:
    """The calls that this test makes of the network, in their order, to assert on."""
    layer = _layer("trace", request.node)
    calls = Calls()
    layer.listeners.append(calls.append)
    yield calls
    layer.listeners.remove(calls.append)


@pytest.fixture
def socket_sim(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The module `socketpkg.layers.sim`: hosts, and the network of this run. Its links are healed after the test."""
    _layer("sim", request.node)
    from socketpkg.layers import sim

    yield sim
    sim.network.heal()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test that is marked ``socket_backend(*names)`` once on each, by the fixture of that name."""
    if "socket_backend" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("socket_backend")
        names = list(mark.args) if mark is not None else ["c", "cffi", "ctypes"]
        metafunc.parametrize("socket_backend", names, indirect=True)


@pytest.fixture
def socket_backend(request: pytest.FixtureRequest) -> Any:
    """The low-level module (`Socket` and the functions of ``_socket``) on a backend or stack; skips what is not built.

    The mark ``socket_backend("c", "trace+ctypes")`` says which; without it each of c, cffi and ctypes.
    """
    from socketpkg import backends

    name = request.param
    if "+" not in name and name in backends.BUILT_IN and not backends.available()[name].usable:
        pytest.skip(f"the backend {name} cannot be used here: {backends.available()[name].reason}")
    return backends.load(name).core
