"""A lake on the Hub, ``hf://datasets/<namespace>/<name>[@<revision>]``, as a folder on this disk.

Files come through the Hub's own cache, so a second build of a revision downloads nothing. What arrived is held against
``publication.json``: of a revision that was just being written, or that somebody touched, nothing is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...ingest.errors import BadInput, BenchforgeError, UsageError
from . import publication_file
from .hub import Repository, api_of, patiently
from .terms import SEEDS

SCHEME = "hf://"
_PLACE = re.compile(r"hf://datasets/(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^@/]+(?:/[^@/]+)*))?/?")


@dataclass(frozen=True)
class Snapshot:
    """One revision on this disk."""

    folder: Path
    publication: publication_file.Publication


def is_remote(place: str) -> bool:
    return place.startswith(SCHEME)


def fetched(place: str) -> Snapshot:
    """The revision that ``place`` names (none: the newest). Raises UsageError for a place that is none, BadInput where
    it holds no publication of this layout or not all of it, Incomplete where the Hub is out of order."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(
            f"{place} names no data set", "write hf://datasets/NAMESPACE/NAME, with @REVISION for one of them"
        )
    folder = downloaded(Repository(found["name"], "dataset"), found["revision"])
    if publication_file.read(folder) is None:
        raise BadInput(
            f"{place} holds no publication of this layout",
            "benchforge import older-publication, for a first run's results",
        )
    said = publication_file.refuse_altered(folder)
    if said.layout != publication_file.LAYOUT:
        raise BadInput(
            f"{place} has layout {said.layout}, and this is for {publication_file.LAYOUT}",
            "install the newer benchForge",
        )
    return Snapshot(folder, said)


def downloaded(repository: Repository, revision: str | None, patterns: list[str] | None = None) -> Path:
    """Folder of a revision in the Hub's cache."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    api = api_of()
    try:
        path = patiently(
            lambda: api.snapshot_download(
                repository.name, repo_type=repository.kind, revision=revision, allow_patterns=patterns
            ),
            repository,
        )
    except RepositoryNotFoundError:
        raise BadInput(
            f"there is no data set {repository.name}, or it is private", "hf auth login, if it is private"
        ) from None
    except RevisionNotFoundError:
        raise BadInput(f"{repository.name} has no revision {revision}", "leave @REVISION out for the newest") from None
    if not isinstance(path, str):
        raise BenchforgeError(f"{repository.name} was not downloaded", "run the same command again")
    return Path(path)


def seeds_that_differ(lake: Path) -> tuple[str, ...]:
    """Seeds that lie beside a published lake and are not those of this installation, by which its marts are built."""
    ours = {path.name: path.read_bytes() for path in SEEDS.glob("*.csv")}
    theirs = {path.name: path.read_bytes() for path in (lake / "seeds").glob("*.csv")}
    return tuple(sorted(name for name in theirs if theirs[name] != ours.get(name)))
