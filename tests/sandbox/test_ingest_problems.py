"""Fresh problems on the whole road: checked in the sandbox, released, asked for, judged, shown by date."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.benchmarks import adopt, registry, resolve
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import BadInput, Incomplete, UsageError
from benchforge.ingest.fresh import releases as fresh_releases
from benchforge.ingest.lake import Lake, replace_file
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.pins import pins_of
from benchforge.ingest.planning import wanted as planning_wanted
from benchforge.ingest.planning.models import ServedModel
from benchforge.ingest.planning.plan import Plan, Scope, make_plan
from benchforge.ingest.planning.task_sets import load_task_set
from benchforge.ingest.recorded import Wanted as Imported
from benchforge.ingest.recorded import import_file
from benchforge.ingest.staging.staged import load_tasks
from benchforge.runners import aggregate
from benchforge.runners.cli.main import cli
from benchforge.runners.generate.client import Endpoint, Reply
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.request import request_of
from benchforge.runners.generate.rows import sample_rows
from benchforge.runners.ingest_problems import Means, Wanted, ingest_problems
from benchforge.runners.score.gold import grade_gold, staged_sets
from benchforge.runners.score.pending import Means as ScoreMeans
from benchforge.runners.score.pending import score_pending, to_score
from benchforge.runners.selection import Selection
from click.testing import CliRunner

from ..own_problems import FOLD, RHYME, WEIGH, upstream_row, without, written

OLDER, NEWER = "lab__older", "lab__newer"
CUTOFFS = {OLDER: "2026-02-01", NEWER: "2026-03-15"}
WINDOWS = {"spring": ["2026-04-01", "2026-05-20"]}


@pytest.fixture(autouse=True)
def _forgotten(tmp_path: Path) -> Iterator[None]:
    """What one test adopts is no benchmark of the next."""
    yield
    adopt(tmp_path / "nothing")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "datasets"


def ingest(root: Path, *problems: Mapping[str, Any], **more: Any) -> Any:
    path = written(root.parent / "problems.jsonl", *problems)
    is_dry_run = more.pop("is_dry_run", False)
    return ingest_problems(Wanted("stall", path, **more), root, Means(), is_dry_run=is_dry_run)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def tasks(root: Path, version: str | None = None) -> dict[str, Any]:
    return {task.task_id: task for task in load_tasks(registry()["stall"], version, "default", root)}


def test_checked_problems_are_a_release_like_any_other(root: Path) -> None:
    done = ingest(root, WEIGH, FOLD)
    assert (done.release.name, done.num_new, done.release.num_problems) == ("v1", 2, 2)
    assert done.compared == ("forge_mini",) and "livecodebench" in done.absent
    benchmark, scenarios = resolve("Stall")
    assert (benchmark.licence, scenarios) == ("Apache-2.0, CC-BY-4.0", ("default",))
    assert pins_of("stall")["v1"].num_tasks("default") == 2
    found = tasks(root)
    assert [(one.kind, one.num_base_cases, str(one.contest_date)) for one in found.values()] == [
        ("calls", 2, "2026-04-02"), ("stdin", 2, "2026-03-01"),
    ]  # fmt: skip
    (gold,) = staged_sets(frozenset({("stall", "default")}), root)
    result = grade_gold(gold, ScoreMeans(root, None, 1, False))
    assert (result.passed, result.failed) == (2, 0)


def test_a_release_is_the_same_whatever_the_order_and_layout_of_its_lines(root: Path, tmp_path: Path) -> None:
    one = ingest(root, WEIGH, RHYME).release
    (tmp_path / "elsewhere").mkdir()
    assert ingest(tmp_path / "elsewhere" / "datasets", RHYME, WEIGH).release == one
    words = {"source": WEIGH["source"], "licence": WEIGH["licence"], "solution": WEIGH["solution"]}
    row = upstream_row(WEIGH, contest_id="1", platform="stall", question_title="", **words)
    path = written(tmp_path / "test.jsonl", row)
    theirs = ingest_problems(Wanted("theirs", path, "livecodebench"), tmp_path / "third", Means())
    kept = [json.loads(line) for line in theirs.path.read_text().splitlines()] if theirs.path else []
    mine = json.loads(
        next(line for line in (root / "stall/v1/problems.jsonl").read_text().splitlines() if "weigh" in line)
    )
    assert [{**row, "title": ""} for row in kept] == [{**mine, "title": ""}]


def test_every_kind_of_fault_is_named_with_its_line_and_nothing_is_written(root: Path) -> None:
    wrong = {**WEIGH, "solution": "print(6)", "date": "2126-03-01"}
    unread = {
        **RHYME,
        "task_id": "unread",
        "solution": RHYME["solution"].replace("sys.stdin.read().split()", "sys.stdin"),
    }
    half = {**FOLD, "tests": [*FOLD["tests"], {"args": [[1], 0], "output": [2]}]}
    again = {**without(RHYME, "licence"), "task_id": "again"}
    with pytest.raises(BadInput) as caught:
        ingest(root, wrong, half, RHYME, {**unread, "statement": "nothing alike at all"}, again, {**FOLD, "date": 3})
    lines = [line.strip().split(": ", 2) for line in caught.value.message.splitlines()[1:]]
    does_not_pass = "its solution does not pass under the {} verdict of livecodebench: fail (wrong_answer, test {}"
    expected = [
        (1, "weigh", "date 2126-03-01 is still to come"),
        (1, "weigh", does_not_pass.format("official", "1 of 2")),
        (1, "weigh", does_not_pass.format("strict", "1 of 2")),
        (2, "fold", does_not_pass.format("official", "3 of 3")),
        (2, "fold", does_not_pass.format("strict", "3 of 3")),
        (4, "unread", "its solution does not pass under the official verdict of livecodebench: fail (exception"),
        (5, "again", "its statement is that of rhyme in line 3 of problems.jsonl (100%"),
        (5, "again", "licence is missing"),
        (6, "fold", "date is not a text"),
        (6, "fold", "the id stands in line 2 of problems.jsonl already"),
    ]
    assert [(place, name) for place, name, _ in lines] == [(f"problems.jsonl:{row}", name) for row, name, _ in expected]
    for (_, _, said), (_, _, begins) in zip(lines, expected, strict=True):
        assert said.startswith(begins)
    assert lines[5][2].endswith("it passes as a program: read input without what the harness lacks")
    assert not files(root) and "stall" not in registry()


def test_releases_only_grow(root: Path) -> None:
    ingest(root, WEIGH, FOLD)
    before = files(root)
    assert ingest(root, FOLD, WEIGH).path is None
    assert files(root) == before
    with pytest.raises(BadInput, match="fold: it is in v1 with another date: give a changed problem another id"):
        ingest(root, {**FOLD, "date": "2026-05-01"}, RHYME)
    with pytest.raises(BadInput, match="its statement is that of weigh of stall v1"):
        ingest(root, {**WEIGH, "task_id": "weigh2", "statement": WEIGH["statement"].replace("crate", "box")})
    assert ingest(root, RHYME, is_dry_run=True).path is None
    assert files(root) == before
    done = ingest(root, RHYME)
    assert (done.release.name, done.num_new, done.release.num_problems) == ("v2", 1, 3)
    assert {name: content for name, content in files(root).items() if name in before and "releases" not in name} == {
        name: content for name, content in before.items() if "releases" not in name
    }
    assert {name: task.test_sets for name, task in tasks(root).items()} == {
        "weigh": ("v1", "v2"), "fold": ("v1", "v2"), "rhyme": ("v2",),
    }  # fmt: skip
    assert set(tasks(root, "v1")) == {"weigh", "fold"}
    assert tasks(root, "v1")["weigh"].task_digest == tasks(root)["weigh"].task_digest


def test_what_is_not_as_it_was_released_is_refused(root: Path) -> None:
    ingest(root, WEIGH)
    problems = root / "stall" / "v1" / "problems.jsonl"
    problems.write_text(problems.read_text().replace("kilograms", "pounds"))
    with pytest.raises(BadInput, match="is not the pinned v1: its sha256 differs"):
        tasks(root)
    (root / "stall" / "releases.json").write_text("{}")
    with pytest.raises(BadInput, match="is damaged"):
        load_settings({"run.datasets": str(root)}, None, {})


def test_a_declaration_that_changed_meanwhile_is_not_overwritten(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(root, WEIGH)
    before = files(root)
    book = fresh_releases.opened_book("stall", root)
    release, content = fresh_releases.planned_release(book, [])
    ingest(root, FOLD)
    with pytest.raises(Incomplete, match="another release of stall was written meanwhile"):
        fresh_releases.write_release(book, [], release, content, root)
    assert files(root) != before and set(tasks(root)) == {"weigh", "fold"}


@pytest.mark.parametrize("last", ["problems.jsonl", "releases.json"])
def test_an_ingestion_that_breaks_off_leaves_what_was_there_and_goes_on_next_time(
    root: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    def full(path: Path, content: bytes) -> None:
        if path.name == last:
            raise OSError(28, "No space left on device", str(path))
        replace_file(path, content)

    for problem, before in ((WEIGH, set[str]()), (RHYME, {"weigh"})):
        with monkeypatch.context() as patched:
            patched.setattr(fresh_releases, "replace_file", full)
            with pytest.raises(OSError, match="No space left"):
                ingest(root, problem)
        adopt(root)
        assert (set(tasks(root)) if before else set()) == before and ("stall" in registry()) == bool(before)
        assert not list(root.glob(".benchforge-*"))
        assert ingest(root, problem).num_new == 1


def test_accepting_names_a_problem_that_is_there(root: Path) -> None:
    copy = {**WEIGH, "task_id": "copy"}
    with pytest.raises(UsageError, match="--accept-similar names other, which no line has"):
        ingest(root, WEIGH, copy, accepted=frozenset({"other"}))
    assert ingest(root, WEIGH, copy, accepted=frozenset({"copy"})).num_new == 2


def test_the_command_says_what_it_did(root: Path) -> None:
    path = written(root.parent / "a.jsonl", without(WEIGH, "licence"))
    words = ["ingest-problems", str(path), "--name", "stall", "--datasets", str(root), "--format", "json"]
    outcome = CliRunner().invoke(cli, words)
    assert isinstance(outcome.exception, BadInput) and not files(root)
    outcome = CliRunner().invoke(cli, [*words, "--licence", "MIT"])
    (row,) = json.loads(outcome.stdout)
    assert (row["release"], row["new"], row["state"]) == ("v1", 1, "written")
    assert "compared with" in outcome.stderr
    outcome = CliRunner().invoke(cli, [*words, "--licence", "MIT"])
    assert json.loads(outcome.stdout)[0]["state"] == "nothing new"


def test_recorded_samples_of_it_are_imported(root: Path, tmp_path: Path) -> None:
    ingest(root, WEIGH, FOLD)
    run = Run(tmp_path / "run", Lake(tmp_path / "lake"))
    answers = [{"task_id": one["task_id"], "sample_index": 0, "text": one["solution"]} for one in (WEIGH, FOLD)]
    path = written(tmp_path / "samples.jsonl", *answers)
    wanted = Imported("benchforge", "stall", "lab__x", temperature=0.0, text_form="program")
    import_file(run, path, wanted, root)
    (task,) = [row for row in run.lake.read("tasks").to_pylist() if row["task_id"] == "weigh"]
    assert (task["pinned_cells"], task["licence"]) == ("default:v1=2", "Apache-2.0")
    with pytest.raises(BadInput, match="not whole"):
        import_file(run, written(tmp_path / "half.jsonl", answers[0]), wanted, root)


def plan_of(run: Run, root: Path) -> Plan:
    path = root.parent / "run.yaml"
    path.write_text(f"benchmarks: [stall]\nmodels:\n  - {{model: {OLDER}}}\n  - {{model: {NEWER}}}\n")
    settings = load_settings({"run.datasets": str(root)}, path, {"HOME": str(root.parent)})
    terms = {"seed": 0, "num_samples": 1, "engine": "replay"}
    plan = make_plan(run, planning_wanted.wanted_of(settings), terms, root, Scope())
    run.manifest.add(list(plan.shards))
    return plan


def answered(run: Run, shard: Shard, root: Path, solved: frozenset[str]) -> None:
    """Samples as an engine gives them: the solution, or a program that is wrong."""
    task_set = load_task_set(registry()["stall"], "default", shard.dataset_version, root)
    (protocol,) = [one for one in task_set.benchmark.protocols if one.name == shard.protocol]
    rows = []
    for task in task_set.tasks:
        prompt = protocol.render(task, {})
        program = task.reference if task.task_id in solved else "print('no')"
        content = {"message": {"content": f"So:\n```python\n{program}\n```\n"}, "finish_reason": "stop"}
        sent = request_of(shard, prompt, 0, ServedModel(shard.model, "x"))
        rows += sample_rows(
            shard, task, [0], prompt, sent, Reply({"choices": [content]}, 1, 0.1), Engine("vllm", Endpoint("", ""))
        )
    run.seal("generate", shard.shard_id, {"samples": rows}, len(rows))


@contextmanager
def silent(shard: Shard) -> Iterator[Any]:
    yield lambda number: None


@pytest.mark.slow
def test_a_fresh_release_is_scored_by_window_and_after_each_cutoff(root: Path, tmp_path: Path) -> None:
    ingest(root, WEIGH, FOLD)
    ingest(root, RHYME)
    run = Run(tmp_path / "run", Lake(tmp_path / "lake"))
    plan = plan_of(run, root)
    assert [(shard.dataset_version, shard.expected_rows) for shard in plan.shards] == [("v2", 3), ("v2", 3)]
    solved = {OLDER: frozenset({"weigh", "fold"}), NEWER: frozenset({"weigh", "rhyme"})}
    for shard in plan.shards:
        answered(run, shard, root, solved[shard.model])
    list(score_pending(run, to_score(run, Selection()), ScoreMeans(root, None, 1, False), False, silent))
    _build(tmp_path)
    with aggregate.opened(tmp_path / "marts.duckdb") as marts:
        board = marts.execute(
            "select model, test_set, scope, num_problems, round(score * num_problems) from leaderboard "
            "where benchmark = 'stall' and verdict = 'official' and metric = 'pass@1' order by all"
        ).fetchall()
        headline = marts.execute("select model, test_set, num_problems from headline order by all").fetchall()
        pins = marts.execute(
            "select dataset_version, test_set, num_problems_pinned, licence, is_default from dim_benchmarks "
            "where benchmark = 'stall' order by all"
        ).fetchall()
        months = marts.execute(
            "select count(*) from fct_contamination where benchmark = 'stall' and model = ?", [NEWER]
        ).fetchall()
        refused = marts.execute(
            "select reason from fct_refusals where benchmark = 'stall' and reason = 'unpinned_dataset'"
        ).fetchall()
    assert board == [
        (NEWER, "v1", "all", 2, 1), (NEWER, "v2", "all", 3, 2), (NEWER, "v2", "clean", 2, 1),
        (NEWER, "v2", "release_v1", 2, 1), (NEWER, "v2", "window_spring", 2, 1),
        (OLDER, "v1", "all", 2, 2), (OLDER, "v2", "all", 3, 2), (OLDER, "v2", "clean", 3, 2),
        (OLDER, "v2", "release_v1", 2, 2), (OLDER, "v2", "window_spring", 2, 1),
    ]  # fmt: skip
    assert headline == [(NEWER, "v2", 3), (OLDER, "v2", 3)]
    assert pins == [
        ("v2", "v1", 2, "Apache-2.0, CC-BY-4.0", True), ("v2", "v2", 3, "Apache-2.0, CC-BY-4.0", True),
    ]  # fmt: skip
    assert months[0][0] > 0 and not refused


def _build(folder: Path) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    variables = {
        "lake_root": str(folder / "lake"),
        "duckdb_path": str(folder / "marts.duckdb"),
        "windows": WINDOWS,
        "model_cutoffs": CUTOFFS,
    }
    project, target = aggregate.PROJECT, folder / "target"
    folders = [f"--project-dir={project}", f"--profiles-dir={project}", f"--target-path={target}"]
    quiet = ["--log-level=none", "--log-level-file=none", f"--log-path={target}", "--target=local"]
    try:
        words = ["build", "--exclude-resource-type=unit_test", *folders, *quiet, "--vars", json.dumps(variables)]
        outcome = dbtRunner().invoke(words)
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert outcome.success, aggregate.failures(outcome.result)
