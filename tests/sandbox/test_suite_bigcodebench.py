"""BigCodeBench's problems judged: made ones in its format, and a few real ones that need the standard library alone.

The environment here is a bare interpreter: what the official list of libraries is good for is shown by
``tests/suites/bigcodebench.py``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import bigcodebench, registry
from benchforge.ingest.benchmarks.bigcodebench_environment import ENVIRONMENT
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.staging.files import plan_staging, wanted_files, write_staged
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.score.judge import Graded, Job, Judge
from benchforge.runners.score.sandbox.suite_box import Place

ORACLES = ("official", "strict")
SHELF = {
    "task_id": "Own/shelf",
    "complete_prompt": "import json\ndef task_func(path):\n    '''Number of books in a file.'''\n",
    "instruct_prompt": "Number of books in a file.",
    "canonical_solution": "    with open(path) as stream:\n        return len(json.load(stream))\n",
    "code_prompt": "import json\ndef task_func(path):\n",
    "test": "import os\nimport unittest\nfrom unittest.mock import patch\n"
    "class TestCases(unittest.TestCase):\n"
    "    def setUp(self):\n"
    "        with open('books.json', 'w') as stream:\n            stream.write('[1, 2, 3]')\n"
    "    def tearDown(self):\n        os.remove('books.json')\n"
    "    def test_three(self):\n        self.assertEqual(task_func('books.json'), 3)\n"
    "    @patch('json.load', return_value=[])\n    def test_none(self, load):\n"
    "        self.assertEqual(task_func('books.json'), 0)\n        load.assert_called_once()\n"
    "    def test_missing(self):\n        self.assertRaises(FileNotFoundError, task_func, 'nowhere')\n",
    "entry_point": "task_func",
}
OPENED = "def task_func(path):\n    with open(path) as stream:\n        return len(json.load(stream))\n"
SAMPLES: Mapping[str, tuple[str, tuple[str, str]]] = {
    "as the reference": (SHELF["complete_prompt"] + SHELF["canonical_solution"], ("pass", "ok")),
    "calibration brings the import": (OPENED, ("pass", "ok")),
    "names of the module": (OPENED.replace("open(path)", "open(os.path.join('.', path))"), ("pass", "ok")),
    "prints, and reads nothing": (OPENED.replace("    with", "    print(path)\n    with", 1), ("pass", "ok")),
    "a body of pass": ("def task_func(path):\n    pass\n", ("fail", "wrong_answer")),
    "no JSON": ("def task_func(path):\n    return len(open(path).read().split(','))\n", ("fail", "wrong_answer")),
    "raises": ("def task_func(path):\n    return {}[path]\n", ("fail", "exception")),
    "does not parse": ("def task_func(path:\n", ("fail", "syntax")),
    "never ends": ("def task_func(path):\n    while True:\n        pass\n", ("timeout", "timeout")),
    "leaves at import": (f"{OPENED}\nimport sys\nsys.exit(0)\n", ("fail", "exception")),
    "leaves in a call": ("import os\ndef task_func(path):\n    os._exit(0)\n", ("fail", "killed")),
    "equals everything": (
        "class All:\n    def __eq__(self, other):\n        return True\n"
        "def task_func(path):\n    open(path)\n    json.load(0)\n    return All()\n",
        ("fail", "tamper"),
    ),
}
PLAIN = ("BigCodeBench/1", "BigCodeBench/7", "BigCodeBench/145", "BigCodeBench/254")
"""Real problems of the standard library alone."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The environment with the standard library alone."""
    folder = tmp_path_factory.mktemp("suites") / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return Place(replace(ENVIRONMENT, preload=("unittest.mock",)), str(folder))


def judged(
    place: Place, tasks: Mapping[str, Task], programs: Mapping[Any, tuple[str, str]]
) -> Iterator[tuple[Any, Graded]]:
    """``programs``: key -> task id, text."""
    with Judge(tasks, None, num_workers=1, places={ENVIRONMENT.name: place}) as judge:
        for job, graded in judge.grade(Job(key, task_id, text, ORACLES) for key, (task_id, text) in programs.items()):
            yield job.key, graded


def test_made_samples_have_the_verdicts_that_they_were_made_for(place: Place):
    task = bigcodebench.task_of(SHELF, "complete", "full")
    assert task.payload["seconds"] == 241.0
    hurried = replace(task, task_id="Own/hurried", payload={**task.payload, "seconds": 3.0})
    tasks = {one.task_id: one for one in (task, hurried)}
    ids = {name: (hurried if name == "never ends" else task).task_id for name in SAMPLES}
    found = {}
    for name, graded in judged(place, tasks, {name: (ids[name], text) for name, (text, _) in SAMPLES.items()}):
        base = graded.outcomes["official"].base
        found[name] = (base.verdict, base.reason)
    assert found == {name: wanted for name, (_, wanted) in SAMPLES.items()}


def test_a_few_real_references_pass_and_empty_stubs_fail(place: Place, shared_data: Path, tmp_path: Path):
    benchmark = registry()["bigcodebench"]
    write_staged(plan_staging(wanted_files([benchmark], None, tmp_path), shared_data / "bigcodebench"))
    every = load_tasks(benchmark, None, "complete", tmp_path)
    assert (len(every), sum(task.num_base_cases or 0 for task in every)) == (1140, 6420)
    tasks = {task.task_id: task for task in every if task.task_id in PLAIN}
    programs = {
        (task_id, is_stub): (task_id, "def task_func(*given):\n    pass\n" if is_stub else task.reference or "")
        for task_id, task in tasks.items()
        for is_stub in (False, True)
    }
    for (task_id, is_stub), graded in judged(place, tasks, programs):
        verdicts = {name: outcome.base.verdict for name, outcome in graded.outcomes.items()}
        assert verdicts == dict.fromkeys(ORACLES, "fail" if is_stub else "pass"), (task_id, is_stub)
