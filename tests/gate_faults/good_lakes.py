"""Lakes of which nothing is wrong, however odd they look: ``verify`` has to find no damage in any of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
from benchforge.ingest import liveness
from benchforge.ingest.bundled.task_ids import known_task_ids
from benchforge.ingest.config import load_settings
from benchforge.ingest.manifest import Run
from benchforge.ingest.planning.plan import Scope, make_plan
from benchforge.ingest.planning.wanted import wanted_of
from benchforge.ingest.recorded import Wanted, import_means
from benchforge.ingest.recorded.transaction import import_file
from benchforge.runners.compact import compact, planned
from benchforge.runners.lake_check import ADDED_LATER
from benchforge.runners.score.judge import OFFICIAL
from forging import OSI, part_of, shard_id
from made_run import MODELS, StubJudge, Talker, asked, imported, score
from planned_run import TEXT, generate, serving

Maker = Callable[[Run], object]
"""Makes a lake out of a copy of the good run."""


def emptied(run: Run) -> None:
    shutil.rmtree(run.root)
    run.lake.root.mkdir(parents=True)


def only_planned(run: Run) -> None:
    for folder in ("lake", "manifests", "gen", "score"):
        shutil.rmtree(run.root / folder)


def asked_and_not_scored(run: Run) -> None:
    for path in (run.root / "manifests").glob("score-*"):
        path.unlink()
    for table in ("results", "timings", "programs"):
        for path in (run.lake.root / "_live" / table).glob("score-*"):
            path.unlink()
        shutil.rmtree(run.lake.root / table / "benchmark=forge_mini")
    imported(run, run.root.parent, "others__second")


def compacted(run: Run) -> None:
    list(compact(run.lake.root, planned(run.lake.root, min_parts=1)))


def compacted_then_scored_again(run: Run) -> None:
    compacted(run)
    score(run, StubJudge("2"), is_forced=True)


def compacted_twice(run: Run) -> None:
    compacted_then_scored_again(run)
    compacted(run)


def scored_again(run: Run) -> None:
    score(run, is_forced=True)


def asked_again(run: Run) -> None:
    """``generate --force`` of one shard: other answers, so its verdicts are made again too."""
    with serving(Talker()) as server:
        server.tokens = 2
        generate(run, server, shard_ids=(shard_id(run),), is_forced=True)
    assert not run.is_done("score", shard_id(run)), "other samples than before are not scored"
    score(run)


def grown(run: Run) -> None:
    """n from 1 to 3: the first window stays as it is."""
    run_file = run.root.parent / "grown.yaml"
    run_file.write_text(TEXT + MODELS.replace(f"model: {OSI}", f"model: {OSI}, num_samples: 3, temperature: 0.0"))
    settings = load_settings({"run.scratch": str(run.root.parent)}, run_file, {"HOME": str(run.root.parent)})
    defaults = {"seed": 5, "num_samples": 1, "engine": "endpoint"}
    run.manifest.add(make_plan(run, wanted_of(settings), defaults, run.root.parent, Scope()).shards)
    with serving(Talker()) as server:
        generate(run, server)
    score(run)


def resumed_after_a_kill(run: Run) -> None:
    """Ten answers and half of one were on the disk; the attempt after that found the rest."""
    one = shard_id(run)
    journal = run.journal("generate", one).path
    lines = journal.read_bytes().splitlines(keepends=True)
    run.clear_done("generate", one)
    for path in (run.root / "manifests").glob(f"*-{one}*"):
        path.unlink()
    for table in ("samples", "results", "timings"):
        for path in (run.lake.root / "_live" / table).glob(f"*-{one}.jsonl"):
            path.unlink()
    journal.write_bytes(b"".join(lines[:10]) + lines[10][:100])
    with serving(Talker()) as server:
        generate(run, server, shard_ids=(one,))
    score(run)


def killed_within_a_seal(run: Run) -> None:
    """Parts and live list were written, the markers were not."""
    one = shard_id(run)
    run.clear_done("generate", one)
    (run.root / "manifests" / f"generate-{one}.committed").unlink()


def of_other_limits(run: Run) -> None:
    judge = StubJudge("slow")
    judge.rules = replace(OFFICIAL, limit_scale=2.0)  # type: ignore[misc]
    from benchforge.ingest.staging.staged import load_tasks
    from benchforge.runners.score.shard import ShardScorer
    from made_run import BENCHMARK

    tasks = {task.task_id: task for task in load_tasks(BENCHMARK, None, "default", Path("unused"))}
    ShardScorer(run, run.manifest.shards()[shard_id(run)], BENCHMARK, tasks, judge).score()  # type: ignore[arg-type]


def by_older_writers(run: Run) -> None:
    """Parts without the columns that were declared later, named by what is in them as theirs were."""
    import forging

    for table in ("samples", "results", "timings"):
        part = part_of(run, table)
        rows = pq.read_table(part, partitioning=None)
        old = rows.drop_columns([name for name in ADDED_LATER[table] if name in rows.column_names])
        forging.rewritten(run, part, old, "sealed")


def means_only(run: Run) -> None:
    emptied(run)
    ids = known_task_ids("livecodebench", "release_v1", "generation") or ()
    rows = [{"question_id": i, "model": "A", "date": 1e12, "difficulty": "easy", "pass@1": 20.0} for i in ids]
    path = run.root.parent / "performances.json"
    path.write_text(json.dumps({"performances": rows}))
    import_means(run, path, Wanted("livecodebench-means", "livecodebench", scenario="generation"))


def verdicts_of_others_only(run: Run) -> None:
    emptied(run)
    imported(run, run.root.parent)
    imported(run, run.root.parent, "others__second", passes=0)


def one_verdict(run: Run) -> None:
    """One sample of one task, the rest said to be missing."""
    emptied(run)
    path = run.root.parent / "one.jsonl"
    path.write_text(json.dumps({"task_id": "HumanEval/3", "passed": True}) + "\n")
    wanted = Wanted("benchforge", "humaneval", model="others__one", is_partial=True)
    import_file(run, path, wanted, run.root.parent / "datasets")


def texts_that_are_odd(run: Run) -> None:
    """NUL, a character outside the first plane, a megabyte, nothing but a line end."""
    emptied(run)
    texts = ["\x00", "\U0001f9ea", "x" * (1 << 20), "\n"]
    path = run.root.parent / "odd.jsonl"
    rows = ({"task_id": f"HumanEval/{i}", "text": texts[i % 4], "text_form": "raw"} for i in range(164))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    import_file(run, path, Wanted("benchforge", "humaneval", model="others__odd"), run.root.parent / "datasets")


def not_osi(run: Run) -> None:
    shutil.rmtree(run.root.parent)
    scratch = run.root.parent
    made = score(asked(scratch, "  - {model: bigcode__starcoder2-15b-instruct-v0.1}\n"))
    made.root.rename(run.root)


def thinking(run: Run) -> None:
    """A card's sampling, n = 5, of a model whose switch is on; the server names its thinking apart."""
    shutil.rmtree(run.root.parent)
    made = asked(run.root.parent, "  - {model: lab__thinker, num_samples: 1, temperature: 0.6, max_tokens: 4096}\n")
    score(made).root.rename(run.root)


def with_dead_parts(run: Run) -> None:
    """What ended attempts left: a part that never counted, an empty journal set aside."""
    part = part_of(run, "samples")
    rows = pq.read_table(part, partitioning=None).to_pylist()[:3]
    run.lake.write_part("samples", rows, shard_id(run))
    run.journal("generate", shard_id(run)).path.with_name("samples.jsonl.1").write_text("")


def with_an_older_set(run: Run) -> None:
    """A shard that was sealed twice with the same rows."""
    one = shard_id(run)
    names = liveness.shard_entries(run.lake.root, "samples", one)[f"generate-{one}"]
    run.seal_parts("generate", one, [run.lake.root / name for name in names], 42)


def program_of_two_shards(run: Run) -> None:
    """Two scorers side by side wrote the same text."""
    part = part_of(run, "programs")
    rows = pq.read_table(part, partitioning=None).to_pylist()
    [copy] = run.lake.write_part("programs", rows, "beside")
    run.lake.commit(copy.stem.removeprefix("part-"), "score", [copy])


GOOD_LAKES: Mapping[str, tuple[Maker, int]] = {
    "as it is": (lambda run: None, 0),
    "empty": (emptied, 0),
    "only planned": (only_planned, 3),
    "asked and not scored": (asked_and_not_scored, 3),
    "compacted": (compacted, 0),
    "compacted, then scored again": (compacted_then_scored_again, 0),
    "compacted twice": (compacted_twice, 0),
    "scored again with --force": (scored_again, 0),
    "asked again with --force": (asked_again, 0),
    "n grown from 1 to 3": (grown, 0),
    "resumed after a kill": (resumed_after_a_kill, 0),
    "killed within a seal": (killed_within_a_seal, 3),
    "graded under other limits as well": (of_other_limits, 0),
    "parts of older writers": (by_older_writers, 0),
    "means only": (means_only, 0),
    "verdicts of others only": (verdicts_of_others_only, 0),
    "one verdict": (one_verdict, 0),
    "odd texts": (texts_that_are_odd, 0),
    "models without OSI approval only": (not_osi, 0),
    "long answers, sampled": (thinking, 0),
    "dead parts": (with_dead_parts, 0),
    "sealed twice": (with_an_older_set, 0),
    "a program written by two shards": (program_of_two_shards, 0),
}
"""Name -> how to make it, and the exit code: 3 where something is left to do."""
