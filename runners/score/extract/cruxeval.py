"""CRUXEval's answers: the expression in a reply.

Official, from facebookresearch/cruxeval@190faf1: ``inference/tasks/{input,output}_prediction.py`` (a text that begins
with its prompt) and ``openai/openai_prompt.py`` (a reply). Both cut at the first ``[ANSWER]`` when asked to think, take
the side of the first ``==`` that the question leaves open, and drop ``assert `` before ``f``. They differ in one point:
without ``[ANSWER]`` a thinking reply is its last line, a thinking continuation is used whole.
Corrected: the last tagged, fenced or asserted answer, its sides told apart by the syntax tree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from .markdown import code_blocks
from .parsing import module_of

_OPEN, _CLOSE = "[ANSWER]", "[/ANSWER]"
_PROMPT_ENDS = ("\n[/PYTHON]\n[THOUGHT]\n", "\n[/PYTHON]\n[ANSWER]\n")
_MAX_CHARACTERS = 200_000
"""Text looked at from the end by the corrected reading; an honest answer stands within it."""
_MAX_LINES_TRIED = 200


def official(text: str, context: Mapping[str, str]) -> str:
    """The answer as upstream's own post-processing gives it; recorded answers (``program``) as they are."""
    if context.get("text_form") == "program":
        return text
    continuation = _continuation(text, context)
    is_continuation = continuation is not None or context.get("protocol", "").endswith("_base")
    answer = text if continuation is None else continuation
    if context.get("protocol", "").startswith("cot"):
        if _OPEN in answer:
            answer = answer.split(_OPEN)[1].strip()
        elif not is_continuation:
            return answer.split("\n")[-1].strip()
    return _given_call(answer) if _asks_for_input(context) else _given_value(answer)


def corrected(text: str, context: Mapping[str, str]) -> str:
    """The last thing in the reply that is an answer; the official reading where there is none."""
    if context.get("text_form") == "program":
        return text
    continuation = _continuation(text, context)
    if continuation is not None or context.get("protocol", "").endswith("_base"):
        # a base model that is not stopped goes on with questions of its own: only its first answer is meant
        reply = (text if continuation is None else continuation).partition(_CLOSE)[0]
    else:
        reply = text
    for candidate in _candidates(reply[-_MAX_CHARACTERS:]):
        answer = _answer_in(candidate.strip(), context)
        if answer is not None:
            return answer
    return official(text, context)


def _asks_for_input(context: Mapping[str, str]) -> bool:
    return context.get("scenario") == "cruxeval_i"


def _continuation(text: str, context: Mapping[str, str]) -> str | None:
    """What follows the prompt in a text that repeats it: the question's own lines and the tags after them."""
    question = context.get("prompt", "")
    for ending in _PROMPT_ENDS:
        _, found, rest = text.partition(question + ending) if question else ("", "", "")
        if found:
            return rest
    return None


def _given_call(answer: str) -> str:
    """Left of the first ``==``, from ``f`` on where an assertion begins with it."""
    if "==" in answer:
        answer = answer.split("==")[0].strip()
    if "assert f" in answer:
        answer = "f" + answer.split("assert f")[1].strip()
    return answer.strip()


def _given_value(answer: str) -> str:
    """Between the first ``==`` and the next."""
    return (answer.split("==")[1] if "==" in answer else answer).strip()


def _candidates(reply: str) -> Iterator[str]:
    """Texts that may be the answer, the most explicit and latest first: tags, fences, assertions, the last line."""
    tagged = [part.partition(_CLOSE)[0] for part in reply.split(_OPEN)[1:]]
    for answer in reversed(tagged):
        yield from (block.code for block in reversed(code_blocks(answer)))
        yield answer
    yield from (block.code for block in reversed(code_blocks(reply)))
    lines = [line.strip() for line in reply.partition(_CLOSE)[0].splitlines()[-_MAX_LINES_TRIED:] if line.strip()]
    yield from (line for line in reversed(lines) if line.startswith("assert "))
    yield from lines[-1:]


def _answer_in(candidate: str, context: Mapping[str, str]) -> str | None:
    """The side that was asked for of an assertion or comparison; a lone expression is that side already."""
    source = candidate.strip("`").strip()
    statement = _last_claim(source)
    if statement is None:
        return None
    sides = _sides(statement.test if isinstance(statement, ast.Assert) else statement.value)
    wants_call = _asks_for_input(context)
    fitting = [side for side in sides if _is_call_of_f(side) is wants_call and not _has_placeholder(side)]
    if not fitting:
        return None
    answer = ast.get_source_segment(source, fitting[0] if wants_call else fitting[-1])
    rest = statement.msg if isinstance(statement, ast.Assert) else None
    if rest is None or wants_call:
        return answer
    return f"{answer}, {ast.get_source_segment(source, rest)}"  # assert f(x) == 1, 2 means the pair (1, 2)


def _last_claim(source: str) -> ast.Assert | ast.Expr | None:
    """The last assertion or expression statement, None where the text is no code or has neither."""
    module = module_of(source)
    statements = module.body if module else []
    return next((node for node in reversed(statements) if isinstance(node, (ast.Assert, ast.Expr))), None)


def _sides(expression: ast.expr) -> tuple[ast.expr, ...]:
    if isinstance(expression, ast.Compare) and len(expression.ops) == 1 and isinstance(expression.ops[0], ast.Eq):
        return expression.left, expression.comparators[0]
    return (expression,)


def _is_call_of_f(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name) and expression.func.id == "f"


def _has_placeholder(expression: ast.expr) -> bool:
    """``...`` stands for what the model left out; ``??`` does not parse in the first place."""
    return any(isinstance(node, ast.Constant) and node.value is Ellipsis for node in ast.walk(expression))
