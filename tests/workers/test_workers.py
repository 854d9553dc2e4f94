"""Programs that start themselves again, or many times: below `python -m socketpkg run` every process of theirs has our
sockets. The reloaders of Django and uvicorn, `uvicorn --workers`, and dask's nannies.

`nox -s workers` installs them, and then none may be missing. Without it what is not installed is skipped.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import socketpkg
from socketpkg import backends

pytestmark = [pytest.mark.slow]

BACKEND = next(name for name, status in backends.available().items() if status.usable)
RUN = [sys.executable, "-m", "socketpkg", "run", "--backend", BACKEND]
OURS = f"socketpkg {BACKEND}"
#: Each process of a program adds a line: what its sockets are, and its number.
SAY = """
    import os, socket
    def say(word):
        with open(os.environ["SAID"], "a") as file:
            print(word, socket.__name__, getattr(socket, "__backend__", "-"), os.getpid(), file=file)
"""


def needs(module: str) -> None:
    """Skips, unless the session requires everything."""
    if importlib.util.find_spec(module) is None:
        assert not os.environ.get("SOCKETPKG_REQUIRE_WORKERS"), f"{module} is required here"
        pytest.skip(f"{module} is not installed")


def free_port() -> int:
    with socketpkg.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a command below `run`; it and what it has started end with the block."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("SOCKET_BACKEND", "PYTHONSAFEPATH")
    }
    environment["SAID"] = str(folder / "said")
    output = (folder / "output").open("w")
    with output:
        process = subprocess.Popen(
            [*RUN, *words], cwd=folder, env=environment, stdout=output, stderr=output, text=True, start_new_session=True
        )
        try:
            yield process
        finally:
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait(20)


def said(folder: Path, process: subprocess.Popen[str], word: str, count: int, changed: str = "") -> list[str]:
    """The lines that begin with *word* as soon as *count* processes have said it.

    The file *changed* changes now and then meanwhile: a reloader does not tell when it has begun to look.
    """
    path = folder / "said"
    touch = time.monotonic()
    end = touch + 120
    while time.monotonic() < end and process.poll() is None:
        if changed and time.monotonic() >= touch:
            os.utime(folder / changed)
            touch = time.monotonic() + 25  # longer than a start takes
        lines = path.read_text().splitlines() if path.exists() else []
        found = {line.rsplit(" ", 1)[1]: line for line in lines if line.startswith(f"{word} ")}
        if len(found) >= count:
            return [line.removeprefix(f"{word} ").rsplit(" ", 1)[0] for line in found.values()]
        time.sleep(0.5)
    raise AssertionError((folder / "output").read_text()[-3000:])


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(textwrap.dedent(SAY) + textwrap.dedent(text))


ASGI = """
    say("imported")
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
                say("serves")
"""


def test_uvicorn_workers(tmp_path: Path) -> None:
    needs("uvicorn")
    write(tmp_path, "served.py", ASGI)
    words = ["-m", "uvicorn", "served:app", "--port", str(free_port()), "--workers", "2"]
    with running(tmp_path, *words) as process:
        assert said(tmp_path, process, "serves", 2) == [OURS] * 2


def test_uvicorn_reload(tmp_path: Path) -> None:
    needs("uvicorn")
    write(tmp_path, "served.py", ASGI)
    with running(tmp_path, "-m", "uvicorn", "served:app", "--port", str(free_port()), "--reload") as process:
        assert said(tmp_path, process, "serves", 1) == [OURS]
        assert said(tmp_path, process, "serves", 2, changed="served.py")[:2] == [OURS] * 2


def test_django_reload(tmp_path: Path) -> None:
    needs("django")
    source = """
        import sys
        from django.conf import settings
        say("imported")
        settings.configure(DEBUG=True, SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DATABASES={})
        urlpatterns = []
        if __name__ == "__main__":
            from django.core.management import execute_from_command_line
            execute_from_command_line(sys.argv)
    """
    write(tmp_path, "manage.py", source)
    with running(tmp_path, "manage.py", "runserver", "--skip-checks", f"127.0.0.1:{free_port()}") as process:
        # The one that looks on, and the one that serves.
        assert said(tmp_path, process, "imported", 2) == [OURS] * 2
        assert said(tmp_path, process, "imported", 3, changed="manage.py")[:3] == [OURS] * 3


def test_dask_nannies(tmp_path: Path) -> None:
    needs("distributed")
    write(
        tmp_path,
        "program.py",
        """
        from distributed import Client, LocalCluster
        def work(number):
            import socket
            return f"{socket.__name__} {getattr(socket, '__backend__', '-')} {os.getpid()}"
        if __name__ == "__main__":
            cluster = LocalCluster(n_workers=2, processes=True, dashboard_address=None)
            with cluster, Client(cluster) as client:
                for answer in client.run(work, 1).values():
                    with open(os.environ["SAID"], "a") as file:
                        print("worked", answer, file=file)
                import time
                time.sleep(100)
        """,
    )
    with running(tmp_path, "program.py") as process:
        assert said(tmp_path, process, "worked", 2) == [OURS] * 2
