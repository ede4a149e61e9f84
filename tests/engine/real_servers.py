"""Real servers on loopback or a Unix socket, and the road through them: ``make test-engine``.

A server whose environment did not install is skipped with pip's last line as the reason.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

HERE, ROOT = Path(__file__).resolve().parent, Path(__file__).resolve().parents[2]
ENVIRONMENTS = os.environ.get("BENCHFORGE_ENGINES")
START_SECONDS = 300.0
CPU = {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}


def python_of(name: str) -> str:
    """Interpreter of an engine's environment, or a skip that says why there is none."""
    if not ENVIRONMENTS:
        pytest.skip("real engines are run by `make test-engine`")
    place = Path(ENVIRONMENTS) / name
    if not (place / ".installed").exists():
        failed = place / ".failed"
        reason = failed.read_text().strip() if failed.exists() else "it was not tried"
        pytest.skip(f"{name} did not install: {reason or 'see ' + str(place) + '.log'}")
    return str(place / "bin" / "python")


def made(python: str, form: str, folder: Path) -> Path:
    words = [python, str(HERE / "tiny_model.py"), form, str(folder)]
    subprocess.run(words, check=True, capture_output=True, timeout=START_SECONDS, env={**os.environ, **CPU})
    return folder


@contextmanager
def serving(words: list[str], log: Path) -> Iterator[str]:
    """Base address of a uvicorn server that was told port 0, as its log says it; ended by process group."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            words, stdout=stream, stderr=stream, start_new_session=True, env={**os.environ, **CPU}, cwd=log.parent
        )
    try:
        yield f"http://127.0.0.1:{_port(process, log)}/v1"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))):
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.1)
    return found[1]


@dataclass
class Road:
    """A run of its own: ``plan``, ``generate``, ``score``, ``aggregate`` as a user types them."""

    folder: Path

    def configure(self, run_file: str) -> None:
        (self.folder / "run.yaml").write_text(run_file)

    def command(self, name: str, *arguments: str, succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "benchforge", name, "--config", str(self.folder / "run.yaml")]
        words += ["--scratch", str(self.folder / "scratch"), *arguments]
        done = subprocess.run(
            words, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **CPU}, timeout=START_SECONDS * 2
        )
        assert not succeeds or done.returncode == 0, done.stderr[-3000:]
        assert "Traceback" not in done.stderr, done.stderr[-3000:]
        return done

    @property
    def run(self) -> Path:
        return self.folder / "scratch" / "engine"

    def samples(self, columns: str = "*") -> list[dict[str, Any]]:
        parts = f"{self.run}/lake/samples/**/*.parquet"
        order = "order by model, task_id, sample_index"
        table = duckdb.sql(f"select {columns} from read_parquet('{parts}', union_by_name = true) {order}")
        return table.to_arrow_table().to_pylist()

    def to_its_end(self) -> list[dict[str, Any]]:
        """Whatever the noise is worth: planned, asked, graded, built; the leaderboard's rows."""
        for name in ("generate", "score", "aggregate"):
            self.command(name)
        with duckdb.connect(str(self.run / "benchforge.duckdb"), read_only=True) as marts:
            return marts.sql("select * from leaderboard where test_set = 'base'").to_arrow_table().to_pylist()
