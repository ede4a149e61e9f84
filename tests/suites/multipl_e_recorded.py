"""MultiPL-E: recorded samples judged again here, held against the verdicts that were recorded with them.

    python multipl_e_recorded.py --data DIR --suites DIR [--languages cpp,sh] [--skip N --first N] [--csv FILE]

``--data``: the shared data (``multipl-e/problems``, ``qwen2.5-coder-1.5b-base/multipl-e``); ``--suites``: folder that
``make suite-multipl_e`` filled. Prints a line per language and one per difference, with its cause: ``rule`` where our
run under the recording harness's rule gives the recorded verdict (QwenLM/Qwen2.5-Coder@d5ead97 ``execution.py``),
``toolchain`` where it does not.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.multipl_e import task_of
from benchforge.ingest.benchmarks.multipl_e_languages import LANGUAGES
from benchforge.runners.score.judge import rules, suite
from benchforge.runners.score.judge.execution import Bench, Usage
from benchforge.runners.score.sandbox import Sandbox
from benchforge.runners.score.sandbox.suite_box import Place

PUBLISHED = {"java": 38.61, "cpp": 42.86, "js": 47.83, "cs": 48.73, "php": 44.10, "sh": 22.15, "ts": 47.80}
"""Percent, ``results.json`` of the recorded run."""
_OF_MODEL = "qwen2.5-coder-1.5b-base/multipl-e"


@dataclass(frozen=True)
class Run:
    """One sample judged here."""

    task: Task
    program: str
    recorded: bool
    recorded_words: str
    outcomes: Mapping[str, Any]
    flags: frozenset[tuple[str, str]]
    as_recording_harness: bool
    said: str
    cpu_seconds: float

    @property
    def passes(self) -> bool:
        return self.outcomes["official"].base.verdict == "pass"


class Watching:
    """Grades as the judge does, and keeps what the keeper said of the run."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.lines: Sequence[Sequence[Any]] = ()

    def grade(self, task: Task, program: str) -> tuple[Mapping[str, Any], frozenset[tuple[str, str]]]:
        read, told = suite.lines_of, []

        def kept(claims: Any) -> list[list[Any]]:
            told.append(read(claims))
            return told[-1]

        suite.lines_of = kept
        try:
            self.bench.usage = Usage()
            outcomes = suite.grade(self.bench, task, program, ("official", "strict"))
        finally:
            suite.lines_of = read
        self.lines = told[-1]
        return outcomes, suite._flags(task, self.lines)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def bench_of(language: str, suites: Path) -> Bench:
    environment = LANGUAGES[language].environment
    folder = suites / environment.name
    place = Place(environment, str(folder) if folder.is_dir() else "")
    places = {environment.name: place}
    return Bench(lambda place=None: Sandbox.open(place=place), rules.OFFICIAL, lambda seconds: None, places=places)


def as_recording_harness(language: str, task: Task, lines: Sequence[Sequence[Any]]) -> tuple[bool, str]:
    """Whether the recording harness would have passed this run, and the end of what the last step said."""
    ended = [(task.payload["steps"][line[1]], line[2]) for line in lines if line[0] == "step"]
    step, facts = ended[-1]
    out, err = suite._texts(facts)
    said = (err.strip() or out.strip())[-400:]
    if facts["cause"] or (step["name"] == "compile"):
        return False, facts["cause"] or said
    if language == "cs":
        return "Fail" not in err, said
    printed = "\n".join(line for line in out.splitlines() if line.strip() and not is_nonce(line))
    if language == "js":
        return not err and not printed, said
    return not facts["exit_code"] and not facts["signal"], said


def is_nonce(line: str) -> bool:
    return len(line.strip()) == 32 and set(line.strip()) <= set("0123456789abcdef")


def runs(language: str, data: Path, suites: Path, part: slice) -> Iterator[Run]:
    problems = rows(data / "multipl-e" / "problems" / f"humaneval-{language}.jsonl.gz")
    tasks = {problem["name"]: task_of(language, problem) for problem in problems}
    with gzip.open(data / _OF_MODEL / f"humaneval-{language}-details.json.gz", "rt", encoding="utf-8") as stream:
        graded = json.load(stream)
    bench = bench_of(language, suites)
    watching = Watching(bench)
    try:
        samples = list(rows(data / _OF_MODEL / f"pred_{language}_output.jsonl.gz"))[part]
        for sample in samples:
            task, (_, recorded) = tasks[sample["task_id"]], graded[sample["task_id"]][0]
            outcomes, flags = watching.grade(task, sample["generation"])
            as_theirs, said = as_recording_harness(language, task, watching.lines)
            cpu_seconds = sum(line[2]["cpu_seconds"] for line in watching.lines if line[0] == "step")
            yield Run(
                task, sample["generation"], recorded["passed"], recorded["result"], outcomes, flags, as_theirs, said,
                cpu_seconds,
            )  # fmt: skip
    finally:
        bench.renew()


def line_of(language: str, found: Sequence[Run], wall_seconds: float) -> dict[str, Any]:
    number = len(found)
    return {
        "language": language,
        "samples": number,
        "recorded_pass": sum(run.recorded for run in found),
        "published": PUBLISHED[language],
        "official_pass": sum(run.passes for run in found),
        "official": round(100 * sum(run.passes for run in found) / number, 2),
        "equal": sum(run.passes == run.recorded for run in found),
        "equal_under_their_rule": sum(run.as_recording_harness == run.recorded for run in found),
        "tamper": sum(any(level == "tamper" for level, _ in run.flags) for run in found),
        "risk": sum(any(level != "tamper" for level, _ in run.flags) for run in found),
        "flagged_recorded_passes": sum(bool(run.flags) and run.recorded for run in found),
        "cpu_seconds": round(sum(run.cpu_seconds for run in found), 1),
        "wall_seconds": round(wall_seconds, 1),
    }


def differences(language: str, found: Sequence[Run]) -> Iterator[dict[str, Any]]:
    for run in found:
        if run.passes != run.recorded or run.flags:
            official = run.outcomes["official"].base
            yield {
                "language": language,
                "task": run.task.task_id,
                "recorded": "pass" if run.recorded else "fail",
                "here": f"{official.verdict}/{official.reason}",
                "cause": "flag" if run.passes == run.recorded else
                "rule" if run.as_recording_harness == run.recorded else "toolchain",
                "flags": " ".join(f"{level}:{name}" for level, name in sorted(run.flags)),
                "they_said": run.recorded_words.replace("\n", " ")[:160],
                "said_here": " ".join(run.said.split())[-200:],
            }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--suites", type=Path, required=True)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--skip", type=int, default=0, help="samples left out at the beginning")
    parser.add_argument("--first", type=int, help="samples judged after those")
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    part = slice(given.skip, None if given.first is None else given.skip + given.first)
    lines, others = [], []
    for language in given.languages.split(","):
        began = time.monotonic()
        found = list(runs(language, given.data, given.suites, part))
        lines.append(line_of(language, found, time.monotonic() - began))
        others += differences(language, found)
        print(json.dumps(lines[-1]), flush=True)
    for one in others:
        print(json.dumps(one))
    if given.csv and others:
        with given.csv.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(others[0]))
            writer.writeheader()
            writer.writerows(others)


if __name__ == "__main__":
    sys.exit(main())
