"""Every seeded fault of lakes, marts and publications by itself (``make bench``): all are caught; prints the table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "gate_faults" / "seeded_faults.py"


@pytest.mark.slow
@pytest.mark.skipif("BENCHFORGE_BENCH" not in os.environ, reason="make bench: checks marts once for each of 60 faults")
def test_every_seeded_fault_is_caught():
    done = subprocess.run([sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0
