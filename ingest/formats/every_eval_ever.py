"""Every Eval Ever: instance records (JSON lines) and aggregate records.

Shapes as evaleval/every_eval_ever@9bce413 declares them (``schemas/instance_level_eval.schema.json``,
``eval.schema.json``, 0.3.0; 0.2 writes single texts where 0.3 has lists). The records do not say how many samples a
problem has: rows of one ``sample_id`` are its samples, and so are several raw outputs in one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .benchmark_words import our_word
from .glimpse import Glimpse
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document, line_of, occurrence_counter, streamed_rows

TOOL = "every_eval_ever"
_REQUIRED = ("schema_version", "evaluation_id", "sample_id", "evaluation")


def open_instances(path: Path, context: Context) -> Log:
    first = next(iter(streamed_rows(path, *_REQUIRED)))
    facts = LogFacts(
        tool=TOOL,
        tool_version=str(first["schema_version"]),
        benchmark=our_word(first.get("evaluation_name")),
        title=first.get("evaluation_name"),
        model=first.get("model_id"),
    )
    return Log(lambda: _records(path, context), facts)


def _records(path: Path, context: Context) -> Iterator[Record]:
    next_index = occurrence_counter()
    for row in streamed_rows(path, *_REQUIRED, what="of every-eval-ever"):
        yield from _row_records(row, context, next_index)


def _row_records(row: Mapping[str, Any], context: Context, next_index: Callable[[str], int]) -> Iterator[Record]:
    output, asked = row.get("output") or {}, row.get("input") or {}
    raw = output.get("raw")
    texts = raw if isinstance(raw, list) and raw else [raw]
    verdict = (row["evaluation"] or {}).get("is_correct")
    score = (row["evaluation"] or {}).get("score")
    is_single = len(texts) == 1
    for text in texts:
        name = str(row["sample_id"])
        yield Record(
            name,
            next_index(name),
            text if isinstance(text, str) else None,
            (context.text_form or "raw") if isinstance(text, str) else None,
            _judgement(verdict) if is_single and not row.get("error") else {},
            (row.get("token_usage") or {}).get("output_tokens"),
            line_of(row),
            prompt=asked.get("formatted") or asked.get("raw"),
            task_score=None if is_single or not isinstance(score, int | float) else float(score),
            notes={"score": score, "interaction_type": row.get("interaction_type"), "error": row.get("error")},
        )


def _judgement(verdict: Any) -> dict[str, Judgement]:
    if not isinstance(verdict, bool):
        return {}
    return {"base": Judgement("pass", "ok") if verdict else Judgement("fail")}


def open_aggregate(path: Path, context: Context) -> Log:
    """Stated scores by name; in percent where the record says that 1 is the most."""
    document = json_document(path)
    model, library = document.get("model_info") or {}, document.get("eval_library") or {}
    scores = {}
    for one in document.get("evaluation_results") or ():
        value = (one.get("score_details") or {}).get("score")
        if isinstance(value, int | float):
            most = (one.get("metric_config") or {}).get("max_score") or 1
            scores[str(one.get("evaluation_name"))] = 100 * value / most
    facts = LogFacts(
        tool=TOOL,
        tool_version=str(document["schema_version"]),
        title=", ".join(scores),
        model=model.get("id"),
        recorded_at=document.get("evaluation_timestamp") or document.get("retrieved_timestamp"),
        notes=(f"scored with {library['name']} {library.get('version', '')}".strip(),) if library.get("name") else (),
    )
    return Log(lambda: iter(()), facts, scores)


def _is_instances(glimpse: Glimpse) -> bool:
    return glimpse.has_rows_with(*_REQUIRED)


def _is_aggregate(glimpse: Glimpse) -> bool:
    return glimpse.kind == "object" and glimpse.has("schema_version", "evaluation_results")


FORMATS = (
    log_format(
        "every-eval-ever", open_instances, "Every Eval Ever instance records", tool=TOOL, recognises=_is_instances
    ),
    log_format(
        "every-eval-ever-scores",
        open_aggregate,
        "Every Eval Ever aggregate record: stated scores",
        tool=TOOL,
        recognises=_is_aggregate,
        has_samples=False,
    ),
)
