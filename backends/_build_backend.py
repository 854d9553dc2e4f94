"""The build backend that pyproject.toml names: setuptools', with requirements that go by the interpreter.

A list in pyproject.toml is the same for every interpreter, and an installer that cannot have one entry of it gives the
whole installation up. Cython and cffi are needed for the backends of these names only, which an installation can do
without. So `_plan` decides.
"""

from __future__ import annotations

from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

import _plan

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:
    """PEP 517: what a wheel takes besides pyproject.toml's list."""
    return _plan.requirements()


def get_requires_for_build_editable(config_settings: object = None) -> list[str]:
    """PEP 660: an editable installation builds the same."""
    return _plan.requirements()


def get_requires_for_build_sdist(config_settings: object = None) -> list[str]:
    """PEP 517: an sdist has sources only, but setup.py describes the extensions for it as well."""
    return _plan.requirements()
