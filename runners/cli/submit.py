"""``benchforge submit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

if TYPE_CHECKING:
    from ...ingest.config import Settings
    from ...ingest.manifest import Run
    from ...slurm.submissions import Submission
    from ..cluster.submitting import Planned

_COLUMNS = ("stage", "folder", "job_id", "tasks", "gpus", "throttle", "after")
_STAGES = ("generate", "score", "smoke")


@click.command(name="submit", epilog="Example: benchforge submit generate --config run.yaml --dry-run")
@click.argument("stage", type=click.Choice(_STAGES))
@settings_options
@click.option("--shard-id", "shard_ids", multiple=True, help="Only these shards.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Only these benchmarks.")
@click.option("--model", "models", multiple=True, help="Only these models.")
@click.option("--with-score", is_flag=True, help="With generate: a scoring array beside each, task after task.")
@click.option("--force", is_flag=True, help="Generate without a passed smoke run of this image on this GPU.")
@dry_run_option
@format_option
def command(
    stage: str,
    shard_ids: tuple[str, ...],
    benchmarks: tuple[str, ...],
    models: tuple[str, ...],
    with_score: bool,
    force: bool,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Hand pending shards to SLURM: arrays throttled to what is idle now, less the headroom left to others.

    --dry-run prints the scripts and submits nothing.
    """
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ..cluster import submitting
    from ..cluster.choosing import planned
    from ..selection import Selection, cells_of

    settings = settings_from(**settings_options)
    run = Run(settings.run_root, Lake(settings.lake_root))
    words = submitting.absolute_words(settings_options)
    if stage == "smoke":
        _smoke(run, settings, words, dry_run, format_)
        return
    selection = Selection(shard_ids, cells_of(benchmarks), models)
    queue = submitting.look_at_queue(settings)
    arrays = planned(stage, run, settings, selection, queue, out.say, force)
    if dry_run:
        for one in arrays:
            folder = (run.root / "jobs" / f"{stage}-NNN").resolve()
            out.data(submitting.script_of(one, settings, words, folder).text())
        return
    made = submitting.submit_all(run, settings, arrays, words, with_score)
    out.table([_row(one, submission) for one, submission in made], _COLUMNS, format_)
    if not made:
        out.say(f"nothing to submit for {stage} in {run.root}")


def _smoke(run: Run, settings: Settings, words: list[str], is_dry: bool, format_: str) -> None:
    from ...slurm.facts import refuse_placeholders
    from ..cluster import submitting

    refuse_placeholders(settings, submitting.GPU_FACTS)
    gpus = settings["compute.gpus_per_task"]
    if is_dry:
        out.data(submitting.smoke_script(settings, words, gpus, (run.root / "jobs" / "smoke-NNN").resolve()).text())
        return
    made = submitting.submit_smoke(
        run, lambda folder: submitting.smoke_script(settings, words, gpus, folder.resolve()), gpus
    )
    row = {"stage": "smoke", "folder": made.folder, "job_id": made.job_id, "tasks": 1, "gpus": gpus, "throttle": 1}
    out.table([row], _COLUMNS, format_)


def _row(planned: Planned, made: Submission) -> dict[str, Any]:
    return {
        "stage": made.stage,
        "folder": made.folder,
        "job_id": made.job_id,
        "tasks": len(made.indices),
        "gpus": made.gpus,
        "throttle": made.throttle,
        "after": planned.paired_with.job_id if planned.paired_with else None,
    }
