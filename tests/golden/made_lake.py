"""A small lake whose models show one thing each, right or refused, and how the same rows may lie on disk."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from benchforge.ingest import keys
from benchforge.ingest.lake import Lake, arrow_schema
from benchforge.ingest.pins import pins_of

PIN = pins_of("humaneval")["v1"]
NUM_TASKS = 164
TASK_IDS = [f"HumanEval/{number}" for number in range(NUM_TASKS)]

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """What one made-up model did: passes of problem i, samples planned, and what is wrong with it."""

    name: str
    num_planned: int
    passes: Callable[[int], int]
    num_tasks: int = NUM_TASKS
    temperature: float = 0.0
    dataset_digest: str | None = PIN.dataset_digest
    dtype: str = "bfloat16"
    is_unsafe: bool = False
    is_scored: bool = True
    max_tokens: int | None = None
    is_plus_only: bool = False
    thinking: bool | None = None
    think_states: tuple[str, str] | None = None
    """Of all samples, and of every 41st."""


GROWN = Plan("made__grown", 1, lambda i: 1)
"""Whole at n = 1; then n = 10 was planned and its first shard broke off: no sample says so, only the ledger."""
PLANS = (
    Plan("made__greedy", 1, lambda i: int(i % 3 == 0)),
    Plan("made__twin", 1, lambda i: int(i % 3 == 1 or i == 0)),
    Plan("made__sampler", 10, lambda i: i % 11, temperature=0.8),
    Plan("made__perfect", 1, lambda i: 1),
    Plan("made__hopeless", 1, lambda i: 0),
    Plan("made__partial", 1, lambda i: 1, num_tasks=NUM_TASKS - 2),
    Plan("made__unsafe", 1, lambda i: 1, is_unsafe=True),
    Plan("made__unpinned", 1, lambda i: 1, dataset_digest=None),
    Plan("made__waiting", 1, lambda i: 1, is_scored=False),
    Plan("made__mixed", 1, lambda i: 1, num_tasks=80),
    Plan("made__mixed", 1, lambda i: 1, dtype="float16"),
    Plan("made__undecided", 1, lambda i: 1, max_tokens=768),
    Plan("made__undecided", 1, lambda i: 0, max_tokens=2048),
    Plan("made__plus_only", 1, lambda i: 1, is_plus_only=True),
    GROWN,
    Plan("made__silent", 1, lambda i: 1, thinking=True, think_states=("closed", "absent")),
    Plan("made__thinker", 1, lambda i: 1, thinking=False, think_states=("off", "open")),
)


def blank(table: str) -> dict[str, Any]:
    return dict.fromkeys(arrow_schema(table).names)


def task_rows() -> Rows:
    return [
        {
            **blank("tasks"),
            "benchmark": "humaneval",
            "dataset_version": "v1",
            "dataset_digest": PIN.dataset_digest,
            "scenario": "default",
            "task_id": task_id,
            "task_digest": keys.sha256_text(task_id),
            "kind": "check",
            "test_sets": ["base"],
            "num_base_cases": 1,
            "source_problem": task_id,
        }
        for task_id in TASK_IDS
    ]


def sample_rows(plan: Plan) -> Rows:
    request = keys.digest_of([plan.name, plan.dtype, plan.max_tokens])
    return [
        {
            **blank("samples"),
            "benchmark": "humaneval",
            "model": plan.name,
            "scenario": "default",
            "task_id": task_id,
            "sample_index": index,
            "sample_id": keys.sample_id("humaneval", "default", task_id, request, index),
            "request_digest": request,
            "comparability_digest": keys.digest_of([plan.temperature, plan.max_tokens]),
            "dataset_version": "v1",
            "dataset_digest": plan.dataset_digest,
            "shard_id": "s",
            "num_planned": plan.num_planned,
            "protocol": "official",
            "temperature": plan.temperature,
            "dtype": plan.dtype,
            "max_tokens": plan.max_tokens,
            "thinking": plan.thinking,
            "think_state": plan.think_states[number % 41 == 0] if plan.think_states else None,
        }
        for number, task_id in enumerate(TASK_IDS[: plan.num_tasks])
        for index in range(plan.num_planned)
    ]


_PLUS_ONLY = {
    "origin": "published",
    "trust_tier": "published",
    **dict.fromkeys(f"{kind}_base_{word}" for kind in ("official", "strict") for word in ("verdict", "reason")),
    "official_plus_verdict": "pass",
    "official_plus_reason": "ok",
}
"""What a record says that tells the verdict on the extra tests alone."""


def result_rows(plan: Plan) -> Rows:
    rows = []
    for sample in sample_rows(plan) if plan.is_scored else []:
        verdict = "pass" if sample["sample_index"] < plan.passes(int(sample["task_id"].split("/")[1])) else "fail"
        shared = {name: sample[name] for name in arrow_schema("results").names if name in sample}
        rows.append(
            {
                **blank("results"),
                **shared,
                "grader_id": "g" * 64,
                "program_id": b"p" * 16,
                "corrected_program_id": b"p" * 16,
                "official_base_verdict": verdict,
                "official_base_reason": "ok" if verdict == "pass" else "wrong_answer",
                "strict_base_verdict": verdict,
                "strict_base_reason": "ok" if verdict == "pass" else "wrong_answer",
                "origin": "self",
                "trust_tier": "values",
                "is_unsafe": plan.is_unsafe,
                **(_PLUS_ONLY if plan.is_plus_only else {}),
            }
        )
    return rows


def mean_rows() -> Rows:
    """Means of ninths, three tasks made from one problem."""
    made = {"benchmark": "humaneval", "dataset_version": "v1", "scenario": "default", "model": "made__mean"}
    named = {"protocol": "direct", "metric": "pass@1", "source": "o/r@0123abc", "shard_id": "s"}
    means = {task_id: 100 * (number % 10) / 9 for number, task_id in enumerate(TASK_IDS)}
    return [
        {**blank("problem_means"), **made, **named, "task_id": task_id, "source_problem": str(number // 3),
         "mean": percent / 100, "stated_percent": repr(percent)}
        for number, (task_id, percent) in enumerate(means.items())
    ]  # fmt: skip


def all_rows(plans: Sequence[Plan] = PLANS) -> Mapping[str, Rows]:
    return {
        "tasks": task_rows(),
        "samples": [row for plan in plans for row in sample_rows(plan)],
        "results": [row for plan in plans for row in result_rows(plan)],
        "runs": [attempt(PLANS[0], "done", 1), attempt(GROWN, "preempted", 10)],
        "problem_means": mean_rows(),
    }


def write(root: Path, tables: Mapping[str, Rows]) -> Path:
    """One part per table and partition."""
    lake = Lake(root)
    for table, rows in tables.items():
        lake.commit("s", "generate", lake.write_part(table, rows, "s"))
    return root


def write_scattered(root: Path, tables: Mapping[str, Rows]) -> Path:
    """The same rows, shuffled over parts of several shards, beside dead parts that say the opposite."""
    lake, shuffle = Lake(root), random.Random(5)
    for table, rows in tables.items():
        dead = [dict(row) for row in rows[:400]]
        for row in dead if table == "results" else []:
            row["official_base_verdict"] = "error"
        shuffled = shuffle.sample(rows, len(rows))
        lake.commit("s0", "generate", lake.write_part(table, dead, "s0"))
        for number in range(4):
            shard = f"s{number}"
            lake.commit(shard, "generate", lake.write_part(table, shuffled[number::4], shard))
    return root


def write_published(root: Path, tables: Mapping[str, Rows]) -> Path:
    """One row per sample with samples and results side by side; empty columns and the id left out."""
    results = {row["sample_id"]: row for row in tables["results"]}
    rows = [{**blank("results"), **sample, **results.get(sample["sample_id"], {})} for sample in tables["samples"]]
    fields = {field.name: field for table in ("samples", "results") for field in arrow_schema(table)}
    used = {name for row in rows for name, value in row.items() if value is not None} - {"sample_id"}
    schema = pa.schema([field.with_nullable(True) for name, field in fields.items() if name in used])
    for name in sorted({row["model"] for row in rows}):
        folder = root / "data" / "benchmark=humaneval" / f"model={name}"
        folder.mkdir(parents=True)
        kept = [{key: row.get(key) for key in schema.names} for row in rows if row["model"] == name]
        pq.write_table(pa.Table.from_pylist(kept, schema=schema), folder / "part-0.parquet")
    tasks = root / "tasks" / "benchmark=humaneval"
    tasks.mkdir(parents=True)
    for table, folder in (("tasks", tasks), *((name, root / name) for name in ("runs", "problem_means"))):
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(tables[table], schema=arrow_schema(table)), folder / "part-0.parquet")
    return root


def attempt(plan: Plan, cause: str, num_planned: int) -> dict[str, Any]:
    sample = sample_rows(plan)[0]
    moment = datetime.datetime(2026, 1, 1)
    return {
        **{name: sample[name] for name in ("benchmark", "model", "scenario", "request_digest")},
        "run_id": f"{plan.name}-{num_planned}",
        "shard_id": f"{plan.name}-{num_planned}",
        "stage": "generate",
        "attempt": 1,
        "num_planned": num_planned,
        "cause": cause,
        "started_at": moment,
        "ended_at": moment,
    }
