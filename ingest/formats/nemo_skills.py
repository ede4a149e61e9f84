"""NeMo-Skills: ``output.jsonl``, ``output-rs<seed>.jsonl``, a folder of these, and ``metrics.json``.

Shapes as NVIDIA/NeMo-Skills@0b012df writes them (``inference/generate.py``, ``evaluation/evaluator/code.py``,
``evaluation/metrics/code_metrics.py``). A row is the dataset's row with the reply and the verdicts beside it. Samples
of one problem stand in one file per seed, under the same line: a folder of them is the recording with n samples. Where
the rows name no problem (their fields can be cut) the line is the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .benchmark_words import word_of_task_id
from .glimpse import Glimpse
from .records import Context, Judgement, Log, LogFacts, Record, log_format
from .source_files import json_document, line_of, streamed_rows

TOOL = "NeMo-Skills"
_VERDICTS = ("is_correct", "is_correct-plus", "graded_list", "status")
_ROW_KEYS = ("generation", "completion")
_TASK_NAMES = ("task_id", "question_id", "id")
_SEED_FILE = re.compile(r"output(-rs(?P<seed>\d+))?\.jsonl(-test)?(\.gz)?")


def open_output(path: Path, context: Context) -> Log:
    files = _seed_files(path) if path.is_dir() else [path]
    first = next(iter(streamed_rows(files[0])))
    name = _name(first)
    facts = LogFacts(
        tool=TOOL,
        benchmark=word_of_task_id(name or ""),
        num_samples=None,
        is_by_position=name is None,
        notes=() if name else ("its rows name no problem: their order is the only key",),
    )
    required = tuple(key for key in (*_ROW_KEYS, *_VERDICTS) if key in first)
    return Log(lambda: _records(files, required, context), facts)


def _seed_files(folder: Path) -> list[Path]:
    found = [(match, one) for one in folder.iterdir() if (match := _SEED_FILE.fullmatch(one.name))]
    if not found:
        raise BadInput(
            f"{folder} holds no output.jsonl and no output-rs<seed>.jsonl", "name the folder of one benchmark"
        )
    return [one for match, one in sorted(found, key=lambda pair: (int(pair[0]["seed"] or -1), pair[1].name))]


def _records(files: list[Path], required: tuple[str, ...], context: Context) -> Iterator[Record]:
    """Rows with the keys that the first one has: another tool's rows behind them are no samples."""
    for seed_place, path in enumerate(files):
        for position, row in enumerate(streamed_rows(path, *required, what="of nemo-skills")):
            yield _record(path, position, seed_place, row, context)


def _record(path: Path, position: int, seed_place: int, row: Mapping[str, Any], context: Context) -> Record:
    reply, program = row.get("_full_generation", row.get("generation")), row.get("completion")
    text = reply if isinstance(reply, str) else None
    return Record(
        _name(row) or str(position),
        seed_place,
        text,
        (context.text_form or "raw") if text is not None else None,
        _judgements(path, position, row),
        row.get("num_generated_tokens"),
        line_of(row),
        program=program if isinstance(program, str) else None,
        notes={name: row[name] for name in _VERDICTS if name in row},
    )


def _name(row: Mapping[str, Any]) -> str | None:
    return next((str(row[name]) for name in _TASK_NAMES if name in row), None)


def _judgements(path: Path, position: int, row: Mapping[str, Any]) -> dict[str, Judgement]:
    """``is_correct`` and ``is_correct-plus`` of EvalPlus; LiveCodeBench's list of one; BigCodeBench's status."""
    graded = row.get("graded_list")
    if isinstance(graded, list):
        if len(graded) != 1:
            raise BadInput(
                f"{path} line {position + 1}: graded_list has {len(graded)} verdicts, a row is one sample", ""
            )
        return {"base": _judgement(graded[0] is True)}
    if isinstance(row.get("status"), str):
        return {"base": _judgement(row["status"] == "pass", row["status"] == "timeout")}
    found = {"base": row.get("is_correct"), "plus": row.get("is_correct-plus")}
    return {part: _judgement(verdict) for part, verdict in found.items() if isinstance(verdict, bool)}


def _judgement(is_pass: bool, is_timeout: bool = False) -> Judgement:
    if is_pass:
        return Judgement("pass", "ok")
    return Judgement("timeout", "timeout") if is_timeout else Judgement("fail")


def open_metrics(path: Path, context: Context) -> Log:
    """Stated scores, percent already: ``<benchmark> <aggregation> <metric>``."""
    document = json_document(path)
    scores = {
        f"{benchmark} {way} {metric}": float(value)
        for benchmark, ways in document.items()
        for way, metrics in ways.items()
        if isinstance(metrics, dict)
        for metric, value in metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return Log(lambda: iter(()), LogFacts(tool=TOOL, title=", ".join(document)), scores)


def _is_output(glimpse: Glimpse) -> bool:
    if glimpse.kind == "folder":
        return any(_SEED_FILE.fullmatch(name) for name in glimpse.names)
    is_judged = any(glimpse.has(name) for name in _VERDICTS)
    is_reply = glimpse.has("generation") or glimpse.has("num_generated_tokens")
    return glimpse.kind in ("lines", "object") and is_reply and (is_judged or glimpse.has("generation", "completion"))


def _is_metrics(glimpse: Glimpse) -> bool:
    first = next(iter(glimpse.row.values()), None) if glimpse.kind == "object" else None
    return (
        isinstance(first, dict)
        and any(str(key).startswith(("pass@", "majority@")) for key in first)
        and all(isinstance(value, dict) for value in [first.get(next(iter(first)))])
    )


FORMATS = (
    log_format(
        "nemo-skills",
        open_output,
        "NeMo-Skills output[-rs<seed>].jsonl, or the folder of its seeds",
        tool=TOOL,
        recognises=_is_output,
        judges_parts=True,
    ),
    log_format(
        "nemo-skills-metrics",
        open_metrics,
        "NeMo-Skills metrics.json: stated scores",
        tool=TOOL,
        recognises=_is_metrics,
        has_samples=False,
    ),
)
