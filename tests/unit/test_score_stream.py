"""Scoring as a stream: the same bytes on every road, nothing held that grows with the shard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchforge.ingest import keys
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.lake import Lake
from benchforge.ingest.lake_batches import num_rows, read_batches, write_batches
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.score.judge import Graded, Outcome, PartOutcome, Rules
from benchforge.runners.score.shard import ShardScorer

BENCHMARK = registry()["forge_mini"]
TASKS = {task.task_id: task for task in load_tasks(BENCHMARK, None, "default", Path("unused"))}
WORDS = ("right {}", "wrong {}", "wrapped right {}", "right", "")


class TinyJudge:
    """Grades at once what ``right`` begins; may break off after so many programs, like a process that is killed."""

    mode, layers, is_unsafe = "inner-only", ("seccomp",), False

    def __init__(self, ends_after: int | None = None, order: int = 1, limit_factor: float = 1.0) -> None:
        self.rules = Rules(limit_scale=limit_factor)
        self.ends_after, self.order, self.num_graded = ends_after, order, 0

    def grader_id(self, oracles):
        return f"tiny-{self.rules.limit_scale}"

    def extract(self, extractor, text, context):
        return text if extractor == BENCHMARK.extraction.official else text.replace("wrapped ", "")

    def extract_all(self, wanted):
        return [self.extract(*item) for item in wanted]

    def grade(self, jobs):
        held = []
        for job in jobs:
            held.append(job)
            if len(held) < self.order:
                continue
            yield self._graded(held.pop())  # several at work: they end in another order than they began
        for job in held:
            yield self._graded(job)

    def _graded(self, job):
        if self.num_graded == self.ends_after:
            raise KeyboardInterrupt
        self.num_graded += 1
        is_right = job.program.startswith("right")
        part = PartOutcome("pass" if is_right else "fail", "ok" if is_right else "wrong_answer", None, 1, int(is_right))
        shares = (0.1 * self.num_graded % 1, None)
        return job, Graded(dict.fromkeys(job.oracles, Outcome(part, None)), 0.1, 0.1, 1, (0.1,), 1, shares)


class UnwrapOnce(TinyJudge):
    """What is wrapped twice is corrected to what is wrapped once."""

    def extract(self, extractor, text, context):
        return text if extractor == BENCHMARK.extraction.official else text.removeprefix("wrapped ")


def shard_of(run: Run, num_per_task: int, shard_id: str = "s1") -> Shard:
    """Many samples of every task: one in three repeats an earlier text, some differ by extraction."""
    shard = Shard(
        shard_id, "generate", "forge_mini", "default", "v1", None, "lab__x", "official", {}, "r" + shard_id, "c",
        0, num_per_task, num_per_task, len(TASKS) * num_per_task,
    )  # fmt: skip
    run.manifest.add([shard])
    batches = (_samples(shard, task_id, num_per_task) for task_id in sorted(TASKS))
    parts = write_batches(run.lake, "samples", batches, shard_id)
    run.seal_parts("generate", shard_id, parts, shard.expected_rows)
    return shard


def _samples(shard: Shard, task_id: str, number: int) -> list[dict]:
    return [
        {
            "benchmark": "forge_mini", "model": "lab__x", "scenario": "default", "task_id": task_id,
            "sample_index": index, "request_digest": shard.request_digest, "comparability_digest": "c",
            "sample_id": keys.sample_id("forge_mini", "default", task_id, shard.request_digest, index),
            "dataset_version": "v1", "shard_id": shard.shard_id, "num_planned": number, "protocol": "official",
            "text_form": "raw", "raw_text": WORDS[index % 5].format(index // 2),
        }
        for index in range(number)
    ]  # fmt: skip


def score(run: Run, shard: Shard, judge: TinyJudge, **options):
    return ShardScorer(run, shard, BENCHMARK, TASKS, judge).score(**options)  # type: ignore[arg-type]


def parts_of(run: Run, table: str = "results") -> dict[str, bytes]:
    return {part.name: part.read_bytes() for part in run.lake.live_parts(table)}


def a_run(place: Path) -> Run:
    return Run(place / "run", Lake(place / "lake"))


def test_results_are_the_same_bytes_whatever_the_order_of_the_judge_and_after_a_break(tmp_path: Path):
    straight, shuffled, broken = (a_run(tmp_path / name) for name in ("a", "b", "c"))
    score(straight, shard_of(straight, 30), TinyJudge())
    score(shuffled, shard_of(shuffled, 30), TinyJudge(order=7))
    shard = shard_of(broken, 30)
    for ends_after in (0, 1, 100):
        with pytest.raises(KeyboardInterrupt):
            score(broken, shard, TinyJudge(ends_after))
        assert not broken.lake.live_parts("results") and not broken.is_done("score", "s1")
    last = TinyJudge()
    done = score(broken, shard, last)
    assert done.num_rows == 30 * len(TASKS) and done.num_graded == last.num_graded
    assert parts_of(straight) == parts_of(shuffled) == parts_of(broken)
    assert len(parts_of(straight)) == 1
    texts = [run.lake.read("programs").sort_by("program_id") for run in (straight, shuffled, broken)]
    assert texts[0] == texts[1] == texts[2]


def test_parts_of_the_same_rows_are_not_written_again(tmp_path: Path):
    run = a_run(tmp_path)
    shard = shard_of(run, 1)
    score(run, shard, TinyJudge())
    [part] = run.lake.live_parts("results")
    before = part.stat().st_ino
    score(run, shard, TinyJudge(), is_forced=True)
    assert [one.stat().st_ino for one in run.lake.live_parts("results")] == [before]
    assert not list(part.parent.glob(".*")), "nothing temporary is left"


def test_a_program_that_later_samples_ask_more_of_counts_once_and_ends_in_the_same_bytes(tmp_path: Path, monkeypatch):
    """``wrapped right 0`` is one sample's official and the next one's corrected program: asked at once, or in two."""
    words = ("wrapped right {}", "wrapped wrapped right {}", "", "", "")
    monkeypatch.setattr(f"{__name__}.WORDS", words)
    straight, piecewise = a_run(tmp_path / "a"), a_run(tmp_path / "b")
    together = score(straight, shard_of(straight, 2), UnwrapOnce())
    monkeypatch.setattr("benchforge.runners.score.source._NUM_TOGETHER", 1)
    judge = UnwrapOnce()
    alone = score(piecewise, shard_of(piecewise, 2), judge)
    assert alone == together
    assert judge.num_graded > alone.num_graded, "some were run again, for the other oracle"
    assert parts_of(straight) == parts_of(piecewise)


def test_a_shard_larger_than_a_batch_is_sorted_across_its_row_groups(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("benchforge.runners.score.known.BATCH_ROWS", 50)
    run = a_run(tmp_path)
    score(run, shard_of(run, 10), TinyJudge(order=3))
    rows = run.lake.read("results", ["task_id", "sample_index", "sample_id"]).to_pylist()
    assert len(rows) == 10 * len(TASKS) == num_rows(run.lake, "results")
    assert rows == sorted(rows, key=lambda row: (row["task_id"], row["sample_index"]))
    ids = [row["sample_id"] for row in run.lake.read("timings", ["sample_id"]).to_pylist()]
    assert ids == sorted(ids)


def test_other_limits_lie_beside_the_official_ones(tmp_path: Path):
    run = a_run(tmp_path)
    shard = shard_of(run, 3)
    score(run, shard, TinyJudge())
    before = parts_of(run)
    done = score(run, shard, TinyJudge(limit_factor=2.0))
    assert done.num_graded > 0
    assert before.items() <= parts_of(run).items()
    rows = run.lake.read("results", ["limit_factor", "shard_id"]).to_pylist()
    assert {(row["limit_factor"], row["shard_id"]) for row in rows} == {(1.0, "s1"), (2.0, "s1-x2")}
    assert run.is_done("score", "s1") and run.is_done("score", "s1-x2")
    shares = run.lake.read("timings", ["base_limit_share", "corrected_base_limit_share"]).to_pylist()
    assert any(row["corrected_base_limit_share"] is not None for row in shares)
    assert any(row["corrected_base_limit_share"] is None for row in shares)


def test_rows_are_read_by_equality_and_parts_elsewhere_are_left_alone(tmp_path: Path):
    run = a_run(tmp_path)
    score(run, shard_of(run, 4), TinyJudge())
    found = [row for rows in read_batches(run.lake, "results", ["task_id"], {"scenario": "default"}) for row in rows]
    assert len(found) == 4 * len(TASKS) and set(found[0]) == {"task_id"}
    assert not list(read_batches(run.lake, "results", ["task_id"], {"benchmark": "cruxeval"}))
    none = [rows for rows in read_batches(run.lake, "results", ["task_id"], {"grader_id": "another"}) if rows]
    assert not none


_MEASURED = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_score_stream import TinyJudge, a_run, score
run = a_run(Path({place!r}))
score(run, run.manifest.shards()["s1"], TinyJudge())
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(peak)
"""


@pytest.mark.parametrize(("few", "many"), [(2_016, 33_600)])
def test_memory_does_not_grow_with_the_shard(tmp_path: Path, few: int, many: int):
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc")
    peaks = [peak_kibibytes(tmp_path / str(number), number // len(TASKS)) for number in (few, many)]
    assert peaks[1] <= 1.3 * peaks[0], peaks


def peak_kibibytes(place: Path, num_per_task: int) -> int:
    """Of a process that scores so many samples of every task, and does nothing else."""
    shard_of(a_run(place), num_per_task)
    code = _MEASURED.format(folder=str(Path(__file__).parent), place=str(place))
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
