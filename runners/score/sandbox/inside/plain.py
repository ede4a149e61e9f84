"""Programs for standard input that cannot tell upstream's wrapping and mocks from real descriptors.

Theory of operation. A contest program is judged twice: as LiveCodeBench's harness runs it (the body of a function, a
``sys.stdin`` of its own, all tests in one process), and as a program. Most programs read with ``input()`` or once with
``read``, compute, and print; what they print is the same on both roads, and the second one costs a process per test.
``is_plain`` says so of a program's text, by a list of what is known to be the same; whatever is not on the list is run
twice. What cannot be told from the text (how often ``read`` is called) is noted while it runs (``livecodebench``).

A false claim gains a sample nothing but its own right answers: what is shared is the printed text, compared outside.

Not on the list, for reasons that were seen: ``global`` (finds nothing in a function), ``open``, ``io``, iteration over
``sys.stdin`` and ``readlines`` (mocked otherwise), names taken from ``sys`` (other objects), ``random`` and attributes
of modules (state from test to test), threads and ``atexit`` (output that nobody awaits), exit codes, ``__name__``
elsewhere than in a last guard, annotated names at top level (evaluated only there), imports after other statements
(moved to the front), class bodies that compute.
"""

from __future__ import annotations

import ast
import builtins
import importlib

_MODULES = (
    "math", "cmath", "collections", "heapq", "bisect", "itertools", "functools", "operator", "string", "re", "copy",
    "typing", "fractions", "decimal", "datetime", "array", "statistics", "json", "numbers",
)  # fmt: skip
_BUILTINS = frozenset((
    "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "classmethod", "complex",
    "dict", "divmod", "enumerate", "filter", "float", "format", "frozenset", "hex", "input", "int", "isinstance",
    "issubclass", "iter", "len", "list", "map", "max", "min", "next", "object", "oct", "ord", "pow", "print",
    "property", "range", "repr", "reversed", "round", "set", "slice", "sorted", "staticmethod", "str", "sum", "super",
    "tuple", "type", "zip",
))  # fmt: skip
_SYS = frozenset(("stdin", "stdout", "stderr", "setrecursionlimit", "maxsize", "exit", "set_int_max_str_digits"))
_STREAMS = {"stdin": frozenset(("read", "readline", "buffer")), "stdout": frozenset(("write", "flush"))}
_ELSEWHERE = frozenset((
    "sys", "os", "io", "builtins", "stdin", "stdout", "stderr", "modules", "random", "threading", "buffer", "seek",
    "detach", "reconfigure", "open", "fileno", "getcontext", "setcontext", "localcontext", "gi_frame", "f_globals",
    "f_locals", "f_builtins", "tb_frame",
))  # fmt: skip
"""Attributes that lead back to what is mocked or lasts from test to test, on whatever object."""
_METHODS_NOT = frozenset(("__del__", "__init_subclass__", "__set_name__", "__class_getitem__"))


def _known_names() -> frozenset[str]:
    """What a program may use without binding it: builtins, and what the header takes from harmless modules."""
    errors = {
        name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)
    }
    exported = {
        name for module in _MODULES for name in dir(importlib.import_module(module)) if not name.startswith("_")
    }
    return frozenset(_BUILTINS | errors | (exported - _ELSEWHERE - set(dir(builtins))) | {*_MODULES, "sys", "exit"})


_KNOWN = _known_names()


def is_plain(program: str) -> bool:
    """Whether what this program prints is sure to be the same on both roads, as long as it reads in one way only."""
    try:
        tree = ast.parse(program)
        compile(program, "<string>", "exec", dont_inherit=True)
    except Exception:
        return False
    body = tree.body
    if body and _is_main_guard(body[-1]):
        body = [*body[:-1], *body[-1].body]  # type: ignore[attr-defined]
    return _has_imports_first(body) and not any(map(_is_top_annotation, body)) and _Reader().accepts(body)


def _is_main_guard(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test).strip() == "__name__ == '__main__'"
    )


def _has_imports_first(body: list[ast.stmt]) -> bool:
    """Calls and text may stand between them: nothing that binds a name."""
    is_import = [isinstance(one, ast.Import | ast.ImportFrom) for one in body]
    last = max((number for number, found in enumerate(is_import) if found), default=0)
    return all(found or isinstance(one, ast.Expr) for found, one in zip(is_import[:last], body, strict=False))


def _is_top_annotation(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) or any(
        _is_top_annotation(inner)
        for inner in ast.iter_child_nodes(statement)
        if isinstance(inner, ast.stmt) and not isinstance(statement, ast.FunctionDef | ast.ClassDef)
    )


class _Reader:
    """One walk over a program: names that it binds, names that it uses, and whether anything is not on the list."""

    def __init__(self) -> None:
        self._bound: set[str] = set()
        self._used: set[str] = set()
        self._modules: set[str] = {*_MODULES, "sys"}
        self._taken: set[str] = set()
        self._set_on: set[str] = set()

    def accepts(self, body: list[ast.stmt]) -> bool:
        nodes, parents = _told(body)
        imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        if not all(map(self._imports, imports)):
            return False
        is_known = all(self._is_known(node, parents) for node in nodes)
        # attributes of what is not the program's own would last from test to test
        is_own = self._set_on <= self._bound - self._taken
        return is_known and is_own and self._used <= self._bound | self._taken | self._modules | _KNOWN

    def _imports(self, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.ImportFrom):
            return self._takes(node)
        for alias in node.names:
            if alias.name != "sys":
                self._modules.add(alias.asname or alias.name)
            elif alias.asname is not None:
                return False
        return all(alias.name in (*_MODULES, "sys") for alias in node.names)

    def _is_known(self, node: ast.AST, parents: dict[int, ast.AST]) -> bool:
        if isinstance(node, ast.Global | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await):
            return False
        if isinstance(node, ast.FunctionDef):
            self._bound.add(node.name)
            return node.name not in _METHODS_NOT
        if isinstance(node, ast.ClassDef):
            self._bound.add(node.name)
            return all(map(_is_quiet, node.body)) and not node.keywords
        if isinstance(node, ast.arg):
            self._bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._bound.add(node.name)
        elif isinstance(node, ast.keyword) and node.arg == "file":
            return ast.unparse(node.value) == "sys.stderr"
        elif isinstance(node, ast.Name):
            return self._is_known_name(node, parents.get(id(node)))
        elif isinstance(node, ast.Attribute):
            return self._is_known_attribute(node, parents.get(id(node)))
        return True

    def _takes(self, node: ast.ImportFrom) -> bool:
        names = [alias.name for alias in node.names]
        self._taken.update(alias.asname or alias.name for alias in node.names)
        if node.module == "sys":
            return all(alias.name in ("setrecursionlimit", "maxsize") for alias in node.names)
        is_ours = node.module in _MODULES and not node.level
        return is_ours and not any(name in _ELSEWHERE or name.startswith("_") for name in names)

    def _is_known_name(self, node: ast.Name, parent: ast.AST | None) -> bool:
        if isinstance(node.ctx, ast.Store | ast.Del):
            self._bound.add(node.id)
            return node.id not in ("sys", "exit", "__name__", "__file__") and not isinstance(node.ctx, ast.Del)
        self._used.add(node.id)
        if node.id == "exit":
            return isinstance(parent, ast.Call) and _is_good_end(parent, node)
        # a module is only ever looked into
        return node.id not in self._modules - self._shadowed() or isinstance(parent, ast.Attribute)

    def _shadowed(self) -> set[str]:
        """Header modules whose name the program took for something of its own."""
        return (self._bound & {*_MODULES}) - {"sys"}

    def _is_known_attribute(self, node: ast.Attribute, parent: ast.AST | None) -> bool:
        value = node.value
        if isinstance(value, ast.Name) and value.id == "sys":
            return node.attr in _SYS and isinstance(node.ctx, ast.Load) and _is_good_use(node, parent)
        if isinstance(value, ast.Name) and value.id in self._modules:
            return isinstance(node.ctx, ast.Load) and not node.attr.startswith("_") and node.attr not in _ELSEWHERE
        if isinstance(value, ast.Name) and not isinstance(node.ctx, ast.Load):
            self._set_on.add(value.id)
        if _is_sys(value, "stdin") or _is_sys(value, "stdout"):
            return node.attr in _STREAMS[value.attr] and isinstance(node.ctx, ast.Load)  # type: ignore[attr-defined]
        if isinstance(value, ast.Attribute) and _is_sys(value.value, "stdin"):
            return value.attr == "buffer" and node.attr == "read" and isinstance(node.ctx, ast.Load)
        is_special = node.attr.startswith("__") and node.attr.endswith("__")
        return node.attr not in _ELSEWHERE and (not is_special or node.attr == "__init__")


_TELLING = frozenset((
    ast.Import, ast.ImportFrom, ast.Global, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await,
    ast.FunctionDef, ast.ClassDef, ast.arg, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.keyword, ast.Name,
    ast.Attribute,
))  # fmt: skip
"""Kinds of node that the reader looks at."""
_NO_CHILDREN = frozenset((ast.Load, ast.Store, ast.Del, ast.Constant, ast.Pass, ast.Global, ast.Import, ast.ImportFrom))


def _told(body: list[ast.stmt]) -> tuple[list[ast.AST], dict[int, ast.AST]]:
    """The telling nodes of each statement, level by level as ``ast.walk`` has them, and by ``id`` every node's parent.

    One walk over plain lists: two of the standard library's took a third of a millisecond of every program.
    """
    told: list[ast.AST] = []
    parents: dict[int, ast.AST] = {}
    for statement in body:
        waiting: list[ast.AST] = [statement]
        for node in waiting:
            kind = type(node)
            if kind in _TELLING:
                told.append(node)
            if kind in _NO_CHILDREN:
                continue
            for name in kind._fields:
                value = getattr(node, name, None)
                for child in value if type(value) is list else (value,):
                    if isinstance(child, ast.AST):
                        parents[id(child)] = node
                        waiting.append(child)
    return told, parents


def _is_sys(node: ast.AST, name: str) -> bool:
    is_attribute = isinstance(node, ast.Attribute) and node.attr == name
    return is_attribute and isinstance(node.value, ast.Name) and node.value.id == "sys"  # type: ignore[attr-defined]


def _is_good_use(node: ast.Attribute, parent: ast.AST | None) -> bool:
    """A stream is only looked into; ``exit`` is only called, with nothing or 0."""
    if node.attr in _STREAMS:
        return isinstance(parent, ast.Attribute)
    if node.attr == "exit":
        return isinstance(parent, ast.Call) and _is_good_end(parent, node)
    return True


def _is_good_end(call: ast.Call, function: ast.AST) -> bool:
    given = [one.value if isinstance(one, ast.Constant) else one for one in call.args]
    return call.func is function and not call.keywords and given in ([], [0], [None])


def _is_quiet(statement: ast.stmt) -> bool:
    """Of a class: methods, text, constants; such a body means the same wherever it stands."""
    if isinstance(statement, ast.Assign):
        return all(
            isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Load) for node in ast.walk(statement.value)
        )
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.FunctionDef | ast.Pass) or is_text
