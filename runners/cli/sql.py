"""``benchforge sql``: ask the marts and the lake."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options


@click.command(name="sql", epilog='Example: benchforge sql "select model, score from headline"')
@click.argument("query", required=False)
@settings_options
@click.option("--file", "file_", type=click.Path(path_type=Path), help="File of marts (default: the run's, then here).")
@format_option
def command(query: str | None, file_: Path | None, format_: str, **given: Any) -> None:
    """Ask the marts and the lake one question; without QUERY it is read from stdin. Nothing can be changed."""
    from ...ingest.errors import UsageError
    from ..ask.sql import ask
    from ..marts_file import built_file

    text = query if query is not None else ("" if sys.stdin.isatty() else sys.stdin.read())
    if not text.strip():
        raise UsageError("no question was asked", 'benchforge sql "select * from headline"')
    answer = ask(file_ or built_file(settings_from(**given)), text)
    out.table(answer.rows, answer.columns, format_)
