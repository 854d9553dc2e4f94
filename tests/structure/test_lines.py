"""Documents and C wrap at 120 columns, as ruff and cython-lint see to it for the other files."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 120
#: What stands between these marks of docs/performance.md is written by docs/bench.
WRITTEN = "<!-- figures: written by", "<!-- end of the figures -->"


def too_long(path: Path) -> list[int]:
    """The numbers of the lines that could be shorter: not of tables, links, listings and what a tool has written."""
    found = []
    skipped = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if path.suffix == ".md":
            if line.startswith("```") or line.startswith(WRITTEN):
                skipped = not skipped
            if skipped or line.startswith(("|", ":")) or "](http" in line:
                continue
        if len(line) > COLUMNS:
            found.append(number)
    return found


def test_documents_and_c_wrap() -> None:
    if not (ROOT / "CHANGELOG.md").is_file():
        pytest.skip("no source tree")
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for folder in ("backends", "docs", "socketpkg", "tests"):
        files += [path for path in (ROOT / folder).rglob("*.[ch]") if path.parent.name != "socketpkg_c"]  # generated
    assert len(files) > 40
    found = {str(path.relative_to(ROOT)): lines for path in files if (lines := too_long(path))}
    assert found == {}


def test_a_long_line_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    long = "x" * (COLUMNS + 1)
    page.write_text(f"{long}\n| {long} |\n```\n{long}\n```\n{long}\n{WRITTEN[0]} -->\n{long}\n{WRITTEN[1]}\n{long}\n")
    assert too_long(page) == [1, 6, 10]
