"""The Python programs that a program starts which ``python -m socketpkg run`` runs: they run on socketpkg, too."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from socketpkg import _bootstrap

RUN = (sys.executable, "-m", "socketpkg", "run")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("PYTHONSAFEPATH", "PYTHONPATH")}
SAY = "import socket; print(socket.__name__, getattr(socket, '__backend__', '-'))"


def run(
    folder: Path, source: str, *options: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs *source* as a program."""
    (folder / "program.py").write_text(textwrap.dedent(source))
    command = [*RUN, *options, str(folder / "program.py")]
    environment = {**ENVIRONMENT, "SAY": SAY, **(env or {})}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_a_child_by_subprocess(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import os, subprocess, sys
        subprocess.run([sys.executable, "-c", os.environ["SAY"]], check=True)
        subprocess.run([sys.executable, "-c", os.environ["SAY"]], check=True, close_fds=False)
        os.system(f"{sys.executable} -c \\"$SAY\\"")
        """,
        "--backend",
        "ctypes",
    )
    assert (done.stdout, done.stderr) == ("socketpkg ctypes\n" * 3, "")


def test_a_grandchild_in_another_folder(tmp_path: Path) -> None:
    source = """
        import os, subprocess, sys
        code = "import os, subprocess, sys; os.chdir('/'); subprocess.run([sys.executable, '-c', os.environ['SAY']])"
        subprocess.run([sys.executable, "-c", code], check=True)
    """
    done = run(tmp_path, source, "--backend", "ctypes")
    assert (done.stdout, done.stderr) == ("socketpkg ctypes\n", "")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("default")
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    """And a socket that is handed over arrives as one of ours."""
    source = f"""
        import multiprocessing, socket, sys

        def work(queue, sock):
            import http.client
            queue.put((socket.__name__, http.client.socket is socket, type(sock).__module__, sock.recv(9)))
            sock.close()

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            queue = context.Queue()
            one, two = socket.socketpair()
            child = context.Process(target=work, args=(queue, two))
            child.start()
            one.sendall(b"handed")
            print(*queue.get(timeout=60))
            child.join(60)
            one.close(), two.close()
            print(child.exitcode)
    """
    done = run(tmp_path, source)
    assert (done.stdout, done.stderr) == ("socketpkg True socketpkg b'handed'\n0\n", "")


def test_a_child_sees_the_path_that_it_would(tmp_path: Path) -> None:
    source = """
        import subprocess, sys
        code = "import sys; print(sys.path, sys.argv, 'sitecustomize' in sys.modules)"
        print(subprocess.run([sys.executable, "-c", code, "x"], check=True, capture_output=True, text=True).stdout)
    """
    (tmp_path / "other").mkdir()
    for path in ("", str(tmp_path / "other"), os.pathsep + str(tmp_path / "other")):
        env = {"PYTHONPATH": path}
        ours = run(tmp_path, source, env=env)
        plain = run(tmp_path, source, "--no-children", env=env)
        # Some systems have a sitecustomize of their own.
        assert ours.stdout.replace("True", "False") == plain.stdout.replace("True", "False")
        assert (ours.stderr, plain.stderr) == ("", "")


def test_an_existing_sitecustomize_goes_on(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import socket\nMARK = socket.__name__\n")
    source = """
        import subprocess, sys
        code = "import sitecustomize; print(sitecustomize.MARK, sitecustomize.__file__)"
        subprocess.run([sys.executable, "-c", code], check=True)
    """
    done = run(tmp_path, source, env={"PYTHONPATH": str(tmp_path / "site")})
    # The parent had it before run could do anything, and says so.
    assert done.stdout == f"socketpkg {tmp_path / 'site' / 'sitecustomize.py'}\n"


def test_no_children(tmp_path: Path) -> None:
    source = "import os, subprocess, sys; subprocess.run([sys.executable, '-c', os.environ['SAY']], check=True)"
    done = run(tmp_path, source, "--no-children")
    assert (done.stdout, done.stderr) == ("socket -\n", "")
    # Nor their children, when a run is the child of a run.
    words = [*RUN, "--no-children", "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SAY!r}])"]
    nested = run(tmp_path, f"import subprocess; subprocess.run({words}, check=True)")
    assert (nested.stdout, nested.stderr) == ("socket -\n", "")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-I"], "-I reads no PYTHONPATH"),
        (["-E"], "-E reads no PYTHONPATH"),
        (["-S"], "-S imports no sitecustomize"),
        (["-W", "ignore", "-BE"], "-E reads no PYTHONPATH"),
    ],
)
def test_a_child_out_of_reach_is_told(tmp_path: Path, words: list[str], reason: str) -> None:
    source = f"import os, subprocess, sys; subprocess.run([sys.executable, *{words}, '-c', os.environ['SAY']])"
    done = run(tmp_path, source)
    assert done.stdout == "socket -\n"
    told = f"socketpkg: a child runs on the standard library's socket: {sys.executable} {reason}, by which run"
    assert done.stderr == f"{told} reaches children\n"


def test_an_environment_that_lost_it_is_told(tmp_path: Path) -> None:
    source = "import os, subprocess, sys; subprocess.run([sys.executable, '-c', os.environ['SAY']], env={})"
    done = run(tmp_path, source)
    assert done.stdout == "socket -\n"
    assert "is given an environment without run's folder in PYTHONPATH" in done.stderr


def test_nothing_is_told_of_what_is_no_python(tmp_path: Path) -> None:
    done = run(tmp_path, "import subprocess; subprocess.run(['true', '-I'], env={'A': 'b'}, check=True)")
    assert (done.returncode, done.stderr) == (0, "")


def test_multiprocessing_of_an_isolated_parent_is_told(tmp_path: Path) -> None:
    """Its children are isolated as it is: multiprocessing hands the interpreter's options on."""
    source = """
        import multiprocessing
        if __name__ == "__main__":
            child = multiprocessing.get_context("spawn").Process(target=print, args=("ran",))
            child.start()
            child.join(60)
    """
    done = run(tmp_path, source, "-E")
    assert done.stdout == "ran\n"
    assert "-E reads no PYTHONPATH" in done.stderr


def test_a_backend_that_cannot_be_used_ends_the_child(tmp_path: Path) -> None:
    source = """
        import os, subprocess, sys
        env = {**os.environ, "SOCKET_BACKEND": "nonsense"}
        print(subprocess.run([sys.executable, "-c", os.environ["SAY"]], env=env).returncode)
    """
    done = run(tmp_path, source)
    assert done.stdout == "1\n"
    assert "socketpkg cannot use the backend 'nonsense', chosen by SOCKET_BACKEND=nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_without_socketpkg_goes_on_and_tells(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True, timeout=120)
    source = f"import os, subprocess; subprocess.run([{str(bare / 'bin' / 'python')!r}, '-c', os.environ['SAY']])"
    done = run(tmp_path, source)
    assert done.stdout == "socket -\n"
    assert done.stderr.startswith(
        "socketpkg: a child runs on the standard library's socket: socketpkg is not installed"
    )


def test_the_doctor_of_a_child_tells_the_truth(tmp_path: Path) -> None:
    source = """
        import subprocess, sys
        for options in [], ["-I"]:
            subprocess.run([sys.executable, *options, "-m", "socketpkg"], check=True)
    """
    done = run(tmp_path, source, env={"SOCKET_BACKEND": "ctypes"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("import socket:")]
    assert len(lines) == 2
    assert lines[0].startswith("import socket: socketpkg's in the Python programs started here, by the sitecustomize")
    assert lines[1].startswith("import socket: the standard library's in the Python programs started here")


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        (["-I", "x.py", "-E"], "I"),
        (["-X", "dev", "-E"], "XE"),
        (["-Xdev", "-Wignore", "-c", "-S"], "XWc"),
        (["-Bm", "x", "-I"], "Bm"),
        (["--check-hash-based-pycs", "never", "-S", "-", "-I"], "S"),
        (["-"], ""),
        ([], ""),
    ],
)
def test_the_options_among_the_words(words: list[str], letters: str) -> None:
    assert "".join(_bootstrap._options(words)) == letters
