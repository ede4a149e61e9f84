"""Facts of an artifact: how many rows of each cell break each rule, and the offenders where there are any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ...expectations.findings import MAX_OFFENDERS, Finding
from ...expectations.judge import Facts
from ...expectations.rules import Rule
from .check_sources import Sources

if TYPE_CHECKING:
    import pandas as pd


def facts_of(sources: Sources, rules: Iterable[Rule]) -> Iterator[Facts | Finding]:
    """Facts of all rules that look at the same rows, counted in one scan.

    Where the scan fails each of its rules is asked alone: one that cannot be is a critical finding.
    """
    listed = sorted(rules, key=_scan)
    for _, members in groupby(listed, key=_scan):
        together = tuple(members)
        frame = _counted(sources, together)
        if not isinstance(frame, str):
            yield Facts(together[0].artifact, together, frame, together[0].cell)
            continue
        for rule in together:
            alone = frame if len(together) == 1 else _counted(sources, (rule,))
            yield unaskable(rule, alone) if isinstance(alone, str) else Facts(rule.artifact, (rule,), alone, rule.cell)


def offenders(sources: Sources, rule: Rule) -> tuple[dict[str, Any], ...]:
    """The first offenders in the order of what they show."""
    columns = ", ".join(rule.shows)
    query = f"select {columns} from (select * from {rule.rows}) where {rule.offends} order by all limit {MAX_OFFENDERS}"
    found = sources.connection.execute(query)
    names = [column[0] for column in found.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())


def unaskable(rule: Rule, why: str) -> Finding:
    """A check that could not run is critical, never skipped."""
    return Finding(rule.name, "critical", rule.artifact, f"The check could not be made: {why}", 0)


def _scan(rule: Rule) -> tuple[str, str, tuple[str, ...]]:
    return rule.artifact, rule.rows, rule.cell


def _counted(sources: Sources, rules: Sequence[Rule]) -> pd.DataFrame | str:
    """The frame, or why there is none."""
    import duckdb

    cell = rules[0].cell
    counts = ", ".join(f'count(case when {rule.offends} then 1 end) as "{rule.name}"' for rule in rules)
    names = "".join(f"{name}, " for name in cell)
    query = f"select {names}count(*) as num_rows, {counts} from (select * from {rules[0].rows}) {_grouped(cell)}"
    try:
        return sources.connection.execute(query).df()
    except duckdb.Error as error:
        return _reason(sources, rules[0], error)


def _grouped(cell: Sequence[str]) -> str:
    return f"group by {', '.join(cell)}" if cell else ""


def _reason(sources: Sources, rule: Rule, error: Exception) -> str:
    """Why a relation that the rule asks for is absent, else the engine's words."""
    for relation, why in sources.absent.items():
        if relation in rule.rows:
            return f"{relation}: {why}"
    return " ".join(str(error).split())[:300]
