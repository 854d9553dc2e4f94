"""``python -m socketpkg run``: a program cannot tell, and neither can who starts it."""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from socketpkg import backends

OURS = ("-m", "socketpkg", "run")
# The tests may run with a switch that keeps a program's own folder off its path; the programs here shall find theirs.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


def python(
    *arguments: object,
    folder: Path,
    options: tuple[str, ...] = ("-W", "error"),
    env: dict[str, str] | None = None,
    text: str = "",
) -> subprocess.CompletedProcess[str]:
    """Runs Python in *folder*, with *text* for its standard input."""
    command = [sys.executable, *options, *map(str, arguments)]
    environment = {**ENVIRONMENT, **(env or {})}
    return subprocess.run(command, cwd=folder, env=environment, input=text, capture_output=True, text=True, timeout=120)


def alike(
    *arguments: object,
    folder: Path,
    options: tuple[str, ...] = ("-W", "error"),
) -> subprocess.CompletedProcess[str]:
    """Runs a program with and without us: the same output, errors and status. Returns them."""
    plain = python(*arguments, folder=folder, options=options)
    ours = python(*OURS, *arguments, folder=folder, options=options)
    # The interpreter is named by the way it was called; its objects' addresses differ.
    plain.stdout, ours.stdout = (re.sub("0x[0-9a-f]+", "0x", done.stdout) for done in (plain, ours))
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    return ours


SHOW = """
import sys
print(__name__, __file__, __package__, type(__loader__), getattr(__spec__, "name", None), type(__builtins__))
print(sys.argv, sys.path)
print(sorted(name for name in globals() if name != "__conditional_annotations__"), __doc__)
import __main__
assert __main__.__dict__ is globals()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Programs of several kinds."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "show.py").write_text('"""Documented."""' + SHOW)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "__main__.py").write_text(SHOW)
    (tmp_path / "pack" / "show.py").write_text(SHOW)
    (tmp_path / "link.py").symlink_to(tmp_path / "sub" / "show.py")
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.writestr("__main__.py", SHOW)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("sub/show.py",),
        ("sub/show.py", "-x", "--backend", "c", "-m", "y", "--", "-h"),
        ("./sub/../sub/show.py", "a b", ""),
        ("link.py", "1"),
        ("pack", "argument"),
        ("program.zip", "argument"),
        ("-m", "pack", "-m", "x"),
        ("-m", "pack.show", "--backend", "nonsense", "--version"),
    ],
)
def test_the_program_sees_what_it_would(folder: Path, arguments: tuple[str, ...]) -> None:
    done = alike(*arguments, folder=folder)
    assert done.returncode == 0


def test_the_programs_path_without_one(folder: Path) -> None:
    alike("sub/show.py", folder=folder, options=("-P",))


def test_bytecode(folder: Path) -> None:
    import py_compile

    py_compile.compile(str(folder / "sub" / "show.py"), cfile=str(folder / "compiled.pyc"), doraise=True)
    assert alike("compiled.pyc", "x", folder=folder).returncode == 0


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit('said at the end')", 1),
        ("raise SystemExit", 0),
        ("def f():\n    1 / 0\nf()\n", 1),
        ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('x')\n", 1),
        ("raise ExceptionGroup('several', [ValueError(1), TypeError(2)])", 1),
        ("x = (", 1),
        ("import os; os._exit(9)", 9),
        ("import sys\nsys.excepthook = lambda *a: print(a[0], a[2].tb_frame.f_code.co_name)\nraise ValueError", 1),
        ("import os\nimport signal\nos.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import atexit\natexit.register(lambda: print(__name__, raised))\nraised = 1\nraise ValueError(1)", 1),
        ("import threading, time\nx = 1\nthreading.Timer(0.2, lambda: print(x)).start()", 0),
        ("# \xe9\u20ac\nprint(ascii('\xe9\u20ac'))", 0),
        ("from nowhere_at_all import x", 1),
    ],
)
def test_how_it_ends(folder: Path, source: str, status: int) -> None:
    (folder / "ending.py").write_text(source, encoding="utf-8")
    for arguments in (("ending.py",), ("-m", "ending")):
        done = alike(*arguments, folder=folder)
        assert done.returncode == status
        assert "socketpkg" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ((), ("-c", SHOW, "-x", "--backend", "c")),
        ((), ("-c", "x = (")),
        ((), ("-c", "def f():\n    1 / 0\nf()\n")),
        ((), ("-c", "\n   import sys\n   print(sys.argv)\n")),
        ((), ("-mpack", "x")),
        ((), ("-I", "-c", SHOW)),
        ((), ("-X", "dev", "sub/show.py")),
        ((), ("-Xutf8=0", "-B", "-OO", "sub/show.py", "-I")),
        ((), ("-BImpack.show", "y")),
        ((), ("-W", "ignore", "-c", "import warnings; warnings.warn('unheard')")),
        ((), ("-P", "-s", "-u", "sub/show.py")),
        (("-B",), ("-E", "-c", "import sys; print(sys.flags, sys.argv)")),
        ((), ("-x", "sub/skip.py")),
    ],
)
def test_what_python_takes(folder: Path, options: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    (folder / "sub" / "skip.py").write_text("this line is for a shell\nprint('the second')\n")
    alike(*arguments, folder=folder, options=options)


@pytest.mark.parametrize("source", [SHOW, "import sys\nprint(sys.argv)\ndef f():\n    1 / 0\nf()\n", "x = (", ""])
def test_a_program_by_the_standard_input(folder: Path, source: str) -> None:
    plain = python("-", "a", "-b", folder=folder, text=source)
    ours = python(*OURS, "-", "a", "-b", folder=folder, text=source)
    plain.stdout, ours.stdout = (re.sub("0x[0-9a-f]+", "0x", done.stdout) for done in (plain, ours))
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)


def test_the_options_of_the_interpreter_and_ours(folder: Path) -> None:
    code = "import socket, sys; print(socket.__name__, socket.__backend__, sys.flags.isolated, sys.argv)"
    done = python(*OURS, "-I", "--backend", "ctypes", "-c", code, "--backend", folder=folder)
    assert (done.stdout, done.stderr) == ("socketpkg ctypes 1 ['-c', '--backend']\n", "")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--nonsense", "x.py"), "unrecognized option: --nonsense"),
        (("-X",), "argument expected for -X"),
        (("--backend",), "argument expected for --backend"),
        (("-c",), "the program to run is missing"),
    ],
)
def test_a_wrong_command_line(folder: Path, arguments: tuple[str, ...], error: str) -> None:
    done = python(*OURS, *arguments, folder=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m socketpkg run ")
    assert error in done.stderr


def test_help(folder: Path) -> None:
    done = python(*OURS, "--help", folder=folder)
    assert done.returncode == 0
    for option in ("--backend NAME", "--no-children", "-m MODULE", "-c CODE", "-X dev"):
        assert option in done.stdout


def test_a_backend_that_is_named_is_the_only_one_loaded(folder: Path) -> None:
    """The interpreter is not started a second time for it, and nothing of another backend is imported."""
    code = "import sys, os; print(os.getpid(), sorted(m for m in sys.modules if m.startswith('socketpkg_')))"
    command = [sys.executable, *OURS, "--backend", "ctypes", "-c", code]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as done:
        output, _ = done.communicate(timeout=60)
    pid, _, modules = output.partition(" ")
    assert int(pid) == done.pid
    assert "socketpkg_ctypes" in modules and "socketpkg_c." not in modules and "socketpkg_cffi" not in modules


def test_little_comes_before_the_program(folder: Path) -> None:
    """What starts late: `run` imports next to nothing that `python -m` and the package do not."""
    (folder / "imports_it.py").write_text("import socketpkg\n")
    # A module without a spec is not the one of that name, but something that stands for it until it is used.
    code = "import sys; print(*[name for name, module in sys.modules.items() if getattr(module, '__spec__', name)])"
    (folder / "tell.py").write_text(code)
    (folder / "bare.py").write_text(f"import socketpkg\n{code}")
    ours = set(python(*OURS, "tell.py", folder=folder, options=()).stdout.split())
    bare = set(python("-m", "bare", folder=folder, options=()).stdout.split())
    own = {
        "socketpkg._commands.run",
        "socketpkg._commands",
        "socketpkg._bootstrap",
        "socketpkg._install",
        "socketpkg.__main__",
    }
    own |= {"socket", "_socket", "marshal", "runpy", "__mp_main__"}
    assert ours - bare <= own


@pytest.mark.parametrize(
    "source",
    [
        b"a = 1",
        "a = '\u00e9'",
        "# -*- coding: latin-1 -*-\na = '\u00e9'",
        b"# -*- coding: latin-1 -*-\na = '\xe9'",
        b"\xef\xbb\xbfa = '\xc3\xa9'",
        b"a = '\xe9'",
        b"# -*- coding: nonsense -*-",
        b"a = (",
        "a = \0",
        b"a = \0",
        "a = '\ud800'",
        b"from __future__ import annotations\ndef f(a: b): assert a, __debug__\r\nmatch = 1",
        b"def f():\n\treturn await g()",
        b"",
    ],
)
def test_a_backend_compiles_a_program_as_compile_does(source: str | bytes) -> None:
    """compile() makes the classes of the module ast first, which a program's start need not pay for."""
    if not backends.available()["c"].usable:
        pytest.skip("only the c backend has it")
    sooner = importlib.import_module("socketpkg_c.syscalls").compile_program

    def outcome(make: Callable[..., object]) -> object:
        try:
            return make(source, "a_name.py", "exec", 0, True)
        except Exception as error:
            return type(error), error.args

    assert outcome(sooner) == outcome(compile)


def test_run_compiles_by_the_backend(folder: Path) -> None:
    """compile() leaves classes of ast behind. So do modules that have no bytecode yet, and the first run makes it."""
    if not backends.available()["c"].usable:
        pytest.skip("only the c backend has it")
    (folder / "looks.py").write_text(
        "import gc\n"
        "def look(): print(any(cls.__module__ == 'ast' for cls in gc.get_objects() if isinstance(cls, type)))\n"
        "look()\n"
        "compile('', '', 'exec')\n"
        "look()\n"
    )
    env = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    done = [python(*OURS, "--backend", "c", "looks.py", folder=folder, env=env) for _ in range(2)]
    assert done[1].stdout.split() == ["False", "True"]


def test_what_is_not_there(folder: Path) -> None:
    plain, ours = python("missing.py", folder=folder), python(*OURS, "missing.py", folder=folder)
    # PyPy puts no quotes around the name.
    assert (ours.returncode, ours.stderr.replace("'", "")) == (plain.returncode, plain.stderr.replace("'", ""))
    alike("-m", "missing_module", folder=folder)
    alike("-m", "pack.missing", folder=folder)


def test_a_module_of_the_folder_is_importable(folder: Path) -> None:
    (folder / "sub" / "neighbour.py").write_text("print(__name__)\n")
    (folder / "sub" / "importer.py").write_text("import neighbour\n")
    assert alike("sub/importer.py", folder=folder).stdout == "neighbour\n"


def test_it_runs_on_our_sockets(folder: Path) -> None:
    (folder / "uses.py").write_text(
        "import socket, _socket, http.client, socketserver, sys\n"
        "print(socket.__name__, _socket.__name__, http.client.socket is socketserver.socket is socket)\n"
        "print(socket.__backend__)\n"
    )
    done = python(*OURS, "uses.py", folder=folder)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "socketpkg socketpkg._socket True"


def test_each_backend_can_be_asked_for(folder: Path) -> None:
    (folder / "uses.py").write_text(
        "import socket, os, subprocess, sys\n"
        "print(socket.__backend__, sys.argv[1:], sys.flags.optimize, sys.flags.dont_write_bytecode)\n"
        "if not sys.argv[-1:] == ['child']:\n"
        "    sys.stdout.flush()\n"
        "    code = 'import socketpkg; print(socketpkg.__backend__)'\n"
        "    raise SystemExit(subprocess.call([sys.executable, '-c', code]))\n"
    )
    for name, status in backends.available().items():
        if status.usable:
            done = python(*OURS, "--backend", name, "uses.py", "x y", folder=folder, options=("-OO", "-B"))
            assert (done.stdout, done.stderr) == (f"{name} ['x y'] 2 True\n{name}\n".replace("True", "1"), "")


def test_a_backend_that_cannot_be_used_is_refused(folder: Path) -> None:
    (folder / "uses.py").write_text("print('should not run')\n")
    done = python(*OURS, "--backend", "nonsense", "uses.py", folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "'nonsense'" in done.stderr and "Traceback" not in done.stderr
    # In the environment it stands back behind --backend.
    done = python(*OURS, "--backend", "ctypes", "uses.py", folder=folder, env={"SOCKET_BACKEND": "nonsense"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "should not run\n", "")


def test_the_program_must_be_named(folder: Path) -> None:
    for arguments in ((), ("--backend", "ctypes"), ("-m",)):
        done = python(*OURS, *arguments, folder=folder)
        assert done.returncode == 2
        assert "the program to run is missing" in done.stderr


def test_socket_imported_before_is_said(folder: Path) -> None:
    # A site customisation is what can come before.
    (folder / "sitecustomize.py").write_text("import socket\n")
    (folder / "program.py").write_text("print('runs')\n")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = python(*OURS, "program.py", folder=folder, options=(), env={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (0, "runs\n")
    assert "RuntimeWarning" in done.stderr and "sitecustomize" in done.stderr


def test_http_server(folder: Path) -> None:
    (folder / "file.txt").write_text("served")
    command = [sys.executable, "-u", *OURS, "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"port (\d+)", server.stdout.readline())
            assert found is not None
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{found[1]}/file.txt", timeout=60) as answer:
                assert answer.read() == b"served"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                server.kill()
                raise
        assert server.returncode == 0


def test_interrupted_it_dies_of_the_signal(folder: Path) -> None:
    (folder / "waits.py").write_text(
        "import socket\none, two = socket.socketpair()\nprint('ready', flush=True)\none.recv(1)\n"
    )
    command = [sys.executable, *OURS, "waits.py"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "ready\n"
        time.sleep(0.1)
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate(timeout=60)
    assert waiting.returncode == -signal.SIGINT
    assert errors.startswith("Traceback") and errors.rstrip().endswith("KeyboardInterrupt")
    assert "_commands/run.py" not in errors and "runpy" not in errors


def test_a_debugger(folder: Path) -> None:
    """Its breakpoints are those of the program, whose sockets are ours; on interpreted backends it steps into them."""
    (folder / "debugged.py").write_text(
        "import socket\none, two = socket.socketpair()\none.send(b'x')\nprint(two.recv(1))\none.close(), two.close()\n"
    )
    commands = "b 4\nc\np socket.__name__\ns\nw\nc\nq\n"
    done = python(*OURS, "-m", "pdb", "debugged.py", folder=folder, env={"SOCKET_BACKEND": "ctypes"}, text=commands)
    assert "Breakpoint 1 at" in done.stdout
    assert "'socketpkg'" in done.stdout
    assert "_core.py(" in done.stdout and "recv()" in done.stdout
    assert "\nb'x'\n" in done.stdout.replace("(Pdb) ", "\n")
