"""A small simulation with a fixed seed on every run; all of it under ``make bench``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import overall as bench


def test_the_shown_interval_covers_where_the_usual_one_does_not():
    shown, usual = bench.coverage(bench.DESIGNS[1], 0.02, 1, 0.85, num_sets=300, seed=1)
    assert 0.92 <= shown <= 0.99
    assert usual < 0.9


@pytest.mark.skipif(not os.environ.get("BENCHFORGE_BENCH"), reason="BENCHFORGE_BENCH is not set: takes minutes")
def test_every_bar_holds():
    assert bench.main([]) == 0
