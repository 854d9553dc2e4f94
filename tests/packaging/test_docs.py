"""The documents: every link leads somewhere, and every Python example runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
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
