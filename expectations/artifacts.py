"""What is checked, as it was declared elsewhere: lake tables in ``ingest.schemas``, marts in the project's YAML files.

Nothing is stated here a second time: columns, types, keys, words and check constraints are read from where the writers
and dbt read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ..ingest import schemas

PROJECT = Path(__file__).resolve().parent.parent

Kind = Literal["lake", "mart", "seed"]

_WORDS_OF_MARTS = ("origin", "trust_tier", "kind", "sandbox_mode")
"""Columns that mean in a mart what they mean in the lake; other names (``verdict``, ``reason``) have another sense."""
_SAYS_ALL = frozenset({"fct_refusals", "fct_build_diff"})
"""Marts whose rows may be about every origin: ``all`` stands there then."""
_SPELLINGS = {"STRING": "VARCHAR", "INT": "INTEGER"}


@dataclass(frozen=True)
class Artifact:
    """One table that leaves the house, or that one which leaves is made of. ``columns``: name -> DuckDB type."""

    name: str
    kind: Kind
    columns: Mapping[str, str]
    required: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column -> the only values it may hold (NULL apart)."""
    checks: tuple[str, ...] = ()
    """SQL conditions that hold of every row, unless they are NULL."""

    @property
    def relation(self) -> str:
        """Under which name the gate's connection shows it."""
        return f"gate_{'lake' if self.kind == 'lake' else 'marts'}.{self.name}"

    def of_type(self, *types: str) -> tuple[str, ...]:
        return tuple(name for name, found in self.columns.items() if found in types)


@cache
def artifacts() -> Mapping[str, Artifact]:
    """Name -> artifact: lake tables, then seeds (``seed_…``), then marts."""
    found = (*_lake_tables(), *_seeds(), *_marts())
    return {artifact.name: artifact for artifact in found}


def _lake_tables() -> Iterator[Artifact]:
    for table in schemas.TABLES.values():
        yield Artifact(
            table.name,
            "lake",
            {column.name: schemas.TYPES[column.type] for column in table.columns},
            table.required(),
            table.key,
            {name: schemas.VOCABULARIES[name] for name in table.column_names() if name in schemas.VOCABULARIES},
        )


def _seeds() -> Iterator[Artifact]:
    for seed in _declared(PROJECT / "seeds", "seeds"):
        types = seed.get("config", {}).get("column_types", {})
        yield Artifact(f"seed_{seed['name']}", "seed", {name: _type(text) for name, text in types.items()})


def _marts() -> Iterator[Artifact]:
    for mart in _declared(PROJECT / "models" / "marts", "models"):
        columns = mart["columns"]
        constraints = mart.get("constraints", [])
        yield Artifact(
            mart["name"],
            "mart",
            {column["name"]: _type(column["data_type"]) for column in columns},
            tuple(column["name"] for column in columns if _is_required(column)),
            _key(constraints, mart.get("data_tests") or []),
            {name: words for name, words in map(_words, columns) if words and _is_closed(mart["name"], name)},
            tuple(one["expression"] for one in constraints if one["type"] == "check"),
        )


def _declared(folder: Path, what: str) -> Iterator[Mapping[str, Any]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # twenty times as fast, where libyaml is there
    for path in sorted(folder.glob("*.yml")):
        for entry in (yaml.load(path.read_text(encoding="utf-8"), loader) or {}).get(what) or []:
            if what == "seeds" or "columns" in entry:
                yield entry


def _type(text: str) -> str:
    spelled = re.sub(r"\s", "", text).upper()
    return _SPELLINGS.get(spelled, spelled)


def _is_required(column: Mapping[str, Any]) -> bool:
    return any(constraint["type"] == "not_null" for constraint in column.get("constraints", []))


def _key(constraints: Sequence[Mapping[str, Any]], tests: Sequence[Any]) -> tuple[str, ...]:
    """Of the primary key, else of the data test that stands in for one where a key column may be NULL."""
    for constraint in constraints:
        if constraint["type"] == "primary_key":
            return tuple(constraint["columns"])
    for test in tests:
        if isinstance(test, dict) and "one_row_per" in test:
            return tuple(test["one_row_per"]["arguments"]["columns"])
    return ()


def _is_closed(mart: str, column: str) -> bool:
    return not (mart in _SAYS_ALL and column in _WORDS_OF_MARTS)


def _words(column: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    for test in column.get("data_tests", []):
        if isinstance(test, dict) and "accepted_values" in test:
            return column["name"], tuple(map(str, test["accepted_values"]["arguments"]["values"]))
    known = schemas.VOCABULARIES.get(column["name"], ()) if column["name"] in _WORDS_OF_MARTS else ()
    return column["name"], known
