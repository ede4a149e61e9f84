"""Score one shard: samples from the lake, programs by extraction, verdicts by the judge, rows to the lake.

A stream: samples are read by the batch, extracted one by one as the judge has room for their programs, and what is
known of them lies in a temporary database (``known``), so that memory does not grow with the shard. Resumable at any
instant: the journal holds one line per graded program; a rerun extracts again (deterministic, in the sandbox), looks
up what the journal and the lake know, grades the rest, and seals when every sample has its verdicts. An infrastructure
failure leaves the shard without its marker: it is never a verdict.
"""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ...ingest import derivation, keys
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.errors import BenchforgeError
from ...ingest.lake_batches import write_batches
from ...ingest.manifest import Run, Shard, run_id
from .judge import Job, Judge, Outcome
from .known import Known
from .programs import ProgramWriter
from .source import Advance, Found, ShardSource
from .verdicts import empty_outcome, journal_row, outcome_line, result_columns


@dataclass(frozen=True)
class Scored:
    """What one attempt did: rows sealed, programs graded now, programs looked up."""

    shard_id: str
    num_rows: int
    num_graded: int
    num_reused: int


class ShardScorer:
    """Everything that scoring one shard needs; ``score()`` runs it to its end or raises."""

    def __init__(
        self,
        run: Run,
        shard: Shard,
        benchmark: Benchmark,
        tasks: Mapping[str, Task],
        judge: Judge,
        known: Known | None = None,
    ) -> None:
        """``known`` is shared by shards of one scenario that are scored one after the other; None: the lake's."""
        self.run, self.shard, self.benchmark, self.tasks, self.judge = run, shard, benchmark, tasks, judge
        self.grader_id = grader_id(benchmark, judge)
        self.lane = lane(shard.shard_id, judge.rules.limit_scale)
        self.journal = run.journal("score", self.lane)
        self._given = known

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
        source = ShardSource(self.run, self.shard, self.benchmark, self.tasks)
        source.check()
        with ExitStack() as stack:
            self.known = self._given or stack.enter_context(
                everything_known(self.run, self.benchmark, self.shard.scenario, self.grader_id)
            )
            self._recall(is_forced)
            self.programs = ProgramWriter(self.run.lake, self.benchmark.name, self.shard.shard_id, self.known)
            num_graded = self._grade(source.programs(self.judge, self.known, advance))
            self.programs.flush()
            num_samples, num_programs = self.known.count()
            self._seal(num_samples)
        return Scored(self.shard.shard_id, num_samples, num_graded, num_programs - num_graded)

    def _recall(self, is_forced: bool) -> None:
        """What earlier attempts of this shard graded; under force nothing that is known counts."""
        self.known.begin_shard()
        if is_forced:
            self.run.clear_done("score", self.lane)
            self.journal.discard()
            self.known.forget_outcomes()
        for row in self.journal.rows():
            if row["grader_id"] == self.grader_id:
                self._take(row)

    def _take(self, row: Mapping[str, Any]) -> bool:
        """False for a program that this shard has graded before."""
        self.known.add(row["task_digest"], row["program_id"], row["outcomes"])
        return self.known.add_measured(row["task_digest"], row["program_id"], row["measured"])

    def _grade(self, programs: Iterator[Found]) -> int:
        number = 0
        with self.journal.appending() as append:
            for job, graded in self.judge.grade(self._jobs(programs)):
                task_digest, program_id = job.key
                row = journal_row(self.grader_id, task_digest, program_id, graded)
                append(row)
                number += self._take(row)
        return number

    def _jobs(self, programs: Iterator[Found]) -> Iterator[Job]:
        """Empty and known programs need no job."""
        for found in programs:
            self.programs.add(found.program_id, found.program)
            key = (found.task.task_digest, found.program_id)
            if not found.program.strip():
                self.known.add(*key, dict.fromkeys(found.oracles, outcome_line(empty_outcome(found.task))))
            elif oracles := tuple(name for name in found.oracles if self.known.outcome(*key, name) is None):
                yield Job(key, found.task.task_id, found.program, oracles)

    def _seal(self, num_samples: int) -> None:
        """Sorted as the lake sorts them, by the batch, so that two runs write the same results byte for byte."""
        lake = self.run.lake
        by_task = self.known.samples("task_id, sample_index, sample_id")
        results = write_batches(lake, "results", ([self._result(*row) for row in rows] for rows in by_task), self.lane)
        by_id = self.known.samples("sample_id")
        timings = write_batches(lake, "timings", ([self._timing(*row) for row in rows] for rows in by_id), self.lane)
        self.run.seal_parts("score", self.lane, [*results, *timings], num_samples)

    def _result(
        self, task_id: str, sample_index: int, sample_id: bytes, official: bytes, corrected: bytes
    ) -> dict[str, Any]:
        task = self.tasks[task_id]

        def find(program_id: bytes, oracle: str) -> Outcome:
            found = self.known.outcome(task.task_digest, program_id, oracle)
            assert found is not None, "the judge has answered for every program"
            return found

        return {
            "benchmark": self.benchmark.name,
            "model": self.shard.model,
            "scenario": self.shard.scenario,
            "task_id": task_id,
            "sample_index": sample_index,
            "sample_id": sample_id,
            "request_digest": self.shard.request_digest,
            "comparability_digest": self.shard.comparability_digest,
            "dataset_version": self.shard.dataset_version,
            "grader_id": self.grader_id,
            "task_digest": task.task_digest,
            "origin": "self",
            "trust_tier": "suite" if task.kind == "suite" else "values",
            "source": self.shard.source,
            "sandbox_mode": self.judge.mode,
            "sandbox_layers": list(self.judge.layers),
            "is_unsafe": self.judge.is_unsafe,
            "limit_factor": self.judge.rules.limit_scale,
            "shard_id": self.lane,
            **result_columns(find, official, corrected, self.benchmark.oracles),
        }

    def _timing(self, task_id: str, _: int, sample_id: bytes, official: bytes, corrected: bytes) -> dict[str, Any]:
        digest = self.tasks[task_id].task_digest
        measured = self.known.measured(digest, official)
        other = self.known.measured(digest, corrected).limit_shares if corrected != official else (None, None)
        return {
            "benchmark": self.benchmark.name,
            "model": self.shard.model,
            "sample_id": sample_id,
            "grader_id": self.grader_id,
            "shard_id": self.lane,
            "cpu_seconds": measured.cpu_seconds,
            "wall_seconds": measured.wall_seconds,
            "peak_memory_bytes": measured.peak_memory_bytes,
            "case_seconds": measured.case_seconds,
            "base_limit_share": measured.limit_shares[0],
            "plus_limit_share": measured.limit_shares[1],
            "corrected_base_limit_share": other[0],
            "corrected_plus_limit_share": other[1],
            "host": platform.node(),
            "attempt": measured.attempt,
            "is_reused": measured.is_reused,
        }

    def _record(self, started: datetime.datetime, clock: float, num_rows: int, cause: str, detail: str | None) -> None:
        attempt = self.run.next_attempt("score", self.lane)
        self.run.record_attempt(
            {
                "run_id": run_id(self.lane, "score", attempt),
                "shard_id": self.lane,
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


def lane(shard_id: str, limit_factor: float) -> str:
    """Under which name a shard's verdicts, journal and marker stand: those of other limits lie beside the official."""
    return shard_id if limit_factor == 1.0 else f"{shard_id}-x{limit_factor:g}"


def everything_known(run: Run, benchmark: Benchmark, scenario: str, grader: str) -> Known:
    """What the lake holds of one scenario under one grader."""
    known = Known()
    known.recall(run.lake, benchmark.name, scenario, grader, benchmark.oracles)
    known.recall_texts(run.lake, benchmark.name)
    return known


def grader_id(benchmark: Benchmark, judge: Judge) -> str:
    """Digest of judge, oracles, limits and interpreter (the judge's own digest), of the way from a text to its answer
    and of the two extractors."""
    from .extract import code_digest

    return keys.digest_of(
        {
            "judge": judge.grader_id(benchmark.oracles),
            "answers": derivation.code_digest(),
            "extraction": (benchmark.extraction.official, benchmark.extraction.corrected),
            "extractors": code_digest(),
        }
    )


def _cause(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "cancelled"
    return "notice" if isinstance(error, BenchforgeError) and error.exit_code == 75 else "crashed"


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
