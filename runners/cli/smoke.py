"""``benchforge smoke``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import format_option, settings_from, settings_options, unsafe_network_option

if TYPE_CHECKING:
    from ...ingest.manifest import Run
    from ..generate.smoke import Smoke

_COLUMNS = ("model", "benchmark", "scenario", "protocol", "is_ready", "num_prompts", "num_ids_checked")
_COLUMNS += ("num_samples", "num_cut", "num_judged", "num_passed", "problems")


@click.command(name="smoke", epilog="Example: benchforge smoke --config run.yaml --benchmark humanevalplus")
@settings_options
@click.option("--model", "models", multiple=True, help="Only these models of the run file.")
@click.option("--benchmark", "benchmarks", multiple=True, help="Only these benchmarks or scenarios of the run file.")
@click.option("--limit", type=click.IntRange(min=1), default=3, show_default=True, help="Tasks of each cell.")
@click.option("--engine", help="Engine: endpoint or vllm.")
@click.option("--base-url", help="Address of the endpoint engine, http://HOST:PORT/v1.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests in flight.")
@unsafe_network_option
@format_option
def command(
    models: tuple[str, ...],
    benchmarks: tuple[str, ...],
    limit: int,
    engine: str | None,
    base_url: str | None,
    concurrency: int | None,
    unsafe_network: bool | None,
    format_: str,
    **settings_options: Any,
) -> None:
    """Try the engine on a few tasks of each benchmark and say which are ready.

    Exit 1 when one is not, 3 when one is not staged. Nothing enters the run's lake. What was found is kept below the
    scratch folder, by engine image and GPU kind.
    """
    from ...ingest.bundled import RUN_FILE
    from ...ingest.errors import BenchforgeError, Incomplete, UsageError
    from ..generate.smoke_facts import keep_fact
    from ..online import go_offline
    from ..signals import interruptible

    settings_options["config"] = settings_options.get("config") or RUN_FILE
    settings = settings_from(
        **settings_options,
        engine__name=engine,
        engine__base_url=base_url,
        engine__concurrency=concurrency,
        engine__unsafe_network=unsafe_network,
    )
    go_offline(settings)
    if settings["engine.name"] == "replay":
        raise UsageError("smoke asks a server, and a recording is none", "give --engine endpoint or --engine vllm")
    rows: list[dict[str, Any]] = []
    untried: list[Any] = []
    with interruptible():
        for running, name, found in _tried(settings, models, benchmarks, limit, untried):
            rows += [{**cell.as_json(), "problems": "; ".join(cell.problems)} for cell in found.cells]
            _tell(name, found, keep_fact(settings.scratch, running, name, found))
    out.table(rows, _COLUMNS, format_)
    if broken := [row for row in rows if not row["is_ready"]]:
        raise BenchforgeError(
            f"{len(broken)} of {len(rows)} cells are not ready: {broken[0]['model']} on {broken[0]['benchmark']}: "
            f"{broken[0]['problems']}",
            "mend what the table names, and run the same command again",
        )
    if untried:
        raise Incomplete(f"{len(untried)} cells cannot be tried yet: {untried[0].reason}", untried[0].hint)


def _tried(
    settings: Any, models: tuple[str, ...], benchmarks: tuple[str, ...], limit: int, untried: list[Any]
) -> Iterator[Any]:
    """(engine, model, what was found), one engine after the other, each with a small run of its own; ``untried`` gets
    the cells whose problems or protocol strings are not staged."""
    import tempfile
    from pathlib import Path

    from ...ingest.lake import Lake
    from ...ingest.manifest import Run
    from ...ingest.planning.asked import terms_of
    from ...ingest.planning.plan import Scope, make_plan
    from ...ingest.planning.wanted import served_models, wanted_of
    from ..generate.engines import open_engine
    from ..generate.pending import Means
    from ..generate.smoke import smoke
    from ..generate.work import Demand

    wanted = wanted_of(settings, models, benchmarks, out.say)
    demand = Demand(settings["engine.concurrency"], settings["engine.samples_per_request"])
    means = Means(settings.datasets_root, served_models(settings), demand, allow=settings["engine.allow"])
    settings.run_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".smoke-", dir=settings.run_root) as folder:
        run = Run(Path(folder), Lake(Path(folder) / "lake"))
        plan = make_plan(run, wanted, terms_of(settings), settings.datasets_root, Scope(limit))
        run.manifest.add(plan.shards)
        untried += plan.waiting
        for cell in plan.waiting:
            out.say(f"waits: {cell.benchmark} {cell.scenario}: {cell.reason}\n       {cell.hint}")
        for model in dict.fromkeys(shard.model for shard in plan.shards):
            with open_engine(settings, means.served_model(model), out.say) as engine:
                yield engine, model, smoke(run, engine, means.served_model(model), means, _score_of(settings))


def _score_of(settings: Any) -> Any:
    from contextlib import nullcontext

    from ..score.pending import score_pending, to_score
    from ..score.platform import require_linux
    from ..selection import Selection
    from .score import _means

    def score(run: Run) -> None:
        require_linux()
        _open_gates(run, settings)
        if shards := to_score(run, Selection()):
            for _ in score_pending(run, shards, _means(settings), False, lambda shard: nullcontext(_unheard)):
                pass

    return score


def _open_gates(run: Run, settings: Any) -> None:
    """What the suites of a run need is looked for; BenchforgeError where a library or a tool is missing."""
    from ...ingest.benchmarks import registry
    from ...ingest.errors import BenchforgeError
    from ..score.readiness import FAIL
    from ..score.readiness.environments import environments_of, findings

    cells = dict.fromkeys((shard.benchmark, shard.scenario) for shard in run.manifest.shards().values())
    for benchmark, scenario in cells:
        for environment in environments_of(registry()[benchmark], (scenario,)):
            found = findings(environment, settings.scratch, settings["score.sandbox_mode"] or None)
            missing = [one for one in found if one.status == FAIL]
            for one in missing:
                out.say(f"{benchmark} {scenario}: {one.check}: {one.found}; {one.fix}")
            if missing:
                first = missing[0]
                raise BenchforgeError(f"{environment.name} lacks {first.check}: {first.found}", first.fix)


def _unheard(number: int) -> None:
    """No bar for a handful of samples."""


_TOLD = ("n", "temperature", "seed", "top_p", "max_stops", "logprobs", "token_ids", "streams", "window_tokens")


def _tell(name: str, found: Smoke, path: Any) -> None:
    steady = found.steadiness
    if found.abilities is not None:
        known = found.abilities.as_json()
        out.say(f"{name}: " + ", ".join(f"{ability} {_word(known.get(ability))}" for ability in _TOLD))
    if steady.num_compared:
        out.say(
            f"{name}: {steady.num_differing} of {steady.num_compared} greedy token sequences differ between one "
            f"request at a time and {steady.concurrency} at once"
        )
    out.say(f"{name}: kept in {path}")


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not known" if value is None else str(value)
