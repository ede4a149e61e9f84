"""MBPP+: the sanitized MBPP problems, judged by calls with base and extra inputs (EvalPlus).

The problem file is JSON, so tuples, sets and complex numbers lie in it as lists, lists and strings. Which argument of
which task was what is a fact of the dataset (evalplus/evalplus@26d6d00, ``evalplus/data/mbpp.py``): here a table
from the shape of the arguments to task numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import evalplus_tasks
from .declaration import Benchmark, Design, Extraction, Oracles, Task, Version
from .versions import licence_of, versions_of

NAME = "mbppplus"

Restore = Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _rows(value: list[list[Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in value]


def _tuple_of_rows(value: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(row) if isinstance(row, list) else row for row in value)


def _rows_by_key(value: Mapping[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {key: tuple(row) for key, row in value.items()}


def _sets(value: list[Any]) -> list[Any]:
    """An empty set was written as an empty dict would be, and is read back as one."""
    return [set(item) if isinstance(item, list) and item else {} for item in value]


def _tuples_all_the_way(value: Any) -> Any:
    return tuple(_tuples_all_the_way(item) for item in value) if isinstance(value, list) else value


_EVERY_ARGUMENT: Mapping[Restore, frozenset[int]] = {
    tuple: frozenset(
        (2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809)
    ),
    _rows: frozenset((63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780)),
    _tuple_of_rows: frozenset((259, 278, 401, 445)),
    _tuples_all_the_way: frozenset((580, 615, 791)),
    _sets: frozenset((115,)),
    complex: frozenset((252,)),
}
"""The same for every argument of the task."""

_BY_POSITION: Mapping[tuple[Restore, ...], frozenset[int]] = {
    (_rows, _same): frozenset((75, 413, 444, 753)),
    (_same, tuple): frozenset((106, 750)),
    (tuple, _same): frozenset((250, 405, 446, 617, 720, 763, 808)),
    (tuple, _same, _same): frozenset((307,)),
    (_rows_by_key, _same, _same): frozenset((722,)),
    (float, complex): frozenset((124,)),
}
"""One entry per argument."""


def restore_inputs(task_id: str, inputs: list[list[Any]]) -> list[list[Any]]:
    """Argument lists with the values that the task's own code was written for; ``task_id`` is ``Mbpp/<number>``."""
    number = int(task_id.rpartition("/")[2])
    for restore, numbers in _EVERY_ARGUMENT.items():
        if number in numbers:
            return [[restore(argument) for argument in arguments] for arguments in inputs]
    for by_position, numbers in _BY_POSITION.items():
        if number in numbers:
            return [_positional(by_position, arguments) for arguments in inputs]
    return inputs


def _positional(by_position: tuple[Restore, ...], arguments: list[Any]) -> list[Any]:
    return [restore(argument) for restore, argument in zip(by_position, arguments, strict=True)]


def load(directory: Path, version: Version, scenario: str) -> Iterator[Task]:
    """Tasks in file order. Raises BadInput for a file that is not the pinned one."""
    return evalplus_tasks.tasks(NAME, directory, version, scenario, restore_inputs)


BENCHMARK = Benchmark(
    name=NAME,
    title="MBPP+",
    kind="calls",
    scenarios=("default",),
    test_sets={"default": ("base", "plus")},
    versions=versions_of(NAME),
    extraction=Extraction(official="evalplus_sanitize", corrected="evalplus_corrected"),
    oracles=Oracles(official="official", strict="strict"),
    design=Design("iid", "crowd-sourced problems, none derived from another"),
    licence=licence_of(NAME),
    load=load,
    protocols=evalplus_tasks.protocols(('\n"""', "\nassert")),
    aliases={"mbpp+": "", "mbpp_plus": ""},
)
