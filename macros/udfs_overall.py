"""The overall score as a function of an engine; see :mod:`benchforge.macros.udfs`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa  # at the top: DuckDB evaluates the annotations of a function it registers

from .functions import ArrowFunction

CELLS_TYPE = "STRUCT(weight BIGINT, num_planned BIGINT, passes BIGINT[], source_problems VARCHAR[])[]"
OVERALL_TYPE = (
    "STRUCT(score DOUBLE, standard_error DOUBLE, low DOUBLE, high DOUBLE, method VARCHAR,"
    " num_problems BIGINT, num_source_problems BIGINT)"
)
_DOUBLES = ("score", "standard_error", "low", "high")
_ARROW = pa.struct(
    [
        *((name, pa.float64()) for name in _DOUBLES),
        ("method", pa.string()),
        ("num_problems", pa.int64()),
        ("num_source_problems", pa.int64()),
    ]
)


def _overall(cells: pa.ChunkedArray) -> pa.Array:
    return pa.array([overall_of(row) for row in cells.to_pylist()], type=_ARROW)


def overall_of(cells: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """The row of one model: fields of :class:`overall.Overall` by name; None for no cells."""
    from . import overall

    if not cells:
        return None
    found = overall.overall([overall.Cell(**cell) for cell in cells])
    return {field.name: getattr(found, field.name) for field in _ARROW}


FUNCTIONS = (ArrowFunction("overall_score_udf", _overall, (CELLS_TYPE,), OVERALL_TYPE),)
"""Cells of one model in, one :class:`overall.Overall` out."""
