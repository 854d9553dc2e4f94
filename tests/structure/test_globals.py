"""What functions exchange in C while other threads read it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Set while the package is imported, and not again.
ONCE = {"_made", "_public"}


def test_no_object_in_a_variable_of_c_is_exchanged_by_functions() -> None:
    """Without a GIL one thread would take an object there that another one has just replaced and freed.

    A variable of the module's dictionary, which is one without a declaration, does not have that fault.
    """
    objects: set[str] = set()
    for path in (ROOT / "backends" / "socketpkg_c").glob("*.p[xy]*"):
        declared = re.findall(
            r"^cdef (?:object|tuple|list|dict|set|str|bytes|[A-Z]\w+) ([\w, ]+)$", path.read_text(), re.MULTILINE
        )
        objects.update(name for names in declared for name in re.split(r", *", names))
    assert {"_sys", "_codec", "_recent_inet", "_made"} <= objects
    exchanged: set[str] = set()
    sources = [*(ROOT / "backends" / "socketpkg_c").glob("*.p[xy]*"), *(ROOT / "socketpkg" / "_engine").glob("*.py")]
    for path in sources:
        for names in re.findall(r"^ +global ([\w, ]+)$", path.read_text(), re.MULTILINE):
            exchanged.update(re.split(r", *", names))
    assert {"_made", "_recent_items"} <= exchanged
    assert exchanged & objects <= ONCE
