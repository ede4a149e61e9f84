"""The programs of a shard: samples read by the batch, extracted a few at a time, each distinct program given once.

A program is asked of the oracles that some sample wants its word of: the official extraction of the official one, the
corrected extraction of both. What samples next to each other want of a program is asked together; where a later one
wants more, only that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ingest import keys
from ...ingest.benchmarks.declaration import Benchmark, Task
from ...ingest.derivation import ANSWER_FROM, answer_of
from ...ingest.errors import BadInput, Incomplete, LakeError
from ...ingest.lake_batches import num_rows, read_batches
from ...ingest.manifest import Run, Shard
from ...ingest.texts import original
from .judge import Judge
from .known import Known
from .verdicts import oracles_of, oracles_wanted

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Found:
    """A program, and the oracles to ask."""

    task: Task
    program_id: bytes
    program: str
    oracles: tuple[str, ...]


_COLUMNS = (
    *("task_id", "sample_index", "sample_id", "text_form", "text_encoding", "protocol", "source", "answer"),
    *ANSWER_FROM,
)


_NUM_TOGETHER = 16
"""Samples whose texts are extracted at once: what one child of the sandbox takes."""


@dataclass(frozen=True)
class _Asked:
    """A sample on its way to its programs."""

    row: Mapping[str, Any]
    task: Task
    text: str
    text_key: bytes
    context: Mapping[str, str]


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

    def programs(self, judge: Judge, known: Known, advance: Advance) -> Iterator[Found]:
        """Each distinct (task, program, oracle) once, in lake order; ``known`` notes the two programs of every sample.

        Nothing is extracted before it is asked for: whoever grades pulls as it has room.
        """
        for rows in read_batches(self.run.lake, "samples", _COLUMNS, shard_id=self.shard.shard_id):
            for first in range(0, len(rows), _NUM_TOGETHER):
                asked = [self._asked(row) for row in rows[first : first + _NUM_TOGETHER] if row["raw_text"] is not None]
                yield from self._programs(judge, known, asked)
                advance(len(asked))

    def _asked(self, row: Mapping[str, Any]) -> _Asked:
        task, form = self.tasks[row["task_id"]], row["text_form"] or "raw"
        text = answer_text(row)
        text_key = bytes.fromhex(keys.digest_of((task.task_id, form, row["protocol"], text)))
        return _Asked(row, task, text, text_key, extraction_context(task, form, row["protocol"]))

    def _programs(self, judge: Judge, known: Known, asked: Sequence[_Asked]) -> Iterator[Found]:
        """The distinct programs of a few samples; texts that the shard has shown before are not extracted again."""
        new = list({item.text_key: item for item in asked if known.ids_of(item.text_key) is None}.values())
        found = self._wanted(known, new, self._extracted(judge, new))
        for item in asked:
            ids = known.ids_of(item.text_key)
            assert ids is not None, "extracted a moment ago, or known before"
            known.add_sample(item.row["task_id"], item.row["sample_index"], item.row["sample_id"], ids)
        yield from found

    def _wanted(self, known: Known, new: Sequence[_Asked], extracted: Sequence[tuple[str, str]]) -> list[Found]:
        """The programs of texts that are new, each with the oracles that were not asked yet."""
        programs: dict[tuple[str, bytes], tuple[Task, str]] = {}
        wanted: set[tuple[str, bytes, str]] = set()
        for item, texts in zip(new, extracted, strict=True):
            ids = (keys.program_id(texts[0]), keys.program_id(texts[1]))
            known.add_ids(item.text_key, ids)
            digest = item.task.task_digest
            programs |= {(digest, id_): (item.task, text) for id_, text in zip(ids, texts, strict=True)}
            for id_, oracles in oracles_wanted(self.benchmark.oracles, *ids).items():
                wanted |= {(digest, id_, name) for name in oracles if known.ask(digest, id_, name)}
        in_order = oracles_of(self.benchmark.oracles)
        found = (
            Found(task, id_, text, tuple(name for name in in_order if (digest, id_, name) in wanted))
            for (digest, id_), (task, text) in programs.items()
        )
        return [one for one in found if one.oracles]

    def _extracted(self, judge: Judge, asked: Sequence[_Asked]) -> list[tuple[str, str]]:
        """Official and corrected program of each."""
        names = self.benchmark.extraction
        extractors = (names.official,) if names.corrected == names.official else (names.official, names.corrected)
        found = iter(judge.extract_all([(name, item.text, item.context) for item in asked for name in extractors]))
        texts = [[next(found) for _ in extractors] for _ in asked]
        return [(pair[0], pair[-1]) for pair in texts]


def answer_text(row: Mapping[str, Any]) -> str:
    """The text that programs are extracted from, as the model wrote it.

    Ours is derived from what was received, so that a corrected strip rule is a new score and needs no GPU; a record of
    others stands as it was recorded.
    """
    encoding = row["text_encoding"]
    texts = {
        name: original(row[name], encoding) for name in ("raw_text", "reasoning", "answer") if row[name] is not None
    }
    if row["source"] is not None:
        return texts.get("answer", texts.get("raw_text", ""))
    return answer_of({**row, **texts})


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
