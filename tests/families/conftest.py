"""Families that this kernel lacks are skipped, and what was used is reported to whoever runs this on several kernels.

``SOCKETPKG_FAMILIES_REPORT=FILE`` adds a line "passed NAME" or "skipped NAME" to the file for each test: from those of
several kernels it is known what none of them has run (``nox -s families``).
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    path = os.environ.get("SOCKETPKG_FAMILIES_REPORT")
    if path and (report.when == "call" or report.skipped):
        with open(path, "a") as file:
            print(report.outcome, item.name, file=file)
    return report
