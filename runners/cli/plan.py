"""``benchforge plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options

if TYPE_CHECKING:
    from ...ingest.manifest import Run
    from ...ingest.planning.plan import Plan
    from ...ingest.planning.wanted import Wanted

_COLUMNS = ("shard_id", "model", "benchmark", "scenario", "protocol", "first_sample", "num_samples", "expected_rows")


@click.command(name="plan", epilog="Example: benchforge plan --config run.yaml --dry-run")
@settings_options
@click.option("--model", "models", multiple=True, help="Only these models of the run file; * stands for anything.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Only these benchmarks or scenarios of the run file.")
@click.option("--task", "tasks", multiple=True, help="Only these tasks.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N tasks of each cell.")
@click.option("--shard-id", "shard_ids", multiple=True, help="Only these shards of what would be planned.")
@click.option("--num-samples", type=click.IntRange(min=1), help="Samples per task (n) where a model says nothing else.")
@click.option("--include-non-osi", is_flag=True, help="Patterns of models: take in licences not approved by the OSI.")
@dry_run_option
@format_option
def command(
    models: tuple[str, ...],
    benchmarks: tuple[str, ...],
    tasks: tuple[str, ...],
    limit: int | None,
    shard_ids: tuple[str, ...],
    num_samples: int | None,
    include_non_osi: bool,
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
    from ...ingest.planning.asked import terms_of
    from ...ingest.planning.plan import Scope, make_plan, only_shards
    from ...ingest.planning.wanted import wanted_of, wanted_problems

    settings_options["config"] = settings_options.get("config") or RUN_FILE
    settings = settings_from(
        **settings_options,
        run__num_samples=num_samples,
        run__include_non_osi=include_non_osi or None,
        also=wanted_problems,
    )
    wanted = wanted_of(settings, models, benchmarks, out.say)
    run = Run(settings.run_root, Lake(settings.lake_root))
    plan = make_plan(run, wanted, terms_of(settings), settings.datasets_root, Scope(limit, tasks))
    plan = only_shards(plan, shard_ids)
    if not dry_run:
        run.manifest.add(plan.shards)
    out.table([asdict(shard) for shard in plan.shards], _COLUMNS, format_)
    _tell(plan, wanted, run, dry_run)


def _tell(plan: Plan, wanted: Wanted, run: Run, is_dry: bool) -> None:
    """What was planned, left out, left open, what waits; Incomplete (exit 3) while something waits."""
    from ...ingest.errors import Incomplete

    samples = sum(shard.expected_rows for shard in plan.shards)
    verb = "would be added to" if is_dry else "added to"
    out.say(f"{len(plan.shards)} shards ({samples} samples) {verb} {run.manifest.path}")
    for sentence in wanted.left_out:
        out.say(f"  left out: {sentence}")
    for name in plan.open_revisions:
        out.say(f"  open: {name} names no commit of its weights; revision: in its item (or row) pins it")
    for cell in plan.waiting:
        out.say(f"  waits: {cell.benchmark} {cell.scenario}: {cell.reason}\n         {cell.hint}")
    if plan.waiting:
        first = plan.waiting[0]
        raise Incomplete(f"{len(plan.waiting)} cells cannot be planned yet: {first.reason}", first.hint)
