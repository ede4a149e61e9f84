"""Is this engine ready for these benchmarks: asked before a run, measured instead of assumed.

For one model and one engine that runs: what the server honours (the probe); per cell, whether the ids that an answer
was made from are those of the prompt as rendered once (one template, one token of beginning); a handful of samples by
the very road that a run takes, and their verdicts; and how many token sequences of greedy answers differ between one
request at a time and as many as a run has in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import cycle, islice
from typing import Any

from ...ingest.benchmarks import registry
from ...ingest.errors import BenchforgeError, Interrupted
from ...ingest.manifest import Run, Shard
from ...ingest.planning.models import ServedModel
from ...ingest.planning.task_sets import TaskSet, load_task_set, protocol_of
from ..selection import Selection, task_set_of
from .client import Client
from .engines import Engine
from .pending import Means, generate_pending, to_generate
from .probe import Abilities, probe
from .request import Request, request_of
from .room import prompt_token_ids

_SHORT_TOKENS = 64
"""Of the answers that are compared; sequences that part do so early, or late enough not to matter here."""

_VERDICTS = ("official_base_verdict", "official_plus_verdict")

Score = Callable[[Run], None]
"""Grades what the run holds; raises BenchforgeError where that cannot be done here."""


@dataclass
class CellReport:
    """One benchmark and scenario on one model; ready when ``problems`` is empty."""

    model: str
    benchmark: str
    scenario: str
    protocol: str
    num_prompts: int = 0
    num_ids_checked: int = 0
    num_samples: int = 0
    num_cut: int = 0
    num_judged: int = 0
    num_passed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_ready(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_ready": self.is_ready}


@dataclass(frozen=True)
class Steadiness:
    """Greedy answers to the same prompts, one at a time and ``concurrency`` at once."""

    concurrency: int = 0
    num_compared: int = 0
    num_differing: int = 0


@dataclass
class Smoke:
    """What was found for one model."""

    abilities: Abilities | None
    cells: list[CellReport]
    steadiness: Steadiness = field(default_factory=Steadiness)

    @property
    def is_ready(self) -> bool:
        return bool(self.cells) and all(cell.is_ready for cell in self.cells)


@dataclass(frozen=True)
class _Cell:
    shards: tuple[Shard, ...]
    task_set: TaskSet
    report: CellReport

    def requests(self, served: ServedModel, abilities: Abilities) -> list[Request]:
        """The first sample of each of its tasks, as a run asks for it."""
        shard = self.shards[0]
        protocol = protocol_of(self.task_set.benchmark, shard.protocol)
        wanted = shard.task_ids
        tasks = [task for task in self.task_set.tasks if wanted is None or task.task_id in wanted]
        prompts = (protocol.render(task, self.task_set.strings) for task in tasks)
        return [request_of(shard, prompt, shard.first_sample, served, abilities) for prompt in prompts]


def smoke(run: Run, engine: Engine, served: ServedModel, means: Means, score: Score) -> Smoke:
    """Try every shard planned in ``run`` (an own, small one) for ``served``. Nothing but Interrupted is raised for what
    the server does: that is a problem of a cell."""
    cells = _cells(run, served, means)
    try:
        abilities, steadiness = asyncio.run(_looked(engine, served, cells, means.demand.concurrency))
    except Interrupted:
        raise
    except BenchforgeError as error:
        for cell in cells:
            cell.report.problems.append(error.message)
        return Smoke(None, [cell.report for cell in cells])
    for cell in cells:
        _generate(run, cell, engine, replace(means, probe=probe))
    problem = _scored(run, score)
    for cell in cells:
        _judged(run, cell, problem)
    return Smoke(abilities, [cell.report for cell in cells], steadiness)


def _cells(run: Run, served: ServedModel, means: Means) -> list[_Cell]:
    grouped: dict[tuple[str, ...], list[Shard]] = {}
    for shard in to_generate(run, Selection(models=(served.name,))):
        grouped.setdefault((*task_set_of(shard), shard.protocol), []).append(shard)
    found = []
    for shards in grouped.values():
        name, version, scenario = task_set_of(shards[0])
        task_set = load_task_set(registry()[name], scenario, version, means.datasets_root)
        report = CellReport(served.name, name, scenario, shards[0].protocol)
        found.append(_Cell(tuple(shards), task_set, report))
    return found


async def _looked(
    engine: Engine, served: ServedModel, cells: Sequence[_Cell], concurrency: int
) -> tuple[Abilities, Steadiness]:
    async with Client(engine.endpoint) as client:
        abilities = await probe(client, served, [shard for cell in cells for shard in cell.shards])
        client.abilities = abilities
        shorts: list[Request] = []
        for cell in cells:
            requests = cell.requests(served, abilities)
            cell.report.num_prompts = len(requests)
            shorts += [_short(request, served) for request in requests]
            await _check_ids(client, cell.report, requests, served)
        return abilities, await _steadiness(client, shorts, concurrency)


async def _check_ids(client: Client, report: CellReport, requests: Sequence[Request], served: ServedModel) -> None:
    """Ids that the answer was made from against those of the prompt rendered once, by the server's own /tokenize."""
    for request in requests:
        try:
            reply = await client.ask(_short(request, served, num_tokens=1))
        except BenchforgeError as error:
            report.problems.append(error.message)
            return
        made_from = _prompt_ids(reply.response)
        rendered = await prompt_token_ids(client.wire, request)
        if made_from is None or rendered is None:
            continue  # a server that shows no ids proves nothing, and refutes nothing
        report.num_ids_checked += 1
        if problem := id_problem(rendered, made_from):
            report.problems.append(problem)
            return


def id_problem(rendered: Sequence[int], made_from: Sequence[int]) -> str | None:
    """What is wrong with a prompt's ids; None when they are those of one template with one token of beginning."""
    if len(made_from) > 1 and made_from[0] == made_from[1]:
        return f"a prompt begins twice with token {made_from[0]}: the template and the tokenizer each add one"
    if list(rendered) == list(made_from):
        return None
    pairs = zip(rendered, made_from, strict=False)
    first = next(
        (place for place, (one, other) in enumerate(pairs) if one != other), min(len(rendered), len(made_from))
    )
    return (
        f"a prompt of {len(rendered)} tokens was answered as one of {len(made_from)}; they part at token {first}: "
        "another template was laid over it"
    )


def _short(request: Request, served: ServedModel, num_tokens: int = _SHORT_TOKENS) -> Request:
    """Greedy, brief, in one piece: the same prompt, where only its ids or its first tokens matter."""
    limit = served.renames.get("max_tokens", "max_tokens")
    body = {name: value for name, value in request.body.items() if name not in ("stop", "stream", "stream_options")}
    fields: dict[str, Any] = {"temperature": 0.0, limit: num_tokens, "n": 1, "stream": False}
    return Request(request.path, body | {name: value for name, value in fields.items() if name not in served.omits})


async def _steadiness(client: Client, shorts: Sequence[Request], concurrency: int) -> Steadiness:
    """Does company change an answer: it should not, and on most engines sometimes does."""
    if not shorts:
        return Steadiness()
    shorts = list(shorts)[:concurrency]
    alone = [_sequence((await client.ask(request)).response) for request in shorts]
    crowd = list(islice(cycle(range(len(shorts))), concurrency))
    replies = await asyncio.gather(*(client.ask(shorts[number]) for number in crowd))
    together = [_sequence(reply.response) for reply in replies]
    differing = sum(alone[number] != sequence for number, sequence in zip(crowd, together, strict=True))
    return Steadiness(concurrency, len(crowd), differing)


def _generate(run: Run, cell: _Cell, engine: Engine, means: Means) -> None:
    """By the road of a run: probe, refusals, journal, seal."""
    report = cell.report
    try:
        generate_pending(run, cell.shards, engine, means)
    except Interrupted:
        raise
    except BenchforgeError as error:
        if error.message not in report.problems:
            report.problems.append(error.message)
    names = ["benchmark", "scenario", "protocol", "cut", "think_state"]
    rows = [row for row in run.lake.read("samples", names).to_pylist() if _is_of(row, report)]
    report.num_samples = len(rows)
    report.num_cut = sum(row["cut"] not in (None, "no") for row in rows)
    num_stopped = sum(row["cut"] == "stop_in_thinking" for row in rows)
    if num_stopped:
        report.problems.append(
            f"{num_stopped} answers were ended by a stop string inside their thinking: let stops act on the answer"
        )


def _scored(run: Run, score: Score) -> str | None:
    try:
        score(run)
    except Interrupted:
        raise
    except BenchforgeError as error:
        return f"not scored: {error.message}"
    return None


def _judged(run: Run, cell: _Cell, problem: str | None) -> None:
    report = cell.report
    samples = run.lake.read("samples", ["sample_id", "benchmark", "scenario", "protocol"]).to_pylist()
    ids = {row["sample_id"] for row in samples if _is_of(row, report)}
    rows = run.lake.read("results", ["sample_id", *_VERDICTS]).to_pylist()
    verdicts = [[row[name] for name in _VERDICTS if row[name]] for row in rows if row["sample_id"] in ids]
    report.num_judged = sum(bool(found) for found in verdicts)
    report.num_passed = sum(bool(found) and set(found) == {"pass"} for found in verdicts)
    if problem is not None:
        report.problems.append(problem)
    elif report.num_judged < report.num_samples:
        report.problems.append(f"{report.num_samples - report.num_judged} of {report.num_samples} got no verdict")


def _is_of(row: dict[str, Any], report: CellReport) -> bool:
    return all(row[name] == getattr(report, name) for name in ("benchmark", "scenario", "protocol"))


def _prompt_ids(response: Any) -> Sequence[int] | None:
    """Where vLLM puts them: beside the choices of a chat answer, in each choice of a completion."""
    return response.get("prompt_token_ids") or response["choices"][0].get("prompt_token_ids")


def _sequence(response: Any) -> Any:
    """What is compared: token ids where the server sends them, else the text."""
    choice = response["choices"][0]
    return choice.get("token_ids") or (choice.get("message") or {}).get("content") or choice.get("text")
