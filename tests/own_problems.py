"""Problems made for the tests of fresh problems: right ones, in both layouts."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WEIGH: Mapping[str, Any] = {
    "task_id": "weigh",
    "statement": "A market stall has N crates, crate i of w_i kilograms. Print the total weight of the crates whose "
    "weight is odd, then how many such crates there are. Input: N, then the N weights on a line of their own.",
    "tests": [{"input": "3\n1 2 3\n", "output": "4 2\n"}, {"input": "1\n8\n", "output": "0 0\n"}],
    "date": "2026-03-01",
    "source": "made for the tests",
    "licence": "Apache-2.0",
    "difficulty": "easy",
    "contest": "stall/1",
    "solution": "n = int(input())\nodd = [w for w in map(int, input().split()) if w % 2]\nprint(sum(odd), len(odd))\n",
}
FOLD: Mapping[str, Any] = {
    "task_id": "fold",
    "statement": "Fold a strip of numbers at position k: those left of it are turned round and laid over the others, "
    "and numbers that meet are added. Return what is to be seen then, the longer side in full.",
    "starter_code": "class Solution:\n    def fold(self, strip: List[int], k: int) -> List[int]:\n        ",
    "entry_point": "fold",
    "tests": [{"args": [[1, 2, 3, 4], 1], "output": [3, 3, 4]}, {"args": [[5], 0], "output": [5]}],
    "date": "2026-04-02T10:00:00",
    "source": "made for the tests",
    "licence": "CC-BY-4.0",
    "difficulty": "medium",
    "contest": "stall/1",
    "solution": "class Solution:\n    def fold(self, strip, k):\n        left, right = strip[:k][::-1], strip[k:]\n"
    "        longer, shorter = sorted((left, right), key=len, reverse=True)\n"
    "        return [a + (shorter[i] if i < len(shorter) else 0) for i, a in enumerate(longer)]\n",
}
RHYME: Mapping[str, Any] = {
    "task_id": "rhyme",
    "statement": "Two verses rhyme when their last three letters agree, whatever their case. Of the verses given one "
    "per line until the input ends, print the largest group in which every two rhyme.",
    "tests": [{"input": "moon\nspoon\nSOON\ncat\n", "output": "3\n"}],
    "date": "2026-05-20",
    "source": "made for the tests",
    "licence": "Apache-2.0",
    "solution": "import sys\nfrom collections import Counter\n"
    "print(max(Counter(line.strip().lower()[-3:] for line in sys.stdin.read().split()).values()))\n",
}


def without(problem: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in names}


def written(path: Path, *problems: Mapping[str, Any]) -> Path:
    return written_lines(path, map(json.dumps, problems))


def written_lines(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def upstream_row(problem: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A problem with ``input`` and ``output`` as LiveCodeBench writes it; the first test is public."""
    cases = [{**test, "testtype": "stdin"} for test in problem["tests"]]
    packed = base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases[1:])))).decode()
    return {
        "question_id": problem["task_id"],
        "question_title": problem["task_id"].title(),
        "question_content": problem["statement"],
        "platform": "atcoder",
        "contest_id": "stall1",
        "contest_date": f"{problem['date']}T00:00:00",
        "starter_code": "",
        "difficulty": problem.get("difficulty", "easy"),
        "public_test_cases": json.dumps(cases[:1]),
        "private_test_cases": packed,
        "metadata": "{}",
        **fields,
    }
