"""Mutants of canonical solutions: honest programs that are right or wrong for an ordinary reason.

What a mutant returns decides, nothing in it deceives. Each operator changes a syntax tree in one place, or every value
returned in the same way; what is drawn comes from a seeded generator, so the same seed gives the same mutants.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

SEED = 4
PER_TASK: Mapping[str, int] = {"humanevalplus": 5, "mbppplus": 3}
LEFT_OUT: Mapping[str, str] = {
    "Mbpp/255": "its 153 million expected elements cost the harness gigabytes",
    "Mbpp/599": "the reference takes most of the time limit: the load of the machine decides",
}

Change = Callable[[random.Random, ast.Module, ast.FunctionDef], bool]
"""Alters the module in place; False when there is nothing to alter."""


@dataclass(frozen=True)
class Mutant:
    task_id: str
    operator: str
    program: str


def mutants(task_id: str, entry_point: str, reference: str, number: int, seed: int) -> Iterator[Mutant]:
    """At most ``number`` mutants of one program, each by another operator."""
    generator = random.Random(f"{seed} {task_id}")
    returned = [name for name in sorted(OPERATORS) if name.startswith("return_")]
    others = [name for name in sorted(OPERATORS) if not name.startswith("return_")]
    generator.shuffle(returned)
    generator.shuffle(others)
    # both sorts in turn: one tells about the oracle, the other about everything else
    names = [name for pair in zip_longest(returned, others) for name in pair if name is not None]
    found = 0
    for name in names:
        program = mutated(OPERATORS[name], generator, reference, entry_point)
        if program is not None and found < number:
            found += 1
            yield Mutant(task_id, name, program)


def mutated(change: Change, generator: random.Random, reference: str, entry_point: str) -> str | None:
    """The changed program, or None where the operator finds no place or changes nothing."""
    module = ast.parse(reference)
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name == entry_point]
    if not functions:
        return None
    before = ast.dump(module)
    if not change(generator, module, functions[-1]) or ast.dump(module) == before:
        return None
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def _nodes(root: ast.AST, *kinds: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(root) if isinstance(node, kinds)]


def _own_returns(function: ast.FunctionDef) -> list[ast.Return]:
    """Returns of the function itself, not of one inside it."""
    found: list[ast.Return] = []
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            found.append(node)
        elif not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            todo += ast.iter_child_nodes(node)
    return found


def _wrapping(template: str, imports: str = "") -> Change:
    """Every value returned goes through an expression in which it is called ``value``."""

    def change(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
        returns = _own_returns(function)
        for node in returns:
            outer = ast.parse(template, mode="eval").body
            assert node.value is not None
            node.value = _Filled(node.value).visit(outer)
        module.body[:0] = ast.parse(imports).body
        return bool(returns)

    return change


class _Filled(ast.NodeTransformer):
    def __init__(self, value: ast.expr) -> None:
        self._value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self._value) if node.id == "value" else node


def _constant(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    docstrings = {id(node.value) for node in _nodes(module, ast.Expr)}  # type: ignore[attr-defined]
    places = [node for node in _nodes(function, ast.Constant) if id(node) not in docstrings]
    if not places:
        return False
    node = generator.choice(places)
    assert isinstance(node, ast.Constant)
    match node.value:
        case bool():
            node.value = not node.value
        case int() | float():
            node.value += generator.choice((-1, 1, 2))
        case str():
            node.value = node.value[1:] if node.value and generator.random() < 0.5 else node.value + "a"
        case _:
            node.value = 0
    return True


_COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATIONS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.FloorDiv, ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitXor, ast.BitXor: ast.BitAnd,
}  # fmt: skip


def _comparison(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    places = _nodes(function, ast.Compare)
    if not places:
        return False
    node = generator.choice(places)
    assert isinstance(node, ast.Compare)
    place = generator.randrange(len(node.ops))
    node.ops[place] = _COMPARISONS[type(node.ops[place])]()
    return True


def _operation(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    places = [node for node in _nodes(function, ast.BinOp, ast.AugAssign) if type(node.op) in _OPERATIONS]  # type: ignore[attr-defined]
    if not places:
        return False
    node = generator.choice(places)
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    node.op = _OPERATIONS[type(node.op)]()
    return True


def _logic(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    places = _nodes(function, ast.BoolOp)
    if not places:
        return False
    node = generator.choice(places)
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return True


def _condition(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    places = _nodes(function, ast.If, ast.IfExp)
    if not places:
        return False
    node = generator.choice(places)
    assert isinstance(node, ast.If | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return True


def _off_by_one(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    """In the bounds of a range, a slice or an index."""
    ranges = [node for node in _nodes(function, ast.Call) if getattr(node.func, "id", "") == "range"]  # type: ignore[attr-defined]
    places = [*ranges, *_nodes(function, ast.Subscript)]
    if not places:
        return False
    node = generator.choice(places)
    step = ast.Constant(generator.choice((-1, 1)))
    if isinstance(node, ast.Call):
        place = generator.randrange(len(node.args))
        node.args[place] = ast.BinOp(node.args[place], ast.Add(), step)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        lower = node.slice.lower or ast.Constant(0)
        node.slice.lower = ast.BinOp(lower, ast.Add(), step)
    elif isinstance(node, ast.Subscript):
        node.slice = ast.BinOp(node.slice, ast.Add(), step)
    return True


def _deleted(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    """A statement becomes ``pass``; loops keep what moves them, so that most mutants end."""
    bodies = [body for node in ast.walk(function) for body in _bodies(node) if not isinstance(node, ast.While)]
    places = [(body, number) for body in bodies for number, one in enumerate(body) if not isinstance(one, ast.Pass)]
    if not places:
        return False
    body, number = generator.choice(places)
    body[number] = ast.Pass()
    return True


def _bodies(node: ast.AST) -> list[list[ast.stmt]]:
    found = (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
    return [body for body in found if isinstance(body, list)]


def _swapped_arguments(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    calls = [node for node in _nodes(function, ast.Call) if len(node.args) > 1]  # type: ignore[attr-defined]
    if not calls:
        return False
    node = generator.choice(calls)
    assert isinstance(node, ast.Call)
    node.args[0], node.args[1] = node.args[1], node.args[0]
    return True


def _swapped_parameters(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    parameters = function.args.args
    if len(parameters) < 2:
        return False
    parameters[0].arg, parameters[1].arg = parameters[1].arg, parameters[0].arg
    return True


def _first(source: str) -> Change:
    """Statements before everything else, with the first parameter called ``first``."""

    def change(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
        if not function.args.args:
            return False
        name = function.args.args[0].arg
        function.body[:0] = _Renamed(name).visit(ast.parse(source)).body
        return True

    return change


class _Renamed(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self._name = name

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._name, node.ctx) if node.id == "first" else node


def _set_for_list(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    places = [node for node in _nodes(function, ast.Call) if getattr(node.func, "id", "") in _KINDS]  # type: ignore[attr-defined]
    if not places:
        return False
    node = generator.choice(places)
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    node.func.id = _KINDS[node.func.id]
    return True


def _lazy(generator: random.Random, module: ast.Module, function: ast.FunctionDef) -> bool:
    """A list built by comprehension that is returned becomes a generator."""
    for node in _own_returns(function):
        if isinstance(node.value, ast.ListComp):
            node.value = ast.GeneratorExp(node.value.elt, node.value.generators)
            return True
    return False


_KINDS: Mapping[str, str] = {
    "list": "set", "set": "list", "sorted": "list", "tuple": "list", "min": "max", "max": "min", "any": "all",
    "all": "any", "int": "float", "float": "int", "sum": "max", "abs": "int", "str": "repr",
}  # fmt: skip
_NUMPY = "import numpy"

OPERATORS: Mapping[str, Change] = {
    "constant": _constant,
    "comparison": _comparison,
    "operation": _operation,
    "logic": _logic,
    "condition": _condition,
    "off_by_one": _off_by_one,
    "deleted": _deleted,
    "swapped_arguments": _swapped_arguments,
    "swapped_parameters": _swapped_parameters,
    "set_for_list": _set_for_list,
    "lazy": _lazy,
    "prints": _first("print('called with', first)"),
    "grows_its_input": _first("if type(first) is list:\n    first.append(first[-1] if first else 0)"),
    "empties_its_input": _first("if isinstance(first, (list, dict, set)):\n    first = first.copy(); first.clear()"),
    "reverses_its_input": _first("if type(first) is list:\n    first.reverse()"),
    "counts_its_calls": _first(
        "seen = globals().setdefault('seen', [])\nseen.append(1)\nif len(seen) > 3:\n    return None"
    ),
    "return_none": _wrapping("None"),
    "return_list": _wrapping("list(value) if hasattr(value, '__iter__') else [value]"),
    "return_tuple": _wrapping("tuple(value) if hasattr(value, '__iter__') else (value,)"),
    "return_set": _wrapping("set(value) if hasattr(value, '__iter__') else {value}"),
    "return_iterator": _wrapping("iter(value) if hasattr(value, '__iter__') else iter([value])"),
    "return_str": _wrapping("str(value)"),
    "return_not": _wrapping("not value"),
    "return_bool": _wrapping("bool(value)"),
    "return_int": _wrapping("int(value)"),
    "return_float": _wrapping("float(value)"),
    "return_complex": _wrapping("complex(value)"),
    "return_fraction": _wrapping("fractions.Fraction(value)", "import fractions"),
    "return_decimal": _wrapping("decimal.Decimal(value)", "import decimal"),
    "return_near": _wrapping("value + 5e-07"),
    "return_not_so_near": _wrapping("value + 5e-05"),
    "return_scaled": _wrapping("value * (1 + 5e-08)"),
    "return_rounded": _wrapping("round(value, 3)"),
    "return_array": _wrapping("numpy.array(value)", _NUMPY),
    "return_numpy_scalar": _wrapping("numpy.float64(value)", _NUMPY),
    "return_numpy_int": _wrapping("numpy.int64(value)", _NUMPY),
    "return_numpy_list": _wrapping("list(numpy.array(value))", _NUMPY),
    "return_bytes": _wrapping("value.encode() if isinstance(value, str) else bytes(value)"),
    "return_reversed": _wrapping("value[::-1]"),
    "return_sorted": _wrapping("sorted(value)"),
    "return_shorter": _wrapping("value[:-1]"),
    "return_dict": _wrapping("dict(value) if isinstance(value, dict) else dict.fromkeys(value)"),
    "return_counter": _wrapping("collections.Counter(value)", "import collections"),
    "return_deque": _wrapping("collections.deque(value)", "import collections"),
    "return_itself": _wrapping("(value, value)[0]"),
}


def of_tasks(tasks: Sequence[object], share: float = 1.0, seed: int = SEED) -> list[Mutant]:
    """Mutants of every task (objects with ``benchmark``, ``task_id``, ``payload``), or of a seeded share of them."""
    chosen = random.Random(f"{seed} tasks")
    found: list[Mutant] = []
    for task in tasks:
        is_chosen = chosen.random() < share
        if is_chosen and task.task_id not in LEFT_OUT:  # type: ignore[attr-defined]
            number = PER_TASK[task.benchmark]  # type: ignore[attr-defined]
            payload = task.payload  # type: ignore[attr-defined]
            found += mutants(task.task_id, payload["entry_point"], payload["reference"], number, seed)  # type: ignore[attr-defined]
    return found
