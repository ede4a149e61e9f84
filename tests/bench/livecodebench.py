"""Speed and memory of LiveCodeBench's grading against upstream's own runner, both measured in one run.

::

    python tests/bench/livecodebench.py --upstream CHECKOUT --data DIR [--quick]

``--upstream`` is a checkout of LiveCodeBench/LiveCodeBench@28fef95, ``--data`` the recorded public data. Upstream
runs in bubblewrap: its own ``CodeGenerationProblem`` reads the problems, its own ``codegen_metrics`` grades them; a
driver of ours stands in for the download and notes how long each sample took. We stage the same files and grade with
the official oracle (equal verdicts), then with both, as ``score`` does; upstream has no second one to compare with.

Hidden tests are not public data, so the set is made: real problems with real recorded programs, their known tests
repeated up to ``NUM_TESTS``, and beside them problems with large tests. Sizes are those of release 6 by the problem
(4.5 GB of files for 1,055 problems: the mean line is 4 MB), the number of problems is not: upstream's memory grows with
it, so that the ratio shown is a lower bound of that at full size.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import gzip
import json
import os
import pickle
import random
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks import livecodebench_problems
from benchforge.ingest.benchmarks.declaration import Artifact, Version
from benchforge.runners.cli.console import out
from benchforge.runners.score import beside
from benchforge.runners.score.judge import Job, Judge
from benchforge.runners.score.judge.livecodebench import upstream_code
from measure import Figures, measured

VERSION = Version("release_v6", (Artifact("statements.jsonl", "", "made"),))
MODEL = "O1-Mini-2024-09-12"
NUM_TESTS = 20
NUM_NUMBERS = 20_000
"""In one large test: 20 such tests are 2.8 MB of text, and 4 MB with their answers."""
OFFICIAL, BOTH = ("official",), ("official", "strict")
NUM_PROBLEMS = 1055
"""Of release 6."""
COLUMNS = ("what", "upstream", "ours", "ratio", "bar")
DRIVER = """
import functools, json, sys, time, types
stub = types.ModuleType("datasets")
stub.load_dataset = lambda *names, **options: (json.loads(line) for line in open("/result/test.jsonl"))
sys.modules["datasets"] = stub
from lcb_runner.benchmarks.code_generation import load_code_generation_dataset
from lcb_runner.evaluation import compute_code_generation_metrics as harness
inner = harness.check_correctness
@functools.wraps(inner)
def check_correctness(*arguments, **keywords):
    started = time.monotonic()
    try:
        return inner(*arguments, **keywords)
    finally:
        with open("/result/seconds.jsonl", "a") as stream:
            stream.write(f"{time.monotonic() - started}\\n")
harness.check_correctness = check_correctness
num_workers = int(sys.argv[1])
sys.argv = ["main.py", "--scenario", "codegeneration"]  # as its own command is called: programs see it
programs = json.load(open("/result/programs.json"))
problems = [one for one in load_code_generation_dataset() if one.question_id in programs]
samples = [one.get_evaluation_sample() for one in problems]
asked = [programs[one.question_id] for one in problems]
_, results, metadata = harness.codegen_metrics(samples, asked, num_process_evaluate=num_workers, timeout=6)
names = [one.question_id for one in problems]
codes = {name: [list(map(int, codes)) for codes in results[n]] for n, name in enumerate(names)}
json.dump({"codes": codes, "metadata": dict(zip(names, metadata))}, open("/result/results.json", "w"))
"""
"""Upstream's loader takes ``datasets`` from the network; everything else is its own code."""


@dataclasses.dataclass(frozen=True)
class Made:
    """A directory as on the Hub, and the programs to grade by problem."""

    folder: Path
    programs: Mapping[str, list[str]]


def make(data: Path, folder: Path, num_real: int, num_large: int) -> Made:
    """``num_real`` problems with a recorded program and known tests, ``num_large`` with tests of megabytes."""
    records, programs = {}, {}
    for record, program in [*_real(data, num_real), *(_large(number) for number in range(num_large))]:
        records[record["question_id"]] = record
        programs[record["question_id"]] = [program]
    folder.mkdir()
    with (folder / "test.jsonl").open("w") as stream:
        stream.writelines(f"{json.dumps(record)}\n" for record in records.values())
    return Made(folder, programs)


def _real(data: Path, number: int) -> Iterator[tuple[dict[str, Any], str]]:
    """Problems with a public test, and the recorded program, right or wrong."""
    tests: dict[str, list[Mapping[str, Any]]] = {}
    for row in _rows(data / "livecodebench" / "known_tests.jsonl.gz"):
        tests.setdefault(row["question_id"], []).append(row)
    recorded = {row["question_id"]: row for row in _rows(data / "livecodebench" / "codegen" / f"{MODEL}.jsonl.gz")}
    chosen = [name for name in sorted(tests) if name in recorded and recorded[name]["code_list"][0].strip()]
    for name in random.Random(0).sample(chosen, min(number, len(chosen))):
        known = tests[name]
        cases = [(known[n % len(known)]["input"], known[n % len(known)]["output"]) for n in range(NUM_TESTS)]
        row = recorded[name]
        yield record(name, cases, row["starter_code"], known[0]["func_name"]), row["code_list"][0]


def _large(number: int) -> tuple[dict[str, Any], str]:
    draw = random.Random(number)
    cases = []
    for _ in range(NUM_TESTS):
        numbers = [draw.randrange(10**6) for _ in range(NUM_NUMBERS)]
        cases.append((f"{NUM_NUMBERS}\n{' '.join(map(str, numbers))}\n", "\n".join(map(str, sorted(numbers)))))
    return record(
        f"large_{number}", cases
    ), "n = int(input())\nfor x in sorted(map(int, input().split())):\n    print(x)\n"


def record(name: str, cases: Sequence[tuple[str, str]], starter: str = "", method: str | None = None) -> dict[str, Any]:
    rows = [
        {"input": given, "output": wanted, "testtype": "functional" if method else "stdin"} for given, wanted in cases
    ]
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(rows[1:])))).decode()
    return {
        "question_title": name, "question_content": name, "platform": "leetcode" if method else "atcoder",
        "question_id": name, "contest_id": "c", "contest_date": "2024-01-01T00:00:00", "starter_code": starter,
        "difficulty": "easy", "public_test_cases": json.dumps(rows[:1]), "private_test_cases": packed,
        "metadata": json.dumps({"func_name": method} if method else {}),
    }  # fmt: skip


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


# --- the two sides ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Side:
    """Codes by problem as upstream gives them (True, or -2 to -5), seconds per sample, figures of the command."""

    codes: Mapping[str, int | bool]
    seconds: Sequence[float]
    figures: Figures


def theirs(made: Made, upstream: Path, num_workers: int) -> Side:
    with beside.own_folder() as folder:
        shutil.copyfile(made.folder / "test.jsonl", folder / "test.jsonl")
        (folder / "programs.json").write_text(json.dumps(made.programs))
        (folder / "driver.py").write_text(DRIVER)
        packages = Path(pickle.__file__).parent
        search = os.pathsep.join([str(upstream), *(entry for entry in sys.path if entry.endswith("site-packages"))])
        shown = (Path(sys.executable).resolve().parent.parent, upstream, *_packages(), packages)
        argv = (str(Path(sys.executable).resolve()), f"{beside.RESULT}/driver.py", str(num_workers))
        command = beside.Command(argv, shown, folder, 3000, {"PYTHONPATH": search})
        figures = measured(beside.launch_argv(command))
        assert figures.status == 0, (folder / beside.OUTPUT).read_text()[-2000:]
        found = beside.read_json(folder / "results.json")
        seconds = [float(line) for line in (folder / "seconds.jsonl").read_text().split()]
        return Side({name: _code(found, name) for name in made.programs}, seconds, figures)


def _packages() -> list[Path]:
    return [Path(entry) for entry in sys.path if entry.endswith("site-packages")]


def _code(found: Mapping[str, Any], name: str) -> int | bool:
    (codes,), (note,) = found["codes"][name], found["metadata"][name]
    return all(code > 0 for code in codes) or json.loads(note)["error_code"]


def ours(made: Made, num_workers: int, oracles: Sequence[str] = OFFICIAL) -> Side:
    """Staged and graded by a command of its own; staging is not counted, as upstream's download is not."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "livecodebench" / VERSION.name
        stage(made, directory)
        (Path(place) / "programs.json").write_text(json.dumps(made.programs))
        figures = measured([sys.executable, __file__, "--grade", place, "--jobs", str(num_workers), *oracles])
        assert figures.status == 0, "the judge failed; see above"
        rows = json.loads((Path(place) / "rows.json").read_text())
        return Side({name: row[0] for name, row in rows.items()}, [row[1] for row in rows.values()], figures)


def stage(made: Made, directory: Path) -> None:
    """What ``benchforge stage`` writes, for a release that is not pinned."""
    from benchforge.ingest import keys
    from benchforge.ingest.benchmarks.livecodebench_tests import stage_tests

    directory.mkdir(parents=True)
    records = [json.loads(line) for line in (made.folder / "test.jsonl").open()]
    lines = [keys.canonical_json({name: row[name] for name in livecodebench_problems.FIELDS}) for row in records]
    (directory / "statements.jsonl").write_text("".join(f"{line}\n" for line in lines))
    stage_tests([made.folder / "test.jsonl"], {directory: frozenset(row["question_id"] for row in records)})


def grade(place: Path, num_workers: int, oracles: tuple[str, ...]) -> None:
    """Every program; writes code and seconds by problem."""
    programs = json.loads((place / "programs.json").read_text())
    loaded = livecodebench_problems.load(place / "livecodebench" / VERSION.name, VERSION, "generation")
    tasks = {task.task_id: task for task in loaded}
    jobs = [Job(name, name, program, oracles) for name, (program,) in programs.items()]
    with Judge(tasks, num_workers=num_workers) as judge:
        rows = {
            job.key: (upstream_code(result.outcomes["official"].base), result.wall_seconds)
            for job, result in judge.grade(iter(jobs))
        }
    (place / "rows.json").write_text(json.dumps(rows))


def lines(made: Made, upstream: Path, what: str) -> Iterator[dict[str, Any]]:
    """One table row per figure; verdicts that differ are said by name."""
    cores = len(os.sched_getaffinity(0))
    they, we, both = theirs(made, upstream, cores), ours(made, cores), ours(made, cores, BOTH)
    differing = [
        f"{name} ({code}, ours {side.codes[name]})"
        for side in (we, both)
        for name, code in they.codes.items()
        if code != side.codes[name]
    ]
    out.say(f"{what}: {len(we.codes)} samples, codes differ on: {', '.join(differing) or 'none'}")
    yield _row(f"{what}, CPU s", they.figures.cpu_seconds, we.figures.cpu_seconds, "3x")
    yield _row(f"{what}, CPU s, ours with the strict verdict", they.figures.cpu_seconds, both.figures.cpu_seconds)
    yield _row(f"{what}, wall s", they.figures.wall_seconds, we.figures.wall_seconds)
    yield _row(f"{what}, 99th percentile of a sample, s", _p99(they.seconds), _p99(we.seconds))
    yield _row(f"{what}, peak memory, MB", *(side.figures.peak_memory_bytes / 2**20 for side in (they, we)))


def _row(what: str, theirs_: float, ours_: float, bar: str = "") -> dict[str, Any]:
    return {"what": what, "upstream": theirs_, "ours": ours_, "ratio": theirs_ / ours_, "bar": bar}


def at_release_6(small: Mapping[str, Any], large: Mapping[str, Any], num_between: int) -> dict[str, Any]:
    """Peak memory of upstream on a straight line through two sizes of the dataset; ours is what it is at the larger."""
    by_problem = (large["upstream"] - small["upstream"]) / num_between
    reached = large["upstream"] + by_problem * NUM_PROBLEMS
    return _row("peak memory, MB, release 6 (upstream extrapolated)", reached, large["ours"], "10x")


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(0.99 * len(seconds)))]


def run(upstream: Path, data: Path, is_quick: bool) -> list[dict[str, Any]]:
    """Real programs alone (CPU), then with large tests at two sizes of the dataset (memory)."""
    sets = ((12, 0), (4, 2), (4, 6)) if is_quick else ((400, 0), (100, 20), (100, 60))
    table: list[dict[str, Any]] = []
    for num_real, num_large in sets:
        with tempfile.TemporaryDirectory() as place:
            made = make(data, Path(place) / "hub", num_real, num_large)
            table += lines(made, upstream, f"{num_real} problems and {num_large} large ones")
    memory = [row for row in table if "peak memory" in row["what"]]
    table.append(at_release_6(memory[-2], memory[-1], sets[-1][1] - sets[-2][1]))
    out.table(table, COLUMNS)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="a few samples: does it run at all?")
    parser.add_argument("--grade", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("oracles", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.grade:
        grade(given.grade, given.jobs, tuple(given.oracles))
    elif given.upstream is None or given.data is None:
        parser.error("--upstream and --data are needed")
    else:
        run(given.upstream, given.data, given.quick)


if __name__ == "__main__":
    main()
