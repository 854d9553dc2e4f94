"""The choice of a backend: every rule, with real packages in fresh interpreters.

The backends that come with socketpkg are shadowed by packages on PYTHONPATH, made of the ctypes backend, so the rules
are tested the same wherever the real ones are built or not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import socketpkg
import socketpkg_ctypes
from socketpkg import backends, contract

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

PYPY = sys.implementation.name == "pypy"
ORDER = ["cffi", "ctypes"] if PYPY else ["c", "cffi", "ctypes"]
FIRST, SECOND = ORDER[:2]
REQUIRED = sorted(name for name in vars(contract.RequiredSyscalls) if not name.startswith("_"))

WHOLE = (
    "from socketpkg_ctypes.syscalls import Syscalls as Base\nclass Syscalls(Base):\n    features = frozenset({'fake'})"
)
INCOMPLETE = "from socketpkg.contract import Syscalls as Base\nclass Syscalls(Base):\n    pass"
BROKEN = "raise RuntimeError('the moon is full')"
BROKEN_IMPORT = "import no_such_module_anywhere"
UNAVAILABLE = "from socketpkg.backends import BackendUnavailable\nraise BackendUnavailable('no table for a vax')"
MISSING = None  # the package is there, its module syscalls is not


def usable() -> list[str]:
    """The backends of this installation that can be used."""
    return [name for name, status in backends.available().items() if status.usable]


class World:
    """A folder on PYTHONPATH with packages in it, and fresh interpreters that see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The finder of an editable installation would find the modules of a backend that is shadowed here.
        roots = sorted({str(Path(module.__file__ or "").parents[1]) for module in (socketpkg, socketpkg_ctypes)})
        (folder / "sitecustomize.py").write_text(
            "import sys\n"
            # What the installation said of its own build is no news of the packages here.
            "sys.modules['socketpkg._not_built'] = None\n"
            "editable = [f for f in sys.meta_path if getattr(f, '__module__', '').startswith('__editable__')]\n"
            "for finder in editable: sys.meta_path.remove(finder)\n"
            f"if editable: sys.path += [p for p in {roots!r} if p not in sys.path]\n"
        )

    def package(self, name: str, syscalls: str | None, **modules: str) -> None:
        """Makes a package; *syscalls* is the text of that module."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        if syscalls is not None:
            modules["syscalls"] = syscalls
        for module, text in modules.items():
            (folder / f"{module}.py").write_text(textwrap.dedent(text))

    def builtin(self, **backends_: str | None) -> None:
        """Shadows backends of socketpkg by name."""
        for name, syscalls in backends_.items():
            self.package(f"socketpkg_{name}", syscalls)

    def entry_point(self, distribution: str, **points: str) -> None:
        """Makes what pip leaves of an installed distribution that registers backends."""
        folder = self.folder / f"{distribution}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in points.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[socketpkg.backends]", *lines, ""]))

    def run(self, code: str, variable: str | None, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs *code* in a fresh interpreter with SOCKET_BACKEND set to *variable*, or unset."""
        env = {key: value for key, value in os.environ.items() if key != "SOCKET_BACKEND"}
        if variable is not None:
            env["SOCKET_BACKEND"] = variable
        env["PYTHONPATH"] = str(self.folder)
        command = [sys.executable, "-W", "error", *options, "-c", textwrap.dedent(code)]
        return subprocess.run(command, env=env, cwd=self.folder, capture_output=True, text=True, timeout=120)

    def ask(self, code: str, variable: str | None = None, *options: str) -> Any:
        """What *code* leaves in ``answer``."""
        source = f"import json, sys\n{textwrap.dedent(code)}\nprint(json.dumps(answer))"
        done = self.run(source, variable, *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def selected(self, variable: str | None) -> str:
        """What a program gets."""
        name = self.ask("import socketpkg\nanswer = socketpkg.__backend__", variable)
        assert isinstance(name, str)
        return name

    def error(self, variable: str | None) -> tuple[str, str | None]:
        """With what message the import fails, and the type of its cause."""
        code = """
            try:
                import socketpkg
            except ImportError as error:
                answer = type(error).__name__, str(error), error.__cause__ and type(error.__cause__).__name__
            else:
                answer = "no error", socketpkg.__backend__, None
        """
        kind, message, cause = self.ask(code, variable)
        assert kind == "ImportError", message
        return message, cause


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world: the installed backends, unless they are shadowed."""
    return World(tmp_path)


@pytest.fixture
def whole(world: World) -> World:
    """A world in which c and cffi are whole, as is ctypes."""
    world.builtin(c=WHOLE, cffi=WHOLE)
    return world


# -- the variable ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", [None, "", "   ", "auto", "AUTO", " Auto\t"])
def test_auto_takes_the_first(whole: World, variable: str | None) -> None:
    assert whole.selected(variable) == FIRST


@pytest.mark.parametrize("name", ["c", "cffi", "ctypes"])
@pytest.mark.parametrize("spelling", ["{}", " {} ", "\t{}\n"])
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_a_name_is_that_backend(whole: World, name: str, spelling: str, case: Callable[[str], str]) -> None:
    assert whole.selected(spelling.format(case(name))) == name


@pytest.mark.parametrize(
    ("variable", "rule"),
    [(None, f"first usable of {', '.join(ORDER)}"), ("CTYPES ", "SOCKET_BACKEND=ctypes")],
)
def test_the_rule_is_told(whole: World, variable: str | None, rule: str) -> None:
    code = "import socketpkg\nanswer = socketpkg.backends.rule()"
    assert whole.ask(code, variable) == rule


def test_the_choice_stays(whole: World) -> None:
    code = """
        import os, socketpkg
        from socketpkg import backends, contract
        before = backends.selected(), backends.rule()
        os.environ["SOCKET_BACKEND"] = "nonsense"
        answer = before == (backends.selected(), backends.rule())
    """
    assert whole.ask(code, "ctypes") is True


def test_all_sides_agree(whole: World) -> None:
    code = """
        import socketpkg
        from socketpkg import backends, contract
        from socketpkg.backends import features
        backend = backends.current()
        answer = [
            socketpkg.__backend__, backends.selected(), backend.name, backend.package, backend.core.__name__,
            backend.address.__name__, issubclass(socketpkg.socket, backend.core.Socket),
            backends.load(backends.selected()) is backend, type(backend.syscalls).__module__,
            sorted(features), features == backend.features == backends.features,
        ]
    """
    assert whole.ask(code) == [
        *[FIRST] * 3,
        f"socketpkg_{FIRST}",
        f"socketpkg_{FIRST}._core",
        f"socketpkg_{FIRST}._address",
        True,
        True,
        f"socketpkg_{FIRST}.syscalls",
        ["fake"],
        True,
    ]


# -- one that cannot be used -------------------------------------------------------------------------------------------


def test_auto_goes_on_when_one_is_not_built(world: World) -> None:
    world.builtin(**{FIRST: MISSING})
    world.builtin(**dict.fromkeys(ORDER[1:-1], WHOLE))
    assert world.selected(None) == SECOND


def test_auto_goes_on_to_the_last(world: World) -> None:
    world.builtin(c=MISSING, cffi="from ._cffi import lib")
    assert world.selected("auto") == "ctypes"


def test_auto_goes_on_when_the_package_is_missing(world: World) -> None:
    code = f"""
        sys.modules["socketpkg_{FIRST}"] = None
        import socketpkg
        answer = socketpkg.__backend__, socketpkg.backends.available()[{FIRST!r}].reason
    """
    world.builtin(**dict.fromkeys(ORDER[1:-1], WHOLE))
    name, reason = world.ask(code)
    assert name == SECOND
    assert reason.startswith("not built: ")


@pytest.mark.parametrize(
    "syscalls",
    [
        UNAVAILABLE,
        "raise ImportError('module x.y does not support loading in subinterpreters')",
        "raise ImportError('Interpreter change detected - this module can only be loaded into one interpreter')",
    ],
)
def test_auto_goes_on_when_one_is_not_for_here(world: World, syscalls: str) -> None:
    world.builtin(**{FIRST: syscalls}, **dict.fromkeys(ORDER[1:-1], WHOLE))
    code = f"import socketpkg\nanswer = socketpkg.__backend__, socketpkg.backends.available()[{FIRST!r}].reason"
    name, reason = world.ask(code)
    assert name == SECOND
    assert reason.startswith("not usable here: ")


@pytest.mark.parametrize(
    ("syscalls", "text", "cause"),
    [
        (BROKEN, "RuntimeError: the moon is full", "RuntimeError"),
        (BROKEN_IMPORT, "No module named 'no_such_module_anywhere'", "ModuleNotFoundError"),
        ("def", "SyntaxError: ", "SyntaxError"),
        ("from socketpkg import nothing_of_this_name", "cannot import name", "ImportError"),
        ("raise OSError(5, 'bad disk')", "OSError: [Errno 5] bad disk", "OSError"),
        ("", "socketpkg_{}.syscalls has no class Syscalls", "_Incomplete"),
        ("def Syscalls(): pass", "socketpkg_{}.syscalls has no class Syscalls", "_Incomplete"),
        (INCOMPLETE, "socketpkg_{}.syscalls.Syscalls lacks ", "_Incomplete"),
        (f"{WHOLE}\n    def __init__(self): raise LookupError('where')", "LookupError: where", "LookupError"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_broken_is_raised(world: World, syscalls: str, text: str, cause: str, named: bool) -> None:
    world.builtin(**{FIRST: syscalls}, **dict.fromkeys(ORDER[1:-1], WHOLE))
    message, found = world.error(FIRST if named else None)
    why = f"SOCKET_BACKEND={FIRST}" if named else f"first usable of {', '.join(ORDER)}"
    start = f"socketpkg cannot use the backend {FIRST!r}, chosen by {why}: built but broken: {text.format(FIRST)}"
    assert message.startswith(start)
    assert found == cause
    assert "ctypes (usable)" in message


@pytest.mark.parametrize("lacking", [["recv"], ["accept", "sendmsg"]])
def test_incomplete_names_what_is_missing(world: World, lacking: list[str]) -> None:
    kept = sorted(set(REQUIRED) - set(lacking))
    methods = "".join(f"    def {name}(self, *arguments): return {{}}\n" for name in kept)
    world.builtin(cffi=f"from socketpkg.contract import Syscalls as Base\nclass Syscalls(Base):\n{methods}")
    message, _ = world.error("cffi")
    assert f"built but broken: socketpkg_cffi.syscalls.Syscalls lacks {', '.join(lacking)}." in message


def test_a_stranger_lacks_the_defaults_too(world: World) -> None:
    methods = "".join(f"    def {name}(self, *arguments): return {{}}\n" for name in REQUIRED)
    world.builtin(cffi=f"class Syscalls:\n{methods}")
    message, _ = world.error("cffi")
    for name in ("features", "describe", "close", "dup"):
        assert name in message


def test_none_at_all(world: World) -> None:
    world.builtin(c=MISSING, cffi=MISSING, ctypes=UNAVAILABLE)
    message, _ = world.error(None)
    assert message.startswith("socketpkg has no backend that can be used here: c (not built: No module named")
    assert "cffi (not built: No module named" in message
    assert "ctypes (not usable here: no table for a vax)" in message


@pytest.mark.parametrize(("syscalls", "reason"), [(MISSING, "not built: "), (UNAVAILABLE, "not usable here: ")])
def test_a_named_one_is_never_replaced(world: World, syscalls: str | None, reason: str) -> None:
    world.builtin(cffi=syscalls)
    message, cause = world.error("cffi")
    assert message.startswith(f"socketpkg cannot use the backend 'cffi', chosen by SOCKET_BACKEND=cffi: {reason}")
    assert "ctypes (usable)" in message
    assert cause in ("ModuleNotFoundError", "BackendUnavailable")


def test_an_unknown_name(world: World) -> None:
    world.builtin(c=BROKEN, cffi=MISSING)
    message, cause = world.error("Fastest ")
    assert message == (
        "socketpkg cannot use the backend 'fastest', chosen by SOCKET_BACKEND=fastest: there is no backend of this"
        " name. The backends are: c (built but broken: RuntimeError: the moon is full); cffi (not built: No module"
        " named 'socketpkg_cffi.syscalls'); ctypes (usable)"
    )
    assert cause is None


def test_the_import_can_be_tried_again(world: World) -> None:
    code = """
        import os
        for attempt in range(2):
            try:
                import socketpkg
            except ImportError:
                os.environ["SOCKET_BACKEND"] = "ctypes"
        answer = socketpkg.__backend__, attempt
    """
    assert world.ask(code, "nonsense") == ["ctypes", 1]


# -- load and available ------------------------------------------------------------------------------------------------


def test_load_gives_each_backend_its_own_core(whole: World) -> None:
    code = """
        from socketpkg import backends, contract
        loaded = [backends.load(name) for name in ("c", " CFFI", "ctypes")]
        cores = {b.core.__name__: sys.modules[b.core.__name__] is b.core for b in loaded}
        answer = cores, len({b.core.Socket for b in loaded}), [b.core.SYSCALLS is b.syscalls for b in loaded]
    """
    cores, sockets, same = whole.ask(code)
    assert cores == {f"socketpkg_{name}._core": True for name in ("c", "cffi", "ctypes")}
    assert sockets == 3
    assert same == [True] * 3


@pytest.mark.parametrize("name", ["nonsense", "", "auto"])
def test_load_of_no_backend(name: str) -> None:
    with pytest.raises(ImportError, match=r"there is no backend of this name\. The backends are: c \("):
        backends.load(name)


def test_load_wants_a_name() -> None:
    with pytest.raises(TypeError, match="the name of a backend is a str, not int"):
        backends.load(1)  # type: ignore[arg-type]


def test_available_tells_of_each(world: World) -> None:
    world.builtin(c=BROKEN, cffi=MISSING)
    code = """
        from socketpkg import backends, contract
        answer = [(key, s.name, s.usable, s.reason) for key, s in backends.available().items()]
    """
    assert world.ask(code, "ctypes") == [
        ["c", "c", False, "built but broken: RuntimeError: the moon is full"],
        ["cffi", "cffi", False, "not built: No module named 'socketpkg_cffi.syscalls'"],
        ["ctypes", "ctypes", True, ""],
    ]


def test_a_failure_is_remembered(world: World) -> None:
    world.builtin(c="import sys\nsys.attempts = getattr(sys, 'attempts', 0) + 1\nraise RuntimeError('once')")
    code = """
        from socketpkg import backends, contract
        messages = set()
        causes = []
        for _ in range(3):
            backends.available()
            try:
                backends.load("c")
            except ImportError as error:
                messages.add(str(error))
                causes.append(error.__cause__)
        answer = sys.attempts, len(messages), causes[0] is causes[2]
    """
    assert world.ask(code, "ctypes") == [1, 1, True]


def test_nothing_half_made_is_left(world: World) -> None:
    world.builtin(cffi=f"{WHOLE}\n    def __init__(self): raise LookupError('where')")
    code = """
        from socketpkg import backends, contract
        status = backends.available()["cffi"]
        answer = status.usable, [name for name in ("_core", "_address") if f"socketpkg_cffi.{name}" in sys.modules]
    """
    assert world.ask(code, "ctypes") == [False, []]


def test_threads_get_one_backend(whole: World) -> None:
    code = """
        import threading
        from socketpkg import backends, contract
        barrier, found = threading.Barrier(8), []
        def load():
            barrier.wait()
            found.append(backends.load("cffi"))
        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        answer = len(found), len(set(map(id, found)))
    """
    assert whole.ask(code, "ctypes") == [8, 1]


@pytest.mark.parametrize("module", ["socketpkg_{}", "socketpkg_{}.syscalls", "socketpkg_{}._core", "socketpkg"])
def test_a_backend_may_be_imported_first(world: World, module: str) -> None:
    name = backends.selected()
    code = f"import {module.format(name)}, socketpkg\nanswer = socketpkg.__backend__"
    assert world.ask(code, name) == name


def test_a_backend_that_keeps_modules_of_its_own(world: World) -> None:
    world.package("mine", WHOLE, _address="raise LookupError('found it')")
    world.entry_point("mine", mine="mine")
    message, _ = world.error("mine")
    assert "built but broken: LookupError: found it" in message


def test_a_compiled_backend_must_bring_its_core(world: World) -> None:
    world.builtin(c=WHOLE.replace("fake", "compiled-core"))
    message, _ = world.error("c")
    assert "not built: No module named 'socketpkg_c._" in message


# -- backends of others ------------------------------------------------------------------------------------------------


@pytest.fixture
def others(world: World) -> World:
    """A world with a backend that somebody else has written."""
    world.builtin(c=MISSING, cffi=MISSING)
    world.package("uring_sockets", WHOLE)
    world.entry_point("uring", Uring="uring_sockets")
    return world


@pytest.mark.parametrize("variable", ["uring", " URING "])
def test_others_can_be_chosen(others: World, variable: str) -> None:
    code = """
        import socketpkg
        backend = socketpkg.backends.current()
        one, two = socketpkg.socketpair()
        with one, two:
            one.sendall(b"through")
            data = two.recv(100).decode()
        answer = backend.name, backend.package, backend.core.__name__, data
    """
    assert others.ask(code, variable) == ["uring", "uring_sockets", "uring_sockets._core", "through"]


def test_others_are_listed(others: World) -> None:
    code = "from socketpkg import backends\nanswer = {k: s.usable for k, s in backends.available().items()}"
    assert others.ask(code, "ctypes") == {"c": False, "cffi": False, "ctypes": True, "uring": True}
    message, _ = others.error("nonsense")
    assert "uring (usable)" in message


def test_auto_never_takes_others(others: World) -> None:
    assert others.selected(None) == "ctypes"
    others.package("socketpkg_ctypes", UNAVAILABLE)
    message, _ = others.error(None)
    assert message.startswith("socketpkg has no backend that can be used here")


def test_auto_does_not_even_look_at_them(others: World) -> None:
    assert others.ask("import socketpkg\nanswer = 'uring_sockets' in sys.modules") is False


@pytest.mark.parametrize("name", ["c", "CFFI", "ctypes", "auto"])
def test_others_cannot_take_a_name_of_ours(others: World, name: str) -> None:
    others.entry_point("thief", **{name: "uring_sockets"})
    code = """
        from socketpkg import backends, contract
        answer = sorted(backends.available()), backends.current().package
    """
    assert others.ask(code) == [["c", "cffi", "ctypes", "uring"], "socketpkg_ctypes"]
    if name == "CFFI":
        message, _ = others.error("cffi")
        assert "'cffi', chosen by SOCKET_BACKEND=cffi: not built" in message


def test_two_packages_of_one_name(others: World) -> None:
    others.package("other_uring", WHOLE)
    others.entry_point("uring2", uring="other_uring")
    message, _ = others.error("uring")
    assert "more than one package registers this name: " in message
    assert "uring_sockets" in message
    assert "other_uring" in message


@pytest.mark.parametrize(
    ("syscalls", "reason"),
    [(MISSING, "not built: "), (UNAVAILABLE, "not usable here: "), (INCOMPLETE, "built but broken: ")],
)
def test_others_that_cannot_be_used(world: World, syscalls: str | None, reason: str) -> None:
    world.package("theirs", syscalls)
    world.entry_point("theirs", theirs="theirs")
    code = "from socketpkg import backends\nanswer = backends.available()['theirs'].reason"
    assert world.ask(code, "ctypes").startswith(reason)
    assert world.error("theirs")[0].startswith("socketpkg cannot use the backend 'theirs'")


@pytest.mark.parametrize("value", ["no_such_package_anywhere", "uring_sockets:Syscalls", "uring sockets"])
def test_an_entry_point_that_leads_nowhere(others: World, value: str) -> None:
    others.entry_point("lost", lost=value)
    assert others.error("lost")[0].startswith("socketpkg cannot use the backend 'lost', chosen by SOCKET_BACKEND=lost")
    assert others.selected(None) == "ctypes"


# -- subinterpreters ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(PYPY, reason="PyPy has no subinterpreters")
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_in_a_subinterpreter(world: World, kind: str) -> None:
    """What cannot be loaded twice in a process says so, and counts as not usable instead of as broken."""
    code = f"""
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        import socketpkg
        interpreter = interpreters.create({kind!r}) if hasattr(interpreters, "new_config") else interpreters.create()
        failed = interpreters.run_string(interpreter, '''if True:
            import json, socketpkg
            from socketpkg import backends, contract
            print(json.dumps((backends.selected(), {{n: s.reason for n, s in backends.available().items()}})))
        ''')
        interpreters.destroy(interpreter)
        assert not failed, failed
    """
    done = world.run(code, None)
    if sys.implementation.name == "cpython" and sys.version_info[:2] == (3, 12):
        # There a subinterpreter is isolated, and 3.12's own _ctypes does not load in one either: none is left.
        assert "socketpkg has no backend that can be used here: c (not usable here: " in done.stderr
        assert "ctypes (not usable here: module _ctypes does not support loading in subinterpreters" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    selected, reasons = json.loads(done.stdout)
    assert selected in ORDER
    assert reasons[selected] == ""
    if "c" in usable():
        assert reasons["c"].startswith("not usable here: ")
    for name in ORDER[: ORDER.index(selected)]:
        assert reasons[name].startswith(("not usable here: ", "not built: "))


# -- what the import costs ---------------------------------------------------------------------------------------------


def test_the_choice_imports_nothing_slow(world: World) -> None:
    """Measured without what the environment's own .pth files import, and with the other backends left alone."""
    roots = {str(Path(str(sys.modules[name].__file__)).parents[1]) for name in ("socketpkg", "socketpkg_ctypes")}
    code = f"""
        sys.path += {sorted(roots)!r}
        import socketpkg
        slow = {{"argparse", "cffi", "dataclasses", "importlib.metadata", "importlib.util", "inspect", "typing"}}
        answer = sorted(slow & set(sys.modules)), [m for m in ("socketpkg_c", "socketpkg_cffi") if m in sys.modules]
    """
    backends.load("ctypes")
    assert world.ask(code, "ctypes", "-S") == [[], []]


# -- python -m socketpkg ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("original", "arguments", "expected"),
    [
        (["python", "-m", "socketpkg"], ["-m"], True),
        (["python", "-m", "socketpkg", "doctor", "--json"], ["-m", "doctor", "--json"], True),
        (["python", "-W", "error", "-m", "socketpkg", "-m", "x"], ["-m", "-m", "x"], True),
        (["python", "-msocketpkg", "x"], ["-m", "x"], True),
        (["python", "-Imsocketpkg"], ["-m"], True),
        (["python", "-m", "socketpkg.__main__"], ["-m"], True),
        (["python", "-m", "socketpkg.server"], ["-m"], False),
        (["python", "-m", "pytest", "socketpkg"], ["-m", "socketpkg"], False),
        (["python", "-mpytest", "socketpkg"], ["-m", "socketpkg"], False),
        (["python", "socketpkg"], ["socketpkg"], False),
        (["python", "-c", "pass", "socketpkg"], ["-c", "socketpkg"], False),
        (["python"], [""], False),
        ([], ["-m"], False),
        ([], [], False),
    ],
)
def test_running_as_program(
    monkeypatch: pytest.MonkeyPatch, original: list[str], arguments: list[str], expected: bool
) -> None:
    monkeypatch.setattr(sys, "orig_argv", original)
    monkeypatch.setattr(sys, "argv", arguments)
    assert backends.running_as_program() is expected


# -- the module itself -------------------------------------------------------------------------------------------------


def test_every_public_name_is_there() -> None:
    for name in backends.__all__:
        assert getattr(backends, name) is not None
        assert name in dir(backends)
    with pytest.raises(AttributeError, match="module 'socketpkg.backends' has no attribute 'feature'"):
        _ = backends.feature  # type: ignore[attr-defined]


def test_this_run_has_the_backend_that_was_asked_for() -> None:
    """What nox relies on: the environment names a backend, and the tests run on that one."""
    wanted = os.environ.get("SOCKET_BACKEND", "").strip().lower()
    if wanted and wanted != "auto":
        assert backends.selected() == wanted
        assert backends.rule() == f"SOCKET_BACKEND={wanted}"
    else:
        assert backends.selected() in backends.ORDER
