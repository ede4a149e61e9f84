"""Ceilings in tokens and in money: nothing is asked for that could exceed them, whatever it turns out to cost.

What is in flight is counted at its most (prompt plus ``max_tokens``), so near a ceiling fewer requests run side by
side and the ceiling is never passed. What earlier attempts of the run spent counts: it stands in journals and lake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...ingest.errors import Incomplete, UsageError
from ...ingest.lake_batches import read_batches
from ...ingest.manifest import Run, Shard
from ...ingest.planning.models import ServedModel

_CHARACTERS_PER_TOKEN = 2
"""Of a prompt that was not sent yet: a low guess, so that its tokens are not underrated."""


@dataclass(frozen=True)
class Price:
    """Of one model, per million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


@dataclass
class Ceilings:
    """0 stands for no ceiling."""

    tokens: int = 0
    money: float = 0.0
    spent_tokens: int = 0
    spent_money: float = 0.0
    _reserved_tokens: int = 0
    _reserved_money: float = 0.0

    @property
    def is_set(self) -> bool:
        return self.tokens > 0 or self.money > 0

    def admits(self, price: Price, prompt_characters: int, max_tokens: int) -> bool:
        """Whether one more request can be paid for, with those in flight at their longest."""
        prompt = prompt_characters // _CHARACTERS_PER_TOKEN
        tokens = self.spent_tokens + self._reserved_tokens + prompt + max_tokens
        money = self.spent_money + self._reserved_money + price.of(prompt, max_tokens)
        return (not self.tokens or tokens <= self.tokens) and (not self.money or money <= self.money)

    def reserve(self, price: Price, prompt_characters: int, max_tokens: int, sign: int = 1) -> None:
        """A request begins (``sign`` 1) or is over (-1)."""
        prompt = prompt_characters // _CHARACTERS_PER_TOKEN
        self._reserved_tokens += sign * (prompt + max_tokens)
        self._reserved_money += sign * price.of(prompt, max_tokens)

    def spend(self, price: Price, prompt_tokens: int, completion_tokens: int) -> None:
        self.spent_tokens += prompt_tokens + completion_tokens
        self.spent_money += price.of(prompt_tokens, completion_tokens)

    def reached(self) -> Incomplete:
        """What to say when requests are left that cannot be paid for."""
        limit = f"{self.tokens} tokens" if self.tokens else f"a price of {self.money:g}"
        name = "engine.token_ceiling" if self.tokens else "engine.money_ceiling"
        return Incomplete(
            f"the ceiling of {limit} leaves no room for another answer ({self.spent_tokens} tokens, "
            f"{self.spent_money:.4g} spent)",
            f"raise {name} and run the same command again",
        )


def price_of(served: ServedModel, ceilings: Ceilings) -> Price:
    """UsageError where a ceiling in money is set and the model has no price."""
    prompt, completion = served.price_per_million_prompt_tokens, served.price_per_million_completion_tokens
    if ceilings.money and (prompt is None or completion is None):
        raise UsageError(
            f"engine.money_ceiling is set and {served.name} has no price",
            "write price_per_million_prompt_tokens and price_per_million_completion_tokens for it in models:",
        )
    return Price(prompt or 0.0, completion or 0.0)


def count_spent(run: Run, served_model: Callable[[str], ServedModel], ceilings: Ceilings) -> None:
    """Add what the whole run has spent until now, models that are finished too: sealed shards from the lake, the
    others from their journals."""
    for shard in run.manifest.shards().values():
        tokens = _tokens(run, shard) if shard.stage == "generate" else (0, 0)
        if any(tokens):
            ceilings.spend(price_of(served_model(shard.model), ceilings), *tokens)


def _tokens(run: Run, shard: Shard) -> tuple[int, int]:
    """Of the prompts, and of the answers with what broken attempts had made of them; where the server did not count an
    answer (one of several choices without token ids, say) it is taken at its most."""
    names = ("prompt_tokens", "completion_tokens", "tokens_discarded", "max_tokens_effective", "max_tokens")
    prompts = completions = 0
    journal = run.journal("generate", shard.shard_id)
    if journal.path.exists():
        rows = iter(journal.rows())
    else:
        rows = (row for batch in read_batches(run.lake, "samples", names, shard_id=shard.shard_id) for row in batch)
    for row in rows:
        prompts += row.get("prompt_tokens") or 0
        most = row.get("max_tokens_effective") or row.get("max_tokens") or 0
        completions += (row.get("completion_tokens") or most) + (row.get("tokens_discarded") or 0)
    return prompts, completions
