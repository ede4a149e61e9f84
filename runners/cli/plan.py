"""``benchforge plan``."""

from __future__ import annotations

from typing import Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

_COLUMNS = ("shard_id", "model", "benchmark", "scenario", "protocol", "first_sample", "num_samples", "expected_rows")


@click.command(name="plan", epilog="Example: benchforge plan --config run.yaml --dry-run")
@settings_options
@click.option("--model", "models", multiple=True, help="Only these models of the run file.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Only these benchmarks or scenarios of the run file.")
@click.option("--task", "tasks", multiple=True, help="Only these tasks.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N tasks of each cell.")
@click.option("--num-samples", type=click.IntRange(min=1), help="Samples per task (n) where a model says nothing else.")
@dry_run_option
@format_option
def command(
    models: tuple[str, ...],
    benchmarks: tuple[str, ...],
    tasks: tuple[str, ...],
    limit: int | None,
    num_samples: int | None,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Write the shards that are missing to the manifest: models x benchmarks x scenarios x sample windows.

    What is planned or in the lake already is left alone, so growing n plans only the samples that are missing.
    """
    from dataclasses import asdict

    from ...ingest.bundled import RUN_FILE
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ...ingest.planning.plan import Scope, make_plan
    from ...ingest.planning.wanted import narrowed, wanted_of

    settings_options["config"] = settings_options.get("config") or RUN_FILE
    settings = settings_from(**settings_options, run__num_samples=num_samples)
    wanted = narrowed(wanted_of(settings), models, benchmarks)
    run = Run(settings.run_root, Lake(settings.lake_root))
    defaults = {
        "seed": settings["run.seed"],
        "num_samples": settings["run.num_samples"],
        "engine": settings["engine.name"],
    }
    plan = make_plan(run, wanted, defaults, settings.datasets_root, Scope(limit, tasks))
    if not dry_run:
        run.manifest.add(plan.shards)
    out.table([asdict(shard) for shard in plan.shards], _COLUMNS, format_)
    _tell(plan, run, dry_run)


def _tell(plan: Any, run: Any, is_dry: bool) -> None:
    """What was planned, what waits; Incomplete (exit 3) while something waits."""
    from ...ingest.errors import Incomplete

    samples = sum(shard.expected_rows for shard in plan.shards)
    verb = "would be added to" if is_dry else "added to"
    out.say(f"{len(plan.shards)} shards ({samples} samples) {verb} {run.manifest.path}")
    for cell in plan.waiting:
        out.say(f"  waits: {cell.benchmark} {cell.scenario}: {cell.reason}\n         {cell.hint}")
    if plan.waiting:
        first = plan.waiting[0]
        raise Incomplete(f"{len(plan.waiting)} cells cannot be planned yet: {first.reason}", first.hint)
