"""Lines of fresh problems: what is right is read whole, what is wrong is said at once, with its line."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import livecodebench_tests, registry
from benchforge.ingest.errors import NotStaged, UsageError
from benchforge.ingest.fresh.layouts import FIELDS, Defaults, Fault, Problem, read_problems
from benchforge.ingest.fresh.releases import Book, duplicates, new_problems, opened_book
from benchforge.ingest.fresh.similarity import THRESHOLD, Known

from ..own_problems import FOLD, RHYME, WEIGH, upstream_row, without, written, written_lines

TODAY = datetime.date(2026, 6, 1)


def read(path: Path, layout: str = "jsonl", **defaults: Any) -> tuple[list[Problem], list[Fault]]:
    return read_problems(path, layout, Defaults(today=TODAY, **defaults), path.parent / "kept")


def sentences(path: Path, layout: str = "jsonl", **defaults: Any) -> list[str]:
    return [str(fault) for fault in read(path, layout, **defaults)[1]]


def kept_tests(problem: Problem, root: Path) -> livecodebench_tests.Tests:
    return livecodebench_tests.opened(livecodebench_tests.stored_in(root, problem.tests))


def test_our_layout_is_read_whole(tmp_path: Path) -> None:
    problems, faults = read(written(tmp_path / "a.jsonl", WEIGH, FOLD))
    assert not faults
    weigh, fold = problems
    assert (weigh.date, weigh.licence, weigh.contest, weigh.line) == ("2026-03-01", "Apache-2.0", "stall/1", 1)
    assert fold.date == "2026-04-02"
    assert list(kept_tests(weigh, tmp_path / "kept").inputs) == ["3\n1 2 3\n", "1\n8\n"]
    called = kept_tests(fold, tmp_path / "kept")
    assert (called.fn_name, called.inputs[0], called.outputs[0]) == ("fold", "[1, 2, 3, 4]\n1", "[3, 3, 4]")


def test_livecodebenchs_layout_gives_the_same_tests(tmp_path: Path) -> None:
    (tmp_path / "weigh.py").write_text(WEIGH["solution"])
    rows = written(tmp_path / "test.jsonl", upstream_row(WEIGH))
    (theirs,), faults = read(
        rows, "livecodebench", source="a contest", licence="CC-BY-4.0", solutions=tmp_path
    )  # fmt: skip
    (ours,), _ = read(written(tmp_path / "a.jsonl", WEIGH))
    assert not faults
    assert theirs.tests == ours.tests
    assert (theirs.contest, theirs.source, theirs.solution) == ("atcoder/stall1", "a contest", WEIGH["solution"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"date": None}, "date is missing"),
        ({"date": "spring"}, "date 'spring' is no day"),
        ({"date": "2026-06-03"}, "date 2026-06-03 is still to come"),
        ({"date": "0026-03-31"}, "date 0026-03-31 is too early to be true: write 2026-03-31"),
        ({"licence": ""}, "licence is missing (or say --licence for all)"),
        ({"source": None}, "source is missing (or say --source for all)"),
        ({"solution": None}, "solution is missing (or --solutions DIR with ID.py)"),
        ({"statement": 3}, "statement is not a text"),
        ({"statement": "half \ud800"}, "statement has half a character"),
        ({"task_id": "../up"}, "task_id '../up' is not made of letters"),
        ({"tests": []}, "tests is missing"),
        ({"tests": [{"input": "1"}]}, "tests is not a list of objects with input and output alone"),
        ({"tests": [{"input": 1, "output": "1"}]}, "input and output of a test are texts"),
        ({"tests": [{"input": "1", "output": " \n"}]}, "a program that does nothing would pass every test"),
        ({"entry_point": "f"}, "entry_point names a method of the class in starter_code"),
        ({"starter_code": "class Solution:\n    pass"}, "starter_code and the method's name go together"),
        ({"testz": []}, "there is no field testz"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    found = sentences(written(tmp_path / "a.jsonl", FOLD, {**WEIGH, **change}))
    assert found and all(line.startswith("a.jsonl:2: ") for line in found)
    assert any(sentence in line for line in found), found


def test_every_error_of_every_line_is_said_at_once_with_the_line_of_the_file(tmp_path: Path) -> None:
    lines = ["", json.dumps(without(WEIGH, "date", "licence")), "", "{", "[]", json.dumps(without(FOLD, "source"))]
    assert sentences(written_lines(tmp_path / "a.jsonl", lines)) == [
        "a.jsonl:2: weigh: date is missing",
        "a.jsonl:2: weigh: licence is missing (or say --licence for all)",
        "a.jsonl:4: this is not JSON",
        "a.jsonl:5: this is no JSON object",
        "a.jsonl:6: fold: source is missing (or say --source for all)",
    ]


def test_a_file_that_was_cut_off_is_named_after_its_last_line(tmp_path: Path) -> None:
    packed = gzip.compress("".join(f"{json.dumps(row)}\n" for row in (WEIGH, FOLD)).encode(), mtime=0)
    (tmp_path / "a.jsonl.gz").write_bytes(packed[:-20])
    assert any("the file is damaged or cut off here" in line for line in sentences(tmp_path / "a.jsonl.gz"))


def test_tests_that_upstream_never_wrote_are_not_unpickled(tmp_path: Path) -> None:
    row = upstream_row(WEIGH, private_test_cases="gASVAAAA", source="s", licence="l", solution="x")
    assert sentences(written(tmp_path / "test.jsonl", row), "livecodebench") == [
        "test.jsonl:1: weigh: public_test_cases, private_test_cases or metadata are not what upstream writes"
    ]


def test_a_folder_without_problems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no problems"):
        read(tmp_path)


def book(*rows: dict[str, Any]) -> Book:
    return Book("mine", Path("/nowhere"), (), rows)


def test_ids_stand_once_and_released_problems_do_not_change(tmp_path: Path) -> None:
    (weigh, fold, again), _ = read(written(tmp_path / "a.jsonl", WEIGH, FOLD, {**RHYME, "task_id": "weigh"}))
    released = {**weigh.content, "added_in": "v1"}
    new, faults = new_problems(book(released), [weigh, fold, again])
    assert new == [fold]
    assert [str(fault) for fault in faults] == ["a.jsonl:3: weigh: the id stands in line 1 of a.jsonl already"]
    new, faults = new_problems(book({**released, "solution": "another"}), [weigh])
    assert not new and "it is in v1 with another solution" in faults[0].sentence


def test_a_statement_that_is_known_is_refused_until_somebody_has_compared_it(tmp_path: Path) -> None:
    disguised = WEIGH["statement"].replace("market stall", "harbour").replace("crate", "barrel").replace("N", "M")
    copy = {**WEIGH, "task_id": "copy", "statement": f"In the town of Quell. {disguised.upper()}"}
    problems, _ = read(written(tmp_path / "a.jsonl", WEIGH, FOLD, RHYME, {**WEIGH, "task_id": "copy2"}, copy))
    (same, *_) = faults = duplicates(problems, Known(), ())
    assert [fault.problem for fault in faults] == [
        "copy2"
    ] and "that of weigh in line 1 of a.jsonl (100%" in same.sentence
    assert not duplicates(problems, Known(), ("copy2",))
    known = Known()
    known.add("7 of elsewhere", WEIGH["statement"] + " Sample: 3 1 2 3, answer 4 2.")
    assert [fault.problem for fault in duplicates(problems[:3], known, ())] == ["weigh"]


def test_other_numbers_and_less_text_are_the_same_statement_and_another_problem_is_not() -> None:
    known = Known()
    known.add("weigh", WEIGH["statement"] + " Sample 1: 3 1 2 3 gives 4 2. Sample 2: 1 8 gives 0 0.")
    for text in (WEIGH["statement"], WEIGH["statement"].replace("N", "４"), WEIGH["statement"][:120]):
        match = known.nearest(text)
        assert match is not None and match.share >= THRESHOLD, text
    for text in (FOLD["statement"], RHYME["statement"]):
        match = known.nearest(text)
        assert match is None or match.share < THRESHOLD / 2
    assert known.nearest("") is None and Known().nearest("a b c") is None


def test_public_problems_are_told_apart_and_copies_of_them_found(shared_data: Path) -> None:
    """The figures of ``similarity``: of 556,000 pairs of two problems, 20 reach the threshold."""
    with gzip.open(shared_data / "livecodebench" / "problems_v6_statements.jsonl.gz", "rt") as stream:
        rows = [json.loads(line) for line in stream][::4]
    known, num_alike = Known(), 0
    for row in rows:
        match = known.nearest(row["question_content"])
        num_alike += match is not None and match.share >= THRESHOLD
        known.add(row["question_id"], row["question_content"])
    assert num_alike <= 10
    for row in rows:
        without_samples = row["question_content"].partition("Sample Input 1")[0].partition("Example 1")[0]
        match = known.nearest(without_samples.replace("Takahashi", "Wilma"))
        assert match is not None and match.share >= THRESHOLD, row["question_id"]


@pytest.mark.parametrize(
    "name", ["Mine", "x", "livecodebench", "lcb", "cruxeval_i", "ds1000", "strings", "a-b", "../x", "humanevalplus"]
)
def test_names_that_cannot_be_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        opened_book(name, tmp_path)


def test_a_folder_of_something_else_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        opened_book("mine", tmp_path)


def test_the_line_that_the_page_shows_is_taken(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "fresh_problems.md").read_text("utf-8")
    (tmp_path / "a.jsonl").write_text(page.split("```json\n")[1].split("```")[0])
    problems, faults = read(tmp_path / "a.jsonl")
    assert len(problems) == 1 and not faults
    assert set(FIELDS) == {name for row in page.splitlines() if row.startswith("| `") for name in words_of(row)}


def words_of(row: str) -> list[str]:
    return [word.strip(" `") for word in row.split("|")[1].split(",")]


def test_a_benchmark_that_is_not_here_is_a_sentence() -> None:
    with pytest.raises(NotStaged, match="there is no benchmark 'elsewhere' here"):
        registry()["elsewhere"]
