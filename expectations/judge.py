"""Great Expectations judges facts: one suite per artifact and table of facts, one expectation per rule.

A fact is the number of offending rows of one cell, counted in DuckDB; the expectation is that every one of them is 0.
Only documented parts of Great Expectations are used: an ephemeral context, pandas data frames, validation results.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .findings import MAX_OFFENDERS
from .rules import Rule

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Facts:
    """One row per cell: the columns of the cell, ``num_rows``, and for each rule its number of offenders by name."""

    artifact: str
    rules: tuple[Rule, ...]
    frame: pd.DataFrame
    cell: tuple[str, ...]


def judged(all_facts: Iterable[Facts]) -> list[dict[str, Any]]:
    """One validation result per rule, as plain data: Great Expectations' own, with ``rule``, ``artifact``, counts.

    A result whose ``exception_info.raised_exception`` is true is no judgement.
    """
    by_artifact: dict[str, list[Facts]] = {}
    for facts in all_facts:
        by_artifact.setdefault(facts.artifact, []).append(facts)
    if not by_artifact:
        return []
    batches = _batches()
    return [result for members in by_artifact.values() for result in _judged(batches, _together(members))]


def _together(members: Sequence[Facts]) -> Facts:
    """All facts of an artifact below each other: a suite costs more than its rows. A rule has no value in the rows of
    others, where it is not judged."""
    import pandas as pd

    frames = [facts.frame for facts in members]
    cell = tuple(dict.fromkeys(name for facts in members for name in facts.cell))
    rules = tuple(rule for facts in members for rule in facts.rules)
    whole = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return Facts(members[0].artifact, rules, whole, cell)


def load() -> None:
    """Import Great Expectations: five CPU seconds that a bench counts apart."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, by numpy's import (macros/functions.py says why)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that it imports, about each other
        import great_expectations  # noqa: F401


def _batches() -> Any:
    """One definition of a batch, for every frame: each further asset writes the whole configuration again."""
    load()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("facts").add_dataframe_asset("facts")
    return asset.add_batch_definition_whole_dataframe("all")


def _judged(batches: Any, facts: Facts) -> list[dict[str, Any]]:
    """The results of the suite of one artifact."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=facts.artifact, expectations=[_expectation(rule) for rule in facts.rules])
    shape: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": MAX_OFFENDERS}
    outcome = batches.get_batch(batch_parameters={"dataframe": facts.frame}).validate(suite, result_format=shape)
    plain: Mapping[str, Any] = outcome.to_json_dict()
    return [_named(result, facts) for result in plain["results"]]


def _expectation(rule: Rule) -> Any:
    import great_expectations.expectations as expectations

    return expectations.ExpectColumnValuesToBeBetween(  # pyright: ignore[reportPrivateImportUsage]
        column=rule.name,
        min_value=0,
        max_value=0,
        severity=rule.severity,  # pyright: ignore[reportArgumentType] its word is enough
        meta={"rule": rule.name, "artifact": rule.artifact},
    )


def _named(result: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    config = result["expectation_config"]
    counts: Any = facts.frame
    name = config["kwargs"].get("column")
    own = counts[counts[name].notna()]
    return {
        **result,
        "rule": config["meta"]["rule"],
        "artifact": facts.artifact,
        "num_cells": len(own),
        "num_rows": int(own["num_rows"].sum()),
        "num_offenders": int(own[name].sum()),
    }
