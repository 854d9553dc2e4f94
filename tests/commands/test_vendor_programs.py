"""Programs that carry a copy of socketpkg: made as the document says, built where socketpkg is not, run elsewhere.

Slow: virtual environments are made, through pip as it is configured, and C is compiled, not optimised.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import socketpkg
from socketpkg import _config
from socketpkg._commands.vendor.sources import Sources

pytestmark = [pytest.mark.slow, pytest.mark.keeps_descriptors]

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "vendoring.md"
PYPY = sys.implementation.name == "pypy"
NAME = "myapp._vendor.socketpkg"
#: Of the shared suite, what does not wait for much.
CORE = (
    "addresses conversions creation helpers makefile messages options resolver sendfile surface timeouts transfer "
    "two_arguments"
).split()
PATIENCE = 60.0

needs_c = pytest.mark.skipif(PYPY, reason="PyPy has no c backend")


def run(command: list[str], folder: Path, env: Mapping[str, str], timeout: float = 900) -> str:
    """Runs a program that has to succeed; gives what it printed."""
    done = subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def environment(**more: str) -> dict[str, str]:
    """The environment of a person who has set nothing of ours."""
    unwanted = ("CC", "CFLAGS", "LDSHARED", "SOCKET_BACKEND", "SOCKETPKG_TEST_TARGET")
    clean = {key: value for key, value in os.environ.items() if key not in unwanted and not key.startswith("PYTHON")}
    return {**clean, "CFLAGS": "-O0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **more}


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a person with this socketpkg in a virtual environment that is active."""
    folder = tmp_path_factory.mktemp("maker") / "venv"
    run([sys.executable, "-m", "venv", str(folder)], folder.parent, environment())
    (packages,) = folder.glob("lib/py*/site-packages")
    places = {Path(socketpkg.__file__).parent.parent, *(Sources(name).folder.parent for name in _config.BUILT_IN)}
    (packages / "socketpkg-under-test.pth").write_text("".join(f"{place}\n" for place in places))
    tools = ["setuptools", *([] if PYPY else ["Cython>=3.1", "cffi"])]
    run([str(folder / "bin" / "pip"), "install", "--quiet", *tools], folder, environment())
    return environment(PATH=f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", VIRTUAL_ENV=str(folder))


# -- the steps of the document -----------------------------------------------------------------------------------------

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def follow(heading: str, folder: Path, env: Mapping[str, str]) -> list[str]:
    """Does what a section of the document says: writes its files, runs its commands; gives what each block printed."""
    _, found, rest = DOCUMENT.read_text().partition(f"\n## {heading}\n")
    assert found, f"the document has no section {heading!r}"
    printed = []
    for language, code in FENCE.findall(rest.partition("\n## ")[0]):
        if language == "sh":
            printed.append(run(["bash", "-e", "-c", code], folder, env))
        else:
            path = folder / re.match(r"# (\S+)\n", code)[1]  # type: ignore[index]
            path.write_text(code)
    return printed


def core(folder: Path, name: str, backend: str) -> None:
    """Runs the shared suite's core on the copy that is installed in ``elsewhere``, where there is no socketpkg."""
    python = str(folder / "elsewhere" / "bin" / "python")
    code = f"import importlib.util as u; print([n for n in {absent(backend)} if u.find_spec(n)])"
    assert run([python, "-P", "-c", code], folder, environment()) == "[]\n"
    run([python, "-m", "pip", "install", "--quiet", "pytest>=8"], folder, environment())
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "no:cacheprovider", "-q"]
    tests = [str(ROOT / "tests" / "shared" / f"test_{part}.py") for part in CORE]
    # A backend that is named has no say.
    env = environment(SOCKETPKG_TEST_TARGET=name, SOCKET_BACKEND="nonsense", PYTHONDONTWRITEBYTECODE="1")
    printed = run([python, "-P", "-m", "pytest", *options, *tests], folder, env)
    assert re.search(r"^[5-9]\d\d passed|^\d{4,} passed", printed, re.MULTILINE), printed
    (copy,) = (folder / "elsewhere").glob(f"lib/py*/site-packages/{name.replace('.', '/')}")
    assert {"LICENSE", "VENDORED.txt", "py.typed", "_socket.pyi"} <= {path.name for path in copy.iterdir()}


def absent(backend: str) -> list[str]:
    """What there must not be where a program is run."""
    names = ["socketpkg", *_config.BUILT_IN.values(), "Cython"]
    return names if backend == "cffi" or PYPY else [*names, "cffi", "_cffi_backend"]


@pytest.fixture(scope="module")
def c_program(maker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The program that the document makes with setuptools and the c backend, and what its steps printed."""
    folder = tmp_path_factory.mktemp("setuptools") / "with a blank"
    folder.mkdir()
    return folder, follow("A setuptools program, with the c backend", folder, maker)


def advised(*texts: str) -> set[str]:
    """The lines that name parts of the copy."""
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return {
        line for line in lines if re.search(r"(Extension|extension_module)\(|_backend/|package-data|= \[\"LIC", line)
    }


@needs_c
def test_with_setuptools_and_c(c_program: tuple[Path, list[str]]) -> None:
    folder, (_, made, ran, renewed) = c_program
    # The lines are those that were printed.
    files = [(folder / file).read_text() for file in ("setup.py", "pyproject.toml")]
    assert advised(*files) == advised(made)
    assert "hello through the backend c\n" in ran
    assert "chosen: c, by being the only one of this copy" in ran
    assert f"vendored as {NAME}" in ran
    assert "is as it was made" in renewed
    assert "0 of " in renewed
    # It was built in place, and runs from the tree.
    env = environment(PYTHONPATH="src")
    assert run([sys.executable, "-m", "myapp"], folder, env) == "hello through the backend c\n"
    # Under another name it says what to do, although the modules of the first name are there to be found.
    (folder / "src" / "yours").symlink_to("myapp")
    done = subprocess.run(
        [sys.executable, "-c", "import yours._vendor.socketpkg"], cwd=folder, env=env, capture_output=True, text=True
    )
    (folder / "src" / "yours").unlink()
    last = done.stderr.splitlines()[-1]
    assert f"was made to be imported as {NAME} and not as yours._vendor.socketpkg; renew it with" in last
    assert last.endswith("vendor --update")
    core(folder, NAME, "c")


def test_with_setuptools_and_ctypes(maker: dict[str, str], tmp_path: Path) -> None:
    printed = follow("A setuptools program, with the ctypes backend", tmp_path, maker)
    assert "hello through the backend ctypes\n" in printed[-1]
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["myapp-1.0-py3-none-any.whl"]
    core(tmp_path, NAME, "ctypes")


@needs_c
def test_with_meson_python_and_c(maker: dict[str, str], tmp_path: Path) -> None:
    made, ran = follow("A meson-python program, with the c backend", tmp_path, maker)
    assert "hello through the backend c\n" in ran
    assert advised((tmp_path / "meson.build").read_text().partition("install_subdir")[2]) == advised(made)
    (copy,) = (tmp_path / "elsewhere").glob("lib/py*/site-packages/myapp/_vendor/socketpkg")
    assert {"LICENSE", "VENDORED.txt", "py.typed", "_socket.pyi"} <= {path.name for path in copy.iterdir()}
    assert not list(copy.rglob("*.c"))


# -- cffi, another version, and two programs in one process ------------------------------------------------------------


@pytest.fixture(scope="module")
def cffi_program(maker: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with cffi, from the lines that the command printed; built where there is nothing but setuptools."""
    folder = tmp_path_factory.mktemp("cffi")
    dest = folder / "src" / "other" / "_vendor"
    dest.mkdir(parents=True)
    (dest / "__init__.py").touch()
    (dest.parent / "__init__.py").touch()
    project = '[project]\nname = "other"\nversion = "1.0"\n'
    (folder / "pyproject.toml").write_text(project)
    # A socketpkg of another version makes it.
    code = textwrap.dedent(
        """
        import sys
        from socketpkg import __main__, _version
        from socketpkg._commands.vendor import sources
        whole, this = sources.Sources.python, _version.__version__
        def older(self, name):
            files = whole(self, name)
            files["_version.py"] = files["_version.py"].replace(this, "0.0.1")
            return files
        sources.Sources.python = older
        _version.__version__ = "0.0.1"
        sys.exit(__main__.main(["vendor", "--backend", "cffi", "src/other/_vendor"]))
        """
    )
    printed = run(["python", "-c", code], folder, maker)
    indented = "\n".join(line[4:] for line in printed.splitlines() if line.startswith("    ") or not line)
    setup, _, rest = indented.partition("[tool.setuptools.package-data]")
    data, _, dependencies = rest.partition("[project]")
    (folder / "setup.py").write_text(setup)
    (folder / "pyproject.toml").write_text(f"{project}{dependencies}\n[tool.setuptools.package-data]{data}")
    # A clean environment to build in.
    run([sys.executable, "-m", "venv", "build-env"], folder, environment())
    python = str(folder / "build-env" / "bin" / "python")
    run([python, "-m", "pip", "install", "--quiet", "setuptools>=77"], folder, environment())
    absent = "import importlib.util as u; print([n for n in ('socketpkg', 'Cython', 'cffi') if u.find_spec(n)])"
    assert run([python, "-P", "-c", absent], folder, environment()) == ("['cffi']\n" if PYPY else "[]\n")
    wheel = ["wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", "dist", "."]
    run([python, "-m", "pip", *wheel], folder, environment())
    return folder


def test_with_setuptools_and_cffi(cffi_program: Path) -> None:
    folder = cffi_program
    run([sys.executable, "-m", "venv", "elsewhere"], folder, environment())
    # With its dependencies: cffi.
    (built,) = (folder / "dist").glob("other-*.whl")
    python = str(folder / "elsewhere" / "bin" / "python")
    run([python, "-m", "pip", "install", "--quiet", str(built)], folder, environment())
    core(folder, "other._vendor.socketpkg", "cffi")


TOGETHER = """
import pickle, sys
from multiprocessing import Pipe
finders = list(sys.meta_path)
from myapp._vendor import socketpkg as one
from other._vendor import socketpkg as two
assert sys.meta_path == finders, sys.meta_path
modules = [one, two]
if {installed}:
    import socketpkg
    modules.append(socketpkg)
else:
    assert not [name for name in sys.modules if name.startswith("socketpkg")]
print([(module.__backend__, module.__version__) for module in modules])
for number, copy in enumerate(modules):
    assert pickle.loads(pickle.dumps(copy.AF_INET)) is copy.AF_INET
    here, there = Pipe()
    with here, there, copy.socket() as sock:
        here.send(sock)
        with there.recv() as received:
            assert type(received) is copy.socket
    copy.setdefaulttimeout(number + 1)
assert [copy.getdefaulttimeout() for copy in modules] == [number + 1 for number in range(len(modules))]
for kind in ("socket", "SocketType", "AddressFamily", "SocketIO", "SocketKind", "MsgFlag"):
    assert len({{getattr(copy, kind) for copy in modules}}) == len(modules), kind
if hasattr(one._socket, "CAPI"):
    assert len({{id(copy._socket.CAPI) for copy in modules}}) == len(modules)
for copy in modules:
    for peer in modules:
        copy.setdefaulttimeout(30)
        with copy.create_server(("127.0.0.1", 0)) as listener, peer.socket() as client:
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            with server, client:
                assert type(server) is copy.socket
                client.sendall(b"across")
                assert server.recv(64) == b"across"
"""


@pytest.fixture(scope="module")
def together(c_program: tuple[Path, list[str]], cffi_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with two programs: two backends, two versions."""
    folder = tmp_path_factory.mktemp("together")
    wheels = [str(*(program / "dist").glob("*.whl")) for program in (c_program[0], cffi_program)]
    run([sys.executable, "-m", "venv", "venv"], folder, environment())
    run([str(folder / "venv" / "bin" / "pip"), "install", "--quiet", *wheels], folder, environment())
    return folder


@needs_c
@pytest.mark.parametrize("installed", [False, True], ids=["alone", "beside-socketpkg"])
def test_two_programs_in_one_process(together: Path, installed: bool) -> None:
    """Alone, and beside the socketpkg that is installed here."""
    env = environment()
    expected = [("c", socketpkg.__version__), ("cffi", "0.0.1")]
    if installed:
        places = [Path(socketpkg.__file__).parent.parent, *(Sources(n).folder.parent for n in _config.BUILT_IN)]
        env |= {"PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, places))), "SOCKET_BACKEND": "c"}
        expected.append(("c", socketpkg.__version__))
    python = str(together / "venv" / "bin" / "python")
    printed = run([python, "-W", "error", "-c", TOGETHER.format(installed=installed)], together, env)
    assert printed == f"{expected}\n"


# -- the C code, the compiler ------------------------------------------------------------------------------------------


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """A package folder of a program."""
    dest = tmp_path / "src" / "myapp" / "_vendor"
    dest.mkdir(parents=True)
    (dest / "__init__.py").touch()
    (dest.parent / "__init__.py").touch()
    return dest


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


@needs_c
def test_the_c_code_of_c_is_the_same_everywhere(
    c_program: tuple[Path, list[str]], maker: dict[str, str], dest: Path
) -> None:
    run(["python", "-m", "socketpkg", "vendor", "--backend", "c", "--no-build", str(dest)], dest, maker)
    there = contents(c_program[0] / "src" / "myapp" / "_vendor" / "socketpkg")
    here = contents(dest / "socketpkg")
    sources = {path for path in here if path.endswith((".c", ".py"))}
    assert {"_backend/_core.c", "_backend/_address.c", "_backend/contract.c", "_backend/syscalls.c"} <= sources
    assert {path: here[path] for path in sources} == {path: there[path] for path in sources}
    for path in sources:
        assert str(dest).encode() not in here[path]
        assert not re.findall(rb'#\s*include\s+"socketpkg', here[path])


COMPILERS = {
    "fails": "#!/bin/sh\necho the moon is full >&2\nexit 1\n",
    "is killed": "#!/bin/sh\nkill -9 $$\n",
    "makes nothing of use": '#!/bin/sh\nfor last; do :; done\nwhile [ "$1" != -o ]; do shift; done\n: > "$2"\n',
}


@pytest.mark.parametrize("what", COMPILERS)
def test_a_compiler_that_is_broken(maker: dict[str, str], dest: Path, tmp_path: Path, what: str) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILERS[what])
    compiler.chmod(0o755)
    before = contents(dest)
    done = subprocess.run(
        ["python", "-m", "socketpkg", "vendor", "--backend", "cffi", str(dest)],
        env={**maker, "CC": str(compiler), "LDSHARED": str(compiler)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stdout
    message = "does not work here" if what == "makes nothing of use" else "does not compile here"
    assert message in done.stderr
    assert "--no-build" in done.stderr
    assert ("the moon is full" in done.stderr) is (what == "fails")
    assert contents(dest) == before


def test_there_is_no_compiler(maker: dict[str, str], dest: Path) -> None:
    before = contents(dest)
    done = subprocess.run(
        ["python", "-m", "socketpkg", "vendor", "--backend", "cffi", str(dest)],
        env={**maker, "CC": "/nowhere/cc"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert "there is no C compiler to build the copy with: /nowhere/cc is not found" in done.stderr
    assert contents(dest) == before


@pytest.fixture
def compiling(maker: dict[str, str], dest: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The command while the compiler is at work, and the file in which that has its process id."""
    pid, compiler, scratch = tmp_path / "pid", tmp_path / "cc", tmp_path / "scratch"
    compiler.write_text(f"#!/bin/sh\necho $$ > '{pid}.new'\nmv '{pid}.new' '{pid}'\nexec sleep 600\n")
    compiler.chmod(0o755)
    scratch.mkdir()
    process = subprocess.Popen(
        ["python", "-m", "socketpkg", "vendor", "--backend", "cffi", str(dest)],
        env={**maker, "CC": str(compiler), "LDSHARED": str(compiler), "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        wait_for(pid.exists)
        yield process, pid
        process.kill()


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    # One that has ended and that nobody has asked for yet.
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP)],
)
def test_interrupted(
    compiling: tuple[subprocess.Popen[str], Path], dest: Path, tmp_path: Path, number: int, status: int
) -> None:
    process, pid = compiling
    before = contents(dest)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == status
    assert "Traceback" not in errors
    assert contents(dest) == before
    assert list((tmp_path / "scratch").iterdir()) == []
    compiler = int(pid.read_text())
    wait_for(lambda: is_gone(compiler))
