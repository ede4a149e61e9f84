"""Models a run may name: rows of ``seeds/models.csv``, or a mapping in the run file for one that has no row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REASONING = ("never", "always", "default_on", "default_off")
"""Whether a model thinks: the last two can be switched, and are named after what happens when nothing is said."""
TIERS = ("core", "opt_in", "excluded")
WINDOW_TOKENS = 16_384
"""Window that an engine is started with where nothing else is said."""


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
    """Longest window in tokens, as the model's ``config.json`` has it."""
    max_model_len: int | None = None
    """Window in tokens that a model which thinks is started with; None: its whole ``context_length``."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What the card advises, in the names of ``wanted.SAMPLING``: used by the protocol ``card``."""
    reasoning: str = "never"
    """One of ``REASONING``."""
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

    @property
    def thinks(self) -> bool:
        """Whether it thinks when nothing is said."""
        return self.reasoning in ("always", "default_on")

    def window_tokens(self, max_model_len: int, is_thinking: bool) -> int:
        """Window that a cell of this model counts with: of a model that thinks its own, else that of the engine."""
        if is_thinking and (self.max_model_len or self.context_length):
            return self.max_model_len or self.context_length or max_model_len
        return min(self.context_length or max_model_len, max_model_len)


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
    strip_rule: str | None = None
    thinking_budget: int | None = None
    thinking_budget_end: str | None = None


def find_model(name: str, models: Mapping[str, Model]) -> Model | None:
    """By key in any case, or by Hub id: ``Org/Name`` and ``org__name`` mean the same row."""
    if name in models:
        return models[name]
    folded = name.lower().replace("/", "__")
    return next((model for key, model in models.items() if key.lower() == folded), None)
