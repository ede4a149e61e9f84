# ruff: noqa: E501 - texts are data
"""Raw replies of a model that aim at the extractors: hostile text that is parsed, never run."""

from __future__ import annotations

from collections.abc import Mapping

_FENCE = "```python\n{}\n```\n"

TEXTS: Mapping[str, str] = {
    "a million brackets": "(" * 1_000_000,
    "brackets in a fence": _FENCE.format("x = " + "[" * 200_000),
    "brackets line by line": "\n".join("(" * 40 for _ in range(1_000)),
    "indentation that grows": "\n".join(" " * n + "if x:" for n in range(600)),
    "fences without an end": "```python\n" * 100_000,
    "fences within fences": "".join("`" * (3 + n % 50) + "python\nx = 1\n" for n in range(20_000)),
    "backticks alone": "`" * 300_000,
    "one line of 10 MB": "x = '" + "a" * 10_000_000 + "'",
    "a million short lines": "x = 1\n" * 300_000,
    "lines that nearly parse": "def f(:\n    return 1\n" * 2_000,
    "triple quotes without an end": "x = '''\n" * 5_000,
    "decorators without an end": "@x\n" * 2_000 + "def total(xs): return 1\n",
    "definitions without an end": "".join(f"def f{n}(): return f{n + 1}()\n" for n in range(4_000)),
    "names that reach each other": "".join(f"def f{n}(): return " + " + ".join(f"f{m}()" for m in range(0, 300, 7)) + "\n" for n in range(300)),
    "NULs": "\0" * 1_000_000,
    "NULs in code": _FENCE.format("def total(xs):\n\0    return 1\n" * 500),
    "half characters": "\ud800\udfff" * 100_000,
    "half characters in code": _FENCE.format("def total(xs):\n    return '\ud800'\n"),
    "marks of direction": "\u202e" * 500_000 + "def total(xs): return 1",
    "terminal codes": "\x1b[" * 30_000 + "m",
    "blanks without an end": " " * 3_000_000 + "\n" + "\t" * 1_000_000,
    "tags without an end": "<think>" * 20_000 + "</think>" * 20_000,
    "answers without an end": "[ANSWER]" * 100_000 + "==" * 100_000,
    "asserts without an end": "assert f(1) == " * 10_000,
    "strings of formats": _FENCE.format("x = " + "f'{" * 300 + "1" + "}'" * 300),
    "a with of brackets": _FENCE.format("with " + "(" * 60 + "a" + ")" * 60 + " as b: pass"),
    "backslashes": "x = 1\\\n" * 100_000,
    "form feeds": "\f\n" * 200_000,
    "other line ends": "\x85\u2028\u2029\x0b\x1c\r" * 100_000,
    "byte order marks": "\ufeff" * 100_000 + "def total(xs): return 1",
}  # fmt: skip
