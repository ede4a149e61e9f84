"""Recorded files of other tools, one small reader each: ``read(path, context) -> Recording``, nothing written.

A module of this folder with a tuple ``FORMATS`` joins the registry.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from .records import Context, Format, Judgement, Record, Recording, TaskFacts

__all__ = ["Context", "Format", "Judgement", "Record", "Recording", "TaskFacts", "registry"]


@cache
def registry() -> Mapping[str, Format]:
    """Format name -> reader and description, sorted by name."""
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(__path__):
        imported = importlib.import_module(f"{__name__}.{module.name}")
        found.update({entry.name: entry for entry in getattr(imported, "FORMATS", ())})
    return dict(sorted(found.items()))
