"""The audit of public boards: who can be told apart, which numbers are counts, which sets are found, equal bytes."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import duckdb
import pytest
from benchforge.ingest.benchmarks import registry
from benchforge.ingest.errors import BadInput
from benchforge.runners.ask.audit.known import known_causes
from benchforge.runners.ask.boards.boards import BOARDS, OFFICIAL, RECORDED, rows_of
from benchforge.runners.ask.boards.causes import RULES, Difference, cause_of
from benchforge.runners.ask.boards.differences import Regraded, not_reached
from benchforge.runners.ask.boards.document import document
from benchforge.runners.ask.boards.figures import BoardFigures, Figures, TotalsFigures, figures, moved, shares
from benchforge.runners.ask.boards.neighbours import num_told, standings
from benchforge.runners.ask.boards.recorded_sets import SETS, recorded_files
from benchforge.runners.ask.boards.totals import BOARDS as TOTALS_BOARDS
from benchforge.runners.ask.boards.totals import is_possible, share_possible, totals


def _scores(**passed):
    return {name: {f"t{n:03}": float(n < count) for n in range(200)} for name, count in passed.items()}


def test_neighbours_far_apart_are_told_and_near_ones_are_not():
    rows = standings(_scores(a=180, b=178, c=60))
    assert [(row.name, row.rank) for row in rows] == [("a", 1), ("b", 2), ("c", 3)]
    assert [(row.is_told_before, row.is_told_after) for row in rows] == [(False, False), (True, True), (None, None)]
    assert [(row.rank_low, row.rank_high) for row in rows] == [(1, 2), (1, 2), (3, 3)]
    assert num_told(rows) == (2, 1, 1)
    assert rows[0].score == 90.0 and rows[0].low < 90.0 < rows[0].high


def test_a_pair_alone_is_told_sooner_than_on_a_board():
    many = _scores(a=106, b=100, **{f"z{n:02}": n for n in range(1, 40)})
    alone = standings({name: many[name] for name in ("a", "b")})[0]
    on_board = standings(many)[0]
    assert alone.is_told_before and on_board.is_told_before
    assert not on_board.is_told_after


def test_problems_of_one_source_are_one_cluster():
    scores = _scores(a=110, b=100)
    clusters = {task: f"source{int(task[1:]) // 20}" for task in scores["a"]}
    assert standings(scores)[0].is_told_before
    assert not standings(scores, clusters)[0].is_told_before


@pytest.mark.parametrize(
    ("percent", "number", "is_count"),
    [(81.7, 164, True), (81.8, 164, False), (30.0, 164, False), (75.2, 378, False), (75.2, 399, True), (0, 164, True)],
)
def test_a_percentage_is_a_count_or_it_is_none(percent, number, is_count):
    assert is_possible(percent, number, 1) is is_count


def test_share_of_possible_percentages():
    assert share_possible(164, 1) == pytest.approx(165 / 1001, abs=0.002)
    assert share_possible(1140, 1) == 1


@pytest.fixture
def table(tmp_path):
    """A published table of four rows, one of which is no count."""
    folder = tmp_path / "leaderboards"
    folder.mkdir()
    rows = {"first": 81.7, "second": 81.1, "third": 30.0, "absent": None}
    document = {name: {"pass@1": {"humaneval": score}} for name, score in rows.items()}
    (folder / "evalplus.json.gz").write_bytes(gzip.compress(json.dumps(document).encode()))
    return tmp_path


def test_totals_are_ranked_and_enclosed(table):
    rows = totals(table, TOTALS_BOARDS[0])
    assert [(row.name, row.num_problems, row.rank) for row in rows] == [
        ("first", 164, 1),
        ("second", 164, 2),
        ("third", None, 3),
    ]
    assert (rows[0].is_told_before, rows[0].is_told_at_best) == (False, False)
    assert (rows[1].is_told_before, rows[1].is_told_after, rows[1].is_told_at_best) == (True, True, True)
    assert (rows[0].rank_low, rows[0].rank_high, rows[2].rank_low) == (1, 2, 3)


_SAMPLE = Difference("cruxeval", "m", "direct", "cruxeval_i", 0.2, "sample_1", 0, "fail", "pass", "ok", "pass")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"code": "return x.removeprefix(y)"}, "python_too_old"),
        ({"benchmark": "humanevalplus", "task_id": "HumanEval/32"}, "evalplus_find_zero"),
        ({"benchmark": "mbppplus", "task_id": "Mbpp/2"}, "evalplus_oracle_version"),
        ({"theirs": "pass", "ours": "fail", "reason": "tamper"}, "tampering_sample"),
        ({"theirs": "pass", "ours": "fail", "reason": "not_one_expression"}, "forged_equality"),
        ({"ours": "timeout", "theirs": "pass"}, "timeouts_near_limit"),
        ({"ours": "fail", "theirs": "pass", "reason": "timeout"}, "timeouts_near_limit"),
        ({"theirs": "pass", "ours": "fail", "reason": "syntax"}, "official_extraction_loses"),
        ({"theirs": "pass", "ours": "fail", "strict": "fail"}, "unexplained"),
        ({}, "unexplained"),
    ],
)
def test_a_difference_has_the_cause_of_the_first_rule_that_holds(change, cause):
    assert cause_of(replace(_SAMPLE, **change)) == cause


def test_every_rule_is_a_known_cause():
    assert {cause for cause, _ in RULES} <= set(known_causes())


@pytest.fixture(scope="module")
def cruxeval(recorded_marts):
    with duckdb.connect(str(recorded_marts), read_only=True) as marts:
        marts.execute("set search_path = 'main,intermediate,staging,seeds'")
        return BoardFigures(BOARDS[0], rows_of(marts, BOARDS[0]))


def test_answers_left_out_of_the_denominator_move_a_rank(cruxeval):
    rows = {row.name: row for row in cruxeval.rows}
    assert len(rows) == 20
    moved_row = rows["gpt-4o+cot"]
    assert (moved_row.published, round(moved_row.readings[RECORDED].percent, 2)) == (75.6, 66.21)
    assert (moved_row.published_rank, moved_row.standing.rank) == (1, 2)
    assert cruxeval.told == (19, 7, 3)
    assert all(OFFICIAL not in row.readings for row in rows.values())


def test_the_document_says_the_same_in_equal_bytes(cruxeval, table):
    found = Figures(
        boards=[cruxeval],
        totals=[TotalsFigures(board, totals(table, replace(board, column="humaneval"))) for board in TOTALS_BOARDS[:0]],
        regraded=Regraded(
            (("cruxeval", "cruxeval_i", 8000, 1),),
            0,
            ((_SAMPLE, "unexplained"),),
            (("cruxeval", "cruxeval_o", 1600, 2), ("humaneval", "default", 164, 1)),
        ),
        runs=[],
        sources=[("owner/name@1234567", "MIT", 3)],
        share_possible=0.16,
        share_possible_hard=0.15,
    )
    text = document(replace(found, totals=_every_board(table)))
    assert "| gpt-4o+cot | 75.6 | 66.21 | – | – |" in text
    assert "1 → 2" in text and "answers left out of the denominator -9.39" in text
    assert "third 30" in text, "no count of 164"
    begin = " ".join(text.split("## How to read this")[0].split())
    assert "Not reached: 1,764 recorded verdicts that can be executed here and were not" in begin
    assert "(1,600 of cruxeval_o in 2 runs, 164 of humaneval in 1 runs)" in begin
    assert "gpt-4o+cot on CRUXEval-I, pass@1 at 0.2 75.6 → 66.21, rank 1 → 2" in begin
    assert "- cruxeval_o: 1,600 recorded verdicts in 2 runs, not reached by grading.\n" in text
    assert "Unexplained: m sample_1/0." in text
    assert text == document(replace(found, totals=_every_board(table)))
    assert shares(found).count("<rect") == 4 and moved(found).count("<circle") == 20


def test_what_can_be_executed_and_was_not_is_counted(tmp_path):
    """Five verdicts: graded again, not graded again, without a text, of another run, of problems not staged."""
    rows = [("a", b"1", "x"), ("a", b"2", "x"), ("a", b"3", None), ("b", b"4", "x"), ("far", b"5", "x")]
    benchmark = registry()["forge_mini"]
    with duckdb.connect() as marts:
        marts.execute(
            "create table stg_lake__results (benchmark varchar, scenario varchar, dataset_version varchar,"
            " model varchar, request_digest varchar, sample_id blob, origin varchar, official_base_verdict varchar)"
        )
        marts.execute("create table stg_lake__samples (sample_id blob, raw_text varchar)")
        for model, sample_id, text in rows:
            where = ("humaneval", "default", "v1") if model == "far" else _mini(benchmark)
            for origin in ("published", "self") if sample_id == b"1" else ("published",):
                marts.execute(
                    "insert into stg_lake__results values (?, ?, ?, ?, 'r', ?, ?, 'pass')",
                    [*where, model, sample_id, origin],
                )
            marts.execute("insert into stg_lake__samples values (?, ?)", [sample_id, text])
        assert list(not_reached(marts, tmp_path)) == [("forge_mini", benchmark.scenarios[0], 2, 2)]


def _mini(benchmark):
    return benchmark.name, benchmark.scenarios[0], benchmark.version().name


def _every_board(table):
    first = TOTALS_BOARDS[0]
    return [TotalsFigures(replace(one, num_problems=(164,)), totals(table, first)) for one in TOTALS_BOARDS[:4]]


def test_every_declared_set_is_found_with_its_source(shared_data):
    files = list(recorded_files(shared_data))
    assert len(files) >= len(SETS) and len({file.name for file in files}) == len(files)
    assert all("@" in (file.wanted.source or "") and file.wanted.licence for file in files)


def test_a_folder_without_the_sets_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(BadInput, match="is missing"):
        list(recorded_files(tmp_path))


def test_a_document_without_marts_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(BadInput, match="cannot be read as a file of marts"):
        figures(tmp_path / "boards.duckdb", tmp_path, tmp_path)
