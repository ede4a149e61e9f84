"""HumanEval (openai/human-eval@6d43fb9): prompt and completion make the program.

Official: a raw continuation ends at the first of five stop strings (Chen et al. 2021, section 2.1). A program as
answered follows the prompt with an empty body, so that its imports and helpers stay visible. Corrected: a chat reply is
read for its code first.
"""

from __future__ import annotations

from collections.abc import Mapping

from .markdown import code_blocks
from .parsing import module_of

_STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
_EMPTY_BODY = "    pass\n"


def official(text: str, context: Mapping[str, str]) -> str:
    """The program whose ``check(candidate)`` decides."""
    prompt, form = context.get("prompt", ""), context.get("text_form")
    if form == "program":
        return prompt + _EMPTY_BODY + text
    return prompt + (text if form == "completion" else _cut(text))


def corrected(text: str, context: Mapping[str, str]) -> str:
    """A fenced definition of the entry point stands for itself, a fenced body continues the prompt."""
    if context.get("text_form") == "program":
        return official(text, context)
    prompt, entry_point = context.get("prompt", ""), context.get("entry_point", "")
    codes = [block.code for block in code_blocks(text)]
    defining = [code for code in codes if f"def {entry_point}(" in code]
    if defining:
        return prompt + _EMPTY_BODY + defining[-1]
    bodies = [code for code in codes if module_of(prompt + code)]
    return prompt + bodies[-1] if bodies else official(text, context)


def _cut(text: str) -> str:
    ends = [place for place in (text.find(stop) for stop in _STOPS) if place >= 0]
    return text[: min(ends, default=len(text))]
