"""LiveCodeBench code generation: the program in a reply.

Official, from LiveCodeBench/LiveCodeBench@28fef95 (``lcb_runner/utils/extraction_utils.py``): what stands between the
last two lines that hold a fence, "" where there are fewer than two; of a base model, who was shown an example, all that
it says, stripped. Corrected: the last block with code that parses. Of the execution scenario it is one value, found by
``extract_execution_code`` of the same file.
"""

from __future__ import annotations

from collections.abc import Mapping

from .markdown import code_blocks
from .parsing import Parse, parse

_FENCE = "```"
_MAX_BLOCKS_PARSED = 50
_MAX_CHARACTERS = 500_000


def last_two_fences(text: str, context: Mapping[str, str]) -> str:
    """Official; recorded programs are taken as they are.

    A completion is a reply all the same: a family's own template was in the text that it completes.
    """
    if context.get("text_form") == "program":
        return text
    if context.get("scenario") == "execution":
        return _value(text, is_thought="cot" in context.get("protocol", ""))
    if context.get("protocol", "").endswith("_base"):
        return text.strip()
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if _FENCE in line]
    return "\n".join(lines[fences[-2] + 1 : fences[-1]]) if len(fences) >= 2 else ""


def _value(text: str, is_thought: bool) -> str:
    """What follows the tag (after a chain of thought) and ``==``, up to the closing tag or the end of the line."""
    if is_thought and "[ANSWER]" in text:
        text = text.split("[ANSWER]")[1].strip()
    if "==" in text:
        text = text.split("==")[1].strip()
    end = "[/ANSWER]" if "[/ANSWER]" in text else "\n"
    return text.split(end)[0].strip()


def last_program(text: str, context: Mapping[str, str]) -> str:
    """Corrected: doubled closing fences, an unclosed last fence and a reply that is code alone are understood."""
    official = last_two_fences(text, context)
    is_taken_whole = context.get("text_form") == "program" or context.get("protocol", "").endswith("_base")
    if is_taken_whole or context.get("scenario") == "execution":
        return official
    reply = text[-_MAX_CHARACTERS:]
    blocks = [block.code for block in code_blocks(reply)][-_MAX_BLOCKS_PARSED:]
    for program in (*reversed(blocks), *(() if blocks else (reply,))):
        if program.strip() and parse(program) is Parse.OK:
            return official if official.strip() == program.strip() else program
    return official or (blocks[-1] if blocks else "")
