"""All that surrounds a score, as one Arrow function over histograms: a vector of cells goes in, a vector comes out.

Cells of equal n and metric are computed together (:mod:`intervals`, :mod:`bootstrap`, :mod:`noise`); nothing is looked
at problem by problem but the clusters of clustered designs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # at the top: DuckDB evaluates the annotations of a function it registers
from numpy.typing import NDArray

from . import intervals, noise
from .bootstrap import bootstraps
from .functions import ArrowFunction
from .metrics import Metric, ScoreLattice
from .resampling import SEED

ARGUMENTS = ["BIGINT[]", "BIGINT[]", "VARCHAR[]", "BIGINT", "VARCHAR", "BIGINT"]
FIELDS = {
    "bootstrap_low": "DOUBLE",
    "bootstrap_high": "DOUBLE",
    "bootstrap_method": "VARCHAR",
    "bootstrap_seed": "BIGINT",
    "bootstrap_resamples": "BIGINT",
    "interval_low": "DOUBLE",
    "interval_high": "DOUBLE",
    "interval_method": "VARCHAR",
    "design_effect": "DOUBLE",
    "num_clusters": "BIGINT",
    "new_samples_low": "DOUBLE",
    "new_samples_high": "DOUBLE",
    "se_total": "DOUBLE",
    "se_prediction": "DOUBLE",
    "se_data": "DOUBLE",
    "variance_data": "DOUBLE",
    "flags": "VARCHAR[]",
}
RETURNS = f"STRUCT({', '.join(f'{name} {type_}' for name, type_ in FIELDS.items())})"
FLAGS = ("data_noise_below_zero", *intervals.FLAGS[:2], "not_estimable", *intervals.FLAGS[2:])
"""In alphabetical order, as the marts show them."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Lists:
    """A list column as a buffer: row i is ``values[starts[i]:starts[i] + lengths[i]]``, length -1 where it is NULL."""

    values: NDArray[Any]
    starts: Rows
    lengths: Rows

    def row(self, row: int) -> NDArray[Any]:
        return self.values[self.starts[row] : self.starts[row] + self.lengths[row]]

    def matrix(self, rows: Rows, width: int) -> NDArray[Any]:
        """Rows of one length, shape (M, width)."""
        return self.values[self.starts[rows][:, None] + np.arange(width)]


def uncertainty(
    counts: pa.ChunkedArray,
    passes: pa.ChunkedArray,
    clusters: pa.ChunkedArray,
    num_planned: pa.ChunkedArray,
    metric: pa.ChunkedArray,
    seed: pa.ChunkedArray,
) -> pa.Array:
    """One struct of FIELDS per cell; NULL where n < k, or the cell has no problem.

    ``counts``: problems with c = 0 … n passes, n + 1 numbers. ``passes`` and ``clusters``: c and cluster of every
    problem, where the design is clusters, else NULL. ``metric``: pass@k or pass^k. ``seed``: of the draws.
    """
    histograms, designs = _lists(counts), (_lists(passes), _lists(clusters, is_text=True))
    table = _Table(len(num_planned))
    seeds = seed.fill_null(SEED).to_numpy()
    for name, size, alike in _groups(histograms, num_planned, metric):
        for one_seed in np.unique(seeds[alike]):
            rows = alike[seeds[alike] == one_seed]
            cells = histograms.matrix(rows, size + 1)
            table.fill(rows, _columns(Metric.parse(name), size, cells, designs, rows, int(one_seed)))
    return table.arrow()


def _columns(
    metric: Metric, size: int, cells: NDArray[np.int64], designs: tuple[Lists, Lists], rows: Rows, seed: int
) -> dict[str, NDArray[Any]]:
    """FIELDS of the cells of one n and one metric, shape (M,) each; flags (M, len(FLAGS))."""
    scores = metric.lattice(size)
    deffs, num_clusters = _designs(scores, *designs, rows)
    shown = intervals.shown_intervals(
        scores, cells, is_one_sample=size == 1, deffs=deffs, num_clusters=np.maximum(num_clusters, 0)
    )
    resampled = bootstraps(scores, cells, seed=seed)
    errors = noise.standard_errors(metric, size, cells)
    new_low, new_high = noise.new_samples(metric, size, cells, errors.prediction)
    is_unknown = np.isnan(new_low) & (size > 1) & (metric.k == 1)
    raised = np.column_stack((errors.data_variance < 0, shown.is_raised[:, :2], is_unknown, shown.is_raised[:, 2]))
    return {
        "bootstrap_low": resampled.low,
        "bootstrap_high": resampled.high,
        "bootstrap_method": np.where(resampled.is_exact, "exact", "monte_carlo"),
        "bootstrap_seed": np.where(resampled.is_exact, -1, seed),
        "bootstrap_resamples": np.where(resampled.is_exact, -1, resampled.num_resamples),
        "interval_low": shown.low,
        "interval_high": shown.high,
        "interval_method": np.array(intervals.METHODS)[shown.method],
        "design_effect": deffs,
        "num_clusters": num_clusters,
        "new_samples_low": new_low,
        "new_samples_high": new_high,
        "se_total": errors.total,
        "se_prediction": errors.prediction,
        "se_data": errors.data,
        "variance_data": errors.data_variance,
        "flags": raised,
    }


def _designs(scores: ScoreLattice, passes: Lists, clusters: Lists, rows: Rows) -> tuple[NDArray[Any], Rows]:
    """(design effects, numbers of clusters) per cell: NaN and -1 where problems stand alone or a cluster is unknown."""
    deffs, numbers = np.full(len(rows), np.nan), np.full(len(rows), -1)
    for place in np.flatnonzero(clusters.lengths[rows] > 0):
        labels = clusters.row(rows[place])
        if labels.min() >= 0:
            known, codes = np.unique(labels, return_inverse=True)
            values = [scores.values[passed] for passed in passes.row(rows[place])]
            deffs[place], numbers[place] = noise.design_effect(values, codes), len(known)
    return deffs, numbers


def _groups(
    histograms: Lists, num_planned: pa.ChunkedArray, metric: pa.ChunkedArray
) -> Iterator[tuple[str, int, Rows]]:
    """(metric, n, rows) of the cells that have a number."""
    sizes = num_planned.fill_null(0).to_numpy()
    encoded = metric.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for code, name in enumerate(encoded.dictionary.to_pylist()):
        for size in np.unique(sizes[codes == code]):
            rows = np.flatnonzero((codes == code) & (sizes == size) & (histograms.lengths == size + 1))
            if size >= Metric.parse(name).k and len(rows):
                rows = rows[histograms.matrix(rows, size + 1).any(axis=1)]
                if len(rows):
                    yield name, int(size), rows


def _lists(column: pa.ChunkedArray, *, is_text: bool = False) -> Lists:
    """The column in buffers; text becomes the place in a dictionary, -1 where it is NULL."""
    whole: Any = column.combine_chunks()
    inner = whole.values
    if is_text:
        inner = inner.dictionary_encode().indices.fill_null(-1)
    offsets = whole.offsets.to_numpy().astype(np.int64)
    lengths = np.where(whole.is_valid().to_numpy(zero_copy_only=False), np.diff(offsets), -1)
    return Lists(inner.to_numpy(zero_copy_only=False), offsets[:-1], lengths)


class _Table:
    """Columns of all rows of a vector; a row that is never filled is NULL."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.is_null = np.ones(length, dtype=bool)
        self.columns: dict[str, NDArray[Any]] = {}

    def fill(self, rows: Rows, columns: dict[str, NDArray[Any]]) -> None:
        for name, column in columns.items():
            if name not in self.columns:
                kind = column.dtype if column.dtype.kind != "U" else np.dtype(object)
                self.columns[name] = np.zeros((self.length, *column.shape[1:]), dtype=kind)
            self.columns[name][rows] = column
        self.is_null[rows] = False

    def arrow(self) -> pa.Array:
        text = pa.string()
        kinds = {"DOUBLE": pa.float64(), "VARCHAR": text, "BIGINT": pa.int64(), "VARCHAR[]": pa.list_(text)}
        if not self.columns:
            return pa.nulls(self.length, pa.struct([(name, kinds[type_]) for name, type_ in FIELDS.items()]))
        columns = [self._column(name, kinds[type_]) for name, type_ in FIELDS.items()]
        return pa.StructArray.from_arrays(columns, list(FIELDS), mask=pa.array(self.is_null))

    def _column(self, name: str, kind: pa.DataType) -> pa.Array:
        column = self.columns[name]
        if name == "flags":
            offsets = np.concatenate(([0], np.cumsum(column.sum(axis=1)))).astype(np.int32)
            names = np.broadcast_to(np.array(FLAGS, dtype=object), column.shape)[column]
            return pa.ListArray.from_arrays(pa.array(offsets), pa.array(names, pa.string()))
        if kind == pa.int64():
            return pa.array(column, kind, mask=column < 0)
        is_missing = np.isnan(column) if kind == pa.float64() else self.is_null
        return pa.array(column, kind, mask=is_missing)


FUNCTIONS = (ArrowFunction("uncertainty_udf", uncertainty, ARGUMENTS, RETURNS),)
