"""Per-sample results as a first run may have published them, before rows had digests: flat Parquet, one row per sample.

Nothing fixed such a file, so names are taken as they are found (first of each line that is there):

===============  ============================================================================
the problem      ``task_id``, ``problem_id``
which sample     ``sample_index``, ``sample_idx``, ``completion_id``; else the order of rows
the text         ``raw_text``, ``completion``, ``solution``, ``output``
verdict, base    ``base_verdict``, ``base_status``, ``passed``, ``correct``, ``is_correct``
verdict, plus    ``plus_verdict``, ``plus_status``
===============  ============================================================================

``benchmark`` picks the rows of the benchmark asked for. A file of several models is refused with the query that splits
it: whose samples they are is never guessed. Other columns are not taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .plain import _parquet_rows
from .records import Context, Format, Judgement, Record, Recording
from .source_files import Row, occurrence_counter, place_of

NAMES: Mapping[str, tuple[str, ...]] = {
    "task_id": ("task_id", "problem_id"),
    "sample_index": ("sample_index", "sample_idx", "completion_id"),
    "text": ("raw_text", "completion", "solution", "output"),
    "base": ("base_verdict", "base_status", "passed", "correct", "is_correct"),
    "plus": ("plus_verdict", "plus_status"),
}
_VERDICTS = {"pass": "pass", "passed": "pass", "true": "pass", "fail": "fail", "failed": "fail", "false": "fail",
             "timeout": "timeout", "timed out": "timeout", "error": "error"}  # fmt: skip


def read_older_publication(path: Path, context: Context) -> Recording:
    """Rows of one model and of the benchmark asked for. Raises BadInput for rows of several models, or of none."""
    rows = [row for row in _parquet_rows(path) if row.get("benchmark") in (None, context.benchmark, context.scenario)]
    if not rows:
        raise BadInput(f"{path} has no row of {context.benchmark}", "name another --benchmark")
    models = sorted({str(row["model"]) for row in rows if row.get("model")})
    if len(models) > 1:
        split = f"duckdb -c \"copy (from '{path}' where model = '{models[0]}') to 'one.parquet'\""
        raise BadInput(f"{path} holds {len(models)} models", f"take them one by one: {split}")
    next_index = occurrence_counter()
    return Recording(tuple(_record(path, row, next_index, context) for row in rows))


def _record(path: Path, row: Row, next_index: Any, context: Context) -> Record:
    task_id = _first(row, "task_id")
    if not isinstance(task_id, str):
        raise BadInput(f"{place_of(path, row)} names no problem", f"columns for it: {', '.join(NAMES['task_id'])}")
    index, text = _first(row, "sample_index"), _first(row, "text")
    index = index if isinstance(index, int) and not isinstance(index, bool) else next_index(task_id)
    judgements = {part: Judgement(verdict) for part in ("base", "plus") if (verdict := _verdict(path, row, part))}
    if text is None and not judgements:
        raise BadInput(f"{place_of(path, row)}: {task_id} has neither a text nor a verdict", "leave the row out")
    form = (context.text_form or "raw") if text is not None else None
    return Record(task_id, index, text, form, judgements, line=row.line)


def _verdict(path: Path, row: Row, part: str) -> str | None:
    value = _first(row, part)
    if value is None:
        return None
    verdict = _VERDICTS.get(str(value).lower())
    if verdict is None:
        raise BadInput(f"{place_of(path, row)}: {value!r} is no verdict", f"known are {', '.join(sorted(_VERDICTS))}")
    return verdict


def _first(row: Row, what: str) -> Any:
    return next((row[name] for name in NAMES[what] if row.get(name) is not None), None)


FORMATS = (
    Format(
        "older-publication",
        read_older_publication,
        "flat Parquet of a first run, published before rows had digests",
        "benchforge",
        judges_parts=True,
    ),
)
