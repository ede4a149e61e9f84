"""Question-level tables in eval-arena's layout: one row per benchmark, model and example.

Shape as crux-eval/eval-arena@5ecbcd6 describes it (``README.md``): ``{benchmark_id, model, example_id, pass1}``, in
newer files ``correct`` and ``count`` beside it, ``pass1 = correct / count``. No text, no date, no tool. Example ids of
our benchmarks are spelled in several ways and are written as ours; those of others are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .benchmark_words import our_word
from .glimpse import Glimpse
from .records import TableFormat
from .source_files import Row, field_of, place_of, streamed_rows

NAME = "eval-arena"
_REQUIRED = ("benchmark_id", "model", "example_id", "pass1")
_NUM_SAMPLES = re.compile(r"\s*\([nN]=(\d+)\)$")
_TEMPERATURE = re.compile(r"temp(?:erature)?[ =_]*(\d+(?:\.\d+)?)")
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"HumanEval[/_]?(\d+)"), r"HumanEval/\1"),
    (re.compile(r"Mbpp[/_]?(\d+)"), r"Mbpp/\1"),
    (re.compile(r"CRUXEval-(?:input|output)/(\d+)"), r"sample_\1"),
)
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Cell:
    """One row: how often a model solved a problem. ``num_passed`` of ``num_samples``, both None where not said."""

    model: str
    temperature: float | None
    task_id: str
    share: float
    num_passed: int | None
    num_samples: int | None
    line: int


@dataclass(frozen=True)
class Table:
    """A whole file: ``title`` is the benchmark in its own words, ``benchmark`` ours where it is one of ours."""

    title: str
    benchmark: str | None
    cells: tuple[Cell, ...]


def read_table(path: Path) -> Table:
    """BadInput for a row that is none, for two benchmarks in one file, and for a share outside 0 to 1."""
    cells, titles = [], {}
    for row in streamed_rows(path, *_REQUIRED, what=f"of {NAME}"):
        titles.setdefault(field_of(path, row, "benchmark_id", str), row.line)
        if len(titles) > 1:
            first, second = titles
            raise BadInput(
                f"{path} line {row.line}: the benchmark is {second!r}, before it was {first!r}",
                "split the file: one benchmark each",
            )
        cells.append(_cell(path, row))
    title = next(iter(titles))
    return Table(title, our_word(title), tuple(cells))


def _cell(path: Path, row: Row) -> Cell:
    named = field_of(path, row, "model", str)
    in_name = _NUM_SAMPLES.search(named)
    share = float(field_of(path, row, "pass1", (int, float)))
    if not 0 <= share <= 1:
        raise BadInput(f"{place_of(path, row)}: pass1 is {share}, no share from 0 to 1", "check the row")
    passed, count = _counts(path, row, share)
    return Cell(
        model=_NUM_SAMPLES.sub("", named),
        temperature=_temperature(row.get("hyperparams")),
        task_id=_task_id(str(field_of(path, row, "example_id", (str, int)))),
        share=share,
        num_passed=passed,
        num_samples=count if count is not None else int(in_name[1]) if in_name else None,
        line=row.line,
    )


def _counts(path: Path, row: Row, share: float) -> tuple[int | None, int | None]:
    passed, count = row.get("correct"), row.get("count")
    if passed is None and count is None:
        return None, None
    passed, count = (_whole(path, row, name) for name in ("correct", "count"))
    if not 0 <= passed <= count or count < 1 or abs(passed / count - share) > _TOLERANCE:
        raise BadInput(f"{place_of(path, row)}: {passed} of {count} is not the pass1 of {share}", "check the row")
    return passed, count


def _whole(path: Path, row: Row, name: str) -> int:
    """Tables written by way of data frames have whole numbers as 3.0."""
    value = field_of(path, row, name, (int, float))
    if int(value) != value:
        raise BadInput(f"{place_of(path, row)}: {name} is {value}, no whole number", "check the row")
    return int(value)


def _temperature(hyperparams: Any) -> float | None:
    if isinstance(hyperparams, Mapping):
        value = hyperparams.get("temperature")
        return float(value) if isinstance(value, int | float) else None
    found = _TEMPERATURE.search(hyperparams) if isinstance(hyperparams, str) else None
    return float(found[1]) if found else None


def _task_id(example_id: str) -> str:
    for pattern, ours in _SPELLINGS:
        if pattern.fullmatch(example_id):
            return pattern.sub(ours, example_id)
    return example_id


def by_model(cells: tuple[Cell, ...]) -> Iterator[tuple[str, float | None, list[Cell]]]:
    """(model as named, temperature, its cells) in the file's order."""
    found: dict[tuple[str, float | None], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.model, cell.temperature), []).append(cell)
    for (model, temperature), several in found.items():
        yield model, temperature, several


def _is_table(glimpse: Glimpse) -> bool:
    return glimpse.has_rows_with(*_REQUIRED)


TABLE_FORMATS = (
    TableFormat(NAME, "question-level tables in eval-arena's layout: every model of them", NAME, _is_table),
)
