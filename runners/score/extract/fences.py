"""Answers out of chat replies that carry fenced code blocks (forge_mini).

Runs inside the sandbox on hostile text: one pass over the lines, at most ``_MAX_LINES`` of them, no regular expression.
``context["text_form"]`` says whether the text is a reply at all: a recorded ``program`` is taken as it is, a
``completion`` continues the prompt.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

_FENCE = "```"
_MAX_LINES = 20_000
_MAX_PARSED_CHARACTERS = 50_000


def last_block(text: str, context: Mapping[str, str]) -> str:
    """Official: the lines between the last two fence lines; fewer than two fences: the whole text.

    So a reply that closes its block twice answers with nothing, and one that ends in a usage example answers with
    the example: the price of a simple rule, which ``best_block`` does not pay.
    """
    if context.get("text_form") != "raw":
        return _as_recorded(text, context)
    lines = text.splitlines()[:_MAX_LINES]
    fences = [number for number, line in enumerate(lines) if _FENCE in line]
    if len(fences) < 2:
        return text.strip()
    return "\n".join(lines[fences[-2] + 1 : fences[-1]]).strip("\n")


def best_block(text: str, context: Mapping[str, str]) -> str:
    """Corrected: the last block that defines the entry point, else the last one that is not empty.

    A fence opens a block or closes the open one; an unclosed block runs to the end. Without any block, the text from
    the first line on that begins code and parses to the end.
    """
    if context.get("text_form") != "raw":
        return _as_recorded(text, context)
    blocks = [block for block in _blocks(text.splitlines()[:_MAX_LINES]) if block.strip()]
    if not blocks:
        return _unfenced(text, context)
    wanted = context.get("entry_point") or ""
    defining = [block for block in blocks if wanted and _defines(block, wanted)]
    return (defining or blocks)[-1]


def _as_recorded(text: str, context: Mapping[str, str]) -> str:
    return context.get("prompt", "") + text if context.get("text_form") == "completion" else text


def _blocks(lines: list[str]) -> list[str]:
    blocks: list[str] = []
    current: list[str] | None = None
    for line in lines:
        if line.lstrip().startswith(_FENCE):
            if current is not None:
                blocks.append("\n".join(current).strip("\n"))
            current = [] if current is None else None
        elif current is not None:
            current.append(line)
    if current:
        blocks.append("\n".join(current).strip("\n"))
    return blocks


def _defines(block: str, name: str) -> bool:
    return f"def {name}(" in block or f"{name} =" in block or f" as {name}" in block or f"import {name}" in block


def _unfenced(text: str, context: Mapping[str, str]) -> str:
    lines = text.strip().splitlines()[:_MAX_LINES]
    if context.get("answer") == "expression":
        return lines[-1].strip() if lines else ""
    starts = [i for i, line in enumerate(lines) if line.startswith(("def ", "import ", "from ", "class ", "@"))]
    for end in range(len(lines), 0, -1)[:20]:
        candidate = "\n".join(lines[starts[0] : end]).strip("\n") if starts else ""
        if candidate and _parses(candidate):
            return candidate
    return text.strip()


def _parses(source: str) -> bool:
    if len(source) > _MAX_PARSED_CHARACTERS:
        return False
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
