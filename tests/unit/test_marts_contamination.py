"""Scopes by date and the contamination marts, on the recorded LiveCodeBench sets where the shared data is there."""

import datetime
import gzip
import json

import pytest
from benchforge.ingest.benchmarks.errata import errata
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import Wanted, import_file, import_means
from benchforge.runners import aggregate

O1, QWEN, SUSPECT, OLDER, CODEQWEN = (
    f"unknown__{name}"
    for name in ("O1-Mini-2024-09-12", "Qwen2.5-Ins-7B", "DSCoder-33b-Base", "GPT-3.5-Turbo-0301", "CodeQwen15-7B-Chat")
)
VARIABLES = {
    # the days that docs of the reference values name; the seed knows other ones, or none
    "model_cutoffs": {SUSPECT: "2023-08-31", CODEQWEN: "2023-08-31"},
    "windows": {
        "early": ["2023-05-01", "2024-03-31"],
        "late": ["2024-08-01", "2025-01-31"],
        "ever": ["2023-01-01", "2026-01-01"],
        "future": ["2026-01-01", "2027-01-01"],
    },
}
pytestmark = pytest.mark.slow

MARTS = ("fct_contamination", "fct_contamination_differences", "leaderboard", "fct_refusals")


@pytest.fixture(scope="module")
def connection(shared_data, tmp_path_factory):
    """An open file of marts over both graded sets and the leaderboard's means of code generation."""
    folder, data = tmp_path_factory.mktemp("contamination"), shared_data / "livecodebench"
    run = Run(folder / "run", Lake(folder / "lake"))
    for model in (O1, QWEN):
        file = data / "codegen" / f"{model.removeprefix('unknown__')}.jsonl.gz"
        import_file(run, file, Wanted("livecodebench", "lcb_codegen", model), folder / "datasets")
    means = Wanted("livecodebench-means", "livecodebench", scenario="generation", source="made/up@0000000")
    import_means(run, data / "performances" / "generation.json.gz", means)
    _build(run.lake.root, folder / "marts.duckdb", folder / "target")
    with aggregate.opened(folder / "marts.duckdb") as opened:
        yield opened


def _build(lake, path, target):
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    variables = {"lake_root": str(lake), "duckdb_path": str(path), **VARIABLES}
    folders = [f"--project-dir={aggregate.PROJECT}", f"--profiles-dir={aggregate.PROJECT}", f"--target-path={target}"]
    quiet = ["--log-level=none", "--log-level-file=none", f"--log-path={target}", "--target=local"]
    select = [
        "--indirect-selection=cautious",
        "--select",
        *(f"+{mart}" for mart in MARTS),
        "--exclude-resource-type=unit_test",
    ]
    try:
        outcome = dbtRunner().invoke(["build", *folders, *quiet, *select, "--vars", json.dumps(variables)])
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert outcome.success, [
        (result.node.name, result.message)
        for result in outcome.result.results
        if result.status not in ("success", "pass")
    ]


@pytest.fixture(scope="module")
def graded(shared_data):
    """Per model: question -> (day, passes), read from the file itself."""
    found = {}
    for model in (O1, QWEN):
        file = shared_data / "livecodebench" / "codegen" / f"{model.removeprefix('unknown__')}.jsonl.gz"
        with gzip.open(file, "rt") as stream:
            rows = [json.loads(line) for line in stream]
        found[model] = {
            row["question_id"]: (datetime.date.fromisoformat(row["contest_date"][:10]), int(row["graded_list"][0]))
            for row in rows
        }
    return found


def _scopes(connection, model):
    query = (
        "select scope, num_problems, score_numerator::bigint from leaderboard where model = ? and metric = 'pass@1'"
        " and verdict = 'official' and is_headline_test_set order by scope"
    )
    return {scope: (num, passed) for scope, num, passed in connection.execute(query, [model]).fetchall()}


def _refusals(connection, **wanted):
    where = " and ".join(f"{name} = ?" for name in wanted)
    query = f"select distinct model, scope, reason, differing_fields from fct_refusals where {where} order by all"
    return connection.execute(query, list(wanted.values())).fetchall()


def test_windows_and_clean_hold_the_problems_of_their_days(connection, graded):
    cutoff = datetime.date(2023, 10, 31)
    clean = [passed for day, passed in graded[O1].values() if day > cutoff]
    scopes = _scopes(connection, O1)
    assert scopes["all"] == (880, 602)
    assert scopes["clean"] == (len(clean), sum(clean))
    assert (scopes["window_early"], scopes["window_late"]) == ((439, 341), (279, 145))
    scopes = _scopes(connection, QWEN)
    assert (scopes["window_early"], scopes["window_late"]) == ((439, 149), (323, 45))
    # every problem lies in it: the scope would repeat `all`
    assert "window_ever" not in scopes


def test_an_older_release_is_a_scope_of_the_newest_one(connection, graded):
    scopes = _scopes(connection, QWEN)
    sizes = {scope: num for scope, (num, _) in scopes.items() if scope.startswith("release")}
    # the other file is of release 5, so its problems are known; no file says which are older
    assert sizes == {"release_v5": 880}
    assert scopes["release_v5"][1] == sum(
        passed for question, (_, passed) in graded[QWEN].items() if question in graded[O1]
    )


def test_errata_are_left_out_in_a_scope_of_their_own(connection, graded):
    wrong = {
        task_id for benchmark, version, task_id in errata() if (benchmark, version) == ("livecodebench", "release_v6")
    }
    left = [passed for question, (_, passed) in graded[QWEN].items() if question not in wrong]
    assert len(wrong) == 17
    assert _scopes(connection, QWEN)["without_errata"] == (len(left), sum(left)) != (1055, 252)


def test_scopes_without_problems_are_refused_and_say_why(connection):
    assert _refusals(connection, scope="clean", metric="all") == [(QWEN, "clean", "unknown_cutoff", ["cutoff_date"])]
    assert _refusals(connection, scope="window_future", metric="all") == [
        (model, "window_future", "no_problems_in_scope", ["contest_date"]) for model in (O1, QWEN)
    ]


def test_months_add_up_to_the_cell(connection, graded):
    query = (
        "select month, num_problems, score, is_after_cutoff from fct_contamination"
        " where model = ? and score_kind = 'verdicts' order by month"
    )
    months = connection.execute(query, [O1]).fetchall()
    assert sum(num for _, num, _, _ in months) == 880
    for month, num, score, is_after in months:
        passes = [passed for day, passed in graded[O1].values() if day.replace(day=1) == month]
        assert (num, score) == (len(passes), sum(passes) / len(passes))
        assert is_after is (month > datetime.date(2023, 10, 31))
    assert {after for *_, after in connection.execute(query, [QWEN]).fetchall()} == {None}


def test_differences_in_differences_are_the_reference_values(connection):
    query = (
        "select difference_in_differences, se, num_before, num_after, design from fct_contamination_differences"
        " where model = ? and reference = ?"
    )
    ((estimate, se, *counts, design),) = connection.execute(query, [SUSPECT, OLDER]).fetchall()
    assert (estimate, se) == (pytest.approx(-0.247064299404, abs=1e-12), pytest.approx(0.045463345884, abs=1e-12))
    assert (counts, design) == ([162, 238], "difficulty strata, contests as clusters")
    ((estimate, se, *_),) = connection.execute(query, [CODEQWEN, OLDER]).fetchall()
    assert (estimate, se) == (pytest.approx(-0.077939386281, abs=1e-12), pytest.approx(0.055968543754, abs=1e-12))


def test_models_without_a_known_cutoff_are_named_once(connection):
    named = _refusals(connection, metric="difference_in_differences", benchmark="livecodebench")
    reasons = {model: reason for model, _, reason, _ in named}
    assert len(named) == len(reasons)
    assert reasons[QWEN] == "unknown_cutoff"
    # alone on its release: nobody to compare the fall with
    assert reasons[O1] == "no_reference_model"
    assert SUSPECT not in reasons and OLDER not in reasons


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"windows": {"spring": ["2024-02-01", "2024-02-30"]}}, "variable windows: spring"),
        ({"model_cutoffs": {"m": "2024"}}, "variable model_cutoffs: m: 2024 is no day"),
    ],
)
def test_a_wrong_day_is_one_sentence(tmp_path, variables, said):
    from dbt.cli.main import dbtRunner

    variables = {"duckdb_path": str(tmp_path / "marts.duckdb"), **variables}
    folders = [f"--project-dir={aggregate.PROJECT}", f"--profiles-dir={aggregate.PROJECT}", f"--target-path={tmp_path}"]
    quiet = ["--log-level=none", "--log-level-file=none", f"--log-path={tmp_path}", "--target=local"]
    outcome = dbtRunner().invoke(["parse", *folders, *quiet, "--vars", json.dumps(variables)])
    assert not outcome.success and said in str(outcome.exception)
