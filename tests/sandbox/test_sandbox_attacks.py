# ruff: noqa: E501 - programs are data, one per line
"""Our own hostile programs: none passes, none leaves a trace, and an honest one right after each still passes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchforge.runners.score.judge import Graded, Job, Judge

from .conftest import BOTH, TASKS

Grade = Callable[[str, str], Graded]
RIGHT = "def total(xs):\n    return sum(xs)\n"

FORGERIES = {
    "always-equal object": "class Y:\n    def __eq__(s, o): return True\ndef total(xs):\n    return Y()\n",
    "int that equals all": "class Y(int):\n    def __eq__(s, o): return True\n    __hash__ = int.__hash__\ndef total(xs):\n    return Y(3)\n",
    "metaclass": "class M(type):\n    def __eq__(c, o): return True\n    __hash__ = None\nclass C(metaclass=M): pass\ndef total(xs):\n    return C\n",
    "mock.ANY": "from unittest.mock import ANY\ndef total(xs):\n    return ANY\n",
    "numpy subclass": "import numpy as np\nclass A(np.ndarray):\n    def __eq__(s, o): return True\n    def __bool__(s): return True\n"
    "def total(xs):\n    return np.zeros(()).view(A)\n",
    "end mark on every pipe": "import os\nfor fd in range(64):\n    try: os.write(fd, b'[\"end\", 3]\\n')\n    except OSError: pass\nos._exit(0)\n",
    "guessed answers on the pipe": "import os\nos.write(3, b'[\"a\",0,0.1,0.1,6]\\n[\"a\",1,0.1,0.1,6]\\n[\"a\",2,0.1,0.1,6]\\n[\"end\",3]\\n')\nos._exit(0)\n",
    "answers out of order": "import os\nos.write(3, b'[\"a\",1,0.1,0.1,10]\\n[\"a\",0,0.1,0.1,6]\\n[\"a\",2,0.1,0.1,0]\\n[\"end\",3]\\n')\nos._exit(0)\n",
    "too few answers": "import os\nos.write(3, b'[\"a\",0,0.1,0.1,6]\\n[\"end\",1]\\n')\nos._exit(0)\n",
    "one answer twice": "import os\ndef total(xs):\n    os.write(3, b'[\"a\",0,0.1,0.1,6]\\n')\n    return sum(xs)\n",
    "patched encoder": "import sys\nfor name, m in list(sys.modules.items()):\n    if name.endswith('codec'):\n        m.encode = lambda v: 'true'\n"
    "        m._HANDLERS.clear()\ndef total(xs):\n    return True\n",
    "frames and gc": "import gc, sys\ndef total(xs):\n    f = sys._getframe()\n    found = []\n    while f:\n        found += [v for k, v in f.f_locals.items() if 'exp' in k]\n"
    "        f = f.f_back\n    found += [o for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o]\n    return found[0] if found else None\n",
    "report object": "import gc\ndef total(xs):\n    for o in gc.get_objects():\n        if type(o).__name__ == 'Report':\n            o.answer = lambda *a: None\n            o.end(3)\n",
    "not JSON": "import os\nos.write(3, b'\\xff\\xfe{{{\\n')\ndef total(xs):\n    return sum(xs)\n",
    "deep JSON": "import os\nos.write(3, b'[' * 200000 + b'\\n')\ndef total(xs):\n    return sum(xs)\n",
    "unknown tag": "import os\nos.write(3, b'[\"a\",0,0.1,0.1,{\"!\":\"eval\",\"v\":\"6\"}]\\n')\ndef total(xs):\n    return sum(xs)\n",
    "pickle on the pipe": "import os, pickle\nos.write(3, pickle.dumps(print) + b'\\n')\ndef total(xs):\n    return sum(xs)\n",
}  # fmt: skip
RESOURCES = {
    "40 GB": "def total(xs):\n    return bytearray(40 << 30)\n",
    "endless answer": "import os\nwhile True: os.write(3, b'[' * 65536)\n",
    "many threads": "import threading, time\ndef total(xs):\n    while True:\n        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n",
    "stops itself": "import posix\nposix.kill(posix.getpid(), 19)\n",
    "blocks the alarm": "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ndef total(xs):\n    while True: pass\n",
    "no signals at all": "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ndef total(xs):\n    while True: pass\n",
    "endless C loop": "import itertools, collections\ndef total(xs):\n    collections.deque(itertools.repeat(0), maxlen=0)\n",
    "regular expression": "import re\ndef total(xs):\n    re.match('(a+)+$', 'a' * 60 + 'b')\n",
    "fills the disk": "import io\ndef total(xs):\n    for n in range(10**6):\n        with io.open(f'f{n}', 'wb') as s: s.write(bytes(1 << 24))\n",
    "deep brackets": "x = " + "(" * 60_000,
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef total(xs):\n    return total(xs)\n",
}  # fmt: skip
REACHES_OUT = {
    "fork": "import posix\ndef total(xs):\n    return sum(xs) if posix.fork() >= 0 else 0\n",
    "vfork by ctypes": "import ctypes\ndef total(xs):\n    return sum(xs) if ctypes.CDLL(None).fork() > 0 else None\n",
    "exec": "import posix\ndef total(xs):\n    posix.execv('/bin/true', ['true'])\n",
    "subprocess": "import _posixsubprocess, subprocess\ndef total(xs):\n    subprocess.run(['true'])\n    return sum(xs)\n",
    "multiprocessing": "import multiprocessing\ndef total(xs):\n    p = multiprocessing.Process(target=print); p.start(); p.join()\n    return sum(xs)\n",
    "TCP": "import socket\ndef total(xs):\n    socket.create_connection(('127.0.0.1', PORT), 1).send(b'x')\n    return sum(xs)\n",
    "datagram pair to a path": "import socket\ndef total(xs):\n    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n    return sum(xs)\n",
    "kill all": "import posix\ndef total(xs):\n    posix.kill(-1, 9)\n    return sum(xs)\n",
    "kill the server": "import posix\ndef total(xs):\n    posix.kill(posix.getppid(), 9)\n    return sum(xs)\n",
    "read the server": "import io, posix\ndef total(xs):\n    io.open(f'/proc/{posix.getppid()}/mem', 'rb')\n    return sum(xs)\n",
    "trace the server": "import ctypes, posix\ndef total(xs):\n    if ctypes.CDLL(None).ptrace(16, posix.getppid(), 0, 0) == 0: return sum(xs)\n",
    "outlives its parent": "import ctypes\ndef total(xs):\n    if ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == 0: return sum(xs)\n",
    "proc through a descriptor": "import os\nopened = os.open\ndef total(xs):\n    for fd in range(4096):\n        try:\n            opened('self/status', 0, dir_fd=fd)\n        except OSError:\n            continue\n        return sum(xs)\n    raise ValueError\n",
    "write outside": "import io\ndef total(xs):\n    io.open('/tmp/bf_canary_own', 'w')\n    return sum(xs)\n",
    "write above": "import io\ndef total(xs):\n    io.open('../bf_canary_own', 'w')\n    return sum(xs)\n",
    "link to outside": "import posix, io\ndef total(xs):\n    posix.symlink('/tmp', 'd'); io.open('d/bf_canary_own', 'w')\n    return sum(xs)\n",
    "chmod": "import posix\ndef total(xs):\n    posix.chmod('.', 0o777)\n    return sum(xs)\n",
    "list the root": "import posix\ndef total(xs):\n    posix.listdir('/')\n    return sum(xs)\n",
    "passwords": "import io\ndef total(xs):\n    io.open('/etc/passwd').read()\n    return sum(xs)\n",
    "the source tree": "import io\ndef total(xs):\n    io.open(SOURCE).read()\n    return sum(xs)\n",
    "raise its own limit": "import _posixsubprocess, sys\nsys.modules.pop('resource', None)\nimport resource\ndef total(xs):\n"
    "    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n    return sum(xs)\n",
    "new namespace": "import ctypes\ndef total(xs):\n    if ctypes.CDLL(None).unshare(0x10000000) == 0: return sum(xs)\n",
    "anonymous file": "import posix\ndef total(xs):\n    posix.memfd_create('x')\n    return sum(xs)\n",
    "shared memory": "import ctypes\ndef total(xs):\n    if ctypes.CDLL(None).shmget(0, 4096, 0o1600) >= 0: return sum(xs)\n",
    "type into the terminal": "import fcntl\ndef total(xs):\n    fcntl.ioctl(0, 0x5412, b'x')\n    return sum(xs)\n",
    "environment": "import os\ndef total(xs):\n    return sum(xs) if 'BENCHFORGE_CANARY' in os.environ else None\n",
}  # fmt: skip
"""Each would answer rightly if what it tries worked: a pass means that it did."""


@pytest.fixture(autouse=True)
def _no_canary_is_left() -> Iterator[None]:
    yield
    for folder in ("/tmp", "/dev/shm", Path.cwd(), Path.home()):
        assert not list(Path(folder).glob("bf_canary*"))


@pytest.fixture(scope="session")
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server.getsockname()[1]
        with pytest.raises(BlockingIOError):
            server.accept()


def does_not_pass(graded: Graded) -> bool:
    return all(
        outcome.base.verdict != "pass" or (outcome.plus is not None and outcome.plus.verdict != "pass")
        for outcome in graded.outcomes.values()
    )


def is_right(graded: Graded) -> bool:
    return all(
        outcome.base.verdict == "pass" and outcome.plus is not None and outcome.plus.verdict == "pass"
        for outcome in graded.outcomes.values()
    )


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_answer_does_not_pass(grade: Grade, name: str) -> None:
    assert does_not_pass(grade("total", FORGERIES[name]))


def test_resource_attacks_end_in_time_and_leave_their_neighbours_alone(judge: Judge) -> None:
    jobs = [Job(name, "total", program, BOTH) for name, program in RESOURCES.items()]
    honest = [Job(number, "total", f"{RIGHT}# {number}\n", BOTH) for number in range(len(jobs))]
    seen = {
        job.key: graded for job, graded in judge.grade(job for pair in zip(jobs, honest, strict=True) for job in pair)
    }
    assert [name for name in RESOURCES if not does_not_pass(seen[name])] == []
    assert all(is_right(seen[job.key]) for job in honest)
    assert all(graded.attempt == 1 for graded in seen.values())
    assert max(graded.peak_memory_bytes for graded in seen.values()) < 4_500 << 20


@pytest.mark.parametrize("name", REACHES_OUT)
def test_reaching_out_does_not_work(grade: Grade, listener: int, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("BENCHFORGE_CANARY", "secret")
    program = REACHES_OUT[name].replace("PORT", str(listener)).replace("SOURCE", repr(__file__))
    assert does_not_pass(grade("total", program))
    assert is_right(grade("total", RIGHT))


def test_siblings_do_not_see_each_others_scratch(grade: Grade) -> None:
    leave = "import io\nio.open('bf_canary_note', 'w').write('6')\ndef total(xs):\n    return sum(xs)\n"
    look = (
        "import glob, posix\ndef total(xs):\n"
        "    seen = glob.glob('*') + glob.glob('../*/*')\n    return None if not seen else sum(xs)\n"
    )
    assert is_right(grade("total", leave))
    assert does_not_pass(grade("total", look))


def test_a_set_of_colliding_numbers_is_refused_at_once(grade: Grade) -> None:
    program = "def similar_elements(a, b):\n    return [k * (2**61 - 1) for k in range(200_000)]\n"
    outcome = grade("same_items", program).outcomes["official"]
    assert outcome.base.verdict == "fail"


def test_an_answer_of_millions_of_elements_costs_the_judge_little(grade: Grade) -> None:
    graded = grade("total", "def total(xs):\n    return [(n, str(n)) for n in range(1_000_000)]\n")
    assert graded.outcomes["official"].base.reason == "wrong_answer"


def test_check_cannot_be_neutralised_by_its_candidate(grade: Grade) -> None:
    for program in (
        "class Y:\n    def __eq__(s, o): return True\ndef ordered(xs):\n    return Y()\n",
        'import os\ndef ordered(xs):\n    os.write(3, b\'["a",0,0.1,0.1,true]\\n["a",1,0.1,0.1,true]\\n\')\n    os._exit(0)\n',
        "import gc, sys\ndef ordered(xs):\n    for o in gc.get_objects():\n        if isinstance(o, dict) and 'check' in o: o['check'] = print\n",
    ):
        assert grade("ordered", program).outcomes["official"].base.verdict != "pass"
    assert TASKS["ordered"].kind == "check"
