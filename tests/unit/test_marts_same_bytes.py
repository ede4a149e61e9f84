"""One hash for each mart, however many threads build it and however the same rows lie in files."""

from __future__ import annotations

import importlib.util
import os
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from benchforge.ingest import schemas
from benchforge.ingest.lake import Lake
from benchforge.runners import aggregate
from benchforge.runners.compact import compact, planned

NUM_BUILDS = 20 if os.environ.get("BENCHFORGE_BENCH") else 4
THREADS = (1, 2, 4, 8)

Tables = dict[str, list[dict[str, Any]]]


def _synthetic_lake() -> ModuleType:
    path = Path(__file__).parents[1] / "bench" / "synthetic_lake.py"
    spec = importlib.util.spec_from_file_location("synthetic_lake", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Three models, two samples each, of five benchmarks: base and plus, contests, strata of equal scores."""
    made = _synthetic_lake()
    lake = Lake(made.write(tmp_path_factory.mktemp("made"), made.Layout(num_models=3, num_samples=2)))
    return {table: lake.read(table).to_pylist() for table in ("tasks", "samples", "results", "timings")}


def _written(root: Path, tables: Tables, seed: int) -> Path:
    """The rows shuffled over one to seven shards, every third lake compacted, some with dead parts beside."""
    lake, luck = Lake(root), random.Random(seed)
    for table, rows in tables.items():
        shuffled, num_shards = luck.sample(rows, len(rows)), luck.randint(1, 7)
        for number in range(num_shards):
            shard = f"s{number}"
            if seed % 2:
                lake.commit(shard, "score", lake.write_part(table, shuffled[:50], shard))
            lake.commit(shard, "score", lake.write_part(table, shuffled[number::num_shards], shard))
    if seed % 3 == 0:
        list(compact(root, planned(root)))
    return root


@pytest.mark.slow
def test_threads_rows_and_files_change_no_mart(tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(tables) <= set(schemas.TABLES)
    hashes: list[dict[str, str]] = []
    for number in range(NUM_BUILDS):
        threads = THREADS[number % len(THREADS)]
        monkeypatch.setenv("BENCHFORGE_DUCKDB_THREADS", str(threads))
        lake = _written(tmp_path / f"lake{number}", tables, seed=number)
        built = aggregate.build(lake, tmp_path / f"out{number}" / "benchforge.duckdb", num_threads=threads)
        assert len(built.headline) == 15
        hashes.append(aggregate.mart_hashes(built.path))
    differing = {mart for mart in hashes[0] if len({found[mart] for found in hashes}) > 1}
    assert not differing
