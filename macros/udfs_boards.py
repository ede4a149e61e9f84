"""Board comparisons and differences in differences as functions of an engine: one row in, a whole board out.

A board of 500 models has 124,750 pairs; they are built as Arrow columns, never one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # at the top: DuckDB evaluates the annotations of a function it registers

from .functions import ArrowFunction

if TYPE_CHECKING:
    from .boards import Board

MAX_MODELS_ALL_PAIRS = 200
"""Larger boards give only the pairs of a family, their q still among all: 500 models would be 124,750 rows a metric."""
PAIR_FIELDS = {
    "model": "VARCHAR",
    "other": "VARCHAR",
    "difference_numerator": "BIGINT",
    "difference": "DOUBLE",
    "difference_low": "DOUBLE",
    "difference_high": "DOUBLE",
    "interval_method": "VARCHAR",
    "num_discordant": "BIGINT",
    "p_value": "DOUBLE",
    "p_method": "VARCHAR",
    "p_best": "DOUBLE",
    "p_adjacent": "DOUBLE",
    "p_baseline": "DOUBLE",
    "q_all_pairs": "DOUBLE",
    "se_total": "DOUBLE",
    "se_prediction": "DOUBLE",
    "se_data": "DOUBLE",
}
RANK_FIELDS = {
    "model": "VARCHAR",
    "rank": "BIGINT",
    "rank_low": "BIGINT",
    "rank_high": "BIGINT",
    "could_be_first": "BOOLEAN",
}
BOARD_FIELDS = {
    "num_models": "BIGINT",
    "tukey_constant": "DOUBLE",
    "v_data": "DOUBLE",
    "v_prediction": "DOUBLE",
    "share_discordant": "DOUBLE",
}
DIFFERENCE_FIELDS = {
    "estimate": "DOUBLE",
    "se": "DOUBLE",
    "num_before": "BIGINT",
    "num_after": "BIGINT",
    "refused": "VARCHAR",
}
_ARROW = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}


def _compare_boards(
    models: pa.ChunkedArray,
    passes: pa.ChunkedArray,
    num_planned: pa.ChunkedArray,
    k: pa.ChunkedArray,
    clusters: pa.ChunkedArray,
    baseline: pa.ChunkedArray,
) -> pa.Array:
    plain = zip(*(column.to_pylist() for column in (models, num_planned, k, clusters, baseline)), strict=True)
    # one board at a time becomes Arrow: the pairs of many large ones do not fit in memory side by side
    rows = [_row(_board(passes[row], *values)) for row, values in enumerate(plain)]
    return _boards_array(rows)


def _board(
    passes: Any,
    models: list[str] | None,
    num_planned: int | None,
    k: int | None,
    clusters: list[str | None] | None,
    baseline: str | None,
) -> Board | None:
    """NULL for a board that says nothing: fewer than two models, no problems, n < k."""
    from .boards import compare_board

    if not models or len(models) < 2 or not passes.is_valid or not len(passes) or not num_planned or not k:
        return None
    if num_planned < k:
        return None
    counts = passes.values.to_numpy(zero_copy_only=False).reshape(len(models), -1)
    known = [label for label in clusters or () if label is not None]
    labels = known if len(known) == counts.shape[1] else None
    return compare_board(models, counts, num_planned, k, labels, baseline, max_models_all_pairs=MAX_MODELS_ALL_PAIRS)


def _row(board: Board | None) -> dict[str, Any] | None:
    """Values of the result's fields; pairs and ranks as struct arrays."""
    if board is None:
        return None
    plain = {name: getattr(board, name) for name in BOARD_FIELDS if name != "num_models"}
    return {"pairs": _pairs(board), "ranks": _ranks(board), "num_models": len(board.models), **plain}


def _boards_array(rows: list[dict[str, Any] | None]) -> pa.Array:
    is_missing = pa.array([row is None for row in rows])
    pairs = _lists([None if row is None else row["pairs"] for row in rows], PAIR_FIELDS)
    ranks = _lists([None if row is None else row["ranks"] for row in rows], RANK_FIELDS)
    plain = [
        pa.array([None if row is None else row[name] for row in rows], type=_ARROW[kind])
        for name, kind in BOARD_FIELDS.items()
    ]
    return pa.StructArray.from_arrays([pairs, ranks, *plain], ["pairs", "ranks", *BOARD_FIELDS], mask=is_missing)


def _pairs(board: Board) -> pa.StructArray:
    pairs, names = board.pairs, pa.array(board.models)
    total, prediction, data = pairs.noise.standard_errors
    columns = {
        "model": pairs.first,
        "other": pairs.second,
        "difference_numerator": pairs.difference_numerator,
        "difference": pairs.difference,
        "difference_low": pairs.low,
        "difference_high": pairs.high,
        "interval_method": pairs.interval_method,
        "num_discordant": pairs.num_discordant,
        "p_value": pairs.p,
        "p_method": pairs.p_method,
        "p_best": pairs.p_best,
        "p_adjacent": pairs.p_adjacent,
        "p_baseline": pairs.p_baseline,
        "q_all_pairs": pairs.q_all_pairs,
        "se_total": total,
        "se_prediction": prediction,
        "se_data": data,
    }
    if len(board.models) > MAX_MODELS_ALL_PAIRS:
        adjusted = np.stack([columns[name] for name in ("p_best", "p_adjacent", "p_baseline")])
        is_shown = ~np.isnan(adjusted).all(axis=0)
        columns = {name: column[is_shown] for name, column in columns.items()}
    named = {name: names.take(pa.array(columns[name])) for name in ("model", "other")}
    return _struct({**columns, **named, "difference_numerator": _bigint(columns["difference_numerator"])}, PAIR_FIELDS)


def _ranks(board: Board) -> pa.StructArray:
    ranks = board.ranks
    columns = {
        "model": pa.array(board.models),
        "rank": ranks.rank,
        "rank_low": ranks.low,
        "rank_high": ranks.high,
        "could_be_first": ranks.could_be_first,
    }
    return _struct(columns, RANK_FIELDS)


def _bigint(values: Any) -> pa.Array:
    """NULL where a numerator has more than 63 bits; the difference itself is there always."""
    if values.dtype != object:
        return pa.array(values)
    return pa.array([int(value) if int(value).bit_length() < 64 else None for value in values], type=pa.int64())


def _struct(columns: dict[str, Any], fields: dict[str, str]) -> pa.StructArray:
    """NaN becomes NULL: what could not be estimated is no number."""
    arrays = [_array(columns[name], _ARROW[kind]) for name, kind in fields.items()]
    return pa.StructArray.from_arrays(arrays, list(fields))


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind, from_pandas=True)


def _lists(parts: list[pa.StructArray | None], fields: dict[str, str]) -> pa.ListArray:
    kind = pa.struct([(name, _ARROW[type_]) for name, type_ in fields.items()])
    stops = [0]
    for part in parts:
        stops.append(stops[-1] + (0 if part is None else len(part)))
    values = pa.concat_arrays([part for part in parts if part is not None] or [pa.array([], type=kind)])
    return pa.ListArray.from_arrays(pa.array(stops, type=pa.int32()), values)


def _differences(
    scores: pa.ChunkedArray, is_after: pa.ChunkedArray, strata: pa.ChunkedArray, clusters: pa.ChunkedArray
) -> pa.Array:
    from dataclasses import asdict

    from .differences import difference_in_differences

    def row(at: int) -> dict[str, Any] | None:
        values, after, levels, groups = (column[at].as_py() for column in (scores, is_after, strata, clusters))
        if values is None or after is None:
            return None
        return asdict(difference_in_differences(values, after, levels, groups))

    kind = pa.struct([(name, _ARROW[type_]) for name, type_ in DIFFERENCE_FIELDS.items()])
    return pa.array([row(at) for at in range(len(scores))], type=kind)


def _sql(fields: dict[str, str]) -> str:
    return f"STRUCT({_columns(fields)})"


def _columns(fields: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in fields.items())


FUNCTIONS = (
    ArrowFunction(
        "compare_board_udf",
        _compare_boards,
        ("VARCHAR[]", "BIGINT[]", "BIGINT", "BIGINT", "VARCHAR[]", "VARCHAR"),
        f"STRUCT(pairs {_sql(PAIR_FIELDS)}[], ranks {_sql(RANK_FIELDS)}[], {_columns(BOARD_FIELDS)})",
    ),
    ArrowFunction(
        "difference_in_differences_udf",
        _differences,
        ("DOUBLE[]", "BOOLEAN[]", "VARCHAR[]", "VARCHAR[]"),
        _sql(DIFFERENCE_FIELDS),
    ),
)
