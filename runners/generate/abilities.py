"""What one server honours, and which of the things that a plan needs it does not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ...ingest import keys
from ...ingest.errors import BenchforgeError
from ...ingest.manifest import Shard


@dataclass(frozen=True)
class Abilities:
    """What one server honours for one model; None where it was not asked, or an answer cannot tell."""

    n: bool | None = None
    """Gives as many choices as asked for, choice i being what the seed + i gives alone."""
    temperature: bool | None = None
    seed: bool | None = None
    """Equal seeds give equal texts, and different ones different texts."""
    top_p: bool | None = None
    max_tokens: bool | None = None
    stop: bool | None = None
    max_stops: int | None = None
    """Stop strings that one request may have; None: no limit met."""
    token_ids: bool = False
    """Sends ``prompt_token_ids`` and ``token_ids`` with an answer."""
    tokenize: bool = False
    """Has /tokenize."""
    streams: bool | None = None
    logprobs: bool | None = None
    prefixes: bool = False
    """Takes a greedy answer up where it was cut, and ends as the whole one did."""
    reads_tags: bool | None = None
    """A parser of the server takes thinking out of the text."""
    switches: Mapping[str, bool] = field(default_factory=dict)
    """Thinking switch (``switch_key``) -> whether it changes the prompt's tokens; one that cannot be told is absent."""
    budget: bool | None = None
    """Takes ``thinking_token_budget``; whether it is kept, the rows show."""
    one_template: bool | None = None
    """An answer was made from exactly the tokens of the rendered prompt, which begins with one token of beginning."""
    window_tokens: int | None = None
    version: str | None = None
    fingerprint: str | None = None
    tag_ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Tags of the strip rules -> their token ids under this server's tokenizer."""
    num_answers: int = 0
    """Answers that finding this out took."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Abilities:
        """The other way; names that this version does not know are left out."""
        known = {entry.name for entry in fields(cls)}
        found = {name: value for name, value in document.items() if name in known}
        found["tag_ids"] = {tag: tuple(ids) for tag, ids in (found.get("tag_ids") or {}).items()}
        return cls(**found)


class Deviates(BenchforgeError):
    """The server ignores what the plan asks for; ``name`` is what ``engine.allow`` would have to list."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence, f"use another server, or add {name} to engine.allow and say so beside every number")
        self.name = name


def switch_key(switch: Mapping[str, Any]) -> str:
    """A thinking switch as a key of ``Abilities.switches``."""
    return keys.canonical_json(switch)


def switches_of(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a request turns thinking with: its switch, and its effort under the name it is sent by."""
    found = [dict(asked["thinking_switch"])] if asked.get("thinking_switch") else []
    return found + ([{"reasoning_effort": asked["effort"]}] if asked.get("effort") is not None else [])


def deviations(abilities: Abilities, shards: Sequence[Shard]) -> dict[str, str]:
    """What the shards need and the server ignores: name of ``schemas.DEVIATIONS`` -> one sentence.

    Stop strings are not among them: whatever a server does, they end the answer when it is read.
    """
    found: dict[str, str] = {}
    for shard in shards:
        for name, sentence in _of_shard(abilities, shard.request):
            found.setdefault(name, sentence)
    return found


def refuse_deviations(abilities: Abilities, shards: Sequence[Shard], allow: Collection[str] = ()) -> None:
    """Raise Deviates for the first thing the shards need and the server ignores, unless ``allow`` names it."""
    for name, sentence in deviations(abilities, shards).items():
        if name not in allow:
            raise Deviates(name, sentence)


def _of_shard(abilities: Abilities, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    is_sampled = asked["temperature"] > 0
    if abilities.temperature is False:
        yield "temperature", f"the server ignores temperature, and {asked['temperature']} is asked for"
    if abilities.seed is False and is_sampled:
        yield "seed", "the server ignores seeds: no sample could be made again, or told from another"
    if abilities.top_p is False and is_sampled and asked["top_p"] < 1:
        yield "top_p", f"the server ignores top_p, and {asked['top_p']} is asked for"
    if abilities.max_tokens is False:
        yield "max_tokens", "the server ignores max_tokens: its answers are longer than the limit"
    if abilities.one_template is False:
        yield "template", "the server answers another prompt than the one it renders, or one that begins twice"
    yield from _of_thinking(abilities, asked)


def _of_thinking(abilities: Abilities, asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    idle = [key for switch in switches_of(asked) if abilities.switches.get(key := switch_key(switch)) is False]
    if idle:
        yield "thinking", f"the thinking switch {idle[0]} changes nothing: the prompt's tokens are the same"
    elif asked.get("thinking_budget") is not None and abilities.budget is False:
        yield "thinking", "the server refuses thinking_token_budget (vLLM needs --reasoning-config for it)"
