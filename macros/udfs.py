"""The estimators as functions of a DuckDB connection: one registration for dbt, the ``sql`` command and tests.

Names end in ``_udf``: models call the SQL macros of this folder, never these names. A Python function lives in the
process that registered it, so a model that calls one is a table; what plain DuckDB sessions may call is created as a
SQL macro inside the file (``create_functions.sql``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from .functions import ArrowFunction

LAKE_TYPE = "STRUCT(form VARCHAR, files VARCHAR[])"
BUNDLED = Path(__file__).parents[1] / "ingest" / "bundled"


def __getattr__(name: str) -> Any:
    """``Plugin``, which dbt-duckdb looks up here, made on demand: importing dbt costs the ``sql`` command 0.6 s."""
    if name != "Plugin":
        raise AttributeError(name)
    from dbt.adapters.duckdb.plugins import BasePlugin

    class Plugin(BasePlugin):
        """dbt-duckdb calls this on the parent connection; its cursors, also of other threads, see the functions."""

        def configure_connection(self, conn: Any) -> None:
            register(conn)

    return Plugin


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every ``*_udf`` callable on ``connection`` and its cursors; calling it twice is harmless."""
    existing = "select function_name from duckdb_functions() where function_name = 'pass_at_k_udf'"
    if connection.execute(existing).fetchall():
        return
    arrow_functions = functions()  # first: create_function loads numpy
    create: Any = connection.create_function  # its stub knows enums only, the function takes their names too
    arrow = {"type": "arrow", "null_handling": "special"}  # NULL comes out where n < k, not only where it goes in
    create("pass_at_k_udf", _pass_at_k, ["BIGINT"] * 3, "DOUBLE", null_handling="special")
    for function in arrow_functions:
        create(function.name, function.body, list(function.arguments), function.returns, **arrow)
    create("lake_files_udf", lake_files, ["VARCHAR", "VARCHAR"], LAKE_TYPE, side_effects=True)


def functions() -> tuple[ArrowFunction, ...]:
    """Every function that works on Arrow columns, for whichever engine."""
    from .functions import load_numpy_on_one_thread

    load_numpy_on_one_thread()
    from . import udfs_boards, udfs_intervals, udfs_means, udfs_overall

    modules = (udfs_intervals, udfs_boards, udfs_means, udfs_overall)
    return tuple(function for module in modules for function in module.FUNCTIONS)


def _pass_at_k(num_planned: int | None, num_passed: int | None, k: int | None) -> float | None:
    from . import estimators

    if num_planned is None or num_passed is None or k is None:
        return None
    score = estimators.pass_at_k(num_planned, num_passed, k)
    return None if score is None else float(score)


def lake_files(root: str, table: str) -> dict[str, Any]:
    """Files to read for a lake table, the zero-row typed part first; ``root`` "" is the bundled lake.

    Names and never a pattern: views keep them, and a part that is written after the build is no row of it.
    ``form`` is ``lake`` (a folder per table, liveness in ``_live``) or ``published`` (samples and results in ``data``).
    Raises LakeError for a table with parts of which none counts: plain ``dbt build`` would show an empty board.
    """
    from ..ingest.errors import LakeError
    from ..ingest.lake import EMPTY_PARTS, Lake
    from ..ingest.liveness import refuse_all_dead

    lake = (Path(root).expanduser() if root else BUNDLED / "lake").resolve()
    is_published = (lake / "data").is_dir() and not (lake / "_live").is_dir()
    if is_published and table in ("samples", "results"):
        empty = str(EMPTY_PARTS / "published.parquet")
        return {"form": "published", "files": [empty, *_parts_in(lake / "data")]}
    empty = [str(EMPTY_PARTS / f"{table}.parquet")]
    if is_published:
        return {"form": "published", "files": [*empty, *_parts_in(lake / table)]}
    live = Lake(lake).live_parts(table)
    try:
        refuse_all_dead(lake, table, live)
    except LakeError as error:  # dbt shows the message alone
        raise LakeError(f"{error.message}; {error.hint}") from None
    return {"form": "lake", "files": [*empty, *map(str, live)]}


def _parts_in(folder: Path) -> list[str]:
    return [str(part) for part in sorted(folder.rglob("*.parquet"))]
