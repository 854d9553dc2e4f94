"""The names of Python's manual that ours links to, so that building the site needs no network.

intersphinx would fetch https://docs.python.org/3/objects.inv at each build. In its place the names of the modules that
matter here stand in ``_python_inventory.txt``, as text: role, name, page. The links lead to the manual on the web.

To renew them: ``python docs/_inventory.py OBJECTS_INV``, with that file.
"""

from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path

NAMES = Path(__file__).with_name("_python_inventory.txt")
HEADER = """\
# Names of Python's manual: role, name, page ($ stands for the name). Written by docs/_inventory.py.
"""
WANTED = re.compile(
    r"(socket|socketserver)(\..*)?"
    r"|asyncio\.(IncompleteReadError|LimitOverrunError)"
    r"|collections\.abc\.\w+"
    r"|(typing|enum)\.\w+"
    r"|contextlib\.AbstractContextManager"
    r"|types\.(ModuleType|TracebackType)"
    r"|os\.(dup|fork|sendfile|splice)"
    r"|memoryview|bytes|bytearray|int|str|float|bool|tuple|list|dict|frozenset|set|object|type|None|True|False"
    r"|\w+(Error|Warning|Exception|Interrupt)"
)


def read(inventory: bytes) -> list[str]:
    """The lines of `NAMES` that a Sphinx inventory (version 2) gives."""
    *_, packed = inventory.split(b"\n", 4)
    found = []
    for line in zlib.decompress(packed).decode().splitlines():
        match = re.match(r"(\S+)\s+(py:\S+)\s+-?\d+\s+(\S+)\s", line)
        if match and WANTED.fullmatch(match[1]):
            found.append(f"{match[2]} {match[1]} {match[3]}")
    return sorted(found)


def write(path: Path) -> None:
    """Writes `NAMES` as a Sphinx inventory to *path*."""
    lines = [line.split() for line in NAMES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    body = "".join(f"{name} {role} 1 {page} -\n" for role, name, page in lines)
    header = b"# Sphinx inventory version 2\n# Project: Python\n# Version: 3\n# The remainder is compressed by zlib.\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + zlib.compress(body.encode()))


if __name__ == "__main__":
    NAMES.write_text(HEADER + "\n".join(read(Path(sys.argv[1]).read_bytes())) + "\n", encoding="utf-8")
