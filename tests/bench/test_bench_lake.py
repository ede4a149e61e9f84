"""The three ways to count a small lake agree; with ``make bench``: the ratios of ``lake.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lake
import lake_scripts
import synthetic_lake


def test_a_checksum_is_of_rows_and_not_of_their_order():
    rows = [("m", "b", "s", "base", "official", 1, 0, 3), ("m", "b", "s", "base", "official", 1, 1, 5)]
    assert lake_scripts.checksum(rows) == lake_scripts.checksum(rows[::-1])
    assert lake_scripts.checksum(rows) != lake_scripts.checksum([rows[0], (*rows[1][:-1], 6)])


@pytest.mark.slow
def test_the_marts_count_what_a_script_counts(tmp_path: Path):
    root, work = tmp_path / "lake", tmp_path / "work"
    work.mkdir()
    synthetic_lake.write(root, synthetic_lake.Layout(2, 3, with_timings=False))
    assert lake.in_process("prepare", root, work) == {"is_built": True}
    assert lake.in_process("marts", root, work)["checksum"] == lake_scripts.by_pandas(root)


@pytest.mark.skipif(not os.environ.get("BENCHFORGE_BENCH"), reason="minutes long: make bench")
def test_marts_over_lakes():
    subprocess.run([sys.executable, str(Path(__file__).parent / "lake.py")], check=True)
