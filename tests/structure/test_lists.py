"""The lists of tests that are expected to fail somewhere: each line names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1] / "shared"


@pytest.mark.parametrize("name", ["pypy_control.txt", "sim_differs.txt"])
def test_a_list_names_tests_that_there_are(name: str) -> None:
    lines = [line.split("#")[0].split() for line in (SHARED / name).read_text(encoding="utf-8").splitlines()]
    named = {words[0].partition("[")[0] for words in lines if words}
    assert named
    for test in named:
        module, _, function = test.partition("::")
        source = (SHARED / f"{module}.py").read_text(encoding="utf-8")
        assert re.search(rf"^ *def {function}\(", source, re.MULTILINE), test
