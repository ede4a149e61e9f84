"""One model on one scenario: which protocol asks, and how it samples.

The words that count, from the weakest to the strongest: the protocol's own, the model's card (for the protocol
``card`` only), the item of ``benchmarks:``, the item of ``models:``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..benchmarks.declaration import Benchmark, Protocol
from ..errors import UsageError
from .model_items import WantedModel
from .task_sets import chosen_protocol

CARD = "card"
"""The protocol of models that think: their card's sampling. Greedy is a cell of its own, by name."""
CARD_SAMPLES = 5
"""Samples per task of the protocol ``card`` at least: one drawn answer says little."""
_STATED = ("temperature", "top_p")
"""Rows say these of every answer: where a server takes no word on them, somebody has to state what it does."""
_HINT = "correct the model's item"


@dataclass(frozen=True)
class WantedCell:
    """One benchmark and scenario of the run."""

    benchmark: Benchmark
    scenario: str
    version: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)


def protocol_for(model: WantedModel, cell: WantedCell) -> Protocol:
    """The protocol that an item names, ``card`` for a model that thinks, else the benchmark's default.

    UsageError where the benchmark has no such protocol, or it cannot ask a model of this templating mode.
    """
    named = {**cell.sampling, **model.sampling}.get("protocol") or (CARD if model.thinking else None)
    return chosen_protocol(cell.benchmark, named, cell.scenario, model.model.templating_mode)


def sampling_of(model: WantedModel, cell: WantedCell, protocol: Protocol) -> dict[str, Any]:
    """What the items and the card say; the rest is the protocol's.

    A row holds the card's advice for what the model does when nothing is said: of a hybrid, for its thinking. What its
    server takes no word on (``omits``) is as the row or the item states it, whatever the protocol would ask for.
    UsageError for ``card`` without a card, and for a temperature or top_p that nobody states.
    """
    row, said = model.model, {**cell.sampling, **model.sampling}
    advised = row.sampling if model.thinking == row.thinks else {}
    if protocol.name == CARD:
        said = {**advised, **said}
    said = {**{name: advised[name] for name in row.omits if name in advised}, **said}
    for name in _STATED:
        if name in row.omits and name not in said:
            raise UsageError(
                f"the server of {row.name} takes no {name}: add {name}: with the value that it uses itself", _HINT
            )
    if protocol.name == CARD and "temperature" not in said:
        raise UsageError(
            f"the row of {row.name} does not say how its card samples, which the protocol {CARD} asks for: "
            "add temperature:, or name another protocol:",
            _HINT,
        )
    return said


def num_samples_of(sampling: Mapping[str, Any], protocol: Protocol, num_samples: int) -> int:
    """Samples per task: as said, else ``num_samples``, which of a card's draws is ``CARD_SAMPLES`` at least."""
    is_drawn = protocol.name == CARD and sampling["temperature"] > 0
    return sampling.get("num_samples", max(num_samples, CARD_SAMPLES if is_drawn else 1))


def max_tokens_of(sampling: Mapping[str, Any], protocol: Protocol, window_tokens: int) -> int:
    """New tokens of an answer; UsageError where they leave no room for a prompt."""
    limit = sampling.get("max_tokens", protocol.max_tokens)
    if limit >= window_tokens:
        raise UsageError(
            f"max_tokens {limit} leaves no room for a prompt in a window of {window_tokens} tokens: lower max_tokens:, "
            "or raise max_model_len: of a model that thinks (else engine.max_model_len)",
            _HINT,
        )
    return limit
