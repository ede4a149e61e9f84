"""What public models lose by LiveCodeBench's oracle and by its extraction, on the recorded sets.

::

    python tests/bench/livecodebench_losses.py --data DIR

Recorded replies of the graded code generation sets are extracted again, both ways, and run on the tests that are public
(hidden ones are not at hand, so a loss is a sample that is wrong officially and right on every known test otherwise:
an upper bound). A sample lost by the oracle: the official program, wrong by the official verdict and right by the
strict one. Lost by extraction: the corrected program is right where the official one is not, both by the strict one.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.livecodebench import task_of
from benchforge.runners.cli.console import out
from benchforge.runners.score.extract.livecodebench import last_program, last_two_fences
from benchforge.runners.score.judge import Job, Judge

MODELS = ("O1-Mini-2024-09-12", "Qwen2.5-Ins-7B")
COLUMNS = ("model", "samples", "graded_wrong", "other_program", "lost_by_oracle", "lost_by_extraction", "problems")
Key = tuple[str, str, str]
"""(model, problem, whose program)"""


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def known_tasks(folder: Path) -> dict[str, Task]:
    """One task a problem, of every test that is known of it."""
    tests: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows(folder / "known_tests.jsonl.gz"):
        tests.setdefault(row["question_id"], []).append(row)
    made = {}
    for name, known in tests.items():
        distinct = list({test["input"]: test for test in known}.values())
        given = {
            "inputs": [test["input"] for test in distinct],
            "outputs": [test["output"] for test in distinct],
            "fn_name": known[0]["func_name"],
        }
        made[name] = task_of({"question_id": name, "input_output": json.dumps(given)})
    return made


def jobs(folder: Path, tasks: Mapping[str, Task]) -> Iterator[Job]:
    for model in MODELS:
        for row in rows(folder / "codegen" / f"{model}.jsonl.gz"):
            name = row["question_id"]
            if name not in tasks:
                continue
            (reply,), (taken,) = row["output_list"], row["code_list"]
            official, corrected = last_two_fences(reply, {}), last_program(reply, {})
            assert official == taken, f"{model} {name}: another extraction than the recorded one"
            yield Job((model, name, "official"), name, official, ("official", "strict"))
            if corrected != official:
                yield Job((model, name, "corrected"), name, corrected, ("official", "strict"))


def run(data: Path) -> list[dict[str, Any]]:
    folder = data / "livecodebench"
    tasks = known_tasks(folder)
    found: dict[Key, dict[str, bool]] = {}
    with Judge(tasks, num_workers=2) as judge:
        for job, result in judge.grade(jobs(folder, tasks)):
            found[job.key] = {name: outcome.base.verdict == "pass" for name, outcome in result.outcomes.items()}
    table = [_row(model, folder, found) for model in MODELS]
    out.table(table, COLUMNS)
    return table


def _row(model: str, folder: Path, found: Mapping[Key, Mapping[str, bool]]) -> dict[str, Any]:
    wrong = {
        row["question_id"] for row in rows(folder / "codegen" / f"{model}.jsonl.gz") if row["graded_list"] == [False]
    }
    ours = {name: verdicts for (of, name, whose), verdicts in found.items() if (of, whose) == (model, "official")}
    other = {name: verdicts for (of, name, whose), verdicts in found.items() if (of, whose) == (model, "corrected")}
    by_oracle = {name for name in ours if name in wrong and not ours[name]["official"] and ours[name]["strict"]}
    by_extraction = {name for name in other if name in wrong and not ours[name]["strict"] and other[name]["strict"]}
    values = (model, len(ours), len(wrong & set(ours)), len(other), len(by_oracle), len(by_extraction))
    return dict(zip(COLUMNS, (*values, " ".join(sorted(by_oracle | by_extraction))), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    run(parser.parse_args().data)


if __name__ == "__main__":
    main()
