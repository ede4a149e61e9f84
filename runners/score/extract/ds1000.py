"""DS-1000: the piece of code in a reply, to be put into the context of its problem.

Official, the rules of xlang-ai/DS-1000@b39aab7 (``test_ds1000.py``, ``postprocess``): what stands before ``</code>``,
with every opening Python fence taken out; of that, what stands before the next fence and before a line that begins with
``END SOLUTION``; with every ``<code>`` taken out. Indentation stays as it is, so that the body of a function which the
prompt has begun is only right where the model indents it.

Corrected: where that does not parse in its place, the first block of code that does. A whole function in answer to a
prompt that asks for its body becomes that body: it is defined inside and called. Of what stands beside it, imports,
definitions and names that the function does not take as arguments are kept; demonstrations are not.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping

from .markdown import code_blocks
from .parsing import module_of

_END, _OPENING, _FENCE, _TAG = "</code>", "```python", "```", "<code>"
_LAST_DEF = re.compile(r"^def (\w+)\(.*$", re.MULTILINE)
_MAX_CHARACTERS = 100_000
_MAX_BLOCKS = 20


def official(text: str, context: Mapping[str, str]) -> str:
    """What ``test_ds1000.py`` runs; a recorded program is taken as it is."""
    if context.get("text_form") == "program":
        return text
    code = text.split(_END)[0].replace(_OPENING, "").split(_FENCE)[0]
    return code.split("\nEND SOLUTION")[0].replace(_TAG, "")


def corrected(text: str, context: Mapping[str, str]) -> str:
    """The code that the model meant; the official one where that parses in its place, or nothing does."""
    program = official(text, context)
    if context.get("text_form") == "program" or len(text) > _MAX_CHARACTERS:
        return program
    place = _Place(context.get("prompt", ""))
    if program.strip() and place.holds(program):
        return program
    return next((found for code in _readings(text, program) if (found := place.fitted(code))), program)


def _readings(text: str, program: str) -> Iterator[str]:
    """Texts that may be the answer, the likeliest first."""
    tagged = text.partition(_TAG)[2].partition(_END)[0]
    found = (*(block.code for block in code_blocks(text)[:_MAX_BLOCKS]), tagged, program)
    return (code.partition(_END)[0].split("\nEND SOLUTION")[0].replace(_TAG, "") for code in found)


class _Place:
    """Where the code goes: at the top level, or into the body of the function that the prompt ends in."""

    def __init__(self, prompt: str) -> None:
        lines = prompt.rstrip().split("\n")
        begun = list(_LAST_DEF.finditer(prompt)) if lines[-1].startswith(" ") else []
        self._head = begun[-1].group() if begun else ""
        self._name = begun[-1].group(1) if begun else ""

    def holds(self, code: str) -> bool:
        return module_of(f"{self._head}\n{code}" if self._head else code) is not None

    def fitted(self, code: str) -> str:
        """The code as it parses in this place, "" where it does not."""
        if not code.strip():
            return ""
        flat = textwrap.dedent(code).strip("\n")
        # the server took the spaces before a reply's first line away: only that line lacks them
        body = (code, self._as_body(flat), _indented(flat), f"    {code.lstrip()}")
        tries = body if self._head else (code, flat)
        return next((one for one in tries if one.strip() and self.holds(one)), "")

    def _as_body(self, code: str) -> str:
        """A module that defines the function, as the body of it; "" where it does not define it."""
        module, head = module_of(code), module_of(f"{self._head}\n    pass")
        if module is None or head is None or not isinstance(function := head.body[0], ast.FunctionDef):
            return ""
        if not any(_is_called(node, self._name) for node in module.body):
            return ""
        taken = [argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)]
        kept = [node for node in module.body if _is_needed(node, self._name, taken)]
        call = f"return {self._name}({', '.join(taken)})"
        return _indented("\n".join([*(ast.unparse(node) for node in kept), call]))


def _is_called(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _is_needed(node: ast.stmt, name: str, taken: list[str]) -> bool:
    """Definitions, and names that are neither arguments nor made by a call of the function itself."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
        return True
    if not isinstance(node, ast.Assign):
        return False
    names = {(part.id, type(part.ctx)) for part in ast.walk(node) if isinstance(part, ast.Name)}
    return (name, ast.Load) not in names and not any((argument, ast.Store) in names for argument in taken)


def _indented(code: str) -> str:
    return textwrap.indent(code, "    ")
