"""DS-1000's figures: references, and two recorded sets of answers against the totals that were published with them.

    python tests/suites/ds1000.py --data DIR --scratch DIR [--only gold|answers]

``DIR`` of ``--data`` holds ``ds1000.jsonl.gz`` and ``answers/``. The environment is the one that ``make suite-ds1000``
made below the scratch folder, or that BENCHFORGE_SUITE_DS1000 names. Every step is a command of ours; an interrupted
run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchforge.ingest.lake import Lake

MODELS = ("gpt-3.5-turbo-0125", "gpt-4-0613")
_MEAN = re.compile(r"^mean\s+(?P<mean>[01](?:\.\d+)?)\s*$", re.MULTILINE)
"""The first table's line, of all problems."""
_ROW = re.compile(r"^(?P<group>[A-Z][\w-]+)\s+(?P<count>\d+)\s+(?P<mean>[01](?:\.\d+)?)\s*$", re.MULTILINE)
_VERDICTS = ("official_base_verdict", "official_base_reason", "strict_base_verdict", "strict_base_reason")


def command(*words: str, codes: tuple[int, ...] = (0,)) -> str:
    """What a command of ours prints; its talk goes to our stderr."""
    done = subprocess.run([sys.executable, "-m", "benchforge", *words], stdout=subprocess.PIPE, text=True)
    if done.returncode not in codes:
        sys.exit(f"benchforge {' '.join(words)} ended with {done.returncode}")
    return done.stdout


def gold(scratch: Path) -> None:
    """The references: how many pass, and every one that does not, with its reason."""
    said = command(
        "score", "--gold", "--benchmark", "ds1000", "--scratch", str(scratch), "--format", "json", codes=(0, 1)
    )
    print(f"references\n{said}")


def answers(data: Path, scratch: Path) -> None:
    """Import, grade, and lay our means beside the published tables."""
    for model in MODELS:
        file = data / "answers" / f"{model}-answers.jsonl.gz"
        place = ("--benchmark", "ds1000", "--scratch", str(scratch))
        command("import", "ds1000", str(file), "--model", f"openai/{model}", "--temperature", "0", *place)
    command("sandbox-check", "--suite", "ds1000", "--scratch", str(scratch))
    command("score", "--benchmark", "ds1000", "--scratch", str(scratch))
    lake = Lake(scratch / "default" / "lake")
    problems = facts_of(data)
    rows = lake.read("results", ["model", "task_id", "sandbox_mode", *_VERDICTS]).to_pylist()
    for model in MODELS:
        mine = {row["task_id"]: row for row in rows if row["model"] == f"openai__{model}"}
        table(model, mine, problems, stated((data / "answers" / f"{model}-result.txt").read_text()))


def stated(text: str) -> Mapping[str, float]:
    """Group -> published mean."""
    means = {row["group"]: float(row["mean"]) for row in _ROW.finditer(text)}
    if of_all := _MEAN.search(text):
        means["all"] = float(of_all["mean"])
    return means


def facts_of(data: Path) -> Mapping[str, Mapping[str, Any]]:
    """Task id -> metadata, from the packed file."""
    import gzip

    with gzip.open(data / "ds1000.jsonl.gz", "rt", encoding="utf-8") as stream:
        found = [json.loads(line)["metadata"] for line in stream]
    return {f"DS-1000/{one['problem_id']}": one for one in found}


def table(
    model: str,
    rows: Mapping[str, Mapping[str, Any]],
    problems: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, float],
) -> None:
    print(f"\n{model}: {len(rows)} answers")
    print(f"{'':18} {'n':>5} {'published':>10} {'official':>9} {'strict':>8} {'difference':>11}")
    for name, members in groups(problems):
        official, strict = (sum(rows[one][column] == "pass" for one in members) for column in _VERDICTS[::2])
        mean = published.get(name)
        told = "" if mean is None else f"{mean:.3f}"
        away = "" if mean is None else f"{official - round(mean * len(members)):+d}"
        print(
            f"{name:18} {len(members):>5} {told:>10} {official / len(members):>9.3f} "
            f"{strict / len(members):>8.3f} {away:>11}"
        )
    reasons = collections.Counter(row["official_base_reason"] for row in rows.values())
    print("official reasons:", dict(reasons.most_common()))
    flagged = {one: row for one, row in rows.items() if "tamper" in (row[_VERDICTS[1]], row[_VERDICTS[3]])}
    print("flagged as tampering:", {one: (row[_VERDICTS[0]], row[_VERDICTS[2]]) for one, row in flagged.items()})


def groups(problems: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """All, then by library, then by kind of rewording."""
    yield "all", list(problems)
    for fact in ("library", "perturbation_type"):
        for value in sorted({one[fact] for one in problems.values()}):
            yield value, [task_id for task_id, one in problems.items() if one[fact] == value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--only", choices=("gold", "answers"))
    given = parser.parse_args()
    command("stage", "ds1000", "--from", str(given.data), "--scratch", str(given.scratch))
    if given.only != "answers":
        gold(given.scratch)
    if given.only != "gold":
        answers(given.data, given.scratch)


if __name__ == "__main__":
    main()
