"""SQL functions against their Python twins, and the look at a lake's files."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml
from benchforge.ingest import schemas
from benchforge.ingest.lake import EMPTY_PARTS, Lake
from benchforge.macros import udfs

ROOT = Path(udfs.__file__).parents[1]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """With the Python functions, and with the SQL functions that dbt creates in the file."""
    created = (ROOT / "macros" / "create_functions.sql").read_text().split("duckdb__create_functions() -%}")[1]
    opened = duckdb.connect()
    udfs.register(opened)
    opened.execute(created.split("{%- endmacro")[0]).fetchall()
    yield opened
    opened.close()


def test_pass_at_k_in_sql_agrees_with_python(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select max(abs(pass_at_k(n, c, k) - pass_at_k_udf(n, c, k))), count(*),
            count_if((pass_at_k(n, c, k) is null) <> (pass_at_k_udf(n, c, k) is null))
        from range(0, 41) as ns(n), range(0, 41) as cs(c), range(0, 13) as ks(k)
        where c <= n
    """
    difference, count, disagreements = connection.execute(query).fetchall()[0]
    assert count > 10_000
    assert disagreements == 0
    assert difference < 1e-14


def test_integer_form_of_pass_at_k_agrees_with_both(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select max(abs(
            (combinations(n, k) - combinations(n - c, k))::double / combinations(n, k)::double
            - pass_at_k_udf(n, c, k)
        ))
        from range(1, 31) as ns(n), range(0, 31) as cs(c), range(1, 11) as ks(k)
        where c <= n and k <= n
    """
    assert connection.execute(query).fetchall()[0][0] < 1e-15


def test_combinations_are_exact_up_to_the_limit(connection: duckdb.DuckDBPyConnection) -> None:
    for n, k in ((10, 5), (100, 10), (100, 50), (128, 64), (129, 64), (200, 3), (5, 7), (7, 0), (7, 7)):
        found = connection.execute(f"select combinations({n}, {k})").fetchall()[0][0]
        assert found == math.comb(n, k), (n, k)


def test_wilson_in_sql_is_the_same_to_the_last_bits(connection: duckdb.DuckDBPyConnection) -> None:
    from benchforge.macros.estimators import wilson

    for passed, total in ((0, 7), (150, 164), (1054, 1055)):
        found = connection.execute(f"select wilson_interval({passed}, {total})").fetchall()[0][0]
        assert (found["low"], found["high"]) == pytest.approx(wilson(passed, total), abs=1e-15)


def test_cells_without_a_number_are_null(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select bootstrap_interval_udf([], 1, 1), bootstrap_interval_udf([1], 1, 5), bootstrap_interval_udf(null, 1, 1),
            shown_interval_udf(null, null, 1, 1), shown_interval_udf([1], null, 1, 5), pass_at_k_udf(null, 1, 1),
            standard_errors_udf([], 1, 1)
    """
    assert connection.execute(query).fetchall()[0] == (None,) * 7


def test_functions_are_seen_by_cursors_and_registering_again_is_harmless(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    udfs.register(connection)
    cursor = connection.cursor()
    assert cursor.execute("select bootstrap_interval_udf([1, 1], 1, 1)").fetchall() == [({"low": 1.0, "high": 1.0},)]
    cursor.close()


def test_every_macro_is_described_with_its_arguments() -> None:
    import re

    described = {
        macro["name"]: [argument["name"] for argument in macro.get("arguments", [])]
        for macro in yaml.safe_load((ROOT / "macros" / "_macros.yml").read_text())["macros"]
    }
    for path in (ROOT / "macros").glob("*.sql"):
        for name, arguments in re.findall(r"\{%-? macro (\w+)\(([^)]*)\)", path.read_text()):
            if name.startswith("duckdb__") or name == "ref":
                continue
            assert described.get(name) == [word.strip() for word in arguments.split(",") if word.strip()], name


# ---- files of a lake --------------------------------------------------------------------------------------------


def _files(lake: Path, table: str) -> tuple[str, list[str]]:
    found = udfs._lake_files(str(lake), table)
    return found["form"], found["files"]


def _task(task_id: str) -> dict[str, object]:
    values = {column.name: None for column in schemas.TASKS.columns}
    return {
        **values,
        "benchmark": "forge_mini",
        "dataset_version": "v1",
        "scenario": "default",
        "task_id": task_id,
        "kind": "calls",
        "test_sets": ["base"],
        "source_problem": task_id,
    }


def test_a_missing_lake_is_its_empty_parts(tmp_path: Path) -> None:
    for table in schemas.TABLES:
        assert _files(tmp_path / "nowhere", table) == ("lake", [str(EMPTY_PARTS / f"{table}.parquet")])


def test_live_files_are_the_glob_only_while_every_file_is_live(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = lake.write_part("tasks", [_task("a")], "s1")
    lake.commit("s1", "plan", first)
    assert _files(tmp_path, "tasks")[1][1:] == [f"{tmp_path}/tasks/**/*.parquet"]
    second = lake.write_part("tasks", [_task("b")], "s1")
    lake.commit("s1", "plan", second)
    assert _files(tmp_path, "tasks")[1][1:] == [str(path) for path in second]


def test_the_published_form_is_known_by_its_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "benchmark=b" / "model=m"
    folder.mkdir(parents=True)
    shutil.copy(EMPTY_PARTS / "samples.parquet", folder / "part-0.parquet")
    for table in ("samples", "results"):
        form, files = _files(tmp_path, table)
        assert form == "published"
        assert files[-1] == f"{tmp_path}/data/**/*.parquet"
        assert [Path(file).name for file in files[:2]] == ["samples.parquet", "results.parquet"]
    assert _files(tmp_path, "runs") == ("published", [str(EMPTY_PARTS / "runs.parquet")])


def test_the_bundled_lake_is_the_default() -> None:
    found = udfs._lake_files("", "samples")
    assert found["form"] == "published"
    assert len(found["files"]) == 3
