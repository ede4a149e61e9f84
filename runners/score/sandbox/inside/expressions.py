"""CRUXEval's answers: one expression, or one call of ``f``, parsed and evaluated in the child.

Theory of operation. The answer's text is the sample. It is parsed and evaluated here, after confinement, and what comes
out is a claim like any other; the problem's output never comes here.

Three steps, each in a child of its own kind:

``value``      parse, evaluate alone (``f`` and the problem's input are not there), report the value
``arguments``  parse a call ``f(…)``, evaluate its arguments, report them as plain data
``restricted`` parse a call ``f(…)`` whose arguments are not plain data (a lambda); every argument must stay inside an
               allow list of syntax, so that nothing in it can reach out of itself; then call ``f`` with them here

In the last one the sample's text shares a process with the problem's ``f``; the allow list has no attribute that
starts with an underscore, no name beyond its own parameters and a few pure builtins, no assignment.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from .report import NotOneExpression

MAX_SOURCE_CHARACTERS = 20_000
_PURE_BUILTINS: Mapping[str, Any] = {
    function.__name__: function
    for function in (len, abs, min, max, sum, sorted, ord, chr, str, int, float, bool, list, tuple, dict, set, range,
                     round, reversed, enumerate, zip, any, all)
}  # fmt: skip
_ALLOWED_NODES = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Lambda,
    ast.arguments, ast.arg, ast.keyword, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript,
    ast.Slice, ast.Attribute, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Starred,
)  # fmt: skip
_ALLOWED_METHODS = frozenset(
    [
        "upper",
        "lower",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "join",
        "replace",
        "count",
        "index",
        "find",
        "startswith",
        "endswith",
        "isdigit",
        "isalpha",
        "isupper",
        "islower",
        "title",
        "capitalize",
        "swapcase",
        "keys",
        "values",
        "items",
        "get",
        "copy",
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "reverse",
        "sort",
        "clear",
        "add",
        "update",
        "union",
        "difference",
        "intersection",
        "zfill",
    ]
)


def prepare(spec: Mapping[str, Any]) -> Callable[[], Any]:
    """Parse now, and return the step that evaluates; raises NotOneExpression."""
    tree = _parse(spec["program"])
    if spec["step"] == "value":
        # `assert OUT == <text>` reads operators that bind looser than == differently from the text alone
        is_loose = _is_loose(tree.body, spec["program"])
        return lambda: (is_loose, _alone(tree, spec["code"], is_loose))
    call = _call_of_f(tree)
    if spec["step"] == "arguments":
        return lambda: _arguments(call, _namespace(spec["code"]))
    _check_restricted(call)
    return lambda: _restricted_call(tree, spec["code"])


def _parse(source: str) -> ast.Expression:
    if len(source) > MAX_SOURCE_CHARACTERS:
        raise NotOneExpression("too long")
    try:
        return ast.parse(source.strip(), "<answer>", "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotOneExpression(str(error)[:80]) from error


def _compile(tree: ast.Expression) -> Any:
    return compile(tree, "<answer>", "eval", dont_inherit=True)


def _alone(tree: ast.Expression, code: str, is_loose: bool) -> Any:
    try:
        return eval(_compile(tree), _imports_of(code))
    except Exception as error:
        if is_loose:
            raise NotOneExpression("binds looser than a value, and fails alone") from error
        raise


def _is_loose(node: ast.expr, source: str) -> bool:
    """Whether ``X == <text>`` is read as something else than a comparison with the text's own value."""
    try:
        joined = ast.parse(f"None == {source.strip()}", "<answer>", "eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    if not isinstance(joined, ast.Compare) or len(joined.comparators) != 1:
        return True
    return ast.dump(joined.comparators[0]) != ast.dump(node)


def _call_of_f(tree: ast.Expression) -> ast.Call:
    call = tree.body
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "f":
        return call
    raise NotOneExpression("not a call of f")


def _arguments(call: ast.Call, namespace: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments, stars unpacked."""
    namespace["__collect__"] = lambda *arguments, **keywords: (list(arguments), keywords)
    collected = ast.Call(ast.Name("__collect__", ast.Load()), call.args, call.keywords)
    return eval(_compile(ast.fix_missing_locations(ast.Expression(collected))), namespace)


def _namespace(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile(code, "<problem>", "exec", dont_inherit=True), namespace)
    return namespace


def _imports_of(code: str) -> dict[str, Any]:
    """Names that the problem's own import statements bind, and nothing else of it."""
    imports: list[ast.stmt] = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    namespace: dict[str, Any] = {}
    exec(compile(ast.Module(imports, []), "<imports>", "exec", dont_inherit=True), namespace)
    return namespace


def _check_restricted(call: ast.Call) -> None:
    parameters = {node.arg for node in ast.walk(call) if isinstance(node, ast.arg)}
    for node in (node for argument in [*call.args, *call.keywords] for node in ast.walk(argument)):
        if not isinstance(node, _ALLOWED_NODES):
            raise NotOneExpression(type(node).__name__)
        if isinstance(node, ast.Name) and node.id not in parameters and node.id not in _PURE_BUILTINS:
            raise NotOneExpression(node.id)
        if isinstance(node, ast.Attribute) and node.attr not in _ALLOWED_METHODS:
            raise NotOneExpression(node.attr)


def _restricted_call(tree: ast.Expression, code: str) -> Any:
    namespace = _namespace(code)
    return eval(_compile(tree), {**_PURE_BUILTINS, "__builtins__": {}, "f": namespace["f"]})
