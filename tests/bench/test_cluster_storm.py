"""The full storm on a virtual cluster; ``make bench`` runs it where slurm-wlm is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import cluster_storm
from virtual_cluster import missing_programs

IS_BENCH = bool(os.environ.get("BENCHFORGE_BENCH"))


@pytest.mark.slow
@pytest.mark.skipif(not IS_BENCH, reason="fifteen minutes: make bench")
@pytest.mark.skipif(bool(missing_programs()), reason="slurmctld is missing: apt-get install slurm-wlm")
def test_a_stormy_run_ends_in_the_marts_of_a_calm_one(tmp_path: Path):
    calm, stormy = cluster_storm.storm_outcomes(tmp_path, seed=0)
    print("\n" + cluster_storm.table(calm, stormy))
    noticed = stormy.causes["preempted"] + stormy.causes["notice"]
    assert noticed >= cluster_storm.PREEMPTIONS + cluster_storm.NOTICES
    assert stormy.happened["node lost"] == cluster_storm.NODE_LOSSES and stormy.causes["node_fail"] >= 2
    assert stormy.happened["timed out"] >= cluster_storm.TIME_OUTS
    assert stormy.causes["time_limit"] >= cluster_storm.TIME_OUTS
    assert stormy.causes["done"] == calm.causes["done"] == cluster_storm.SHARDS
    assert stormy.most_unfinished <= cluster_storm.MAX_REQUEUES
    assert 0 < stormy.gpu_hours < cluster_storm.BUDGET_HOURS
