# ruff: noqa: E501 - programs are data, one per line
"""A program made a function by its text is the one that the parser makes of it, or the text is not believed."""

from __future__ import annotations

import ast
import builtins
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchforge.runners.score.sandbox.inside import header, wrapping

SAME = {
    "one line": "print(input())",
    "imports between": "import sys, math as m\nx = 1\nfrom collections import (deque)\n".replace("(deque)", "deque, Counter as C  # both") + "print(x)",
    "star import": "from math import *\nprint(sqrt(4))",
    "a last guard": "def main():\n    print(1)\n\nif __name__ == \"__main__\":\n    main()\n",
    "a guard in single quotes": "def main():\n  print(1)\nif __name__=='__main__' :  # go\n  main()\n# end\n",
    "blank lines and comments anywhere": "\n\n# first\n   # second\nfor i in range(3):\n\n    # inside\n    print(i)\n# last",
    "classes, decorators, else": "import functools\n@functools.cache\ndef f(n):\n    return n\nclass A:\n    'doc'\n    def g(self):\n        pass\nif f(1):\n    print(1)\nelif f(2):\n    print(2)\nelse:\n    print(3)\ntry:\n    pass\nexcept ValueError:\n    pass\nfinally:\n    print(4)\n",
    "brackets over lines": "x = [\n1,\n   2,\n        3]\nprint(sum(\nx))\n",
    "a return at the top": "n = int(input())\nif n:\n    return\nprint(n)",
    "texts with marks": "print('# no comment', \"it's\", 'a\\nb')\nprint(r'\\d')",
    "letters": "größe = 'ü – 漢'\nprint(größe)",
    "a docstring after an import": "import sys\n'words'\nprint(1)",
    "global and nonlocal": "x = 0\ndef f():\n    global x\n    x += 1\nf()\nprint(x)",
    "starred": "a, *b = map(int, input().split())\nprint(*b, sep=' ')\nd = {**{}, 1: 2}",
    "numbers": "print(1e9, 1_000, 0xff, 2j, -1 ** 2, 1e999)",
}  # fmt: skip
DOUBTFUL = {
    "a text over lines": "x = '''\nimport sys\n'''\nprint(x)",
    "a line that goes on": "x = 1 + \\\n  2\nprint(x)",
    "a formatted text": "print(f'{1}')",
    "a raw formatted text": "print(Rf'{1}')",
    "tabs": "if 1:\n\tprint(1)",
    "only imports": "import sys\nfrom math import *\n",
    "only comments": "# nothing\n",
    "an indented beginning": "    print(1)\n    print(2)",
    "an import in brackets": "from math import (\n  sqrt)\nprint(sqrt(4))",
    "an import behind a semicolon": "x = 1; import sys\nprint(x)",
    "two imports in a line": "import sys; import math\nprint(1)",
    "an import below the guard": "if __name__ == '__main__':\n    import sys\n    print(1)",
    "a guard with else": "if __name__ == '__main__':\n    print(1)\nelse:\n    print(2)",
    "a guard that is not last": "if __name__ == '__main__':\n    print(1)\nprint(2)",
    "a guard in one line": "if __name__ == '__main__': print(1)",
    "a guard in brackets": "if (__name__ == '__main__'):\n    print(1)",
    "a raw guard": "if __name__ == r'__main__':\n    print(1)",
    "two guards": "if __name__ == '__main__':\n    print(1)\nif __name__ == '__main__':\n    print(2)",
    "a class Solution": "class Solution:\n    pass\nprint(1)",
    "a generator": "def f():\n    yield 1\nprint(*f())",
    "a loop in one line": "try:\n    while True: pass\nexcept Exception:\n    pass",
    "deep": "print(" + "+".join("1" * 150) + ")",
    "deep over lines": "print(\n" + "+\n".join("1" * 150) + ")",
}  # fmt: skip


class _Normal(ast.NodeTransformer):
    """What the two ways may differ in: ``pass``, and ``if 1`` for the body of the guard."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        if node.name == wrapping.FUNCTION:
            last = node.body[-1]
            if isinstance(last, ast.If) and isinstance(last.test, ast.Constant) and not last.orelse:
                node.body[-1:] = last.body
            node.body = [one for one in node.body if not isinstance(one, ast.Pass)]
        return node


def _tree(text: str) -> str:
    return ast.dump(_Normal().visit(ast.parse(text)))


@pytest.mark.parametrize("name", SAME)
def test_the_text_moved_is_the_tree_rewritten(name: str) -> None:
    by_text, by_tree = wrapping.by_text(SAME[name]), wrapping.by_tree(SAME[name])
    assert by_text is not None and by_tree is not None
    assert _tree(by_text) == _tree(by_tree)


@pytest.mark.parametrize("name", DOUBTFUL)
def test_text_that_may_mean_something_else_is_left_to_the_parser(name: str) -> None:
    assert wrapping.by_text(DOUBTFUL[name]) is None


@pytest.mark.parametrize(
    "program",
    ["import math\n    x = 1\nprint(x)", "if 1:\nimport math\nprint(1)", "x = (1,\nimport math\n)", "print(1",
     "import math,\nprint(1)", "from __future__ import annotations\nprint(1)", "try:\n    x = 1\nimport math\nprint(1)"],
)  # fmt: skip
def test_what_is_no_program_does_not_become_one(program: str) -> None:
    with pytest.raises(SyntaxError):
        compile(f"pass\n{wrapping.by_text(program)}", "<string>", "exec", dont_inherit=True)


_BITS = (
    "import os\n", "from x import y\n", "    ", "\n", " ", "#", "else:\n", "(", ")", "]", "'", '"', "\\", ";", "pass\n", "try:\n",
    "if __name__ == '__main__':\n", "return\n", "while True:\n", ":", "global x\n", "def f():\n", "@x\n", "import ", "=", "f'",
    "from __future__ import annotations\n", "async ", "await ", "nonlocal x\n", "break\n", "\t",
)  # fmt: skip


def _spoiled(program: str, draw: random.Random) -> str:
    """A piece put in, a few characters taken out, or two lines exchanged."""
    place, lines = draw.randrange(len(program) + 1), program.split("\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    cut = program[:place] + program[place + draw.randrange(1, 8) :]
    return draw.choice((program[:place] + draw.choice(_BITS) + program[place:], cut, "\n".join(lines)))


def _compiles(text: str) -> bool:
    try:
        compile(f"pass\n{text}", "<string>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_spoiled_programs_come_out_alike_or_are_left_to_the_parser() -> None:
    draw, num_alike = random.Random(0), 0
    for program in (one for one in (*SAME.values(), *DOUBTFUL.values()) for _ in range(30)):
        spoiled = _spoiled(_spoiled(program, draw), draw)
        by_text = wrapping.by_text(spoiled)
        if by_text is not None and _compiles(by_text):
            by_tree = wrapping.by_tree(spoiled)
            assert by_tree is not None and _compiles(by_tree), spoiled
            assert _tree(by_text) == _tree(by_tree), spoiled
            num_alike += 1
    assert num_alike > 100


def _recorded(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "livecodebench" / "codegen").glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as stream:
            for row in map(json.loads, stream):
                if not row["starter_code"].strip():
                    yield from row["code_list"]


def test_recorded_programs_come_out_alike_and_most_of_them_by_their_text(shared_data: Path) -> None:
    programs = list(_recorded(shared_data))
    found = [(program, text) for program in programs if (text := wrapping.by_text(program)) is not None]
    assert len(found) > len(programs) / 2
    for program, text in found:
        by_tree = wrapping.by_tree(program)
        if by_tree is None:  # no program: the text is none either
            with pytest.raises(SyntaxError):
                ast.parse(text)
        else:
            assert _tree(text) == _tree(by_tree)


_SHOW = """
import json, sys
sys.path.insert(0, sys.argv[1])
from inside import guard, header
profile = sys.argv[2]
guard.take_names(profile)
header.prepare(profile)
sys.argv, sys.stdout = ["main.py"], sys.stderr
made = vars(header.module_behind(profile))
fresh = vars(header.execute())
own = ("__builtins__", "__doc__", "__name__", "__package__", "__loader__", "__spec__")
print(json.dumps([list(made) == list(fresh), [n for n in fresh if n not in own and made[n] is not fresh[n]]]), file=sys.__stdout__)
"""


@pytest.mark.parametrize("profile", ["none", header.GUARD])
def test_the_header_made_in_the_server_is_the_one_a_child_would_make(profile: str) -> None:
    package = Path(header.__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", _SHOW, str(package), profile], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == [True, []]


def test_a_module_behind_another_guard_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header._prepared, "profile", "evalplus")
    names = vars(header.module_behind("none"))
    assert names["sqrt"](4) == 2 and names["input"] is builtins.input
