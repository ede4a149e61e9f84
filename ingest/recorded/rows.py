"""Lake rows of recorded samples and published verdicts; pure, shared by import and by the bundled set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import keys, schemas
from ..errors import UsageError
from ..formats import Record, Recording, TaskFacts
from ..manifest import Shard

_THOUGHT_SUFFIX = "+cot"

PROTOCOLS = ("direct", "cot", "official", "corrected", "card", "recorded")
"""Named prompt protocols that recorded samples can have been asked by."""


@dataclass(frozen=True)
class Asked:
    """How recorded samples were asked for, as far as it is known; None is unknown and stays out of the digests."""

    benchmark: str
    scenario: str
    dataset_version: str
    dataset_digest: str | None
    model: str
    protocol: str
    source: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    licence: str | None = None

    def shard(self, **own: Any) -> Shard:
        """A shard of the manifest asked for so; ``own`` are its id and its numbers."""
        return Shard(
            stage="import",
            benchmark=self.benchmark,
            scenario=self.scenario,
            dataset_version=self.dataset_version,
            dataset_digest=self.dataset_digest,
            model=self.model,
            protocol=self.protocol,
            request=self.request,
            request_digest=self.request_digest,
            comparability_digest=self.comparability_digest,
            first_sample=0,
            source=self.source,
            **own,
        )

    @cached_property
    def request(self) -> dict[str, Any]:
        """Request fields of ``keys.REQUEST_FIELDS``; two sources are two requests."""
        fields = {
            "dataset_digest": self.dataset_digest,
            "protocol": self.protocol,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "model": self.model,
            "source": self.source,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @cached_property
    def request_digest(self) -> str:
        return keys.request_digest(self.request)

    @cached_property
    def comparability_digest(self) -> str:
        """The window and the stop strings are never known here, so such rows compare only inside their source."""
        fields = {
            "dataset_digest": self.dataset_digest,
            "scenario": self.scenario,
            "protocol": self.protocol,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
        return keys.comparability_digest(fields, self.source)

    @property
    def grader_id(self) -> str:
        return f"published:{self.source}"

    def sample_id(self, record: Record) -> bytes:
        return keys.sample_id(self.benchmark, self.scenario, record.task_id, self.request_digest, record.sample_index)


def model_and_protocol(model: str, protocol: str | None = None) -> tuple[str, str]:
    """Model key and protocol of a recorded name: ``codellama-7b+cot`` is ``unknown__codellama-7b`` asked by ``cot``.

    Raises UsageError where the name says one protocol and the option another, or where the name cannot be a key.
    """
    name = model.removesuffix(_THOUGHT_SUFFIX)
    named = "cot" if name != model else None
    if named and protocol not in (None, named):
        raise UsageError(f"the model name {model!r} says protocol cot, the option {protocol}", "drop one of the two")
    key = name if "__" in name else name.replace("/", "__") if "/" in name else f"unknown__{name}"
    if len(key) > keys.MAX_MODEL_LENGTH:
        raise UsageError(
            f"the model name {model[:20]!r}… has {len(key)} characters", f"write at most {keys.MAX_MODEL_LENGTH}"
        )
    if not keys.MODEL_KEY.fullmatch(key):
        raise UsageError(f"{model!r} is no model name", "write <org>__<name>, <org>/<name>, or a name without blanks")
    return key, named or protocol or "direct"


def sample_rows(asked: Asked, records: Iterable[Record], shard_id: str, num_planned: int) -> Iterator[dict[str, Any]]:
    """Rows of ``schemas.SAMPLES``, one per record."""
    for record in records:
        yield {
            **_key(asked, record, shard_id),
            **_request(asked),
            "dataset_digest": asked.dataset_digest,
            "num_planned": num_planned,
            "text_form": record.text_form,
            "raw_text": record.text,
            "completion_tokens": record.completion_tokens,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "max_tokens": asked.max_tokens,
            "protocol": asked.protocol,
        }


def result_rows(asked: Asked, records: Iterable[Record], shard_id: str) -> Iterator[dict[str, Any]]:
    """Rows of ``schemas.RESULTS``, one per record with a verdict. A published verdict is an official one."""
    for record in records:
        if record.judgements:
            yield {
                **_key(asked, record, shard_id),
                **_request(asked),
                "grader_id": asked.grader_id,
                **_verdicts(record),
                "origin": "published",
                "trust_tier": "published",
                "licence": asked.licence,
                "is_unsafe": False,
            }


def _key(asked: Asked, record: Record, shard_id: str) -> dict[str, Any]:
    return {
        "benchmark": asked.benchmark,
        "model": asked.model,
        "scenario": asked.scenario,
        "task_id": record.task_id,
        "sample_index": record.sample_index,
        "sample_id": asked.sample_id(record),
        "source": asked.source,
        "shard_id": shard_id,
    }


def _request(asked: Asked) -> dict[str, str]:
    """What samples and results both say of the request behind a row."""
    return {
        "request_digest": asked.request_digest,
        "comparability_digest": asked.comparability_digest,
        "dataset_version": asked.dataset_version,
    }


def _verdicts(record: Record) -> dict[str, str | None]:
    columns: dict[str, str | None] = {}
    for part in schemas.PARTS:
        judgement = record.judgements.get(part)
        columns[f"official_{part}_verdict"] = judgement.verdict if judgement else None
        columns[f"official_{part}_reason"] = judgement.reason if judgement else None
    return columns


def recorded_task_rows(
    asked: Asked, recording: Recording, kind: str, test_sets: tuple[str, ...], pinned_cells: str | None = None
) -> list[dict[str, Any]]:
    """Rows of ``schemas.TASKS`` for problems that are not staged: what the file tells, and no digest."""
    rows = []
    for task_id in sorted({record.task_id for record in recording.records}):
        facts = recording.task_facts.get(task_id, TaskFacts())
        rows.append(
            {
                "benchmark": asked.benchmark,
                "dataset_version": asked.dataset_version,
                "dataset_digest": asked.dataset_digest,
                "scenario": asked.scenario,
                "task_id": task_id,
                "kind": kind,
                "test_sets": list(test_sets),
                "source_problem": facts.source_problem or task_id,
                "stratum": facts.stratum,
                "cluster": facts.cluster,
                "contest_date": facts.contest_date,
                "pinned_cells": pinned_cells,
            }
        )
    return rows
