"""Nothing lost, nothing twice: a tenth of the storm of kills that ``make bench`` runs, with a recorded seed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

STORM = Path(__file__).resolve().parents[1] / "loopback" / "storm.py"
SEED, KILLS, MODELS = 20261121, 50, 5
"""2,100 samples; another seed is another storm."""


def storm(folder: Path, seed: int, num_kills: int, num_models: int, timeout_seconds: float) -> dict[str, Any]:
    """What the storm says of itself; everything that it started has ended."""
    words = [sys.executable, str(STORM), str(folder), str(seed), str(num_kills), str(num_models)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said, talk = process.communicate(timeout=timeout_seconds)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == 0, talk[-3000:]
    return json.loads(said)


@pytest.mark.slow
def test_a_storm_of_kills_leaves_exactly_the_planned_rows(tmp_path: Path):
    found = storm(tmp_path, SEED, KILLS, MODELS, timeout_seconds=900)
    assert found["num_kills"] == KILLS
    assert found["num_in_vain"] < KILLS, "kills that find a client at work are what this is about"
    assert found["num_samples"] == found["num_sealed"] == found["num_planned"]
    assert found["lives_above_in_flight"] == 0, "more was asked for twice than was in flight"
