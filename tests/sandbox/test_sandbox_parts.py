# ruff: noqa: E501 - programs are data
"""Base and plus share a process, and no program notices; what a report may not do to the judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from benchforge.runners.score.judge import Graded, Job, Judge

from .conftest import BOTH, TASKS, total_task

Grade = Callable[[str, str], Graded]

SHARERS = {
    "wraps heapq by itself": "import heapq\n_push = heapq.heappush\ndef push(h, x):\n    _push(h, -x)\nheapq.heappush = push\n"
    "def total(xs):\n    h = []\n    for x in xs:\n        heapq.heappush(h, x)\n    return sum(-x for x in h)\n",
    "an event loop at load": "import asyncio\nloop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\nasync def add(xs):\n    return sum(xs)\n"
    "asyncio.get_event_loop()\ndef total(xs):\n    return asyncio.run(add(xs))\n",
    "leaks descriptors": "import os\nopen_ = os.open\ndef total(xs):\n    for _ in range(30):\n        open_('/dev/null', 0)\n    return sum(xs)\n",
    "changes the default of decimal": "import decimal\ndecimal.Decimal('1.23456789') / 3\nassert decimal.getcontext().prec == 28\n"
    "def total(xs):\n    decimal.DefaultContext.prec = 5\n    return sum(xs)\n",
    "a flag on a module": "import math\nassert not hasattr(math, 'seen')\ndef total(xs):\n    math.seen = True\n    return sum(xs)\n",
    "a builtin replaced": "import builtins\nassert not hasattr(builtins, 'seen')\nbuiltins.seen = 1\ndef total(xs):\n    return sum(xs)\n",
    "a file left behind": "import io, os\nassert not os.listdir('.')\nio.open('left', 'w').close()\ndef total(xs):\n    return sum(xs)\n",
    "a thread left behind": "import threading, time\nassert threading.active_count() == 1\ndef total(xs):\n    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n    return sum(xs)\n",
    "a smaller stack": "import sys\nassert sys.getrecursionlimit() == 1000\nsys.setrecursionlimit(500)\ndef total(xs):\n    return sum(xs)\n",
    "an alarm of its own": "import signal\nassert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)\ndef total(xs):\n    signal.setitimer(signal.ITIMER_VIRTUAL, 100)\n    return sum(xs)\n",
}  # fmt: skip
"""Each passes in a process per part, as officially, and may not in the second part of a shared one."""


@pytest.mark.parametrize("program", SHARERS.values(), ids=SHARERS)
def test_what_base_leaves_behind_fails_nothing(grade: Grade, program: str) -> None:
    for outcome in grade("total", program).outcomes.values():
        assert outcome.plus is not None
        assert (outcome.base.reason, outcome.plus.reason) == ("ok", "ok")


def test_a_closed_stream_is_a_new_one_for_the_first_call(grade: Grade) -> None:
    program = "import sys\nsys.stdout.close()\ndef total(xs):\n    print('fine')\n    return sum(xs)\n"
    assert grade("total", program).outcomes["official"].base.reason == "ok"


FRAMES = [b'["x",0,[],"n"]', b'["x",0,{},"n"]', b'[[],0]', b'[{"a":1}]', b'["end",[]]', b'["end",3,{},0]', b'["end",3,[[]],0]',
          b'["a",0,0.1,0.1,6,7]', b'{}', b'3', b'""', b'["x"]', b'["x",0,"timeout"]', b'["x",true,"timeout","T"]']  # fmt: skip


@pytest.mark.parametrize("task_id", ["total", "ordered", "doubled", "output"])
def test_no_frame_is_too_strange_for_the_judge(grade: Grade, task_id: str) -> None:
    for frame in FRAMES:
        if TASKS[task_id].kind == "expression":
            program = f"(__import__('os').write(3, {frame + bytes([10])!r}), __import__('os')._exit(0))"
        else:
            program = f"import os\nos.write(3, {frame + bytes([10])!r})\nos._exit(0)\n"
        graded = grade(task_id, program)
        assert graded.attempt == 1, frame
        assert graded.outcomes["official"].base.verdict in ("fail", "timeout"), frame


def test_a_part_that_has_failed_is_not_listened_to_for_long() -> None:
    flood = (
        "import os\ndef total(xs):\n    if xs == [1, 2, 3]:\n        return 0\n    if xs == [10]:\n"
        "        while True:\n            os.write(3, b'=[' + b'[],' * 20000 + b'1]\\n')\n    return sum(xs)\n"
    )
    task = total_task(limit_seconds=20.0)
    with Judge({"total": task}) as judge:
        ((_, graded),) = judge.grade([Job(None, "total", flood, BOTH)])
    outcome = graded.outcomes["official"]
    assert (outcome.base.reason, outcome.base.first_failing_case) == ("wrong_answer", 0)
    assert outcome.plus is not None and outcome.plus.verdict == "pass"
    assert graded.wall_seconds < 5


def test_a_programs_file_names_never_lie_in_the_server(grade: Grade) -> None:
    """The second program looks for the first one's names as they read with every byte one higher: it never holds them itself."""
    leaves = "import io\ndef total(xs):\n    for n in range(500):\n        io.open('trevoc-' + 'x' * 40 + str(n), 'w').close()\n    return sum(xs)\n"
    seeks = (
        "import ctypes, os\nHIGHER = bytes(range(1, 256)) + b'x'\ndef total(xs):\n    pieces = [bytes(bytearray(range(60))) for _ in range(3000)]\n"
        "    for piece in pieces:\n        if b'usfwpd.' + b'y' * 40 in ctypes.string_at(id(piece) - 4096, 8192).translate(HIGHER):\n            return sum(xs)\n    return None\n"
    )
    assert grade("total", leaves).outcomes["official"].base.verdict == "pass"
    assert grade("total", seeks).outcomes["official"].base.verdict != "pass"
    holds = "NAMES = [b'trevoc-' + b'x' * 40 + bytes(n % 256 for n in range(5)) for _ in range(500)]\n" + seeks
    assert grade("total", holds).outcomes["official"].base.verdict == "pass"
