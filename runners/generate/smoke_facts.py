"""What a smoke run found, kept as a fact of (engine image, GPU kind): a job on the same two need not find it again.

One JSON file per pair below the scratch folder, by model: ``<scratch>/smoke/<digest of the pair>.json``. An engine
without an image is known by its version, a machine without a GPU by the word ``cpu``.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...ingest import keys
from ...ingest.lake import replace_file
from ...slurm.gpus import driver_seen
from .engines import Engine
from .smoke import Smoke


def keep_fact(scratch: Path, engine: Engine, model: str, found: Smoke) -> Path:
    """Write (over an older one of this model) and say where."""
    image, gpu = _pair(engine)
    path = _path(scratch, image, gpu)
    document = {"image": image, "gpu": gpu, "models": {**_models(path), model: _fact(engine, found)}}
    replace_file(path, json.dumps(document, indent=1, sort_keys=True).encode("utf-8"))
    return path


def known_fact(scratch: Path, image: str, gpu: str | None, model: str) -> Mapping[str, Any] | None:
    """The last smoke run of ``model`` on that image (digest, or version where there is none) and GPU kind: its
    ``cells`` say ``is_ready`` by benchmark and scenario. None where there was none."""
    return _models(_path(scratch, image, gpu or "cpu")).get(model)


def _fact(engine: Engine, found: Smoke) -> dict[str, Any]:
    return {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "engine": engine.name,
        "engine_version": engine.version,
        "driver": _driver() if engine.gpu else "",
        "flags": None if engine.flags is None else dict(engine.flags),
        "abilities": None if found.abilities is None else found.abilities.as_json(),
        "cells": [cell.as_json() for cell in found.cells],
        "concurrency": found.steadiness.concurrency,
        "num_sequences": found.steadiness.num_compared,
        "num_sequences_differing": found.steadiness.num_differing,
        "is_ready": found.is_ready,
    }


def _driver() -> str:
    return next((gpu.driver for gpu in driver_seen().gpus), "")


def _pair(engine: Engine) -> tuple[str, str]:
    return engine.image_digest or engine.version or engine.endpoint.base_url, engine.gpu or "cpu"


def _path(scratch: Path, image: str, gpu: str) -> Path:
    return scratch / "smoke" / f"{keys.digest_of([image, gpu])[:16]}.json"


def _models(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["models"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
