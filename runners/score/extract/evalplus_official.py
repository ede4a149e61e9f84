"""EvalPlus' sanitizer, rule by rule (evalplus/evalplus@26d6d00, ``evalplus/sanitize.py``), written anew.

1. The run of lines with most code in it (``longest_code``).
2. Of its top-level statements: imports; the first class, function or assignment of each name, functions only where
   they hold a ``return``. Decorated definitions, ``from __future__``, ``if``, ``try`` and calls are left out. The name
   of an assignment is the first plain identifier among its parts, whichever side of ``=`` it stands on.
3. Of the definitions, those whose names can be reached from the entry point through identifiers.
4. Imports first, then definitions. Nothing left: the run of lines itself.

A recorded program or completion was already taken out by whoever recorded it: it runs as it is, a completion after its
prompt (``evalplus/evaluate.py``). What a base model continues under a ``…_base`` protocol is sanitized with its prompt
(``evalplus/codegen.py``). Statements are told apart by tree-sitter, whose node types the rules are made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from .longest_code import longest_code

_PARSER = Parser(Language(tree_sitter_python.language()))
_TABS_BECOME_SPACES = ("official", "official_base")
"""As the vLLM and transformers backends have it (``evalplus/provider/vllm.py``, ``hf.py``); the OpenAI one does not."""
_IMPORTS = ("import_statement", "import_from_statement")


@dataclass(frozen=True)
class _Definition:
    name: bytes | None
    node: Node


def sanitize(text: str, context: Mapping[str, str]) -> str:
    """The program that EvalPlus would grade for a raw reply, a completion or a program."""
    form, prompt, protocol = context.get("text_form"), context.get("prompt", ""), context.get("protocol", "")
    if form == "program":
        return text
    if protocol in _TABS_BECOME_SPACES:
        text = text.replace("\t", "    ")
    if protocol.endswith("_base"):
        return sanitized(prompt.strip() + "\n" + text, context.get("entry_point", ""))
    return prompt + text if form == "completion" else sanitized(text, context.get("entry_point", ""))


def sanitized(text: str, entry_point: str) -> str:
    """Rules 1 to 4; ``entry_point`` "" keeps every definition."""
    code = longest_code(text)
    chosen = chosen_statements(code, entry_point).strip()
    return chosen or longest_code(code)


def chosen_statements(code: str, entry_point: str, needs_return: bool = True) -> str:
    """Rules 2 to 4; BigCodeBench keeps functions without ``return``."""
    source = code.encode("utf-8", "replace")
    statements = _PARSER.parse(source).root_node.children
    imports = [node for node in statements if node.type in _IMPORTS]
    definitions = list(_first_definitions(statements, needs_return))
    if entry_point:
        reachable = _reachable(entry_point.encode(), definitions)
        definitions = [definition for definition in definitions if definition.name in reachable]
    kept = [*imports, *(definition.node for definition in definitions)]
    return b"\n".join(source[node.start_byte : node.end_byte] for node in kept).decode("utf-8", "replace")


def _first_definitions(statements: Sequence[Node], needs_return: bool) -> Iterator[_Definition]:
    taken: set[bytes | None] = set()
    for statement in statements:
        node = _defining_part(statement)
        if node is None or (name := _first_identifier(node)) in taken:
            continue
        if needs_return and node.type == "function_definition" and not _meets_return(node):
            continue
        taken.add(name)
        yield _Definition(name, node)


def _defining_part(statement: Node) -> Node | None:
    if statement.type in ("class_definition", "function_definition"):
        return statement
    if statement.type == "expression_statement" and statement.children[0].type == "assignment":
        return statement.children[0]
    return None


def _first_identifier(node: Node) -> bytes | None:
    return next((child.text for child in node.children if child.type == "identifier"), None)


def _meets_return(definition: Node) -> bool:
    """Whether the official walk meets a ``return``.

    That walk counts leaves up and ascents down, and ends at an ascent that finds the count at zero: after a chain of
    only children it can end before the last statement. Kept, because it decides which functions survive.
    """
    cursor, balance = definition.walk(), 0
    while cursor.node is None or cursor.node.type != "return_statement":
        if cursor.goto_first_child():
            continue
        balance += 1
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent() or balance == 0:
                return False
            balance -= 1
    return True


def _reachable(entry_point: bytes, definitions: Sequence[_Definition]) -> set[bytes | None]:
    """Names that the entry point mentions, and those that they mention, as far as they are defined here."""
    mentions = {definition.name: set(_identifiers(definition.node)) for definition in definitions}
    found: set[bytes | None] = {entry_point}
    waiting: list[bytes | None] = [entry_point]
    while waiting:
        new = mentions.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _identifiers(definition: Node) -> Iterator[bytes | None]:
    waiting = list(definition.children)
    while waiting:
        node = waiting.pop()
        if node.type == "identifier":
            yield node.text
        else:
            waiting += node.children
