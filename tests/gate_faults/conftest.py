"""One good run for all seeded faults, copied for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from made_run import good_run


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """To be read only."""
    return good_run(tmp_path_factory.mktemp("good") / "scratch")


@pytest.fixture
def run(good: Run, tmp_path: Path) -> Iterator[Run]:
    """A copy that a test may spoil."""
    root = tmp_path / "scratch" / "run"
    shutil.copytree(good.root, root)
    yield Run(root, Lake(root / "lake"))
    shutil.rmtree(root)
