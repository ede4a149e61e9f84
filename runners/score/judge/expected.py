"""Expected values and reference times of ``calls`` tasks: from the task, or by running its reference once.

The reference runs in the sandbox like everything else (inputs copied before each call, as evalplus' ``trusted_exec``
does) and its answers are kept as trees beside the seconds each case took, one file per task digest and Python
version. Waiting for a processor is not counted, so that limits do not depend on the load of the machine that scores.
They stay on the judge's side.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....ingest import errors, schemas
from ....ingest.benchmarks.declaration import Task
from . import decode, oracles
from .execution import Answer, Bench, Ended, Raised, call_spec, start

_NUM_KEPT = 4


@dataclass(frozen=True)
class Expected:
    """Of one part: values in case order, seconds of the reference per case, seconds it took to encode them all."""

    values: Sequence[Any]
    seconds: Sequence[float]
    encode_seconds: float


class ExpectedStore:
    """Looks parts up in memory, then on disk, then runs the reference."""

    def __init__(self, directory: Path, bench: Bench) -> None:
        self._directory = directory
        self._bench = bench
        self._kept: OrderedDict[tuple[str, str], Expected] = OrderedDict()

    def part(self, task: Task, part: str) -> Expected:
        """Raises BadInput when the task has neither expected values nor a reference that answers."""
        key = (task.task_digest, part)
        if key not in self._kept:
            self._kept[key] = self._find(task, part)
            while len(self._kept) > _NUM_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _find(self, task: Task, part: str) -> Expected:
        given = task.payload.get("expected")
        if given is not None:
            return Expected(given[part], [0.0] * len(given[part]), 0.0)
        record = self._stored(task)
        if record is None:
            record = {name: self._answers(task, name) for name in schemas.PARTS if task.payload.get(f"{name}_inputs")}
            self._store(task, record)
        trees = record.get(part, {"values": [], "seconds": [], "encode_seconds": 0.0})
        values = [decode.value(tree) for tree in trees["values"]]
        if oracles.expects_presence(task):
            values = [value is not None for value in values]
        return Expected(values, trees["seconds"], trees["encode_seconds"])

    def _path(self, task: Task) -> Path:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return self._directory / f"{task.task_digest}-python{version}.json"

    def _stored(self, task: Task) -> dict[str, Any] | None:
        try:
            return json.loads(self._path(task).read_bytes())
        except (OSError, ValueError):
            return None

    def _store(self, task: Task, record: Mapping[str, Any]) -> None:
        """Written beside its place and moved there, so that a reader never sees half a file; OSError on a full disk."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(dir=self._directory, prefix=".expected-")
        try:
            with os.fdopen(fd, "w") as stream:
                json.dump(record, stream, separators=(",", ":"))
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(self._path(task))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _answers(self, task: Task, part: str) -> dict[str, Any]:
        inputs, program = task.payload[f"{part}_inputs"], task.payload.get("reference") or task.reference
        if program is None:
            raise errors.BadInput(f"Task {task.task_id} has neither expected values nor a reference program.")
        connection = self._bench.server(program)
        key = register(connection, task, part)
        seconds = self._bench.rules.reference_seconds
        limits = [seconds] * len(inputs)
        options = {
            "fresh_inputs": True,
            "is_reference": True,
            "collect": oracles.needs_iteration(task),
            "guard": "none",
        }
        spec = call_spec(program, task.payload["entry_point"], limits, **options)
        answers: list[Answer] = []
        with start(self._bench, connection, spec, seconds, key, is_measured=False) as claims:
            for frame in claims:
                if isinstance(frame, Answer):
                    answers.append(frame)
                elif isinstance(frame, Raised) or frame.reason or len(answers) != len(inputs):
                    raise _no_answer(task, part, len(answers), frame)
        return {
            "values": [answer.tree for answer in answers],
            "seconds": [answer.seconds for answer in answers],
            "encode_seconds": sum(answer.encode_seconds for answer in answers),
        }


def register(connection: Any, task: Task, part: str) -> str:
    """Hand a part's inputs to a server, once."""
    key = f"{task.task_digest}:{part}"
    if not connection.is_registered(key):
        connection.register(key, pickle.dumps(task.payload.get(f"{part}_inputs") or []))
    return key


def _no_answer(task: Task, part: str, case: int, frame: Raised | Ended) -> errors.BadInput:
    return errors.BadInput(
        f"The reference of task {task.task_id} gives no answer to {part} case {case} ({frame.reason or 'tamper'}).",
        "check that the staged problem file is the pinned one",
    )
