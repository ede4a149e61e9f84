"""From which raw columns each column of a mart is made: read off the compiled SQL, never off a build.

``make lineage`` writes ``docs/lineage.csv``; a test proves that the file is current, that every model of both engines
parses, and that no column of a mart stands without a raw source. A staging model is one to one with its table, so its
columns are the raw ones. A count of rows comes from ``*`` of the tables it counts.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

Scope = Any
"""sqlglot's, whose declared types know no list of columns."""
Raw = tuple[str, str]
"""(table, column): ``lake.results``, ``official_base_verdict``."""
_INLINED = "__dbt__cte__"
"""How dbt calls a model that is no relation of its own: staging on Spark."""


class Lineage:
    """Column lineage of one compiled project. ``dialect`` is sqlglot's name of the engine."""

    def __init__(self, manifest: Mapping[str, Any], dialect: str) -> None:
        self._dialect = dialect
        self._nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
        self._columns: dict[str, list[str]] = {}
        self._scopes: dict[str, Scope] = {}
        self._found: dict[tuple[int, str], frozenset[Raw]] = {}

    @cached_property
    def marts(self) -> list[str]:
        return sorted(name for name, node in self._nodes.items() if "marts" in node["fqn"])

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(mart, column, raw columns as one text) for every column of every mart, in order."""
        for mart in self.marts:
            for column in self.columns(mart):
                raw = sorted(self.sources(mart, column))
                yield mart, column, " ".join(f"{table}.{name}" for table, name in raw)

    def columns(self, model: str) -> list[str]:
        """Columns of a model in order, from its SQL."""
        if model not in self._columns:
            select = self._renamed(model) if model.startswith("stg_") else self._scope(model).expression
            self._columns[model] = [item.alias_or_name for item in select.selects]
        return self._columns[model]

    def sources(self, model: str, column: str) -> frozenset[Raw]:
        """Raw columns behind a column; empty for what is a constant."""
        if model.startswith("stg_"):
            table = model.removeprefix("stg_").replace("__", ".", 1)
            return frozenset((table, name) for name in self._raw_names(model, column))
        return self._of_scope(self._scope(model), column)

    def _scope(self, model: str) -> Scope:
        if model not in self._scopes:
            from sqlglot.optimizer.qualify import qualify
            from sqlglot.optimizer.scope import build_scope

            tree = self._tree(model)
            schema: Any = {name: dict.fromkeys(self.columns(name), "unknown") for name in self._parents(model)}
            tree = qualify(tree, schema=schema, dialect=self._dialect, validate_qualify_columns=False, identify=False)
            self._scopes[model] = build_scope(tree)
        return self._scopes[model]

    def _renamed(self, model: str) -> Any:
        """The select of a staging model that lists its columns."""
        from sqlglot import exp

        (select,) = (cte.this for cte in self._tree(model).find_all(exp.CTE) if cte.alias == "renamed")
        return select

    def _raw_names(self, model: str, column: str) -> set[str]:
        """What a column of a staging model is called in its table; ``*`` stands for its rows."""
        from sqlglot import exp

        items = (item for item in self._renamed(model).selects if item.alias_or_name == column)
        return {found.name for item in items for found in item.find_all(exp.Column)} or {column}

    def _tree(self, model: str) -> Any:
        """The parsed SQL, tables by their bare names: layers are schemas, and names are unique."""
        import sqlglot
        from sqlglot import exp

        tree = sqlglot.parse_one(self._nodes[model]["compiled_code"], dialect=self._dialect)
        for inlined in [cte for cte in tree.find_all(exp.CTE) if cte.alias.startswith(_INLINED)]:
            inlined.pop()
        for table in tree.find_all(exp.Table):
            table.set("this", exp.to_identifier(table.name.removeprefix(_INLINED)))
            if table.name in self._nodes:
                table.set("db", None)
                table.set("catalog", None)
        return tree

    def _parents(self, model: str) -> list[str]:
        return [
            name
            for unique in self._nodes[model]["depends_on"]["nodes"]
            if (name := unique.split(".")[-1]) in self._nodes
        ]

    def _of_scope(self, scope: Scope, column: str) -> frozenset[Raw]:
        key = (id(scope), column)
        if key not in self._found:
            self._found[key] = frozenset()  # a recursive relation adds nothing to itself
            self._found[key] = frozenset(self._made_of(scope, column))
        return self._found[key]

    def _made_of(self, scope: Scope, column: str) -> Iterator[Raw]:
        from sqlglot import exp

        if scope.set_operation_scopes:
            position = [item.alias_or_name for item in scope.expression.selects].index(column)
            for branch in scope.set_operation_scopes:
                yield from self._of_scope(branch, branch.expression.selects[position].alias_or_name)
            return
        (item,) = (item for item in scope.expression.selects if item.alias_or_name == column)
        columns = [found for found in item.find_all(exp.Column) if found.table in scope.sources]
        raw = [self._of_source(scope.sources[found.table], found.name) for found in columns]
        yield from frozenset().union(*raw)
        if not any(raw) and item.find(exp.AggFunc, exp.Window):  # what is counted are rows
            for source in scope.sources.values():
                yield from self._of_rows(source)

    def _of_source(self, source: Any, column: str) -> frozenset[Raw]:
        from sqlglot import exp

        return self.sources(source.name, column) if isinstance(source, exp.Table) else self._of_scope(source, column)

    def _of_rows(self, source: Any) -> frozenset[Raw]:
        """Tables whose rows are counted."""
        from sqlglot import exp

        if isinstance(source, exp.Table) and source.name.startswith("stg_"):
            return self.sources(source.name, "*")
        if isinstance(source, exp.Table):
            return self._of_rows(self._scope(source.name)) if source.name in self._nodes else frozenset()
        key = (id(source), "*")
        if key not in self._found:
            self._found[key] = frozenset()
            inner = (*source.sources.values(), *source.set_operation_scopes)
            self._found[key] = frozenset().union(*map(self._of_rows, inner))
        return self._found[key]


def write(manifest: Path, path: Path) -> None:
    """``path`` as CSV from a compiled project's ``manifest.json``."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("mart", "column", "raw_columns"))
        writer.writerows(Lineage(json.loads(manifest.read_text(encoding="utf-8")), "duckdb").rows())


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]), Path(sys.argv[2]))
