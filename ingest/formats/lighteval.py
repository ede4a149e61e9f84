"""lighteval: ``details_<task>_<time>.parquet``, one row per problem, and ``results_<time>.json``.

Shapes as huggingface/lighteval@3fd1526 writes them (``logging/evaluation_tracker.py``, ``models/model_output.py``): the
columns ``doc``, ``metric`` and ``model_response``; up to v0.9.2 flat ones, with lists written as Python text. A
metric is one number for all replies to a problem: with more than one reply it is kept as ``task_score``. Token ids are
most of such a file, so only the columns needed are read. Checked against files that lighteval 0.13.0 wrote
(``tests/foreign``); the older layout against files made after the sources.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .benchmark_words import our_word
from .glimpse import Glimpse
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document
from .text_stream import AGAIN, first_bytes

TOOL = "lighteval"
_COLUMNS = (
    "doc.id",
    "doc.task_name",
    "doc.query",
    "doc.generation_size",
    "metric",
    "model_response.text",
    "model_response.text_post_processed",
)
_OLD_COLUMNS = ("full_prompt", "predictions", "metrics")
_ROWS_AT_ONCE = 64
_MAX_LITERAL_CHARACTERS = 4_000_000


def open_details(path: Path, context: Context) -> Log:
    return Log(lambda: _records(path, context), _facts(path))


def _records(path: Path, context: Context) -> Iterator[Record]:
    for position, row in enumerate(_rows(path)):
        is_old = "predictions" in row
        replies = _literal(row["predictions"]) if is_old else (row.get("model_response") or {}).get("text")
        metrics = _literal(row["metrics"]) if is_old else row.get("metric")
        if not isinstance(replies, list) or not all(isinstance(one, str) for one in replies):
            raise BadInput(f"{path} row {position + 1} holds no list of replies", "is this a generation task?")
        yield from _row_records(position, row, replies, metrics, context)


def _row_records(
    position: int, row: Mapping[str, Any], replies: list[str], metrics: Any, context: Context
) -> Iterator[Record]:
    doc = row.get("doc") or {}
    programs = (row.get("model_response") or {}).get("text_post_processed") or []
    score = _score(metrics)
    is_single = len(replies) == 1 and score in (0.0, 1.0)
    for index, reply in enumerate(replies):
        yield Record(
            str(doc.get("id") or position),
            index,
            reply,
            context.text_form or "raw",
            {"base": Judgement("pass", "ok") if score else Judgement("fail")} if is_single else {},
            line=position + 1,
            program=programs[index] if len(programs) == len(replies) else None,
            prompt=doc.get("query") or row.get("full_prompt"),
            task_score=None if is_single else score,
            notes={"metrics": metrics},
        )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    first_bytes(path)  # a file that is not there is said so
    try:
        file = pq.ParquetFile(path)
        names = _COLUMNS if "doc" in file.schema_arrow.names else _OLD_COLUMNS
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(names)):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not a whole Parquet file: {error}", AGAIN) from error


def _literal(value: Any) -> Any:
    """Old files hold Python's text of a list: read as a literal, never evaluated."""
    if not isinstance(value, str) or len(value) > _MAX_LITERAL_CHARACTERS:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def _score(metrics: Any) -> float | None:
    """The metric that the row has (the first, where a task has several), None where it is no number."""
    values = [value for value in metrics.values() if value is not None] if isinstance(metrics, dict) else []
    return float(values[0]) if values and isinstance(values[0], int | float) else None


def _facts(path: Path) -> LogFacts:
    first = next(_rows(path), None)
    if first is None:
        raise BadInput(f"{path} holds no rows", AGAIN)
    doc = first.get("doc") or {}
    title = doc.get("task_name")
    return LogFacts(
        tool=TOOL,
        benchmark=our_word(title),
        title=title,
        max_tokens=doc.get("generation_size"),
        is_by_position=not doc.get("id"),
        notes=() if doc.get("id") else ("its rows name no problem: their order is the only key",),
    )


def open_results(path: Path, context: Context) -> Log:
    """Scores by task, as stated, in percent: ``<task> <metric>``."""
    document = json_document(path)
    general = document["config_general"]
    config = general.get("model_config") or {}
    sampling = config.get("generation_parameters") or {}
    scores = {
        f"{task} {metric}": 100 * value
        for task, metrics in (document.get("results") or {}).items()
        for metric, value in metrics.items()
        if isinstance(value, int | float) and not metric.endswith("_stderr")
    }
    facts = LogFacts(
        tool=TOOL,
        tool_version=_version(general.get("lighteval_sha")),
        title=", ".join(document.get("results") or {}),
        model=general.get("model_name") or config.get("model_name"),
        temperature=sampling.get("temperature"),
        top_p=sampling.get("top_p"),
        max_tokens=sampling.get("max_new_tokens"),
    )
    return Log(lambda: iter(()), facts, scores)


def _version(commit: Any) -> str | None:
    """Installed from a package the tool knows no commit and writes "?"."""
    return commit if isinstance(commit, str) and commit.strip("?") else None


def _is_details(glimpse: Glimpse) -> bool:
    columns = set(glimpse.names)
    is_new, is_old = {"doc", "metric", "model_response"} <= columns, set(_OLD_COLUMNS) <= columns
    return glimpse.kind == "parquet" and (is_new or is_old)


def _is_results(glimpse: Glimpse) -> bool:
    return glimpse.kind == "object" and glimpse.has("config_general", "config_tasks")


FORMATS = (
    log_format(
        "lighteval-details",
        open_details,
        "lighteval details_<task>_<time>.parquet",
        tool=TOOL,
        recognises=_is_details,
    ),
    log_format(
        "lighteval-results",
        open_results,
        "lighteval results_<time>.json: stated scores",
        tool=TOOL,
        recognises=_is_results,
        has_samples=False,
    ),
)
