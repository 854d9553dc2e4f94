"""For PyInstaller, which asks by the entry point ``pyinstaller40`` where the hooks of a package are.

https://pyinstaller.org/en/stable/hooks.html#provide-hooks-with-package
"""

from __future__ import annotations

import os


def get_hook_dirs() -> list[str]:
    """The folders with hooks: this one."""
    return [os.path.dirname(__file__)]
