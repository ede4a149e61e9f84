"""The folder of a report: which one may be replaced, and how the new one takes its place.

The new report is written beside its place and takes it by a rename, so whoever looks sees the old one or the new one.
Where the second of the two renames fails, the first is undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ....ingest.errors import UsageError
from ...folders import Folder, remove_left

MARK = "report.json"
"""In every report: what tells it from a folder of the user's."""
LAYOUT = 1


@contextmanager
def written_beside(place: Path) -> Iterator[Path]:
    """An empty folder; it becomes ``place`` when the block ends well, and is removed when it does not.

    Raises UsageError where ``place`` is something else than a report or an empty folder, before anything is written.
    """
    place = _by_name(place.expanduser())
    refuse_other_folders(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    remove_left(place.parent)
    with Folder("report-", inside=place.parent) as workshop:
        new = workshop / "new"
        new.mkdir()
        yield new
        refuse_other_folders(place)
        _take_place(new, place, workshop / "old")


def _by_name(place: Path) -> Path:
    """``x/..`` has no name that a rename could take; a link keeps its own, to be refused."""
    return place.resolve() if place.name in ("", "..") else place.absolute()


def refuse_other_folders(place: Path) -> None:
    """Raise UsageError unless ``place`` is free, an empty folder, or a report."""
    if not place.exists() and not place.is_symlink():
        return
    if place.is_symlink() or not place.is_dir():
        raise UsageError(f"{place} is no folder of a report", "give a new folder with --output DIR")
    if any(place.iterdir()) and not is_report(place):
        raise UsageError(f"{place} holds something else than a report", "give a new or an empty folder: --output DIR")


def is_report(place: Path) -> bool:
    """Whether a folder was written by ``benchforge report``: its mark says so."""
    try:
        said = json.loads((place / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("kind") == "benchforge report"


def _take_place(new: Path, place: Path, old: Path) -> None:
    had_one = place.exists()
    if had_one:
        place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        if had_one and not place.exists():
            old.rename(place)
        raise
