"""``benchforge resubmit``."""

from __future__ import annotations

from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_COLUMNS = ("shard_id", "model", "benchmark", "scenario", "attempts", "cause", "detail")


@click.command(name="resubmit", epilog="Example: benchforge resubmit --config run.yaml --retry-failed")
@settings_options
@click.option("--shard-id", "shard_ids", multiple=True, help="Only these shards.")
@click.option("--retry-failed", is_flag=True, help="Also shards that were tried too often: their cause is mended.")
@click.option("--no-score", is_flag=True, help="No scoring arrays beside.")
@dry_run_option
@format_option
def command(
    shard_ids: tuple[str, ...],
    retry_failed: bool,
    no_score: bool,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Submit again what is neither done nor in the queue, and list the shards that were tried too often, with causes.

    Attempts that ended without a word (killed, out of memory, node lost) get their row in the ledger first.
    """
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ..cluster import submitting
    from ..cluster.choosing import planned
    from ..cluster.resubmitting import failed_rows, take_stock
    from ..selection import Selection

    settings = settings_from(**settings_options)
    run = Run(settings.run_root, Lake(settings.lake_root))
    queue = submitting.look_at_queue(settings)
    silent = 0 if dry_run else take_stock(run, shard_ids, retry_failed)
    if silent:
        out.say(f"{silent} attempts ended without a word; their causes are in the ledger now")
    selection = Selection(shard_ids)
    arrays = planned("generate", run, settings, selection, queue, out.say)
    num_shards = sum(len(one.indices) for one in arrays)
    if not dry_run:
        words = submitting.absolute_words(settings_options)
        submitting.submit_all(run, settings, arrays, words, with_score=not no_score)
    out.say(f"{num_shards} shards {'would be ' if dry_run else ''}submitted again")
    out.table(failed_rows(run), _COLUMNS, format_)
