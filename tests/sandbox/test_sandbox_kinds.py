# ruff: noqa: E501 - programs are data, one per line
"""Each kind of task through the whole road: judge, worker, outer sandbox, child."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.runners.score.judge import Graded, Job, Judge, SandboxFailed, pool

from .conftest import BOTH, TASKS, make_task, total_task

Grade = Callable[[str, str], Graded]

RIGHT = "def total(xs):\n    return sum(xs)\n"


def verdicts(graded: Graded, oracle: str = "official") -> tuple[str, str, str | None, str | None]:
    outcome = graded.outcomes[oracle]
    plus = outcome.plus
    return outcome.base.verdict, outcome.base.reason, plus and plus.verdict, plus and plus.reason


def test_a_right_program_passes_both_parts_and_is_measured(grade: Grade) -> None:
    graded = grade("total", RIGHT)
    assert verdicts(graded) == ("pass", "ok", "pass", "ok")
    assert verdicts(graded, "strict") == ("pass", "ok", "pass", "ok")
    assert graded.outcomes["official"].base.num_passed == 3
    assert len(graded.case_seconds) == 5
    assert graded.cpu_seconds > 0
    assert graded.peak_memory_bytes > 1 << 20


def test_the_first_failing_case_is_named_and_plus_is_judged_all_the_same(grade: Grade) -> None:
    outcome = grade("total", "def total(xs):\n    return sum(xs) if xs else None\n").outcomes["official"]
    assert (outcome.base.verdict, outcome.base.first_failing_case, outcome.base.num_run) == ("fail", 2, 3)
    assert outcome.plus is not None
    assert outcome.plus.verdict == "pass"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("def total(xs):\n    return 1/0\n", ("fail", "exception")),
        ("def other(xs):\n    return 1\n", ("fail", "exception")),
        ("def total(xs):\n", ("fail", "syntax")),
        ("x = '\x00'", ("fail", "syntax")),
        ("x = '\ud800'", ("fail", "syntax")),
        ("raise SystemExit(0)", ("fail", "exception")),
        ("import os\nos._exit(0)", ("timeout", "killed")),
        ("import ctypes\nctypes.string_at(0)", ("timeout", "killed")),
        ("def total(xs):\n    while True: pass\n", ("fail", "timeout")),
        ("while True: pass", ("timeout", "timeout")),
        ("def total(xs):\n    return 'x' * (40 << 30)\n", ("fail", "memory")),
        ("def total(xs):\n    open('x')\n", ("fail", "exception")),
        ("def total(xs):\n    return input()\n", ("fail", "exception")),
        ("", ("fail", "empty")),
    ],
)
def test_ways_to_fail(grade: Grade, program: str, expected: tuple[str, str]) -> None:
    assert verdicts(grade("total", program))[:2] == expected


def test_a_program_that_dies_is_a_timeout_only_officially(grade: Grade) -> None:
    graded = grade("total", "import os\nos._exit(0)")
    assert verdicts(graded)[:2] == ("timeout", "killed")
    assert verdicts(graded, "strict")[:2] == ("fail", "killed")


def test_honest_oddities_pass(grade: Grade) -> None:
    for program in (
        "print('hello')\nimport sys\ndef total(xs):\n    print(xs, file=sys.stderr)\n    sys.stdout.close()\n    return sum(xs)\n",
        "def total(xs):\n    out = 0\n    while xs:\n        out += xs.pop()\n    return out\n",
        "from __future__ import annotations\nclass A:\n    x: B\ndef total(xs: Nowhere):\n    return sum(xs)\n",
        "def total(xs):\n    return sum(xs)\nif __name__ == '__main__':\n    raise RuntimeError\n",
        "import threading\ndef total(xs):\n    r = []\n    t = threading.Thread(target=lambda: r.append(sum(xs)))\n"
        "    t.start(); t.join()\n    return r[0]\n",
        "import pathlib\ndef total(xs):\n    pathlib.Path('note').write_text(str(sum(xs)))\n"
        "    return int(pathlib.Path('note').read_text())\n",
        "import asyncio\nasync def add(xs): return sum(xs)\ndef total(xs):\n    return asyncio.run(add(xs))\n",
    ):
        assert verdicts(grade("total", program)) == ("pass", "ok", "pass", "ok"), program


def test_base_and_plus_are_processes_of_their_own(grade: Grade) -> None:
    program = "calls = []\ndef total(xs):\n    calls.append(1)\n    return sum(xs) if len(calls) <= 3 else None\n"
    assert verdicts(grade("total", program)) == ("pass", "ok", "pass", "ok")


def test_random_and_hash_order_repeat(grade: Grade) -> None:
    program = (
        "import random\nORDER = str({str(n) for n in range(50)})\n"
        'def total(xs):\n    return sum(xs) if random.random() + len(ORDER[:9].strip("{\'")) % 3 / 9 < 0.8 else None\n'
    )
    seen = [grade("total", program).outcomes for _ in range(6)]
    assert all(outcomes == seen[0] for outcomes in seen)


def test_expected_values_come_from_the_reference_and_numpy_answers_are_told(grade: Grade) -> None:
    pytest.importorskip("numpy")
    assert verdicts(grade("halves", "def halves(xs):\n    return [x / 2 for x in xs]\n"))[:2] == ("pass", "ok")
    numpy = "import numpy as np\ndef halves(xs):\n    return list(np.array(xs) / 2)\n"
    assert verdicts(grade("halves", numpy))[:2] == ("pass", "ok")
    array = "import numpy as np\ndef halves(xs):\n    return np.array(xs) / 2\n"
    assert verdicts(grade("halves", array))[:2] == ("fail", "wrong_answer")


@pytest.mark.parametrize(
    ("task", "program"),
    [
        ("total", "import numpy\ndef total(xs):\n    return numpy.float16('inf') if sum(xs) > 7 else sum(xs)\n"),
        ("counted", "import numpy\ndef counted(n):\n    return numpy.float16('inf')\n"),
        ("product", "__import__('numpy').float16('inf')"),
        ("products", "[__import__('numpy').float32(77000231)] * 2"),
    ],
)
def test_a_narrow_infinity_of_numpy_is_no_answer(task: str, program: str) -> None:
    pytest.importorskip("numpy")
    code = {"code": "def f(n):\n    return n * 1000003\n", "input": "77", "direction": "output", "limit_seconds": 1.0}
    test = "def check(candidate):\n    assert candidate(100000) == 100001\n"
    tasks = {
        "total": total_task(base_inputs=[[[100000, 1]]], expected={"base": [100001], "plus": [7, 2**70 + 1]}),
        "counted": make_task(
            "counted",
            "check",
            {
                "entry_point": "counted",
                "prompt": "def counted(n):\n    return n + 1\n",
                "limit_seconds": 1.0,
                "test": test,
            },
        ),
        "product": make_task("product", "expression", {**code, "output": "77000231"}),
        "products": make_task("products", "expression", {**code, "output": "[77000232, 77000231]"}),
    }
    with Judge(tasks) as judge:
        ((_, graded),) = judge.grade([Job(None, task, program, BOTH)])
    for oracle in BOTH:
        assert verdicts(graded, oracle)[:2] == ("fail", "wrong_answer")


def test_set_oracle_takes_a_generator(grade: Grade) -> None:
    assert (
        verdicts(grade("same_items", "def similar_elements(a, b):\n    return (x for x in a if x in b)\n"))[0] == "pass"
    )


def test_check_runs_on_our_side(grade: Grade) -> None:
    assert verdicts(grade("ordered", "def ordered(xs):\n    return sorted(xs) == xs\n"))[:2] == ("pass", "ok")
    assert verdicts(grade("ordered", "def ordered(xs):\n    return True\n"))[:2] == ("fail", "wrong_answer")
    assert verdicts(grade("ordered", "def ordered(xs):\n    return 1/0\n"))[:2] == ("fail", "exception")
    assert verdicts(grade("ordered", "def ordered(xs):\n    while True: pass\n"))[:2] == ("timeout", "timeout")
    assert verdicts(grade("ordered", "def check(c): pass\ndef ordered(xs): return None\n@print\n"))[0] == "fail"


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        ("class S(str): pass\ndef turned(x): return S(x[::-1])\n", ("pass", "ok")),
        ("def turned(x): return ''.join(reversed(x)) if isinstance(x, str) else x\n", ("pass", "ok")),
        ("def turned(x): return (c for c in x) if isinstance(x, str) else 'ab'\n", ("fail", "opaque_type")),
        ("def turned(x): return dict.fromkeys(x).keys() if isinstance(x, str) else 'ab'\n", ("fail", "opaque_type")),
    ],
)
def test_an_answer_is_given_back_to_the_program_as_a_plain_value(program: str, verdict: tuple[str, str]) -> None:
    test = "def check(candidate):\n    assert candidate(candidate('ab')) == 'ab'\n"
    payload = {"entry_point": "turned", "prompt": "def turned(x):\n    'x'\n", "limit_seconds": 1.0, "test": test}
    with Judge({"turned": make_task("turned", "check", payload)}) as judge:
        ((_, graded),) = judge.grade([Job(None, "turned", program, BOTH)])
    assert verdicts(graded)[:2] == verdict


IMPORTED = (
    "asyncio", "bz2", "concurrent.futures", "ctypes", "dataclasses", "doctest", "glob", "importlib.resources", "inspect", "logging",
    "multiprocessing", "multiprocessing.pool", "pathlib", "shutil", "subprocess", "tarfile", "tempfile", "unittest.mock", "zipfile",
)  # fmt: skip


def test_what_the_harness_imported_before_its_guard_can_be_imported_after_it(grade: Grade) -> None:
    program = (
        f"import {', '.join(IMPORTED)}\nfrom concurrent.futures import ProcessPoolExecutor\nimport os, tempfile, tokenize\n"
        "def total(xs):\n    assert os.getcwd is None and os.unlink is None and open is None\n"
        "    with tempfile.NamedTemporaryFile() as file:\n        name = file.name\n        assert os.path.exists(name)\n"
        "    assert not os.path.exists(name)\n    assert tokenize._builtin_open is not None\n    return sum(xs)\n"
    )
    assert verdicts(grade("total", program)) == ("pass", "ok", "pass", "ok")
    used = "import multiprocessing\ndef total(xs):\n    return multiprocessing.Pool(1).map(abs, xs)\n"
    assert verdicts(grade("total", used))[:2] == ("fail", "exception")


def test_stdin_programs_have_real_descriptors(grade: Grade) -> None:
    for program in (
        "print(int(input()) * 2)",
        "import io, sys\nkept, sys.stdout = sys.stdout, io.StringIO()\nprint('no')\nsys.stdout = kept\nprint(int(input()) * 2)",
        "import os, io, sys\nsys.stdout = io.StringIO()\nos.write(1, str(int(input()) * 2).encode())",
        "import sys\nfor line in sys.stdin:\n    sys.stdout.write(str(int(line) * 2))",
        "import os\nos.write(1, str(int(os.read(0, 99)) * 2).encode())",
        "print(int(open(0).read()) * 2.0)",
        "import sys\ndef main():\n    print(int(sys.stdin.buffer.readline()) * 2)\nif __name__ == '__main__':\n    main()\n    sys.exit(0)",
        "import threading\nthreading.Thread(target=lambda: print(int(input()) * 2)).start()",
        "import sys\nassert (sys.stdin.mode, sys.stdout.mode, sys.stdin.name, sys.stdout.name) == ('r', 'w', '<stdin>', '<stdout>')\nprint(int(input()) * 2)",
        "import os, sys, io\nclass F(io.IOBase):\n    def __init__(s): s.b = io.StringIO(); s.write = s.b.write\n"
        "    def flush(s): os.write(1, s.b.getvalue().encode()); s.b.truncate(0); s.b.seek(0)\nsys.stdout = F()\nprint(int(input()) * 2)",
        "import io, sys\nsys.stdout = io.TextIOWrapper(io.FileIO(1, 'w', closefd=False), newline='')\nprint(int(input()) * 2)",
        "import atexit, io, sys\nsys.stdout = io.StringIO()\natexit.register(lambda: sys.__stdout__.write(sys.stdout.getvalue()))\nprint(int(input()) * 2)",
        "import atexit, threading\nfound = []\natexit.register(lambda: print(*found))\nthreading.Thread(target=lambda: found.append(int(input()) * 2)).start()",
        "import atexit\natexit.register(lambda n: print(n * 2), int(input()))\natexit.register(lambda: 1 / 0)\nexit()",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(2).submit(lambda: print(int(input()) * 2))",
        "import sys\nprint(int(input()) * 2)\nsys.stdout.close()",
        "import sys\nprint(int(input()) * 2, flush=True)\nsys.stdout = None",
    ):
        assert verdicts(grade("doubled", program)) == ("pass", "ok", "pass", "ok"), program


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print(8)", "wrong_answer"), ("print(int(input()) * 2)\n1/0", "exception"), ("import sys\nsys.exit(3)", "exception"),
        ("while True: pass", "timeout"), ("while True: print('x' * 10**6)", "exception"), ("def", "syntax"),
    ],
)  # fmt: skip
def test_ways_to_fail_on_standard_output(grade: Grade, program: str, reason: str) -> None:
    assert verdicts(grade("doubled", program))[1] == reason


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [
        ("'ABAB'", "pass", "ok"), ("  'AB' * 2  # twice", "pass", "ok"), ("\"ABAB\"\n", "pass", "ok"), ("'abab'", "fail", "wrong_answer"),
        ("0 or 'ABAB'", "fail", "not_one_expression"), ("'ABAB', 'why'", "fail", "not_one_expression"),
        ("'ABAB'\nprint(1)", "fail", "not_one_expression"), ("(lambda: 'ABAB')()", "pass", "ok"), ("f( 'ab', 2)", "fail", "exception"),
        ("__import__('unittest.mock').mock.ANY", "fail", "opaque_type"), ("x" * 30_000, "fail", "not_one_expression"),
    ],
)  # fmt: skip
def test_predicted_outputs(grade: Grade, answer: str, verdict: str, reason: str) -> None:
    assert verdicts(grade("output", answer))[:2] == (verdict, reason)


def test_a_loose_expression_is_taken_at_its_value_only_strictly(grade: Grade) -> None:
    graded = grade("output", "'ABAB' if True else 0")
    assert verdicts(graded)[:2] == ("fail", "not_one_expression")
    assert verdicts(graded, "strict")[:2] == ("pass", "ok")


@pytest.mark.parametrize(
    ("answer", "verdict", "reason"),
    [
        ("f('ab', 2)", "pass", "ok"), ("f(*['Ab'], n=1 + 1)", "pass", "ok"), ("f('ab', 1)", "fail", "wrong_answer"),
        ("'ABAB'", "fail", "not_one_expression"), ("'ABAB' if True else f('x')", "fail", "not_one_expression"),
        ("f('x') or 'ABAB'", "fail", "not_one_expression"), ("f(1, 2)", "fail", "exception"),
        ("f(type('S', (), {'upper': lambda self: 'ABAB'})(), 1)", "fail", "not_one_expression"),
        ("f(globals().update(f=lambda *a: 'ABAB') or 'x', 2)", "fail", "wrong_answer"),
        ("f(lambda: 0, 2)", "fail", "exception"),
        ("f('x' * 10**9, 0) or f('ab', 2)", "fail", "not_one_expression"), ("f('ab' + ('x' * 10**8)[:0], 2)", "pass", "ok"),
        ("f(['ab', 'x' * 10**8][0], 2)", "pass", "ok"), ("f('x' * 10**8, 0)", "fail", "wrong_answer"),
    ],
)  # fmt: skip
def test_predicted_inputs(grade: Grade, answer: str, verdict: str, reason: str) -> None:
    assert verdicts(grade("input", answer))[:2] == (verdict, reason)


def test_jobs_of_one_call_are_all_answered(judge: Judge) -> None:
    jobs = [Job(number, "total", RIGHT + f"# {number}\n", BOTH) for number in range(20)]
    assert sorted(job.key for job, _ in judge.grade(iter(jobs))) == list(range(20))


def test_an_unknown_task_and_an_unknown_oracle_are_refused(judge: Judge) -> None:
    with pytest.raises(BadInput):
        list(judge.grade([Job(None, "nowhere", RIGHT, BOTH)]))
    with pytest.raises(UsageError):
        list(judge.grade([Job(None, "total", RIGHT, ("lenient",))]))


def test_a_reference_that_fails_is_an_error_not_a_verdict(tmp_path: Path) -> None:
    task = total_task(expected=None, reference="def total(xs):\n    return 1/0\n")
    with Judge({"total": task}, cache_directory=tmp_path) as judge, pytest.raises(BadInput, match="reference"):
        list(judge.grade([Job(None, "total", RIGHT, BOTH)]))
    assert list(tmp_path.iterdir()) == []


def test_expected_values_are_kept_by_task_digest(tmp_path: Path) -> None:
    task = total_task(expected=None, reference=RIGHT)
    with Judge({"total": task}, cache_directory=tmp_path) as judge:
        list(judge.grade([Job(None, "total", RIGHT, BOTH)]))
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith(task.task_digest)
    poisoned = total_task(expected=None, reference=RIGHT)
    kept.write_text(kept.read_text().replace("\n=6\n=10\n=0\n", "\n=6\n=10\n=1\n"))
    with Judge({"total": poisoned}, cache_directory=tmp_path) as judge:
        ((_, graded),) = judge.grade([Job(None, "total", RIGHT, BOTH)])
    assert graded.outcomes["official"].base.first_failing_case == 2


def test_a_worker_that_dies_costs_an_attempt_and_nothing_else() -> None:
    with Judge(TASKS) as judge:
        assert judge.mode
        os.kill(judge._workers[0]._process.pid, signal.SIGKILL)
        ((_, graded),) = judge.grade([Job(None, "total", RIGHT, BOTH)])
    assert verdicts(graded) == ("pass", "ok", "pass", "ok")
    assert graded.attempt == 2


def test_workers_that_keep_dying_leave_the_job_without_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    give = pool.WorkerProcess.give

    def give_and_die(self: pool.WorkerProcess, job: Job, *rest: object) -> None:
        if job.key == "unlucky":
            os.kill(self._process.pid, signal.SIGKILL)
        give(self, job, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pool.WorkerProcess, "give", give_and_die)
    with Judge(TASKS) as judge:
        done = []
        with pytest.raises(SandboxFailed) as caught:
            for job, _ in judge.grade(Job(key, "total", RIGHT, BOTH) for key in ("a", "unlucky", "b")):
                done.append(job.key)
    assert sorted(done) == ["a", "b"]
    assert caught.value.keys == ("unlucky",)
    assert caught.value.exit_code == 3


def test_the_grader_id_moves_with_the_rules_and_not_with_time() -> None:
    from benchforge.ingest.benchmarks.declaration import Oracles
    from benchforge.runners.score.judge import EVALPLUS_0_3_1

    oracles = Oracles("official", "strict")
    ids = {
        Judge({}).grader_id(oracles),
        Judge({}).grader_id(oracles),
        Judge({}, rules=EVALPLUS_0_3_1).grader_id(oracles),
    }
    assert len(ids) == 2
    assert all(len(grader_id) == 64 for grader_id in ids)


def test_the_ends_of_lines_reach_a_program_as_they_are() -> None:
    task = make_task("ends", "stdin", {"cases": [{"stdin": "a\r\nb", "stdout": "'a\\r' 'b'"}], "limit_seconds": 1.0})
    with Judge({"ends": task}) as judge:
        ((_, graded),) = judge.grade([Job(None, "ends", "print(repr(input()), repr(input()))", BOTH)])
    assert verdicts(graded)[:2] == ("pass", "ok")
