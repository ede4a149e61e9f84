"""Texts in a harness's source: read from its syntax tree (or its JSON), never executed.

A text is a constant, an f-string, or what a function puts together in one variable, statement by statement. Names and
fields that are filled in later become slots of a ``str.format`` template, called as their last part is
(``question.starter_code``, ``example["answer"]``: ``{starter_code}``, ``{answer}``); constants of a class of the same
file are put in place.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

RETURNED = "return"


@dataclass(frozen=True)
class HarnessString:
    """Where a text stands: in ``file`` (relative to the harness), in ``function`` (or a class; "" for the module), as
    ``variable`` or ``RETURNED``; a parameter's text is its default. In a JSON file ``variable`` is the path, its parts
    joined by dots.

    With ``given`` (condition as source text -> whether it holds) the text is all that the function assigns and appends
    to the variable on that branch; without, the first text that it assigns.
    """

    name: str
    file: str
    function: str
    variable: str
    sha256: str
    given: Mapping[str, bool] | None = None


def text_at(path: Path, string: HarnessString) -> str | None:
    """The text as declared, None where the file has no such place or it holds no text."""
    try:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return _json_text(json.loads(content), string.variable.split("."))
        module = _parsed(content)
    except (SyntaxError, ValueError, RecursionError):
        return None
    scope = _scope(module, string.function)
    if scope is None:
        return None
    constants = _Constants(module)
    if string.given is not None:
        return constants.joined(scope, string.variable, string.given)
    return next((text for node in _values(scope, string.variable) if (text := constants.text(node)) is not None), None)


@lru_cache(maxsize=4)
def _parsed(content: str) -> ast.Module:
    # a harness has dozens of texts in one file
    return ast.parse(content)


def _json_text(value: object, path: Sequence[str]) -> str | None:
    for part in path:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return value if isinstance(value, str) else None


_Scope = ast.Module | ast.FunctionDef | ast.ClassDef


def _scope(module: ast.Module, name: str) -> _Scope | None:
    if not name:
        return module
    scopes = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return next((node for node in scopes if node.name == name), None)


def _values(scope: _Scope, variable: str) -> Iterator[ast.expr]:
    """Expressions that the scope assigns to ``variable`` (or returns), in source order; a parameter's default first."""
    if isinstance(scope, ast.FunctionDef):
        yield from _defaults(scope.args, variable)
    for node in scope.body:
        for part in ast.walk(node):
            if variable == RETURNED and isinstance(part, ast.Return) and part.value is not None:
                yield part.value
            if isinstance(part, ast.Assign) and any(_is_name(target, variable) for target in part.targets):
                yield part.value


def _defaults(given: ast.arguments, parameter: str) -> Iterator[ast.expr]:
    named = [*given.posonlyargs, *given.args]
    defaults = dict(zip((one.arg for one in reversed(named)), reversed(given.defaults), strict=False))
    if parameter in defaults:
        yield defaults[parameter]


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


class _NoText(Exception):
    """An expression that is neither text nor a slot."""


class _Constants:
    """Expressions of one module as text; its classes' constants are known."""

    def __init__(self, module: ast.Module) -> None:
        self._classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}

    def text(self, node: ast.expr) -> str | None:
        """A constant as it is, an f-string with slots as a template, None for anything else."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if not isinstance(node, ast.JoinedStr):
            return None
        try:
            template = self._template(node)
        except _NoText:
            return None
        return template if _has_slot(node) else template.format()

    def joined(self, scope: _Scope, variable: str, given: Mapping[str, bool]) -> str | None:
        """The template that the scope puts together in ``variable`` where the conditions are as given."""
        try:
            return "".join(self._appended(scope.body, variable, given)) or None
        except _NoText:
            return None

    def _appended(self, body: Sequence[ast.stmt], variable: str, given: Mapping[str, bool]) -> list[str]:
        parts: list[str] = []
        for node in body:
            if isinstance(node, ast.Assign) and any(_is_name(target, variable) for target in node.targets):
                parts = [self._template(node.value)]
            elif isinstance(node, ast.AugAssign) and _is_name(node.target, variable):
                parts.append(self._template(node.value))
            elif isinstance(node, ast.If):
                parts += self._appended(_branch(node, given), variable, given)
        return parts

    def _template(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return _escaped(text)
            case ast.JoinedStr(values=values):
                return "".join(map(self._template, values))
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self._template(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._template(left) + self._template(right)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in self._classes:
                return _escaped(self._constant(owner, name))
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
                return f"{{{name}}}"
        raise _NoText

    def _constant(self, owner: str, name: str) -> str:
        for value in _values(self._classes[owner], name):
            if (text := self.text(value)) is not None:
                return text
        raise _NoText


def _has_slot(node: ast.JoinedStr) -> bool:
    return any(isinstance(part, ast.FormattedValue) for part in node.values)


def _branch(node: ast.If, given: Mapping[str, bool]) -> Sequence[ast.stmt]:
    condition = ast.unparse(node.test)
    if condition not in given:
        raise _NoText
    return node.body if given[condition] else node.orelse


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
