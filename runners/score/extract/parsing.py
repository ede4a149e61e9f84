"""Does this text parse, could more lines make it parse, or is it broken for good.

The third answer is what keeps the search for code in prose short: CPython's own parser says whether it failed before
it had read everything (``PyCF_ALLOW_INCOMPLETE_INPUT``, as ``codeop`` uses it). A parser that fails early has not seen
the rest, so no continuation can mend the text. Programs are parsed, never compiled to code, never run.
"""

from __future__ import annotations

import ast
import enum
import re
import warnings

_ALLOW_INCOMPLETE_INPUT = 0x4000
_NEVER_CLOSED = re.compile(r"unterminated triple-quoted |.* was never closed$")
_GIVES_UP = (MemoryError, RecursionError, ValueError, OverflowError)
"""What CPython raises besides SyntaxError: too deep, or text that is not encodable."""


class Parse(enum.Enum):
    """Outcome of one parse."""

    OK = "ok"
    UNFINISHED = "unfinished"
    """Fails now; a continuation may parse. Also where the parser gave up."""
    BROKEN = "broken"
    """Fails now and with every continuation."""


class BudgetSpent(Exception):
    """The text makes the parser read more than its share."""


class Budget:
    """Characters that the parser may still be given: deterministic, unlike a clock."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def spend(self, characters: int) -> None:
        """Raises BudgetSpent beyond the share."""
        self.left -= characters
        if self.left < 0:
            raise BudgetSpent


def parse(source: str) -> Parse:
    """How far CPython gets with ``source`` as a module."""
    try:
        _compile(source, _ALLOW_INCOMPLETE_INPUT)
    except SyntaxError as error:
        return Parse.UNFINISHED if "incomplete input" in str(error.msg) else Parse.BROKEN
    except _GIVES_UP:
        return Parse.UNFINISHED
    return Parse.OK


def unclosed_line(source: str) -> int | None:
    """0-based line of a bracket or triple quote that ``source`` opens and never closes, None for other failures.

    Every shorter text that still holds that line fails for the same reason.
    """
    try:
        _compile(source)
    except SyntaxError as error:
        is_unclosed = error.lineno and _NEVER_CLOSED.match(str(error.msg))
        return error.lineno - 1 if is_unclosed and error.lineno else None
    except _GIVES_UP:
        return None
    return None


def module_of(source: str) -> ast.Module | None:
    """The syntax tree, None where the text does not parse."""
    try:
        return _compile(source)
    except (SyntaxError, *_GIVES_UP):
        return None


def _compile(source: str, flags: int = 0) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in hostile text is nobody's news
        return compile(source, "<text>", "exec", ast.PyCF_ONLY_AST | flags)
