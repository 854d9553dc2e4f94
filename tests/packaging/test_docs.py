"""The documents: every link leads somewhere, and every Python example and command line runs.

A block of commands (``sh`` and ``console``) runs in a folder of its own, in which there are the files that the
documents speak of. In the line above the block a comment, which no reader sees, may say otherwise:

- ``<!-- not run: REASON -->``
- ``<!-- run by tests/FOLDER/FILE.py -->`` (``and`` others): that test does it, from the page or in its own words
- ``<!-- slow -->``: it takes more than some seconds
- ``<!-- in the checkout -->``: it runs in a copy of the tree of the project
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
COMMENT = re.compile(r"<!-- ((?:(?!-->).)+) -->\n\Z", re.DOTALL)
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^#+\s+(.*?)\s*#*$", re.MULTILINE)


def prose(text: str) -> str:
    """A document without its code."""
    return re.sub(r"`[^`\n]+`", "", FENCE.sub("", text))


def anchors(document: Path) -> set[str]:
    """The names that GitHub gives to the headings of a document."""
    headings = HEADING.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def examples() -> list[object]:
    """Each block that is marked as Python."""
    found: list[object] = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["language"] == "python":
                line = text.count("\n", 0, match.start("code")) + 1
                found.append(pytest.param(document, line, match["code"], id=f"{name(document)}:{line}"))
    return found


def commands() -> list[object]:
    """Each block of command lines that is to run."""
    found: list[object] = []
    for document, line, code, comment in command_blocks():
        if comment is None or comment in ("slow", "in the checkout"):
            marks = [pytest.mark.slow] if comment == "slow" else []
            found.append(pytest.param(document, line, code, comment, id=f"{name(document)}:{line}", marks=marks))
    return found


def command_blocks() -> list[tuple[Path, int, str, str | None]]:
    """Each block of command lines: document, line, code, and the comment above it."""
    found: list[tuple[Path, int, str, str | None]] = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            if match["language"] in ("sh", "console"):
                comment = COMMENT.search(text[: match.start()])
                line = text.count("\n", 0, match.start("code")) + 1
                found.append((document, line, match["code"], " ".join(comment[1].split()) if comment else None))
    return found


def test_there_are_documents() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/architecture.md"} <= {name(document) for document in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    for match in LINK.finditer(prose(document.read_text(encoding="utf-8"))):
        link = match[1] or match[2]
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} leads to nothing"
        assert target.is_relative_to(ROOT), f"{link} leads out of the project"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize(("document", "line", "code"), examples())
def test_examples_run(tmp_path: Path, document: Path, line: int, code: str) -> None:
    indent = re.match(r" *", code)
    assert indent is not None
    source = "\n" * (line - 1) + re.sub(rf"^{indent[0]}", "", code, flags=re.MULTILINE)
    script = tmp_path / "example.py"
    script.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{name(document)}, line {line}:\n{done.stderr}"


#: What the documents' command lines take for granted to be there.
FILES = {
    "app.py": """\
import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    with server.accept()[0] as accepted:
        client.sendall(b"hello")
        with accepted.makefile("rb") as file:  # chaos cuts receives short
            assert file.read(5) == b"hello"
""",
    "tests/test_app.py": """\
import runpy


def test_app():
    runpy.run_path("app.py")
""",
}


def tools(folder: Path) -> Path:
    """A folder with ``python`` and ``pytest`` for the PATH: those that run this test, whatever else is installed."""
    folder.mkdir()
    run = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
    # As an installer writes it. `chaos` and `run` see by its first line that it is a program in Python.
    script = f"#!{sys.executable}\nimport sys\nimport pytest\nsys.exit(pytest.console_main())\n"
    for command, text in (("python", run), ("python3", run), ("pytest", script)):
        file = folder / command
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
    return folder


@pytest.mark.parametrize(("document", "line", "code", "comment"), commands())
def test_command_lines_run(tmp_path: Path, document: Path, line: int, code: str, comment: str | None) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    if comment == "in the checkout":
        for part in ("tests", "pyproject.toml", "examples", "docs"):
            (folder / part).symlink_to(ROOT / part)
    else:
        # The programs that stand on the page itself, under the names that their first lines say.
        programs = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
        for file, text in (*FILES.items(), *programs):
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
    script = re.sub(r"^[$] ", "", code, flags=re.MULTILINE)
    own = ("SOCKET_BACKEND", "SOCKETPKG_TEST_TARGET", "SOCKETPKG_TEST_BACKENDS", "PYTEST_ADDOPTS")
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if key not in own},
            "PATH": os.pathsep.join([str(tools(tmp_path / "bin")), os.environ["PATH"]]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, f"{name(document)}, line {line}:\n{done.stdout}"


def test_what_is_not_run_says_why() -> None:
    for document, line, _, comment in command_blocks():
        where = f"{name(document)}, line {line}"
        if comment is None or comment in ("slow", "in the checkout"):
            continue
        if comment.startswith("run by "):
            for test in comment.removeprefix("run by ").split(" and "):
                assert (ROOT / test).is_file(), f"{where}: there is no {test}"
        else:
            assert re.fullmatch(r"not run: \S.{10,}", comment), f"{where}: {comment!r} is no reason"
