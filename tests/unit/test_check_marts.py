"""``benchforge check`` on a small lake and its marts: nothing is said of good ones, and each fault has its rule."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import made_lake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.expectations.findings import Findings
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import BadInput, GateFailed, UsageError
from benchforge.ingest.lake import Lake
from benchforge.runners import aggregate
from benchforge.runners.cli.main import cli
from benchforge.runners.gate.check import check
from click.testing import CliRunner

PLANS = tuple(plan for plan in made_lake.PLANS if plan.name in ("made__greedy", "made__sampler", "made__perfect"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``lake`` and ``lake.duckdb``: a file called like a schema of the gate's is no trouble."""
    folder = tmp_path_factory.mktemp("checked")
    made_lake.write(folder / "lake", made_lake.all_rows(PLANS))
    aggregate.build(folder / "lake", folder / "lake.duckdb", num_threads=2)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings({"run.scratch": str(tmp_path_factory.mktemp("scratch"))}, None)


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Iterator[Path]:
    """To be spoilt."""
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    yield folder
    shutil.rmtree(folder)


def _checked(settings: Settings, folder: Path, *artifacts: str) -> Findings:
    return check(settings, folder / "lake.duckdb", folder / "lake", artifacts=artifacts)


def _named(found: Findings) -> set[str]:
    return {f"{one.artifact}.{one.rule}" for one in found.critical}


def test_nothing_is_said_of_good_marts(built: Path, settings: Settings) -> None:
    found = _checked(settings, built)
    assert found.as_rows() == []
    assert found.rules_run > 200 and len(found.judged) == found.rules_run


def test_exports_are_checked_as_the_file_is(built: Path, settings: Settings) -> None:
    found = check(settings, built / "marts", built / "lake", artifacts=("leaderboard", "headline", "dim_models"))
    assert found.as_rows() == [] and found.rules_run > 20


@pytest.mark.parametrize(
    ("statement", "artifact", "rule"),
    [
        ("update leaderboard set score_numerator = score_numerator + 1, score = (score_numerator + 1) /"
         " score_denominator where model = 'made__greedy'", "leaderboard", "recounted"),
        ("update leaderboard set interval_low = interval_low - 0.01", "leaderboard", "intervals_recomputed"),
        ("update leaderboard set num_passed = 3 where model = 'made__sampler'", "leaderboard", "recounted"),
        ("delete from leaderboard where model = 'made__sampler' and metric = 'pass@5'", "leaderboard", "every_metric"),
        ("delete from leaderboard where model = 'made__greedy'", "leaderboard", "shown_or_refused"),
        ("create or replace table leaderboard as select * replace ('nan'::double as score) from leaderboard",
         "leaderboard", "finite"),
        ("create or replace table leaderboard as select * from leaderboard union all select * from leaderboard",
         "leaderboard", "key_is_unique"),
        ("create or replace table leaderboard as select * exclude (grader_id) from leaderboard",
         "leaderboard", "columns"),
        ("create or replace table leaderboard as select * replace ('other' as origin) from leaderboard",
         "leaderboard", "words"),
        ("update dim_models set is_osi_approved = not is_osi_approved where is_declared", "dim_models",
         "as_in_the_seed"),
        ("update dim_models set licence = null where is_declared", "dim_models", "licence_and_osi"),
        ("delete from seeds.models where model like 'qwen%'", "seed_models", "as_packaged"),
        ("update fct_rank_intervals set rank_low = rank_low + 1, rank = rank + 1, rank_high = rank_high + 1",
         "fct_rank_intervals", "order_of_scores"),
        ("update fct_failure_reasons set num_samples = num_samples + 1", "fct_failure_reasons",
         "adds_up_to_the_cell"),
        ("update fct_planning_curves set gap = gap * 2", "marts", "as_it_was_built"),
    ],
)  # fmt: skip
def test_a_mart_that_was_changed_after_its_build_is_named(
    copy: Path, settings: Settings, statement: str, artifact: str, rule: str
) -> None:
    with duckdb.connect(str(copy / "lake.duckdb")) as connection:
        connection.execute(statement).fetchall()
    assert f"{artifact}.{rule}" in _named(_checked(settings, copy, artifact))


def _rewritten(lake: Path, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """The live part of a table with other rows; its name and its entry stay."""
    part = Lake(lake).live_parts(table)[0]
    pq.write_table(change(pq.read_table(part, partitioning=None)), part)


def _set(name: str, value: object) -> Callable[[pa.Table], pa.Table]:
    def change(rows: pa.Table) -> pa.Table:
        listed = [*rows.to_pylist()]
        listed[0][name] = value
        return pa.Table.from_pylist(listed, schema=rows.schema)

    return change


@pytest.mark.parametrize(
    ("table", "change", "rule"),
    [
        ("results", _set("official_base_verdict", "sandbox_error"), "results.no_sandbox_error"),
        ("results", _set("official_base_verdict", "fail"), "results.reason_fits_verdict"),
        ("results", _set("trust_tier", "published"), "results.origin_fits_grader"),
        ("results", lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]), "results.stands_once"),
        ("results", _set("sample_id", b"x" * 16), "results.is_of_a_sample"),
        ("results", _set("is_unsafe", True), "leaderboard.nothing_unsafe"),
        ("samples", _set("sample_index", 99), "samples.index_below_n"),
        ("samples", _set("sample_id", b"x" * 16), "samples.id_is_digest"),
        ("samples", lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]), "samples.stands_once"),
        ("samples", lambda rows: rows.slice(1), "results.is_of_a_sample"),
        ("samples", _set("model", "made__somebody"), "samples.request_of_one_model"),
        ("tasks", lambda rows: rows.slice(1), "samples.has_its_task"),
        ("samples", lambda rows: rows.append_column("extra", pa.array([1] * len(rows))), "samples.columns"),
    ],
)
def test_rows_that_were_changed_after_the_build_are_named(
    copy: Path, settings: Settings, table: str, change: Callable[[pa.Table], pa.Table], rule: str
) -> None:
    _rewritten(copy / "lake", table, change)
    found = _checked(settings, copy, "samples", "results", "leaderboard")
    assert rule in _named(found)
    [finding] = [one for one in found.critical if f"{one.artifact}.{one.rule}" == rule]
    assert finding.num_rows >= 1 and 1 <= len(finding.offenders) <= 20


def test_marts_of_an_older_lake_are_named(copy: Path, settings: Settings) -> None:
    made_lake.write(copy / "lake", made_lake.all_rows(PLANS[:1]))
    assert "marts.of_this_lake" in _named(_checked(settings, copy, "marts"))


def test_a_check_that_cannot_be_made_is_critical(copy: Path, settings: Settings) -> None:
    with duckdb.connect(str(copy / "lake.duckdb")) as connection:
        connection.execute("drop table leaderboard").fetchall()
    found = _checked(settings, copy, "leaderboard", "headline")
    assert {"leaderboard.recounted", "leaderboard.columns", "headline.is_of_the_leaderboard"} <= _named(found)
    assert any("could not be made" in one.message for one in found.critical)


def test_a_number_that_moved_without_its_rows_is_critical_unless_it_is_accepted(copy: Path, settings: Settings) -> None:
    shutil.copy(copy / "lake.duckdb", copy / "was.duckdb")
    with duckdb.connect(str(copy / "was.duckdb")) as connection:
        connection.execute("update leaderboard set interval_low = interval_low - 0.01").fetchall()
    files = copy / "lake.duckdb", copy / "lake"
    id_ = "drift.moved_without_its_rows"
    assert _named(check(settings, *files, published=copy / "was.duckdb", artifacts=("drift",))) == {id_}
    accepted = check(settings, *files, published=copy / "was.duckdb", artifacts=("drift",), accept=(id_,))
    assert not accepted.critical and accepted.warnings
    same = check(settings, *files, published=copy / "marts", artifacts=("drift",))
    assert same.as_rows() == [] and same.rules_run == 3


def test_rows_that_changed_explain_a_number_and_an_older_schema_is_not_compared(copy: Path, settings: Settings) -> None:
    older = copy / "older"
    older.mkdir()
    with duckdb.connect(str(copy / "lake.duckdb"), read_only=True) as connection:
        for name, columns in (("moved", "* replace (num_passed - 1 as num_passed, score - 0.01 as score)"),
                              ("older", "* exclude (bootstrap_low)")):  # fmt: skip
            (older / name).mkdir()
            target = older / name / "leaderboard.parquet"
            connection.execute(f"copy (select {columns} from leaderboard) to '{target}'").fetchall()
    files = copy / "lake.duckdb", copy / "lake"
    found = check(settings, *files, published=older / "moved", artifacts=("drift",))
    assert [one.rule for one in found.findings] == ["moved"]
    found = check(settings, *files, published=older / "older", artifacts=("drift",))
    assert [(one.rule, one.severity) for one in found.findings] == [("not_comparable", "warning")]


def test_wrong_names_and_files_are_refused(built: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no artifact 'leaderbord'"):
        _checked(settings, built, "leaderbord")
    (tmp_path / "x.duckdb").write_text("no file of marts")
    with pytest.raises(BadInput, match="cannot be read as a file of marts"):
        check(settings, tmp_path / "x.duckdb", built / "lake")


def test_the_command_ends_in_4_and_writes_its_page(copy: Path, tmp_path: Path) -> None:
    words = ["check", "--scratch", str(tmp_path), "--lake", str(copy / "lake"), "--file", str(copy / "lake.duckdb"),
             "--artifact", "leaderboard", "--format", "json"]  # fmt: skip
    good = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert good.exit_code == 0 and json.loads(good.stdout) == []
    with duckdb.connect(str(copy / "lake.duckdb")) as connection:
        connection.execute("update leaderboard set num_passed = 1").fetchall()
    bad = CliRunner().invoke(cli, [*words, "--page", str(tmp_path / "page.html")])
    assert isinstance(bad.exception, GateFailed) and bad.exception.exit_code == 4
    assert {row["rule"] for row in json.loads(bad.stdout)} == {"recounted"}
    assert "leaderboard.recounted" in (tmp_path / "page.html").read_text()
