"""Staged problem files: JSON lines, digest checked before the first problem is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import keys
from ..errors import BadInput
from .declaration import Version


def problems(directory: Path, version: Version, required: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Problems of a version with one artifact, in file order.

    Raises BadInput when the file is not the pinned one, or lacks a field that the benchmark reads.
    """
    artifact = version.artifacts[0]
    path = directory / artifact.name
    hint = f"remove {path} and stage it again"
    if not path.is_file():
        raise BadInput(f"{path} is missing", hint)
    if artifact.sha256 and keys.sha256_file(path) != artifact.sha256:
        raise BadInput(f"{path} is not the pinned {version.name}: its sha256 differs", hint)
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _problem(path, number, line, required)


def _problem(path: Path, number: int, line: str, required: frozenset[str]) -> dict[str, Any]:
    problem = json.loads(line)
    missing = sorted(required - set(problem))
    if missing:
        raise BadInput(f"{path}: line {number} lacks {', '.join(missing)}", "take the file of the pinned release")
    return problem
