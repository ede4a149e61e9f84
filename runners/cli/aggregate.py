"""``benchforge aggregate``: rebuild every mart from the lake and print the leaderboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ...ingest.errors import UsageError
from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

COLUMNS = (
    "benchmark",
    "scenario",
    "test_set",
    "model",
    "score",
    "interval_low",
    "interval_high",
    "num_problems",
    "num_planned",
    "origin",
    "protocol",
    "temperature",
    "flags",
)


@contextmanager
def _watch(total: int) -> Iterator[Callable[[int, str], None]]:
    with out.progress(total, "models and tests") as bar:
        yield bar.advance


@click.command(name="aggregate", epilog="Example: benchforge aggregate --recorded")
@settings_options
@click.option("--recorded", is_flag=True, help="The bundled lake of recorded public verdicts, not the run's.")
@click.option("--output", type=click.Path(path_type=Path), help="File of marts; exports lie in marts/ beside it.")
@click.option("--against", type=click.Path(path_type=Path), help="Older file of marts: fct_build_diff says what moved.")
@click.option("--threads", type=click.IntRange(1), default=4, help="Threads of the build; any number, same marts.")
@click.option("--target", type=click.Choice(["local", "spark"]), default="local", help="Engine: DuckDB here, or Spark.")
@click.option("--master", help="Where Spark runs, e.g. local[8] or spark://HOST:7077; default: Spark's own settings.")
@dry_run_option
@format_option
def command(
    recorded: bool,
    output: Path | None,
    against: Path | None,
    threads: int,
    target: str,
    master: str | None,
    dry_run: bool,
    format_: str,
    **given: Any,
) -> None:
    """Rebuild every mart from the lake and print the leaderboard.

    The lake is --lake, BENCHFORGE_LAKE, the run's own where it exists, else the bundled one. A published one is
    fetched: --lake hf://datasets/NAMESPACE/benchforge-results[@REVISION].
    """
    from .. import aggregate_spark
    from ..aggregate import build, would_write
    from ..marts_file import default_output, is_marts_file, lake_of
    from ..previous_build import checked, found, sentence
    from ..publish.snapshot import seeds_that_differ

    if target == "spark" and against is not None:
        raise UsageError("two builds are compared by DuckDB", "leave --target spark out")
    settings = settings_from(**given)
    lake = None if recorded else lake_of(settings)
    out.say(f"lake: {lake or 'bundled (recorded public verdicts)'}")
    for seed in seeds_that_differ(lake) if lake else ():
        out.say(f"seeds/{seed} is not as it was when this lake was published: numbers may differ")
    output = output or default_output(settings, lake)
    if output.is_dir():
        raise UsageError(f"{output} is a folder", "name the file of marts, e.g. --output benchforge.duckdb")
    if output.is_file() and not is_marts_file(output):
        raise UsageError(f"{output} is no file of marts, and would be lost", "give --output the name of a new file")
    against = against and checked(against)
    if dry_run:
        out.table([{"file": str(path)} for path in would_write(lake, output)], ("file",), format_)
        return
    if target == "spark":
        built = aggregate_spark.build(lake, output, master=master)
    else:
        built = build(lake, output, num_threads=threads, watch=_watch, against=against)
    rows = [{**row, "flags": " ".join(row["flags"] or ())} for row in built.headline]
    out.table(rows, COLUMNS, format_, title="Leaderboard (pass@1, 95 % interval: problems like these)")
    out.say(f"{built.path}: {len(rows)} headline rows, {built.num_refusals} refused numbers in fct_refusals")
    if against is not None:
        out.say(f"against {against}: {sentence(found(built.path))}; rows in fct_build_diff")
