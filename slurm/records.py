"""``Key=Value`` lines of ``scontrol -o show …`` and the small texts inside them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

_KEY = re.compile(r"(?:^|(?<=\s))([A-Za-z][\w:/]*)=")
_UNSET = ("", "(null)", "N/A", "n/a", "None", "none", "NONE", "Unknown", "NOT_SET")


def records(text: str) -> Iterator[dict[str, str]]:
    """One dict per line that holds any key."""
    for line in text.splitlines():
        if found := fields(line):
            yield found


def fields(line: str) -> dict[str, str]:
    """Keys in front of ``=`` after a blank; values may hold blanks (``Reason=``) and ``=`` (``CfgTRES=cpu=16``)."""
    parts = _KEY.split(line)  # what stands before the first key, then key, value, key, value …
    return {key: value.strip() for key, value in zip(parts[1::2], parts[2::2], strict=True)}


def columns(text: str, names: tuple[str, ...], separator: str = "|") -> Iterator[dict[str, str]]:
    """Rows of a listing; a line with another number of columns (a warning, a banner) is no row."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(separator)]
        if len(cells) == len(names):
            yield dict(zip(names, cells, strict=True))


def given(text: str | None) -> str | None:
    """None for the many spellings of nothing."""
    return None if text is None or text in _UNSET else text


def duration_seconds(text: str) -> int | None:
    """``1-02:03:04``, ``02:03:04``, ``03:04``, ``90`` (minutes) -> seconds; None for UNLIMITED and the like.

    The spellings of sbatch's ``--time`` (sbatch(1)): without a colon or a dash the number is minutes.
    """
    match = re.fullmatch(r"(?:(\d+)-)?(\d+(?::\d+){0,2})", text.strip())
    if match is None:
        return None
    numbers = [int(part) for part in match[2].split(":")]
    if match[1] is not None:  # D-HH[:MM[:SS]]
        hours, minutes, seconds = [*numbers, 0, 0][:3]
        return int(match[1]) * 86400 + hours * 3600 + minutes * 60 + seconds
    hours, minutes, seconds = {1: [0, *numbers, 0], 2: [0, *numbers], 3: numbers}[len(numbers)]
    return hours * 3600 + minutes * 60 + seconds


def moment(text: str | None) -> datetime.datetime | None:
    """SLURM's local time without a zone; None where it says N/A, Unknown or NONE."""
    try:
        return datetime.datetime.fromisoformat(text or "")
    except ValueError:
        return None
