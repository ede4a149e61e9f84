"""The bundled verdicts give back every published figure; straight from Parquet, by DuckDB, with no code of ours."""

import csv
import math
from pathlib import Path

import pytest
from benchforge.ingest import keys, schemas
from benchforge.ingest.bundled import recorded
from benchforge.ingest.lake import arrow_schema

PUBLISHED = recorded.SEEDS / "published_scores.csv"
SOURCES = recorded.SEEDS / "sources.csv"
MAX_BUNDLED_BYTES = 5_000_000

SCORES = """
with tasks as (
    select model, benchmark, scenario, protocol, temperature, task_id,
        any_value(num_planned) as n,
        count(*) as num_rows,
        count(*) filter (official_base_reason is distinct from 'empty') as num_kept,
        count(*) filter (official_base_verdict = 'pass') as c
    from read_parquet('{lake}/data/**/*.parquet', union_by_name = true, hive_partitioning = false)
    group by all
),
fractions as (
    select *, unnest([1, 5]) as k
    from tasks
)
select model, benchmark, scenario, protocol, temperature, k,
    count(*) as num_problems,
    any_value(n) as num_samples,
    bool_and(num_rows = n) as is_whole,
    100 * avg(case when c = 0 then 0 else 1 - list_product(list_transform(range(k), lambda i:
        greatest(num_kept - c - i, 0) / (num_kept - i)::double)) end) as over_kept,
    100 * avg(1 - list_product(list_transform(range(k), lambda i:
        greatest(n - c - i, 0) / (n - i)::double))) as over_planned,
    sum(n) - sum(num_kept) as num_dropped
from fractions
group by model, benchmark, scenario, protocol, temperature, k
"""


@pytest.fixture(scope="module")
def figures():
    with PUBLISHED.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def scores():
    import duckdb

    with duckdb.connect() as connection:
        result = connection.sql(SCORES.format(lake=recorded.LAKE))
        names = [column[0] for column in result.description]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return {tuple(str(row[name]) for name in KEY): row for row in rows}


KEY = ("model", "benchmark", "scenario", "protocol", "temperature", "k")


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def test_every_published_figure_is_recomputed_to_its_printed_digits(figures, scores):
    assert len(figures) == 186  # two metrics of 70 + 23 files
    for figure in figures:
        score = scores[tuple(figure[name] for name in KEY)]
        assert score["is_whole"], figure
        assert (score["num_problems"], score["num_samples"]) == (
            int(figure["num_problems"]),
            int(figure["num_samples"]),
        )
        if int(figure["num_samples"]) < int(figure["k"]):
            assert (figure["recomputed"], figure["recomputed_strict_n"]) == ("", "")
            continue
        assert math.isclose(score["over_kept"], float(figure["published"]), abs_tol=1e-9), figure
        assert f"{score['over_kept']:.6f}" == figure["recomputed"]
        assert f"{score['over_planned']:.6f}" == figure["recomputed_strict_n"]


def test_the_leaderboard_page_prints_the_same(figures):
    printed = [figure for figure in figures if figure["leaderboard"]]
    assert len(printed) == 70
    for figure in printed:
        decimals = _decimals(figure["leaderboard"])
        # half a unit of the last printed digit; the page rounds binary halves either way
        assert abs(float(figure["recomputed"]) - float(figure["leaderboard"])) <= 0.5 * 10**-decimals + 1e-9, figure


EXCEPTIONS = {
    ("unknown__claude-3-opus-20240229", scenario, protocol, 5): "1 samples is no estimate"
    for scenario in ("cruxeval_i", "cruxeval_o")
    for protocol in ("direct", "cot")
}
EXCEPTIONS |= {
    ("unknown__gpt-4o", scenario, protocol, 5): "3 samples is no estimate"
    for scenario in ("cruxeval_i", "cruxeval_o")
    for protocol in ("direct", "cot")
}
EXCEPTIONS |= {
    ("unknown__gpt-4o", "cruxeval_i", "cot", 1): "243 of 2400 answers out of the denominator",
    ("unknown__gpt-4o", "cruxeval_o", "cot", 1): "5 of 2400 answers out of the denominator",
}


def test_known_exceptions_and_no_others(figures):
    found = {
        (figure["model"], figure["scenario"], figure["protocol"], int(figure["k"])): figure["exception_reason"]
        for figure in figures
        if figure["is_exception"] == "true"
    }
    assert set(found) == set(EXCEPTIONS)
    for key, reason in found.items():
        assert EXCEPTIONS[key] in reason
    for figure in figures:
        if figure["is_exception"] == "false":
            assert figure["recomputed"] == figure["recomputed_strict_n"], figure


def test_unanswered_means_wrong_in_the_strict_number(scores):
    score = scores["unknown__gpt-4o", "cruxeval", "cruxeval_i", "cot", "0.2", "1"]
    assert (round(score["over_kept"], 4), round(score["over_planned"], 4)) == (75.5625, 66.2083)
    assert score["num_dropped"] == 243


def test_parts_hold_facts_in_declared_types_and_no_texts():
    import pyarrow.parquet as pq

    declared = {field.name: field for table in ("samples", "results") for field in arrow_schema(table)}
    required = {*schemas.TABLES["samples"].required(), *schemas.TABLES["results"].required()} - {"sample_id"}
    parts = sorted(recorded.LAKE.glob("data/**/*.parquet"))
    assert len(parts) == 30
    for part in parts:
        found = pq.read_schema(part)
        assert required <= set(found.names) <= set(declared), part
        assert not {"raw_text", "answer", "reasoning", "sample_id"} & set(found.names)
        assert all(field.type == declared[field.name].type for field in found)
    assert sum(path.stat().st_size for path in recorded.LAKE.rglob("*.parquet")) < MAX_BUNDLED_BYTES / 2


def test_every_row_names_a_listed_source_and_its_licence():
    import duckdb

    with SOURCES.open(newline="") as stream:
        listed = {(row["source"], row["licence"], row["benchmark"]) for row in csv.DictReader(stream)}
    with duckdb.connect() as connection:
        found = connection.sql(
            "select distinct source, licence, benchmark, grader_id, origin, trust_tier, is_unsafe"
            f" from read_parquet('{recorded.LAKE}/data/**/*.parquet', union_by_name = true)"
        ).fetchall()
    assert {row[:3] for row in found} == listed
    assert {row[3:] for row in found} == {
        (f"published:{source}", "published", "published", False) for source, *_ in listed
    }


def test_keys_are_unique_and_computable_in_sql():
    import duckdb

    with duckdb.connect() as connection:
        total, distinct, example = connection.sql(
            "select count(*), count(distinct id), min((id, scenario, task_id, request_digest, sample_index)) from ("
            " select *, unhex(left(sha256("
            "concat_ws('|', benchmark, scenario, task_id, request_digest, sample_index)), 32)) as id"
            f" from read_parquet('{recorded.LAKE}/data/benchmark=cruxeval/**/*.parquet'))"
        ).fetchall()[0]
    assert total == distinct == 62 * 8000 + 4 * 2400 + 4 * 800
    sample_id, *parts = example
    assert sample_id == keys.sample_id("cruxeval", *parts)


def test_tasks_lie_beside_the_verdicts():
    import duckdb

    with duckdb.connect() as connection:
        counts = connection.sql(
            "select benchmark, scenario, count(*), count(distinct source_problem), count(contest_date)"
            f" from read_parquet('{recorded.LAKE}/tasks/**/*.parquet', union_by_name = true)"
            " group by all order by all"
        ).fetchall()
    assert counts == [
        ("cruxeval", "cruxeval_i", 800, 800, 0),
        ("cruxeval", "cruxeval_o", 800, 800, 0),
        ("livecodebench", "execution", 479, 92, 479),
    ]


@pytest.mark.slow
def test_the_bundle_is_what_its_builder_makes(shared_data: Path, tmp_path: Path):
    built = recorded.build(shared_data, tmp_path / "lake", tmp_path)
    names = {path.relative_to(tmp_path / "lake"): path.read_bytes() for path in built}
    committed = {path.relative_to(recorded.LAKE): path.read_bytes() for path in recorded.LAKE.rglob("*.parquet")}
    assert set(names) == set(committed)
    assert names == committed
    assert (tmp_path / "published_scores.csv").read_text() == PUBLISHED.read_text()
