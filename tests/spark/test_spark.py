"""The same project on Spark: the same marts, row by row, and the same refusals in one sentence.

Needs ``pip install 'benchforge[spark]'`` and Java: ``make test-spark``.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from benchforge.runners import aggregate
from benchforge.runners.lineage import Lineage

sqlglot = pytest.importorskip("sqlglot")

HAS_SPARK = (
    importlib.util.find_spec("pyspark") is not None and importlib.util.find_spec("dbt.adapters.spark") is not None
)
HAS_JAVA = shutil.which("java") is not None or "JAVA_HOME" in os.environ
pytestmark = [
    pytest.mark.skipif(not HAS_SPARK, reason="Spark is not installed: make test-spark"),
    pytest.mark.skipif(not HAS_JAVA, reason="Java is not installed: apt-get install default-jre-headless"),
]

BOUNDS = ("low", "high", "rank")
"""Columns named so are decided on a grid or in integers: they must be equal to the last bit."""


@dataclass(frozen=True)
class Engines:
    """The bundled lake as a file of marts of each engine, and what dbt compiled for Spark."""

    ours: Path
    theirs: Path
    manifest: dict[str, Any]


BUILD = """
import sys
from pathlib import Path
from benchforge.runners import aggregate_spark
aggregate_spark.build(None, Path(sys.argv[1]), master="local[2]", compiled=Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    """DuckDB builds here, Spark in a process of its own: a Java machine lives as long as the process."""
    folder = tmp_path_factory.mktemp("engines")
    ours, theirs, compiled = folder / "duckdb" / "m.duckdb", folder / "spark" / "m.duckdb", folder / "compiled"
    aggregate.build(None, ours)
    command = [sys.executable, "-c", BUILD, str(theirs), str(compiled)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(path.name for path in folder.iterdir()) == ["compiled", "duckdb", "spark"], "left where it ran"
    assert sorted(path.name for path in theirs.parent.iterdir()) == ["m.duckdb", "marts"]
    return Engines(ours, theirs, json.loads((compiled / "manifest.json").read_text()))


def test_both_engines_make_the_same_marts(engines: Engines) -> None:
    ours, theirs = ({name: _read(path, name) for name in _names(path)} for path in (engines.ours, engines.theirs))
    assert list(ours) == list(theirs)
    differing = {name: found for name in ours if (found := _difference(ours[name], theirs[name]))}
    assert differing == {}


def test_the_file_answers_questions_like_any_other(engines: Engines) -> None:
    for path in (engines.ours, engines.theirs):
        with aggregate.opened(path) as connection:
            ((number,),) = connection.execute("select count(*) from fct_sample_results").fetchall()
        assert number > 600_000


def test_columns_come_from_the_same_raw_columns_on_both_engines(engines: Engines) -> None:
    with (aggregate.PROJECT / "docs" / "lineage.csv").open(newline="") as file:
        written = [tuple(row) for row in csv.reader(file)][1:]
    assert list(Lineage(engines.manifest, "spark").rows()) == written


def test_every_model_and_test_parses_as_spark(engines: Engines) -> None:
    compiled = [node["compiled_code"] for node in engines.manifest["nodes"].values() if node.get("compiled_code")]
    assert len(compiled) > 100
    for code in compiled:
        sqlglot.parse_one(code, dialect="spark")


def _names(path: Path) -> list[str]:
    with aggregate.opened(path) as connection:
        return [name for name in aggregate.marts_of(connection) if name not in aggregate.NOT_EXPORTED]


def _read(path: Path, name: str) -> pa.Table:
    """All rows, in the order of every column, floats last and rounded: they may differ in their last digits."""
    with aggregate.opened(path) as connection:
        described = connection.execute(f"describe {name}").fetchall()
        keys = ", ".join(
            [f'"{column}"' for column, type_, *_ in described if type_ != "DOUBLE"]
            + [f'round("{column}", 9)' for column, type_, *_ in described if type_ == "DOUBLE"]
        )
        return connection.sql(f"select * from {name} order by {keys}").to_arrow_table()


def _difference(ours: pa.Table, theirs: pa.Table) -> str | None:
    if ours.schema.names != theirs.schema.names or len(ours) != len(theirs):
        return f"{ours.schema.names}, {len(ours)} rows against {theirs.schema.names}, {len(theirs)} rows"
    for name in ours.schema.names:
        one, other = ours[name].combine_chunks(), theirs[name].combine_chunks()
        if str(one.type) != str(other.type):
            return f"{name} is {one.type} and {other.type}"
        if pa.types.is_floating(one.type) and not name.endswith(BOUNDS):
            largest = pc.max(pc.abs(pc.subtract(one, other))).as_py() or 0.0
            if not one.is_null().equals(other.is_null()) or largest > 1e-12:
                return f"{name} differs by up to {largest}"
        elif not one.equals(other):
            return f"{name} is not equal"
    return None
