"""BigCodeBench's figures: references and empty stubs, and recorded samples against the verdicts recorded with them.

    python tests/suites/bigcodebench.py gold --problems DIR --environment DIR --results FILE
    python tests/suites/bigcodebench.py recorded --problems DIR --environment DIR --results FILE --graded FILE

``DIR`` of the problems holds ``BigCodeBench.jsonl[.gz]``; the environment is what ``make suite-bigcodebench`` made;
``--graded`` is a ``…_eval_results.json[.gz]`` (its solutions are calibrated already). Every grade is a line of
``--results``: an interrupted run goes on where it stopped, and ``--seconds`` ends one early with exit code 3.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.bigcodebench_environment import ENVIRONMENT
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.suites import PROGRAM, STUB
from benchforge.ingest.staging import files, staged
from benchforge.runners.score.judge import Graded, Job, Judge
from benchforge.runners.score.sandbox.suite_box import Place

Rows = dict[str, dict[str, Any]]
ORACLES = ("official", "strict")


def tasks_of(problems: Path, version: str) -> dict[str, Task]:
    """Staged into a folder of their own and read as scoring reads them."""
    benchmark = registry()["bigcodebench"]
    with tempfile.TemporaryDirectory() as folder:
        wanted = files.wanted_files([benchmark], version, Path(folder))
        files.write_staged(files.plan_staging(wanted, problems))
        return {task.task_id: task for task in staged.load_tasks(benchmark, version, "complete", Path(folder))}


def grade(
    tasks: Mapping[str, Task], programs: Mapping[str, str], environment: Path, results: Path, seconds: float
) -> Iterator[tuple[str, Graded]]:
    """Those that have no line in ``results`` yet, until the time is over."""
    known, started = rows_of(results), time.monotonic()
    todo = [task_id for task_id in programs if task_id not in known] if seconds > 0 else []
    if not todo:
        return
    places = {ENVIRONMENT.name: Place(ENVIRONMENT, str(environment.absolute()))}
    with Judge({one: tasks[one] for one in todo}, None, num_workers=1, places=places) as judge:

        def jobs() -> Iterator[Job]:
            for task_id in todo:
                if time.monotonic() - started < seconds:
                    yield Job(task_id, task_id, programs[task_id], ORACLES)

        for job, graded in judge.grade(jobs()):
            yield job.task_id, graded


def write_rows(graded: Iterable[tuple[str, Graded]], results: Path) -> None:
    with results.open("a", encoding="utf-8") as stream:
        for task_id, one in graded:
            parts = {name: dataclasses.asdict(one.outcomes[name].base) for name in ORACLES}
            facts = {"cpu": one.cpu_seconds, "wall": one.wall_seconds, "bytes": one.peak_memory_bytes}
            stream.write(json.dumps({"task_id": task_id, **parts, **facts}) + "\n")
            stream.flush()


def rows_of(results: Path) -> Rows:
    if not results.exists():
        return {}
    return {row["task_id"]: row for row in map(json.loads, results.read_text(encoding="utf-8").splitlines())}


def tables(title: str, rows: Rows) -> None:
    """Counts of verdicts and reasons by oracle, what was not passed, what it cost."""
    print(f"\n{title}: {len(rows)} programs, {sum(row['cpu'] for row in rows.values()):.0f} CPU seconds")
    for name in ORACLES:
        counts = collections.Counter(f"{row[name]['verdict']} ({row[name]['reason']})" for row in rows.values())
        print(f"{name:9}", ", ".join(f"{words} {count}" for words, count in counts.most_common()))


def unexpected(rows: Rows, wanted: str) -> None:
    """References that do not pass, stubs that do not fail."""
    for task_id, row in rows.items():
        for name in ORACLES:
            part = row[name]
            if part["verdict"] != wanted:
                print(f"  {task_id} {name} {part['verdict']} ({part['reason']}), case {part['first_failing_case']}")


def compared(rows: Rows, recorded: Mapping[str, Mapping[str, Any]], hard: Sequence[str]) -> None:
    """Agreement on pass or not, by oracle, all and hard; each difference with what the recorded grader wrote."""
    for name in ORACLES:
        for what, ids in (("all", list(rows)), ("hard", [one for one in hard if one in rows])):
            ours = {one: rows[one][name]["verdict"] == "pass" for one in ids}
            theirs = {one: recorded[one]["status"] == "pass" for one in ids}
            same = sum(ours[one] == theirs[one] for one in ids)
            passed = f"ours {sum(ours.values())}, recorded {sum(theirs.values())}"
            print(f"{name:9} {what:5} {passed}, equal {same} of {len(ids)}")
    for task_id, row in rows.items():
        then, part = recorded[task_id], row["official"]
        if (part["verdict"] == "pass") != (then["status"] == "pass"):
            print(f"  {task_id} recorded {then['status']}, ours {part['verdict']} ({part['reason']}) {_said(then)}")


def _said(recorded: Mapping[str, Any]) -> str:
    """Last line of each recorded traceback."""
    lasts = {text.strip().splitlines()[-1][:90] for text in recorded["details"].values() if text.strip()}
    return " | ".join(sorted(lasts))[:220]


def opened(path: Path) -> Any:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
        return json.load(stream)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("gold", "stub", "recorded"))
    parser.add_argument("--problems", type=Path, required=True)
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--graded", type=Path)
    parser.add_argument("--version", default="full-a3b8985")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--limit", type=float, help="seconds of a program instead of the official 241")
    parser.add_argument("--tasks", nargs="*", help="these alone")
    given = parser.parse_args()
    tasks = tasks_of(given.problems, given.version)
    recorded = {} if given.graded is None else {one: rows[0] for one, rows in opened(given.graded)["eval"].items()}
    programs = {one: STUB if given.what == "stub" else task.reference or "" for one, task in tasks.items()}
    if given.what == "recorded":
        programs = {one: recorded[one]["solution"] for one in tasks}
        tasks = {one: uncalibrated(task) for one, task in tasks.items()}
    if given.limit:
        tasks = {one: _limited(task, given.limit) for one, task in tasks.items()}
    programs = {one: text for one, text in programs.items() if not given.tasks or one in given.tasks}
    write_rows(grade(tasks, programs, given.environment, given.results, given.seconds), given.results)
    rows = {one: row for one, row in rows_of(given.results).items() if one in programs}
    tables(given.what, rows)
    if recorded:
        compared(rows, recorded, list(tasks_of(given.problems, "hard-a3b8985")))
    else:
        unexpected(rows, "pass" if given.what == "gold" else "fail")
    sys.exit(3 if len(rows) < len(programs) else 0)


def uncalibrated(task: Task) -> Task:
    """A recorded solution begins with what calibration put there."""
    head = task.payload["program"].partition("import os, sys\nfrom os import environ\n")[1]
    return dataclasses.replace(task, payload={**task.payload, "program": head + PROGRAM})


def _limited(task: Task, seconds: float) -> Task:
    return dataclasses.replace(task, payload={**task.payload, "seconds": seconds})


if __name__ == "__main__":
    main()
