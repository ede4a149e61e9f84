"""All that surrounds a score is the same bytes on another processor: fewer instructions, kernels of an old core."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any

import pytest

HASHED = """
import hashlib
import numpy as np, pyarrow as pa
from benchforge.macros.udfs_intervals import uncertainty

made = hashlib.sha256()
rng = np.random.default_rng(9)
for size, metrics in ((1, ["pass@1"]), (10, ["pass@1", "pass@5", "pass^5"]), (20, ["pass@1", "pass@10"])):
    for number in (7, 80, 164, 1055):
        shares = rng.beta(0.6, 0.4, (30, number))
        passes = rng.binomial(size, shares)
        counts = [np.bincount(row, minlength=size + 1).tolist() for row in passes]
        labels = [[f"c{place // 4}" for place in range(number)] if row % 2 else None for row in range(30)]
        whole = [row.tolist() if label else None for row, label in zip(passes, labels)]
        for metric in metrics:
            columns = (
                pa.array(counts, pa.list_(pa.int64())), pa.array(whole, pa.list_(pa.int64())),
                pa.array(labels, pa.list_(pa.string())),
                *(pa.array([value] * 30) for value in (size, metric, 1)),
            )
            made.update(repr(uncertainty(*(pa.chunked_array([column]) for column in columns)).to_pylist()).encode())
print(made.hexdigest())
"""


def test_an_older_processor_gives_the_same_bytes() -> None:
    numpy_core: Any = importlib.import_module("numpy._core._multiarray_umath")
    known = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__.get(name)]
    if not known:
        pytest.skip("numpy has no vector instructions here that could be turned off")
    older = {"NPY_DISABLE_CPU_FEATURES": " ".join(known), "OPENBLAS_CORETYPE": "Nehalem", "OMP_NUM_THREADS": "1"}
    here, there = (
        subprocess.run(
            [sys.executable, "-c", HASHED], env={**os.environ, **extra}, capture_output=True, check=True
        ).stdout
        for extra in ({}, older)
    )
    assert here == there and here
