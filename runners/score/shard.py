"""Score one shard: samples from the lake, programs by extraction, verdicts by the judge, rows to the lake.

Resumable at any instant. The journal holds one line per graded program; a rerun extracts again (deterministic, in the
sandbox), looks up what the journal and the lake know, grades the rest, and seals when every sample has its verdicts.
An infrastructure failure leaves the shard without its marker: it is never a verdict.
"""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ingest import keys
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.errors import BadInput, BenchforgeError, Incomplete, LakeError
from ...ingest.manifest import Run, Shard, run_id
from ...ingest.texts import original
from .judge import Job, Judge
from .verdicts import (
    Measured,
    Store,
    empty_outcome,
    from_journal,
    journal_row,
    oracles_wanted,
    result_columns,
)

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Scored:
    """What one attempt did: rows sealed, programs graded now, programs looked up."""

    shard_id: str
    num_rows: int
    num_graded: int
    num_reused: int


@dataclass(frozen=True)
class Pair:
    """The two programs of one sample."""

    official: str
    corrected: str

    @property
    def ids(self) -> tuple[bytes, bytes]:
        return keys.program_id(self.official), keys.program_id(self.corrected)


class ShardScorer:
    """Everything that scoring one shard needs; ``score()`` runs it to its end or raises."""

    def __init__(self, run: Run, shard: Shard, benchmark: Benchmark, tasks: Mapping[str, Task], judge: Judge) -> None:
        self.run, self.shard, self.benchmark, self.tasks, self.judge = run, shard, benchmark, tasks, judge
        self.grader_id = grader_id(benchmark, judge)
        self.journal = run.journal("score", shard.shard_id)
        self.store = Store()

    def score(self, *, is_forced: bool = False, advance: Advance = lambda number: None) -> Scored:
        """Grade what is missing, then seal. Raises Incomplete when the sandbox failed for some programs."""
        started, clock = _utc_now(), time.monotonic()
        try:
            scored = self._score(is_forced, advance)
        except BaseException as error:
            self._record(started, clock, 0, _cause(error), str(error) or type(error).__name__)
            raise
        self._record(started, clock, scored.num_rows, "done", None)
        return scored

    def _score(self, is_forced: bool, advance: Advance) -> Scored:
        samples = self._samples()
        if is_forced:
            self.run.clear_done("score", self.shard.shard_id)
            self.journal.discard()
        else:
            self._recall()
        pairs = self._extract(samples)
        jobs = self._jobs(samples, pairs)
        advance(len(samples) - len(jobs))
        self._grade(jobs, advance)
        self._seal(samples, pairs)
        num_programs = len({(row["task_id"], id_) for row in samples for id_ in pairs[row["sample_id"]].ids})
        return Scored(self.shard.shard_id, len(samples), len(jobs), num_programs - len(jobs))

    def _samples(self) -> list[dict[str, Any]]:
        """Rows with a text to grade, one per planned sample."""
        shard = self.shard
        if not self.run.is_done("generate", shard.shard_id):
            raise Incomplete(
                f"shard {shard.shard_id} is not generated yet", f"benchforge generate --shard-id {shard.shard_id}"
            )
        columns = [
            "task_id",
            "sample_index",
            "sample_id",
            "raw_text",
            "answer",
            "text_form",
            "text_encoding",
            "protocol",
        ]
        rows = self.run.lake.read("samples", columns, shard_id=shard.shard_id).to_pylist()
        if len(rows) != shard.expected_rows:
            raise LakeError(
                f"the lake {self.run.lake.root} holds {len(rows)} of the {shard.expected_rows} samples of shard "
                f"{shard.shard_id}",
                "name the lake that the shard was written to (--lake DIR), or write it again (--force)",
            )
        unknown = sorted({row["task_id"] for row in rows} - set(self.tasks))
        if unknown:
            raise BadInput(
                f"shard {shard.shard_id} asks for {len(unknown)} tasks that {self.benchmark.name} "
                f"{shard.dataset_version} does not have, e.g. {unknown[0]}",
                f"benchforge stage {self.benchmark.name} --version {shard.dataset_version} --from DIR",
            )
        return [row for row in rows if row["raw_text"] is not None]

    def _recall(self) -> None:
        """What is known already: the lake's verdicts by this grader, then the journal of earlier attempts."""
        self.store.add_from_lake(self.run.lake, self.benchmark.name, self.grader_id, self.benchmark.oracles)
        for row in self.journal.rows():
            if row["grader_id"] == self.grader_id:
                from_journal(row, self.store)

    def _extract(self, samples: Sequence[Mapping[str, Any]]) -> dict[bytes, Pair]:
        """Both programs of every sample; equal (task, text) pairs are extracted once."""
        known: dict[tuple[str, str, str], Pair] = {}
        pairs: dict[bytes, Pair] = {}
        for row in samples:
            text = original(row["answer"] if row["answer"] is not None else row["raw_text"], row["text_encoding"])
            key = (row["task_id"], row["text_form"] or "raw", text)
            if key not in known:
                known[key] = self._pair(self.tasks[row["task_id"]], text, row)
            pairs[row["sample_id"]] = known[key]
        return pairs

    def _pair(self, task: Task, text: str, row: Mapping[str, Any]) -> Pair:
        context = extraction_context(task, row["text_form"] or "raw", row["protocol"])
        names = self.benchmark.extraction
        official = self.judge.extract(names.official, text, context)
        corrected = (
            official if names.corrected == names.official else self.judge.extract(names.corrected, text, context)
        )
        return Pair(official, corrected)

    def _jobs(self, samples: Sequence[Mapping[str, Any]], pairs: Mapping[bytes, Pair]) -> list[Job]:
        """One job per distinct (task, program) whose outcome is not known; empty programs need none."""
        wanted: dict[tuple[str, bytes], Job] = {}
        for row in samples:
            task, pair = self.tasks[row["task_id"]], pairs[row["sample_id"]]
            texts = dict(zip(pair.ids, (pair.official, pair.corrected), strict=True))
            for program_id, oracles in oracles_wanted(self.benchmark.oracles, *pair.ids).items():
                if not texts[program_id].strip():
                    self.store.add(task.task_digest, program_id, {name: empty_outcome(task) for name in oracles})
                    continue
                missing = self.store.missing(task.task_digest, program_id, oracles)
                if missing:
                    _merge(wanted, Job((task.task_digest, program_id), task.task_id, texts[program_id], missing))
        return list(wanted.values())

    def _grade(self, jobs: Sequence[Job], advance: Advance) -> None:
        for job, graded in self.judge.grade(jobs):
            task_digest, program_id = job.key
            row = journal_row(self.grader_id, task_digest, program_id, graded)
            self.journal.append(row)
            from_journal(row, self.store)
            advance(1)

    def _seal(self, samples: Sequence[Mapping[str, Any]], pairs: Mapping[bytes, Pair]) -> None:
        results = [self._result(row, pairs[row["sample_id"]]) for row in samples]
        timings = [self._timing(row) for row in results]
        self._seal_programs(pairs)
        self.run.seal("score", self.shard.shard_id, {"results": results, "timings": timings}, len(results))

    def _seal_programs(self, pairs: Mapping[bytes, Pair]) -> None:
        """Each text once per benchmark, in append-only parts: another shard may rely on a text that stands here."""
        lake = self.run.lake
        known = set(
            lake.read("programs", ["program_id"], [("benchmark", "=", self.benchmark.name)])["program_id"].to_pylist()
        )
        texts = {program_id: text for program_id, text in self._programs(pairs).items() if program_id not in known}
        rows = [{"benchmark": self.benchmark.name, "program_id": key, "program": text} for key, text in texts.items()]
        for part in lake.write_part("programs", rows, self.shard.shard_id) if rows else []:
            lake.commit(part.stem.removeprefix("part-"), "score", [part])

    def _programs(self, pairs: Mapping[bytes, Pair]) -> dict[bytes, str]:
        return {keys.program_id(text): text for pair in pairs.values() for text in (pair.official, pair.corrected)}

    def _result(self, sample: Mapping[str, Any], pair: Pair) -> dict[str, Any]:
        task = self.tasks[sample["task_id"]]
        return {
            "benchmark": self.benchmark.name,
            "model": self.shard.model,
            "scenario": self.shard.scenario,
            "task_id": task.task_id,
            "sample_index": sample["sample_index"],
            "sample_id": sample["sample_id"],
            "grader_id": self.grader_id,
            "origin": "self",
            "trust_tier": "suite" if task.kind == "suite" else "values",
            "source": self.shard.source,
            "sandbox_mode": self.judge.mode,
            "sandbox_layers": list(self.judge.layers),
            "is_unsafe": self.judge.is_unsafe,
            "shard_id": self.shard.shard_id,
            **result_columns(self.store, task.task_digest, *pair.ids, self.benchmark.oracles),
        }

    def _timing(self, result: Mapping[str, Any]) -> dict[str, Any]:
        measured = self.store.measured.get((result["task_digest"], result["program_id"]), Measured())
        seconds = list(measured.case_seconds) if measured.case_seconds is not None else None
        return {
            **{name: result[name] for name in ("benchmark", "model", "sample_id", "grader_id", "shard_id")},
            "cpu_seconds": measured.cpu_seconds,
            "wall_seconds": measured.wall_seconds,
            "peak_memory_bytes": measured.peak_memory_bytes,
            "case_seconds": seconds,
            "host": platform.node(),
            "attempt": measured.attempt,
            "is_reused": measured.is_reused,
        }

    def _record(self, started: datetime.datetime, clock: float, num_rows: int, cause: str, detail: str | None) -> None:
        attempt = self.run.next_attempt("score", self.shard.shard_id)
        self.run.record_attempt(
            {
                "run_id": run_id(self.shard.shard_id, "score", attempt),
                "shard_id": self.shard.shard_id,
                "stage": "score",
                "benchmark": self.shard.benchmark,
                "model": self.shard.model,
                "scenario": self.shard.scenario,
                "request_digest": self.shard.request_digest,
                "num_planned": self.shard.num_planned,
                "attempt": attempt,
                "node": platform.node(),
                "wall_seconds": time.monotonic() - clock,
                "num_rows": num_rows,
                "cause": cause,
                "detail": detail,
                "started_at": started,
                "ended_at": _utc_now(),
            }
        )


def grader_id(benchmark: Benchmark, judge: Judge) -> str:
    """Digest of judge, oracles, limits and interpreter (the judge's own digest) and of the two extractors."""
    from .extract import code_digest

    names = (benchmark.extraction.official, benchmark.extraction.corrected)
    return keys.digest_of(
        {"judge": judge.grader_id(benchmark.oracles), "extraction": names, "extractors": code_digest()}
    )


def extraction_context(task: Task, text_form: str, protocol: str) -> dict[str, str]:
    """What an extractor may know of the task: never an answer."""
    return {
        "text_form": text_form,
        "prompt": task.prompt,
        "entry_point": task.payload.get("entry_point") or "",
        "scenario": task.scenario,
        "protocol": protocol,
        **task.payload.get("extract", {}),
    }


def _merge(wanted: dict[tuple[str, bytes], Job], job: Job) -> None:
    """One execution serves all oracles: two samples may ask the same program for different ones."""
    present = wanted.get(job.key)
    oracles = tuple(dict.fromkeys((*(present.oracles if present else ()), *job.oracles)))
    wanted[job.key] = Job(job.key, job.task_id, job.program, oracles)


def _cause(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "cancelled"
    return "notice" if isinstance(error, BenchforgeError) and error.exit_code == 75 else "crashed"


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
