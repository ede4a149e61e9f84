"""The interval of a mean as a function of an engine; see :mod:`benchforge.macros.udfs`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa  # at the top: DuckDB evaluates the annotations of a function it registers

from .functions import ArrowFunction

MEAN_TYPE = "STRUCT(low DOUBLE, high DOUBLE, method VARCHAR, flags VARCHAR[])"
_ARROW = pa.struct(
    [("low", pa.float64()), ("high", pa.float64()), ("method", pa.string()), ("flags", pa.list_(pa.string()))]
)


def _mean_interval(scores: pa.ChunkedArray, clusters: pa.ChunkedArray) -> pa.Array:
    rows = zip(scores.to_pylist(), clusters.to_pylist(), strict=True)
    return pa.array([mean_interval_of(*row) for row in rows], type=_ARROW)


def mean_interval_of(scores: list[float] | None, clusters: list[str | None] | None) -> dict[str, Any] | None:
    """The row of one mean: fields of :class:`estimators.Interval` by name; None where there is no score.

    A cluster that is not known makes the design unknown: problems stand alone then.
    """
    from . import estimators

    known = clusters if clusters and None not in clusters else None
    found = estimators.interval_of_means(scores, known) if scores else None
    if found is None:
        return None
    return {"low": found.low, "high": found.high, "method": found.method, "flags": list(found.flags)}


FUNCTIONS = (ArrowFunction("mean_interval_udf", _mean_interval, ("DOUBLE[]", "VARCHAR[]"), MEAN_TYPE),)
"""NULL clusters mean that problems stand alone."""
