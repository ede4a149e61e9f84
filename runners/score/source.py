"""The programs of a shard: its samples read by the batch, extracted one by one, each distinct program given once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...ingest import keys
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.errors import BadInput, Incomplete, LakeError
from ...ingest.lake_batches import num_rows, read_batches
from ...ingest.manifest import Run, Shard
from ...ingest.texts import original
from .judge import Judge
from .known import Ids, Known

Advance = Callable[[int], None]

Found = tuple[Task, bytes, str]
"""Task, program id, program text."""

_COLUMNS = (
    "task_id",
    "sample_index",
    "sample_id",
    "raw_text",
    "answer",
    "text_form",
    "text_encoding",
    "protocol",
)


class ShardSource:
    """Samples of one shard, as the lake holds them."""

    def __init__(self, run: Run, shard: Shard, benchmark: Benchmark, tasks: Mapping[str, Task]) -> None:
        self.run, self.shard, self.benchmark, self.tasks = run, shard, benchmark, tasks

    def check(self) -> None:
        """Every planned sample is there, of tasks that the benchmark has."""
        shard, lake = self.shard, self.run.lake
        if not self.run.is_done("generate", shard.shard_id):
            raise Incomplete(
                f"shard {shard.shard_id} is not generated yet", f"benchforge generate --shard-id {shard.shard_id}"
            )
        number = num_rows(lake, "samples", shard.shard_id)
        if number != shard.expected_rows:
            raise LakeError(
                f"the lake {lake.root} holds {number} of the {shard.expected_rows} samples of shard {shard.shard_id}",
                "name the lake that the shard was written to (--lake DIR), or write it again (--force)",
            )
        batches = read_batches(lake, "samples", ["task_id"], shard_id=shard.shard_id)
        unknown = {row["task_id"] for rows in batches for row in rows} - set(self.tasks)
        if unknown:
            raise BadInput(
                f"shard {shard.shard_id} asks for {len(unknown)} tasks that {self.benchmark.name} "
                f"{shard.dataset_version} does not have, e.g. {min(unknown)}",
                f"benchforge stage {self.benchmark.name} --version {shard.dataset_version} --from DIR",
            )

    def programs(self, judge: Judge, known: Known, advance: Advance = lambda number: None) -> Iterator[Found]:
        """Each distinct (task, program) once, in lake order; every sample is noted in ``known`` with its two programs.

        Nothing is extracted before it is asked for: whoever grades pulls as it has room.
        """
        for rows in read_batches(self.run.lake, "samples", _COLUMNS, shard_id=self.shard.shard_id):
            for row in rows:
                if row["raw_text"] is not None:
                    task = self.tasks[row["task_id"]]
                    for program_id, program in self._extracted(judge, known, task, row).items():
                        if known.ask(task.task_digest, program_id):
                            yield task, program_id, program
                    advance(1)

    def _extracted(self, judge: Judge, known: Known, task: Task, row: Mapping[str, Any]) -> dict[bytes, str]:
        """Programs of a sample by id; none where an equal text of the shard was extracted before."""
        form = row["text_form"] or "raw"
        text = original(row["answer"] if row["answer"] is not None else row["raw_text"], row["text_encoding"])
        text_key = bytes.fromhex(keys.digest_of((task.task_id, form, row["protocol"], text)))
        ids, programs = known.ids_of(text_key), {}
        if ids is None:
            context = extraction_context(task, form, row["protocol"])
            ids, programs = self._extract(judge, text, context)
            known.add_ids(text_key, ids)
        known.add_sample(row["task_id"], row["sample_index"], row["sample_id"], ids)
        return programs

    def _extract(self, judge: Judge, text: str, context: Mapping[str, str]) -> tuple[Ids, dict[bytes, str]]:
        names = self.benchmark.extraction
        official = judge.extract(names.official, text, context)
        is_same = names.corrected == names.official
        corrected = official if is_same else judge.extract(names.corrected, text, context)
        ids = keys.program_id(official), keys.program_id(corrected)
        return ids, dict(zip(ids, (official, corrected), strict=True))


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
