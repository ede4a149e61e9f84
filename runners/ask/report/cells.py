"""Behind a number: its problems, and single samples of them, as the lake holds them.

Three steps down, three kinds of chunk, so that a page loads only what is looked at:

``cells/<id>``        one model under one set of conditions and one grader: problems, and an outcome per sample
``samples/<id>-<n>``  everything about some of its samples, texts too; about ``MAX_CHUNK`` characters each
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from ..names import rows
from . import questions
from .chunks import Chunks, packed, plain, short_id
from .texts import shown

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

MAX_CHUNK = 400_000
"""Characters of texts in one file: 40 ms to load, and a file system is spared a file per sample."""
MAX_SAMPLES = 500
"""Samples in one file, where they have no texts."""
_FETCHED = 2_000
TASK = ("task_id", "dataset_version", "test_sets", "has_plus", "kind", "stratum", "contest_date", "num_base_cases",
        "num_plus_cases", "source_problem")  # fmt: skip
_OF_CELL = ("model", "benchmark", "scenario", "comparability_digest", "origin", "grader_id", "source")


@dataclass
class Written:
    """What stands in the report: ids of cells by what they share, and counts."""

    cells: dict[tuple[Any, ...], str] = field(default_factory=dict)
    num_samples: int = 0
    num_texts: int = 0

    def cell_of(self, row: Mapping[str, Any]) -> str | None:
        """Id of the samples behind a row of a mart, or None where they are not in the report."""
        return self.cells.get(tuple(row[name] for name in questions.BEHIND))


@dataclass(frozen=True)
class Wanted:
    """Which samples go into the report: ``texts`` is all, failed or none; ``is_wanted`` is asked per cell."""

    texts: str
    is_wanted: Callable[[Mapping[str, Any]], bool]


def write_cells(
    connection: duckdb.DuckDBPyConnection,
    asked: tuple[str, Sequence[str]],
    chunks: Chunks,
    written: Written,
    wanted: Wanted,
    advance: Callable[[int], None] = lambda number: None,
) -> None:
    """Cells of a benchmark and its models (``asked``), each with its chunks of samples.

    ``advance`` hears how many samples went by.
    """
    benchmark, models = asked
    tasks = {
        (task["dataset_version"], task["scenario"], task["task_id"]): task
        for task in rows(connection, questions.TASKS, benchmark=benchmark)
    }
    attempts: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows(connection, questions.ATTEMPTS):
        attempts.setdefault((row["model"], row["benchmark"], row["scenario"]), []).append(row)
    stream = _streamed(connection, questions.samples(wanted.texts), {"benchmark": benchmark, "models": list(models)})
    for _, found in groupby(stream, lambda row: tuple(row[name] for name in questions.BEHIND)):
        samples = iter(found)
        first = next(samples)
        if wanted.is_wanted(first):
            _write_cell(chunks, written, chain([first], samples), first, (tasks, attempts), advance)
        else:
            advance(1 + sum(1 for _ in samples))


def _streamed(connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any]) -> Iterator[Row]:
    """Row by row: the texts of a benchmark may be larger than the memory."""
    result = connection.execute(query, dict(values))
    columns = [column[0] for column in result.description or ()]
    while batch := result.fetchmany(_FETCHED):
        for row in batch:
            yield dict(zip(columns, row, strict=True))


def _write_cell(
    chunks: Chunks,
    written: Written,
    cell: Iterable[Row],
    first: Row,
    known: tuple[Mapping[tuple[Any, ...], Row], Mapping[tuple[Any, ...], list[Row]]],
    advance: Callable[[int], None],
) -> None:
    """Files of samples as they come: the texts of a cell may be a gigabyte, its outcomes are small."""
    tasks, attempts = known
    key = tuple(first[name] for name in questions.BEHIND)
    cell_id = written.cells.setdefault(key, short_id(*key))
    same = {name: plain(first[name]) for name in (*_OF_CELL, "num_planned", "protocol")}
    lines = list(_write_files(chunks, written, cell_id, _chunked(cell, _language(first)), advance))
    named = _tasks_of(lines)
    places = {task: place for place, task in enumerate(named)}
    for line in lines:
        line["task"] = places[line.pop("task")]
    content = {
        "cell": same,
        "tasks": packed([_described(tasks, task, first["scenario"]) for task in named], TASK),
        "samples": packed(lines, ("task", "index", "file", "row", "outcome")),
        "attempts": packed(attempts.get((*key[:3],), []), _ATTEMPT),
    }
    chunks.add(f"cells/{cell_id}", content)


def _write_files(
    chunks: Chunks,
    written: Written,
    cell_id: str,
    files: Iterable[tuple[list[Row], list[Any]]],
    advance: Callable[[int], None],
) -> Iterator[Row]:
    """Each file of samples; gives the line of each sample in its cell."""
    for number, (samples, texts) in enumerate(files):
        content = {"samples": packed(samples, _OF_SAMPLE), "texts": texts if any(texts) else []}
        chunks.add(f"samples/{cell_id}-{number}", content)
        yield from (_line(row, number, place) for place, row in enumerate(samples))
        written.num_samples += len(samples)
        written.num_texts += sum(bool(text and text["raw_text"]) for text in texts)
        advance(len(samples))


def _described(tasks: Mapping[tuple[Any, ...], Row], task: tuple[Any, Any], scenario: str) -> Row:
    """What the lake knows of a problem; its name alone where that is nothing."""
    version, task_id = task
    known = tasks.get((version, scenario, task_id), dict.fromkeys(TASK))
    return known | {"dataset_version": version, "task_id": task_id}


_OF_SAMPLE = (*questions.OF_SAMPLE, *questions.OF_RESULT, *questions.OUTCOME, *questions.CASES)
_ATTEMPT = ("stage", "engine", "engine_version", "image_digest", "gpu", "cause", "num_attempts", "gpu_seconds",
            "num_rows")  # fmt: skip


def _line(row: Row, number: int, place: int) -> Row:
    """Of a sample: which problem, which index, where its details lie, and its outcome in every reading."""
    outcome = tuple(row[name] for name in questions.OUTCOME)
    task = (row["dataset_version"], row["task_id"])
    return {"task": task, "index": row["sample_index"], "file": number, "row": place, "outcome": outcome}


def _tasks_of(lines: Sequence[Row]) -> list[tuple[Any, Any]]:
    found = dict.fromkeys(line["task"] for line in lines)
    return sorted(found, key=lambda task: (str(task[0]), _as_counted(task[1]), task[1]))


def _as_counted(name: str) -> list[tuple[int, str]]:
    """HumanEval/2 stands before HumanEval/10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() and len(part) < 19 else (-1, part) for part in parts]


def _chunked(cell: Iterable[Row], language: str) -> Iterator[tuple[list[Row], list[Any]]]:
    """Samples and their texts (None for a sample without any), cut into files."""
    samples: list[Row] = []
    texts: list[Any] = []
    size = 0
    for row in cell:
        found = _texts_of(row, language)
        samples.append(row)
        texts.append(found)
        size += sum(len(text["text"]) for text in (found or {}).values() if text)
        if size > MAX_CHUNK or len(samples) >= MAX_SAMPLES:
            yield samples, texts
            samples, texts, size = [], [], 0
    if samples:
        yield samples, texts


def _texts_of(row: Row, language: str) -> dict[str, Any] | None:
    """None where the lake holds none: of 600,000 recorded verdicts five nulls each were half of the report's bytes."""
    text = {name: row.pop(name) for name in questions.TEXTS}
    if all(one is None for one in text.values()):
        return None
    form, encoding = row["text_form"] or "raw", row["text_encoding"]
    return {
        "raw_text": shown(text["raw_text"], encoding, form, language),
        "reasoning": shown(text["reasoning"], encoding, "prose"),
        "answer": shown(text["answer"], encoding, form, language),
        "program": shown(text["program"], None, "program", language),
        "corrected_program": shown(text["corrected_program"], None, "program", language),
    }


def _language(row: Mapping[str, Any]) -> str:
    """A scenario of MultiPL-E is the language."""
    return row["scenario"] if row["benchmark"] == "multipl_e" else "python"
