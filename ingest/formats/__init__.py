"""Recorded files of other tools, one small reader each: ``read(path, context) -> Recording``, nothing written.

A module of this folder with a tuple ``FORMATS`` (samples and verdicts), ``MEANS_FORMATS`` (means by problem, without
the samples) or ``TABLE_FORMATS`` (counts by problem of many models) joins the registry. ``recognise`` finds the format
of a file by its content; what each is and where its facts are from: docs/formats.md.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from .records import (
    Context,
    Format,
    Judgement,
    Log,
    LogFacts,
    MeansFormat,
    ProblemMean,
    Record,
    Recording,
    TableFormat,
    TaskFacts,
)

__all__ = [
    "Context",
    "Format",
    "Judgement",
    "Log",
    "LogFacts",
    "MeansFormat",
    "ProblemMean",
    "Record",
    "Recording",
    "TableFormat",
    "TaskFacts",
    "means_registry",
    "registry",
    "table_registry",
]


@cache
def registry() -> Mapping[str, Format]:
    """Format name -> reader and description, sorted by name: formats of samples and verdicts."""
    return {entry.name: entry for entry in _declared("FORMATS")}


@cache
def means_registry() -> Mapping[str, MeansFormat]:
    """The same for formats of means by problem."""
    return {entry.name: entry for entry in _declared("MEANS_FORMATS")}


@cache
def table_registry() -> Mapping[str, TableFormat]:
    """The same for tables of counts by model and problem."""
    return {entry.name: entry for entry in _declared("TABLE_FORMATS")}


def _declared(name: str) -> list[Any]:
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found = [entry for module in modules for entry in getattr(module, name, ())]
    return sorted(found, key=lambda entry: entry.name)
