"""``benchforge generate``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import dry_run_option, format_option, settings_from, settings_options, unsafe_network_option

if TYPE_CHECKING:
    from ...ingest.config import Settings
    from ...ingest.manifest import Shard
    from ...ingest.planning.models import ServedModel
    from ..generate.pending import Means
    from ..generate.progress import Progress

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
@click.option("--engine", help="Engine: endpoint, vllm or replay.")
@click.option("--base-url", help="Address of the endpoint engine, http://HOST:PORT/v1.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests in flight.")
@click.option("--record", type=click.Path(), help="Keep every HTTP exchange in this file, to be replayed.")
@click.option(
    "--time-left",
    type=click.FloatRange(min=0),
    help="Seconds until this job ends (under SLURM it is known): nothing begins that is not expected to end before.",
)
@unsafe_network_option
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
    record: str | None,
    time_left: float | None,
    unsafe_network: bool | None,
    dry_run: bool,
    format_: str,
    **settings_options: Any,
) -> None:
    """Ask the model for the samples of pending shards; every answer is on disk before it counts."""
    from dataclasses import asdict, replace

    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ..generate.job import HEEDED, Job
    from ..generate.pending import to_generate
    from ..online import go_offline
    from ..selection import Selection, cells_of
    from ..signals import interruptible

    settings = settings_from(
        **settings_options,
        engine__name=engine,
        engine__base_url=base_url,
        engine__concurrency=concurrency,
        engine__record=record,
        engine__unsafe_network=unsafe_network,
    )
    go_offline(settings)
    run = Run(settings.run_root, Lake(settings.lake_root))
    shards = to_generate(run, Selection(shard_ids, cells_of(benchmarks), models, force))
    if dry_run or not shards:
        out.say(f"{len(shards)} shards to generate in {run.root}")
        out.table([asdict(shard) for shard in shards], _COLUMNS, format_)
        return
    job = Job.current(time_left)
    if job.id is not None and not force:
        _refuse_start(run, shards, settings, job)
    generated: list[dict[str, Any]] = []
    with (
        _hints(force),
        interruptible(heeds_ignored=HEEDED),
        _budget(run, settings, job) as budget,
        job.requeued_on_notice(),
    ):
        means = replace(_means(settings, job, limit), budget=None if force else budget)
        try:
            _generate(run, shards, settings, means, force, generated)
        finally:
            if generated:
                out.table(generated, _GENERATED, format_)


@contextmanager
def _hints(force: bool) -> Iterator[None]:
    """After ``--force`` the same command would ask for everything once more, also for what was just answered."""
    from ...ingest.errors import BenchforgeError

    again = "run the same command again"
    try:
        yield
    except BenchforgeError as error:
        if force:
            error.hint = error.hint.replace(again, f"{again} without --force, which would ask for all of it once more")
        raise


def _refuse_start(run: Any, shards: Sequence[Shard], settings: Settings, job: Any) -> None:
    """A task of an array looks at what was spent, how often its shard was tried, and where it is."""
    from ..cluster.ledger import attempts
    from ..cluster.limits import refuse_beyond_limits
    from ..cluster.right_node import WrongNode, refuse_wrong_node

    rows = attempts(run.lake)
    refuse_beyond_limits(run, shards, settings, job, rows)
    if job.array_task is None:
        return  # a person at an interactive job sees where she is
    try:
        refuse_wrong_node(run, shards, settings, job, rows)
    except WrongNode as error:
        out.say(error.message)
        job.requeue_elsewhere()
        raise


def _budget(run: Any, settings: Settings, job: Any) -> Any:
    """Counts what a batch job holds; nothing of it is loaded where there is none."""
    from contextlib import nullcontext

    if job.id is None:
        return nullcontext()
    from ..cluster.spending import spending

    return spending(run, settings, job)


def _means(settings: Settings, job: Any, limit: int | None) -> Means:
    from pathlib import Path

    from ...ingest.planning.wanted import served_models
    from ..generate.exchanges import Recorder
    from ..generate.pending import Means
    from ..generate.probe import probe
    from ..generate.work import Demand

    demand = Demand(
        settings["engine.concurrency"],
        settings["engine.samples_per_request"],
        settings["engine.stream_from_tokens"],
        limit,
    )
    return Means(
        settings.datasets_root,
        served_models(settings),
        demand,
        job,
        settings["engine.token_ceiling"],
        settings["engine.money_ceiling"],
        None if settings["engine.name"] == "replay" else probe,
        settings["engine.allow"],
        Recorder(Path(settings["engine.record"]).expanduser()) if settings["engine.record"] else None,
        out.say,
    )


def _generate(
    run: Any, shards: Sequence[Shard], settings: Settings, means: Means, force: bool, generated: list[dict[str, Any]]
) -> None:
    """One engine for all models, or one after the other where an engine serves one model at a time."""
    from dataclasses import asdict

    from ...ingest.errors import Incomplete
    from ..generate.engines import open_engine
    from ..generate.pending import generate_pending

    unfinished: list[Incomplete] = []
    with _progress(shards) as meter:
        for served, of_model in _by_engine(shards, settings, means):
            with open_engine(settings, served, out.say) as engine:
                try:
                    generate_pending(
                        run,
                        of_model,
                        engine,
                        means,
                        is_forced=force,
                        meter=meter,
                        done=lambda done: generated.append(asdict(done)),
                    )
                except Incomplete as error:
                    unfinished.append(error)
    if unfinished:
        raise unfinished[0]


def _by_engine(
    shards: Sequence[Shard], settings: Settings, means: Means
) -> Iterator[tuple[ServedModel | None, Sequence[Shard]]]:
    from ...ingest.planning.wanted import digests_file
    from ...ingest.planning.weights import refuse_other_weights
    from ..generate.engines import ENGINES

    kind = ENGINES.get(settings["engine.name"])
    if kind is None or not kind.serves_one_model:
        yield None, shards
        return
    for model in dict.fromkeys(shard.model for shard in shards):
        served, of_model = means.served_model(model), [shard for shard in shards if shard.model == model]
        planned = [shard.request.get("weights_digest") for shard in of_model]
        refuse_other_weights(served, planned, digests_file(settings), out.say)
        yield served, of_model


@contextmanager
def _progress(shards: Sequence[Shard]) -> Iterator[Progress]:
    """A bar on a terminal, one line a minute in a batch log."""
    import sys

    from ..generate.progress import Progress

    total = sum(shard.expected_rows for shard in shards)
    with out.progress(total, "generate") as bar:
        yield Progress(total, bar.advance, shows_time_left=not sys.stderr.isatty())
