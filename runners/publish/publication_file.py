"""``publication.json``: what a published folder holds, by name, size and digest, and under which layout.

Its ``content`` is one digest of all data files (cards and pictures apart, whose wording may change without a number
having moved). The tag of a revision is made of it, so equal content has the same tag, and the card of the leaderboard
can name the tag of the results before either is sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...ingest.errors import BadInput

NAME = "publication.json"
LAYOUT = 1
"""Number of the layout that docs/publication.md describes."""

_PROSE = re.compile(r"README\.md|pictures/.*|\.gitattributes")
_OURS = (
    r"README\.md",
    r"\.gitattributes",
    r"publication\.json",
    r"data/benchmark=[^/]+/model=[^/]+/part-(osi|other)-\d+\.parquet",
    r"(tasks|programs)/benchmark=[^/]+/part-\d+\.parquet",
    r"(timings|problem_means|regrades)/benchmark=[^/]+/model=[^/]+/part-\d+\.parquet",
    r"runs/part-\d+\.parquet",
    r"seeds/\w+\.csv",
    r"marts/\w+\.parquet",
    r"pictures/[\w-]+\.png",
    r"every_eval_ever/.+\.json",
)
_OF_THE_HUB = (".gitattributes", ".cache", ".huggingface")
"""What the Hub and its client put beside files."""
_OUR_NAME = re.compile("|".join(_OURS))
_OUR_CONFIG = re.compile(r"(\w+)/(?:fct_|dim_)?\1\.parquet")


@dataclass(frozen=True)
class Publication:
    """What ``publication.json`` says."""

    layout: int
    content: str
    files: Mapping[str, Mapping[str, Any]]
    """Path -> {bytes, sha256}."""
    benchforge: str

    @property
    def tag(self) -> str:
        return tag_of(self.content)


def tag_of(content: str) -> str:
    return f"data-{content[:12]}"


def write(folder: Path, **more: Any) -> Publication:
    """Describe every file of ``folder`` in ``folder/publication.json``; equal files give equal bytes."""
    files = {path: _facts(folder / path) for path in sorted(_paths(folder)) if path != NAME}
    found = Publication(LAYOUT, content_of(files), files, __version__)
    said = {"layout": LAYOUT, "benchforge": __version__, "content": found.content, **more, "files": files}
    (folder / NAME).write_text(json.dumps(said, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    return found


def read(folder: Path) -> Publication | None:
    """What a folder says of itself; None where it says nothing that this layout knows."""
    try:
        return parsed((folder / NAME).read_bytes())
    except OSError:
        return None


def parsed(text: bytes) -> Publication | None:
    """None for text that is no publication file of this layout."""
    try:
        said = json.loads(text)
        return Publication(said["layout"], said["content"], said["files"], said["benchforge"])
    except (ValueError, KeyError, TypeError):
        return None


def content_of(files: Mapping[str, Mapping[str, Any]]) -> str:
    """sha256 over name and digest of every data file, in order of the names."""
    lines = (f"{path}\t{facts['sha256']}\n" for path, facts in sorted(files.items()) if not _PROSE.fullmatch(path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def refuse_altered(folder: Path, *, is_deep: bool = True) -> Publication:
    """BadInput where a file is missing, was added, or is not as it was written; ``is_deep`` reads all bytes."""
    said = read(folder)
    if said is None:
        raise BadInput(f"{folder} has no {NAME} of this layout", "assemble it again with benchforge publish")
    found = {path for path in _paths(folder) if path != NAME}
    if odd := sorted(found ^ set(said.files)):
        what = "was added to" if odd[0] in found else "is missing from"
        raise BadInput(f"{odd[0]} {what} {folder}", "get or assemble the folder again")
    for path, facts in said.files.items():
        size = (folder / path).stat().st_size
        if size != facts["bytes"] or (is_deep and _sha256(folder / path) != facts["sha256"]):
            raise BadInput(f"{folder / path} is not as it was published", "get or assemble the folder again")
    return said


def is_ours(paths: Iterable[str]) -> bool:
    """Whether files lie where this layout puts them: so does what an upload left that broke off halfway."""
    return all(_OUR_NAME.fullmatch(path) or _OUR_CONFIG.fullmatch(path) for path in paths)


def _paths(folder: Path) -> Iterable[str]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return (path.as_posix() for path in files if path.parts[0] not in _OF_THE_HUB)


def _facts(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": _sha256(path)}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
