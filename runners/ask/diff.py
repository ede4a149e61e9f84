"""Two lakes beside each other: rows that one lacks, rows that say something else, and the verdicts that moved.

Rows are matched by the key that their table declares. Columns that a second run does not reproduce (moments, seconds,
attempts, shards, whole tables of measurements) are counted and not compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest import schemas
from ...ingest.errors import UsageError
from ..gate.check_sources import connected, show_lake
from .names import rows

if TYPE_CHECKING:
    from ..gate.check_sources import Sources

Row = dict[str, Any]

COMPARED = ("tasks", "samples", "programs", "results")
"""Tables whose rows a second run makes again."""
COUNTED = ("timings", "runs")
"""Tables of what was measured: other numbers of rows are told, other values are no difference."""
NOT_COMPARED = frozenset(
    {"shard_id", "created_at", "latency_seconds", "attempts", "tokens_discarded", "resumed_at", "gpu", "is_reused"}
)
READINGS = tuple(
    f"{kind}_{part}_verdict" for kind in ("official", "strict", "corrected_extraction") for part in ("base", "plus")
)

TABLE_COLUMNS = ("table", "benchmark", "model", "rows_first", "rows_second", "only_first", "only_second", "changed")
FIELD_COLUMNS = ("table", "field", "changed")
VERDICT_COLUMNS = ("benchmark", "model", "reading", "first", "second", "num_results", "num_problems", "example")


@dataclass(frozen=True)
class Differences:
    """``tables``: counts per table, benchmark and model where something differs; ``fields``: which columns say
    something else; ``verdicts``: from what to what, with an example.
    """

    tables: tuple[Row, ...]
    fields: tuple[Row, ...]
    verdicts: tuple[Row, ...]

    @property
    def are_equal(self) -> bool:
        """Whether every row that a second run makes again is in both lakes, and says the same."""
        return not any(row["table"] in COMPARED for row in self.tables)


def diff(first: Path, second: Path) -> Differences:
    """What differs between the live rows of two lakes, of either form.

    Raises UsageError for a path that is no lake, and where a table of one cannot be read (with its words).
    """
    for path in (first, second):
        _refuse_other_folders(path)
    with connected() as sources:
        _show(sources, first, "gate_old")
        _show(sources, second, "gate_lake")
        tables = [row for table in (*COMPARED, *COUNTED) for row in _counted(sources, table)]
        changed = {row["table"] for row in tables if row["changed"]}
        fields = [row for table in COMPARED if table in changed for row in _fields(sources, table)]
        verdicts = [row for reading in READINGS for row in _verdicts(sources, reading)] if "results" in changed else []
    return Differences(tuple(tables), tuple(fields), tuple(verdicts))


def _refuse_other_folders(path: Path) -> None:
    """Every row of the other lake would be missing in a folder that is none: the run's, say, instead of its lake's."""
    if not path.is_dir():
        raise UsageError(f"there is no lake at {path}", "give two existing folders")
    names = {inside.name for inside in path.iterdir()}
    if names and names.isdisjoint({*schemas.TABLES, "data", "_live"}):
        hint = f"its lake is {path / 'lake'}" if "lake" in names else "give the folders of two lakes"
        raise UsageError(f"{path} is no lake: it holds no table of one", hint)


def _show(sources: Sources, root: Path, schema: str) -> None:
    show_lake(sources, root, schema)
    for table in (*COMPARED, *COUNTED):
        why = sources.absent.get(f"{schema}.{table}")
        if why:
            raise UsageError(f"{table} of {root} cannot be read: {why}", "benchforge verify")


def _key(table: str) -> str:
    return ", ".join(schemas.TABLES[table].key)


def _compared(table: str) -> list[str]:
    declared = schemas.TABLES[table]
    return [name for name in declared.column_names() if name not in NOT_COMPARED and name not in declared.key]


def _counted(sources: Sources, table: str) -> list[Row]:
    """Counts by benchmark and model. A key that stands twice in one lake is compared by how often, too."""
    names = schemas.TABLES[table].column_names()
    parts = [name for name in ("benchmark", "model") if name in names]
    values = _compared(table) if table in COMPARED else []
    said = f"hash({', '.join(values)})" if values else "0"
    sides = [
        f"(select {', '.join(dict.fromkeys([*schemas.TABLES[table].key, *parts]))}, count(*) as times,"
        f" bit_xor({said}) as said from {schema}.{table} group by all)"
        for schema in ("gate_old", "gate_lake")
    ]
    shown = ", ".join(f"coalesce(one.{name}, two.{name}) as {name}" for name in parts)
    joined = " and ".join(f"one.{name} is not distinct from two.{name}" for name in schemas.TABLES[table].key)
    query = f"""
        select
            '{table}' as "table"{", " + shown if shown else ""},
            coalesce(sum(one.times), 0)::bigint as rows_first,
            coalesce(sum(two.times), 0)::bigint as rows_second,
            count(*) filter (two.times is null) as only_first,
            count(*) filter (one.times is null) as only_second,
            count(*) filter (one.said <> two.said or one.times <> two.times) as changed
        from {sides[0]} as one
        full join {sides[1]} as two on {joined}
        group by all
        having only_first > 0 or only_second > 0 or changed > 0
        order by all
    """
    return rows(sources.connection, query)


def _fields(sources: Sources, table: str) -> list[Row]:
    named = _compared(table)
    counts = ", ".join(f'count(*) filter (one."{name}" is distinct from two."{name}") as "{name}"' for name in named)
    query = f"select {counts} from gate_old.{table} as one inner join gate_lake.{table} as two using ({_key(table)})"
    (found,) = rows(sources.connection, query)
    return [{"table": table, "field": name, "changed": count} for name, count in found.items() if count]


def _verdicts(sources: Sources, reading: str) -> list[Row]:
    query = f"""
        select
            one.benchmark, one.model, '{reading.removesuffix("_verdict")}' as reading,
            one.{reading} as first, two.{reading} as second, count(*) as num_results,
            count(distinct one.task_id) as num_problems,
            min(one.task_id || ' #' || one.sample_index) as example
        from gate_old.results as one
        inner join gate_lake.results as two using ({_key("results")})
        where one.{reading} is distinct from two.{reading}
        group by all
        order by all
    """
    return rows(sources.connection, query)
