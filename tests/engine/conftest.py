"""Models of random weights and runs of one's own, for the tests on real servers: ``make test-engine``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from real_servers import Road, made, python_of


@pytest.fixture(scope="session")
def tiny_hf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a checkpoint of random weights."""
    return made(python_of("vllm"), "hf", tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(python_of("llama"), "gguf", tmp_path_factory.mktemp("weights") / "gguf") / "tiny.gguf"


@pytest.fixture
def road(tmp_path: Path) -> Callable[..., Road]:
    def begun(run_file: str, *plan: str) -> Road:
        road = Road(tmp_path)
        road.configure(run_file)
        road.command("plan", *plan)
        return road

    return begun
