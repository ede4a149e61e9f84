"""The estimators as functions of a Spark session: one numpy function behind both engines, so bounds are bit-equal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from . import udfs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WORDS = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean", "HUGEINT": "decimal(38,0)"}


def register(session: SparkSession) -> None:
    """Every function that DuckDB gets, under the same name."""
    from pyspark.sql.functions import arrow_udf

    made: Any = arrow_udf

    class Recorder:
        def execute(self, *_):
            return self

        def fetchall(self):
            return []

        def create_function(self, name, body, arguments, returns, **kw):
            if kw.get("type") == "arrow":
                session.udf.register(name, made(_over_arrays(body), returnType=spark_type(returns)))

    udfs.register(Recorder())
    from pyspark.sql.functions import udf
    from . import estimators
    import math

    session.udf.register(
        "combinations_udf",
        made(
            lambda n, k: pa.array(
                [math.comb(a, b) if 0 <= b <= a else 0 for a, b in zip(n.to_pylist(), k.to_pylist())],
                pa.decimal128(38, 0),
            ),
            returnType="decimal(38,0)",
        ),
    )
    session.udf.register(
        "log2_combinations_udf",
        made(
            lambda n, k: pa.array(
                [
                    (math.lgamma(a + 1) - math.lgamma(b + 1) - math.lgamma(a - b + 1)) / math.log(2)
                    if 0 <= b <= a
                    else None
                    for a, b in zip(n.to_pylist(), k.to_pylist())
                ],
                pa.float64(),
            ),
            returnType="double",
        ),
    )
    session.udf.register(
        "pass_at_k_udf",
        made(
            lambda n, c, k: pa.array(
                [
                    None if None in t else (lambda s: None if s is None else float(s))(estimators.pass_at_k(*t))
                    for t in zip(n.to_pylist(), c.to_pylist(), k.to_pylist())
                ],
                pa.float64(),
            ),
            returnType="double",
        ),
    )


def spark_type(type_: str) -> str:
    """The type in Spark's words: ``STRUCT(low DOUBLE, flags VARCHAR[])`` is ``struct<low: double, flags: array<string>>``."""
    type_ = type_.strip()
    if type_.endswith("[]"):
        return f"array<{spark_type(type_[:-2])}>"
    if type_.upper().startswith("STRUCT("):
        fields = (field.strip().split(" ", 1) for field in _fields(type_[7:-1]))
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
