"""MultiPL-E: forged samples of our own on problems of our own, judged as any other; how many are seen, how many pass.

    python tests/suites/multipl_e_forged.py --suites DIR [--languages cpp,sh] [--upstream] [--verbose]

``--upstream`` runs each once more: what the exit status alone would have passed, as nuprl/MultiPL-E does, of the same
program with the tests as the problem has them. ``seen``: a sign of tampering in the text, or tests that did not run to
their end. The problems' honest answers are judged too: none may be flagged.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchforge.ingest.benchmarks.multipl_e import task_of
from benchforge.ingest.benchmarks.multipl_e_languages import LANGUAGES
from benchforge.ingest.benchmarks.suites import PROGRAM
from benchforge.runners.score import conformance
from multipl_e_recorded import Watching, bench_of

_FOLDER = Path(conformance.__file__).parent


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines()]


def judged(languages: list[str], suites: Path, *, asks_upstream: bool) -> Iterator[dict[str, Any]]:
    for problem in lines("multipl_e.jsonl"):
        language = problem["language"]
        if language not in languages:
            continue
        watching = Watching(bench_of(language, suites))
        try:
            task = task_of(language, problem)
            for number, answer in enumerate(problem["honest"]):
                yield row(watching, task, problem, "honest", f"answer {number}", answer, asks_upstream)
            for one in lines("multipl_e_forged.jsonl"):
                if one["language"] == language:
                    yield row(watching, task, problem, one["attack"], one["name"], one["completion"], asks_upstream)
        finally:
            watching.bench.renew()


def row(
    watching: Watching, task: Any, problem: Any, attack: str, name: str, completion: str, asks_upstream: bool
) -> dict[str, Any]:
    outcomes, flags = watching.grade(task, problem["prompt"] + completion)
    official = outcomes["official"].base
    return {
        "language": problem["language"], "attack": attack, "name": name,
        "upstream": asks_upstream and passes_upstream(watching, task, problem, completion),
        "official": official.verdict, "reason": official.reason, "strict": outcomes["strict"].base.verdict,
        "seen": official.reason == "tamper" or bool(flags),
        "is_flagged": bool(flags), "flags": sorted(name for _, name in flags),
    }  # fmt: skip


def passes_upstream(watching: Watching, task: Any, problem: Any, completion: str) -> bool:
    plain = dict.fromkeys(task.payload["files"], f"{PROGRAM}\n{problem['tests']}")
    bare = replace(task, payload={**task.payload, "files": plain, "rule": {**task.payload["rule"], "last_line": ""}})
    watching.grade(bare, problem["prompt"] + completion)
    ended = [line[2] for line in watching.lines if line[0] == "step"]
    is_whole = len(ended) == len(task.payload["steps"])
    return is_whole and not any(facts["exit_code"] or facts["signal"] or facts["cause"] for facts in ended)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--suites", type=Path, required=True)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--upstream", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    found = list(judged(given.languages.split(","), given.suites, asks_upstream=given.upstream))
    if given.verbose:
        for one in found:
            print(json.dumps(one))
    forged = [one for one in found if one["attack"] != "honest"]
    for key in ("language", "attack"):
        for value, number in Counter(one[key] for one in forged).items():
            of_it = [one for one in forged if one[key] == value]
            counts = [sum(one["upstream"] for one in of_it), sum(one["seen"] for one in of_it)]
            passed = sum(one["official"] == "pass" for one in of_it)
            print(f"{value:28} forged {number:3} upstream {counts[0]:3} seen {counts[1]:3} passed {passed:3}")
    honest = [one for one in found if one["attack"] == "honest"]
    upstream, seen = sum(one["upstream"] for one in forged), sum(one["seen"] for one in forged)
    passed = sum(one["official"] == "pass" for one in forged)
    print(f"{'all':28} forged {len(forged):3} upstream {upstream:3} seen {seen:3} passed {passed:3}")
    passed, flagged = sum(one["official"] == "pass" for one in honest), sum(one["is_flagged"] for one in honest)
    strictly = sum(one["strict"] == "pass" for one in forged)
    print(f"passed strictly {strictly}")
    print(f"honest {len(honest)}: pass {passed}, flagged {flagged}")


if __name__ == "__main__":
    main()
