"""``benchforge score``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import LIMIT_FACTOR, dry_run_option, format_option, settings_from, settings_options

if TYPE_CHECKING:
    from ...ingest.manifest import Shard

_COLUMNS = ("shard_id", "benchmark", "scenario", "model", "expected_rows")
_SCORED = ("shard_id", "num_rows", "num_graded", "num_reused")


@click.command(name="score", epilog="Example: benchforge score --benchmark humanevalplus")
@settings_options
@click.option("--shard-id", "shard_ids", multiple=True, help="Only these shards.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Only these benchmarks.")
@click.option("--model", "models", multiple=True, help="Only these models.")
@click.option("--resume", is_flag=True, default=True, help="Go on where an earlier attempt stopped (the default).")
@click.option("--force", is_flag=True, help="Grade again; new parts replace live ones, nothing is deleted.")
@click.option("--sandbox-mode", help="Outer sandbox; the best available without.")
@click.option("--jobs", type=click.IntRange(min=0), help="Sandboxes side by side; 0: one per core.")
@click.option(
    "--limit-factor",
    type=LIMIT_FACTOR,
    default=1.0,
    help="Time limits times this; such verdicts lie beside the official ones and make no score.",
)
@click.option("--gold", is_flag=True, help="Grade the references of all staged benchmarks instead; writes nothing.")
@click.option(
    "--regrade",
    type=click.IntRange(min=1),
    help="Grade every program so often again, list verdicts that change (exit 1), write nothing.",
)
@click.option("--cross-check", is_flag=True, help="Run the official harness on scored programs; list differences.")
@click.option("--harness", type=click.Path(path_type=Path), help="Folder of that harness; its PyPI release without.")
@click.option("--harness-python", type=click.Path(path_type=Path), help="Interpreter that has what a checkout needs.")
@click.option("--unsafe", is_flag=True, help="Grade without seccomp; every row says so and the marts refuse it.")
@dry_run_option
@format_option
def command(
    shard_ids: tuple[str, ...],
    benchmarks: tuple[str, ...],
    models: tuple[str, ...],
    resume: bool,
    force: bool,
    sandbox_mode: str | None,
    jobs: int | None,
    limit_factor: float,
    gold: bool,
    regrade: int | None,
    cross_check: bool,
    harness: Path | None,
    harness_python: Path | None,
    unsafe: bool,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Grade the samples of generated shards in the sandbox and write verdicts to the lake."""
    from ..score.platform import require_linux
    from .score_modes import refuse_what_has_no_meaning

    refuse_what_has_no_meaning(click.get_current_context())
    require_linux()
    from dataclasses import asdict

    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ..generate.job import HEEDED, Job
    from ..online import go_offline
    from ..score.pending import score_pending, to_score
    from ..selection import Selection, cells_of
    from ..signals import interruptible

    settings = settings_from(**settings_options, score__sandbox_mode=sandbox_mode, score__num_workers=jobs)
    go_offline(settings)
    run = Run(settings.run_root, Lake(settings.lake_root))
    if cross_check:
        from .cross_check import print_cross_check

        selection = Selection(shard_ids, cells_of(benchmarks), models)
        with interruptible():
            print_cross_check(run, selection, settings, _means(settings).num_workers, harness, harness_python, format_)
        return
    means = _means(settings, unsafe, limit_factor)
    if gold:
        from .gold import print_gold

        with interruptible():
            print_gold(cells_of(benchmarks), means, format_)
        return
    is_all = force or regrade is not None
    selection = Selection(shard_ids, cells_of(benchmarks), models, is_all)
    shards = to_score(run, selection, limit_factor)
    if dry_run or not shards:
        out.say(f"{len(shards)} shards to score in {run.root}")
        out.table([asdict(shard) for shard in shards], _COLUMNS, format_)
        return
    with interruptible(heeds_ignored=HEEDED), Job.current().requeued_on_notice():
        if regrade is not None:
            from .regrade import print_regrade

            print_regrade(run, shards, means, regrade, _progress, format_)
            return
        scored = []
        try:
            for done in score_pending(run, shards, means, force, _progress):
                scored.append(asdict(done))
        finally:
            if scored:
                out.table(scored, _SCORED, format_)


def _means(settings: Any, is_unsafe: bool = False, limit_factor: float = 1.0) -> Any:
    import os
    from dataclasses import replace

    from ..score.judge import OFFICIAL
    from ..score.pending import Means

    cores = len(os.sched_getaffinity(0))
    workers = settings["score.num_workers"] or cores
    rules = replace(OFFICIAL, limit_scale=limit_factor)
    return Means(
        Path(settings.datasets_root),
        settings["score.sandbox_mode"] or None,
        workers,
        is_unsafe,
        rules,
        settings.scratch,
    )


@contextmanager
def _progress(shard: Shard) -> Iterator[Callable[[int], None]]:
    label = f"score {shard.model} {shard.scenario if shard.scenario != 'default' else shard.benchmark}"
    with out.progress(shard.expected_rows, label) as bar:
        yield bar.advance
