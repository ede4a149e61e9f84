"""Names that people type: which known one is nearest. Every "did you mean" of the project is asked here."""

from __future__ import annotations

from collections.abc import Iterable

CUTOFF = 0.5
"""Least similarity (``difflib``'s ratio) of a guess: below it a list of what is known helps more."""


def near(word: str, known: Iterable[str], number: int = 1, cutoff: float = CUTOFF) -> list[str]:
    """Up to ``number`` names that are spelled most like ``word``, in any case; nearest first."""
    import difflib

    spelled = {name.lower(): name for name in known}
    return [spelled[name] for name in difflib.get_close_matches(word.lower(), spelled, n=number, cutoff=cutoff)]


def did_you_mean(word: str, known: Iterable[str], cutoff: float = CUTOFF) -> str:
    """``; did you mean score?``, to end an error sentence with; empty where nothing is near."""
    found = near(word, known, cutoff=cutoff)
    return f"; did you mean {found[0]}?" if found else ""


def meant_or_known(word: str, known: Iterable[str]) -> str:
    """``; did you mean score?``, else ``; known are …``."""
    listed = list(known)
    return did_you_mean(word, listed) or f"; known are {', '.join(listed) or 'none'}"
