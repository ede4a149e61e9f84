"""Engines: whatever answers at an OpenAI-compatible address for the length of a ``with`` block."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ....ingest.config import Settings
from ....ingest.errors import UsageError
from ..client import Endpoint

if TYPE_CHECKING:
    from ....ingest.planning.models import ServedModel


@dataclass(frozen=True)
class EngineKind:
    """``module`` of this folder defines ``open_engine(settings, served)``."""

    module: str
    serves_one_model: bool = False
    """One block per model, with that model given; else one block answers for all of them."""


ENGINES: Mapping[str, EngineKind] = {
    "endpoint": EngineKind("endpoint"),
    "vllm": EngineKind("vllm", serves_one_model=True),
    "replay": EngineKind("replay"),
}


@dataclass(frozen=True)
class Engine:
    """A running engine; ``version`` is what rows record beside its name (empty: as the server reports)."""

    name: str
    endpoint: Endpoint
    version: str = ""
    image_digest: str | None = None
    gpu: str | None = None
    """GPU kind, as the driver names it; None: none, or not known."""
    flags: Mapping[str, str] | None = None
    """Flags that we started it with, by name without dashes; None: somebody else started it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else was learnt at start, JSON-able: isolation, attention backend, fingerprint. ``abilities`` (served name
    -> mapping) stands here where a recording knows them: then nothing is to be probed."""
    counters: Callable[[], Mapping[str, float]] = dict
    """What the server has counted until now (prefix-cache tokens, preemptions); {} where it does not say."""
    revive: Callable[[], Endpoint] | None = None
    """Restart a server that crashed, and say where it is now; None: it is not ours to restart."""


def open_engine(settings: Settings, served: ServedModel | None = None) -> AbstractContextManager[Engine]:
    """The engine that the settings name, started and stopped by the block; UsageError for an unknown one.

    ``served`` is the model to serve, needed where ``ENGINES[name].serves_one_model``.
    """
    name = settings["engine.name"]
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}; one of {', '.join(ENGINES)}", "correct engine.name")
    return importlib.import_module(f".{ENGINES[name].module}", __package__).open_engine(settings, served)
