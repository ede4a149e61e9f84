"""Rows against the manifest line of their shard: who was asked, what, how, and with which seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ....ingest.manifest import Shard
from .faults import Fault
from .live import Looks
from .parts import batches
from .place import Lane, Place
from .plans import digest_wrong
from .redoing import brought_back
from .remedies import Remedy
from .sealing import can_seal

_OF_SHARD = (
    "benchmark", "model", "scenario", "request_digest", "comparability_digest", "dataset_version", "dataset_digest",
    "source",
)  # fmt: skip
_OF_REQUEST = (
    "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
    "max_tokens", "stop_acts", "templating_mode", "thinking", "effort", "thinking_budget", "strip_rule",
    "chat_template_sha", "model_revision", "weights_digest", "quantization", "dtype", "protocol",
)  # fmt: skip
_OF_SAMPLES = ("num_planned", "parent_model", "training_step")
"""Columns of samples that repeat the shard, beside ``_OF_SHARD``."""


def look_at_values(place: Place, looks: Looks) -> Iterator[Fault]:
    """One fault per lane whose rows say something else than its manifest line; nothing for a lake without a run."""
    for table in ("samples", "results"):
        for lane, parts in place.entries[table].items():
            shard = place.shard_of(lane)
            if shard is None or digest_wrong(shard) or any(looks[part].num_rows is None for part in parts):
                continue
            if wrong := _wrong(place, table, lane, parts, shard):
                yield Fault(
                    "values_as_planned", f"{table} of {lane[0]}-{lane[1]}", wrong, remedies=_again(place, lane, shard)
                )


def _again(place: Place, lane: Lane, shard: Shard) -> tuple[Remedy, ...]:
    """Only where the journal agrees with the plan; else a person says which of the two was changed."""
    can = place.run is not None and lane[0] == "generate" and can_seal(place.run, shard)
    return brought_back(place, lane, ("samples",)) if can else ()


def _wrong(place: Place, table: str, lane: Lane, parts: tuple[str, ...], shard: Shard) -> str:
    """The first difference as a sentence; empty: none."""
    expected = _expected(table, shard)
    for part in parts:
        for batch in batches(place.lake.root / part, [*expected, "shard_id", "sample_index", *_seed(table)]):
            if wrong := _wrong_in(batch, expected, lane, shard):
                return f"{part}: {wrong}"
    return ""


def _seed(table: str) -> tuple[str, ...]:
    return ("seed",) if table == "samples" else ()


def _expected(table: str, shard: Shard) -> Mapping[str, Any]:
    """Column -> the one value that it has in every row of the shard. What the plan leaves open is not asked."""
    values = {name: getattr(shard, name) for name in _OF_SHARD if table == "samples" or name != "dataset_digest"}
    if table == "results":
        # parts of an older writer lack these; a published verdict has the shard's source, ours none of its own
        return values
    asked = {name: shard.request.get(name) for name in _OF_REQUEST}
    own = {name: getattr(shard, name) for name in _OF_SAMPLES} if shard.stage == "generate" else {}
    return {**values, **{name: value for name, value in asked.items() if value is not None}, **own}


def _wrong_in(batch: Any, expected: Mapping[str, Any], lane: Lane, shard: Shard) -> str:
    present = set(batch.schema.names)
    for name, value in {**expected, "shard_id": lane[1]}.items():
        if name not in present:
            continue
        others = [found for found in batch.column(name).unique().to_pylist() if found != value]
        if others:
            return f"{name} is {others[0]!r}, planned is {value!r}"
    return _wrong_indices(batch, shard)


def _wrong_indices(batch: Any, shard: Shard) -> str:
    if batch.num_rows == 0 or shard.num_samples == 0:
        return ""
    index = batch.column("sample_index").to_numpy()
    low, high = int(index.min()), int(index.max())
    if low < shard.first_sample or high >= shard.first_sample + shard.num_samples:
        return f"sample indices {low} to {high}, planned from {shard.first_sample} are {shard.num_samples}"
    if shard.stage == "generate" and "seed" in batch.schema.names:
        seeds = batch.column("seed").to_numpy(zero_copy_only=False)
        if not (seeds - index == (shard.seed or 0)).all():
            return f"seeds are not {shard.seed or 0} + sample index"
    return ""
