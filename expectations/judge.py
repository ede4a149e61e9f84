"""Great Expectations judges facts: one suite per artifact and table of facts, one expectation per rule.

A fact is the number of offending rows of one cell, counted in DuckDB; the expectation is that every one of them is 0.
Only documented parts of Great Expectations are used: an ephemeral context, pandas data frames, validation results.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
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
    """One validation result per rule, as plain data: Great Expectations' own, with ``rule``, ``artifact``, ``suite``.

    A result whose ``exception_info.raised_exception`` is true is no judgement.
    """
    listed = list(all_facts)
    if not listed:
        return []
    context = _context()
    source = context.data_sources.add_pandas("facts")
    return [result for number, facts in enumerate(listed) for result in _judged(context, source, number, facts)]


def load() -> None:
    """Import Great Expectations: five CPU seconds that a bench counts apart."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that it imports, about each other
        import great_expectations  # noqa: F401


def _context() -> Any:
    load()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def _judged(context: Any, source: Any, number: int, facts: Facts) -> list[dict[str, Any]]:
    """A suite and its results. The asset is numbered: an artifact may have several tables of facts."""
    import great_expectations as gx

    name = f"{facts.artifact} {number}"
    suite = gx.ExpectationSuite(name=name, expectations=[_expectation(rule) for rule in facts.rules])
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
    shape: dict[str, Any] = {"result_format": "BASIC", "partial_unexpected_count": MAX_OFFENDERS}
    if facts.cell:
        shape = {**shape, "result_format": "COMPLETE", "unexpected_index_column_names": list(facts.cell)}
    outcome = batch.get_batch(batch_parameters={"dataframe": facts.frame}).validate(suite, result_format=shape)
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
    return {
        **result,
        "rule": config["meta"]["rule"],
        "artifact": facts.artifact,
        "suite": facts.artifact,
        "num_rows": int(counts["num_rows"].sum()),
        "num_offenders": int(counts[name].sum()) if name in counts else 0,
    }
