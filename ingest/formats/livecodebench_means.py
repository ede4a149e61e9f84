"""LiveCodeBench leaderboard data: a mean for every model and problem, the samples behind it not recorded.

Shape as LiveCodeBench/livecodebench.github.io@f186ab5 holds it (``src/mocks/performances_<scenario>.json``):
``performances`` is a list of rows with the model, the problem, a date and the mean in percent. The files of
generation, repair and test generation say ``pass@1``, the one of code execution says ``Pass@1`` and ``Pass@1-COT``;
there -1 means that the model was not run that way, which is no score.

The ``date`` lies a day (rarely none or two) after the contest, so it is kept as ``recorded_date`` and is no
``contest_date``. Test generation has several rows for a problem and no id in them: they are numbered in file order,
``2727/0`` and ``2727/1``, so a pair of rows of two models under one number need not be the same row.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .records import Context, MeansFormat, ProblemMean
from .source_files import field_of, json_document, occurrence_counter

_METRICS: Mapping[str, Mapping[str, str]] = {
    "execution": {"Pass@1": "direct", "Pass@1-COT": "cot"},
    "generation": {"pass@1": "direct"},
    "repair": {"pass@1": "direct"},
    "testgen": {"pass@1": "direct"},
}
"""Scenario -> name of the mean in the file -> prompt protocol."""

_NOT_RUN = -1
_NUM_SAMPLES = re.compile(r" \([nN]=(\d+)\)$")
_WRONG_FORMAT = "check that the format named fits the file, and --scenario"


def read_means(path: Path, context: Context) -> tuple[tuple[ProblemMean, ...], tuple[str, ...]]:
    """Every mean of the file, and a note for each model that was not run under a protocol."""
    document = json_document(path)
    rows = document.get("performances") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInput(f"{path} has no list 'performances' of objects", _WRONG_FORMAT)
    next_index = occurrence_counter()
    means: list[ProblemMean] = []
    left_out: dict[str, int] = {}
    for row in rows:
        task_id = _task_id(path, row, context.scenario, next_index)
        for mean in _means_of(path, row, task_id, context.scenario):
            if mean.percent == _NOT_RUN:
                way = f"{mean.model} ({mean.protocol})"
                left_out[way] = left_out.get(way, 0) + 1
            else:
                means.append(mean)
    notes = tuple(f"{way} was not run on {count} tasks: left out" for way, count in left_out.items())
    return tuple(means), notes


def _task_id(path: Path, row: Mapping[str, Any], scenario: str, next_index: Callable[[str], int]) -> str:
    if scenario == "execution":
        return field_of(path, row, "sample_id", str)
    problem = str(field_of(path, row, "question_id", (str, int)))
    if scenario != "testgen":
        return problem
    place = next_index(f"{row.get('model')} {problem}")
    return f"{problem}/{place}"


def _means_of(path: Path, row: Mapping[str, Any], task_id: str, scenario: str) -> Iterator[ProblemMean]:
    named = field_of(path, row, "model", str)
    stated = _NUM_SAMPLES.search(named)
    stratum = None if row.get("difficulty") is None else field_of(path, row, "difficulty", str)
    for metric, protocol in _METRICS[scenario].items():
        yield ProblemMean(
            model=_NUM_SAMPLES.sub("", named),
            protocol=protocol,
            metric=metric,
            task_id=task_id,
            source_problem=str(field_of(path, row, "question_id", (str, int))),
            percent=_percent(path, row, task_id, metric),
            num_samples=int(stated[1]) if stated else None,
            stratum=stratum,
            recorded_date=_day(path, task_id, row.get("date")),
        )


def _percent(path: Path, row: Mapping[str, Any], task_id: str, metric: str) -> float:
    value = row.get(metric)
    if isinstance(value, int | float) and not isinstance(value, bool) and (0 <= value <= 100 or value == _NOT_RUN):
        return float(value)
    found = "is missing" if metric not in row else f"is {value!r}, no percentage"
    raise BadInput(f"{path}: {metric!r} of {row.get('model')!r} on {task_id} {found}", _WRONG_FORMAT)


def _day(path: Path, task_id: str, value: Any) -> datetime.date | None:
    """A date of the file: milliseconds since 1970."""
    if value is None:
        return None
    try:
        return datetime.datetime.fromtimestamp(value / 1000, datetime.UTC).date()
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise BadInput(f"{path}: date {value!r} of {task_id} is no date", _WRONG_FORMAT) from error


MEANS_FORMATS = (
    MeansFormat(
        "livecodebench-means",
        read_means,
        "LiveCodeBench performances_<scenario>.json: means by problem",
        "LiveCodeBench",
        lambda glimpse: glimpse.kind == "object" and glimpse.has("performances"),
    ),
)
