"""The same project on Spark: the same marts, row by row, and the same refusals in one sentence.

Needs ``pip install 'benchforge[spark]'`` and Java: ``make test-spark``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from benchforge.runners import aggregate

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


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """The bundled lake built by DuckDB here, and on Spark by the command in a process of its own."""
    folder = tmp_path_factory.mktemp("engines")
    ours, theirs = folder / "duckdb" / "m.duckdb", folder / "spark" / "m.duckdb"
    aggregate.build(None, ours)
    words = ["aggregate", "--recorded", "--target", "spark", "--master", "local[2]", "--output", str(theirs)]
    done = subprocess.run(
        [sys.executable, "-m", "benchforge", *words], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert sorted(path.name for path in folder.iterdir()) == ["duckdb", "spark"], "nothing is left where it ran"
    yield ours, theirs


def test_both_engines_make_the_same_marts(files: tuple[Path, Path]) -> None:
    ours, theirs = ({name: _read(path, name) for name in _names(path)} for path in files)
    assert list(ours) == list(theirs)
    differing = {name: found for name in ours if (found := _difference(ours[name], theirs[name]))}
    assert differing == {}


def test_the_file_answers_questions_like_any_other(files: tuple[Path, Path]) -> None:
    for path in files:
        with aggregate.opened(path) as connection:
            ((number,),) = connection.execute("select count(*) from fct_sample_results").fetchall()
        assert number > 600_000


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
