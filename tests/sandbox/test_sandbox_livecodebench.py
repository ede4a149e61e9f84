# ruff: noqa: E501 - programs are data, one per line
"""LiveCodeBench's judge: the pinned harness's verdict bug for bug, the strict one beside it, and nothing forged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.livecodebench import task_of
from benchforge.runners.score.judge import Graded, Job, Judge, Rules
from benchforge.runners.score.judge.livecodebench import upstream_code

from .conftest import BOTH
from .livecodebench_programs import CALLS, GRID, MERGE, RATIO, STDIN, SUM, Row

_SAMPLES = {"sum": SUM, "merge": MERGE, "grid": GRID, "ratio": RATIO}
_ROWS: Mapping[str, tuple[str, Row]] = {
    **{f"sum: {row[0]}": ("sum", row) for row in STDIN},
    **{f"{sample['fn_name']}: {row[0]}": (sample["fn_name"], row) for sample, row in CALLS},
}


def task(name: str, **changes: Any) -> Task:
    made = task_of({"question_id": name, "input_output": json.dumps(_SAMPLES[name])})
    return replace(made, payload={**made.payload, "limit_seconds": 1.0, **changes})


@pytest.fixture(scope="module")
def graded() -> Mapping[str, Graded]:
    """Every row of the table, graded once."""
    with Judge({name: task(name) for name in _SAMPLES}, num_workers=2) as judge:
        jobs = [Job(key, name, row[1], BOTH) for key, (name, row) in _ROWS.items()]
        return {job.key: result for job, result in judge.grade(jobs)}


@pytest.mark.parametrize("key", _ROWS)
def test_official_codes_are_the_pinned_harness_s_own(graded: Mapping[str, Graded], key: str) -> None:
    part = graded[key].outcomes["official"].base
    assert (upstream_code(part), part.reason) == (_ROWS[key][1][2], part.reason)


@pytest.mark.parametrize("key", _ROWS)
def test_strict_verdicts_say_whether_the_program_is_right(graded: Mapping[str, Graded], key: str) -> None:
    part = graded[key].outcomes["strict"].base
    assert (part.verdict == "pass", part.reason) == (_ROWS[key][1][3], part.reason)


def test_the_first_failing_case_is_named_and_seconds_are_those_of_the_official_run(
    graded: Mapping[str, Graded],
) -> None:
    result = graded["merge: wrong at the third"]
    part = result.outcomes["official"].base
    assert (part.verdict, part.first_failing_case, part.num_run, part.num_passed) == ("fail", 2, 3, 2)
    assert len(result.case_seconds) == 3
    assert len(graded["sum: input"].case_seconds) == 3
    share, plus = graded["sum: input"].limit_shares
    assert plus is None
    assert share is not None
    assert 0 < share < 0.5


@pytest.mark.parametrize(
    ("program", "verdict", "reason"),
    [
        ("import sys, json\nsys.stdin.read\nprint(1)", "fail", "wrong_answer"),
        ("import sys\nwhile True:\n    try:\n        while True: pass\n    except Exception: pass", "timeout", "killed"),
        ("print('x' * (17 << 20) + '\\n' + 'y' * (17 << 20))", "fail", "output_limit"),
        ("x = [0] * (1 << 40)", "fail", "memory"),
    ],
)  # fmt: skip
def test_words_for_what_upstream_has_no_word_for(program: str, verdict: str, reason: str) -> None:
    with Judge({"sum": task("sum", limit_seconds=0.5)}) as judge:
        ((_, result),) = judge.grade([Job(None, "sum", program, ("official",))])
    part = result.outcomes["official"].base
    assert (part.verdict, part.reason) == (verdict, reason)


FORGERIES = {
    "equal to everything": ("merge", "class E:\n    def __eq__(self, other):\n        return True\nclass Solution:\n    def merge(self, a, b):\n        return E()"),
    "a list equal to everything": ("merge", "class E(list):\n    def __eq__(self, other):\n        return True\nclass Solution:\n    def merge(self, a, b):\n        return E()"),
    "elements equal to everything": ("merge", "class E(int):\n    def __eq__(self, other):\n        return True\nclass Solution:\n    def merge(self, a, b):\n        return [E() for _ in a]"),
    "mock.ANY": ("merge", "import unittest.mock\nclass Solution:\n    def merge(self, a, b):\n        return unittest.mock.ANY"),
    "frames": ("merge", "class Solution:\n    def merge(self, a, b):\n        frame = sys._getframe()\n        while frame:\n            for name in ('gt_out', 'all_outputs', 'expected', 'wanted'):\n                if name in frame.f_locals:\n                    return frame.f_locals[name]\n            frame = frame.f_back"),
    "the collector's objects": ("merge", "import gc\nclass Solution:\n    def merge(self, a, b):\n        for found in gc.get_objects():\n            if found == [4, 6]:\n                return found"),
    "frames of text": ("sum", "import sys\nframe = sys._getframe()\nwhile frame:\n    for value in list(frame.f_locals.values()):\n        if value in ('6\\n', ['6\\n', '10\\n', '2\\n']):\n            print(6)\n    frame = frame.f_back"),
    "the report's pipe": ("sum", "import os\nfor case, text in enumerate(('6', '10', '2')):\n    os.write(3, b'[\"a\",%d,0.1,0.0,\"0\"]\\n' % case)\nos.write(3, b'[\"end\",3]\\n')\nos._exit(0)"),
    "a complete report before the first case": ("merge", "import os\nos.write(3, b'[\"end\",3]\\n')\nos._exit(0)"),
    "cases out of order": ("merge", "import os\nos.write(3, b'[\"a\",2,0.1,0.0,[8,9,10]]\\n[\"a\",0,0.1,0.0,[4,6]]\\n[\"a\",1,0.1,0.0,[5]]\\n[\"end\",3]\\n')\nos._exit(0)"),
    "a list where text is due": ("sum", "import os\nos.write(3, b'[\"a\",0,0.1,0.0,[\"6\"]]\\n[\"end\",3]\\n')\nos._exit(0)"),
    "its own getvalue": ("sum", "import sys\nclass S(str):\n    def strip(self, *a):\n        return self\n    def split(self, *a):\n        return [self]\n    def __eq__(self, other):\n        return True\nsys.stdout.getvalue = lambda: S('6')"),
    "its own StringIO": ("sum", "import io\nio.StringIO.__init__ = None"),
    "another json": ("merge", "import json\njson.dumps = lambda *a, **k: '[4, 6]'\nclass Solution:\n    def merge(self, a, b):\n        return 0"),
    "exit from a thread": ("sum", "import os, threading\nthreading.Thread(target=lambda: os._exit(0)).start()"),
    "SystemExit everywhere": ("merge", "class Solution:\n    def __getattribute__(self, name):\n        raise SystemExit(0)"),
    "True for everything": ("merge", "class Solution:\n    def merge(self, a, b):\n        return True"),
    "signalling NaN": ("sum", "print('sNaN sNaN')"),
    "the limit's own exception": ("sum", "import __main__, sys\nfor module in list(sys.modules.values()):\n    if hasattr(module, 'TimeoutException'):\n        raise module.TimeoutException"),
}  # fmt: skip


def test_no_forgery_passes_and_an_honest_program_beside_each_does() -> None:
    right = {"merge": _ROWS["merge: a list"][1][1], "sum": _ROWS["sum: input"][1][1]}
    tasks = {name: task(name) for name in right}
    jobs = [Job((key, text), name, text, BOTH) for key, (name, bad) in FORGERIES.items() for text in (bad, right[name])]
    with Judge(tasks) as judge:
        results = list(judge.grade(jobs))
    assert len(results) == 2 * len(FORGERIES)
    for job, result in results:
        verdicts = {outcome.base.verdict for outcome in result.outcomes.values()}
        if job.program in right.values():
            assert verdicts == {"pass"}, job.key
        else:
            assert "pass" not in verdicts, job.key
        assert result.attempt == 1, job.key


def test_a_longer_limit_is_asked_for_by_rule_and_the_share_is_of_the_official_one() -> None:
    program = "import time\ntime.sleep(0.6)\nn = input()\nprint(sum(map(int, input().split())))"
    tasks = {"sum": task("sum", limit_seconds=0.4)}
    with Judge(tasks) as judge:
        ((_, short),) = judge.grade([Job(None, "sum", program, ("official",))])
    with Judge(tasks, rules=Rules(limit_scale=4.0)) as judge:
        ((_, long),) = judge.grade([Job(None, "sum", program, ("official",))])
    assert short.outcomes["official"].base.reason == "timeout"
    assert long.outcomes["official"].base.verdict == "pass"
    assert long.limit_shares[0] is not None
    assert long.limit_shares[0] > 1.0


_IDIOMS = (
    "input", "read", "readline", "readlines", "buffer.read", "imported read", "imported readline", "readline to the end",
    "EOFError", "iteration, right", "imported iteration", "next", "buffer.readline", "buffer.readlines", "imported buffer",
    "open(0)", "open(0), next", "os.read", "os.read as lines", "fileinput, right", "input and read", "fileno",
    "stdout.write", "stdout.buffer", "imported stdout", "os.write", "global", "main", "exit", "quit",
)  # fmt: skip
"""Ways to read and write that contest programs use; none of these programs is anybody's sample."""


@pytest.mark.parametrize("name", _IDIOMS)
def test_strict_says_what_plain_python_does(graded: Mapping[str, Graded], name: str, tmp_path: Path) -> None:
    program = _ROWS[f"sum: {name}"][1][1]
    for given, wanted in zip(SUM["inputs"], SUM["outputs"], strict=True):
        (tmp_path / "given.txt").write_text(given)
        assert _printed(program, tmp_path / "given.txt").strip() == wanted.strip()
    assert graded[f"sum: {name}"].outcomes["strict"].base.verdict == "pass"


def _printed(program: str, given: Path) -> str:
    with given.open() as stream:
        return subprocess.run(
            [sys.executable, "-c", program], stdin=stream, capture_output=True, text=True, check=True
        ).stdout
