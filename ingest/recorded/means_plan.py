"""The reading half of an import of means by problem: from file and options to shards, or to one clear error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bundled.task_ids import known_task_ids
from ..errors import BadInput, UsageError
from ..formats import Context, ProblemMean, means_registry
from ..formats.text_stream import content_digest
from ..manifest import Shard
from ..pins import Pin
from .import_plan import Wanted, benchmark_and_scenario, source_of, version_of
from .rows import Asked, model_and_protocol

_MEANINGLESS = ("protocol", "temperature", "top_p", "max_tokens", "text_form")
"""Options about samples; the file says the protocol, and the rest is not known of a mean."""
_NUM_SHOWN = 3


@dataclass(frozen=True)
class MeansShard:
    """All means of one model under one protocol: the shard, and its rows of ``schemas.PROBLEM_MEANS``."""

    shard: Shard
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class MeansPlan:
    """A file read and checked: all that is left is writing it."""

    benchmark: str
    scenario: str
    dataset_version: str
    shards: tuple[MeansShard, ...]
    notes: tuple[str, ...]


def plan_means(path: Path, wanted: Wanted) -> MeansPlan:
    """Read and check; ``wanted.model`` takes one model of the file, None all of them.

    Raises UsageError (options, benchmark, scenario, version, source, no such model), BadInput (the file is broken,
    names problems the benchmark does not have, lacks some, or has one twice).
    """
    _refuse_meaningless(wanted)
    benchmark, scenario = benchmark_and_scenario(wanted)
    digest = content_digest(path)
    source = source_of(wanted.source, digest)
    means, left_out = means_registry()[wanted.format_name].read(path, Context(benchmark.name, scenario))
    by_model = _by_model(path, means, wanted)
    num_tasks = max(len({mean.task_id for mean in several}) for several in by_model.values())
    pin, version_note = version_of(path, benchmark, scenario, wanted, num_tasks)
    gaps = [gap for key, several in by_model.items() for gap in _gaps(path, pin, scenario, key, several)]
    if gaps and not wanted.is_partial:
        raise BadInput(
            f"{path} is not whole for {scenario} of {benchmark.name} {pin.dataset_version}: {_shown(gaps)}",
            "complete the file, or import it with --partial",
        )
    shards = tuple(
        means_shard(_asked(pin, scenario, model, protocol, source, wanted.licence), digest, several, wanted.num_samples)
        for (model, protocol), several in by_model.items()
    )
    notes = (*version_note, *left_out, *(f"recorded as missing: {gap}" for gap in gaps))
    return MeansPlan(benchmark.name, scenario, pin.dataset_version, shards, notes)


def _asked(pin: Pin, scenario: str, model: str, protocol: str, source: str, licence: str | None) -> Asked:
    version, digest = pin.dataset_version, pin.dataset_digest
    return Asked(pin.benchmark, scenario, version, digest, model, protocol, source, licence=licence)


def _refuse_meaningless(wanted: Wanted) -> None:
    given = [name for name in _MEANINGLESS if getattr(wanted, name) is not None]
    if given:
        option = given[0].replace("_", "-")
        raise UsageError(f"--{option} has no use for {wanted.format_name}: it holds means, no samples", "leave it out")


def _by_model(
    path: Path, means: Sequence[ProblemMean], wanted: Wanted
) -> Mapping[tuple[str, str], Sequence[ProblemMean]]:
    """(model key, protocol) -> its means, of the models wanted, in the order of the file."""
    chosen = None if wanted.model is None else model_and_protocol(wanted.model)[0]
    found: dict[tuple[str, str], list[ProblemMean]] = {}
    keys = {name: model_and_protocol(name)[0] for name in dict.fromkeys(mean.model for mean in means)}
    for mean in means:
        if chosen in (None, keys[mean.model]):
            found.setdefault((keys[mean.model], mean.protocol), []).append(mean)
    if not found:
        names = ", ".join(list(keys.values())[:_NUM_SHOWN])
        raise UsageError(f"{path} holds no mean of {chosen}", f"leave --model out, or name one of {names} …")
    return found


def _gaps(path: Path, pin: Pin, scenario: str, key: tuple[str, str], means: Sequence[ProblemMean]) -> Iterator[str]:
    """What a model lacks, in words; BadInput for what can never be right."""
    way = f"{key[0]} ({key[1]})"
    present = {mean.task_id for mean in means}
    if len(present) < len(means):
        raise BadInput(f"{path}: {way} has a problem twice", "keep one row per model and problem")
    known, pinned = known_task_ids(pin.benchmark, pin.dataset_version, scenario), pin.num_tasks(scenario)
    strangers = sorted(present - set(known)) if known is not None else []
    if strangers:
        raise BadInput(
            f"{path}: {pin.benchmark} {pin.dataset_version} does not have {len(strangers)} problems of {way} "
            f"({_shown(strangers)})",
            "check --scenario and --version",
        )
    if pinned is not None and len(present) > pinned:
        raise BadInput(
            f"{path}: {way} has {len(present)} problems, the benchmark {pinned}", "check --scenario and --version"
        )
    if pinned is not None and len(present) < pinned:
        yield f"{pinned - len(present)} of {pinned} problems of {way} missing"


def means_shard(asked: Asked, digest: str, means: Sequence[ProblemMean], num_samples: int | None) -> MeansShard:
    """One model under one protocol; no sample row belongs to it (``expected_rows`` 0): nothing waits for ``score``."""
    identity = {"content": digest, "benchmark": asked.benchmark, "scenario": asked.scenario}
    shard = asked.shard(
        shard_id=Shard.make_id(**identity, model=asked.model, protocol=asked.protocol),
        num_samples=0,
        num_planned=num_samples or 0,
        expected_rows=0,
    )
    return MeansShard(shard, tuple(_row(asked, shard.shard_id, mean, num_samples) for mean in means))


_TAKEN_AS_READ = ("metric", "task_id", "source_problem", "stratum", "recorded_date")


def _row(asked: Asked, shard_id: str, mean: ProblemMean, num_samples: int | None) -> dict[str, Any]:
    return {
        "benchmark": asked.benchmark,
        "dataset_version": asked.dataset_version,
        "scenario": asked.scenario,
        "model": asked.model,
        "protocol": asked.protocol,
        **{name: getattr(mean, name) for name in _TAKEN_AS_READ},
        "mean": mean.percent / 100,
        "stated_percent": repr(mean.percent),
        "num_samples": mean.num_samples if num_samples is None else num_samples,
        "source": asked.source,
        "licence": asked.licence,
        "shard_id": shard_id,
    }


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:_NUM_SHOWN]) + (" …" if len(names) > _NUM_SHOWN else "")
