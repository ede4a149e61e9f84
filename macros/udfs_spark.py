# pyright: reportMissingImports=false
# (Spark is an extra: the project's own environment does without)
"""The estimators as functions of a Spark session: one numpy function behind both engines, so bounds are bit-equal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .functions import ArrowFunction
from .udfs import functions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WORDS = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean", "HUGEINT": "decimal(38,0)"}


def register(session: SparkSession) -> None:
    """Every function that DuckDB gets, under the same name, and what DuckDB has as SQL in its file."""
    from pyspark.sql.functions import arrow_udf

    made: Any = arrow_udf
    for function in (*functions(), *FUNCTIONS):
        body = _over_arrays(function.body)
        session.udf.register(function.name, made(body, returnType=spark_type(function.returns)))


def spark_type(type_: str) -> str:
    """The type in Spark's words: ``STRUCT(low DOUBLE, x VARCHAR[])`` is ``struct<low: double, x: array<string>>``."""
    type_ = type_.strip()
    if type_.endswith("[]"):
        return f"array<{spark_type(type_[:-2])}>"
    if type_.upper().startswith("STRUCT("):
        fields = (field.strip().split(" ", 1) for field in _fields(type_[len("STRUCT(") : -1]))
        return f"struct<{', '.join(f'{name}: {spark_type(inner)}' for name, inner in fields)}>"
    return _WORDS[type_.upper()]


def _fields(inside: str) -> list[str]:
    """Split at the commas that lie in no parenthesis."""
    fields, depth = [""], 0
    for part in re.split(r"([(),])", inside):
        depth += (part == "(") - (part == ")")
        if part == "," and depth == 0:
            fields.append("")
        else:
            fields[-1] += part
    return fields


def _over_arrays(body: Callable[..., pa.Array]) -> Callable[..., pa.Array]:
    """Spark gives arrays where DuckDB gives chunked ones."""
    return lambda *columns: body(*(pa.chunked_array([column]) for column in columns))


def _combinations(n: pa.ChunkedArray, k: pa.ChunkedArray) -> pa.Array:
    pairs = zip(n.to_pylist(), k.to_pylist(), strict=True)
    return pa.array([math.comb(of, size) if 0 <= size <= of else 0 for of, size in pairs], pa.decimal128(38, 0))


def _log2_combinations(n: pa.ChunkedArray, k: pa.ChunkedArray) -> pa.Array:
    pairs = zip(n.to_pylist(), k.to_pylist(), strict=True)
    return pa.array([math.log2(math.comb(of, size)) if 0 <= size <= of else None for of, size in pairs], pa.float64())


FUNCTIONS = (
    ArrowFunction("combinations_udf", _combinations, ("BIGINT", "BIGINT"), "HUGEINT"),
    ArrowFunction("log2_combinations_udf", _log2_combinations, ("BIGINT", "BIGINT"), "DOUBLE"),
)
