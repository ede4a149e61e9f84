"""LiveCodeBench's hidden tests: read without unpickling, staged by release, opened one problem at a time."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import pickle
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import livecodebench, livecodebench_tests, registry
from benchforge.ingest.benchmarks.one_pickled_text import NotOneText, text_of_pickle
from benchforge.ingest.errors import BadInput, NotStaged
from benchforge.ingest.staging import files as stage_files
from benchforge.ingest.staging.staged import load_tasks

BENCHMARK = registry()["livecodebench"]
FOLDER = Path("livecodebench") / "release_v1"


def case(given: str, wanted: str) -> dict[str, str]:
    return {"input": given, "output": wanted, "testtype": "stdin"}


def hidden(*cases: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> str:
    """As upstream's files have them."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases), protocol))).decode()


def record(task_id: str = "a", fn_name: str | None = None, **fields: Any) -> dict[str, Any]:
    metadata = {} if fn_name is None else {"func_name": fn_name}
    return {
        "question_id": task_id,
        "public_test_cases": json.dumps([case("1", "2")]),
        "private_test_cases": hidden(case("3", "4\u00fc"), case("\ud800", "")),
        "metadata": json.dumps(metadata),
        **fields,
    }


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("text", ["", "a", "\u00fc\ud800" * 200, "x" * 70_000])
def test_a_pickled_text_is_read_without_unpickling(protocol: int, text: str):
    assert text_of_pickle(pickle.dumps(text, protocol)) == text


class _Evil:
    def __reduce__(self) -> Any:
        return (print, ("called",))


@pytest.mark.parametrize("value", [_Evil(), ["a"], ("a",), 1, None, b"a", {"a": "b"}, ["a", "b"]])
def test_a_pickle_of_anything_else_is_refused(value: Any, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(NotOneText):
        text_of_pickle(pickle.dumps(value))
    assert capsys.readouterr().out == ""


def test_every_cut_and_every_changed_byte_of_a_pickle_is_refused_or_another_text():
    whole = pickle.dumps("abc")
    for length in range(len(whole)):
        with pytest.raises(NotOneText):
            text_of_pickle(whole[:length])
    with pytest.raises(NotOneText):
        text_of_pickle(whole + b".")
    for place in range(len(whole)):
        for byte in range(256):
            with contextlib.suppress(NotOneText):
                assert type(text_of_pickle(whole[:place] + bytes([byte]) + whole[place + 1 :])) is str


def test_tests_stand_in_upstreams_order_public_ones_first():
    tests = livecodebench_tests.decoded(record())
    assert (list(tests.inputs), list(tests.outputs)) == (["1", "3", "\ud800"], ["2", "4\u00fc", ""])
    plain = livecodebench_tests.decoded(record(private_test_cases=json.dumps([case("5", "6")])))
    assert list(plain.inputs) == ["1", "5"] and plain.fn_name is None
    assert livecodebench_tests.decoded(record(fn_name="f")).fn_name == "f"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"private_test_cases": "!"}, "neither JSON nor base64"),
        ({"private_test_cases": base64.b64encode(b"abc").decode()}, "not what upstream writes"),
        ({"private_test_cases": base64.b64encode(zlib.compress(pickle.dumps([1]))).decode()}, "no part of one text"),
        ({"private_test_cases": base64.b64encode(zlib.compress(b"x" * 99)[:-6]).decode()}, "cut off"),
        ({"private_test_cases": hidden({"input": 1, "output": ""})}, "is not text"),
        ({"private_test_cases": hidden("abc")}, "not what upstream writes"),
        ({"public_test_cases": "[]", "private_test_cases": "[]"}, "there is no test"),
        ({"metadata": '{"func_name": 1}'}, "the method's name is not text"),
        ({"metadata": "[]"}, "not what upstream writes"),
    ],
)
def test_what_is_no_test_is_refused_by_the_problems_name(fields: dict[str, Any], words: str):
    with pytest.raises(BadInput, match=f"problem a cannot be read: .*{words}"):
        livecodebench_tests.decoded(record(**fields))


def test_a_bomb_is_refused_before_it_unfolds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(livecodebench_tests, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(BadInput, match="unpack to more than 1000 bytes"):
        livecodebench_tests.decoded(record(private_test_cases=hidden(case("1" * 2000, ""))))


def staged(tmp_path: Path, *problems: dict[str, Any], packed: bool = False) -> Path:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    content = "".join(f"{json.dumps(problem)}\n" for problem in problems).encode()
    path = folder / ("test.jsonl.gz" if packed else "test.jsonl")
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def test_tests_are_kept_once_for_all_releases_and_named_by_what_they_are(tmp_path: Path):
    path = staged(tmp_path, record("a"), record("b", fn_name="f"), record("c"), packed=True)
    first, second = tmp_path / FOLDER, tmp_path / "livecodebench" / "release_v2"
    for folder in (first, second):
        folder.mkdir(parents=True)
    wanted = {first: frozenset("ab"), second: frozenset("abc")}
    assert livecodebench_tests.stage_tests([path], wanted) == {first: 2, second: 3}
    (kept, again) = (livecodebench_tests.index_of(folder) for folder in (first, second))
    assert [*kept] == ["a", "b"] and [*again] == ["a", "b", "c"] and kept["a"] == again["a"]
    assert kept["a"][0] == again["c"][0]  # equal tests are one file
    assert len(list((tmp_path / "livecodebench" / "tests").iterdir())) == 2
    tests = livecodebench_tests.opened(kept["b"][0])
    assert (list(tests.inputs), tests.fn_name, kept["b"][1]) == (["1", "3", "\ud800"], "f", "f")
    assert kept["a"][0].num_tests == 3


def test_a_release_has_the_tests_of_all_its_problems_or_of_none(tmp_path: Path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    with pytest.raises(BadInput, match="1 of 2 problems of release_v1 have their tests there, b has none"):
        livecodebench_tests.stage_tests([staged(tmp_path, record("a"))], {folder: frozenset("ab")})
    assert livecodebench_tests.index_of(folder) == {}
    public = {**record("a"), "private_test_cases": None}
    assert livecodebench_tests.stage_tests([staged(tmp_path, public)], {folder: frozenset("a")}) == {}


def test_a_second_staging_repeats_the_first_or_is_refused(tmp_path: Path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    wanted = {folder: frozenset("ab")}
    livecodebench_tests.stage_tests([staged(tmp_path, record("a"), record("b"))], wanted)
    before = (folder / livecodebench_tests.INDEX).read_bytes()
    livecodebench_tests.stage_tests([staged(tmp_path, record("b"), record("a"))], wanted)
    assert (folder / livecodebench_tests.INDEX).read_bytes() == before
    other = staged(tmp_path, record("a"), record("b", private_test_cases=hidden(case("3", "5"))))
    words = "The tests of 1 of 2 problems of release_v1 are not those that were staged before, the first is b"
    with pytest.raises(BadInput, match=words):
        livecodebench_tests.stage_tests([other], wanted)
    assert (folder / livecodebench_tests.INDEX).read_bytes() == before
    (folder / livecodebench_tests.INDEX).unlink()
    assert livecodebench_tests.stage_tests([other], wanted) == {folder: 2}


def test_staging_again_mends_a_damaged_file_of_tests(tmp_path: Path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    path, wanted = staged(tmp_path, record("a")), {folder: frozenset("a")}
    livecodebench_tests.stage_tests([path], wanted)
    ((stored, _),) = livecodebench_tests.index_of(folder).values()
    for content in (b"", stored.path.read_bytes()[:-9], gzip.compress(b"{}\n")):
        stored.path.write_bytes(content)
        livecodebench_tests.stage_tests([path], wanted)
        assert livecodebench_tests.opened(stored).inputs == ["1", "3", "\ud800"]


def test_a_damaged_file_of_tests_is_never_graded_with(tmp_path: Path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    livecodebench_tests.stage_tests([staged(tmp_path, record("a"))], {folder: frozenset("a")})
    ((stored, _),) = livecodebench_tests.index_of(folder).values()
    whole = stored.path.read_bytes()
    for content in (
        whole[:-9],
        whole[:-1] + b"\1",
        gzip.compress(b'{"fn_name":null}\n'),
        b"",
        gzip.compress(b"0" * 999),
    ):
        stored.path.write_bytes(content)
        with pytest.raises(BadInput, match=r"damaged|differs"):
            livecodebench_tests.opened(stored)
    stored.path.unlink()
    with pytest.raises(NotStaged, match="is missing"):
        livecodebench_tests.opened(stored)
    (folder / livecodebench_tests.INDEX).write_text('{"question_id": "a"}\n')
    with pytest.raises(BadInput, match="is damaged"):
        livecodebench_tests.index_of(folder)


def test_a_task_without_tests_is_not_judged():
    task = livecodebench.task_of({"question_id": "a", "input_output": '{"inputs": ["1"], "outputs": ["2"]}'})
    with pytest.raises(NotStaged, match="has no tests on this machine") as caught:
        livecodebench.with_tests(task)
    assert "benchforge stage livecodebench" in caught.value.hint
    assert BENCHMARK.why_not_judged([task]).startswith("its hidden tests are not staged")


# --- releases of a made directory ------------------------------------------------------------------------------------

SIZES = (400, 111, 101, 101)
"""Problems that upstream's first four files add: releases of 400, 511, 612 and 713."""


@pytest.fixture(scope="module")
def made(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``test.jsonl`` … ``test4.jsonl`` with the real statements of release 4; which file of the later three a problem
    is in is made up, and so are the tests."""
    from benchforge.ingest.bundled.task_ids import known_task_ids

    folder = tmp_path_factory.mktemp("hub")
    with gzip.open(shared_data / "livecodebench" / "problems_v6_statements.jsonl.gz", "rt") as stream:
        statements = {row["question_id"]: row for row in map(json.loads, stream)}
    first = known_task_ids("livecodebench", "release_v1", "generation") or ()
    rest = sorted(set(known_task_ids("livecodebench", "release_v4", "generation") or ()) - set(first))
    ids = [*first, *rest]
    for number, size in enumerate(SIZES):
        chosen, ids = ids[:size], ids[size:]
        rows = [
            {**statements[task_id], **record(task_id, "f" if statements[task_id]["starter_code"] else None)}
            for task_id in chosen
        ]
        name = f"test{number + 1 if number else ''}.jsonl"
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


def stage(version: str, source: Path, root: Path) -> list[tuple[stage_files.Wanted, int]]:
    wanted = stage_files.wanted_files([BENCHMARK], version, root)
    stage_files.write_staged(stage_files.plan_staging(wanted, source))
    return stage_files.keep_hidden_tests(wanted, source)


@pytest.mark.parametrize(("number", "count"), [(1, 400), (2, 511), (3, 612), (4, 713)])
def test_releases_are_what_the_staged_files_hold(made: Path, tmp_path: Path, number: int, count: int):
    version = f"release_v{number}"
    ((_, num_tested),) = stage(version, made, tmp_path)
    tasks = load_tasks(BENCHMARK, version, "generation", tmp_path)
    assert (num_tested, len(tasks)) == (count, count)
    counts = {1: 400, 4: 713}  # of the others no list is published, and they are not staged
    own = {f"v{earlier}": size for earlier, size in counts.items() if earlier < number} | {f"v{number}": count}
    assert Counter(test_set for task in tasks for test_set in task.test_sets) == own
    assert all(task.num_base_cases == 3 and BENCHMARK.why_not_judged([task]) == "" for task in tasks)
    assert {task.kind for task in tasks} == {"stdin", "calls"}


def test_a_task_counts_in_every_release_that_holds_it(made: Path, tmp_path: Path):
    for number in (2, 3, 4):
        stage(f"release_v{number}", made, tmp_path)
    tasks = load_tasks(BENCHMARK, "release_v4", "generation", tmp_path)
    counts = Counter(test_set for task in tasks for test_set in task.test_sets)
    assert counts == {"v1": 400, "v2": 511, "v3": 612, "v4": 713}
    assert all(task.test_sets == tuple(sorted(task.test_sets)) and task.test_sets[-1] == "v4" for task in tasks)
    (path,) = (tmp_path / "livecodebench" / "release_v2").glob("statements.jsonl")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    again = load_tasks(BENCHMARK, "release_v4", "generation", tmp_path)
    assert {"v2"} & {test_set for task in again for test_set in task.test_sets} == set()


def test_the_digest_of_a_task_follows_its_tests_and_not_their_place(made: Path, tmp_path: Path):
    for name in ("one", "two"):
        stage("release_v1", made, tmp_path / name)
    one, two = (load_tasks(BENCHMARK, "release_v1", "generation", tmp_path / name) for name in ("one", "two"))
    assert [task.task_digest for task in one] == [task.task_digest for task in two]
    assert str(tmp_path) not in repr(one[0].payload)
    (tmp_path / "two" / FOLDER / livecodebench_tests.INDEX).unlink()
    (untested, *_) = load_tasks(BENCHMARK, "release_v1", "generation", tmp_path / "two")
    assert untested.task_digest != one[0].task_digest and BENCHMARK.why_not_judged([untested])


def test_a_release_without_a_list_is_refused_with_a_file_too_few(made: Path, tmp_path: Path):
    less = tmp_path / "less"
    less.mkdir()
    for name in ("test.jsonl", "test3.jsonl"):
        (less / name).symlink_to(made / name)
    with pytest.raises(BadInput, match="hold 400 problems, not the 511"):
        stage("release_v2", less, tmp_path)
    with pytest.raises(BadInput, match="hold 501 problems, not the 612"):
        stage("release_v3", less, tmp_path)


def test_code_execution_is_staged_beside_and_its_references_are_gold(made: Path, tmp_path: Path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "test.jsonl").symlink_to(made / "test.jsonl")
    facts = {"question_id": 1, "contest_id": "c", "contest_date": "2023-05-07 00:00:00", "difficulty": "Easy"}
    problem = {**facts, "function_name": "g", "code": "def g(x):\n    return x", "input": "g(x = 2)", "output": "2"}
    rows = [{"id": f"sample_{number}", **problem} for number in range(479)]
    (source / "execution.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows[1:]))
    with pytest.raises(BadInput, match="has 478 problems of livecodebench execution, not the 479"):
        stage("release_v1", source, tmp_path)
    with pytest.raises(NotStaged, match="execution are not staged"):
        load_tasks(BENCHMARK, "release_v1", "execution", tmp_path)
    (source / "execution.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in reversed(rows)))
    stage("release_v1", source, tmp_path)
    tasks = load_tasks(BENCHMARK, "release_v1", "execution", tmp_path)
    assert [task.task_id for task in tasks] == [f"sample_{number}" for number in range(479)]
    assert (tasks[0].kind, tasks[0].reference, tasks[0].stratum, tasks[0].test_sets) == (
        "expression",
        "2",
        "easy",
        ("full",),
    )
    assert BENCHMARK.why_not_judged(tasks) == ""
