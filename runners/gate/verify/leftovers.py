"""What ended processes left: harmless, but it hides what matters. Never the files of one that may still run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from ...generate.lease import LEFT_SECONDS, is_left
from .faults import Fault
from .place import Place
from .remedies import CutTail, Remove, RemoveFolder, end_of_lines, notes

_TEMPORARY = ("*.tmp", ".lease.*")
_SPILL = ".compact-*.spill"


def look_at_leftovers(place: Place) -> Iterator[Fault]:
    """Temporary files, leases of finished shards, torn last lines, and what was set aside before."""
    for root in _roots(place):
        yield from _temporary(root)
    for root in (place.lake.root, *([place.run.root] if place.run else [])):
        if told := notes(root):
            yield Fault("set_aside", "damaged/notes.jsonl", str(told[-1].get("why", "")), len(told), tuple(told))
    yield from _leases(place)
    yield from _torn(place)


def _roots(place: Place) -> list[Path]:
    """The lake, the run and the folder of staged problems; a folder inside another is looked through with it."""
    found = [place.lake.root, *([place.run.root] if place.run else []), *([place.datasets_root or place.lake.root])]
    return [root for root in dict.fromkeys(found) if root.is_dir() and not _is_inside_any(root, found)]


def _is_inside_any(root: Path, others: list[Path]) -> bool:
    return any(root != other and root.is_relative_to(other) for other in others)


def _temporary(root: Path) -> Iterator[Fault]:
    for pattern in _TEMPORARY:
        for path in sorted(root.rglob(pattern)):
            if path.is_file() and _is_old(path):
                name = path.relative_to(root).as_posix()
                yield Fault("temporary", name, "its writer was ended", remedies=(Remove(path),))
    for path in sorted(root.rglob(_SPILL)):
        if path.is_dir() and _is_old(path):
            remedies = (RemoveFolder(path),)
            yield Fault("temporary", path.relative_to(root).as_posix(), "its writer was ended", remedies=remedies)


def _leases(place: Place) -> Iterator[Fault]:
    if place.run is None:
        return
    for stage, lane in place.markers:
        lease = place.run.root / "gen" / lane / "lease"
        if stage == "generate" and is_left(lease):
            yield Fault("stale_lease", f"gen/{lane}/lease", "its holder was ended", remedies=(Remove(lease),))


def _torn(place: Place) -> Iterator[Fault]:
    for path, root in _appended(place):
        size = path.stat().st_size
        if size and _may_cut(path) and (end := end_of_lines(path)) < size:
            name = path.relative_to(root).as_posix()
            yield Fault("torn_line", name, f"{size - end} bytes after the last line", 1, (), (CutTail(root, path),))


def _may_cut(path: Path) -> bool:
    """Nobody is writing: a generation's lease says so, other files have to be old."""
    lease = path.parent / "lease"
    if path.parent.parent.name == "gen" and (not lease.exists() or is_left(lease)):
        return True
    return _is_old(path)


def _appended(place: Place) -> Iterator[tuple[Path, Path]]:
    """Files that are appended to line by line, each with the root that it belongs to."""
    for path in sorted((place.lake.root / "_live").rglob("*.jsonl")):
        yield path, place.lake.root
    if place.run is not None:
        for pattern in ("shards/*.jsonl", "gen/*/*.jsonl", "score/*/*.jsonl", "manifests/*.committed"):
            for path in sorted(place.run.root.glob(pattern)):
                yield path, place.run.root


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > LEFT_SECONDS
    except FileNotFoundError:
        return False
