"""Our own plain format: JSON lines or Parquet, one row per sample.

=================  ==========================================================================================
``task_id``        text, required: the benchmark's own name of the problem
``sample_index``   integer from 0; where absent, samples of a task are numbered in the order of the rows
``text``           the sample; needs ``text_form``
``text_form``      ``raw`` (a model's reply), ``completion`` (continues the prompt), ``program`` (runs as it is)
``passed``         boolean: somebody's verdict on the whole of the tests; short for ``base_verdict``
``base_verdict``   ``pass``, ``fail``, ``timeout`` or ``error`` on the base tests alone
``plus_verdict``   the same on the extra tests alone
``base_reason``    why, in the words of the lake's vocabulary (``wrong_answer``, ``exception`` …)
``plus_reason``    the same
=================  ==========================================================================================

A row needs a text or a verdict; a ``plus_verdict`` needs its ``base_verdict``; ``passed`` beside verdicts must agree
with all of them; a reason needs its verdict, and a pass has the reason ``ok`` or none. Any other column is refused, so
that a misspelt one is not silently lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import schemas
from ..errors import BadInput
from .glimpse import Glimpse
from .records import Context, Format, Judgement, Record, Recording
from .source_files import Row, field_of, json_lines, occurrence_counter, place_of
from .text_stream import first_bytes

COLUMNS = (
    "task_id",
    "sample_index",
    "text",
    "text_form",
    "passed",
    *(f"{part}_{what}" for part in schemas.PARTS for what in ("verdict", "reason")),
)


def read_plain(path: Path, context: Context) -> Recording:
    """Rows of the table above."""
    rows: list[Row] = _parquet_rows(path) if _is_parquet(path) else json_lines(path)
    unknown = sorted({name for row in rows for name in row} - set(COLUMNS))
    if unknown:
        raise BadInput(f"{path} has the unknown column {unknown[0]!r}", f"columns are {', '.join(COLUMNS)}")
    has_index = any(row.get("sample_index") is not None for row in rows)
    next_index = occurrence_counter()
    records = []
    for row in rows:
        task_id = field_of(path, row, "task_id", str)
        index = field_of(path, row, "sample_index", int) if has_index else next_index(task_id)
        records.append(_record(path, task_id, index, row, context))
    return Recording(tuple(records))


def _record(path: Path, task_id: str, index: int, row: Row, context: Context) -> Record:
    text = None if row.get("text") is None else field_of(path, row, "text", str)
    form = context.text_form or row.get("text_form")
    judgements = _judgements(path, task_id, row)
    sample = f"{place_of(path, row)}: sample {index} of {task_id}"
    if text is not None and form not in schemas.TEXT_FORMS:
        raise BadInput(f"{sample} needs a text_form", f"one of {', '.join(schemas.TEXT_FORMS)}")
    if text is None and not judgements:
        raise BadInput(f"{sample} has neither a text nor a verdict", "")
    return Record(task_id, index, text, form if text is not None else None, judgements, line=row.line)


def _judgements(path: Path, task_id: str, row: Row) -> dict[str, Judgement]:
    if contradiction := _contradiction(path, row):
        raise BadInput(f"{place_of(path, row)}: {task_id} {contradiction}", "correct the row, or leave a column out")
    judgements = {}
    for part in schemas.PARTS:
        verdict, reason = row.get(f"{part}_verdict"), row.get(f"{part}_reason")
        if part == "base" and verdict is None and row.get("passed") is not None:
            verdict = "pass" if field_of(path, row, "passed", bool) else "fail"
        if verdict is None:
            continue
        _refuse_other_words(path, row, f"{part}_verdict", verdict, schemas.VERDICTS)
        if reason is not None:
            _refuse_other_words(path, row, f"{part}_reason", reason, schemas.REASONS)
        judgements[part] = Judgement(verdict, reason or ("ok" if verdict == "pass" else None))
    return judgements


def _contradiction(path: Path, row: Row) -> str:
    """What in this row cannot be true together, in words; "" when nothing."""
    verdicts = {part: row[f"{part}_verdict"] for part in schemas.PARTS if row.get(f"{part}_verdict") is not None}
    if "plus" in verdicts and "base" not in verdicts:
        return "has a plus_verdict without a base_verdict, and neither number could count it"
    if verdicts and row.get("passed") is not None:
        passed = field_of(path, row, "passed", bool)
        if passed != all(verdict == "pass" for verdict in verdicts.values()):
            said = ", ".join(f"{part}_verdict {verdict}" for part, verdict in verdicts.items())
            return f"says passed {str(passed).lower()} and {said}"
    return next((fault for part in schemas.PARTS if (fault := _odd_reason(row, part))), "")


def _odd_reason(row: Row, part: str) -> str:
    reason = row.get(f"{part}_reason")
    implied = "pass" if row.get("passed") is True else None if row.get("passed") is None else "fail"
    verdict = row.get(f"{part}_verdict") or (implied if part == "base" else None)
    if reason is None:
        return ""
    if verdict is None:
        return f"has a {part}_reason without a {part}_verdict"
    fits = {"pass": reason == "ok", "timeout": reason == "timeout"}.get(verdict, reason != "ok")
    return "" if fits else f"has {part}_verdict {verdict} with {part}_reason {reason}"


def _refuse_other_words(path: Path, row: Row, column: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        message = f"{place_of(path, row)}: {column} of {row['task_id']} cannot be {value!r}"
        raise BadInput(message, f"allowed are {', '.join(allowed)}")


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PAR1"
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", "check the path") from error


def _parquet_rows(path: Path) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    first_bytes(path)  # a file that is not there is said so
    try:
        rows = pq.ParquetFile(path).read().to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not a whole Parquet file: {error}", "get the file again") from error
    return [Row(row, number) for number, row in enumerate(rows, start=1)]


def _is_plain(glimpse: Glimpse) -> bool:
    keys = set(glimpse.names) if glimpse.kind == "parquet" else set(glimpse.row)
    is_rows = glimpse.kind in ("lines", "object", "parquet")
    return is_rows and {"task_id"} < keys <= set(COLUMNS) and bool(keys & {"text", "passed", "base_verdict"})


FORMATS = (
    Format(
        "benchforge",
        read_plain,
        "our own plain JSON lines or Parquet: task_id, text, verdicts",
        "benchforge",
        _is_plain,
        judges_parts=True,
    ),
)
