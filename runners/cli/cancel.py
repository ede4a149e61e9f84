"""``benchforge cancel``."""

from __future__ import annotations

from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_COLUMNS = ("job_id", "stage", "folder", "running", "pending")


@click.command(name="cancel", epilog="Example: benchforge cancel --config run.yaml")
@settings_options
@click.option("--stage", type=click.Choice(("generate", "score", "smoke")), help="Only jobs of this stage.")
@click.option("--wait", "wait_seconds", type=click.FloatRange(min=0), default=120.0, help="Seconds to wait for them.")
@dry_run_option
@format_option
def command(stage: str | None, wait_seconds: float, dry_run: bool, format_: str, **settings_options: Any) -> None:
    """Take every job of the run out of the queue; running tasks flush first, and nothing that was answered is lost."""
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ..cluster.cancelling import cancel_jobs, live_jobs

    settings = settings_from(**settings_options)
    run = Run(settings.run_root, Lake(settings.lake_root))
    found = live_jobs(run, stage)
    if not dry_run:
        cancel_jobs(run, found, wait_seconds)
    out.table(found, _COLUMNS, format_)
    out.say(f"{len(found)} jobs {'would be ' if dry_run else ''}cancelled")
