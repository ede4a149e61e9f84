"""``benchforge generate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

if TYPE_CHECKING:
    from ...ingest.manifest import Shard

_COLUMNS = ("shard_id", "model", "benchmark", "scenario", "first_sample", "num_samples", "expected_rows")
_GENERATED = ("shard_id", "num_rows", "num_asked", "num_resumed")


@click.command(name="generate", epilog="Example: benchforge generate --config run.yaml --benchmark humanevalplus")
@settings_options
@click.option("--shard-id", "shard_ids", multiple=True, help="Only these shards.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Only these benchmarks.")
@click.option("--model", "models", multiple=True, help="Only these models.")
@click.option("--limit", type=click.IntRange(min=1), help="Ask for at most N samples now; the rest stays pending.")
@click.option("--resume", is_flag=True, default=True, help="Go on where an earlier attempt stopped (the default).")
@click.option("--force", is_flag=True, help="Ask again; new parts replace live ones, nothing is deleted.")
@click.option("--engine", help="Engine: endpoint or replay.")
@click.option("--base-url", help="Address of the endpoint engine, http://HOST:PORT/v1.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests in flight.")
@dry_run_option
@format_option
def command(
    shard_ids: tuple[str, ...],
    benchmarks: tuple[str, ...],
    models: tuple[str, ...],
    limit: int | None,
    resume: bool,
    force: bool,
    engine: str | None,
    base_url: str | None,
    concurrency: int | None,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Ask the model for the samples of pending shards; every answer is on disk before it counts."""
    from dataclasses import asdict

    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ...ingest.planning.wanted import served_names
    from ..generate.engines import open_engine
    from ..generate.pending import Means, generate_pending, to_generate
    from ..selection import Selection, cells_of
    from ..signals import interruptible

    settings = settings_from(
        **settings_options, engine__name=engine, engine__base_url=base_url, engine__concurrency=concurrency
    )
    run = Run(settings.run_root, Lake(settings.lake_root))
    shards = to_generate(run, Selection(shard_ids, cells_of(benchmarks), models, force))
    if dry_run or not shards:
        out.say(f"{len(shards)} shards to generate in {run.root}")
        out.table([asdict(shard) for shard in shards], _COLUMNS, format_)
        return
    means = Means(settings.datasets_root, served_names(settings), settings["engine.concurrency"], limit)
    generated: list[dict[str, Any]] = []
    with interruptible(), open_engine(settings) as running:
        try:
            for done in generate_pending(run, shards, running, means, force, _progress):
                generated.append(asdict(done))
        finally:
            if generated:
                out.table(generated, _GENERATED, format_)


@contextmanager
def _progress(shard: Shard) -> Iterator[Callable[[int], None]]:
    """A bar with time left and samples/s on a terminal; a log line has its rate already."""
    import sys
    import time

    label = f"generate {shard.model} {shard.scenario if shard.scenario != 'default' else shard.benchmark}"
    started, done, shows_rate = time.monotonic(), 0, sys.stderr.isatty()
    with out.progress(shard.expected_rows, label) as bar:

        def advance(number: int) -> None:
            nonlocal done
            done += number
            rate = done / max(time.monotonic() - started, 1e-9)
            bar.advance(number, f"{rate:.1f} samples/s" if shows_rate else "")

        yield advance
