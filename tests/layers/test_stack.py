"""Stacks of layers: naming them, what a layer is to a program, options, switching on and off, children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from socketpkg import backends, layers
from socketpkg.contract import RequiredSyscalls, Syscalls
from socketpkg.layers import Layer, LayerError, _base, _options, _stack

from .conftest import USABLE, Programs

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

#: The suite that has to have the same result with a layer as without.
SHARED = Path(__file__).parent.parent / "shared"

NAME = (
    "import socketpkg\nfrom socketpkg import layers\nanswer = socketpkg.__backend__, [x.NAME for x in layers.stack()]"
)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["null+{}", " Null + {} ", "NULL+{}\t"])
def test_a_stack_is_named_whole(programs: Programs, backend: str, spelling: str) -> None:
    assert programs.answer(spelling.format(backend), NAME) == [f"null+{backend}", ["null"]]


@pytest.mark.parametrize("stack", ["null", "null+auto"])
def test_without_a_backend_the_rules_choose(programs: Programs, stack: str) -> None:
    chosen = programs.answer(None, "import socketpkg\nanswer = socketpkg.__backend__")
    assert programs.answer(stack, NAME) == [f"null+{chosen}", ["null"]]
    code = "import socketpkg\nanswer = socketpkg.backends.rule()"
    assert programs.answer(stack, code) == f"SOCKET_BACKEND={stack}, over the first usable of " + ", ".join(
        backends.ORDER
    )


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        ("nul+c", "no layer or backend 'nul'"),
        ("null+nonsense", "no layer or backend 'nonsense'"),
        ("ctypes+null", "goes on below 'ctypes', which is a backend"),
        ("auto+null", "goes on below 'auto', which is a backend"),
        ("null+ctypes+null", "goes on below 'ctypes', which is a backend"),
        ("null++ctypes", "has an empty part"),
        ("+ctypes", "has an empty part"),
        ("null+", "has an empty part"),
        ("+", "has an empty part"),
        ("null+null+ctypes", "has the layer 'null' twice"),
        ("ctypes+ctypes", "goes on below 'ctypes'"),
    ],
)
def test_a_wrong_stack_is_an_import_error(programs: Programs, stack: str, why: str) -> None:
    done = programs.run(stack, "import socketpkg")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"socketpkg.backends.LayerError: socketpkg cannot use the stack {stack!r}")
    assert f"chosen by SOCKET_BACKEND={stack}" in last and why in last
    if "no layer" in why:
        assert "null" in last.partition("The layers are: ")[2] and "ctypes" in last.partition("backends are: ")[2]


@pytest.mark.parametrize("stack", ["nul+c", "ctypes+null"])
def test_run_says_so_in_a_line(programs: Programs, stack: str) -> None:
    programs.write("print('should not run')")
    for words, why in (([], f"SOCKET_BACKEND={stack}"), (["--backend", stack], "the command line")):
        command = [sys.executable, "-m", "socketpkg", "run", *words, "program.py"]
        done = programs.command(command, None if words else stack)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert f"cannot use the stack {stack!r}, chosen by {why}: " in done.stderr


def test_a_backend_that_cannot_be_used_is_told_as_ever(programs: Programs) -> None:
    package = programs.folder / "socketpkg_ctypes"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "syscalls.py").write_text("raise RuntimeError('the moon is full')")
    done = programs.run("null+ctypes", "import socketpkg", PYTHONPATH=str(programs.folder))
    assert done.returncode == 1
    assert "the moon is full" in done.stderr.splitlines()[-1]


def test_no_layer_costs_no_import(programs: Programs) -> None:
    code = "import sys, socketpkg\nanswer = [m for m in sys.modules if m.startswith('socketpkg.layers')]"
    assert programs.answer("ctypes", code) == []
    assert programs.answer("null+ctypes", code) != []


# -- layers of others --------------------------------------------------------------------------------------------------

COUNTING = """
from socketpkg.layers import Layer, Option

class Counting(Layer):
    NAME = "counting"
    SUMMARY = "counts what is sent"
    OPTIONS = {"step": Option(int, 1, "a whole number", "how far to count")}
    count = 0

    def send(self, *arguments):
        self.count += self.options["step"]
        return self.below.send(*arguments)
"""


def registered(programs: Programs, value: str = "counting:Counting", name: str = "counting") -> str:
    """Registers a layer as an installed distribution does; the value for PYTHONPATH."""
    info = programs.folder / "counting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[socketpkg.layers]\n{name} = {value}\n")
    (programs.folder / "counting.py").write_text(COUNTING)
    return str(programs.folder)


SEND = """
import socketpkg
from socketpkg import layers
one, two = socketpkg.socketpair()
with one, two:
    one.send(b"1")
    layers.get("counting").enabled = False
    one.send(b"2")
    with_off = layers.get("counting").count
    layers.get("counting").enabled = True
    with layers.off("counting"):
        one.send(b"3")
    one.send(b"4")
    assert two.recv(9) == b"1234"
answer = socketpkg.__backend__, with_off, layers.get("counting").count, list(layers.available())
"""


@pytest.mark.parametrize("stack", ["counting+{}", "null+counting+{}", "counting+null+{}"])
def test_a_layer_of_others(programs: Programs, backend: str, stack: str) -> None:
    path = registered(programs)
    name, with_off, count, available = programs.answer(stack.format(backend), SEND, PYTHONPATH=path)
    assert (name, with_off, count) == (stack.format(backend), 1, 2)
    assert {"counting", "null"} <= set(available)


def test_its_options(programs: Programs) -> None:
    path = registered(programs)
    step = {"PYTHONPATH": path, "SOCKETPKG_COUNTING": "step=10"}
    assert programs.answer("counting+ctypes", SEND, **step)[2] == 20
    wrong = {"PYTHONPATH": path, "SOCKETPKG_COUNTING": "step=10,stop=1"}
    last = programs.run("counting+ctypes", "import socketpkg", **wrong).stderr.splitlines()[-1]
    assert "SOCKETPKG_COUNTING: there is no option 'stop'; its options are: step" in last


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("no_such_module", "the layer 'counting' is broken: No module named 'no_such_module'"),
        ("counting:Missing", "has no subclass of socketpkg.layers.Layer"),
        ("counting", "the layer 'counting' is broken"),  # it is Layer itself, which has no name
    ],
)
def test_a_broken_layer(programs: Programs, value: str, why: str) -> None:
    done = programs.run("counting+ctypes", "import socketpkg", PYTHONPATH=registered(programs, value))
    assert why in done.stderr.splitlines()[-1]


def test_nobody_takes_the_name_of_a_layer_of_ours(programs: Programs) -> None:
    path = registered(programs, name="null")
    assert programs.answer("null+ctypes", "import socketpkg.layers as l\nanswer = type(l.get('null')).__module__") == (
        "socketpkg.layers.null"
    )
    assert path


# -- the pass-through --------------------------------------------------------------------------------------------------


def test_every_call_of_the_contract_goes_down() -> None:
    stack = backends.load("null+ctypes")
    (layer,) = stack.layers
    public = {name for cls in (RequiredSyscalls, Syscalls) for name in vars(cls) if not name.startswith("_")}
    assert set(_base.CALLS) == public - {"features", "describe"}
    assert stack.below is backends.load("ctypes")
    for name in _base.CALLS:
        assert getattr(layer, name) == getattr(stack.below.syscalls, name)


def test_a_new_call_passes_without_a_change(programs: Programs) -> None:
    code = """
        from socketpkg import contract
        contract.RequiredSyscalls.new_call = lambda self, fd: 0
        from socketpkg_ctypes.syscalls import Syscalls
        Syscalls.new_call = lambda self, fd: 42
        from socketpkg import backends
        answer = backends.load("null+ctypes").syscalls.new_call(3)
    """
    # socketpkg is imported on cffi or c first, and the call is added before the layers are.
    assert programs.answer("ctypes", code) == 42


@pytest.mark.skipif("c" not in USABLE, reason="the other backends are on the interpreted core without a layer too")
def test_a_hook_may_forbid_ctypes(programs: Programs) -> None:
    """The core over a layer asks for ctypes, for TLS only: c works without it, and so does a layer over c."""
    source = """
        import sys
        def hook(event, arguments):
            if event.startswith("ctypes."):
                raise RuntimeError(f"{event} is forbidden")
        sys.addaudithook(hook)
        import socketpkg
        one, two = socketpkg.socketpair()
        with one, two:
            one.sendall(b"x")
            answer = socketpkg.__backend__, two.recv(2).decode()
    """
    assert programs.answer("null+c", source) == ["null+c", "x"]


def test_the_cores_are_apart() -> None:
    plain, stacked = backends.load("ctypes"), backends.load("null+ctypes")
    assert stacked.core is not plain.core and stacked.core.Socket is not plain.core.Socket
    assert stacked.core.SYSCALLS is stacked.layers[0]
    assert backends.load(" NULL+ctypes ") is stacked
    assert "compiled-core" not in stacked.features


@pytest.mark.slow
def test_the_shared_suite_has_the_same_result(backend: str) -> None:
    """The whole of it: some 50 s for each backend."""
    results = []
    for name in (backend, f"null+{backend}"):
        env = {**os.environ, "SOCKET_BACKEND": name}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "--tb=no", str(SHARED)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900, check=False)
        outcomes = {line for line in done.stdout.splitlines() if line.split(" ")[0] in ("PASSED", "FAILED", "ERROR")}
        assert len(outcomes) > 2000, done.stdout[-2000:]
        results.append((done.returncode, outcomes))
    assert results[0] == results[1]


# -- options -----------------------------------------------------------------------------------------------------------

TABLE = {
    "flag": _options.flag("a flag"),
    "size": _options.size(10, "a size"),
    "time": _options.number(1, "a time", 0, 100),
    "kind": _options.choice(("a", "b"), "a choice"),
    "name": _options.text("", "a text"),
    "rule": _options.Option(str, [], "a rule", "rules", many=True),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        ("flag", {"flag": True}),
        ("flag=no", {"flag": False}),
        ("size=64k", {"size": 65536}),
        ("size=1M,time=0.5", {"size": 2**20, "time": 0.5}),
        ("  kind=b \t flag\n", {"kind": "b", "flag": True}),
        ("rule=a rule=b,rule=c", {"rule": ["a", "b", "c"]}),
        ("name='two words, and a comma'", {"name": "two words, and a comma"}),
        ("name=a=b", {"name": "a=b"}),
        ("name=", {"name": ""}),
    ],
)
def test_options_are_read(text: str, wanted: dict[str, object]) -> None:
    assert _options.read(_options.pairs(text, "X"), TABLE, "X") == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("flat", "there is no option 'flat'; its options are: flag, kind, name, rule, size, time"),
        ("=1", "there is no option ''"),
        ("flag=maybe", "the option 'flag' cannot be 'maybe': it is yes or no"),
        ("size=-1", "the option 'size' cannot be '-1': it is a number of bytes"),
        ("size=x", "the option 'size' cannot be 'x'"),
        ("size=k", "the option 'size' cannot be 'k'"),
        ("size", "the option 'size' needs a value"),
        ("time=101", "the option 'time' cannot be '101': it is a number from 0 to 100"),
        ("time=nan", "the option 'time' cannot be 'nan'"),
        ("kind=c", "the option 'kind' cannot be 'c': it is one of a, b"),
        ("name='open", "no closing quotation"),
        ("@/no/such/file", "cannot read the options in '/no/such/file': No such file or directory"),
    ],
)
def test_wrong_options_are_told(text: str, why: str) -> None:
    with pytest.raises(LayerError) as caught:
        _options.read(_options.pairs(text, "SOCKETPKG_X"), TABLE, "SOCKETPKG_X")
    assert str(caught.value).startswith("SOCKETPKG_X") and why in str(caught.value)


def test_options_from_a_file(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.write_text("size=1k  # of what\n# nothing\nrule=b\n")
    first = tmp_path / "first"
    first.write_text(f"rule=a\n@{more}\n")
    wanted = {"size": 1024, "rule": ["a", "b", "c"]}
    assert _options.read(_options.pairs(f"@{first} rule=c", "X"), TABLE, "X") == wanted
    more.write_text(f"@{first}")
    with pytest.raises(LayerError, match="without end"):
        _options.pairs(f"@{first}", "X")


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no names of descriptors")
def test_the_options_are_read_once(programs: Programs) -> None:
    """A shell's ``<(...)`` is a pipe, which gives what is in it only once."""
    source = """
        import os
        reading, writing = os.pipe()
        os.write(writing, b"allow=127.0.0.1 mode=report")
        os.close(writing)
        os.environ["SOCKETPKG_GUARD"] = f"@/dev/fd/{reading}"
        import socketpkg
        from socketpkg import layers
        guard = layers.get("guard")
        answer = [len(guard.rules), guard.options["mode"]]
        os.close(reading)
    """
    assert programs.answer("guard+ctypes", source) == [1, "report"]


def test_options_are_changed_as_a_whole_or_not_at_all() -> None:
    class Picky(Layer):
        NAME = "picky"
        OPTIONS = TABLE

        def configured(self) -> None:
            if self.options["flag"] and self.options["size"] < 5:
                raise LayerError("too small")

    layer = Picky(backends.load("ctypes").syscalls)
    layer.configure("size=6", flag=True, rule=["x", "y"])
    assert (layer.options["size"], layer.options["flag"], layer.options["rule"]) == (6, True, ["x", "y"])
    for wrong in ({"size": 1}, {"kind": "c", "size": 9}, {"nonsense": 1}):
        with pytest.raises(LayerError):
            layer.configure(**wrong)
        assert layer.options["size"] == 6
    assert layer.state() == "on flag=yes size=6 rule=x|y"


def test_split() -> None:
    assert _stack.split("null+ctypes") == (["null"], "ctypes")
    assert _stack.split("null") == (["null"], "")


# -- programs and children ---------------------------------------------------------------------------------------------


def test_the_doctor_shows_the_stack(programs: Programs) -> None:
    done = programs.command([sys.executable, "-m", "socketpkg"], "null+ctypes")
    assert done.returncode == 0
    assert "chosen: null+ctypes, by SOCKET_BACKEND=null+ctypes" in done.stdout
    assert "        layer null, changes nothing: what the stack itself costs and does: on" in done.stdout
    assert next(line for line in done.stdout.splitlines() if line.startswith("*")).split()[1] == "ctypes"
    facts = json.loads(programs.command([sys.executable, "-m", "socketpkg", "--json"], "null+ctypes").stdout)
    assert facts["selection"]["backend"] == "null+ctypes"
    assert [(layer["name"], layer["state"]) for layer in facts["layers"]] == [("null", "on")]


def test_install_finds_nobody_left(programs: Programs, backend: str) -> None:
    code = "import socketpkg\nsocketpkg.install()\nimport socket, ssl\nanswer = socket.__backend__"
    assert programs.answer(f"null+{backend}", code) == f"null+{backend}"


CHILDREN = """
import multiprocessing, sys
import socketpkg

def child(connection):
    connection.send(socketpkg.__backend__)
    connection.close()

if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        here, there = context.Pipe()
        process = context.Process(target=child, args=(there,))
        process.start()
        print(method, here.recv())
        process.join()
"""


def test_children_have_the_stack(programs: Programs) -> None:
    done = programs.run("null+ctypes", CHILDREN)
    assert done.stdout.splitlines() == [f"{m} null+ctypes" for m in ("fork", "spawn", "forkserver")], done.stderr


def test_layers_of_a_process_without_any() -> None:
    if os.environ.get("SOCKET_BACKEND", "").count("+"):
        pytest.skip("this process has some")
    assert layers.stack() == ()
    with pytest.raises(LookupError, match="has no layer 'null'"):
        layers.get("null")


def test_usable_backends_are_tested() -> None:
    assert "ctypes" in USABLE


def test_closing_wakes_through_a_layer(programs: Programs, backend: str) -> None:
    """What stands below a layer may want a descriptor of a compiled class."""
    told = programs.run(
        f"null+{backend}",
        """
        import socketpkg as socket

        one, two = socket.socketpair()
        one.close(wake=True)
        assert two.recv(1) == b"", "the connection was not shut down"
        two.close()
        print(socket.__backend__)
        """,
    )
    assert told.stdout.strip() == f"null+{backend}", told.stderr
