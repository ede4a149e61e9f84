"""``benchforge compact``: many small parts of a lake into few."""

from __future__ import annotations

from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_COLUMNS = ("table", "partition", "parts")


@click.command(name="compact", epilog="Example: benchforge compact --dry-run")
@settings_options
@click.option("--benchmark", "benchmarks", multiple=True, help="Only this benchmark; may be repeated.")
@click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
@dry_run_option
@format_option
def command(
    benchmarks: tuple[str, ...], models: tuple[str, ...], dry_run: bool, format_: str, **settings_options: Any
) -> None:
    """Write one sorted part for each benchmark and model of a lake, in place of many small ones.

    The rows stay the same, nothing is deleted, and a redone shard's own parts count again. Safe to kill and to repeat.
    """
    from ..compact import compact, planned

    settings = settings_from(**settings_options)
    found = planned(settings.lake_root, benchmarks, models)
    rows = [{"table": one.table, "partition": one.partition, "parts": len(one.parts)} for one in found]
    if not dry_run:
        with out.progress(len(found), "partitions") as bar:
            for path in compact(settings.lake_root, found):
                bar.advance(1, path.parent.name)
    out.table(rows, _COLUMNS, format_)
    num_parts = sum(len(one.parts) for one in found)
    said = "would become" if dry_run else "became"
    out.say(f"{settings.lake_root}: {num_parts} parts {said} {len(found)}")
