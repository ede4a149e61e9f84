"""Speed of generation against an engine on the loopback: ``python tests/bench/generate.py slots 64 12 10.0``.

Every client is a process of its own, forked from a warm parent, so its CPU seconds and peak memory are those of
``generate_pending`` alone; the engine is another. Lengths are log-normal, sequences share the engine's tokens per
second. The baseline asks one problem at a time and waits for the answer, as EvalPlus' openai backend does
(evalplus/gen/util/openai_request.py at 26d6d00: one blocking call per problem).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "loopback"))

import decoder
import planned_run
import storm
from benchforge.ingest.errors import BenchforgeError, Incomplete
from benchforge.ingest.manifest import Run
from benchforge.runners.generate.job import Job
from benchforge.runners.generate.pending import Means, generate_pending, to_generate
from benchforge.runners.generate.work import Demand
from benchforge.runners.selection import Selection


@dataclass(frozen=True)
class Slots:
    """One run at one concurrency, beside the loop that asks one problem at a time."""

    concurrency: int
    num_samples: int
    share_full: float
    cpu_ms_per_request: float
    samples_per_minute: float
    baseline_per_minute: float


@dataclass(frozen=True)
class Processor:
    """CPU per request with all of ours (prompt, row, journal, seal), beside the SDK's own call and nothing else."""

    concurrency: int
    ours_ms: float
    sdk_ms: float


@dataclass(frozen=True)
class Memory:
    num_samples: int
    peak_bytes: int
    cpu_ms_per_sample: float


@dataclass(frozen=True)
class Long:
    """Twenty-minute answers in jobs of four hours (scaled), ended by KILL."""

    num_jobs: int
    share_lost: float
    """Of the tokens that the engine made."""
    share_busy: float
    """Of the slots, over all jobs."""


@dataclass(frozen=True)
class _Ended:
    code: int
    cpu_seconds: float
    peak_bytes: int


def _client(work: Callable[[], None], kill_after_seconds: float | None = None) -> _Ended:
    """Run in a fork; ended by KILL when its time is over."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BenchforgeError as error:
            code = error.exit_code
            if not isinstance(error, Incomplete):
                print(error.message, file=sys.stderr)
        finally:
            os._exit(code)
    if kill_after_seconds is not None:
        deadline = time.monotonic() + kill_after_seconds
        while time.monotonic() < deadline and not storm.is_over(pid):
            time.sleep(0.005)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    return _Ended(os.waitstatus_to_exitcode(status), cpu, usage.ru_maxrss * 1024)


@contextmanager
def _engine(habits: decoder.Habits) -> Iterator[tuple[str, decoder.Counters]]:
    listening, counters = decoder.listen(), decoder.Counters()
    pid = decoder.start(listening, habits, counters)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", counters
    finally:
        storm.end(pid)
        listening.close()


def _run(folder: Path, num_samples: int, **request: int) -> Run:
    """One model whose tasks have so many samples each, in one shard: larger than any that is planned."""
    run = planned_run.planned(folder, "  - {model: lab__one, num_samples: 1, temperature: 0.8}\n")
    (shard,) = run.manifest.shards().values()
    run.manifest.path.unlink()
    whole = replace(
        shard,
        num_samples=num_samples,
        num_planned=num_samples,
        expected_rows=planned_run.NUM_TASKS * num_samples,
        request={**shard.request, **request},
    )
    run.manifest.add([whole])
    return run


def _generate(run: Run, base_url: str, demand: Demand, job: Job) -> None:
    means = Means(run.root.parent, demand=demand, job=job)
    generate_pending(run, to_generate(run, Selection()), planned_run.engine_at(base_url), means)


def slots(concurrency: int, samples_per_slot: int, mean_seconds: float) -> Slots:
    """Answers of 380 tokens in the mean (a program and some words), spread as sigma 0.7 says."""
    num_samples = concurrency * samples_per_slot // planned_run.NUM_TASKS + 1
    habits = decoder.Habits(300.0, 0.7, 383.0 / mean_seconds, full_at=concurrency)
    with _engine(habits) as (base_url, counters), tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder), num_samples)
        started = time.monotonic()
        ended = _client(lambda: _generate(run, base_url, Demand(concurrency), Job()))
        seconds, number = time.monotonic() - started, counters.get("num_answers")
        assert ended.code == 0
        return Slots(
            concurrency,
            int(number),
            counters.share_full(concurrency),
            1000 * ended.cpu_seconds / number,
            60 * number / seconds,
            _one_at_a_time(base_url, 3),
        )


def _one_at_a_time(base_url: str, number: int) -> float:
    """Samples per minute."""
    started = time.monotonic()
    for seed in range(number):
        body = {"model": "m", "messages": [{"role": "user", "content": f"problem {seed}"}], "seed": seed}
        request = urllib.request.Request(f"{base_url}/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            json.load(answer)
    return 60 * number / (time.monotonic() - started)


def processor(concurrency: int, per_slot: int, mean_seconds: float) -> Processor:
    """Both ask the same engine at the same pace, one after the other."""
    habits = decoder.Habits(300.0, 0.7, 383.0 / mean_seconds, full_at=concurrency)
    with _engine(habits) as (base_url, counters), tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder), concurrency * per_slot // planned_run.NUM_TASKS + 1)
        ours = _client(lambda: _generate(run, base_url, Demand(concurrency), Job()))
        number = int(counters.get("num_answers"))
        bare = _client(lambda: asyncio.run(_ask_all(base_url, concurrency, number)))
        assert (ours.code, bare.code, counters.get("num_answers")) == (0, 0, 2 * number)
        return Processor(concurrency, 1000 * ours.cpu_seconds / number, 1000 * bare.cpu_seconds / number)


async def _ask_all(base_url: str, concurrency: int, number: int) -> None:
    """``chat.completions.create`` as its documentation shows it; the answers are thrown away."""
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0)
    seeds = iter(range(number))

    async def slot() -> None:
        for seed in seeds:
            messages: Any = [{"role": "user", "content": f"{'x' * 300} {seed}"}]
            await client.chat.completions.create(model="m", messages=messages, seed=seed, max_tokens=512)

    await asyncio.gather(*(slot() for _ in range(concurrency)))


def memory(num_samples: int) -> Memory:
    """Peak of the client over one shard, ten samples in a request; what the fork inherited is in it."""
    with _engine(decoder.Habits(300.0, 0.5, 30_000.0)) as (base_url, counters), tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder), -(-num_samples // planned_run.NUM_TASKS))
        ended = _client(lambda: _generate(run, base_url, Demand(64, samples_per_request=10), Job()))
        assert ended.code == 0
        number = counters.get("num_choices")
        return Memory(int(number), ended.peak_bytes, 1000 * ended.cpu_seconds / number)


def long_answers(num_jobs: int, concurrency: int, scale: float, *, knows_its_end: bool) -> Long:
    """30,000 tokens in the median at 25 tokens/s; jobs of four hours, each killed at its limit unless it ended before.

    ``scale`` is by how much time runs faster than a clock: at 400 twenty minutes are three seconds.
    """
    job_seconds = 4 * 3600 / scale
    habits = decoder.Habits(30_000.0, 0.4, 25.0 * scale, text_bytes=500, full_at=concurrency)
    with _engine(habits) as (base_url, counters), tempfile.TemporaryDirectory() as folder:
        run = _run(Path(folder), 200, max_tokens=131_072)
        demand = Demand(concurrency, stream_from_tokens=sys.maxsize)

        def one_job() -> None:
            end = time.monotonic() + job_seconds if knows_its_end else None
            _generate(run, base_url, demand, Job(end=end, closing_seconds=30.0 / scale))

        started = time.monotonic()
        for _ in range(num_jobs):
            begun = time.monotonic()
            _client(one_job, job_seconds)
            time.sleep(max(0.0, begun + job_seconds - time.monotonic()))
        seconds = time.monotonic() - started
        deadline = time.monotonic() + 60
        while counters.get("in_flight") and time.monotonic() < deadline:
            time.sleep(0.01)
        lost, answered = counters.get("tokens_lost"), counters.get("tokens_answered")
        return Long(num_jobs, lost / max(lost + answered, 1.0), counters.get("busy") / (concurrency * seconds))


_MEASUREMENTS: dict[str, Callable[..., Any]] = {
    "slots": lambda concurrency, per_slot, seconds: slots(int(concurrency), int(per_slot), float(seconds)),
    "processor": lambda concurrency, per_slot, seconds: processor(int(concurrency), int(per_slot), float(seconds)),
    "memory": lambda number: memory(int(number)),
    "long": lambda jobs, word, number, scale: long_answers(
        int(jobs), int(number), float(scale), knows_its_end=word == "with"
    ),
}


if __name__ == "__main__":
    storm.warm()
    print(json.dumps(asdict(_MEASUREMENTS[sys.argv[1]](*sys.argv[2:]))))
