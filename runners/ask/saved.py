"""Saved questions: one file each in ``models/analyses``, plain SQL that any DuckDB client runs once its $names are set.

A file begins with comment lines: the question, then one line ``$name = default: what it means`` for each parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...ingest.errors import UsageError
from ...ingest.names import near

FOLDER = Path(__file__).parents[2] / "models" / "analyses"

_PARAMETER = re.compile(r"\$(\w+) = (.*?): (.+)")


@dataclass(frozen=True)
class Saved:
    """One saved question: its name, what it asks, its parameters with their defaults and meanings, its SQL."""

    name: str
    question: str
    defaults: Mapping[str, str]
    meanings: Mapping[str, str]
    query: str


def saved_questions() -> tuple[Saved, ...]:
    """All of them, by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.sql")))


def saved_question(name: str) -> Saved:
    """The one with this name; UsageError with the nearest otherwise."""
    path = FOLDER / f"{name}.sql"
    known = sorted(file.stem for file in FOLDER.glob("*.sql"))
    if name not in known:
        close = near(name, known, 2, cutoff=0.4)
        raise UsageError(
            f"there is no saved question {name}", f"nearest: {', '.join(close)}" if close else "benchforge sql --list"
        )
    return _read(path)


def with_defaults(saved: Saved, given: Mapping[str, str]) -> dict[str, str]:
    """Values of every parameter; UsageError for a name that the question does not have."""
    unknown = sorted(set(given) - set(saved.defaults))
    if unknown:
        raise UsageError(
            f"{saved.name} has no parameter {unknown[0]}", f"it has: {', '.join(saved.defaults) or 'no parameter'}"
        )
    return {**saved.defaults, **given}


def _read(path: Path) -> Saved:
    text = path.read_text()
    head = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    found = [match for line in head if (match := _PARAMETER.fullmatch(line))]
    question = " ".join(line for line in head if not _PARAMETER.fullmatch(line))
    return Saved(
        path.stem,
        question,
        {match[1]: match[2] for match in found},
        {match[1]: match[3] for match in found},
        text,
    )
