"""What a server really does: asked once at start, recorded, and believed from then on.

Servers take a parameter that they do not know with 200 and no effect, so nothing is believed that an answer does not
show. ``probe`` finds facts; ``refuse_deviations`` decides whether the shards at hand can be asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ...ingest.errors import BenchforgeError
from ...ingest.manifest import Shard
from ...ingest.planning.models import ServedModel
from .client import Client


@dataclass(frozen=True)
class Abilities:
    """What one server honours for one model; None where it was not asked, or an answer cannot tell."""

    n: bool | None = None
    """Gives as many choices as asked for, in one request."""
    temperature: bool | None = None
    seed: bool | None = None
    """Equal seeds give equal texts, and different ones different texts."""
    max_stops: int | None = None
    """Stop strings that one request may have; None: no limit known."""
    token_ids: bool = False
    """Sends ``prompt_token_ids`` and ``token_ids`` with an answer."""
    tokenize: bool = False
    """Has /tokenize and /detokenize."""
    streams: bool | None = None
    logprobs: bool | None = None
    prefixes: bool = False
    """Continues a prompt of token ids, so a greedy answer can be taken up where it was cut."""
    reads_tags: bool | None = None
    """A parser of the server takes thinking out of the text."""
    switch: bool | None = None
    """The thinking switch changes the prompt's token ids."""
    one_template: bool | None = None
    """The ids of a rendered prompt are those that the answer was made from, with one token of beginning at most."""
    window_tokens: int | None = None
    tag_ids: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Tag of the shards' strip rules (``StripRule.tag_texts``) -> its token ids, as /tokenize gives them."""
    version: str | None = None
    fingerprint: str | None = None
    tag_ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Tags of the strip rules -> their token ids under this server's tokenizer."""
    requests: int = 0
    """Requests that finding this out took."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Abilities:
        """The other way; names that this version does not know are left out."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})


class Deviates(BenchforgeError):
    """The server ignores what the plan asks for; ``name`` is what ``engine.allow`` would have to list."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence, f"use another server, or add {name} to engine.allow and say so beside every number")
        self.name = name


async def probe(client: Client, served: ServedModel, shards: Sequence[Shard] = ()) -> Abilities:
    """Facts about the server behind ``client``, in few and short requests. ``shards`` says what will be needed."""
    raise NotImplementedError


def refuse_deviations(abilities: Abilities, shards: Sequence[Shard], allow: Collection[str] = ()) -> None:
    """Raise Deviates for the first thing the shards need and the server ignores, unless ``allow`` names it."""
    raise NotImplementedError
