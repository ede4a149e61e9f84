"""A program for standard input as upstream's harness makes a function of it, by the parser or by its text.

Theory of operation. Upstream parses a program, drops the condition of a last ``if __name__ == "__main__"``, moves the
imports of the top level to the front, makes the rest the body of a function, and turns the tree back into text
(LiveCodeBench/LiveCodeBench@28fef95 ``lcb_runner/evaluation/testing_util.py``). ``by_tree`` does the same. That costs
more than most programs take, so ``by_text`` comes to the same program by moving every line one column to the right,
where that is sure to be the same: no line may begin inside a text, and nothing may stand in it that does not come back
from the tree as it was (formatted strings, nesting deeper than the interpreter's stack allows). It gives nothing
wherever it is in doubt. Measured in children of one server: 0.9 ms against 1.9 with compiling, 80 pages against 210.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

FUNCTION = "wrapped_function"
_DOUBTFUL = re.compile(
    r"[\t\r\f\v\0\x1c-\x1f\x85\u2028\u2029\ufeff]"  # other ends of lines, other blanks
    r"|\"\"\"|'''|\\\n|\\$"  # a text or a statement that goes on in the next line
    r"|(?<!\w)(?:[fF][rR]?|[rR][fF])['\"]"  # formatted: comes back with other quotes or not at all
    r"|;[ ]*(?:import|from)\b"
    r"|^[ ]{60}"
    # a loop in one line: without the line of its own for the body, a time limit is raised outside a ``try`` around it
    r"|\bwhile\b[^\n]*:[ ]*[^ \n#]"
    r"|\byield\b|Solution|__main__(?!['\"][ ]*:[ ]*(?:\#.*)?$)",
    re.MULTILINE,
)
_IMPORT = re.compile(r"^(?:import|from)\b.*$", re.MULTILINE)
_ONE_IMPORT = re.compile(r"(?:import [\w., ]+|from [\w.]+ import (?:\*|[\w, ]+))(?:#.*)?")
_MAIN = re.compile(r"^if +__name__ *== *(['\"])__main__\1 *:", re.MULTILINE)
_IMPORT_BELOW = re.compile(r"^ +(?:import|from)\b|: *(?:import|from)\b", re.MULTILINE)
_TOP = re.compile(r"^[^ \n#]", re.MULTILINE)
_FIRST = re.compile(r"^ *[^ \n#]", re.MULTILINE)
_LEVELS = re.compile(r"[-+*/%&|^~@.(\[{]|\b(?:not|and|or|if|lambda|await)\b")
_MAX_LEVELS = 120
"""Of nesting in one statement; the tree's way back to text ends at about two hundred."""


def by_text(program: str) -> str | None:
    """Imports, and the rest as the body of a function; None where only the parser can tell what that is."""
    if _DOUBTFUL.search(program) or _may_be_deep(program):
        return None
    imports = [found.group() for found in _IMPORT.finditer(program)]
    if not all(map(_ONE_IMPORT.fullmatch, imports)):
        return None
    # a statement in place of each, so that what was no program is none now
    body = _without_main_guard(_IMPORT.sub("pass", program) if imports else program)
    if body is None or not _begins_at_the_margin(body):
        return None
    moved = body.replace("\n", "\n ")
    return "\n".join((*imports, f"def {FUNCTION}():", f" {moved}\n"))


def by_tree(program: str) -> str | None:
    """The same through the parser and back to text; None where that fails, and upstream takes the program as it is."""
    try:
        body = ast.parse(_without_guard_of_tree(program)).body
        imports = [statement for statement in body if isinstance(statement, ast.Import | ast.ImportFrom)]
        others = [statement for statement in body if not isinstance(statement, ast.Import | ast.ImportFrom)]
        nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        function = ast.FunctionDef(name=FUNCTION, args=nothing, body=others, decorator_list=[], lineno=-1)
        return f"{_unparsed(imports)}\n{ast.unparse(function)}"
    except Exception:
        return None


def _without_main_guard(body: str) -> str | None:
    """A last ``if __name__ == "__main__"`` whose condition holds; None where it is not the last, or brings imports."""
    guards = list(_MAIN.finditer(body))
    if not guards:
        return body if "__main__" not in body else None
    start, end = guards[0].span()
    rest = body[end:]
    if len(guards) > 1 or _TOP.search(rest, 1) or _IMPORT_BELOW.search(rest):
        return None
    return f"{body[:start]}if 1:{rest}"


def _begins_at_the_margin(body: str) -> bool:
    """Whether there is a statement besides imports, and the first one is not indented."""
    first = _FIRST.search(body)
    return first is not None and not first.group().startswith(" ") and _has_more_than_imports(body)


def _has_more_than_imports(body: str) -> bool:
    return any(not body.startswith("pass", found.start()) for found in _TOP.finditer(body))


def _may_be_deep(program: str) -> bool:
    """Whether a statement may nest so deep that upstream's way through the tree ends in a RecursionError."""
    if len(_LEVELS.findall(program)) < _MAX_LEVELS:
        return False
    num_open = num_levels = 0
    for line in program.split("\n"):
        if num_open <= 0:
            num_open = num_levels = 0
        num_levels += len(_LEVELS.findall(line))
        if num_levels > _MAX_LEVELS:
            return True
        num_open += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
    return False


def _without_guard_of_tree(program: str) -> str:
    """The body of a last ``if __name__ == "__main__"`` without its condition; anything else as it is."""
    try:
        *before, last = ast.parse(program).body
        if isinstance(last, ast.If) and ast.unparse(last.test).strip() == "__name__ == '__main__'":
            return f"{_unparsed(before)}\n{_unparsed(last.body)}"
    except BaseException:  # upstream swallows here whatever it is, its own time limit as well
        pass
    return program


def _unparsed(statements: Sequence[ast.stmt]) -> str:
    """Through text and back, as upstream: text that does not survive it does not run there either."""
    return ast.unparse(list(statements))  # type: ignore[arg-type]  # a list is taken as well
