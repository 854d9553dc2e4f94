"""What docs/adding-a-call.md says of its example is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-call.md"


def test_a_call_is_in_the_files_that_the_page_names() -> None:
    if not PAGE.is_file():
        pytest.skip("no source tree")
    named = set(re.findall(r"^\| `([\w/.]+)` \|", PAGE.read_text(), re.MULTILINE))
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("socketpkg", "backends")
        for path in (ROOT / folder).rglob("*")
        # A layer passes every call on, and may do something else in its place.
        if path.suffix in (".py", ".pyx", ".pxd", ".h", ".c")
        and "layers" not in path.parts
        and "sockatmark" in path.read_text()
    }
    assert found == named
    assert len(named) <= 6
