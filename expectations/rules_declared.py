"""Rules that hold of every artifact, made from its declaration: columns, required values, keys, words, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .artifacts import Artifact, artifacts
from .rules import CELL, Rule, listed

_SMALL = 5
"""Columns of a key that an offender shows at least."""
_NEVER_NEGATIVE = ("num_", "_seconds", "_tokens", "_bytes")

SEES = {
    "columns": "A column that is missing, was not declared, or has another type than declared.",
    "required": "A row without a value in a column that always has one.",
    "key_is_unique": "Rows that stand twice: their key is that of another row.",
    "words": "A word outside the closed list of its column.",
    "finite": "NaN or infinity where a number stands.",
    "not_negative": "A count, a duration or a size below zero.",
    "stated_checks": "A row that breaks a check constraint of its contract, e.g. a score outside 0 to 1.",
}
"""Rule -> the sentence about it."""

SPREAD = frozenset({"fct_sample_results"})
"""A view that spreads the rows of the lake: what is asked of them there need not be asked of six times as many."""
PROVEN_ELSEWHERE = frozenset({"tasks", "programs", "samples", "results", "timings"})
"""Tables whose keys other rules prove: a task and a program may be written by two shards, and large tables are
counted by problem (``recount``), which is cheaper than sorting every key."""


class _Made(NamedTuple):
    name: str
    offends: str
    shows: tuple[str, ...]


def declared_rules() -> Iterator[Rule]:
    """Of every artifact in turn."""
    for artifact in artifacts().values():
        yield _columns(artifact)
        if artifact.kind != "seed" and artifact.name not in SPREAD:
            yield from _about_rows(artifact)
            if artifact.key and artifact.name not in PROVEN_ELSEWHERE:
                yield _key(artifact)


def _columns(artifact: Artifact) -> Rule:
    return Rule(
        "columns",
        artifact.name,
        "critical",
        SEES["columns"],
        f"(select * from gate_facts.columns where artifact = '{artifact.name}')",
        "problem is not null",
        ("part", "column_name", "found", "declared", "problem"),
        _remedy(artifact),
        ("artifact",),
    )


def _about_rows(artifact: Artifact) -> Iterator[Rule]:
    key = _shown_key(artifact)
    for name, offends, shows in (_required(artifact), _words(artifact), *_numbers(artifact), _checks(artifact)):
        if offends:
            columns = tuple(dict.fromkeys((*key, *shows)))
            yield Rule(
                name,
                artifact.name,
                "critical",
                SEES[name],
                artifact.relation,
                offends,
                columns,
                _remedy(artifact),
                cell_of(artifact),
            )


def _required(artifact: Artifact) -> _Made:
    return _Made("required", " or ".join(f"{name} is null" for name in artifact.required), artifact.required[:_SMALL])


def _words(artifact: Artifact) -> _Made:
    conditions = [f"{name} not in ({listed(words)})" for name, words in artifact.words.items()]
    return _Made("words", " or ".join(conditions), tuple(artifact.words))


def _numbers(artifact: Artifact) -> Iterator[_Made]:
    doubles = artifact.of_type("DOUBLE")
    yield _Made("finite", " or ".join(f"not isfinite({name})" for name in doubles), doubles)
    numbers = artifact.of_type("DOUBLE", "INTEGER", "BIGINT")
    counts = tuple(name for name in numbers if name.startswith(_NEVER_NEGATIVE) or name.endswith(_NEVER_NEGATIVE))
    yield _Made("not_negative", " or ".join(f"{name} < 0" for name in counts), counts)


def _checks(artifact: Artifact) -> _Made:
    names = tuple(name for name in artifact.columns if any(name in check.split() for check in artifact.checks))
    return _Made("stated_checks", " or ".join(f"not ({check})" for check in artifact.checks), names)


def _key(artifact: Artifact) -> Rule:
    key = ", ".join(artifact.key)
    return Rule(
        "key_is_unique",
        artifact.name,
        "critical",
        SEES["key_is_unique"],
        f"(select {key}, count(*) as num_times from {artifact.relation} group by {key})",
        "num_times > 1",
        (*artifact.key, "num_times"),
        _remedy(artifact),
        tuple(name for name in CELL if name in artifact.key),
    )


def cell_of(artifact: Artifact) -> tuple[str, ...]:
    return tuple(name for name in CELL if name in artifact.columns)


def _shown_key(artifact: Artifact) -> tuple[str, ...]:
    named = artifact.key or tuple(name for name in ("model", "benchmark", "scenario", "task_id"))
    return tuple(name for name in named if name in artifact.columns)


def _remedy(artifact: Artifact) -> str:
    if artifact.kind == "lake":
        return "benchforge verify, to see which part it is; then redo its shard with --force"
    return "benchforge aggregate, then check again"
