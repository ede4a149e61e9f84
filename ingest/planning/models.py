"""Models a run may name: rows of ``seeds/models.csv``, or a mapping in the run file for one that has no row."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SEED = Path(__file__).resolve().parents[2] / "seeds" / "models.csv"
_YES = ("true", "t", "yes", "1")


@dataclass(frozen=True)
class Model:
    """What planning needs of a model; None where the seed says nothing."""

    name: str
    hub_id: str | None = None
    revision: str | None = None
    family: str | None = None
    licence: str | None = None
    hub_license: str | None = None
    """Licence tag of the Hub's page, e.g. ``apache-2.0`` or ``other``."""
    is_osi_approved: bool = True
    tier: str | None = None
    excluded_because: str | None = None
    templating_mode: str = "chat"
    context_length: int | None = None
    """Window in tokens, as the card states it."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What the card advises, in the names of ``wanted.SAMPLING``: used by the protocol ``card``."""
    reasoning: str = "never"
    """``never``; ``always``; ``on`` or ``off``: can be switched, and which it is when nothing is said."""
    switch_on: Mapping[str, Any] = field(default_factory=dict)
    """Merged into the request's body where thinking is wanted."""
    switch_off: Mapping[str, Any] = field(default_factory=dict)
    effort: str | None = None
    thinking_budget: int | None = None
    """Tokens of thinking after which the engine ends it; None: no limit."""
    thinking_budget_end: str | None = None
    strip_rule: str | None = None
    """Id of ``ingest.thinking.STRIP_RULES``."""
    tensor_parallel_size: int = 1
    quantization: str | None = None
    dtype: str | None = None
    omits: tuple[str, ...] = ()
    """Body fields that a server refuses: never sent."""
    renames: Mapping[str, str] = field(default_factory=dict)
    price_per_million_prompt_tokens: float | None = None
    price_per_million_completion_tokens: float | None = None
    engine_flags: Mapping[str, str] = field(default_factory=dict)
    """Flags of vLLM that this model needs; they win over the pinned ones."""
    weights: str | None = None
    """Folder of a local checkpoint."""
    weights_digest: str | None = None
    parent_model: str | None = None
    training_step: int | None = None

    @property
    def can_think(self) -> bool:
        return self.reasoning != "never"


@dataclass(frozen=True)
class ServedModel:
    """What generation needs of a model: how its server knows it, starts it and wants to be asked.

    ``max_model_len`` is the window in tokens that the engine is started with (and that comparability counts):
    ``engine.max_model_len`` or the model's own if that is shorter; for a model that thinks, its own.
    """

    name: str
    served_as: str
    hub_id: str | None = None
    revision: str | None = None
    context_length: int | None = None
    max_model_len: int | None = None
    tensor_parallel_size: int = 1
    dtype: str | None = None
    quantization: str | None = None
    omits: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    price_per_million_prompt_tokens: float | None = None
    price_per_million_completion_tokens: float | None = None
    engine_flags: Mapping[str, str] = field(default_factory=dict)
    weights: str | None = None


def read_models(path: Path = SEED) -> dict[str, Model]:
    """Model key -> row, in file order; an absent seed is empty. Columns that are not there count as empty."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["model"]: _model(row) for row in csv.DictReader(stream) if row.get("model")}


def find_model(name: str, models: Mapping[str, Model]) -> Model | None:
    """By key in any case, or by Hub id: ``Org/Name`` and ``org__name`` mean the same row."""
    if name in models:
        return models[name]
    folded = name.lower().replace("/", "__")
    return next((model for key, model in models.items() if key.lower() == folded), None)


def nearest(name: str, known: Mapping[str, object]) -> str:
    """``; did you mean …?`` or the known names, to end an error sentence with."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(known) or 'none'}"


def _model(row: Mapping[str, str | None]) -> Model:
    text = {name: (value or "").strip() for name, value in row.items()}
    length = text.get("context_length", "")
    excluded = text.get("is_excluded", "").lower() in _YES
    return Model(
        name=text["model"],
        hub_id=text.get("hub_id") or None,
        revision=text.get("revision") or None,
        templating_mode=text.get("templating_mode") or "chat",
        context_length=int(length) if length.isdigit() else None,
        is_osi_approved=text.get("osi_approved", "true").lower() in _YES,
        excluded_because=(text.get("reason") or "excluded") if excluded else None,
        quantization=text.get("quantization") or None,
        dtype=text.get("dtype") or None,
    )
