"""Every model parses, and every column of a mart leads back to raw columns: ``docs/lineage.csv`` says to which."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.schemas import TABLES
from benchforge.runners.aggregate import PROJECT
from benchforge.runners.lineage import Lineage

COMMITTED = PROJECT / "docs" / "lineage.csv"
DECLARED = {"verdict", "metric", "k", "part", "change", "estimand", "headline_rule", "score_kind"}
"""Words of the project, not of the data: they name what a row is about."""
SETTINGS = {
    ("fct_generation_costs", "price"),
    ("fct_planning_curves", "num_samples"),
    ("fct_planning_curves", "board_size"),
}
"""Columns that repeat a variable of dbt_project.yml."""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project compiled for DuckDB, in a process of its own: dbt keeps its state in the one it runs in."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("compiled")
    words = ["compile", "--quiet", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    options = ["--target-path", str(folder), "--log-path", str(folder), "--vars"]
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *words,
        *options,
        f"{{duckdb_path: '{folder / 'x.duckdb'}'}}",
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return json.loads((folder / "manifest.json").read_text())


def test_every_model_and_test_parses(manifest: dict[str, Any]) -> None:
    sqlglot = pytest.importorskip("sqlglot")
    compiled = [node for node in manifest["nodes"].values() if node.get("compiled_code") and node["language"] == "sql"]
    assert len(compiled) > 100
    for node in compiled:
        sqlglot.parse_one(node["compiled_code"], dialect="duckdb")


def test_no_column_of_a_mart_stands_without_a_raw_source(manifest: dict[str, Any]) -> None:
    rows = list(Lineage(manifest, "duckdb").rows())
    without = {(mart, column) for mart, column, raw in rows if not raw and column not in DECLARED}
    assert without == SETTINGS


def test_raw_columns_are_those_of_the_lake_and_the_seeds(manifest: dict[str, Any]) -> None:
    headers = {path.stem: path.open().readline().strip().split(",") for path in (PROJECT / "seeds").glob("*.csv")}
    for _, _, raw in Lineage(manifest, "duckdb").rows():
        for layer, table, column in (name.split(".") for name in raw.split()):
            known = TABLES[table].column_names() if layer == "lake" else headers[table]
            assert column in (*known, "*"), (layer, table, column)


def test_the_marts_have_the_columns_of_their_contracts(manifest: dict[str, Any]) -> None:
    lineage = Lineage(manifest, "duckdb")
    for mart in lineage.marts:
        node = manifest["nodes"][f"model.benchforge.{mart}"]
        assert lineage.columns(mart) == list(node["columns"]), mart


def test_the_written_lineage_is_current(manifest: dict[str, Any]) -> None:
    with COMMITTED.open(newline="") as file:
        written = [tuple(row) for row in csv.reader(file)][1:]
    assert written == list(Lineage(manifest, "duckdb").rows()), "make lineage"


def test_a_column_is_followed_through_joins_unions_and_counts() -> None:
    def node(name: str, sql: str, *parents: str) -> dict[str, Any]:
        layer = "marts" if name.startswith("fct") else "intermediate"
        unique = [f"model.benchforge.{parent}" for parent in parents]
        return {
            "name": name,
            "resource_type": "model",
            "fqn": ["benchforge", layer, name],
            "compiled_code": sql,
            "depends_on": {"nodes": unique},
        }

    nodes = [
        node("stg_lake__results", "with renamed as (select a, b, g from x) select * from renamed"),
        node("stg_seeds__models", "with renamed as (select g, c from y) select * from renamed"),
        node(
            "int_x",
            "with r as (select * from s.stg_lake__results), u as (select a as v, g from r union all select b, g from r)"
            " select v, g, 1 as one from u",
            "stg_lake__results",
        ),
        node(
            "fct_x",
            "select x.g, max(x.v) as v, count(*) as n, count(*) filter (where one = 1) as f, max(one) over () as w,"
            " list(c order by v) as c from s.int_x as x inner join s.stg_seeds__models using (g) group by all",
            "int_x",
            "stg_seeds__models",
        ),
    ]
    found = {column: raw for _, column, raw in Lineage({"nodes": {n["name"]: n for n in nodes}}, "duckdb").rows()}
    rows = "lake.results.* seeds.models.*"
    assert found == {
        "g": "lake.results.g",
        "v": "lake.results.a lake.results.b",
        "n": rows,
        "f": rows,
        "w": rows,
        "c": "lake.results.a lake.results.b seeds.models.c",
    }


def test_the_make_target_writes_the_file() -> None:
    assert re.search(
        r"^lineage:.*\n\t.*dbt compile.*\n\t.*runners\.lineage .*docs/lineage\.csv",
        (PROJECT / "Makefile").read_text(),
        re.M,
    )
