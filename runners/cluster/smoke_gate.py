"""No array of a hundred tasks before one job has shown that this image answers rightly on this kind of GPU."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...ingest.config import Settings
from ...ingest.errors import Incomplete
from ..generate.engines.image import find_image
from .submitting import wanted_of


def refuse_without_smoke(settings: Settings, models: Iterable[str]) -> None:
    """Incomplete where a model has no passed smoke run of the image that would be used, on the GPU kind wanted.

    Only our own engine is asked for one: what an endpoint runs on is nothing that a job here changes.
    """
    if settings["engine.name"] != "vllm":
        return
    image = find_image(settings)
    facts = list(smoke_facts(settings.scratch / "smoke"))
    usable = [fact for fact in facts if _is_of(fact, image.digest if image else None, wanted_of(settings).gpu_type)]
    missing = sorted({model for model in models if not any(_is_ready(fact, model) for fact in usable)})
    if missing:
        raise Incomplete(
            f"{', '.join(missing)}: no smoke run has passed with this image on {settings['compute.gres']}",
            "benchforge submit smoke, or --force",
        )


def smoke_facts(folder: Path) -> Iterable[Mapping[str, Any]]:
    """One document per engine image and GPU kind; what is no such document is skipped."""
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(document, dict) and isinstance(document.get("models"), dict):
            yield document


def _is_of(fact: Mapping[str, Any], digest: str | None, gpu_type: str) -> bool:
    """The site calls a GPU ``pro6000``, its driver ``NVIDIA RTX PRO 6000 …``: letters and digits are compared.

    Without an image (an installed vLLM) the engine's version is not known here, so any smoke run on the GPU counts.
    """
    name = _letters(str(fact.get("gpu", "")))
    return name != "cpu" and _letters(gpu_type) in name and digest in (None, fact.get("image"))


def _is_ready(fact: Mapping[str, Any], model: str) -> bool:
    return bool(fact["models"].get(model, {}).get("is_ready"))


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
