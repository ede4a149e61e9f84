"""Engines: whatever answers at an OpenAI-compatible address for the length of a ``with`` block."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ....ingest.config import Settings
from ....ingest.errors import UsageError
from ..client import Endpoint

ENGINES: Mapping[str, str] = {"endpoint": "endpoint", "replay": "replay"}
"""Engine name -> module of this folder that defines ``open_engine(settings)``."""


@dataclass(frozen=True)
class Engine:
    """A running engine; ``version`` is what rows record beside its name (empty: as the server reports)."""

    name: str
    endpoint: Endpoint
    version: str = ""


def open_engine(settings: Settings) -> AbstractContextManager[Engine]:
    """The engine that the settings name, started and stopped by the block; UsageError for an unknown one."""
    name = settings["engine.name"]
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}; one of {', '.join(ENGINES)}", "correct engine.name")
    return importlib.import_module(f".{ENGINES[name]}", __package__).open_engine(settings)
