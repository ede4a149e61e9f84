"""The file of marts in a plain DuckDB session, as docs/marts.md tells people to use it: no Python function needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "marts.md").read_text()
QUERIES: dict[str, str] = dict(re.findall(r"^### `(\w+)` .*?```sql\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def plain(recorded_marts: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(recorded_marts), read_only=True) as connection:
        yield connection


def test_the_page_names_every_mart_once() -> None:
    marts = {path.stem for path in (ROOT / "models" / "marts").glob("*.sql")}
    assert set(QUERIES) == marts
    assert len(re.findall(r"^### ", PAGE, re.MULTILINE)) == len(marts)


@pytest.mark.parametrize("mart", QUERIES)
def test_its_query_answers_from_that_mart(plain: duckdb.DuckDBPyConnection, mart: str) -> None:
    assert re.search(rf"\bfrom {mart}\b", QUERIES[mart])
    answered = plain.execute(QUERIES[mart]).fetchall()
    (has_rows,) = plain.execute(f"select count(*) > 0 from {mart}").fetchall()[0]
    assert bool(answered) == has_rows


def test_every_view_of_every_layer_answers(plain: duckdb.DuckDBPyConnection) -> None:
    query = "select schema_name, view_name from duckdb_views() where not internal order by all"
    views = plain.execute(query).fetchall()
    assert {"headline", "fct_sample_results", "stg_lake__results", "int_boards"} <= {view for _, view in views}
    for schema, view in views:
        plain.execute(f'select * from "{schema}"."{view}" limit 1').fetchall()


def test_estimators_live_in_the_file(plain: duckdb.DuckDBPyConnection) -> None:
    functions = "pass_at_k(10, 3, 5), pass_hat_k(10, 3, 2), pass_at_k(4, 4, 5), pass_hat_k(4, 4, 5)"
    at_k, hat_k, *refused = plain.execute(f"select {functions}").fetchall()[0]
    assert (at_k, hat_k) == (pytest.approx(11 / 12, abs=1e-15), pytest.approx(1 / 15, abs=1e-15))
    assert refused == [None, None]  # n < k has no number
    limits = plain.execute("select wilson_interval(150, 164)").fetchall()[0][0]
    assert limits["low"] == pytest.approx(0.861819017758, abs=1e-12)
    assert limits["high"] == pytest.approx(0.948469458972, abs=1e-12)


def test_no_mart_needs_more_than_duckdb(plain: duckdb.DuckDBPyConnection) -> None:
    defined = plain.execute("select view_name, sql from duckdb_views() where not internal").fetchall()
    assert not [view for view, sql in defined if "_udf(" in sql]
