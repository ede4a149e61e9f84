"""Fenced code blocks of a chat reply, read as a person would.

A line that is a fence opens a block, or closes the open one; a closing fence carries no language, so a fence with one
opens a new block even where the old was left open. A second closing fence (``` twice at the end) opens a block that
never gets a line: it is dropped. A block that is not closed runs to the end of the text.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_LINES = 20_000
"""Lines looked at from the end; an answer stands at the end of a reply."""


@dataclass(frozen=True)
class CodeBlock:
    """The lines between two fences, and the language after the first."""

    language: str
    code: str


def code_blocks(text: str) -> list[CodeBlock]:
    """Blocks with at least one line of code, in order."""
    blocks: list[CodeBlock] = []
    language: str | None = None
    lines: list[str] = []
    for line in text.split("\n")[-MAX_LINES:]:
        fence = _fence_language(line)
        if fence is None:
            lines.append(line)
            continue
        if language is not None:
            blocks.append(CodeBlock(language, "\n".join(lines)))
        language = fence if language is None or fence else None
        lines = []
    if language is not None:
        blocks.append(CodeBlock(language, "\n".join(lines)))
    return [block for block in blocks if block.code.strip()]


def _fence_language(line: str) -> str | None:
    """Language after a fence ("" for none), None for a line that is no fence."""
    stripped = line.strip()
    for fence in ("```", "~~~"):
        if stripped.startswith(fence):
            language = stripped.lstrip(fence[0]).strip().lower()
            return language if " " not in language and fence[0] not in language else None
    return None
