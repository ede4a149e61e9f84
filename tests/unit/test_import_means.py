"""Means by problem: every model of a file in a table of its own, never samples, never verdicts."""

import json

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, ConfigurationChanged, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import Wanted, import_means

DAY = 1_683_504_000_000
"""2023-05-08 in milliseconds."""


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


@pytest.fixture
def load(run, tmp_path):
    """load(rows, scenario, **what the user says) -> ImportedMeans"""

    def importer(rows, scenario="generation", *, is_dry_run=False, **said):
        path = tmp_path / "performances.json"
        path.write_text(json.dumps({"performances": rows} if isinstance(rows, list) else rows))
        wanted = Wanted("livecodebench-means", "livecodebench", scenario=scenario, **said)
        return import_means(run, path, wanted, is_dry_run=is_dry_run)

    return importer


def _everything(run):
    return {path: path.read_bytes() for root in (run.root, run.lake.root) for path in root.rglob("*") if path.is_file()}


def _generation(models=("A",), **changed):
    """Release 1, every mean 20 percent; ``changed`` goes into the first row."""
    ids = known_task_ids("livecodebench", "release_v1", "generation")
    rows = [
        {"question_id": i, "model": m, "date": DAY, "difficulty": "easy", "pass@1": 20.0} for m in models for i in ids
    ]
    return [{**rows[0], **changed}, *rows[1:]]


def _execution(cot):
    return [
        {
            "model": "A",
            "sample_id": f"sample_{i}",
            "question_id": 2777,
            "Pass@1": 100 / 9,
            "date": DAY,
            "Pass@1-COT": cot,
        }
        for i in range(479)
    ]


def test_a_mean_is_a_row_with_what_the_file_says_of_it(run, load):
    imported = load(_generation(**{"pass@1": 200 / 9}), source="owner/name@0123abc", licence="MIT")
    rows = {row["task_id"]: row for row in run.lake.read("problem_means").to_pylist()}
    row = rows[_generation()[0]["question_id"]]
    assert (len(rows), row["model"], row["protocol"], row["metric"]) == (400, "unknown__A", "direct", "pass@1")
    assert (row["mean"], row["stated_percent"]) == (200 / 9 / 100, "22.22222222222222")
    assert (str(row["recorded_date"]), row["contest_date"], row["stratum"]) == ("2023-05-08", None, "easy")
    assert (row["num_samples"], row["cluster"], row["dataset_version"]) == (None, None, "release_v1")
    assert (row["source"], row["licence"], row["shard_id"]) == ("owner/name@0123abc", "MIT", *imported.shard_ids)
    assert run.lake.read("samples").num_rows == run.lake.read("results").num_rows == 0
    (attempt,) = run.lake.read("runs").to_pylist()
    assert (attempt["num_rows"], attempt["num_planned"], attempt["cause"]) == (400, None, "done")


def test_models_and_protocols_are_shards_and_the_same_file_twice_changes_nothing(run, load):
    first = load(_generation(("A", "B")))
    assert len(first.shard_ids) == 2 and first.is_new
    before = _everything(run)
    again = load(_generation(("A", "B")))
    assert not again.is_new and again.shard_ids == first.shard_ids
    assert _everything(run) == before


def test_one_model_of_a_file_can_be_taken(run, load):
    load(_generation(("A", "B")), model="B")
    assert set(run.lake.read("problem_means").column("model").to_pylist()) == {"unknown__B"}


def test_minus_one_means_not_run_and_a_chain_of_thought_is_a_protocol(run, load):
    imported = load(_execution(cot=-1.0), "execution")
    assert "A (cot) was not run on 479 tasks: left out" in imported.notes
    assert set(run.lake.read("problem_means").column("protocol").to_pylist()) == {"direct"}
    load([{**row, "model": "B"} for row in _execution(cot=0.0)], "execution")
    ways = run.lake.read("problem_means", ["model", "protocol", "metric"]).to_pylist()
    assert {tuple(way.values()) for way in ways if way["model"] == "unknown__B"} == {
        ("unknown__B", "direct", "Pass@1"),
        ("unknown__B", "cot", "Pass@1-COT"),
    }


@pytest.mark.parametrize(("said", "expected"), [({}, {1}), ({"num_samples": 10}, {10})])
def test_a_number_of_samples_in_the_name_is_a_fact_and_no_name(run, load, said, expected):
    load(_generation(("A (N=1)",)), **said)
    rows = run.lake.read("problem_means").to_pylist()
    assert {row["model"] for row in rows} == {"unknown__A"} and {row["num_samples"] for row in rows} == expected


def test_rows_of_one_problem_without_ids_are_numbered_in_file_order(run, load):
    rows = [
        {"question_id": str(2727 + i // 2), "model": m, "date": DAY, "difficulty": "easy", "pass@1": 10.0 * (i % 2)}
        for m in ("A", "B")
        for i in range(442)
    ]
    load(rows, "testgen")
    found = run.lake.read("problem_means").to_pylist()
    means = {row["task_id"]: row["mean"] for row in found if row["model"] == "unknown__B"}
    assert len(means) == 442 and (means["2727/0"], means["2727/1"]) == (0.0, 0.1)
    assert {row["source_problem"] for row in found} == {str(2727 + i) for i in range(221)}


_STRANGER = {"question_id": "nowhere"}


@pytest.mark.parametrize(
    ("rows", "said", "message"),
    [
        ({}, {}, "no list 'performances'"),
        ({"performances": []}, {}, "no list 'performances'"),
        ([5], {}, "no list 'performances' of objects"),
        ([{"model": "A", "question_id": "1873_A"}], {}, "'pass@1' of 'A' on 1873_A is missing"),
        *((_generation(**{"pass@1": v}), {}, "no percentage") for v in (101, -2, True, "50", None, float("nan"))),
        (_generation(model=None), {}, "field 'model' is NoneType"),
        (_generation(model="a b"), {}, "no model name"),
        (_generation(difficulty=3), {}, "field 'difficulty' is int"),
        (_generation(date="2023-05-08"), {}, "is no date"),
        (_generation(date=1e30), {}, "is no date"),
        (_generation(**_STRANGER), {}, r"does not have 1 problems of unknown__A \(direct\) \(nowhere\)"),
        (_generation(**_STRANGER), {"is_partial": True}, "does not have 1 problems"),
        ([*_generation(), _generation()[0]], {"is_partial": True}, "has a problem twice"),
        (_generation()[1:], {"version_name": "release_v1"}, "1 of 400 problems of unknown__A"),
        (_generation(), {"temperature": 0.2}, "--temperature has no use"),
        (_generation(), {"text_form": "raw"}, "--text-form has no use"),
        (_generation(), {"model": "C"}, "holds no mean of unknown__C"),
        (_generation(), {"source": "somewhere"}, "is no source"),
        (_generation(), {"scenario": None}, "several scenarios"),
        (_generation(), {"scenario": "execution"}, "field 'sample_id' is missing"),
    ],
)
def test_what_is_no_mean_is_one_sentence_and_nothing_is_written(load, tmp_path, rows, said, message):
    with pytest.raises((BadInput, UsageError), match=message) as caught:
        load(rows, **said)
    assert "\n" not in caught.value.message
    assert not (tmp_path / "run").exists() and not (tmp_path / "lake").exists()


def test_a_part_of_the_problems_is_taken_where_that_is_said(run, load):
    imported = load(_generation()[1:], version_name="release_v1", is_partial=True)
    assert run.lake.read("problem_means").num_rows == 399
    assert "recorded as missing: 1 of 400 problems of unknown__A (direct) missing" in imported.notes


def test_dry_run_writes_nothing(load, tmp_path):
    assert load(_generation(), is_dry_run=True).summary.startswith("would import")
    assert not (tmp_path / "run").exists() and not (tmp_path / "lake").exists()


def test_another_source_of_the_same_file_is_refused_by_the_field(load):
    load(_generation(), source="owner/name@0123abc")
    with pytest.raises(ConfigurationChanged, match=r"comparability_digest|request|source"):
        load(_generation(), source="owner/name@0123abd")


def test_a_lake_without_the_rows_gets_them_whatever_the_run_remembers(run, load, tmp_path):
    load(_generation())
    other = Run(run.root, Lake(tmp_path / "second"))
    wanted = Wanted("livecodebench-means", "livecodebench", scenario="generation")
    assert import_means(other, tmp_path / "performances.json", wanted).is_new
    assert other.lake.read("problem_means").num_rows == 400


def test_a_published_lake_has_the_table_beside_its_samples(run, load, tmp_path):
    from benchforge.ingest.lake import EMPTY_PARTS
    from benchforge.macros.udfs import lake_files

    load(_generation())
    published = tmp_path / "published"
    (published / "data").mkdir(parents=True)
    (run.lake.root / "problem_means").rename(published / "problem_means")
    parts = sorted(map(str, (published / "problem_means").rglob("*.parquet")))
    files = [str(EMPTY_PARTS / "problem_means.parquet"), *parts]
    assert parts and lake_files(str(published), "problem_means") == {"form": "published", "files": files}


def test_samples_without_a_model_are_refused_by_the_option(run, tmp_path):
    from benchforge.ingest.recorded import import_file

    with pytest.raises(UsageError, match="does not name its model"):
        import_file(run, tmp_path / "x", Wanted("evalplus", "humanevalplus"), tmp_path / "datasets")


def test_the_command_prints_a_shard_per_model_and_lists_the_formats(tmp_path):
    from benchforge.ingest.formats import means_registry, registry
    from benchforge.runners.cli.main import cli
    from click.testing import CliRunner

    path = tmp_path / "performances.json"
    path.write_text(json.dumps({"performances": _generation(("A", "B"))}))
    options = ["--benchmark", "lcb", "--scenario", "generation", "--scratch", str(tmp_path / "s")]
    result = CliRunner().invoke(cli, ["import", "livecodebench-means", str(path), *options], catch_exceptions=False)
    assert result.exit_code == 0 and len(result.stdout.split()) == 2
    assert "800 means of 2 models on livecodebench release_v1 generation" in result.stderr
    status = CliRunner().invoke(cli, ["status", "--format", "json", "--scratch", str(tmp_path / "s")])
    assert [(row["samples"], row["score"]) for row in json.loads(status.stdout)] == [("", "import-only")] * 2
    shown = CliRunner().invoke(cli, ["import", "--help"]).output
    joined = "".join(shown.split())  # a name may be broken over two lines
    assert [name for name in (*registry(), *means_registry()) if name not in joined] == []
