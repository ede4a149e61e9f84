"""Is this image the one that was recorded? Asked whenever a task starts, answered without reading gigabytes twice.

A record is the line of ``digests.yml`` (written by ``build.sh`` for images that are built from a definition) or the
file ``<image>.json`` beside the image (written by ``benchforge pull-image``). An image that differs from either is
refused: rows would name a digest that nobody can get again. One that nobody recorded is used, under its own digest.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..ingest.config import variable
from ..ingest.errors import BadInput
from ..ingest.file_digests import digest_of_file

RECORDED = Path(__file__).with_name("digests.yml")


@dataclass(frozen=True)
class Record:
    """``digest`` is the sha256 of the file; ``said_by`` the file that holds it."""

    digest: str
    said_by: Path
    fell_back_because: str = ""


def image_digest(path: Path) -> str:
    """``sha256:…`` of the file as it is now; known ones are kept by size, time of change and inode."""
    return f"sha256:{digest_of_file(path, kept_file(path))}"


def checked_digest(path: Path, recorded: Path = RECORDED) -> str:
    """The same, for an image that is about to be used. BadInput where a record says another digest."""
    found = image_digest(path)
    for record in records_of(path, recorded):
        if record.digest != found:
            raise BadInput(
                f"{path} is not the recorded image: its digest is {found[:19]}…, {record.said_by} says "
                f"{record.digest[:19]}…",
                f"put the recorded image back, or record this one: containers/build.sh --record {path}",
            )
    return found


def records_of(path: Path, recorded: Path = RECORDED) -> list[Record]:
    """What is recorded of an image. BadInput for a record that cannot be read: then nothing can be said."""
    beside = path.with_name(path.name + ".json")
    found = []
    if beside.is_file():
        row = _row(beside)
        found.append(Record(str(row.get("digest", "")), beside, str(row.get("fell_back_because", ""))))
    if digest := _listed(recorded).get(path.name):
        found.append(Record(f"sha256:{digest}", recorded))
    return found


def kept_file(path: Path) -> Path:
    """Where digests of this folder's images are kept: in it, or below the user's cache where that is not ours."""
    if os.access(path.parent, os.W_OK):
        return path.parent / ".benchforge-digests.jsonl"
    cache = variable("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "benchforge" / "image-digests.jsonl"


def _row(path: Path) -> dict[str, Any]:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        return row if isinstance(row, dict) else {}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is damaged", "remove it, then: benchforge pull-image") from error


def _listed(path: Path) -> dict[str, str]:
    """File name -> sha256, of ``digests.yml``; empty where that is not installed."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {str(name): str(digest) for name, digest in (document["images"] or {}).items()}
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is damaged", "restore it: git checkout containers/digests.yml") from error
