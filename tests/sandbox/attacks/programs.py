# ruff: noqa: E501 - programs are data
"""Forgeries for tests that run on the judge's side (``check``), for whole programs, and for LiveCodeBench's harness."""

from __future__ import annotations

from .attack import Attack


def _check(name: str, program: str) -> Attack:
    return Attack(f"check: {name}", program, "ordered")


def _stdin(name: str, program: str) -> Attack:
    return Attack(f"program: {name}", program, "doubled")


def _lcb(name: str, program: str) -> Attack:
    return Attack(f"livecodebench: {name}", program, "lcb_doubled")


def _method(name: str, body: str, before: str = "") -> Attack:
    return Attack(
        f"livecodebench: {name}", f"{before}\nclass Solution:\n    def total(self, xs):\n        {body}\n", "lcb_total"
    )


_TRUE = b'["a",%d,0.1,0.1,true]\n'
CHECKED = [
    _check("always true", "class Y:\n    def __eq__(s, o): return True\n    def __bool__(s): return True\ndef ordered(xs):\n    return Y()\n"),
    _check("bool-like", "class B(int):\n    def __eq__(s, o): return True\n    __hash__ = None\ndef ordered(xs):\n    return B(1)\n"),
    _check("a decorator left dangling", "def ordered(xs):\n    return None\ndef swallow(f):\n    return lambda candidate: None\n@swallow\n"),
    _check("a check of its own", "def ordered(xs):\n    return None\ndef check(candidate):\n    return True\n"),
    _check("answers before it is asked", f"import os\nos.write(3, {b''.join(_TRUE % n for n in range(-1, 3))!r})\nos._exit(0)\n"),
    _check("an end before it is asked", "import os\nos.write(3, b'[\"a\",-1,0.1,0.1,null]\\n[\"end\",0]\\n')\nos._exit(0)\n"),
    _check("answers without looking", f"import os\ndef ordered(xs):\n    os.write(3, {_TRUE % 0 + _TRUE % 1 + _TRUE % 2!r})\n    os._exit(0)\n"),
    _check("leaves at the first call", "import os\ndef ordered(xs):\n    os._exit(0)\n"),
    _check("raises what a test raises", "def ordered(xs):\n    raise AssertionError\n"),
    _check("raises SystemExit", "def ordered(xs):\n    raise SystemExit(0)\n"),
    _check("raises what nothing catches", "class E(BaseException): pass\ndef ordered(xs):\n    raise E\n"),
    _check("reads the questions itself", "import os\ndef ordered(xs):\n    os.read(4, 1 << 16)\n    return True\n"),
    _check("closes the questions", "import os\nos.close(4)\ndef ordered(xs):\n    return True\n"),
    _check("unpickles worse questions", "import pickle\npickle.load = lambda s: (([1, 2],), {})\ndef ordered(xs):\n    return xs == sorted(xs)\nimport gc\nfor o in gc.get_objects():\n    if isinstance(o, dict) and 'check' in o: o['check'] = print\nordered = lambda xs: True\n"),
    _check("a generator of truths", "def ordered(xs):\n    yield True\n"),
    _check("an array of truths", "import numpy as np\ndef ordered(xs):\n    return np.array([True, True])\n"),
    _check("endless frames", "import os\ndef ordered(xs):\n    while True: os.write(3, b' ' * 4096)\n"),
    _check("sleeps in the second call", "import time\ndef ordered(xs):\n    if xs[0] == 2: time.sleep(60)\n    return True\n"),
]  # fmt: skip
PRINTED = [
    _stdin("prints what nothing equals", "print('sNaN')\n"),
    _stdin("prints numbers that overflow", "print('1e999999999999999999999')\n"),
    _stdin("prints NaN", "print('NaN')\n"),
    _stdin("output object of its own", "import sys\nclass S(str):\n    def strip(s, *a): return s\n    def split(s, *a): return [s]\n    def __eq__(s, o): return True\n    __hash__ = str.__hash__\nclass O:\n    def write(s, t): return len(t)\n    def flush(s): pass\n    def getvalue(s): return S('8')\nsys.stdout = sys.__stdout__ = O()\n"),
    _stdin("looks for the answer in its descriptors", "import os\nfor fd in range(1000):\n    try:\n        os.lseek(fd, 0, 0); data = os.read(fd, 100)\n    except OSError: continue\n    if data.strip() not in (b'4', b'-1'): print(data.decode(errors='replace'))\n"),
    _stdin("forges the end", "import os\nos.write(3, b'[\"end\",1]\\n')\nos._exit(0)\n"),
    _stdin("forges a ready end", "import os\nos.write(3, b'[\"a\",0,0.1,0.1,\"8\"]\\n[\"end\",1]\\n')\nos._exit(0)\n"),
    _stdin("ends before it has printed", "import os, sys\nos.write(3, b'[\"end\",1]\\n')\nos.close(3)\nos.write(1, b'9')\n"),
    _stdin("prints both answers over each other", "import os\nos.write(1, b'8\\n')\nos.lseek(1, 0, 0)\nos.write(1, b'-2\\n')\n"),
    _stdin("shrinks and grows its output", "import os\nos.write(1, b'7' * 100)\nos.ftruncate(1, 0)\nos.ftruncate(1, 30 << 20)\n"),
    _stdin("output beyond the limit", "import os\nwhile True: os.write(1, b'8\\n' * 65536)\n"),
    _stdin("millions of numbers in one line", "import os\nos.write(1, b'8 ' * (7 << 20))\n"),
    _stdin("millions of lines", "import os\nos.write(1, b'8\\n' * (7 << 20))\n"),
    _stdin("a number of 16 MB", "import os\nos.write(1, b'8' * (15 << 20))\n"),
    _stdin("a thread that never ends", "import threading, time\nprint(2 * int(input()))\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"),
    _stdin("leaves with an error", "import sys\nprint(2 * int(input()))\nsys.stdout.flush()\nsys.exit(3)\n"),
]  # fmt: skip
CONTESTS = [
    _lcb("captured text replaced", "import io, sys\nclass S(str):\n    def strip(s, *a): return s\n    def split(s, *a): return [s]\n    def __eq__(s, o): return True\n    __hash__ = str.__hash__\nio.StringIO.getvalue = lambda s: S('8')\nsys.stdout.getvalue = lambda: S('8')\n"),
    _lcb("captured object replaced", "import sys\nclass O:\n    def write(s, t): return len(t)\n    def flush(s): pass\n    def getvalue(s): return '8\\n'\nsys.stdout = O()\n"),
    _lcb("prints what nothing equals", "print('sNaN')\n"),
    _lcb("forges all answers on the pipe", "import posix\nposix.write(3, b'[\"a\",0,0.1,0.1,\"8\"]\\n[\"a\",1,0.1,0.1,\"8\"]\\n[\"end\",2]\\n')\nposix._exit(0)\n"),
    _lcb("forges an object for text", "import posix\nposix.write(3, b'[\"a\",0,0.1,0.1,{\"!\":\"?\",\"v\":\"str\"}]\\n[\"end\",2]\\n')\nposix._exit(0)\n"),
    _lcb("leaves at import", "exit()\n"),
    _lcb("reads the expected outputs", "import gc\nfor o in gc.get_objects():\n    if isinstance(o, dict) and 'outputs' in o or isinstance(o, dict) and 'stdout' in o: print(o)\n"),
    _lcb("main guard with a second program", "if __name__ == '__main__':\n    pass\nimport os\nos._exit(0)\n"),
    _lcb("prints without end", "while True: print('8' * 100000)\n"),
    _method("always-equal object", "return E()", "class E:\n    def __eq__(s, o): return True"),
    _method("int that equals all", "return E(1)", "class E(int):\n    def __eq__(s, o): return True\n    __hash__ = None"),
    _method("tuple whose iteration lies", "return E()", "class E(tuple):\n    def __iter__(s): return iter(())\n    def __eq__(s, o): return True\n    __hash__ = None"),
    _method("claims the time is over, and is right", "raise Exception('TimeoutException') from None"),
    _method("array of one", "import numpy\n        return numpy.zeros((1, 0))"),
    _method("leaves", "import posix\n        posix._exit(0)"),
    _method("a constructor that loops", "return sum(xs)", "import time\ntime.sleep(60)"),
]  # fmt: skip

ATTACKS = [*CHECKED, *PRINTED, *CONTESTS]
