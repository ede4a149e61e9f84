"""An older file of marts to compare a new build with, and what ``fct_build_diff`` found."""

from __future__ import annotations

from pathlib import Path

from ..ingest.errors import BadInput, UsageError
from .aggregate import marts_of, opened

COMPARED = ("leaderboard", "fct_task_scores", "fct_refusals")
"""Marts that an older file must hold."""


def checked(path: Path) -> Path:
    """The path, where marts can be read. Raises UsageError for no file, BadInput for one that is no file of marts."""
    import duckdb

    if not path.is_file():
        raise UsageError(f"there is no file of marts at {path}", "name one that benchforge aggregate made")
    try:
        with opened(path) as connection:
            missing = sorted(set(COMPARED) - set(marts_of(connection)))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} cannot be read as a file of marts: {reason}", "name another file") from error
    if missing:
        raise BadInput(f"{path} holds no {missing[0]}", "build it again with benchforge aggregate")
    return path


def found(path: Path) -> dict[str, int]:
    """Kind of change -> rows of ``fct_build_diff`` in the file, and ``unexplained`` -> numbers that no row moved."""
    query = (
        "select change, count(*) from fct_build_diff group by change union all "
        "select 'unexplained', count(*) from fct_build_diff where cause = 'unexplained' order by 1"
    )
    with opened(path) as connection:
        return dict(connection.execute(query).fetchall())


def sentence(found: dict[str, int]) -> str:
    """What changed, in one line."""
    words = [f"{number} {change.replace('_', ' ')}" for change, number in sorted(found.items()) if number]
    return ", ".join(words) if words else "nothing moved"
