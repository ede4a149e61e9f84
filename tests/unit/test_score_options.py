"""What ``score`` does besides scoring: gold, grading again, other limits, and a sandbox that breaks."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from benchforge.ingest.benchmarks.errata import errata
from benchforge.ingest.errors import BenchforgeError, Incomplete, NotStaged, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.runners import aggregate
from benchforge.runners.cli.gold import print_gold
from benchforge.runners.cli.main import cli
from benchforge.runners.cli.regrade import print_regrade
from benchforge.runners.score import gold, pending
from benchforge.runners.score.judge import Graded, Job, Outcome, PartOutcome, Rules, SandboxFailed
from benchforge.runners.score.pending import Means, score_pending, to_score
from benchforge.runners.score.regrade import regrade
from benchforge.runners.selection import Selection

RIGHT, WRONG = PartOutcome("pass", "ok", None, 1, 1), PartOutcome("fail", "wrong_answer", 0, 1, 0)
FORGE = frozenset({("forge_mini", "default")})


class ScriptedJudge:
    """``says(job, number)`` is the part's outcome, or None where the sandbox failed for good."""

    mode, layers, is_unsafe = "inner-only", ("seccomp",), False

    def __init__(self, tasks, says, rules) -> None:
        self.tasks, self.rules, self._says, self._numbers = tasks, rules, says, itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def grader_id(self, oracles):
        return f"scripted-{self.rules.limit_scale}"

    def extract(self, extractor, text, context):
        return text

    def extract_all(self, wanted):
        return [self.extract(*item) for item in wanted]

    def grade(self, jobs):
        lost = []
        for job in jobs:
            part = self._says(job, next(self._numbers))
            if part is None:
                lost.append(job.key)
            else:
                yield job, Graded(dict.fromkeys(job.oracles, Outcome(part, None)), 0.1, 0.1, 1, (0.1,), 1, (0.5, None))
        if lost:
            raise SandboxFailed(tuple(lost), "a child did not get ready")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch):
    """Put a script in the judge's place."""

    def put(says):
        def judge(tasks, mode, *, num_workers, is_unsafe, cache_directory, rules, places):
            return ScriptedJudge(tasks, says, rules)

        monkeypatch.setattr(pending, "Judge", judge)

    return put


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scratch folder with the generated, unscored shard of one demo model."""
    scratch = tmp_path_factory.mktemp("generated")
    for stage in ("plan", "generate"):
        run_cli(stage, scratch)
    return scratch


@pytest.fixture
def scratch(generated: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(generated, tmp_path / "scratch"))


def run_cli(stage: str, scratch: Path, *more: str) -> None:
    demo = Path(aggregate.__file__).parents[1] / "ingest" / "bundled" / "demo.yaml"
    words = [stage, "--config", str(demo), "--scratch", str(scratch), "--model", "forge__twin-a", *more]
    cli.main(words, standalone_mode=False)


def run_of(scratch: Path) -> Run:
    return Run(scratch / "demo", Lake(scratch / "demo" / "lake"))


def means(**more) -> Means:
    return Means(Path("unused"), None, 1, False, **more)


@contextmanager
def silent(shard: Shard) -> Iterator:
    yield lambda number: None


def test_gold_passes_fails_or_is_errata(judged, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    [first, second] = [task.task_id for task in next(gold.staged_sets(FORGE, Path("unused"))).tasks[:2]]
    judged(lambda job, number: WRONG if job.task_id in (first, second) else RIGHT)
    monkeypatch.setattr(gold, "errata", lambda: {("forge_mini", "v1", first): "its answer is random"})
    with pytest.raises(BenchforgeError, match="1 references fail") as failed:
        print_gold(FORGE, means(), "csv")
    assert failed.value.exit_code == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[1] == "forge_mini,v1,default,42,40,1,1"
    assert "its answer is random" in said.err and f"{second}: official base fail (wrong_answer, case 0)" in said.err
    judged(lambda job, number: RIGHT)
    print_gold(FORGE, means(), "csv")


def test_gold_takes_references_and_only_what_is_staged(judged, tmp_path: Path):
    seen: list[Job] = []
    judged(lambda job, number: seen.append(job) or RIGHT)
    [only] = gold.staged_sets(frozenset(), tmp_path)
    result = gold.grade_gold(only, means())
    assert [job.program for job in seen] == [task.reference for task in only.tasks]
    assert (result.tasks, result.passed, result.failed) == (42, 42, 0)
    with pytest.raises(NotStaged, match="cruxeval v1 is not staged"):
        list(gold.staged_sets(frozenset({("cruxeval", "cruxeval_i")}), tmp_path))


def test_errata_are_read_from_the_seed(tmp_path: Path):
    seed = tmp_path / "errata.csv"
    seed.write_text("benchmark,dataset_version,task_id,reason\nmbppplus,v0,Mbpp/1,its oracle is wrong\n")
    assert errata(seed) == {("mbppplus", "v0", "Mbpp/1"): "its oracle is wrong"}
    assert all(reason for reason in errata().values())


def shards_of(run: Run, **more) -> Sequence[Shard]:
    return to_score(run, Selection(is_forced=True), **more)


def test_regrade_lists_what_did_not_repeat_and_touches_no_verdict(judged, scratch: Path, capsys: pytest.CaptureFixture):
    run = run_of(scratch)
    judged(lambda job, number: RIGHT)
    list(score_pending(run, shards_of(run), means(), False, silent))
    before = _files(run)
    print_regrade(run, shards_of(run), means(), 3, silent, "csv")
    assert len(capsys.readouterr().out.splitlines()) == 1, "nothing is flaky"

    flaky = next(job for job in _jobs(run, judged))
    judged(lambda job, number: WRONG if job.key == flaky.key and number % 2 else RIGHT)
    with pytest.raises(BenchforgeError, match="1 programs are flaky") as found:
        print_regrade(run, shards_of(run), means(), 3, silent, "csv")
    assert found.value.exit_code == 1
    rows = capsys.readouterr().out.splitlines()[1:]
    assert {row.split(",")[3] for row in rows} == {flaky.task_id}
    assert all(row.endswith("base,pass (ok),fail (wrong_answer)") for row in rows)
    after = _files(run)
    assert {path: after[path] for path in before} == before
    new = {path.relative_to(run.lake.root).parts for path in after.keys() - before.keys()}
    assert {parts[1] if parts[0] == "_live" else parts[0] for parts in new} == {"regrades"}


def _files(run: Run) -> dict[Path, bytes]:
    return {part: part.read_bytes() for part in run.lake.root.rglob("*.*") if part.is_file()}


def test_gradings_of_regradings_add_up_in_the_lake_and_one_broken_off_leaves_none(judged, scratch: Path):
    run = run_of(scratch)
    flaky = next(job for job in _jobs(run, judged))
    before = run.lake.read("regrades").num_rows
    judged(lambda job, number: None if job.key == flaky.key else RIGHT)
    with pytest.raises(SandboxFailed):
        list(regrade(run, shards_of(run), means(), 2, silent))
    assert run.lake.read("regrades").num_rows == before
    judged(lambda job, number: WRONG if job.key == flaky.key and number % 2 else RIGHT)
    list(regrade(run, shards_of(run), means(), 4, silent))
    rows = [row for row in run.lake.read("regrades").to_pylist() if row["program_id"] == flaky.key[1]]
    assert len({row["regrade_id"] for row in rows}) == 2
    counts = Counter[tuple[str, str]]()
    for row in rows:
        assert row["task_digest"] == flaky.key[0]
        assert row["is_official_oracle"] or row["is_strict_oracle"]
        counts[row["oracle"], row["verdict"]] += row["num_gradings"]
    for oracle in flaky.oracles:
        assert (counts[oracle, "pass"], counts[oracle, "fail"]) == (3, 2)


def _jobs(run: Run, judged) -> list[Job]:
    seen: list[Job] = []
    judged(lambda job, number: seen.append(job) or RIGHT)
    list(regrade(run, shards_of(run), means(), 1, silent))
    return seen


def test_a_shard_is_pending_under_each_limit_factor_of_its_own(judged, scratch: Path):
    run = run_of(scratch)
    judged(lambda job, number: RIGHT)
    double = means(rules=Rules(limit_scale=2.0))
    assert len(to_score(run, Selection())) == len(to_score(run, Selection(), 2.0)) == 1
    [official] = score_pending(run, to_score(run, Selection()), means(), False, silent)
    assert not to_score(run, Selection()) and len(to_score(run, Selection(), 2.0)) == 1
    [doubled] = score_pending(run, to_score(run, Selection(), 2.0), double, False, silent)
    assert not to_score(run, Selection(), 2.0)
    assert doubled.num_graded == official.num_graded, "verdicts under other limits are no look-up"
    assert run.lake.read("results").num_rows == 2 * official.num_rows


def test_broken_sandbox_is_exit_3_no_marker_and_a_refusal(judged, scratch: Path, tmp_path: Path):
    broken: list[str] = []

    def says(job: Job, number: int):
        broken.extend([job.task_id] if not broken else [])
        return None if job.task_id == broken[0] else RIGHT

    judged(says)
    with pytest.raises(Incomplete) as failed:
        run_cli("score", scratch)
    assert failed.value.exit_code == 3 and "1 shards are not finished" in failed.value.message
    run = run_of(scratch)
    assert len(to_score(run, Selection())) == 1 and run.lake.read("results").num_rows == 0
    aggregate.build(run.lake.root, tmp_path / "marts.duckdb")
    with duckdb.connect(str(tmp_path / "marts.duckdb"), read_only=True) as marts:
        refused = marts.sql("select reason, detail from fct_refusals where model = 'forge__twin-a'").fetchall()
    assert {reason for reason, _ in refused} == {"not_scored", "unfinished_shards"}
    assert any("The sandbox failed for 1 program(s)" in detail for _, detail in refused)

    graded: list[str] = []
    judged(lambda job, number: graded.append(job.task_id) or RIGHT)
    run_cli("score", scratch)
    assert set(graded) == {broken[0]}, "what was graded is kept"
    assert not to_score(run, Selection())


def test_limits_that_are_no_number_are_refused(scratch: Path):
    import click

    for word in ("0.05", "nan", "inf"):
        with pytest.raises((click.ClickException, UsageError)):
            run_cli("score", scratch, "--limit-factor", word)


_REFUSED = (
    ("--gold --regrade 2", "--gold and --regrade are two runs"),
    ("--gold --cross-check", "--gold and --cross-check are two runs"),
    ("--cross-check --regrade 1", "--regrade and --cross-check are two runs"),
    ("--cross-check --limit-factor 2", "--limit-factor has no meaning beside --cross-check"),
    ("--cross-check --dry-run", "--dry-run has no meaning beside --cross-check"),
    ("--cross-check --unsafe", "--unsafe has no meaning beside --cross-check"),
    ("--gold --shard-id s1", "--shard-id has no meaning beside --gold"),
    ("--gold --dry-run", "--dry-run has no meaning beside --gold"),
    ("--gold --force", "--force has no meaning beside --gold"),
    ("--regrade 1 --force", "--force has no meaning beside --regrade"),
    ("--regrade 1 --harness there", "--harness has no meaning beside --regrade"),
    ("--harness-python there", "--harness-python has a meaning only beside --cross-check"),
)


@pytest.mark.parametrize(("words", "sentence"), _REFUSED)
def test_options_that_would_be_ignored_are_refused(judged, words: str, sentence: str):
    judged(lambda job, number: pytest.fail("nothing is run"))
    with pytest.raises(UsageError) as refused:
        cli.main(["score", *words.split()], standalone_mode=False)
    assert refused.value.exit_code == 2 and sentence in refused.value.message


def test_gold_takes_no_model(scratch: Path):
    with pytest.raises(UsageError, match="--model has no meaning beside --gold"):
        run_cli("score", scratch, "--gold")


def test_gold_grades_the_benchmarks_that_are_named(judged, tmp_path: Path, capsys: pytest.CaptureFixture):
    judged(lambda job, number: RIGHT)
    words = ["score", "--gold", "--benchmark", "forge_mini", "--scratch", str(tmp_path), "--format", "csv"]
    cli.main(words, standalone_mode=False)
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == ["benchmark", "forge_mini"]
    with pytest.raises(NotStaged, match="is not staged"):
        cli.main([*words, "--benchmark", "cruxeval_i"], standalone_mode=False)


def test_dry_run_lists_what_is_pending_under_these_limits_and_grades_nothing(
    judged, scratch: Path, capsys: pytest.CaptureFixture
):
    run = run_of(scratch)
    judged(lambda job, number: RIGHT)
    list(score_pending(run, shards_of(run), means(), False, silent))
    capsys.readouterr()
    judged(lambda job, number: pytest.fail("a dry run grades nothing"))
    before = {path: path.stat().st_mtime_ns for path in scratch.rglob("*")}
    for more, num_listed in (((), 0), (("--limit-factor", "2"), 1), (("--regrade", "1"), 1)):
        run_cli("score", scratch, "--dry-run", "--format", "csv", *more)
        said = capsys.readouterr()
        assert f"{num_listed} shards to score" in said.err
        assert len(said.out.splitlines()) == num_listed + 1
    assert {path: path.stat().st_mtime_ns for path in scratch.rglob("*")} == before
