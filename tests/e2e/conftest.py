"""One run of the whole road, shared by the tests that look at its end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "ingest" / "bundled" / "demo.yaml"
Command = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Road:
    """Where the demo ran, and what it said."""

    scratch: Path
    stdout: str
    stderr: str

    @property
    def lake(self) -> Path:
        return self.scratch / "demo" / "lake"

    @property
    def marts(self) -> Path:
        return self.scratch / "demo" / "benchforge.duckdb"


def command(*arguments: str, timeout_seconds: float = 240, **more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "benchforge", *arguments]
    return subprocess.run(
        words, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **more}, timeout=timeout_seconds
    )


@pytest.fixture(scope="session")
def benchforge() -> Command:
    return command


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    scratch = tmp_path_factory.mktemp("road")
    done = command("demo", "--scratch", str(scratch), HOME=str(scratch))
    assert done.returncode == 0, done.stderr
    return Road(scratch, done.stdout, done.stderr)
