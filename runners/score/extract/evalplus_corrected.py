"""The program that a model meant, for benchmarks that call a function: EvalPlus' corrected extraction.

What the official rules lose and this reading keeps: decorated definitions, helpers without ``return``, ``try:
import``, settings, the last definition of a name instead of the first, code that stands in several blocks, a body
alone in a block, and the block that defines the entry point even where a longer one shows how to use it. What the
official road runs and this reading leaves out: demonstrations after a completion. Where both come to the same
statements the official text is given, so that one execution serves both verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from .evalplus_official import sanitize
from .longest_code import longest_code
from .markdown import code_blocks
from .needed_code import Statement, is_stub, needed, statements_of
from .parsing import Budget, BudgetSpent, Parse, parse

_MAX_CHARACTERS = 500_000
_MAX_BLOCKS = 50
"""Blocks looked at from the end, within the last so many characters of the reply."""
_MAX_PARSED_CHARACTERS = 2_000_000
"""Text parsed in all; beyond it the official program stands."""
_ANSI = re.compile(r"\x1b(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")


def best_program(
    text: str, context: Mapping[str, str], official_road: Callable[[str, Mapping[str, str]], str] = sanitize
) -> str:
    """The first reading that defines the entry point; the official program where none does."""
    official = official_road(text, context)
    entry_point = context.get("entry_point", "")
    if context.get("text_form") == "program" or not entry_point:
        return official
    try:
        return _best(_ANSI.sub("", text[-_MAX_CHARACTERS:]), context, official)
    except BudgetSpent:
        return official


def _best(text: str, context: Mapping[str, str], official: str) -> str:
    entry_point, budget = context["entry_point"], Budget(_MAX_PARSED_CHARACTERS)
    for reading in _readings(text, context, budget):
        budget.spend(2 * len(reading))
        statements = statements_of(reading)
        chosen = needed(statements, entry_point) if statements else None
        if statements and chosen and not is_stub(chosen, entry_point):
            return official if _says_the_same(official, chosen, entry_point) else _joined(statements, chosen, reading)
    return official


def _readings(text: str, context: Mapping[str, str], budget: Budget) -> Iterator[str]:
    """Candidate modules, the most likely first. One that does not define the entry point is no answer."""
    prompt, entry_point = context.get("prompt", ""), context.get("entry_point", "")
    continued = _continued(text, context)
    codes = [block.code for block in code_blocks(text)][-_MAX_BLOCKS:]
    if continued and not codes:
        yield continued
        yield _without_torn_end(continued, budget)
    defining = [place for place, code in enumerate(codes) if _mentions_definition(code, entry_point)]
    for place in reversed(defining):
        yield from _with_earlier_blocks(codes, place)
    for code in reversed(codes):
        yield prompt.strip() + "\n" + code
    for place in reversed(defining):
        yield longest_code(codes[place], budget)
    if not continued:
        yield text
        yield longest_code(text, budget)
        yield prompt.strip() + "\n" + text


def _continued(text: str, context: Mapping[str, str]) -> str:
    """Prompt and text where the text continues the prompt, else ""."""
    prompt = context.get("prompt", "")
    if context.get("protocol", "").endswith("_base"):
        return prompt.strip() + "\n" + text
    return prompt + text if context.get("text_form") == "completion" else ""


def _without_torn_end(source: str, budget: Budget) -> str:
    """The text up to the last line with which it parses: a model that was cut off, or went on with prose."""
    lines = source.split("\n")
    for end in range(len(lines) - 1, max(0, len(lines) - 200), -1):
        candidate = "\n".join(lines[:end])
        budget.spend(len(candidate))
        if parse(candidate) is Parse.OK:
            return candidate
    return longest_code(source, budget)


def _mentions_definition(code: str, entry_point: str) -> bool:
    name = re.escape(entry_point)
    return re.search(rf"^(?:async )?(?:def|class)\s+{name}\b|^{name}\s*[:=]", code, re.MULTILINE) is not None


def _with_earlier_blocks(codes: Sequence[str], place: int) -> Iterator[str]:
    """The block alone where it stands on its own; after the blocks before it where it uses names that they bind."""
    statements = statements_of(codes[place])
    if not statements:
        return
    bound = frozenset().union(*(statement.binds for statement in statements))
    missing = frozenset().union(*(statement.uses for statement in statements)) - bound
    helpers = [code for code in codes[:place] if _binds_any(code, missing)]
    yield "\n".join((*helpers, codes[place]))


def _binds_any(code: str, names: frozenset[str]) -> bool:
    return any(statement.binds & names for statement in statements_of(code) or ())


def _says_the_same(official: str, chosen: Sequence[Statement], entry_point: str) -> bool:
    """Running the official text does what the chosen statements do: the same needed ones, and no other that acts."""
    statements = statements_of(official)
    kept = needed(statements, entry_point) if statements else None
    if not statements or kept is None or _prints(kept) != _prints(chosen):
        return False
    return all(statement in kept or statement.is_harmless for statement in statements)


def _prints(statements: Sequence[Statement]) -> set[str]:
    return {statement.fingerprint for statement in statements}


def _joined(statements: Sequence[Statement], chosen: Sequence[Statement], reading: str) -> str:
    """The reading itself where nothing that acts was left out, else the chosen statements."""
    left_out = [statement for statement in statements if statement not in chosen]
    if all(statement.is_harmless for statement in left_out):
        return reading.strip("\n")
    return "\n".join(statement.text for statement in chosen)
