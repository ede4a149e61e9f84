"""``benchforge status``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from .console import out
from .options import format_option, settings_from, settings_options

_COLUMNS = ("shard_id", "model", "benchmark", "scenario", "samples", "expected_rows", "generate", "score", "note")
_STATES = ("done", "running", "queued", "begun", "pending", "failed")


@click.command(name="status", epilog="Example: benchforge status --format json")
@settings_options
@click.option("--pending", is_flag=True, help="Only shards that are not scored yet.")
@click.option("--watch", is_flag=True, help="Bars, looked at again and again until nothing is queued or running.")
@format_option
def command(pending: bool, watch: bool, format_: str, **settings_options: Any) -> None:
    """Show every shard of the run: planned, in the queue, under way, done, or failed too often."""
    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ..cluster.states import bars, queue_view

    settings = settings_from(**settings_options)
    run = Run(settings.run_root, Lake(settings.lake_root))
    while True:
        view = queue_view(run)
        rows = [_row(run, shard, view) for shard in run.manifest.shards().values()]
        counts = {stage: _counted(rows, stage) for stage in ("generate", "score")}
        if not watch:
            break
        out.say("\n".join(bars(counts)))
        if not any(number[state] for number in counts.values() for state in ("running", "queued")):
            break
        time.sleep(settings["compute.refresh_seconds"])
    shown = [row for row in rows if not pending or row["score"] not in ("done", "import-only")]
    out.table(shown, _COLUMNS, format_)
    if view.complaint:
        out.say(f"the queue could not be asked: {view.complaint}")
    out.say(f"{run.root}: {len(rows)} shards, {_told(counts['score'])}{'' if rows else _runs_beside(run.root)}")


def _runs_beside(root: Path) -> str:
    """Nothing is planned here: perhaps another run of the scratch folder was meant."""
    from ...ingest.names import meant_or_known

    others = sorted(path.parents[1].name for path in root.parent.glob("*/shards/manifest.jsonl"))
    return meant_or_known(root.name, others) if others else "; benchforge plan begins one"


def _counted(rows: list[dict[str, Any]], stage: str) -> dict[str, int]:
    return {state: sum(row[stage] == state for row in rows) for state in _STATES}


def _told(counts: dict[str, int]) -> str:
    """Words that scripts may look for stand always, the others where there are any."""
    always = ("done", "begun", "pending")
    return ", ".join(f"{number} {state}" for state, number in counts.items() if number or state in always)


def _row(run: Any, shard: Any, view: Any) -> dict[str, Any]:
    from ..cluster.states import note_of, state_of

    return {
        "shard_id": shard.shard_id,
        "model": shard.model,
        "benchmark": shard.benchmark,
        "scenario": shard.scenario,
        "samples": _window(shard.first_sample, shard.num_samples),
        "expected_rows": shard.expected_rows,
        "generate": state_of(run, "generate", shard.shard_id, view),
        "score": state_of(run, "score", shard.shard_id, view) if _is_gradable(shard) else "import-only",
        "note": note_of(run, shard.shard_id, view),
    }


def _window(first: int, number: int) -> str:
    """First and last sample index; "" for a shard of means, which has no samples."""
    if number < 2:
        return str(first) if number else ""
    return f"{first}-{first + number - 1}"


def _is_gradable(shard: Any) -> bool:
    """Published verdicts without texts, and benchmarks without a loader, have nothing for our judge."""
    from ...ingest.benchmarks import registry

    return registry()[shard.benchmark].grades(shard.scenario) and shard.expected_rows > 0
