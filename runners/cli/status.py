"""``benchforge status``."""

from __future__ import annotations

from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

_COLUMNS = ("shard_id", "model", "benchmark", "scenario", "samples", "expected_rows", "generate", "score")


@click.command(name="status", epilog="Example: benchforge status --format json")
@settings_options
@click.option("--pending", is_flag=True, help="Only shards that are not scored yet.")
@format_option
def command(pending: bool, format_: str, **settings_options: Any) -> None:
    """Show every shard of the run: what is planned, under way, done."""
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run

    settings = settings_from(**settings_options)
    run = Run(settings.run_root, Lake(settings.lake_root))
    rows = [_row(run, shard) for shard in run.manifest.shards().values()]
    shown = [row for row in rows if not pending or row["score"] in ("pending", "begun")]
    out.table(shown, _COLUMNS, format_)
    counts = {state: sum(row["score"] == state for row in rows) for state in ("done", "begun", "pending")}
    out.say(f"{run.root}: {len(rows)} shards, " + ", ".join(f"{count} {state}" for state, count in counts.items()))


def _row(run: Any, shard: Any) -> dict[str, Any]:
    return {
        "shard_id": shard.shard_id,
        "model": shard.model,
        "benchmark": shard.benchmark,
        "scenario": shard.scenario,
        "samples": _window(shard.first_sample, shard.num_samples),
        "expected_rows": shard.expected_rows,
        "generate": _state(run, "generate", shard.shard_id),
        "score": _state(run, "score", shard.shard_id) if _is_gradable(shard) else "import-only",
    }


def _window(first: int, number: int) -> str:
    """First and last sample index; "" for a shard of means, which has no samples."""
    if number < 2:
        return str(first) if number else ""
    return f"{first}-{first + number - 1}"


def _is_gradable(shard: Any) -> bool:
    """Published verdicts without texts, and benchmarks without a loader, have nothing for our judge."""
    from ...ingest.benchmarks import registry

    return registry()[shard.benchmark].is_gradable and shard.expected_rows > 0


def _state(run: Any, stage: str, shard_id: str) -> str:
    """done by its marker; begun when there is a journal, at work or interrupted; pending else."""
    if run.is_done(stage, shard_id):
        return "done"
    return "begun" if run.journal(stage, shard_id).path.exists() else "pending"
