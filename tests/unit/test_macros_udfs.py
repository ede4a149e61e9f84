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


def test_pass_hat_k_in_sql_agrees_with_python(connection: duckdb.DuckDBPyConnection) -> None:
    from benchforge.macros.metrics import pass_hat_k

    query = """
        select n, c, k, pass_hat_k(n, c, k)
        from range(0, 21) as ns(n), range(0, 21) as cs(c), range(0, 13) as ks(k)
        where c <= n
    """
    rows = connection.execute(query).fetchall()
    assert len(rows) > 2_000
    for n, c, k, found in rows:
        expected = pass_hat_k(n, c, k)
        assert found == (None if expected is None else pytest.approx(float(expected), abs=1e-14)), (n, c, k)


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


def test_functions_of_the_file_have_no_number_where_there_is_none(connection: duckdb.DuckDBPyConnection) -> None:
    for wrong in ("10, 11, 1", "10, -1, 1", "10, null, 1", "null, 3, 1", "10, 3, 0", "3, 3, 5"):
        query = f"select pass_at_k({wrong}), pass_hat_k({wrong})"
        assert connection.execute(query).fetchall() == [(None, None)], wrong
    for wrong in ("0, 0", "5, 3", "-1, 3", "null, 3", "3, null"):
        assert connection.execute(f"select wilson_interval({wrong})").fetchall() == [(None,)], wrong
    for passed, total in ((0, 10), (10, 10)):
        limits = connection.execute(f"select wilson_interval({passed}, {total})").fetchall()[0][0]
        assert 0 <= limits["low"] < limits["high"] <= 1


CELL = "uncertainty_udf({counts}, {passes}, {clusters}, {n}, '{metric}', 1)"


def _cell(connection: duckdb.DuckDBPyConnection, **given: object) -> dict[str, object] | None:
    arguments = {"counts": "[1, 2]", "passes": "null", "clusters": "null", "n": 1, "metric": "pass@1", **given}
    return connection.execute(f"select {CELL.format(**arguments)}").fetchall()[0][0]


@pytest.mark.parametrize(
    "given",
    [
        {"counts": "null"},
        {"counts": "[]"},
        {"counts": "[0, 0]"},
        {"n": "null"},
        {"metric": "pass@5"},
        {"counts": "[1, 2, 3]"},
    ],
)
def test_cells_without_a_number_are_null(connection: duckdb.DuckDBPyConnection, given: dict[str, object]) -> None:
    assert _cell(connection, **given) is None


def test_a_cell_in_sql_is_the_cell_in_python(connection: duckdb.DuckDBPyConnection) -> None:
    from benchforge.macros import estimators

    counts = [23, 5, 5, 0, 2, 2, 2, 6, 5, 5, 109]
    passes = [passed for passed, count in enumerate(counts) for _ in range(count)]
    for k in (1, 5):
        found = _cell(connection, counts=counts, n=10, metric=f"pass@{k}")
        shown, resampled = estimators.interval(passes, 10, k), estimators.bootstrap(passes, 10, k)
        errors = estimators.standard_errors(passes, 10, k)
        assert found is not None and shown is not None and resampled is not None
        assert (found["interval_low"], found["interval_high"], found["interval_method"]) == (
            shown.low,
            shown.high,
            shown.method,
        )
        assert (found["bootstrap_low"], found["bootstrap_high"]) == (resampled.low, resampled.high)
        assert (found["bootstrap_method"], found["bootstrap_seed"]) == ("exact", None)
        assert (found["se_total"], found["se_prediction"], found["se_data"], found["variance_data"]) == (
            errors.total,
            errors.prediction,
            errors.data,
            errors.data_variance,
        )
        assert found["num_clusters"] is None and found["design_effect"] is None


def test_clusters_in_sql_are_the_clusters_in_python(connection: duckdb.DuckDBPyConnection) -> None:
    from benchforge.macros import estimators

    passes = [0, 1, 1, 0, 1, 1] * 20
    labels = [f"contest {i // 4}" for i in range(120)]
    quoted = "[" + ", ".join(f"'{label}'" for label in labels) + "]"
    found = _cell(connection, counts="[40, 80]", passes=passes, clusters=quoted)
    shown = estimators.interval(passes, 1, 1, labels)
    assert found is not None and shown is not None
    assert (found["interval_low"], found["interval_high"]) == (shown.low, shown.high)
    assert found["interval_method"] == "el_half_clustered" and found["num_clusters"] == 30
    unknown = quoted.replace("'contest 7'", "null")
    alone = _cell(connection, counts="[40, 80]", passes=passes, clusters=unknown)
    assert alone is not None and alone["interval_method"] == "wilson" and alone["num_clusters"] is None


def test_vectors_of_many_cells_agree_with_cells_alone(connection: duckdb.DuckDBPyConnection) -> None:
    """5,000 rows cross the vectors of 2,048; n, metric and NULL rows are mixed."""
    query = f"""
        select i, {CELL} as around
        from (
            select i, case when i % 7 = 0 then null else [i % 3, i % 5, i % 4] end as counts,
                case when i % 2 = 0 then 'pass@1' else 'pass^2' end as metric
            from range(5000) as t(i)
        )
    """.replace("'{metric}'", "metric").format(counts="counts", passes="null", clusters="null", n=2)
    rows = dict(connection.execute(query).fetchall())
    assert len(rows) == 5000
    for i in (0, 1, 2, 59, 60, 2047, 2048, 4999):
        counts = [i % 3, i % 5, i % 4]
        alone = _cell(connection, counts=counts, n=2, metric="pass^2" if i % 2 else "pass@1")
        assert rows[i] == (None if i % 7 == 0 else alone)


def test_the_seed_of_a_row_is_its_own(connection: duckdb.DuckDBPyConnection) -> None:
    """n = 20 and k = 10 are drawn: two seeds in one vector give what each gives alone."""
    counts = [1, 1, *[0] * 7, 1, *[0] * 11]
    query = f"select seed, uncertainty_udf({counts}, null, null, 20, 'pass@10', seed) from range({{}}, {{}}) as t(seed)"
    both = connection.execute(query.format(1, 3)).fetchall()
    alone = [connection.execute(query.format(seed, seed + 1)).fetchall()[0] for seed in (1, 2)]
    assert both == alone
    assert [row[1]["bootstrap_seed"] for row in both] == [1, 2]


def test_functions_are_seen_by_cursors_and_registering_again_is_harmless(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    udfs.register(connection)
    cursor = connection.cursor()
    found = cursor.execute(
        f"select ({CELL.format(counts=[0, 2], passes='null', clusters='null', n=1, metric='pass@1')}).bootstrap_low"
    )
    assert found.fetchall() == [(1.0,)]
    cursor.close()


def test_every_macro_is_described_with_its_arguments() -> None:
    import re

    described = {
        macro["name"]: [argument["name"] for argument in macro.get("arguments", [])]
        for path in (ROOT / "macros").glob("*.yml")
        for macro in yaml.safe_load(path.read_text())["macros"]
    }
    for path in (ROOT / "macros").glob("*.sql"):
        for name, arguments in re.findall(r"\{%-? macro (\w+)\(([^)]*)\)", path.read_text()):
            if "__" in name or name == "ref":
                continue
            words = [word.split("=")[0].strip() for word in arguments.split(",") if word.strip()]
            assert described.get(name) == words, name


# ---- files of a lake --------------------------------------------------------------------------------------------


def _files(lake: Path, table: str) -> tuple[str, list[str]]:
    found = udfs.lake_files(str(lake), table)
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


def test_files_are_names_so_that_a_later_part_is_no_row_of_a_build(tmp_path: Path) -> None:
    """A view of the marts keeps what it reads; a pattern would count the parts of a compaction or a redone shard."""
    lake = Lake(tmp_path / "run[1]")
    for task in ("a", "b"):
        parts = lake.write_part("tasks", [_task(task)], "s1")
        lake.commit("s1", "plan", parts)
        assert _files(lake.root, "tasks")[1][1:] == [str(path) for path in parts]
    with duckdb.connect() as plain:
        files = _files(lake.root, "tasks")[1]
        [(rows,)] = plain.execute(f"select count(*) from read_parquet({files}, union_by_name = true)").fetchall()
    assert rows == 1


def test_a_lake_whose_liveness_is_gone_is_no_empty_lake(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    lake = Lake(tmp_path)
    lake.commit("s1", "plan", lake.write_part("tasks", [_task("a")], "s1"))
    shutil.rmtree(tmp_path / "_live")
    with pytest.raises(duckdb.Error, match=r"holds 1 parts and .* none of them counts; restore the _live folder"):
        connection.execute(f"select lake_files_udf('{tmp_path}', 'tasks')").fetchall()


def test_the_published_form_is_known_by_its_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "benchmark=b" / "model=m"
    folder.mkdir(parents=True)
    shutil.copy(EMPTY_PARTS / "samples.parquet", folder / "part-0.parquet")
    for table in ("samples", "results"):
        form, files = _files(tmp_path, table)
        assert form == "published"
        assert files[-1] == str(folder / "part-0.parquet")
        assert [Path(file).name for file in files[:-1]] == ["published.parquet"]
    assert _files(tmp_path, "runs") == ("published", [str(EMPTY_PARTS / "runs.parquet")])


def test_the_bundled_lake_is_the_default() -> None:
    found = udfs.lake_files("", "samples")
    assert found["form"] == "published"
    assert len(found["files"]) > 1 and all(Path(file).is_file() for file in found["files"])
