"""The part of a module that its entry point needs: demonstrations, tests and prompts for input are left out.

Statements keep their order and their text. Kept are imports, what binds a name that the entry point reaches (by
Python's own scopes: a global ``n = int(input())`` is not reached through a local ``n``), statements that work on such
data, and settings such as ``sys.setrecursionlimit(…)``. Left out are asserts, ``if __name__ …``, prints, calls of the
module's own functions, and functions that are defined again further down. Nothing is executed: names come from the
compiler's symbol tables.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .parsing import module_of

MAX_STATEMENTS = 5_000
"""Modules with more top-level statements are left as they are."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_LITERAL_PARTS = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.unaryop, ast.Load)
_TALK = frozenset({"print", "input", "exit", "quit"})


@dataclass(frozen=True)
class Statement:
    """One top-level statement, or several that share a line: its text, and the names it binds and uses."""

    nodes: tuple[ast.stmt, ...]
    text: str
    binds: frozenset[str]
    uses: frozenset[str]

    @property
    def is_import(self) -> bool:
        return any(isinstance(node, _IMPORTS) for node in self.nodes)

    @property
    def is_harmless(self) -> bool:
        """Defines, imports or names a literal at most: running it changes nothing that a test could see."""
        return all(isinstance(node, (*_DEFINITIONS, *_IMPORTS, ast.Pass)) or _is_literal(node) for node in self.nodes)

    @property
    def fingerprint(self) -> str:
        """Equal for texts that differ in layout and comments only."""
        return "\n".join(ast.dump(node) for node in self.nodes)


def statements_of(source: str) -> tuple[Statement, ...] | None:
    """Top-level statements in order; None where the text does not parse or is too long to take apart."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    module = module_of(source)
    if module is None or len(module.body) > MAX_STATEMENTS:
        return None
    lines = source.split("\n")
    try:
        return tuple(_statement(lines, nodes) for nodes in _by_line(module.body))
    except (SyntaxError, RecursionError, MemoryError):
        return None  # parses, but has no symbol table: it could not run either


def needed(statements: Sequence[Statement], entry_point: str) -> list[Statement] | None:
    """What the entry point needs, in order; None where nothing binds it."""
    reached = _reached(statements, entry_point)
    if not any(entry_point in statement.binds for statement in statements):
        return None
    own = frozenset().union(*(statement.binds for statement in statements if _defines(statement)))
    data = reached - own
    modules = frozenset().union(*(statement.binds for statement in statements if statement.is_import))
    alive = _without_redefined(statements)
    return [statement for statement in alive if _is_needed(statement, reached, data, own, modules)]


def _without_redefined(statements: Sequence[Statement]) -> list[Statement]:
    """Plain functions that a later definition of the same name replaces can never be called by the entry point."""
    alive: list[Statement] = []
    later: set[str] = set()
    for statement in reversed(statements):
        is_plain = isinstance(statement.nodes[0], ast.FunctionDef) and not statement.nodes[0].decorator_list
        if not (is_plain and len(statement.nodes) == 1 and statement.binds <= later):
            alive.append(statement)
        if _defines(statement):
            later |= statement.binds
    return alive[::-1]


def _is_needed(
    statement: Statement, reached: frozenset[str], data: frozenset[str], own: frozenset[str], modules: frozenset[str]
) -> bool:
    if statement.is_import:
        return True
    if any(_is_demonstration(node, own) for node in statement.nodes):
        return False
    if statement.binds & reached:
        return True
    if _defines(statement):
        return False
    return bool(statement.uses & data) or _is_setting(statement, modules)


def _is_setting(statement: Statement, modules: frozenset[str]) -> bool:
    """``module.function(…)`` on its own."""
    (node, *others) = statement.nodes
    call = node.value if isinstance(node, ast.Expr) and not others else None
    function = call.func if isinstance(call, ast.Call) else None
    return isinstance(function, ast.Attribute) and _root_name(function) in modules


def _root_name(expression: ast.expr) -> str | None:
    while isinstance(expression, ast.Attribute):
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _is_demonstration(node: ast.stmt, own: frozenset[str]) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.If):
        return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
    if isinstance(node, ast.Expr):
        value = node.value
        return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in (own | _TALK)
    return False


def is_stub(statements: Sequence[Statement], entry_point: str) -> bool:
    """Whether the last thing that binds the entry point is a function without a body: a prompt left as it was."""
    last = [statement for statement in statements if entry_point in statement.binds][-1]
    return all(isinstance(node, ast.FunctionDef) and _is_empty(node.body) for node in last.nodes)


def _is_empty(body: Sequence[ast.stmt]) -> bool:
    return all(isinstance(node, ast.Pass) or _is_literal(node) for node in body)


def _is_literal(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, (ast.Expr, ast.Assign, ast.AnnAssign)) else None
    return value is not None and all(isinstance(part, _LITERAL_PARTS) for part in ast.walk(value))


def _defines(statement: Statement) -> bool:
    return any(isinstance(node, _DEFINITIONS) for node in statement.nodes)


def _reached(statements: Sequence[Statement], entry_point: str) -> frozenset[str]:
    """Names used, directly or not, by what binds the entry point."""
    uses: dict[str, set[str]] = {}
    for statement in statements:
        for name in statement.binds:
            uses.setdefault(name, set()).update(statement.uses)
    found, waiting = {entry_point}, [entry_point]
    while waiting:
        new = uses.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return frozenset(found)


def _by_line(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, ...]]:
    group: list[ast.stmt] = []
    for node in body:
        if group and node.lineno > (group[-1].end_lineno or 0):
            yield tuple(group)
            group = []
        group.append(node)
    if group:
        yield tuple(group)


def _statement(lines: Sequence[str], nodes: tuple[ast.stmt, ...]) -> Statement:
    decorators = nodes[0].decorator_list if isinstance(nodes[0], _DEFINITIONS) else []
    first = min([nodes[0].lineno, *(decorator.lineno for decorator in decorators)])
    text = "\n".join(lines[first - 1 : nodes[-1].end_lineno])
    binds, uses = _names(symtable.symtable(text, "<text>", "exec"))
    return Statement(nodes, text, frozenset(binds), frozenset(uses))


def _names(module: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    symbols = module.get_symbols()
    binds = {symbol.get_name() for symbol in symbols if _is_bound(symbol)}
    uses = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    waiting = list(module.get_children())
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        shared = [symbol for symbol in table.get_symbols() if symbol.is_global()]
        uses |= {symbol.get_name() for symbol in shared}
        binds |= {symbol.get_name() for symbol in shared if symbol.is_declared_global() and _is_bound(symbol)}
    return binds, uses


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
