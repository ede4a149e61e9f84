"""Tables of many models, benchmarks outside, and files that say themselves what they are."""

import json

import pytest
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.errors import BadInput, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run
from benchforge.ingest.recorded import AUTO, Wanted, import_file, import_table, settled
from benchforge.runners import aggregate

TITLE, KEY = "SWE-bench Verified (mini)", "outside_swe_bench_verified_mini"


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


def _table(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _rows(model, solved, n=None, *, title=TITLE, num_problems=30, **more):
    """``solved`` problems of 30 solved; with ``n`` as counts, a half of the next problem's samples passed."""
    for number in range(num_problems):
        share = float(number < solved)
        row = {"benchmark_id": title, "model": model, "example_id": f"repo__{number}", "pass1": share, **more}
        if n is not None:
            passed = n // 2 if number == solved else int(share * n)
            row |= {"correct": passed, "count": n, "pass1": passed / n}
        yield row


def _bring(run, path, **said):
    return import_table(run, path, settled(path, Wanted(AUTO, said.pop("benchmark", None), **said)))


def test_a_table_of_a_benchmark_outside_becomes_verdicts_of_every_model(run, tmp_path):
    rows = [*_rows("agent one (n=1)", 12), *_rows("org--two", 20, 4), *_rows("three+cot", 3)]
    imported = _bring(run, _table(tmp_path / "x.log", rows))
    assert len(imported.shard_ids) == 3 and f"3 models on 30 problems of {TITLE}" in imported.summary
    results = run.lake.read("results").to_pylist()
    passed = {row["model"]: 0 for row in results}
    for row in results:
        passed[row["model"]] += row["official_base_verdict"] == "pass"
    assert passed == {"unknown__agent-one": 12, "org__two": 20 * 4 + 2, "unknown__three": 3}
    assert {row["benchmark"] for row in results} == {KEY} and {row["origin"] for row in results} == {"published"}
    (cells,) = {row["pinned_cells"] for row in run.lake.read("tasks").to_pylist()}
    assert cells == "default:full=30"
    before = sorted(path for path in run.lake.root.rglob("*.parquet") if "runs" not in str(path))
    _bring(run, tmp_path / "x.log")
    assert before == sorted(path for path in run.lake.root.rglob("*.parquet") if "runs" not in str(path))


def test_shares_whose_samples_nobody_counted_stay_means_until_somebody_does(run, tmp_path):
    rows = [row | {"pass1": 0.25 if row["pass1"] else 0.0} for row in _rows("m", 8)]
    path = _table(tmp_path / "x.jsonl", rows)
    imported = _bring(run, path)
    assert "1 as means" in imported.summary and "--num-samples N" in imported.notes[0]
    assert run.lake.read("results").num_rows == 0 and run.lake.read("problem_means").num_rows == 30
    counted = _bring(Run(tmp_path / "other", Lake(tmp_path / "other_lake")), path, num_samples=4)
    assert "1 with verdicts" in counted.summary
    third = _bring(Run(tmp_path / "third", Lake(tmp_path / "third_lake")), path, num_samples=3)
    assert "1 as means" in third.summary  # a quarter of three samples is no count


def test_a_table_of_one_of_ours_goes_by_our_problems_and_of_two_parts_stays_outside(run, tmp_path):
    ids = known_task_ids("humaneval", "v1", "default")
    rows = [{"benchmark_id": "humaneval", "model": "m", "example_id": one.replace("/", ""), "pass1": 1} for one in ids]
    assert "(humaneval v1 default)" in _bring(run, _table(tmp_path / "a", rows)).summary
    strange = _table(tmp_path / "b", [*rows[1:], rows[0] | {"example_id": "HumanEval/999"}])
    with pytest.raises(BadInput, match="does not have 1 task"):
        _bring(run, strange)
    plus = _table(tmp_path / "c", _rows("m", 3, title="mbpp+"))
    assert "outside_mbpp_plus" in _bring(run, plus).summary
    with pytest.raises(UsageError, match="judged in two parts"):
        _bring(run, plus, benchmark="mbppplus")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pass1": 1.5}, "line 31: pass1 is 1.5"),
        ({"correct": 3, "count": 2, "pass1": 1}, "line 31: 3 of 2 is not"),
        ({"correct": 1.5, "count": 2, "pass1": 0.75}, "correct is 1.5, no whole number"),
        ({"benchmark_id": "other"}, "line 31: the benchmark is 'other', before it was"),
        ({"example_id": "repo__3"}, "line 31: m on repo__3 stands in line 4 already"),
        ({"model": "m!"}, "'m' and 'm!' would both be unknown__m"),
        ({"model": "other"}, "is not whole: 30 of 31 tasks missing|31 tasks missing|not whole"),
    ],
)
def test_what_cannot_be_right_in_a_table_is_refused_before_anything_is_written(run, tmp_path, change, said):
    rows = list(_rows("m", 3))
    path = _table(tmp_path / "x", [*rows, rows[0] | {"example_id": "repo__99"} | change])
    with pytest.raises(BadInput, match=said) as caught:
        _bring(run, path)
    assert "\n" not in caught.value.message and not run.lake.root.exists() and not run.root.exists()


def test_a_file_says_its_benchmark_model_and_sampling(run, tmp_path):
    row = {"doc_id": 0, "doc": {"task_id": 2, "test_list": ["assert f()"], "test": "x"}, "filter": "none"}
    asked = {"gen_args_0": {"arg_0": "p", "arg_1": {"temperature": 0.5, "max_gen_toks": 99}}}
    row |= {"resps": [["x"]], "filtered_resps": ["x"], "metrics": ["pass_at_1"], "pass_at_1": 1.0, "arguments": asked}
    path = _table(tmp_path / "x", [row])
    wanted = settled(path, Wanted(AUTO, None, "org/m", is_partial=True))
    assert (wanted.format_name, wanted.benchmark) == ("lm-eval-samples", "mbppplus")
    imported = import_file(run, path, wanted, tmp_path / "datasets")
    (sample,) = run.lake.read("samples").to_pylist()
    assert (sample["task_id"], sample["temperature"], sample["max_tokens"]) == ("Mbpp/2", 0.5, 99)
    # one verdict on whatever the tool ran is none on the base tests
    assert run.lake.read("results").num_rows == 0 and any("only the texts are taken" in note for note in imported.notes)


def test_rows_that_name_no_problem_are_taken_by_their_place_only_where_somebody_says_so(run, tmp_path):
    ids = known_task_ids("humaneval", "v1", "default")
    path = tmp_path / "x.json"
    path.write_text(json.dumps({str(place): {"origin_prompt": "p", "prediction": "x"} for place in range(len(ids))}))
    wanted = settled(path, Wanted(AUTO, "humaneval", "org/m"))
    with pytest.raises(BadInput, match="names no problem") as caught:
        import_file(run, path, wanted, tmp_path / "datasets")
    assert "--by-position" in caught.value.hint
    by_place = Wanted(wanted.format_name, "humaneval", "org/m", is_by_position=True)
    import_file(run, path, by_place, tmp_path / "datasets")
    assert {row["task_id"] for row in run.lake.read("samples").to_pylist()} == set(ids)
    path.write_text(json.dumps({str(place): {"origin_prompt": "p", "prediction": "x"} for place in range(9)}))
    with pytest.raises(BadInput, match="has 9 places, and of humaneval v1 164 problems are known"):
        import_file(run, path, by_place, tmp_path / "datasets")


def test_places_are_names_on_a_benchmark_outside(run, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"0": {"origin_prompt": "p", "prediction": "x"}}))
    import_file(run, path, settled(path, Wanted(AUTO, "outside_math", "org/m")), tmp_path / "datasets")
    (sample,) = run.lake.read("samples").to_pylist()
    assert (sample["benchmark"], sample["task_id"], sample["raw_text"]) == ("outside_math", "0", "x")


def test_a_score_file_is_refused_with_what_it_states(run, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"pass@1": 0.25, "split": "complete", "subset": "hard"}))
    wanted = settled(path, Wanted(AUTO, None, "org/m"))
    with pytest.raises(BadInput, match=r"states scores \(pass@1 25.00\) and holds no sample"):
        import_file(run, path, wanted, tmp_path / "datasets")


@pytest.mark.slow
def test_a_benchmark_outside_gets_intervals_comparisons_and_ranks(run, tmp_path):
    """From a table to the leaderboard: what an agentic benchmark's published rows are worth."""
    import duckdb

    rows = [*_rows("good", 24), *_rows("better", 26), *_rows("poor", 4)]
    _bring(run, _table(tmp_path / "x.jsonl", rows))
    marts = tmp_path / "marts.duckdb"
    aggregate.build(run.lake.root, marts)
    with duckdb.connect(str(marts), read_only=True) as connection:
        board = connection.sql(
            "select model, score, interval_low, interval_high, rank_low, rank_high, could_be_first from headline "
            f"where benchmark = '{KEY}' order by score desc"
        ).fetchall()
        pairs = connection.sql(
            "select model, other_model, p_value from fct_model_comparisons where metric = 'pass@1'"
        ).fetchall()
        (known,) = connection.sql(
            "select kind, trust_tier from dim_benchmarks where starts_with(benchmark, 'out')"
        ).fetchall()
    assert [row[:2] for row in board] == [
        ("unknown__better", pytest.approx(26 / 30)),
        ("unknown__good", pytest.approx(24 / 30)),
        ("unknown__poor", pytest.approx(4 / 30)),
    ]
    assert all(low < score < high for _, score, low, high, *_ in board)
    assert [row[4:] for row in board] == [(1, 2, True), (1, 2, True), (3, 3, False)]
    values = {frozenset(pair[:2]): pair[2] for pair in pairs}
    assert len(values) == 3 and values[frozenset(("unknown__good", "unknown__better"))] > 0.05
    assert values[frozenset(("unknown__poor", "unknown__better"))] < 0.001
    assert known == ("suite", "published")
