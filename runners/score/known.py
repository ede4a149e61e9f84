"""What is known while shards are scored, in a private temporary database: memory does not grow with their samples.

Two lifetimes. Outcomes, and the ids of the texts that stand in the lake, live as long as the object: shards that
follow each other look up what those before them have graded. The rest is about the shard at hand and goes with it.
Nothing here has to survive: journal and lake are the record, and the database is a file without a name that ends with
its process.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...ingest.benchmarks.declaration import Oracles
from ...ingest.errors import LakeError
from ...ingest.lake import Lake
from ...ingest.lake_batches import BATCH_ROWS, read_batches
from .judge import Outcome, PartOutcome
from .verdicts import OUTCOME_COLUMNS, Measured, OutcomeLine, outcome_of, outcomes_of_row

_LASTING = {
    "outcomes": (
        "task_digest text, program_id blob, oracle text, line text, primary key (task_digest, program_id, oracle)"
    ),
    "texts": "program_id blob primary key",
}
_OF_A_SHARD = {
    "measured": "task_digest text, program_id blob, line text, primary key (task_digest, program_id)",
    "asked": "task_digest text, program_id blob, oracle text, primary key (task_digest, program_id, oracle)",
    "pairs": "text_key blob primary key, official blob, corrected blob",
    "samples": "task_id text, sample_index integer, sample_id blob primary key, official blob, corrected blob",
    "gradings": (
        "task_id text, program_id blob, oracle text, part text, verdict text, reason text, task_digest text, "
        "num_gradings integer, primary key (task_id, program_id, oracle, part, verdict, reason)"
    ),
}
_PRAGMAS = ("journal_mode = off", "synchronous = off", "temp_store = file", "cache_size = -2048")

Ids = tuple[bytes, bytes]
"""Ids of the two programs of a sample: official, corrected."""


class Known:
    """One grader's knowledge; ``recall`` reads the lake, ``begin_shard`` forgets the shard before."""

    def __init__(self) -> None:
        with _full_disk_named():
            self._base = sqlite3.connect("", isolation_level=None)
            for pragma in _PRAGMAS:
                self._base.execute(f"pragma {pragma}")
            for name, columns in {**_LASTING, **_OF_A_SHARD}.items():
                self._base.execute(f"create table {name} ({columns}) without rowid")

    def recall(self, lake: Lake, benchmark: str, scenario: str, grader_id: str, oracles: Oracles) -> None:
        """Everything that this grader has judged of the scenario before, and the texts that the lake holds."""
        where = {"benchmark": benchmark, "scenario": scenario, "grader_id": grader_id}
        for rows in read_batches(lake, "results", OUTCOME_COLUMNS, where):
            self._add_lines(
                (row["task_digest"], program_id, oracle, json.dumps(line))
                for row in rows
                for program_id, oracle, line in outcomes_of_row(row, oracles)
            )

    def recall_texts(self, lake: Lake, benchmark: str) -> None:
        """Ids of the program texts that the lake holds."""
        for rows in read_batches(lake, "programs", ["program_id"], {"benchmark": benchmark}):
            self.add_texts(row["program_id"] for row in rows)

    def forget_outcomes(self) -> None:
        """``--force``: every program is graded again, by every shard."""
        self._do("delete from outcomes")

    def begin_shard(self) -> None:
        for name in _OF_A_SHARD:
            self._do(f"delete from {name}")

    def add(self, task_digest: str, program_id: bytes, lines: Mapping[str, OutcomeLine]) -> None:
        """Outcomes of one program by oracle."""
        self._add_lines((task_digest, program_id, oracle, json.dumps(line)) for oracle, line in lines.items())

    def outcome(self, task_digest: str, program_id: bytes, oracle: str) -> Outcome | None:
        found = self._one(
            "select line from outcomes where task_digest = ? and program_id = ? and oracle = ?",
            task_digest, program_id, oracle,
        )  # fmt: skip
        return outcome_of(json.loads(found[0])) if found else None

    def add_measured(self, task_digest: str, program_id: bytes, line: Mapping[str, Any]) -> bool:
        """Of a program that is run again, because a later sample asks another oracle, the first run counts: False."""
        values = (task_digest, program_id, json.dumps(line))
        return self._do("insert or ignore into measured values (?, ?, ?)", *values) == 1

    def measured(self, task_digest: str, program_id: bytes) -> Measured:
        """``Measured()`` where the program was not run for this shard."""
        found = self._one("select line from measured where task_digest = ? and program_id = ?", task_digest, program_id)
        return Measured(**json.loads(found[0])) if found else Measured()

    def ask(self, task_digest: str, program_id: bytes, oracle: str) -> bool:
        """Note that the judge has been asked; False when it was before."""
        return self._do("insert or ignore into asked values (?, ?, ?)", task_digest, program_id, oracle) == 1

    def ids_of(self, text_key: bytes) -> Ids | None:
        """Programs that were extracted from an equal text of the shard."""
        return self._one("select official, corrected from pairs where text_key = ?", text_key)

    def add_ids(self, text_key: bytes, ids: Ids) -> None:
        self._do("insert into pairs values (?, ?, ?)", text_key, *ids)

    def has_text(self, program_id: bytes) -> bool:
        return self._one("select 1 from texts where program_id = ?", program_id) is not None

    def add_texts(self, program_ids: Iterable[bytes]) -> None:
        with _full_disk_named():
            self._base.executemany("insert or ignore into texts values (?)", ((id_,) for id_ in program_ids))

    def add_sample(self, task_id: str, sample_index: int, sample_id: bytes, ids: Ids) -> None:
        self._do("insert or ignore into samples values (?, ?, ?, ?, ?)", task_id, sample_index, sample_id, *ids)

    def samples(self, order: str) -> Iterator[list[tuple[str, int, bytes, bytes, bytes]]]:
        """(task id, sample index, sample id, official, corrected) by the batch, sorted by the columns of ``order``."""
        with _full_disk_named():
            cursor = self._base.execute(f"select * from samples order by {order}")
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield rows

    def count_grading(self, task_id: str, ids: tuple[str, bytes], oracle: str, part: str, outcome: PartOutcome) -> None:
        """One more grading of a program, ``ids`` being task digest and program id, that came out so."""
        values = (task_id, ids[1], oracle, part, outcome.verdict, outcome.reason, ids[0])
        self._do(
            "insert into gradings values (?, ?, ?, ?, ?, ?, ?, 1) on conflict do update set num_gradings "
            "= num_gradings + 1",
            *values,
        )

    def gradings(self) -> Iterator[list[tuple[str, bytes, str, str, str, str, str, int]]]:
        """(task id, program, oracle, part, verdict, reason, task digest, number) by the batch, in this order."""
        with _full_disk_named():
            cursor = self._base.execute("select * from gradings order by 1, 2, 3, 4, 5, 6")
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield rows

    def count(self) -> tuple[int, int]:
        """Samples of the shard, and distinct (task, program) among them."""
        found = self._one(
            "select (select count(*) from samples), count(*) from "
            "(select task_id, official from samples union select task_id, corrected from samples)"
        )
        assert found is not None
        return found

    def close(self) -> None:
        self._base.close()

    def __enter__(self) -> Known:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add_lines(self, rows: Iterable[tuple[str, bytes, str, str]]) -> None:
        with _full_disk_named():
            self._base.executemany("replace into outcomes values (?, ?, ?, ?)", rows)

    def _do(self, statement: str, *values: Any) -> int:
        with _full_disk_named():
            return self._base.execute(statement, values).rowcount

    def _one(self, statement: str, *values: Any) -> Any:
        with _full_disk_named():
            return self._base.execute(statement, values).fetchone()


@contextmanager
def _full_disk_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise LakeError(
            f"the folder for temporary files {tempfile.gettempdir()} does not take what scoring keeps there ({error})",
            "set TMPDIR to a folder with space",
        ) from error
