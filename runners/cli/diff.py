"""``benchforge diff``: two lakes beside each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .console import out
from .options import format_option

_FOLDER = click.Path(path_type=Path)
_MOVED = (
    *("change", "model", "benchmark", "scenario", "test_set", "metric", "verdict", "score_before", "score_after"),
    *("difference", "num_problems_changed", "cause"),
)


@click.command(name="diff", epilog="Example: benchforge diff lake-of-may lake --numbers")
@click.argument("first", type=_FOLDER, metavar="LAKE1")
@click.argument("second", type=_FOLDER, metavar="LAKE2")
@click.option("--numbers", is_flag=True, help="Build the marts of both, and say which numbers moved.")
@format_option
def command(first: Path, second: Path, numbers: bool, format_: str) -> None:
    """Rows that one lake lacks or that say something else, verdicts that moved; ends with 1 where something differs."""
    from ..ask.diff import FIELD_COLUMNS, TABLE_COLUMNS, VERDICT_COLUMNS, diff

    found = diff(first, second)
    tables: dict[str, Any] = {
        "tables": (found.tables, TABLE_COLUMNS, "Rows"),
        "fields": (found.fields, FIELD_COLUMNS, "Columns that say something else"),
        "verdicts": (found.verdicts, VERDICT_COLUMNS, "Verdicts that moved"),
    }
    if numbers:
        tables["numbers"] = (_moved(first, second), _MOVED, "Numbers that moved")
    if format_ == "csv":
        tables = {"tables": tables["tables"]}
    out.sections(tables, format_, {"first": str(first), "second": str(second), "are_equal": found.are_equal})
    if found.are_equal:
        out.say("the lakes hold the same rows")
    sys.exit(0 if found.are_equal else 1)


def _moved(first: Path, second: Path) -> list[dict[str, Any]]:
    """Rows of ``fct_build_diff`` of a build of the second against one of the first, both thrown away."""
    import tempfile

    from ..aggregate import build
    from ..ask.sql import ask

    with tempfile.TemporaryDirectory(prefix="benchforge-diff-") as folder:
        before = build(first, Path(folder) / "first" / "first.duckdb")
        after = build(second, Path(folder) / "second" / "second.duckdb", against=before.path)
        return list(ask(after.path, f"select {', '.join(_MOVED)} from fct_build_diff order by all").rows)
