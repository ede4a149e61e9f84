"""Speed of the judge against evalplus 0.3.1, both measured in one run on the same recorded samples at equal limits.

::

    python tests/bench/scoring.py --evalplus ENVIRONMENT --data DIR [--quick]

``--evalplus`` is a virtual environment that has evalplus 0.3.1, ``--data`` the recorded public data. evalplus runs in
bubblewrap, from its own command line; a driver of ours only notes how long each sample took. Samples that run into a
limit on either side are named and replaced by an empty program on both: what they cost is the limit. Ratios are theirs
by ours; CPU seconds are of the whole process tree, wall seconds of the whole run (theirs ends with an idle watchdog).
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks import registry
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.runners.cli.console import out
from benchforge.runners.score import beside
from benchforge.runners.score.harnesses import Installed, Sample, harness_of
from fidelity import find, unpacked
from measure import Figures, measured
from ours import Grading, Row, graded, kill_latencies

RECORDED = "qwen2.5-coder-1.5b-base/evalplus"
ANSWERS = "cruxeval/generations/starcoderbase-16b_temp0.2_output.json.gz"
DRIVER = """
import functools, json, time
import evalplus.evaluate as harness
inner = harness.check_correctness
@functools.wraps(inner)
def check_correctness(*arguments, **keywords):
    started = time.monotonic()
    found = inner(*arguments, **keywords)
    with open("/result/seconds.jsonl", "a") as stream:
        stream.write(json.dumps([found["task_id"], time.monotonic() - started]) + "\\n")
    return found
harness.check_correctness = check_correctness
harness.main()
"""
NOTHING = "pass\n"
_NEAR = 0.5
"""Of a limit: from here on the load of the machine decides."""
_LONG_SECONDS = 20.0
COLUMNS = ("what", "figure", "evalplus", "ours", "ratio", "bar")


@dataclass(frozen=True)
class Line:
    """One row of the table. ``ratio`` is theirs by ours; ``bar`` what it has to reach."""

    what: str
    figure: str
    evalplus: float | None
    ours: float | None
    bar: str = ""

    def row(self) -> dict[str, Any]:
        ratio = self.evalplus / self.ours if self.evalplus and self.ours else None
        return {**dataclasses.asdict(self), "ratio": ratio}


class Suite:
    """One benchmark's samples, judged by both in turn; caches of expected values live as long as it does."""

    def __init__(
        self, title: str, benchmark: str, directory: Path, samples: Sequence[Sample], found: Installed
    ) -> None:
        self.title, self.benchmark, self.directory, self.samples, self.found = (
            title,
            benchmark,
            directory,
            samples,
            found,
        )
        self.problems = directory / registry()[benchmark].version(None).artifacts[0].name

    def lines(self) -> Iterator[Line]:
        with beside.own_folder() as folder, tempfile.TemporaryDirectory() as cache:
            cold_theirs, statuses, seconds = self._theirs(folder, self.samples, 1)
            cold_ours, rows = self._ours(cache, self.samples, 1)
            limited = [number for number, row in enumerate(rows) if _is_limited(row, statuses[number])]
            self._say(limited, rows, statuses, seconds)
            yield from self._pair("cold, limit-runners included", cold_theirs, cold_ours)
            kept = [Sample(one.task_id, NOTHING) if n in set(limited) else one for n, one in enumerate(self.samples)]
            default, _, seconds = self._theirs(folder, kept, None)
            every, _, _ = self._theirs(folder, kept, _num_cores())
            single, rows = self._ours(cache, kept, 1)
            whole, _ = self._ours(cache, kept, _num_cores())
            yield from self._warm(default, every, single, whole)
            yield Line(
                self.title, "warm, 99th percentile of a sample, s", _p99(seconds), _p99([r.wall_seconds for r in rows])
            )
            yield from self._overhead(single, rows, cache)

    def _warm(self, default: Figures, every: Figures, single: Figures, whole: Figures) -> Iterator[Line]:
        bars = {"humanevalplus": ("4x", ""), "mbppplus": ("6x", "8x")}[self.benchmark]
        yield Line(
            self.title, "warm, CPU s, default against one worker", default.cpu_seconds, single.cpu_seconds, bars[0]
        )
        yield Line(
            self.title, "warm, wall s, default against default", default.wall_seconds, whole.wall_seconds, bars[1]
        )
        yield Line(self.title, "warm, CPU s, all cores", every.cpu_seconds, whole.cpu_seconds)
        yield Line(self.title, "warm, wall s, all cores", every.wall_seconds, whole.wall_seconds)
        yield Line(self.title, "peak memory, MB, default", *_megabytes(default, single), "4x")
        yield Line(self.title, "peak memory, MB, all cores", *_megabytes(every, whole), "4x")

    def _overhead(self, single: Figures, rows: Sequence[Row], cache: str) -> Iterator[Line]:
        """CPU beside the candidates' own: with what starting costs, and per sample without it."""
        start, _ = self._ours(cache, [Sample(self.samples[0].task_id, NOTHING)], 1)
        own = sum(min(row.cpu_seconds, sum(row.case_seconds)) for row in rows)
        yield Line(self.title, "candidates' own run time, s", None, own)
        yield Line(self.title, "start of the judge, CPU s", None, start.cpu_seconds)
        spent = single.cpu_seconds - start.cpu_seconds - own
        yield Line(self.title, "overhead per sample, CPU ms", None, 1000 * spent / len(rows), "<= 2.5")

    def _pair(self, figure: str, theirs: Figures, ours: Figures) -> Iterator[Line]:
        yield Line(self.title, f"{figure}, CPU s", theirs.cpu_seconds, ours.cpu_seconds)
        yield Line(self.title, f"{figure}, wall s", theirs.wall_seconds, ours.wall_seconds)

    def _say(
        self, limited: Sequence[int], rows: Sequence[Row], statuses: Sequence[Any], seconds: Sequence[float]
    ) -> None:
        pairs = zip(rows, statuses, strict=True)
        differing = [row.task_id for row, status in pairs if (row.base, row.plus or status[1]) != tuple(status)]
        names = ", ".join(self.samples[number].task_id for number in limited)
        spent = sum(rows[number].cpu_seconds for number in limited)
        out.say(f"{self.title}: {len(rows)} samples, verdicts differ on: {', '.join(differing) or 'none'}")
        out.say(f"{self.title}: into a limit, {spent:.1f} CPU s of theirs in our children: {names or 'none'}")

    def _ours(self, cache: str, samples: Sequence[Sample], workers: int) -> tuple[Figures, list[Row]]:
        programs = [(one.task_id, one.program) for one in samples]
        rules = dataclasses.asdict(self.found.rules)
        return graded(Grading(self.benchmark, "default", str(self.directory), cache, programs, workers, rules))

    def _theirs(
        self, folder: Path, samples: Sequence[Sample], jobs: int | None
    ) -> tuple[Figures, list[Any], list[float]]:
        harness, declared = harness_of(self.benchmark), registry()[self.benchmark]
        assert harness is not None and declared.load is not None
        for left in (*folder.glob("*.jsonl"), *folder.glob("*_eval_results.json")):
            left.unlink()
        tasks = [_named(self.benchmark, task_id) for task_id in dict.fromkeys(one.task_id for one in samples)]
        command = harness.prepare(self.found, tasks, samples, self.problems, jobs or 1, folder)
        (folder / "driver.py").write_text(DRIVER)
        python, options = command.argv[0], command.argv[3:]
        options = options if jobs is not None else options[: options.index("--parallel")]
        driven = dataclasses.replace(command, argv=(python, f"{beside.RESULT}/driver.py", *options))
        figures = measured(beside.launch_argv(driven))
        assert figures.status == 0, (folder / beside.OUTPUT).read_text()[-2000:]
        lines = (folder / "seconds.jsonl").read_text().splitlines()
        return figures, harness.read(folder, samples), [json.loads(line)[1] for line in lines]


def _named(benchmark: str, task_id: str) -> Task:
    return Task(benchmark, "default", task_id, "calls", "", {}, ("base",), task_id)


def _is_limited(row: Row, status: Sequence[str | None]) -> bool:
    """Ours ran out of time or came near it, or theirs says timeout, or fails by the clock what ours passes."""
    shares = [share for share in row.limit_shares if share is not None]
    is_near = row.is_timeout or max(shares, default=0.0) >= _NEAR or row.cpu_seconds >= _LONG_SECONDS
    return is_near or "timeout" in status


def _megabytes(theirs: Figures, ours: Figures) -> tuple[float, float]:
    return theirs.peak_memory_bytes / 2**20, ours.peak_memory_bytes / 2**20


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(0.99 * len(seconds)))]


def _num_cores() -> int:
    return len(os.sched_getaffinity(0))


def recorded(data: Path, name: str, benchmark: str, directory: Path) -> list[Sample]:
    """A model's programs as EvalPlus executes them: prompt and completion, or the solution."""
    declared = registry()[benchmark]
    assert declared.load is not None
    prompts = {task.task_id: task.prompt for task in declared.load(directory, declared.version(None), "default")}
    with gzip.open(data / RECORDED / name / "generated.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    return [
        Sample(row["task_id"], row["solution"] if "solution" in row else prompts[row["task_id"]] + row["completion"])
        for row in rows
        if row["task_id"] in prompts
    ]


def repeated_answers(data: Path, num_problems: int) -> Iterator[Line]:
    """CRUXEval with ten samples a problem: each distinct answer graded once against all of them; 1 and 2 workers."""
    with tempfile.TemporaryDirectory() as directory:
        artifact = registry()["cruxeval"].version(None).artifacts[0].name
        shutil.copy(data / "cruxeval" / "cruxeval.jsonl", Path(directory) / artifact)
        with gzip.open(data / ANSWERS, "rt", encoding="utf-8") as stream:
            answers: Mapping[str, list[str]] = json.load(stream)["raw_generations"]
        samples = [(name, text) for name in sorted(answers)[:num_problems] for text in answers[name]]
        figures = {
            (workers, is_distinct): graded(
                Grading("cruxeval", "cruxeval_o", directory, directory, samples, workers, None, is_distinct)
            )[0]
            for workers, is_distinct in ((1, False), (2, False), (1, True))
        }
    title, number = f"CRUXEval-O n=10, {len(samples)} samples", len(samples)
    once, again = figures[1, True], figures[1, False]
    yield Line(title, "CPU s, every sample against distinct ones", again.cpu_seconds, once.cpu_seconds, "3x")
    yield Line(title, "wall s, every sample against distinct ones", again.wall_seconds, once.wall_seconds, "3x")
    yield Line(title, "samples per second, 1 worker", None, number / again.wall_seconds)
    yield Line(title, "samples per second, 2 workers", None, number / figures[2, False].wall_seconds)


def suites(data: Path, directory: Path, found: Installed, is_quick: bool) -> Iterator[Suite]:
    human = recorded(data, "humaneval", "humanevalplus", directory)
    yield Suite("HumanEval+", "humanevalplus", directory, human[:40] if is_quick else human, found)
    mbpp = recorded(data, "mbpp", "mbppplus", directory)
    smaller = [one for one in mbpp if one.task_id != "Mbpp/255"]
    yield Suite("MBPP+ without Mbpp/255", "mbppplus", directory, smaller[:60] if is_quick else smaller, found)
    if not is_quick:
        yield Suite("MBPP+", "mbppplus", directory, mbpp, found)


def run(evalplus: Path, data: Path, is_quick: bool, only: Sequence[str] = ()) -> list[Line]:
    """Measure everything (of the benchmarks named, if any), printing the table as it grows."""
    found = find(evalplus, None)
    lines: list[Line] = []
    with unpacked(data) as directory:
        for suite in suites(data, directory, found, is_quick):
            if only and suite.title not in only:
                continue
            lines += suite.lines()
            out.table([line.row() for line in lines], COLUMNS)
    out.say(f"load average at the end: {os.getloadavg()[0]:.1f} on {_num_cores()} cores")
    lines += repeated_answers(data, 20 if is_quick else 200)
    lines += [Line("kill", f"seconds past the limit: {name}", None, late, "<= 1") for name, late in kill_latencies()]
    out.table([line.row() for line in lines], COLUMNS)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evalplus", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a few samples of each: does it run at all?")
    parser.add_argument("--only", action="append", default=[], help='"HumanEval+", "MBPP+ without Mbpp/255", "MBPP+"')
    given = parser.parse_args()
    run(given.evalplus, given.data, given.quick, given.only)


if __name__ == "__main__":
    main()
