"""A lake of few rows in which every kind of text stands that publication treats in its own way."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import made_lake
from benchforge.ingest import keys
from benchforge.ingest.lake import Lake

FREE, KEPT, UNKNOWN = "qwen__qwen2.5-coder-7b-instruct", "mistralai__codestral-22b-v0.1", "nobody__knows"
CHECKPOINT = "made__checkpoint"
NUL = "print('a\x00b')  # \ufffd é 漢 🎉\r\n\ttail  "
SURROGATE = '"\\ud800 lone"'
"""As the lake holds what UTF-8 cannot: a JSON string, text_encoding json."""
SECRET_NODE = "gpu-node17.cluster.example"
HOME = "/home/somebody/lake"

MODELS: dict[str, dict[str, Any]] = {
    FREE: {},
    KEPT: {},
    UNKNOWN: {},
    CHECKPOINT: {"parent_model": FREE, "weights_digest": "w" * 64, "training_step": 100},
}


def sample(model: str, task: int, index: int, text: str, **more: Any) -> dict[str, Any]:
    request = keys.digest_of([model])
    task_id = made_lake.TASK_IDS[task]
    return {
        **made_lake.sample_rows(made_lake.PLANS[0])[task],
        "model": model,
        "sample_index": index,
        "request_digest": request,
        "sample_id": keys.sample_id("humaneval", "default", task_id, request, index),
        "shard_id": "asked",
        "num_planned": 3,
        "raw_text": text,
        "text_form": "raw",
        "reasoning": "thought",
        **MODELS[model],
        **more,
    }


def result(of: dict[str, Any], grader: str = "g" * 64, **more: Any) -> dict[str, Any]:
    row = made_lake.result_rows(made_lake.PLANS[0])[0]
    shared = {name: of[name] for name in row if name in of and name not in ("source", "shard_id")}
    program = keys.program_id(of["raw_text"])
    own = {"grader_id": grader, "shard_id": "graded", "program_id": program, "corrected_program_id": program}
    return {**row, **shared, "source": None, **own, **more}


def write(root: Path) -> Path:
    """Three samples of each model, one waiting for its verdict, one judged by two graders, one taken from others."""
    samples = [
        sample(model, task, index, text)
        for model in MODELS
        for task, index, text in ((2, 0, NUL), (10, 1, f"def f(): return '{model}'"), (10, 0, "shared = 1"))
    ]
    odd = sample(FREE, 3, 0, SURROGATE, text_encoding="json")
    recorded = sample(FREE, 4, 0, "others = 2", source="made/repository@0123abc")
    waiting = sample(FREE, 5, 0, "waits = 3")
    graded = [*samples, odd, recorded]
    results = [result(row) for row in graded] + [result(samples[0], grader="published:o/r@1", origin="published",
                                                        trust_tier="published", source="o/r@1")]  # fmt: skip
    lake = Lake(root)
    programs = {row["program_id"]: row["raw_text"] for row in map(_program, graded)}
    tables = {
        "tasks": made_lake.task_rows(),
        "samples": [*graded, waiting],
        "results": results,
        "programs": [
            {"benchmark": "humaneval", "program_id": name, "program": text} for name, text in programs.items()
        ],
        "timings": [_timing(row) for row in results],
        "runs": [_run(), {**_run(), "run_id": "again", "attempt": 2}],
    }
    for table, rows in tables.items():
        lake.commit("s", "generate", lake.write_part(table, rows, "s"))
    return root


def _program(row: dict[str, Any]) -> dict[str, Any]:
    return {"program_id": keys.program_id(row["raw_text"]), "raw_text": row["raw_text"]}


def _timing(row: dict[str, Any]) -> dict[str, Any]:
    shared = {name: row[name] for name in ("benchmark", "model", "sample_id", "grader_id", "shard_id")}
    return {**made_lake.blank("timings"), **shared, "host": SECRET_NODE, "wall_seconds": 0.5}


def _run() -> dict[str, Any]:
    moment = datetime.datetime(2026, 1, 1)
    said = f"the engine on {SECRET_NODE} ended; its log is {HOME}/vllm.log"
    flags = f'["--model", "{HOME}/weights", "--download-dir", "/home/another/cache"]'
    return {
        **made_lake.blank("runs"), "run_id": "once", "shard_id": "asked", "stage": "generate", "attempt": 1,
        "benchmark": "humaneval", "model": FREE, "node": SECRET_NODE, "job_id": "4711_1", "cause": "crashed",
        "detail": said, "engine_flags": flags, "started_at": moment, "ended_at": moment,
    }  # fmt: skip
