"""Engines: whatever answers at an OpenAI-compatible address for the length of a ``with`` block."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....ingest.config import Settings
from ....ingest.errors import UsageError
from ..client import Endpoint
from ..timeouts import Timeouts

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
    counters: Callable[[], Mapping[str, float]] = field(default=dict, repr=False)
    """What the server has counted until now (prefix-cache tokens, preemptions); {} where it does not say."""
    revive: Callable[[], Endpoint] | None = field(default=None, repr=False)
    """Restart a server that crashed, and say where it is now; None: it is not ours to restart."""


def open_engine(
    settings: Settings, served: ServedModel | None = None, tell: Callable[[str], None] = lambda sentence: None
) -> AbstractContextManager[Engine]:
    """The engine that the settings name, started and stopped by the block; UsageError for an unknown one.

    ``served`` is the model to serve, needed where ``ENGINES[name].serves_one_model``: NotStaged or BadInput where its
    weights are not there as they were staged. ``tell`` hears what takes long before it starts.
    """
    name = settings["engine.name"]
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}; one of {', '.join(ENGINES)}", "correct engine.name")
    if served is not None and ENGINES[name].serves_one_model:
        from .weights import refuse_unready_weights

        refuse_unready_weights(settings, served, tell)
    return importlib.import_module(f".{ENGINES[name].module}", __package__).open_engine(settings, served)


def endpoint_of(settings: Settings, base_url: str, api_key: str = "", uds: Path | None = None) -> Endpoint:
    """Where to ask, with the patience that the settings state (0: derived per request)."""
    timeouts = Timeouts(
        whole=settings["engine.timeout_seconds"],
        first_token=settings["engine.first_token_seconds"],
        gap=settings["engine.gap_seconds"],
    )
    return Endpoint(base_url, api_key, timeouts, settings["engine.max_attempts"], uds)
