"""BigCodeBench's sanitizer, rule by rule (bigcode-project/bigcodebench@47eff25, ``bigcodebench/sanitize.py``), anew.

EvalPlus' rules (``evalplus_official``) with three differences: the text is stripped first; a function needs no
``return``; and of what was chosen, everything from the earliest of the trailing lines on that are not indented and
name the entry point is cut off. That last rule takes demonstrations away that are assignments
(``result = task_func(3)``), and a whole one-line function with them: then the run of lines itself is graded.

A program was sanitized by whoever recorded it, and runs as it is; a completion runs after its prompt
(``bigcodebench/evaluate.py``). What a base model continues under ``official_base`` is sanitized with its prompt
(``bigcodebench/generate.py``). What stands before every solution (calibration) is no part of the program.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import evalplus_corrected
from .evalplus_official import chosen_statements
from .longest_code import longest_code
from .parsing import Budget, BudgetSpent

_TABS_BECOME_SPACES = ("official", "official_base")
"""As the vLLM and transformers back ends have it (``provider/vllm.py``, ``hf.py``); the OpenAI one does not."""
_MAX_PARSED_CHARACTERS = 16_000_000
"""Four times what ``longest_code`` takes by itself: base models are cut off within a ``try`` of a hundred lines, where
every end is tried (4.01 million for one recorded completion of 6 kB)."""


def sanitize(text: str, context: Mapping[str, str]) -> str:
    """The program that BigCodeBench would grade for a raw reply, a completion or a program."""
    form, protocol = context.get("text_form"), context.get("protocol", "")
    if form == "program":
        return text
    if form == "completion":
        return context.get("prompt", "") + text
    if protocol in _TABS_BECOME_SPACES:
        text = text.replace("\t", "    ")
    if protocol.endswith("_base"):
        text = context.get("prompt", "") + text
    return sanitized(text, context.get("entry_point", ""))


def corrected(text: str, context: Mapping[str, str]) -> str:
    """The program that the model meant; the official one where no reading defines the entry point."""
    return evalplus_corrected.best_program(text, context, sanitize)


def sanitized(text: str, entry_point: str) -> str:
    """Chosen statements of the run of lines with most code, without what is called after them."""
    code = _longest(text.strip())
    chosen = _without_calls(chosen_statements(code, entry_point, needs_return=False), entry_point).strip()
    return chosen or _longest(text)


def _longest(text: str) -> str:
    """The first line alone where the text is too tangled to search."""
    try:
        return longest_code(text, Budget(_MAX_PARSED_CHARACTERS))
    except BudgetSpent:
        return text.split("\n", 1)[0]


def _without_calls(program: str, entry_point: str) -> str:
    """Up to the earliest trailing line, none indented after it, that names the entry point."""
    lines = program.splitlines()
    first_trailing = len(lines)
    while first_trailing and not lines[first_trailing - 1].startswith(" "):
        first_trailing -= 1
    naming = [number for number in range(first_trailing, len(lines)) if entry_point in lines[number]]
    return "\n".join(lines[: naming[0]]) if naming else program
