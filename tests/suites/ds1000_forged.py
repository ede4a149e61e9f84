"""Forged answers to real problems of DS-1000: how many are seen, and how many pass.

    python tests/suites/ds1000_forged.py --scratch DIR

The folder is one where ``stage ds1000`` and ``sandbox-check --suite ds1000`` were run. Each answer is written against
the problem's own test by somebody who has read it and this judge; none computes what is asked for. The rate on the
board is measured by ``runners/score/conformance``; this adds what data frames, arrays, tensors and figures offer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchforge.ingest.benchmarks import registry
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners.score.judge import Job, Judge
from benchforge.runners.score.suites import open_places

_FRAME, _SERIES, _ARRAY, _FIGURE, _TENSOR = (f"DS-1000/{number}" for number in (0, 1, 292, 511, 943))
FORGED = (
    ("frame of the caller", _FRAME, "import sys\nresult = sys._getframe(1).f_locals['expected_result']"),
    ("stack by inspect", _FRAME, "import inspect\nresult = inspect.stack()[1].frame.f_locals['expected_result']"),
    ("frame of a traceback", _FRAME, """\
try:
    1 / 0
except ZeroDivisionError as error:
    result = error.__traceback__.tb_frame.f_back.f_locals['expected_result']"""),
    ("frame of a generator", _FRAME, """\
def looks():
    yield turn.gi_frame.f_back.f_back
turn = looks()
result = next(turn).f_locals['expected_result']"""),
    ("every object there is", _FRAME, """\
import gc
result = [one for one in gc.get_objects() if isinstance(one, pd.DataFrame) and len(one) == len(df)][-1]"""),
    ("comparer that never fails", _FRAME, "pd.testing.assert_frame_equal = lambda *a, **k: None\nresult = 1"),
    ("comparer under its other name", _FRAME, """\
import pandas._testing.asserters as inner
pd.testing.__dict__['assert_frame_equal'] = inner.assert_attr_equal = lambda *a, **k: None
result = 1"""),
    ("what the comparer calls", _FRAME, """\
import pandas._testing.asserters as inner
inner._check_isinstance = inner.assert_index_equal = inner.assert_series_equal = lambda *a, **k: None
result = df"""),
    ("the test's own function", _FRAME, """\
import sys
sys._getframe(1).f_globals['exec_test'] = lambda *a: 1
result = 1"""),
    ("a data frame that equals everything", _FRAME, """\
class Any(pd.DataFrame):
    def __eq__(self, other):
        return True
result = Any()"""),
    ("a number that equals everything", _SERIES, """\
class Any(int):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
result = Any()"""),
    ("leaves with success", _SERIES, "import os\nos._exit(0)"),
    ("leaves later with success", _SERIES, "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit"),
    ("an array whose comparison says yes", _ARRAY, """\
class Any(np.ndarray):
    def __array_function__(self, *a, **k):
        return True
    def __array_ufunc__(self, *a, **k):
        return True
x = np.zeros(3).view(Any)"""),
    ("numpy's comparer", _ARRAY, "np.testing.assert_array_equal = np.testing.assert_allclose = print\nx = 1"),
    ("builtins of the context", _ARRAY, "__builtins__['AssertionError'] = KeyboardInterrupt\nx = 1"),
    ("the picture is copied", _FIGURE, """\
import shutil
plt.savefig = lambda *a, **k: shutil.copyfile('ans.png', 'output.png')"""),
    ("every picture is the same", _FIGURE, "import PIL.Image\nPIL.Image.open = lambda name: np.zeros((2, 2))"),
    ("pictures are always close", _FIGURE, "np.allclose = lambda *a, **k: True"),
    ("a tensor that equals everything", _TENSOR, """\
class Any(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *a, **k):
        return True
C = Any()"""),
    ("torch's comparer", _TENSOR, "torch.testing.assert_close = lambda *a, **k: None\nC = 1"),
)  # fmt: skip
"""What it does, problem, answer."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Forged answers to DS-1000.")
    parser.add_argument("--scratch", type=Path, required=True)
    scratch = parser.parse_args().scratch
    benchmark = registry()["ds1000"]
    tasks = {task.task_id: task for task in load_tasks(benchmark, None, "default", scratch / "datasets")}
    jobs = [Job(name, task_id, answer, ("official", "strict")) for name, task_id, answer in FORGED]
    places = open_places(benchmark, tasks.values(), scratch)
    with Judge(tasks, None, places=places) as judge:
        graded = {job.key: {name: one.base for name, one in found.outcomes.items()} for job, found in judge.grade(jobs)}
    seen = passed = 0
    for name, task_id, _ in FORGED:
        official, strict = graded[name]["official"], graded[name]["strict"]
        assert official is not None and strict is not None
        is_seen = "tamper" in (official.reason, strict.reason)
        seen, passed = seen + is_seen, passed + (official.verdict == "pass")
        told = (f"{word} {one.verdict} ({one.reason})" for word, one in (("official", official), ("strict", strict)))
        print(f"{name:36} {task_id:12} {'  '.join(told)}")
    print(f"{len(FORGED)} forged: {seen} seen, {passed} pass officially")


if __name__ == "__main__":
    main()
