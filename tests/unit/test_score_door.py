"""Rows into jobs and jobs into lines, without executing anything: shapes, order, bounds, what is forgotten."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import BadInput, Incomplete, SandboxUnavailable
from benchforge.runners.cli.main import cli
from benchforge.runners.score import door, rows
from benchforge.runners.score.judge import Graded, Outcome, PartOutcome, SandboxFailed
from click.testing import CliRunner

CRUX = {
    "id": "c", "target": "cruxeval_o", "solution": "1",
    "task": {"code": "def f(a):\n    return a", "input": "1", "output": "1"},
}  # fmt: skip
PLUS = {
    "id": "p", "target": "mbppplus", "solution": "def same(x):\n    return x\n",
    "task": {
        "prompt": "def same(x):\n", "entry_point": "same", "canonical_solution": "    return x\n", "base_input": [[1]],
        "plus_input": [[2]], "atol": 0,
    },
}  # fmt: skip
RIGHT = PartOutcome("pass", "ok", None, 1, 1)
WRONG = PartOutcome("fail", "wrong_answer", 0, 1, 0)


def changed(row: Mapping[str, Any], task: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {**row, "task": {**row["task"], **(task or {})}, **fields}


def test_a_recipe_is_the_text_that_it_says() -> None:
    recipe = {"prefix": "a", "repeat": "bc", "times": 3, "suffix": "d"}
    row = {name: value for name, value in CRUX.items() if name != "solution"}
    assert rows.row_of({**row, "solution_recipe": recipe}).program == "abcbcbcd"


def test_rows_of_one_task_share_a_key_and_other_targets_do_not() -> None:
    same, other = rows.row_of(PLUS), rows.row_of(changed(PLUS, id="q", solution="x"))
    assert same.key == other.key
    assert rows.row_of(changed(PLUS, target="humanevalplus")).key != same.key
    assert rows.row_of(changed(PLUS, {"base_input": [[3]]})).key != same.key


@pytest.mark.parametrize(
    ("row", "about"),
    [
        ({}, "no id"),
        ({**CRUX, "id": None}, "no id"),
        ({**CRUX, "id": True}, "no id"),
        ({**CRUX, "id": ["c"]}, "no id"),
        ({**CRUX, "target": "apps"}, "'apps' is none of"),
        ({**CRUX, "target": ["cruxeval_o"]}, "a list is none of"),
        ({**CRUX, "task": "f"}, "no task"),
        (changed(CRUX, {"output": 1}), "output is 1, not a text"),
        ({**CRUX, "task": {"code": "", "input": ""}}, "lacks output"),
        ({**CRUX, "solution": None}, "neither a solution"),
        ({**CRUX, "solution": 1}, "neither a solution"),
        ({**CRUX, "solution_recipe": {"prefix": "", "repeat": "a", "suffix": ""}}, "times is None"),
        ({**CRUX, "solution_recipe": {"prefix": "", "repeat": "a", "times": 2.0, "suffix": ""}}, "times is 2.0"),
        ({**CRUX, "solution_recipe": {"prefix": "", "repeat": "a", "times": True, "suffix": ""}}, "times is True"),
        ({**CRUX, "solution_recipe": {"prefix": "", "repeat": "a", "times": -1, "suffix": ""}}, "times is -1"),
        ({**CRUX, "solution_recipe": {"prefix": "", "repeat": "a", "times": 10**30, "suffix": ""}}, "longer than"),
        ({**CRUX, "solution_recipe": {"prefix": 1, "repeat": "a", "times": 1, "suffix": ""}}, "prefix, repeat, suffix"),
        ({**CRUX, "solution_recipe": [1]}, "prefix, repeat, suffix"),
        (changed(PLUS, {"base_input": []}), "no base case"),
        (changed(PLUS, {"plus_input": [1]}), "not a list of arguments"),
        (changed(PLUS, {"base_input": {"x": 1}}), "base_input is a dict, not a list"),
        (changed(PLUS, {"atol": "0"}), "atol is '0', not a number"),
        (changed(PLUS, {"atol": float("nan")}), "atol is nan"),
        (changed(PLUS, {"atol": -1}), "atol is -1"),
        (changed(PLUS, {"entry_point": "a b"}), "no name"),
        (changed(PLUS, target="humaneval"), "lacks test"),
        ({**CRUX, "target": "livecodebench_stdin", "task": {"input_output": "{"}}, "can be read"),
        ({**CRUX, "target": "livecodebench_stdin", "task": {"input_output": "[]"}}, ""),
    ],
)
def test_what_is_wrong_with_a_row_is_one_sentence(row: dict[str, Any], about: str) -> None:
    with pytest.raises(BadInput) as caught:
        rows.row_of(row)
    assert about in caught.value.message
    assert caught.value.message.isprintable() and len(caught.value.message) < 250


def contest(fn_name: str | None, inputs: list[str], outputs: list[str]) -> dict[str, str]:
    return {"input_output": json.dumps({"inputs": inputs, "outputs": outputs, "fn_name": fn_name})}


def test_a_contest_task_must_be_of_its_target() -> None:
    printed = {**CRUX, "task": contest(None, ["1\n"], ["1\n"])}
    assert rows.row_of({**printed, "target": "livecodebench_stdin"}).task.kind == "stdin"
    with pytest.raises(BadInput, match="fn_name"):
        rows.row_of({**printed, "target": "livecodebench_functional"})
    for wrong in (contest(None, [], []), contest(None, ["1"], []), contest(None, ["\ud800"], ["1"])):
        with pytest.raises(BadInput):
            rows.row_of({**printed, "target": "livecodebench_stdin", "task": wrong})


@pytest.mark.parametrize(
    "line",
    [b"{", b"[1]", b"1", b"\xff\xfe{\x00}\x00", b'{"id": ' + b"9" * 5000 + b"}", b"[" * 200000, b'"\xed\xa0\x80"'],
)
def test_what_is_no_row_at_all_is_said(line: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        rows.parsed(line)
    assert len(caught.value.message) < 250


def functional(tests: Any) -> dict[str, Any]:
    given = tests if isinstance(tests, str) else json.dumps(tests)
    return {**CRUX, "target": "livecodebench_functional", "task": {"input_output": given}}


@pytest.mark.parametrize(
    ("tests", "about"),
    [
        ("(", "expecting value at column 1 of a test's JSON"),
        ({"inputs": ["1"], "outputs": ["(1"], "fn_name": "f"}, "expecting value at column 1 of a test's JSON"),
        ({"outputs": ["1"]}, "inputs is missing"),
        ({"inputs": ["1"], "outputs": []}, "there are 1 inputs and 0 outputs"),
        ({"inputs": None, "outputs": None}, "are not of the right type"),
        ("[" * 100000, "nested too deeply"),
        ({"inputs": ["1"], "outputs": ["9" * 50001], "fn_name": "f"}, "an integer has 50001 digits"),
        (
            {"inputs": ["1"], "outputs": ["[" * 250 + "]" * 250], "fn_name": "f"},
            "output of test 0 is nested too deeply",
        ),
    ],
)
def test_tests_of_a_contest_that_cannot_be_read_are_told_in_our_words(tests: Any, about: str) -> None:
    with pytest.raises(BadInput) as caught:
        rows.row_of(functional(tests))
    assert about in caught.value.message and "Error" not in caught.value.message


def test_integers_of_upstreams_many_digits_are_read_and_written(fake: type[FakeJudge]) -> None:
    digits = "9" * 5000
    listed = functional({"inputs": [digits], "outputs": [digits], "fn_name": "f"})
    plain = json.dumps(changed(PLUS, id="ID")).replace('"ID"', digits).replace("[[1]]", f"[[{digits}]]").encode()
    lines, _ = graded([listed, plain, plain.replace(b"9", b"9" * 11)])
    assert [line.get("official") for line in lines] == ["pass", "pass", None]
    assert "an integer of more than 50000 digits" in lines[2]["error"] and lines[1]["id"] == 10**5000 - 1


def test_texts_that_other_parsers_refuse_are_read() -> None:
    record = rows.parsed(
        b'\xef\xbb\xbf{"a": "\\u0000\\ud800", "b": NaN, "c": "\xe2\x80\xa8\xc2\x85", "d": "\xed\xa0\x80"}\r\n'
    )
    assert record["a"] == "\0\ud800" and record["b"] != record["b"] and record["c"] == "\u2028\x85"
    assert record["d"] == "\ud800"


class FakeJudge:
    """Answers what it is told per name of the row, and holds rows of one name until nothing else comes."""

    mode, layers, is_unsafe = "bubblewrap", ("seccomp",), False
    held_back = ""
    answers: Mapping[str, Any] = {}

    def __init__(self, tasks: dict[str, Any], *_: Any, **__: Any) -> None:
        self.tasks = tasks
        self.most_tasks = 0
        type(self).last = self

    last: Any = None

    def __enter__(self) -> FakeJudge:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def attempts(self, jobs: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        held = []
        for job in jobs:
            self.most_tasks = max(self.most_tasks, len(self.tasks))
            if job is not None and str(job.key.name).startswith(self.held_back or "\0"):
                held.append(job)
            elif job is not None:
                yield self._answered(job)
            elif held:
                yield self._answered(held.pop())
            else:
                return
        for job in held:
            yield self._answered(job)

    def _answered(self, job: Any) -> tuple[Any, Any]:
        assert job.task_id in self.tasks
        graded = Graded(dict.fromkeys(("official", "strict"), Outcome(RIGHT, None)), 0.5, 0.25, 0, (), 1)
        return job, self.answers.get(job.key.name, graded)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeJudge]:
    class Fake(FakeJudge):
        pass

    monkeypatch.setattr(door, "Judge", Fake)
    return Fake


def graded(given: list[Any], lines: list[dict[str, Any]] | None = None) -> tuple[list[dict[str, Any]], int]:
    stream = io.BytesIO(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in given))
    lines = [] if lines is None else lines
    return lines, door.grade_rows(stream, door.Means(), lines.append)


def test_lines_come_in_the_order_of_the_rows_whoever_is_ready_first(fake: type[FakeJudge]) -> None:
    fake.held_back = "slow"
    names = ["a", "slow 1", "b", "", "slow 2", "c"]
    lines, num_failed = graded([{**CRUX, "id": name} if name else b"{broken" for name in names])
    assert [line["id"] for line in lines] == ["a", "slow 1", "b", None, "slow 2", "c"]
    assert lines[3]["line"] == 4 and "official" not in lines[3]
    assert num_failed == 0 and fake.last.tasks == {}


def test_a_slow_row_holds_no_more_than_a_window(fake: type[FakeJudge], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_MAX_WINDOW", 4)
    fake.held_back = "slow"
    given = [
        {**changed(PLUS, {"base_input": [[n]]}), "id": f"{'slow' if n % 10 == 0 else 'row'} {n}"} for n in range(60)
    ]
    lines, _ = graded(given)
    assert [line["id"] for line in lines] == [row["id"] for row in given]
    assert fake.last.most_tasks <= 4 and fake.last.tasks == {}


def test_a_file_of_nothing_but_broken_rows_is_read_to_its_end(fake: type[FakeJudge]) -> None:
    lines, num_failed = graded([b"{"] * 2500)
    assert [line["line"] for line in lines] == list(range(1, 2501)) and num_failed == 0


def test_a_failed_sandbox_is_an_error_line_and_never_a_verdict(fake: type[FakeJudge]) -> None:
    fake.answers = {"b": SandboxFailed(("b",), "no server"), "c": BadInput("The reference gives no answer.")}
    lines, num_failed = graded([{**CRUX, "id": name} for name in "abcd"])
    assert [line.get("official") for line in lines] == ["pass", None, None, "pass"]
    assert lines[1]["error"].startswith("sandbox_error: ") and "no server" in lines[1]["error"]
    assert lines[2]["error"] == "The reference gives no answer." and lines[2]["id"] == "c"
    assert num_failed == 1


def test_the_first_part_that_failed_gives_verdict_reason_and_case(fake: type[FakeJudge]) -> None:
    late = PartOutcome("timeout", "timeout", 3, 4, 3)
    outcomes = {"official": Outcome(RIGHT, late), "strict": Outcome(WRONG, None)}
    fake.answers = {"a": Graded(outcomes, 1.0, 2.0, 0, (), 1)}
    (line,), _ = graded([{**CRUX, "id": "a"}])
    assert (line["official"], line["reason"], line["part"], line["first_failing_case"]) == (
        "timeout",
        "timeout",
        "plus",
        3,
    )
    assert (line["strict"], line["strict_reason"], line["cpu_seconds"], line["wall_seconds"]) == (
        "fail", "wrong_answer", 1.0, 2.0,
    )  # fmt: skip
    assert line["layers"] == ["seccomp"] and line["sandbox_mode"] == "bubblewrap" and line["is_unsafe"] is False


def test_only_line_feeds_end_a_row_and_empty_lines_are_none(fake: type[FakeJudge]) -> None:
    text = json.dumps({**CRUX, "solution": "'\u2028\x85\x0b'"}, ensure_ascii=False).encode()
    lines, _ = graded([b"", text + b"\r", b"  ", text])
    assert [line.get("official") for line in lines] == ["pass", "pass"]


def test_a_line_without_end_is_an_error_and_the_next_row_is_read(
    fake: type[FakeJudge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_MAX_LINE_BYTES", 400)
    lines, _ = graded([b"x" * 5000, CRUX, b"y" * 401])
    assert ["error" in line for line in lines] == [True, False, True]
    assert "longer than 400 bytes" in lines[0]["error"]


def test_a_file_that_cannot_be_read_on_is_no_end_of_file(fake: type[FakeJudge]) -> None:
    class Broken(io.BytesIO):
        def readline(self, *_: Any) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        door.grade_rows(Broken(), door.Means(), lambda line: None)


def test_old_expected_values_are_removed_and_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr(door, "_NUM_EXPECTED", 3)
    for number in range(6):
        (tmp_path / f"{number}.json").write_text("{}")
        os.utime(tmp_path / f"{number}.json", (number, number))
    (tmp_path / ".expected-half").write_text("")
    door._trim(tmp_path)
    door._trim(tmp_path / "absent")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".expected-half", "3.json", "4.json", "5.json"]


def called(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words))


def test_every_format_has_every_row_and_nothing_that_steers_a_terminal(fake: type[FakeJudge], tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b"\n".join(json.dumps(row).encode() for row in ({**CRUX, "id": "\x1b[2J\ud800"}, {"id": "bad,\n"}))
    )
    for format_ in ("table", "csv", "json"):
        done = called("judge", str(path), "--format", format_)
        assert done.exit_code == 0, done.output
        lines = done.stdout.splitlines()
        assert "\x1b" not in done.stdout and len(lines) == (2 if format_ == "json" else 3)
        assert "no target" not in lines[-1] and "is none of" in lines[-1]
    assert called("judge", str(path)).stdout.startswith('{"id": ')


def test_exit_code_three_names_how_many_rows_have_no_verdict(fake: type[FakeJudge], tmp_path: Path) -> None:
    fake.answers = {"c": SandboxFailed(("c",), "no server")}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(CRUX))
    done = called("judge", str(path))
    assert isinstance(done.exception, Incomplete) and done.exception.exit_code == 3
    assert "1 row" in done.exception.message and '"error": "sandbox_error' in done.stdout


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert called("judge", str(tmp_path / "absent.jsonl")).exit_code == 2


@pytest.mark.parametrize("words", [("judge", "-"), ("sandbox-check",)])
def test_elsewhere_than_on_linux_one_sentence_refuses(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchforge.runners.score.platform.sys.platform", "darwin")
    done = called(*words)
    assert isinstance(done.exception, SandboxUnavailable) and "darwin" in done.exception.message
