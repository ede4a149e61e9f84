"""Fixtures that every test may use. Nothing here needs the network, and nothing needs the shared data."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from benchforge.runners import aggregate
from benchforge.runners.online import OFFLINE_VARIABLES

ROOT = Path(__file__).resolve().parent.parent

# the same examples everywhere, however slow the machine: a failure here is one there
hypothesis.settings.register_profile("project", deadline=None, derandomize=True)
hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded public data beside the checkout; more tests run where it is there."""
    path = Path(os.environ.get("BENCHFORGE_SHARED") or ROOT.parent / "shared" / "data")
    if not (path / "MANIFEST.jsonl").exists():
        pytest.skip("shared data is not beside the checkout (set BENCHFORGE_SHARED to its folder)")
    return path


@pytest.fixture(scope="session")
def recorded_marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of the bundled lake: one build for all processes of a test run, to be read only."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "recorded_marts"
    folder.mkdir(exist_ok=True)
    path = folder / "benchforge.duckdb"
    with (folder.parent / "recorded_marts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            aggregate.build(None, path)
    return path


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads the user's settings or writes below the user's home."""
    for name in [name for name in os.environ if name.startswith("BENCHFORGE_") and name != "BENCHFORGE_SHARED"]:
        monkeypatch.delenv(name)
    for name in OFFLINE_VARIABLES:
        monkeypatch.setenv(name, "")  # noted, so that it is put back: commands that run here set them for good
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    yield
