# ruff: noqa: E501 - programs are data
"""Source text that breaks or stalls a parser, a compiler, a pattern or a decoder."""

from __future__ import annotations

from .attack import RIGHT, Attack, at_import


def _after(name: str, text: str, task: str = "once") -> Attack:
    """A right program with the bomb behind it: it answers rightly if the bomb is ignored, too late or not at all."""
    return Attack(name, f"{RIGHT}{text}\n", task)


SOURCES = [
    _after("a million brackets", "x = " + "(" * 1_000_000),
    _after("closed brackets, 50 thousand deep", "x = " + "[" * 50_000 + "]" * 50_000),
    _after("signs without number", "x = " + "-" * 100_000 + "1"),
    _after("not, not, not", "x = " + "not " * 50_000 + "1"),
    _after("attributes without end", "x = a" + ".b" * 100_000),
    _after("calls without end", "x = a" + "()" * 100_000),
    _after("lambdas within lambdas", "x = " + "lambda: " * 20_000 + "1"),
    _after("sums without end", "x = " + "1+" * 100_000 + "[]"),
    _after("strings within strings", "x = " + "f'{" * 200 + "1" + "}'" * 200),
    _after("string of formats", 'x = f"' + "{{{0}}}" * 20_000 + "{" * 3 + '"'),
    _after("a with of nested brackets", "with " + "(" * 60 + "a" + ")" * 60 + " as b: pass"),
    _after("a with that never closes", "with " + "(" * 100 + "a"),
    _after(
        "patterns within patterns",
        "match 1:\n    case " + "[" * 150 + "]" * 150 + ": raise ValueError\nraise ValueError",
    ),
    _after("dictionaries within dictionaries", "x = " + "{0: " * 30_000 + "0" + "}" * 30_000),
    _after("elif after elif", "if 0: pass\n" + "elif 0: pass\n" * 50_000 + "else: raise ValueError"),
    _after("blocks within blocks", "\n".join(" " * n + "if 1:" for n in range(120)) + "\n" + " " * 120 + "pass"),
    _after("a hundred thousand decorators", "@x\n" * 100_000 + "def g(): pass"),
    _after("comprehensions within comprehensions", "x = " + "[" * 90 + "0" + " for i in j]" * 90),
    _after("a number of a million digits", "x = " + "9" * 1_000_000),
    _after("a float of a million digits", "x = 1" + "0" * 1_000_000 + ".0\nraise ValueError"),
    _after("a power for the optimiser", "x = (1 << 100) ** 100 ** 4 * 'a' * 10 ** 10"),
    _after("a tuple for the optimiser", "x = ((1,) * 1000000,) * 1000000\nx[0][0][0]"),
    _after("a line of backslashes", "x = 1\\\n" * 100_000 + "x = = 1"),
    _after("tabs against blanks", "if 1:\n\tx = 1\n        y = 1\n"),
    _after("a string that is never closed", "x = '''" + "a" * 5_000_000),
    _after("names without number", "\n".join(f"a{n} = {n}" for n in range(60_000)) + "\nraise ValueError"),
    _after("a literal of 20 MB", "x = [" + "1," * 10_000_000 + "]\nraise ValueError"),
    _after("arguments without number", "def g(" + ",".join(f"a{n}" for n in range(30_000)) + "): pass\ng()"),
]
"""Programs."""

RUNTIME = [
    at_import("a pattern that backtracks", "import re\nre.fullmatch('(.*)(.*)(.*)(.*)(.*)(.*)x', 'a' * 5000)"),
    at_import("a pattern that does not compile", "import re\nre.compile('(' * 100_000)"),
    at_import("a pattern of gigabytes", "import re\nre.compile('(?:(?:(?:x{1,999}){1,999}){1,999}){1,999}').match('x' * 99999 + 'y')\nraise 1"),
    at_import("literals evaluated", "import ast\nast.literal_eval('[' * 100_000)"),
    at_import("compiled at run time", "eval('(' * 90 + 'lambda: ' * 50_000 + '1' + ')' * 90)"),
    at_import("JSON within JSON", "import json\njson.loads('[' * 1_000_000)"),
    at_import("entities within entities", "from xml.dom import minidom\nx = ''.join(f'<!ENTITY a{n + 1} \"' + f'&a{n};' * 10 + '\">' for n in range(9))\n"
              "minidom.parseString(f'<!DOCTYPE r [<!ENTITY a0 \"lol\">{x}]><r>&a9;</r>')\nraise ValueError"),
    at_import("a pickle of lists", "import pickle\npickle.loads(b'(' * 10 + b'l' * 10 + b'2' * 10**7)"),
]  # fmt: skip
"""Parsers that a program can call."""

EXPRESSIONS = [
    Attack("output: brackets", "(" * 15_000, "output", ("not_one_expression",)),
    Attack("output: signs", "-" * 15_000 + "1", "output"),
    Attack("output: attributes", "a" + ".b" * 9_000, "output"),
    Attack("output: lambdas", "lambda: " * 2_000 + "1", "output"),
    Attack("output: a megabyte", "'" + "a" * 1_000_000 + "'", "output", ("not_one_expression",)),
    Attack("output: NUL", "'AB\0AB'", "output", ("not_one_expression",)),
    Attack("input: brackets in the call", "f(" + "[" * 9_000 + "]" * 9_000 + ", 1)", "input"),
    Attack("input: a thousand stars", "f(" + "*[], " * 3_000 + "'x', 1)", "input"),
    Attack("input: lambdas for f", "f(" + "lambda: " * 2_000 + "1, 1)", "input"),
]
"""Expressions."""

ATTACKS = [*SOURCES, *RUNTIME, *EXPRESSIONS]
