"""A passed smoke run of this image on this kind of GPU comes before any array."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import Incomplete
from benchforge.runners.cluster import smoke_gate
from benchforge.runners.generate.engines.image import Image

MODEL = "lab__coder"


def settings_at(folder: Path, engine: str = "vllm") -> Settings:
    environment = {"HOME": str(folder), "BENCHFORGE_SCRATCH": str(folder), "BENCHFORGE_GRES": "gpu:pro6000"}
    return load_settings({"engine.name": engine}, None, environment)


def passed(folder: Path, gpu: str, image: str = "sha256:a", is_ready: bool = True) -> None:
    (folder / "smoke").mkdir(exist_ok=True)
    document = {"image": image, "gpu": gpu, "models": {MODEL: {"is_ready": is_ready}}}
    (folder / "smoke" / f"{len(list((folder / 'smoke').iterdir()))}.json").write_text(json.dumps(document))


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Known(Image):
        digest = "sha256:a"  # type: ignore[assignment]

    monkeypatch.setattr(smoke_gate, "find_image", lambda settings: Known(tmp_path / "x.sif"))


def test_nothing_was_tried_yet(tmp_path: Path, image: None):
    with pytest.raises(Incomplete, match="lab__coder: no smoke run has passed with this image on gpu:pro6000"):
        smoke_gate.refuse_without_smoke(settings_at(tmp_path), [MODEL])


@pytest.mark.parametrize(
    ("gpu", "digest", "is_ready"),
    [
        ("NVIDIA A40", "sha256:a", True),
        ("cpu", "sha256:a", True),
        ("NVIDIA RTX PRO 6000 Blackwell", "sha256:b", True),
        ("NVIDIA RTX PRO 6000 Blackwell", "sha256:a", False),
    ],
)
def test_another_gpu_image_or_outcome_does_not_count(
    tmp_path: Path, image: None, gpu: str, digest: str, is_ready: bool
):
    passed(tmp_path, gpu, digest, is_ready)
    with pytest.raises(Incomplete):
        smoke_gate.refuse_without_smoke(settings_at(tmp_path), [MODEL])


def test_the_same_image_on_the_same_kind_of_gpu_counts(tmp_path: Path, image: None):
    passed(tmp_path, "NVIDIA RTX PRO 6000 Blackwell")
    smoke_gate.refuse_without_smoke(settings_at(tmp_path), [MODEL])
    with pytest.raises(Incomplete, match="lab__other"):
        smoke_gate.refuse_without_smoke(settings_at(tmp_path), [MODEL, "lab__other"])


def test_an_endpoint_needs_none(tmp_path: Path):
    smoke_gate.refuse_without_smoke(settings_at(tmp_path, "endpoint"), [MODEL])
