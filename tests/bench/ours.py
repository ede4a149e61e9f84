# ruff: noqa: E501 - programs are data
"""The judge as a command of its own, so that the whole of it can be measured: read a task set, grade, write rows.

::

    python tests/bench/ours.py GRADING.json ROWS.json
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchforge.ingest import keys
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.runners.score.judge import OFFICIAL, Graded, Job, Judge, Rules
from measure import Figures, measured

ORACLES = ("official", "strict")


@dataclass(frozen=True)
class Grading:
    """What to grade. ``samples`` are (task id, program); ``is_distinct`` grades equal programs of a task once."""

    benchmark: str
    scenario: str
    directory: str
    cache: str
    samples: Sequence[tuple[str, str]]
    num_workers: int
    rules: Mapping[str, Any] | None = None
    is_distinct: bool = False


@dataclass(frozen=True)
class Row:
    """One sample's verdicts and what its children used."""

    task_id: str
    base: str
    plus: str | None
    is_timeout: bool
    limit_shares: Sequence[float | None]
    cpu_seconds: float
    wall_seconds: float
    case_seconds: Sequence[float]


def graded(grading: Grading) -> tuple[Figures, list[Row]]:
    """Figures of the whole command, and its rows in the order of the samples."""
    with tempfile.TemporaryDirectory() as place:
        asked, answered = Path(place) / "grading.json", Path(place) / "rows.json"
        asked.write_text(json.dumps(asdict(grading)))
        figures = measured([sys.executable, __file__, str(asked), str(answered)])
        assert figures.status == 0, "the judge failed; see above"
        return figures, [Row(**row) for row in json.loads(answered.read_bytes())]


def grade(grading: Grading) -> list[Row]:
    declared = registry()[grading.benchmark]
    assert declared.load is not None
    loaded = declared.load(Path(grading.directory), declared.version(None), grading.scenario)
    tasks = {task.task_id: task for task in loaded}
    rules = Rules(**grading.rules) if grading.rules is not None else OFFICIAL
    ids = [
        (task_id, keys.program_id(text) if grading.is_distinct else n)
        for n, (task_id, text) in enumerate(grading.samples)
    ]
    jobs = {key: Job(key, task_id, text, ORACLES) for key, (task_id, text) in zip(ids, grading.samples, strict=True)}
    with Judge(tasks, num_workers=grading.num_workers, cache_directory=Path(grading.cache), rules=rules) as judge:
        known = {job.key: _row(job.task_id, result) for job, result in judge.grade(iter(jobs.values()))}
    return [known[key] for key in ids]


def _row(task_id: str, result: Graded) -> Row:
    outcome = result.outcomes["official"]
    parts = [part for part in (outcome.base, outcome.plus) if part is not None]
    is_timeout = any("timeout" in (part.verdict, part.reason) for part in parts)
    plus = outcome.plus.verdict if outcome.plus is not None else None
    return Row(
        task_id, outcome.base.verdict, plus, is_timeout, result.limit_shares, result.cpu_seconds, result.wall_seconds,
        result.case_seconds,
    )  # fmt: skip


STUBBORN: Mapping[str, str] = {
    "swallows the alarm": "def f(x):\n    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass\n",
    "one long step in C": "def f(x):\n    return 9 ** (9 ** 9)\n",
    "ignores every signal": "import signal\nfor one in range(1, 65):\n    try:\n        signal.signal(one, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\ndef f(x):\n    while True:\n        pass\n",
    "blocks every signal": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ndef f(x):\n    while True:\n        pass\n",
    "stops itself": "import os, signal\ndef f(x):\n    while True:\n        os.kill(os.getpid(), signal.SIGSTOP)\n",
    "sleeps": "import time\ndef f(x):\n    while True:\n        try:\n            time.sleep(1000)\n        except BaseException:\n            pass\n",
    "threads": "import threading\ndef spin():\n    while True:\n        pass\ndef f(x):\n    for _ in range(4):\n        threading.Thread(target=spin).start()\n    spin()\n",
    "never loads": "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n",
}
LIMIT_SECONDS = 1.0


def kill_latencies() -> Iterator[tuple[str, float]]:
    """Seconds between the limit of one call and the end of a program that ignores it."""
    payload = {
        "entry_point": "f", "base_inputs": [[1]], "plus_inputs": [], "atol": 0, "expected": {"base": [1], "plus": []},
        "limit_seconds": LIMIT_SECONDS,
    }  # fmt: skip
    task = Task("forge_mini", "default", "stubborn", "calls", "", payload, ("base",), "stubborn")
    with Judge({"stubborn": task}) as judge:
        for name, program in STUBBORN.items():
            started = time.monotonic()
            ((_, result),) = judge.grade([Job(None, "stubborn", program, ORACLES)])
            assert result.outcomes["official"].base.verdict != "pass"
            yield name, min(result.wall_seconds, time.monotonic() - started) - LIMIT_SECONDS


if __name__ == "__main__":
    given = Grading(**json.loads(Path(sys.argv[1]).read_bytes()))
    Path(sys.argv[2]).write_text(json.dumps([asdict(row) for row in grade(given)]))
