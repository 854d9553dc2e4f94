"""``python -m socketpkg vendor``: what a copy is, and what the command does with good and with bad input.

Most of it is tried with the ctypes backend, which nothing has to be built for. The others are in
test_vendor_programs.py.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import socketpkg
from socketpkg import __main__, _config, backends
from socketpkg._commands import bench
from socketpkg._commands.bench.lockstep import WorkerError
from socketpkg._commands.vendor import advice, build, generate, material, place, rewrite
from socketpkg._commands.vendor.errors import VendorError
from socketpkg._commands.vendor.manifest import Manifest
from socketpkg._commands.vendor.sources import EXCLUDED, Sources

# The first backend that needs libffi makes that open itself, for good.
pytestmark = pytest.mark.keeps_descriptors

PACKAGE = Path(socketpkg.__file__).parent
NAME = "myapp._vendor.socketpkg"


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A package folder of a program."""
    return program(tmp_path)


def program(folder: Path, name: str = "myapp") -> Path:
    """Makes a program with a folder for what it vendors."""
    dest = folder / "src" / name / "_vendor"
    dest.mkdir(parents=True)
    (dest / "__init__.py").touch()
    (dest.parent / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1"\n')
    return dest


def vendor(*arguments: object) -> int:
    """Runs the command in this process, and gives its exit status."""
    try:
        return __main__.main(["vendor", *map(str, arguments)])
    except SystemExit as end:
        return int(end.code or 0)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file and folder, the hidden too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if "__pycache__" not in path.parts
    }


def python(dest: Path, code: str, *options: str, **env: str) -> str:
    """What the code prints in an interpreter that sees the program, and where a warning is an error."""
    clean = {key: value for key, value in os.environ.items() if key not in ("SOCKET_BACKEND", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", code],
        env={**clean, "PYTHONPATH": str(dest.parent.parent), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# -- what is in a copy -------------------------------------------------------------------------------------------------


def test_a_copy_works(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    printed = capsys.readouterr().out
    assert f"socketpkg {socketpkg.__version__} with the backend ctypes is in {dest}/socketpkg" in printed
    assert "from myapp._vendor import socketpkg as socket" in printed
    code = """if True:
        import sys
        from myapp._vendor import socketpkg as socket
        print(socket.__name__, socket.__backend__, socket.__version__)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            with socket.create_connection(listener.getsockname()) as client:
                server, _ = listener.accept()
                with server:
                    server.sendall(b"hello")
                    print(client.recv(9))
        import myapp._vendor.socketpkg.server
        print([name for name in sys.modules if name.partition(".")[0].startswith("socketpkg")])
        print([finder for finder in sys.meta_path if "socketpkg" in repr(finder)])
    """
    expected = f"{NAME} ctypes {socketpkg.__version__}\nb'hello'\n[]\n[]\n"
    assert python(dest, code) == expected


@pytest.mark.parametrize("backend", _config.BUILT_IN)
def test_nothing_but_what_is_needed(backend: str) -> None:
    """Every module of the package is in the copies or is named as one that is not, and the imports are all there."""
    files = Sources(backend).python(NAME)
    tops = {name.partition("/")[0].partition(".")[0] for name in files}
    assert not {".".join(Path(name).with_suffix("").parts[:2]) for name in files} & set(EXCLUDED)
    assert ("_ffi" in tops) is (backend != "c"), "what only interpreted backends use"
    assert ("_backend/_constants_linux.py" in files) is (backend == "ctypes")


def test_every_module_has_its_place() -> None:
    """A new module is in the copies because it is used there, or else `ROOTS` or `EXCLUDED` must name it."""
    files = (
        path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py*") if path.suffix in (".py", ".pyi")
    )
    present = {".".join(path.parts).removesuffix("__init__").removesuffix(".") for path in files}
    reached = set().union(*(Sources(name).modules() for name in _config.BUILT_IN))
    excluded = {name for name in present if f"{name}.".startswith(tuple(f"{top}." for top in EXCLUDED))}
    assert present == reached | excluded
    assert not reached & excluded


@pytest.mark.parametrize("name", [name for name in _config.BUILT_IN if name != "c"])
def test_every_module_of_a_backend_has_its_place(name: str) -> None:
    sources = Sources(name)
    files = sources.python(NAME)
    ours = {path.name for path in sources.folder.glob("*.py")} - {"_build_ffi.py"}
    assert {f"_backend/{name}" for name in ours} <= set(files)


@pytest.mark.parametrize("backend", _config.BUILT_IN)
def test_no_name_of_the_whole_edition_is_left(backend: str) -> None:
    """Neither in the imports nor as a text that code would import by, or find in sys.modules."""
    names = re.compile(r"socketpkg(_\w+)?(\.\w+)*")
    for path, text in Sources(backend).python(NAME).items():
        if not path.endswith((".py", ".pyi")) or path == "_config.py":
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                assert not [alias.name for alias in node.names if names.fullmatch(alias.name)], path
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert not names.fullmatch(node.module or ""), path
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and names.fullmatch(node.value):
                # The key of a report; the name of the group of entry points, which a copy does not read.
                assert (path, node.value) in {
                    ("_commands/doctor.py", "socketpkg"),
                    ("backends.py", "socketpkg.layers"),
                    ("backends.py", "socketpkg.backends"),
                }


def test_types_and_licence_come_along(dest: Path) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    copy = dest / "socketpkg"
    assert {"py.typed", "_socket.pyi", "_enums.pyi", "LICENSE"} <= {path.name for path in copy.iterdir()}
    assert (copy / "LICENSE").read_text() == material.licence()
    assert "Permission is hereby granted" in material.licence()


def test_the_backend_is_the_copy_s_own(dest: Path) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    # Somebody's backend, registered.
    registered = dest.parents[1] / "mine-1.dist-info"
    registered.mkdir()
    (registered / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1\n")
    (registered / "entry_points.txt").write_text("[socketpkg.backends]\nmine = mine\n")
    code = """if True:
        from myapp._vendor.socketpkg import backends
        print(backends.selected(), list(backends.available()), backends.rule())
        for name in ("c", "trace+ctypes"):
            try:
                backends.load(name)
            except ImportError as error:
                print(error)
    """
    printed = python(dest, code, SOCKET_BACKEND="nonsense")
    cannot = "socketpkg cannot use the backend"
    assert printed.splitlines() == [
        "ctypes ['ctypes'] being the only one of this copy, which SOCKET_BACKEND does not reach",
        f"{cannot} 'c': there is no backend of this name. The backends are: ctypes (usable)",
        f"{cannot} 'trace+ctypes': a vendored copy has no layers. The backends are: ctypes (usable)",
    ]


def test_the_doctor_of_a_copy(dest: Path) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    done = subprocess.run(
        [sys.executable, "-m", NAME, "--json"],
        env={**os.environ, "PYTHONPATH": str(dest.parent.parent), "SOCKET_BACKEND": "nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["socketpkg"]["vendored_as"] == NAME
    assert facts["selection"]["backend"] == "ctypes"
    assert facts["selection"]["variable"] == "nonsense"
    assert "SOCKET_BACKEND does not reach" in facts["selection"]["rule"]
    assert [backend["package"] for backend in facts["backends"]] == [f"{NAME}._backend"]


@pytest.mark.parametrize("command", ["run", "vendor", "bench"])
def test_a_copy_has_no_other_commands(dest: Path, command: str) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    done = subprocess.run(
        [sys.executable, "-m", NAME, command],
        env={**os.environ, "PYTHONPATH": str(dest.parent.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert f"usage: python -m {NAME}" in done.stderr
    assert f"invalid choice: '{command}' (choose from " in done.stderr


def test_a_copy_that_cannot_load_says_what_is_wrong(dest: Path) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    (dest / "socketpkg" / "_backend" / "syscalls.py").unlink()
    code = f"try: import {NAME}\nexcept ImportError as error: print(error)"
    printed = python(dest, code)
    assert printed.startswith("socketpkg has no backend that can be used here: ctypes (not built: ")


def test_install_puts_the_copy_in_the_place_of_socket(dest: Path) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    code = """if True:
        import myapp._vendor.socketpkg as copy
        copy.install()
        import socket, _socket, http.client
        assert socket is copy and _socket is copy._socket and http.client.socket is copy
        print("installed")
    """
    assert python(dest, code) == "installed\n"


def test_install_names_the_rest_of_the_program(dest: Path) -> None:
    """The program's own modules are not a part of the copy, although their name begins as its name does."""
    assert vendor("--backend", "ctypes", dest) == 0
    (dest.parent / "early.py").write_text("import socket\n")
    code = """if True:
        import warnings, myapp.early, myapp._vendor.socketpkg as copy
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            copy.install()
        print(caught[0].message)
    """
    printed = python(dest, code)
    assert printed.startswith(f"{NAME}.install() came too late for ")
    assert printed.rstrip().endswith("myapp.early")


def test_two_versions_and_the_installed_one(tmp_path: Path) -> None:
    """In one process; none sees anything of the others."""
    one, two = program(tmp_path / "one", "one"), program(tmp_path / "two", "two")
    assert vendor("--backend", "ctypes", one) == 0
    # The other program has its copy from an older socketpkg, which knows a constant less.
    older = tmp_path / "older"
    for name in ("socketpkg", "socketpkg_ctypes", "socketpkg_ffi"):
        package = Path(__import__(name).__file__).parent
        shutil.copytree(package, older / name, ignore=shutil.ignore_patterns("__pycache__"))
    version = older / "socketpkg" / "_version.py"
    version.write_text(version.read_text().replace(socketpkg.__version__, "0.0.1"))
    if not (older / "socketpkg" / "_commands" / "vendor" / "material").is_dir():
        shutil.copy(PACKAGE.parent / "LICENSE", older)
    done = subprocess.run(
        [sys.executable, "-m", "socketpkg", "vendor", "--backend", "ctypes", str(two)],
        env={**os.environ, "PYTHONPATH": str(older)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    code = """if True:
        import pickle, sys
        from multiprocessing import Pipe
        finders = list(sys.meta_path)
        from one._vendor import socketpkg as one
        from two._vendor import socketpkg as two
        assert sys.meta_path == finders
        import socketpkg
        modules = one, two, socketpkg
        print([module.__version__ for module in modules])
        for copy in modules:
            for name, value in vars(copy).items():
                home = getattr(value, "__module__", None) or ""
                if "socketpkg" in str(home) and isinstance(value, type):
                    assert home.startswith(copy.__name__) or copy is socketpkg, (name, home)
            assert pickle.loads(pickle.dumps(copy.AF_INET)) is copy.AF_INET
            here, there = Pipe()
            with here, there, copy.socket() as sock:
                here.send(sock)
                with there.recv() as received:
                    assert type(received) is copy.socket
                    assert received.fileno() != sock.fileno()
            copy.setdefaulttimeout(len(copy.__name__))
        assert len({copy.socket for copy in modules}) == len({copy.AddressFamily for copy in modules}) == 3
        assert [copy.getdefaulttimeout() for copy in modules] == [len(copy.__name__) for copy in modules]
        with one.create_server(("127.0.0.1", 0)) as listener, two.socket() as client:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            with server:
                assert type(server) is one.socket
                client.sendall(b"from one to the other")
                print(server.recv(64))
    """
    path = os.pathsep.join([*map(str, (one.parents[1], two.parents[1])), str(PACKAGE.parent), *backend_paths()])
    printed = python(one, code, PYTHONPATH=path)
    assert printed.splitlines() == [
        str([socketpkg.__version__, "0.0.1", socketpkg.__version__]),
        "b'from one to the other'",
    ]


def backend_paths() -> list[str]:
    """Where the packages of the backends are, in a source tree apart from the public package."""
    return [str(Sources(name).folder.parent) for name in _config.BUILT_IN]


# -- VENDORED.txt, --check ---------------------------------------------------------------------------------------------


def test_the_manifest(dest: Path) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    copy = dest / "socketpkg"
    manifest = Manifest.read(copy, str(dest))
    assert (manifest.version, manifest.backend, manifest.name) == (socketpkg.__version__, "ctypes", NAME)
    assert manifest.options == "--backend ctypes"
    assert manifest.files == {
        path: hashlib.sha256(data).hexdigest()
        for path, data in contents(copy).items()
        if (copy / path).is_file() and path != "VENDORED.txt"
    }
    assert "licence: MIT" in (copy / "VENDORED.txt").read_text()


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    copies = []
    for seed in ("1", "2"):
        dest = program(tmp_path / f"with a blank {seed}")
        done = subprocess.run(
            [sys.executable, "-m", "socketpkg", "vendor", "--backend", "ctypes", "src/myapp/_vendor"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=dest.parents[2],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        copies.append(contents(dest))
    assert copies[0] == copies[1]
    assert not [path for path, data in copies[0].items() if str(tmp_path).encode() in data]


def check(dest: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The status of ``--check``, and the lines about single files."""
    capsys.readouterr()
    status = vendor("--check", dest)
    return status, [line for line in capsys.readouterr().out.splitlines() if ": " in line]


def test_check(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    copy = dest / "socketpkg"
    assert check(dest, capsys) == (0, [])
    (copy / "__pycache__").mkdir(exist_ok=True)
    (copy / "__pycache__" / "server.cpython-313.pyc").touch()
    assert check(dest, capsys) == (0, [])
    (copy / "server.py").write_text((copy / "server.py").read_text() + "#")
    (copy / "_backend" / "_core.py").unlink()
    (copy / "extra.py").touch()
    (copy / "_backend" / "extra.so").touch()
    assert check(dest, capsys) == (
        1,
        [
            f"missing: {copy}/_backend/_core.py",
            f"changed: {copy}/server.py",
            f"added: {copy}/_backend/extra.so",
            f"added: {copy}/extra.py",
        ],
    )


def test_check_does_not_count_what_was_built(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "cffi", "--no-build", dest) == 0
    copy = dest / "socketpkg"
    (copy / "_backend" / "_cffi.cpython-399-vax.so").touch()
    assert check(dest, capsys) == (0, [])
    (copy / "_cffi.cpython-399-vax.so").touch()
    assert check(dest, capsys) == (1, [f"added: {copy}/_cffi.cpython-399-vax.so"])


def test_check_sees_a_link_in_the_place_of_a_file(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    server = dest / "socketpkg" / "server.py"
    server.rename(dest / "elsewhere.py")
    server.symlink_to(dest / "elsewhere.py")
    assert check(dest, capsys) == (1, [f"changed: {server}"])


DAMAGE: list[tuple[Callable[[str], str], str]] = [
    (lambda text: "", "no list of files"),
    (lambda text: text.partition("sha256:")[0], "no list of files"),
    (lambda text: text.replace("version: ", "verse: "), "does not say the version"),
    (lambda text: text.replace("  server.py", "  ../../server.py"), "no list of files"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
@pytest.mark.parametrize("action", ["--check", "--update"])
def test_a_damaged_manifest(
    dest: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[str], str], message: str, action: str
) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    manifest = dest / "socketpkg" / "VENDORED.txt"
    manifest.write_text(damage(manifest.read_text()))
    before = contents(dest)
    assert vendor(action, dest) == 2
    assert message in capsys.readouterr().err
    assert contents(dest) == before


# -- --update ----------------------------------------------------------------------------------------------------------


def age(copy: Path) -> dict[str, bytes]:
    """Makes a copy look as if an older socketpkg had made it: it has a file less and one more, and another version."""
    now = contents(copy)
    manifest = Manifest.read(copy, "")
    (copy / "server.py").unlink()
    (copy / "forgotten.py").write_text("")
    files = {path: digest for path, digest in manifest.files.items() if path != "server.py"}
    files["forgotten.py"] = hashlib.sha256(b"").hexdigest()
    (copy / "VENDORED.txt").write_text(manifest._replace(version="0.0.1", files=files).text())
    return now


def test_update(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    now = age(dest / "socketpkg")
    assert check(dest, capsys)[0] == 0
    assert vendor("--update", dest) == 0
    assert "It was version 0.0.1; 2 of " in capsys.readouterr().out
    assert contents(dest / "socketpkg") == now
    assert sorted(path.name for path in dest.iterdir()) == ["__init__.py", "socketpkg"]


def test_update_leaves_what_was_changed(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    now = contents(dest)
    server = dest / "socketpkg" / "server.py"
    server.write_text("# mine\n")
    changed = contents(dest)
    capsys.readouterr()
    assert vendor("--update", dest) == 2
    assert f"changed: {server}" in capsys.readouterr().err
    assert contents(dest) == changed
    assert vendor("--update", "--force", dest) == 0
    assert contents(dest) == now


def test_update_keeps_the_options(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dest / "__init__.py").unlink()
    assert vendor("--backend", "ctypes", "--package", "ns.myapp._vendor", "--no-build", dest) == 0
    assert Manifest.read(dest / "socketpkg", "").options == "--backend ctypes --package ns.myapp._vendor --no-build"
    now = contents(dest)
    assert vendor("--update", dest) == 0
    assert contents(dest) == now


def test_update_takes_other_options(dest: Path) -> None:
    assert vendor("--backend", "ctypes", "--no-build", dest) == 0
    assert vendor("--update", "--backend", "cffi", dest) == 0
    manifest = Manifest.read(dest / "socketpkg", "")
    assert (manifest.backend, manifest.options) == ("cffi", "--backend cffi --no-build")
    assert not (dest / "socketpkg" / "_backend" / "_prototypes.py").exists()


def test_update_follows_a_program_that_got_another_name(dest: Path) -> None:
    assert vendor("--backend", "cffi", "--no-build", dest) == 0
    renamed = dest.parent.rename(dest.parents[1] / "yours") / "_vendor"
    assert vendor("--update", renamed) == 0
    code = (renamed / "socketpkg" / "_backend" / "_cffi.c").read_text()
    assert "yours._vendor.socketpkg._backend._cffi" in code
    assert "myapp" not in code


def test_update_of_options_that_are_none(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    manifest = dest / "socketpkg" / "VENDORED.txt"
    for options in ("--backend uring", "--backend ctypes --quickly", "--backend 'ctypes"):
        manifest.write_text(re.sub(r"(?m)^options: .*$", f"options: {options}", manifest.read_text()))
        before = contents(dest)
        assert vendor("--update", dest) == 2
        assert "are not understood" in capsys.readouterr().err
        assert contents(dest) == before


# -- which backend -----------------------------------------------------------------------------------------------------


def rank_as(monkeypatch: pytest.MonkeyPatch, rank: Callable[[Any], list[tuple[str, float]]]) -> None:
    """Puts something in place of the measurement."""
    monkeypatch.setattr(bench, "rank", rank)


@pytest.mark.parametrize("options", [(), ("--backend", "fastest")])
def test_the_fastest(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    asked: list[list[str]] = []

    def rank(names: Any) -> list[tuple[str, float]]:
        asked.append(list(names))
        return [("ctypes", 1.5), *((name, 2.25) for name in names if name != "ctypes")]

    rank_as(monkeypatch, rank)
    assert vendor(*options, dest) == 0
    assert asked == [[name for name, status in backends.available().items() if status.usable]]
    printed = capsys.readouterr().out
    assert "    ctypes  1.50\n" in printed
    assert "the fastest is ctypes" in printed
    assert all(f"    {name:<8}2.25\n" in printed for name in asked[0] if name != "ctypes")
    assert Manifest.read(dest / "socketpkg", "").options == "--backend ctypes"
    # An update keeps what was found.
    rank_as(monkeypatch, lambda names: pytest.fail("measured again"))
    assert vendor("--update", dest) == 0


def test_the_fastest_is_measured(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really, with one backend, so that it is known which one wins."""
    unusable(monkeypatch, "c", "cffi")
    assert vendor(dest) == 0
    printed = capsys.readouterr().out
    (ratio,) = re.findall(r"^    ctypes  (\d+\.\d\d)$", printed, re.MULTILINE)
    assert float(ratio) > 0
    assert "the fastest is ctypes" in printed


def test_a_measurement_that_fails(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rank_as(monkeypatch, raiser(WorkerError("tcp on ctypes: the moon is full")))
    assert "cannot be measured: tcp on ctypes: the moon is full. Name one" in refusal(capsys, dest, dest)


def unusable(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Lets backends look as if they could not be used."""
    available = backends.available()
    for name in names:
        available[name] = backends.BackendStatus(name, False, "not built: the moon is full")
    monkeypatch.setattr(backends, "available", lambda: available)


def test_the_fastest_of_those_that_can_be_used(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unusable(monkeypatch, "c", "cffi")
    rank_as(monkeypatch, lambda names: [(name, 1.0) for name in names])
    assert vendor(dest) == 0
    printed = capsys.readouterr().out
    assert "not measured: cffi, since it cannot be used here: not built: the moon is full" in printed
    assert Manifest.read(dest / "socketpkg", "").backend == "ctypes"


def test_no_backend_can_be_used(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unusable(monkeypatch, *_config.BUILT_IN)
    assert "ctypes: not built: the moon is full" in refusal(capsys, dest, dest)


# -- bad input ---------------------------------------------------------------------------------------------------------


def refusal(capsys: pytest.CaptureFixture[str], watched: Path, *arguments: object) -> str:
    """The message with which the command refuses, status 2, and writes nothing."""
    before = contents(watched)
    capsys.readouterr()
    assert vendor(*arguments) == 2
    assert contents(watched) == before
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return captured.err


def test_no_folder(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = dest / "missing"
    assert f"{missing} is no package folder: there is no such folder" in refusal(
        capsys, dest, "--backend", "ctypes", missing
    )
    file = dest / "__init__.py"
    assert f"{file} is no package folder: it is a file" in refusal(capsys, dest, "--backend", "ctypes", file)


def test_no_package(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dest / "__init__.py").unlink()
    error = refusal(capsys, dest, "--backend", "ctypes", dest)
    assert "it has no __init__.py" in error
    assert "--package" in error


@pytest.mark.parametrize("name", ["my-app", "class", "1st"])
def test_no_name_to_import_by(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    dest = program(tmp_path, name)
    assert f"'{name}._vendor' is no name" in refusal(capsys, dest, "--backend", "ctypes", dest)
    assert vendor("--backend", "ctypes", "--package", "good._vendor", dest) == 0


@pytest.mark.parametrize("name", ["", ".", "a..b", "a.b-c", "a b"])
def test_no_name_of_a_package(dest: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert "is no name" in refusal(capsys, dest, "--backend", "ctypes", "--package", name, dest)


def test_a_folder_that_holds_something_else(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dest / "socketpkg").mkdir()
    (dest / "socketpkg" / "mine.py").touch()
    assert "holds something else" in refusal(capsys, dest, "--backend", "ctypes", dest)
    assert "has no copy of socketpkg" in refusal(capsys, dest, "--update", dest)
    assert "has no copy of socketpkg" in refusal(capsys, dest, "--check", dest)
    shutil.rmtree(dest / "socketpkg")
    (dest / "socketpkg").symlink_to(dest / "nowhere")
    assert "holds something else" in refusal(capsys, dest, "--backend", "ctypes", dest)


def test_a_folder_that_has_a_copy(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", dest) == 0
    assert f"vendor --update {dest} renews it" in refusal(capsys, dest, "--backend", "ctypes", dest)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system that refuses even root")
def test_a_folder_that_is_not_writable(capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor("--backend", "ctypes", "--package", "a.b", "/proc/self") == 2
    assert "/proc/self is not writable: " in capsys.readouterr().err


def test_a_backend_that_cannot_be_used(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unusable(monkeypatch, "cffi")
    error = refusal(capsys, dest, "--backend", "cffi", dest)
    assert "the backend cffi cannot be used here: not built: the moon is full" in error
    assert vendor("--backend", "cffi", "--no-build", dest) == 0, "the sources can be written all the same"


def test_no_compiler(dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("CC", "/nowhere/cc -O")
    with pytest.raises(VendorError, match="no C compiler to build the copy with: /nowhere/cc -O is not found.*--no-b"):
        build.require_compiler()


def test_no_setuptools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(VendorError, match=r"takes setuptools: pip install 'socketpkg\[vendor\]'"):
        build.require_compiler()


@pytest.mark.parametrize(("backend", "tool"), [("c", "Cython"), ("cffi", "cffi")])
def test_no_generator(monkeypatch: pytest.MonkeyPatch, backend: str, tool: str) -> None:
    monkeypatch.setattr(generate.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(VendorError, match=f"the backend {backend} is written by {tool}, which is not installed"):
        generate.generator(backend)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "DEST"),
        (["--backend", "uring", "DEST"], "invalid choice"),
        (["--force", "DEST"], "--force goes with --update"),
        (["--check", "--update", "DEST"], "not allowed with"),
        (["--check", "--no-build", "DEST"], "--check goes with none of"),
        (["--check", "--force", "DEST"], "--force goes with --update"),
    ],
)
def test_arguments_that_do_not_go(
    dest: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(capsys, dest, *(str(dest) if word == "DEST" else word for word in arguments))


# -- in one piece ------------------------------------------------------------------------------------------------------


def raiser(error: BaseException) -> Callable[..., Any]:
    def fail(*arguments: Any, **keywords: Any) -> Any:
        raise error

    return fail


FAILURES = [
    (build, "try_out", VendorError("it does not work"), 2, "it does not work"),
    (build, "try_out", OSError(28, "No space left on device"), 2, "No space left on device"),
    (build, "try_out", KeyboardInterrupt(), 130, "interrupted"),
    (place.shutil, "copytree", OSError(28, "No space left on device"), 2, "No space left on device"),
    (place.Path, "rename", OSError(5, "Input/output error"), 2, "Input/output error"),
]


@pytest.mark.parametrize("update", [False, True], ids=["new", "update"])
@pytest.mark.parametrize(("module", "name", "error", "status", "message"), FAILURES)
def test_a_failure_leaves_all_as_it_was(
    dest: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    update: bool,
    module: Any,
    name: str,
    error: BaseException,
    status: int,
    message: str,
) -> None:
    if update:
        assert vendor("--backend", "ctypes", dest) == 0
        age(dest / "socketpkg")
    before = contents(dest)
    with monkeypatch.context() as patch:
        patch.setattr(module, name, raiser(error))
        assert vendor(*(["--update"] if update else ["--backend", "ctypes"]), dest) == status
    assert message in capsys.readouterr().err
    assert contents(dest) == before
    assert vendor(*(["--update"] if update else ["--backend", "ctypes"]), dest) == 0


def test_the_old_copy_comes_back(dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the second of the two renames fails."""
    assert vendor("--backend", "ctypes", dest) == 0
    age(dest / "socketpkg")
    before = contents(dest)
    rename = Path.rename

    def second_fails(self: Path, target: Any) -> Path:
        if self.name == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    assert vendor("--update", dest) == 2
    assert contents(dest) == before


# -- the lines to add --------------------------------------------------------------------------------------------------


def printed_lines(dest: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    assert vendor(*options, dest) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_lines_for_setuptools(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed_lines(dest, capsys, "--backend", "cffi", "--no-build")
    module, source = f"{NAME}._backend._cffi", "src/myapp/_vendor/socketpkg/_backend/_cffi.c"
    assert f'Extension("{module}", ["{source}"]),' in lines
    assert (dest.parents[2] / source).is_file()
    assert f'"{NAME}" = ["LICENSE", "VENDORED.txt", "py.typed", "*.pyi"]' in lines
    assert f'dependencies = ["{advice.CFFI}"]' in lines
    packages = ", ".join(f"{NAME}{inside}" for inside in ("", "._backend", "._commands", "._engine"))
    assert f"A project that lists its packages by name adds {packages} and {NAME}._ffi." in lines


def test_lines_for_meson(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dest.parents[2] / "pyproject.toml").write_text('[build-system]\nbuild-backend = "mesonpy"\n')
    lines = printed_lines(dest, capsys, "--backend", "cffi", "--no-build")
    assert "py.extension_module('_cffi', 'src/myapp/_vendor/socketpkg/_backend/_cffi.c'," in lines
    assert "subdir: 'myapp/_vendor/socketpkg/_backend', install: true)" in lines
    assert not any("Extension(" in line for line in lines)


def test_lines_without_c(dest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed_lines(dest, capsys, "--backend", "ctypes")
    assert not any("Extension(" in line or advice.CFFI in line for line in lines)


def test_a_dest_that_is_given_from_where_one_is(
    dest: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dest)
    lines = printed_lines(Path("."), capsys, "--backend", "ctypes")
    assert f'"{NAME}" = ["LICENSE", "VENDORED.txt", "py.typed", "*.pyi"]' in lines


def test_what_cffi_needs_is_what_socketpkg_needs() -> None:
    from importlib.metadata import requires

    assert advice.CFFI.replace("'", '"') in [line.replace("'", '"') for line in requires("socketpkg") or ()]


# -- rewriting ---------------------------------------------------------------------------------------------------------


def test_imports_wherever_they_are() -> None:
    text = (
        '"""from socketpkg.x import y"""\n'
        "from socketpkg._engine.arguments import (  # why\n    a,\n    b,\n)\n"
        "import socketpkg\nimport socketpkg as net\n"
        "def f():\n    'ä'; from socketpkg.backends import c\n"
        "from socketpkgs import d\nimport os, sys\n"
    )
    assert rewrite.rewritten(
        text, "x.py", lambda found: "." + found.module.partition(".")[2] if found.names else ".."
    ) == (
        '"""from socketpkg.x import y"""\n'
        "from ._engine.arguments import (  # why\n    a,\n    b,\n)\n"
        "from .. import socketpkg\nfrom .. import socketpkg as net\n"
        "def f():\n    'ä'; from .backends import c\n"
        "from socketpkgs import d\nimport os, sys\n"
    )


@pytest.mark.parametrize("text", ["import socketpkg.backends", "import os, socketpkg", "from \\\n socketpkg import x"])
def test_imports_that_cannot_be_rewritten_are_errors(text: str) -> None:
    with pytest.raises(VendorError, match="x.py, line 1: an import that cannot be made to lead to a copy"):
        rewrite.rewritten(text, "x.py", lambda found: "..")


def test_imports_of_cython() -> None:
    packages = {"socketpkg_c": "a.b.socketpkg._backend", "socketpkg": "a.b.socketpkg"}
    text = "# from socketpkg_c\nfrom socketpkg_c._x cimport Y as Z\nfrom socketpkg_c cimport libc\ncimport cython\n"
    assert rewrite.rewritten_cython(text, packages) == (
        "# from socketpkg_c\nfrom a.b.socketpkg._backend._x cimport Y as Z\n"
        "from a.b.socketpkg._backend cimport libc\ncimport cython\n"
    )


# -- the C code of cffi ------------------------------------------------------------------------------------------------


def test_the_c_code_is_one_file(dest: Path) -> None:
    assert vendor("--backend", "cffi", "--no-build", dest) == 0
    code = (dest / "socketpkg" / "_backend" / "_cffi.c").read_text()
    assert not re.findall(r'^\s*#\s*include\s+"socketpkg', code, re.MULTILINE)
    assert "SP_CONSTANT(AF_INET)" in code
    assert f"{NAME}._backend._cffi" in code


def test_the_c_code_of_cffi_is_the_same_everywhere(tmp_path: Path) -> None:
    one, two = program(tmp_path / "one"), program(tmp_path / "two")
    assert vendor("--backend", "cffi", "--no-build", one) == 0
    assert vendor("--backend", "cffi", "--no-build", two) == 0
    assert contents(one) == contents(two)


def test_a_program_without_a_build_in_the_tree_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    program = tmp_path / "program"
    dest = program / "src" / "myapp" / "_vendor"
    dest.mkdir(parents=True)
    for folder in (dest.parent, dest):
        (folder / "__init__.py").touch()
    monkeypatch.chdir(program)
    assert place.Place(str(dest)).project == program
    (dest.parent / "setup.cfg").touch()
    assert place.Place(str(dest)).project == dest.parent
    (dest.parent / "setup.cfg").unlink()
    monkeypatch.chdir(dest)
    assert place.Place(str(dest)).project == tmp_path
