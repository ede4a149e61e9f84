"""A shard of tiny samples through the real judge: samples per second by workers, peak memory by number of samples.

``python tests/bench/shard.py [samples …]`` prints one line per size and number of workers. Every program stands
``DUPLICATES`` times. The peak is that of the process that scores; its grading processes and sandboxes are apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchforge.ingest import keys
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.lake import Lake
from benchforge.ingest.lake_batches import write_batches
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.score.judge import Judge
from benchforge.runners.score.shard import ShardScorer

BENCHMARK = registry()["forge_mini"]
TASKS = [task for task in load_tasks(BENCHMARK, None, "default", Path("unused")) if task.kind == "calls"]
DUPLICATES = 10


def main(sizes: list[int]) -> None:
    for size in sizes:
        for num_workers in (1, 2):
            with tempfile.TemporaryDirectory(prefix="benchforge-shard-") as place:
                _make(Path(place), size)
                words = [sys.executable, __file__, "--one", place, str(num_workers)]
                print(subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip(), flush=True)


def score(place: Path, num_workers: int) -> None:
    """In a process of its own, so that its peak is that of scoring alone."""
    run = Run(place / "run", Lake(place / "lake"))
    shard = run.manifest.shards()["tiny"]
    tasks = {task.task_id: task for task in TASKS}
    with Judge(tasks, num_workers=num_workers) as judge:
        started = time.perf_counter()
        scored = ShardScorer(run, shard, BENCHMARK, tasks, judge).score()
        seconds = time.perf_counter() - started
    [peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    line = {
        "samples": scored.num_rows,
        "programs": scored.num_graded,
        "workers": num_workers,
        "samples_per_second": round(scored.num_rows / seconds, 1),
        "programs_per_second": round(scored.num_graded / seconds, 1),
        "cpu_seconds_of_the_stage": round(time.process_time(), 1),
        "peak_mebibytes": round(int(peak) / 1024, 1),
    }
    print(json.dumps(line))


def _make(place: Path, size: int) -> None:
    num_per_task = size // len(TASKS)
    run = Run(place / "run", Lake(place / "lake"))
    shard = Shard(
        "tiny", "generate", "forge_mini", "default", "v1", None, "made__tiny", "official", {}, "r", "c",
        0, num_per_task, num_per_task, len(TASKS) * num_per_task,
    )  # fmt: skip
    run.manifest.add([shard])
    run.seal_parts("generate", "tiny", write_batches(run.lake, "samples", _samples(num_per_task), "tiny"), size)


def _samples(num_per_task: int) -> Iterator[list[dict]]:
    for task in sorted(TASKS, key=lambda task: task.task_id):
        yield [
            {
                "benchmark": "forge_mini", "model": "made__tiny", "scenario": "default", "task_id": task.task_id,
                "sample_index": index, "request_digest": "r", "comparability_digest": "c", "dataset_version": "v1",
                "sample_id": keys.sample_id("forge_mini", "default", task.task_id, "r", index), "shard_id": "tiny",
                "num_planned": num_per_task, "protocol": "official", "text_form": "raw",
                "raw_text": f"```python\n# {index // DUPLICATES}\n{task.reference}\n```\n",
            }
            for index in range(num_per_task)
        ]  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        score(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main([int(word) for word in sys.argv[1:]] or [2_000, 100_000])
