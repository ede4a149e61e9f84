# ruff: noqa: E501 - programs are data, one per line
"""Small programs, the code that LiveCodeBench@28fef95 gave each (its ``check_correctness`` was run beside, once), and whether it is right.

A row: what is tried, the program, the official code, and whether the program is right by the strict reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = tuple[str, str, int | bool, bool]

SUM: dict[str, Any] = {
    "inputs": ["3\n1 2 3\n", "1\n10\n", "2\n-5 7"],
    "outputs": ["6\n", "10\n", "2\n"],
    "fn_name": None,
}
"""Standard input: how many numbers, and the numbers. The answer is their sum."""
_GIVEN = "n = int(input())\nxs = [int(t) for t in input().split()]\n"
_TOLD = "print(sum(xs))\n"

STDIN: Sequence[Row] = (
    # reading
    ("input", _GIVEN + _TOLD, True, True),
    ("read", "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))", True, True),
    ("names of the header", "print(reduce(add, map(int, sys.stdin.read().split()[1:])))", True, True),
    ("readline", "import sys\ninput = sys.stdin.readline\n" + _GIVEN + _TOLD, True, True),
    ("readlines", "import sys\nprint(sum(map(int, sys.stdin.readlines()[1].split())))", True, True),
    ("buffer.read", "import sys\nprint(sum(map(int, sys.stdin.buffer.read().split()[1:])))", True, True),
    ("imported read", "from sys import stdin\nprint(sum(map(int, stdin.read().split()[1:])))", True, True),
    ("imported readline", "from sys import stdin\nstdin.readline()\nprint(sum(map(int, stdin.readline().split())))", True, True),
    ("readline of the header", "stdin.readline()\nprint(sum(map(int, stdin.readline().split())))", True, True),
    ("imported readline to the end", "from sys import stdin\nt = ''\nwhile line := stdin.readline():\n    t += line\nprint(sum(map(int, t.split()[1:])))", -2, True),
    ("readline to the end", "import sys\nt = ''\nwhile line := sys.stdin.readline():\n    t += line\nprint(sum(map(int, t.split()[1:])))", True, True),
    ("EOFError", "t = []\nwhile True:\n    try:\n        t += input().split()\n    except EOFError:\n        break\nprint(sum(map(int, t[1:])))", True, True),
    ("iteration", "import sys\nprint(sum(int(t) for line in sys.stdin for t in line.split()) - 0 * 1)", -4, False),
    ("iteration, right", "import sys\nrows = [line.split() for line in sys.stdin]\nprint(sum(map(int, rows[1])))", -4, True),
    ("imported iteration", "from sys import stdin\nrows = [line.split() for line in stdin]\nprint(sum(map(int, rows[1])))", -4, True),
    ("next", "import sys\nnext(sys.stdin)\nprint(sum(map(int, next(sys.stdin).split())))", -4, True),
    ("buffer.readline", "import sys\nsys.stdin.buffer.readline()\nprint(sum(map(int, sys.stdin.buffer.readline().split())))", -2, True),
    ("buffer.readlines", "import sys\nprint(sum(map(int, sys.stdin.buffer.readlines()[1].split())))", -4, True),
    ("imported buffer", "from sys import stdin\nprint(sum(map(int, stdin.buffer.read().split()[1:])))", -2, True),
    ("open(0)", "print(sum(map(int, open(0).read().split()[1:])))", -2, True),
    ("open(0), next", "f = open(0)\nnext(f)\nprint(sum(map(int, next(f).split())))", -4, True),
    ("builtins.open", "import builtins\nprint(sum(map(int, builtins.open(0).read().split()[1:])))", True, True),
    ("os.read", "import os\nprint(sum(map(int, os.read(0, 999).split()[1:])))", -2, True),
    ("os.read as lines", "import io, os\ninput = io.BytesIO(os.read(0, os.fstat(0).st_size)).readline\n" + _GIVEN + _TOLD, -4, True),
    ("fileinput", "import fileinput\nprint(sum(int(t) for line in fileinput.input() for t in line.split()[:0]))", -2, False),
    ("fileinput, right", "import fileinput\nrows = [line.split() for line in fileinput.input()]\nprint(sum(map(int, rows[1])) if len(rows) == 2 else len(rows))", -2, True),
    ("input and read", "import sys\ninput()\nprint(sum(map(int, sys.stdin.read().split())))", -2, True),
    ("seek", "import sys\nsys.stdin.readline()\nsys.stdin.seek(0)\nsys.stdin.readline()\nprint(sum(map(int, sys.stdin.readline().split())))", True, True),
    ("fileno", "import os, sys\nprint(sum(map(int, os.fdopen(sys.stdin.fileno()).read().split()[1:])))", -4, True),
    ("a line too many", _GIVEN + _TOLD + "input()", -4, False),
    # writing
    ("stdout.write", "import sys\n" + _GIVEN + "sys.stdout.write(str(sum(xs)))", True, True),
    ("stdout.buffer", "import sys\n" + _GIVEN + "sys.stdout.buffer.write(str(sum(xs)).encode())", -4, True),
    ("imported stdout", "from sys import stdout\n" + _GIVEN + "stdout.write(str(sum(xs)))", -2, True),
    ("os.write", "import os\n" + _GIVEN + "os.write(1, str(sum(xs)).encode())", -2, True),
    ("closed stdout", "import sys\n" + _GIVEN + _TOLD + "sys.stdout.close()", -4, True),
    ("reconfigure", "import sys\nsys.stdout.reconfigure(line_buffering=True)\n" + _GIVEN + _TOLD, -4, True),
    ("another stdout for a while", "import io, sys\nkept, sys.stdout = sys.stdout, io.StringIO()\nprint('no')\nsys.stdout = kept\n" + _GIVEN + _TOLD, True, True),
    ("another stderr", "import io, sys\nsys.stderr = io.StringIO()\n" + _GIVEN + _TOLD, -4, True),
    ("blanks around", _GIVEN + "print(' ', sum(xs), ' ')\nprint()", True, True),
    ("as a float", _GIVEN + "print(float(sum(xs)))", True, True),
    ("in powers of ten", _GIVEN + "print('%e' % sum(xs))", True, True),
    ("a word more", _GIVEN + "print('sum', sum(xs))", -2, False),
    ("a line more", _GIVEN + _TOLD + _TOLD, -2, False),
    ("nothing", _GIVEN, -2, False),
    ("a signalling NaN", _GIVEN + "print('sNaN')", -4, False),
    # shape
    ("main", "def main():\n    n = int(input())\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    main()", True, True),
    ("main turned round", "def main():\n    n = int(input())\n    print(sum(map(int, input().split())))\nif '__main__' == __name__:\n    main()", -2, True),
    ("main not last", "def main():\n    n = int(input())\n    print(sum(map(int, input().split())))\nif __name__ == '__main__':\n    main()\nlast = 1", -2, True),
    ("a class Solution", "class Solution:\n    def solve(self):\n        input()\n        print(sum(map(int, input().split())))\nSolution().solve()", -4, True),
    ("the words class Solution", "note = 'class Solution'\n" + _GIVEN + _TOLD, -4, True),
    ("the words in a comment", "# class Solution\n" + _GIVEN + _TOLD, True, True),
    ("global", "total = 0\ndef add_up():\n    global total\n    for x in xs:\n        total += x\n" + _GIVEN + "add_up()\nprint(total)", -4, True),
    ("a builtin's name", _GIVEN + "sum = sum(xs)\nprint(sum)", -4, True),
    ("exec", _GIVEN + "exec('total = sum(xs)')\nprint(total)", -4, True),
    ("return", _GIVEN + _TOLD + "return", True, False),
    ("future", "from __future__ import annotations\n" + _GIVEN + _TOLD, -4, True),
    ("only imports", "import sys", -4, False),
    ("syntax", "print(6", -4, False),
    ("a NUL", "print(6)\0", -4, False),
    ("a missing module", "import nosuchmodule\n" + _GIVEN + _TOLD, -4, False),
    ("resource", "import resource\n" + _GIVEN + _TOLD, -4, True),
    ("getcwd", "import os\nos.getcwd()\n" + _GIVEN + _TOLD, -4, True),
    # ends
    ("exit", _GIVEN + _TOLD + "exit()", True, True),
    ("quit", _GIVEN + _TOLD + "quit()", -4, True),
    ("sys.exit(1)", "import sys\n" + _GIVEN + _TOLD + "sys.exit(1)", True, False),
    ("os._exit", "import os\n" + _GIVEN + _TOLD + "os._exit(0)", -5, False),
    ("KeyboardInterrupt", _GIVEN + _TOLD + "raise KeyboardInterrupt", -5, False),
    ("an exception", _GIVEN + _TOLD + "1/0", -4, False),
    ("an exception called TimeoutException", "class TimeoutException(Exception):\n    pass\n" + _GIVEN + _TOLD + "raise TimeoutException", -3, False),
    ("a repr that raises", "class E(Exception):\n    def __repr__(self):\n        raise ValueError\n" + _GIVEN + _TOLD + "raise E", -4, False),
    # limits and state
    ("a loop", "while True:\n    pass", -3, False),
    ("a loop that swallows the limit", "try:\n    while True:\n        pass\nexcept Exception:\n    pass\n" + _GIVEN + _TOLD, -2, False),
    ("a late second exception", "import time\ntry:\n    time.sleep(30)\nexcept Exception as e:\n    raise RuntimeError(e)", -3, False),
    ("another late exception", "import time\ntry:\n    time.sleep(30)\nexcept Exception:\n    raise RuntimeError", -4, False),
    ("a tall stack", "def f(n):\n    return n and f(n - 1)\n" + _GIVEN + "print(sum(xs) + f(40000))", True, True),
    ("a stack too tall", "def f(n):\n    return n and f(n - 1)\n" + _GIVEN + "print(sum(xs) + f(60000))", -4, False),
    ("a tall stack of C", "from functools import cache\n@cache\ndef f(n):\n    return n and f(n - 1)\n" + _GIVEN + "print(sum(xs) + f(24000))", -5, True),
    ("many digits", _GIVEN + "print(sum(xs) + len(str(10 ** 49000)) * 0)", True, True),
    ("too many digits", _GIVEN + "print(sum(xs) + len(str(10 ** 51000)) * 0)", -4, False),
    ("state of a module", "import collections\ncollections.seen = getattr(collections, 'seen', 0) + 1\n" + _GIVEN + "print(sum(xs) if collections.seen < 3 else 'tired')", -2, True),
    ("a thread awaited", "import threading\n" + _GIVEN + "t = threading.Thread(target=lambda: print(sum(xs)))\nt.start()\nt.join()", True, True),
    ("a thread nobody awaits", "import threading, time\ndef late():\n    time.sleep(0.4)\n    print(sum(xs))\n" + _GIVEN + "threading.Thread(target=late).start()", -2, True),
)  # fmt: skip

MERGE: dict[str, Any] = {
    "inputs": ["[1, 2]\n[3, 4]", "[0]\n[5]", "[7, 7, 7]\n[1, 2, 3]"],
    "outputs": ["[4, 6]", "[5]", "[8, 9, 10]"],
    "fn_name": "merge",
}
GRID: dict[str, Any] = {
    "inputs": ["2", "1", "3"],
    "outputs": ["[[0, 1], [1, 2]]", "[[0]]", "[[0, 1, 2], [1, 2, 3], [2, 3, 4]]"],
    "fn_name": "grid",
}
RATIO: dict[str, Any] = {"inputs": ["1\n2", "0\n3", "5\n4"], "outputs": ["0.5", "0.0", "1.25"], "fn_name": "ratio"}


def _method(name: str, body: str, before: str = "") -> str:
    return f"{before}class Solution:\n    def {name}:\n        {body}\n"


_ADDED = "[x + y for x, y in zip(a, b)]"
_MERGE, _GRID, _RATIO = "merge(self, a, b)", "grid(self, n)", "ratio(self, p, q)"

CALLS: Sequence[tuple[dict[str, Any], Row]] = (
    (MERGE, ("a list", _method(_MERGE, f"return {_ADDED}"), True, True)),
    (MERGE, ("names of the header", _method("merge(self, a: List[int], b: List[int]) -> List[int]", "return list(map(add, a, b))"), True, True)),
    (MERGE, ("a function", f"def merge(a, b):\n    return {_ADDED}", True, True)),
    (MERGE, ("a tuple", _method(_MERGE, f"return tuple({_ADDED})"), True, True)),
    (MERGE, ("a tuple of its own kind", _method(_MERGE, f"return T({_ADDED})", "class T(tuple):\n    def __eq__(self, other):\n        return True\n"), True, True)),
    (MERGE, ("a tuple that cannot be read", _method(_MERGE, f"return T({_ADDED})", "class T(tuple):\n    def __iter__(self):\n        raise ValueError\n"), -4, False)),
    (MERGE, ("a deque", _method(_MERGE, f"return deque({_ADDED})"), -2, False)),
    (MERGE, ("a generator", _method(_MERGE, "return (x + y for x, y in zip(a, b))"), -2, False)),
    (MERGE, ("floats", _method(_MERGE, "return [x + y + 0.0 for x, y in zip(a, b)]"), True, True)),
    (MERGE, ("off by one", _method(_MERGE, "return [x + y + 1 for x, y in zip(a, b)]"), -2, False)),
    (MERGE, ("wrong at the third", _method(_MERGE, f"self.n = getattr(self, 'n', 0) + 1\n        return {_ADDED} if self.n < 3 else []"), -2, False)),
    (MERGE, ("one instance for all tests", _method(_MERGE, f"self.n += 1\n        return {_ADDED} if self.n == len(self.seen) + 1 and not self.seen.append(1) else []", "").replace("    def merge", "    n, seen = 0, []\n    def merge"), True, True)),
    (MERGE, ("an array", _method(_MERGE, f"return np.array({_ADDED})", "import numpy as np\n"), -4, True)),
    (MERGE, ("printing", _method(_MERGE, f"print(a)\n        return {_ADDED}"), True, True)),
    (MERGE, ("reading", _method(_MERGE, f"input()\n        return {_ADDED}"), -4, False)),
    (MERGE, ("exit", _method(_MERGE, "sys.exit(0)"), -5, False)),
    (MERGE, ("exit at the end of the file", _method(_MERGE, f"return {_ADDED}") + "exit()", -5, False)),
    (MERGE, ("os._exit", _method(_MERGE, "__import__('os')._exit(0)"), -5, False)),
    (MERGE, ("another method", _method("other(self, a, b)", f"return {_ADDED}"), -4, False)),
    (MERGE, ("an argument for the instance", f"class Solution:\n    def __init__(self, k):\n        pass\n    def merge(self, a, b):\n        return {_ADDED}", -4, False)),
    (MERGE, ("class Solution in a comment", f"# class Solution\ndef merge(a, b):\n    return {_ADDED}", -4, False)),
    (MERGE, ("not run as main", _method(_MERGE, f"return {_ADDED}") + "if __name__ == '__main__':\n    1/0", True, True)),
    (MERGE, ("future", "from __future__ import annotations\n" + _method(_MERGE, f"return {_ADDED}"), -4, False)),
    (MERGE, ("arguments used up", _method(_MERGE, f"r = {_ADDED}\n        a.clear(); b.clear()\n        return r"), True, True)),
    (MERGE, ("another stderr", _method(_MERGE, f"sys.stderr = io.StringIO()\n        return {_ADDED}"), -4, False)),
    (MERGE, ("a loop", _method(_MERGE, "while True: pass"), -3, False)),
    (MERGE, ("a loop while loading", "while True: pass", -4, False)),
    (MERGE, ("an exception", _method(_MERGE, "raise StopIteration"), -4, False)),
    (MERGE, ("the word TimeoutException", _method(_MERGE, "raise ValueError('TimeoutException')"), -3, False)),
    (MERGE, ("itself", _method(_MERGE, "c = []; c.append(c)\n        return c"), -2, False)),
    (GRID, ("rows of lists", _method(_GRID, "return [[i + j for j in range(n)] for i in range(n)]"), True, True)),
    (GRID, ("rows of tuples", _method(_GRID, "return [tuple(i + j for j in range(n)) for i in range(n)]"), -2, True)),
    (GRID, ("tuples of tuples", _method(_GRID, "return tuple(tuple(i + j for j in range(n)) for i in range(n))"), -2, True)),
    (GRID, ("a matrix", _method(_GRID, "return np.add.outer(range(n), range(n))", "import numpy as np\n"), -4, True)),
    (RATIO, ("a quotient", _method(_RATIO, "return p / q"), True, True)),
    (RATIO, ("a fraction", _method(_RATIO, "return Fraction(p, q)", "from fractions import Fraction\n"), True, True)),
    (RATIO, ("numpy's float", _method(_RATIO, "return np.float64(p / q)", "import numpy as np\n"), True, True)),
    (RATIO, ("an array of one", _method(_RATIO, "return np.array([p / q])", "import numpy as np\n"), True, False)),
    (RATIO, ("nearly", _method(_RATIO, "return p / q + 1e-9"), -2, True)),
    (RATIO, ("not nearly", _method(_RATIO, "return p / q + 1e-3"), -2, False)),
    (RATIO, ("text", _method(_RATIO, "return str(p / q)"), -2, False)),
)  # fmt: skip
