"""Whether a lake can be trusted to be whole: checked before every build, from footers and names alone.

A damaged lake must never give a smaller leaderboard in silence: a column that is gone would turn into NULL verdicts,
and a ``_live`` folder that is gone into an empty lake.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..ingest import schemas
from ..ingest.errors import LakeError
from ..ingest.lake import Lake, check_part
from ..ingest.liveness import refuse_all_dead

ADDED_LATER: Mapping[str, frozenset[str]] = {
    "samples": frozenset({"text_encoding"}),
    "results": frozenset({"limit_factor", "request_digest", "comparability_digest", "dataset_version"}),
    "timings": frozenset(
        {"base_limit_share", "plus_limit_share", "corrected_base_limit_share", "corrected_plus_limit_share"}
    ),
    "runs": frozenset({"scenario", "request_digest", "num_planned"}),
}
"""Columns that parts of an older writer may lack. The writer always writes every column it declares, so any other
column that a part lacks was lost; a column that joins a table later is entered here."""

_REDO = "restore the part, or redo its shard with --force"


def check_parts(lake: Path) -> None:
    """LakeError that names part and column where a part cannot be read as its table, or says that no part is live."""
    if _is_published(lake):
        for part in sorted((lake / "data").rglob("*.parquet")):
            _check_published(part)
        for table in (table for table in schemas.TABLES if table not in ("samples", "results")):
            for part in _parts_on_disk(lake, table):
                check_part(table, part)
        return
    for table in schemas.TABLES:
        live = Lake(lake).live_parts(table)
        refuse_all_dead(lake, table, live)
        for part in live:
            _check_whole(table, part)


def _check_whole(table: str, part: Path) -> None:
    found = set(check_part(table, part))
    for name in schemas.TABLES[table].column_names():
        if name not in found and name not in ADDED_LATER.get(table, ()):
            raise LakeError(f"{part} lacks the column {name} of table {table}", _REDO)


def _parts_on_disk(lake: Path, table: str) -> list[Path]:
    return sorted((lake / table).rglob("*.parquet"))


def _is_published(lake: Path) -> bool:
    return (lake / "data").is_dir() and not (lake / "_live").is_dir()


def _check_published(part: Path) -> None:
    """A published part holds samples and results in one row; columns without a value and sample_id may be left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = set(pq.read_schema(part).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise LakeError(f"{part} is not a readable Parquet file", "get the file again") from error
    needed = dict.fromkeys([*schemas.SAMPLES.required(), *schemas.RESULTS.required(), "official_base_verdict"])
    for name in needed:
        if name != "sample_id" and name not in found:
            raise LakeError(f"{part} lacks the column {name}", "get the part again, or build it from whole rows")
