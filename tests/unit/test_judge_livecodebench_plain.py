"""Which programs need one run for both readings: the list of ``sandbox.inside.plain``."""

from __future__ import annotations

import pytest
from benchforge.runners.score.sandbox.inside.plain import is_plain

PLAIN = (
    "n = int(input())\nprint(sum(map(int, input().split())))",
    "import sys\ninput = sys.stdin.readline\nprint(int(input()))",
    "import sys\ndata = sys.stdin.read().split()\nsys.stdout.write(data[0])",
    "import sys\nprint(len(sys.stdin.buffer.read()))",
    "from math import *\nimport heapq as h, collections\nprint(gcd(4, 6), h.heappop([1]), collections.Counter())",
    "print(gcd(4, 6), Counter('a'), List)",
    "import sys\nsys.setrecursionlimit(10 ** 6)\nfrom functools import lru_cache\n@lru_cache\ndef f(n):\n    return n",
    "def main():\n    import math\n    count = 0\n    def inner():\n        nonlocal count\n        count += 1\n"
    "    inner()\nif __name__ == '__main__':\n    main()",
    "class Node:\n    '''one'''\n    __slots__ = ('x',)\n    def __init__(self, x):\n        self.x = x\n"
    "    def __lt__(self, other):\n        return self.x < other.x\nNode(1).x = 2",
    "import sys\nprint('seen', file=sys.stderr)\nsys.exit()",
    "print(1)\nexit(0)",
    "try:\n    x = input()\nexcept EOFError as error:\n    print(error)",
    "def f(n: int) -> int:\n    total: int = n\n    return total\nprint(f(1))",
    "print([y for x in range(3) if (y := x)])",
)
NOT_PLAIN = (
    "print(open(0).read())",
    "import sys\nfor line in sys.stdin:\n    print(line)",
    "import sys\nprint(sys.stdin.readlines())",
    "import sys\nprint(list(map(int, sys.stdin)))",
    "import sys\nprint(sys.stdin.buffer.readline())",
    "import sys\nsys.stdout.buffer.write(b'1')",
    "import sys\nsys.stdout = None",
    "import sys as system\nprint(system.stdin.read())",
    "import sys\nx = sys\nprint(x.stdin.read())",
    "from sys import stdin\nprint(stdin.readline())",
    "stdin.readline()",
    "import os\nprint(os.read(0, 9))",
    "import random\nprint(random.random())",
    "print(randint(1, 2))",
    "import threading\nthreading.Thread(target=print).start()",
    "total = 0\ndef f():\n    global total\n    total += 1\nf()",
    "import collections\ncollections.seen = 1",
    "from functools import reduce\nreduce.seen = 1",
    "reduce.seen = 1",
    "from decimal import *\ngetcontext().prec = 50",
    "print(1)\nexit(1)",
    "import sys\nsys.exit('no')",
    "import sys\nleave = sys.exit\nleave(1)",
    "raise SystemExit(1)",
    "print(1)\nquit()",
    "print(1)\nreturn",
    "print(__name__)",
    "if __name__ == '__main__':\n    print(1)\nelse:\n    print(2)",
    "def main():\n    pass\nif __name__ == '__main__':\n    main()\nlast = 1",
    "x: nothing = 1",
    "if True:\n    x: nothing = 1",
    "gcd = max\nfrom math import *\nprint(gcd(4, 6))",
    "class A:\n    max = max\nprint(A.max(1, 2))",
    "class A:\n    def __del__(self):\n        print(1)\nA()",
    "exec('print(1)')",
    "print(eval(input()))",
    "getattr(__import__('sys'), 'stdin').read()",
    "print(().__class__)",
    "import collections\nprint(collections._sys.stdin.read())",
    "import re\nprint(re.sys.stdin.read())",
    "f = lambda: operator.attrgetter('stdin')(sys)",
    "async def f():\n    pass",
    "print(",
    "print(1)\0",
)


@pytest.mark.parametrize("program", PLAIN)
def test_what_is_the_same_on_both_roads_is_run_once(program: str) -> None:
    assert is_plain(program)


@pytest.mark.parametrize("program", NOT_PLAIN)
def test_what_may_differ_is_run_twice(program: str) -> None:
    assert not is_plain(program)
