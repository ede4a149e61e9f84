"""MultiPL-E: prompt and completion make the program, which ends where the tests begin.

Official (nuprl/MultiPL-E, QwenLM/Qwen2.5-Coder@d5ead97 ``utils.py``): a raw continuation ends at the earliest of the
problem's stop strings. Corrected: a chat reply is read for its code; a text that repeats the prompt is not given it a
second time; a function ends at the line that closes it, which a stop string (a comment at the margin, a brace in a
text) can miss. Other languages than Python are not parsed: a closing line is one with the function's own indent.

The context holds ``stops`` (separated by NUL) and ``tests_begin`` (the lines of the tests before the first one). Where
these begin with a brace, it is the tests that close the function, and the program ends before that line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .markdown import code_blocks

_MAX_LINES = 20_000


def official(text: str, context: Mapping[str, str]) -> str:
    """Prompt and completion, cut at the earliest stop string."""
    prompt, form = context.get("prompt", ""), context.get("text_form")
    if form == "program":
        return _without_tests(text, context)
    return prompt + (text if form == "completion" else _cut(text, context))


def corrected(text: str, context: Mapping[str, str]) -> str:
    """The function that the text means, in the place that the prompt keeps for it.

    The official program where the two differ by blank space at the end alone: it need not be graded twice.
    """
    as_official = official(text, context)
    if context.get("text_form") != "raw":
        return as_official
    meant = _meant(text, context)
    return as_official if meant.rstrip() == as_official.rstrip() else meant


def _meant(text: str, context: Mapping[str, str]) -> str:
    prompt = context.get("prompt", "")
    blocks = [block.code for block in code_blocks(text)]
    whole = [code for code in blocks if _opening(code, prompt) is not None]
    if whole:
        return _in_place(whole[-1], prompt, context)
    text = re.sub(r"^(<\?php|#!.*)\n", "", blocks[-1]) if blocks else text
    if _opening(text, prompt) is not None and prompt.strip() and text.lstrip().startswith(prompt.strip()[:200]):
        return _in_place(text, prompt, context)
    return prompt + _body(text, prompt, context)


def _without_tests(text: str, context: Mapping[str, str]) -> str:
    """Recorded programs hold the tests that were run."""
    begin = context.get("tests_begin", "")
    place = text.rfind("\n" + begin) if begin else -1
    return text[:place] if place >= 0 else text


def _cut(text: str, context: Mapping[str, str]) -> str:
    stops = [stop for stop in context.get("stops", "").split("\0") if stop]
    return text[: min((place for place in map(text.find, stops) if place >= 0), default=len(text))]


def _signature(prompt: str) -> str:
    """The last line of the prompt, which opens the function."""
    return prompt.rstrip().rsplit("\n", 1)[-1]


def _function_name(prompt: str) -> str:
    """``public static long strlen(String string) {`` and ``strlen() {`` → ``strlen``; empty where there is none."""
    found = re.search(r"(\w+)\s*\(", _signature(prompt))
    return found[1] if found else ""


def _opening(code: str, prompt: str) -> int | None:
    """Number of the line of ``code`` that opens the function of the prompt."""
    name = _function_name(prompt)
    if not name:
        return None
    signature = re.compile(rf"(?<![\w.$>]){re.escape(name)}\s*\(")
    lines = code.split("\n")[:_MAX_LINES]
    is_comment = re.compile(r"\s*(//|#|\*|/\*)")
    found = (
        number
        for number, line in enumerate(lines)
        if signature.search(line) and not is_comment.match(line) and not line.rstrip().endswith(";")
        and ("{" in line or any(after.strip().startswith("{") for after in lines[number + 1 : number + 2]))
    )  # fmt: skip
    return next(found, None)


def _in_place(code: str, prompt: str, context: Mapping[str, str]) -> str:
    """A block that defines the whole function: its body after the prompt, its helpers where the language has them."""
    lines = code.split("\n")[:_MAX_LINES]
    opening = _opening(code, prompt)
    assert opening is not None, "found by the caller"
    first = opening if "{" in lines[opening] else opening + 1
    # a brace may stand in the types of the arguments
    rest_of_line = "" if lines[first].rstrip().endswith("{") else lines[first].split("{", 1)[1]
    body = "\n".join([*([rest_of_line] if rest_of_line.strip() else []), *lines[first + 1 :]])
    indent = re.match(r"\s*", lines[opening])[0]  # type: ignore[index]
    end = _closing_line(body, indent)
    inside = body if end is None else "\n".join(body.split("\n")[:end])
    after = [] if end is None else body.split("\n")[end + 1 :]
    before = [line for line in lines[:opening] if _is_of_a_helper(line, prompt)]
    closing = "" if end is None else body.split("\n")[end].strip()
    return _with_helpers(before, inside, closing, after, prompt, context)


def _with_helpers(
    before: list[str], inside: str, closing: str, after: list[str], prompt: str, context: Mapping[str, str]
) -> str:
    signature = _signature(prompt)
    head = prompt.rstrip()[: -len(signature)]
    is_in_class = signature.startswith((" ", "\t"))
    if is_in_class:  # members of the class, without the braces that open and close it
        before = before[next((n + 1 for n, line in enumerate(before) if re.search(r"\bclass\s+\w+", line)), 0) :]
        after = _members(after)
        before, after = [*before, *_without_main(after)], []
    if not _tests_close(context):
        after = [closing, *_without_main(after)] if closing else []
        return f"{head}{_joined(before)}{signature}\n{inside}\n{_joined(after)}".rstrip("\n") + "\n"
    # what follows the function has to stand before it, for the tests close it and begin at once
    return f"{head}{_joined([*before, *_definitions(_without_main(after))])}{signature}\n{inside}"


def _members(lines: list[str]) -> list[str]:
    """What follows the function inside its class: up to the brace that closes it, at less indent than a member."""
    first = next((line for line in lines if line.strip()), "")
    indent = len(first) - len(first.lstrip())
    closes = (n for n, line in enumerate(lines) if line.strip() == "}" and len(line) - len(line.lstrip()) < indent)
    return lines[: next(closes, len(lines))] if indent else []


def _definitions(lines: list[str]) -> list[str]:
    """Up to the last brace at the margin: calls that show how it is used define nothing."""
    last = max((number for number, line in enumerate(lines) if line.rstrip() in ("}", "};")), default=-1)
    return lines[: last + 1]


def _without_main(lines: list[str]) -> list[str]:
    """Lines up to a demonstration: the tests bring a ``main`` of their own."""
    is_main = re.compile(r"\s*(public\s+static\s+void\s+[mM]ain|static\s+void\s+Main|int\s+main)\s*\(")
    number = next((number for number, line in enumerate(lines) if is_main.match(line)), len(lines))
    return lines[:number]


def _is_of_a_helper(line: str, prompt: str) -> bool:
    """What the prompt has already (imports, its comment) is not said twice."""
    stripped = line.strip()
    if not stripped or stripped.startswith(("#!", "<?php", "package ")):
        return False
    if stripped not in "{};" and stripped in {one.strip() for one in prompt.split("\n")}:
        return False
    return not (stripped.startswith(("import ", "using ")) and stripped.endswith(";") and "(" not in stripped)


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _body(text: str, prompt: str, context: Mapping[str, str]) -> str:
    """A continuation up to the line that closes the function; where there is none, up to the official end."""
    indent = re.match(r"\s*", _signature(prompt))[0]  # type: ignore[index]
    end = _closing_line(text, indent)
    if end is None:
        return _cut(text, context)
    lines = text.split("\n")
    return "\n".join(lines[:end] if _tests_close(context) else lines[: end + 1])


def _closing_line(text: str, indent: str) -> int | None:
    lines = text.split("\n")[:_MAX_LINES]
    closing = (f"{indent}}}", f"{indent}}};")
    return next((number for number, line in enumerate(lines) if line.rstrip() in closing), None)


def _tests_close(context: Mapping[str, str]) -> bool:
    return context.get("tests_begin", "").lstrip().startswith("}")
