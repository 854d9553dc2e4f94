"""`socketpkg.install`: what it replaces, and what it says about modules that came before."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

# Each test runs a program of its own: what is installed stays so.
PYPY = platform.python_implementation() == "PyPy"


def program(source: str, *, path: Path | None = None, options: tuple[str, ...] = ("-W", "error")) -> str:
    """Runs *source* with the backend under test and returns what it prints."""
    env = dict(os.environ)
    if path is not None:
        env["PYTHONPATH"] = os.pathsep.join([str(path), *filter(None, [env.get("PYTHONPATH")])])
    command = [sys.executable, *options, "-c", source]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_modules_are_replaced() -> None:
    program("""if True:
        import socketpkg
        socketpkg.install()
        import socket, _socket
        assert socket is socketpkg
        assert _socket is socketpkg._socket
        from socket import SocketType, create_connection
        assert SocketType is _socket.socket and create_connection is socketpkg.create_connection
    """)


def test_what_is_imported_later_has_ours() -> None:
    program("""if True:
        import socketpkg
        socketpkg.install()
        import asyncio.selector_events, http.client, multiprocessing.reduction, selectors, smtplib, socketserver, ssl
        import logging.handlers, urllib.request, xmlrpc.client
        assert http.client.socket is socketserver.socket is asyncio.selector_events.socket is socketpkg
        assert issubclass(ssl.SSLSocket, socketpkg.socket)
        assert ssl.socket is socketpkg.socket
    """)


def test_a_second_time_does_nothing() -> None:
    program("""if True:
        import socketpkg
        socketpkg.install()
        import http.client
        socketpkg.install()
        import socket
        assert socket is socketpkg
    """)


def test_importing_socketpkg_does_not_import_socket() -> None:
    # Or it would itself be what comes before install().
    loaded = program("import sys, socketpkg; print('socket' in sys.modules, 'selectors' in sys.modules)")
    assert loaded.split() == ["False", "False"]


def test_modules_that_came_before_are_named(tmp_path: Path) -> None:
    (tmp_path / "has_the_module.py").write_text("import socket as anything\n")
    (tmp_path / "has_the_low_level.py").write_text("import _socket\n")
    (tmp_path / "has_the_class.py").write_text("from socket import socket\n")
    (tmp_path / "has_a_function.py").write_text("from socket import create_connection as connect\n")
    (tmp_path / "has_a_builtin.py").write_text("from socket import gethostbyname\n")
    (tmp_path / "has_nothing.py").write_text(
        "import os\nfrom socket import AF_INET, SOL_SOCKET, error, gaierror, timeout\n"
    )
    text = program(
        """if True:
        import warnings
        import has_the_module, has_the_low_level, has_the_class, has_a_function, has_a_builtin, has_nothing
        import socketpkg
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            socketpkg.install()
        (warning,) = caught
        assert warning.category is RuntimeWarning
        assert warning.filename == "<string>", warning.filename
        import socket
        assert socket is socketpkg
        print(warning.message)
        """,
        path=tmp_path,
    )
    for name in ("has_the_module", "has_the_low_level", "has_the_class", "has_a_function", "has_a_builtin"):
        assert name in text
    assert "has_nothing" not in text
    assert "socketpkg_" not in text


def test_a_use_of_socket_that_left_nothing_behind_is_no_matter() -> None:
    program("""if True:
        def once():
            import socket
            socket.socket().close()
        once()
        import sys
        holders = [n for n, m in sys.modules.items() if n != "socket" and sys.modules["socket"] in vars(m).values()]
        import socketpkg
        if not holders:  # the standard library's socket brings selectors, which on some versions hold it
            socketpkg.install()
    """)


@pytest.mark.skipif(PYPY, reason="types written in Python can be changed")
@pytest.mark.skipif(sys.version_info < (3, 12), reason="the standard library's text, since 3.12")
def test_the_low_level_type_cannot_be_changed_and_the_public_one_can() -> None:
    import socketpkg
    import socketpkg._socket as low_level

    with pytest.raises(TypeError, match="immutable"):
        low_level.socket.foo = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="immutable"):
        low_level.socket.recv = None  # type: ignore[assignment,method-assign]
    with pytest.raises(TypeError, match="immutable"):
        del low_level.socket.recv
    socketpkg.socket.foo = 1  # type: ignore[attr-defined]
    del socketpkg.socket.foo  # type: ignore[attr-defined]


def test_users_can_derive_with_a_metaclass_of_their_own() -> None:
    from abc import ABCMeta

    import socketpkg

    class Own(socketpkg.socket, metaclass=ABCMeta):
        pass

    one, two = socketpkg.socketpair()
    with two, Own(fileno=one.detach()) as own:
        own.send(b"x")
        assert two.recv(1) == b"x"


def test_multiprocessing_hands_our_sockets_over(tmp_path: Path) -> None:
    # By the class socket.socket, which is ours then; the child process is one of the plain Python.
    file = tmp_path / "handing_over.py"
    file.write_text(
        """if True:
        import sys

        def child(sock):
            sock.sendall(type(sock).__module__.encode())
            sock.close()

        if __name__ == "__main__":
            import socketpkg
            socketpkg.install()
            import multiprocessing, socket
            context = multiprocessing.get_context(sys.argv[1])
            one, two = socket.socketpair()
            assert type(one) is socketpkg.socket
            process = context.Process(target=child, args=(two,))
            process.start()
            two.close()
            one.settimeout(60)
            print(one.recv(100).decode())
            process.join()
            one.close()
            sys.exit(process.exitcode)
        """
    )
    for method, module in (("spawn", "socket"), ("fork", "socketpkg")):
        # Forking beside the thread that hands descriptors out is what Python 3.12 warns of, if there is one.
        command = [sys.executable, str(file), method]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, module, "")
