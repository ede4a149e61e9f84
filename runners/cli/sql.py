"""``benchforge sql``: ask the marts and the lake."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .console import FORMATS, out
from .options import settings_from, settings_options


@click.command(name="sql", epilog='Example: benchforge sql "select model, score from headline"')
@click.argument("query", required=False)
@settings_options
@click.option("--file", "file_", type=click.Path(path_type=Path), help="File of marts (default: the run's, then here).")
@click.option("-p", "--parameter", nargs=2, multiple=True, metavar="NAME VALUE", help="Value of $NAME in the query.")
@click.option("--saved", metavar="NAME", help="Ask a saved question instead of QUERY.")
@click.option("--list", "is_list", is_flag=True, help="List the saved questions and their parameters.")
@click.option("--show", is_flag=True, help="Print the SQL of the saved question; ask nothing.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the data to this file.")
@click.option(
    "--format", "format_", type=click.Choice([*FORMATS, "parquet"]), default="table", help="How to print the data."
)
def command(
    query: str | None,
    file_: Path | None,
    parameter: tuple[tuple[str, str], ...],
    saved: str | None,
    is_list: bool,
    show: bool,
    output: Path | None,
    format_: str,
    **given: Any,
) -> None:
    """Ask the marts and the lake one question; without QUERY it is read from stdin. Nothing can be changed."""
    from ..marts_file import built_file

    if is_list:
        return _list(format_)
    text, values = _question(query, saved, dict(parameter))
    if show:
        return out.data(text)
    _answer(file_ or built_file(settings_from(**given)), text, values, format_, output)


def _question(query: str | None, saved: str | None, given: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    from ...ingest.errors import UsageError

    if saved is not None:
        from ..ask.saved import saved_question, with_defaults

        if query is not None:
            raise UsageError("a query and a saved question were given", "give one of them")
        found = saved_question(saved)
        return found.query, with_defaults(found, given)
    text = query if query is not None else ("" if sys.stdin.isatty() else sys.stdin.read())
    if not text.strip():
        raise UsageError("no question was asked", 'benchforge sql "select * from headline", or benchforge sql --list')
    return text, given


def _list(format_: str) -> None:
    from ..ask.saved import saved_questions

    rows = [
        {
            "name": saved.name,
            "question": saved.question,
            "parameters": ", ".join(f"{name}={value}" for name, value in saved.defaults.items()),
        }
        for saved in saved_questions()
    ]
    out.table(rows, ("name", "question", "parameters"), "table" if format_ == "parquet" else format_)


def _answer(path: Path, query: str, values: Mapping[str, str], format_: str, output: Path | None) -> None:
    from ..ask.sql import asked, asked_for_arrow

    with out.waiting("asking") as watch:
        if format_ == "parquet":
            with asked_for_arrow(path, query, values, watch) as reader:
                return out.parquet(reader, output)
        with asked(path, query, values, watch) as answer:
            out.stream(answer.rows(), answer.columns, format_, output)
