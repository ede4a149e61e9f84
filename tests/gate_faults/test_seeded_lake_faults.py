"""Every seeded fault of a run and its lake is named by ``verify``; what can be repaired is, and stays so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest import lake, manifest
from benchforge.ingest.manifest import Run
from benchforge.runners.cli.main import cli
from benchforge.runners.gate.verify import RULES, Verified, remedies, verify
from benchforge.runners.gate.verify.faults import rules_table
from benchforge.runners.gate.verify.repair import Step, repair
from benchforge.runners.generate.lease import leased
from click.testing import CliRunner
from lake_faults import LAKE_FAULTS, LakeFault
from made_run import StubJudge, score


def look(run: Run) -> Verified:
    return verify(run.lake.root, run.root, run.root.parent, num_threads=2)


def rules_of(found: Verified) -> set[str]:
    return {fault.rule for fault in found.faults}


def test_a_good_run_is_whole(good: Run):
    assert look(good).faults == ()


@pytest.mark.parametrize("fault", LAKE_FAULTS, ids=lambda fault: fault.name)
def test_verify_names_the_fault(run: Run, fault: LakeFault):
    fault.seed(run)
    found = look(run)
    assert fault.rule in rules_of(found), found.findings.as_rows()
    assert found.exit_code == 1


MENDED_HERE = (
    "programs dropped", "column dropped", "samples of another model", "all live lists removed", "a verdict lost",
    "timings without verdicts", "part behind a compaction lost",
)  # fmt: skip
"""Some of ``MENDED``; ``seeded_faults.py`` tries all of them."""
NOTED = {"ledger dropped"}
"""What no stage makes again is lost, and said to be."""


def mended(run: Run) -> tuple[list[Step], Verified]:
    return repair(lambda: look(run))


def rows_of(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Live rows of every table but the ledger, in order of their keys; measured and named by whom is left out."""
    tables = ("tasks", "samples", "programs", "results")
    return {table: sorted(run.lake.read(table).to_pylist(), key=str) for table in tables}


@pytest.mark.parametrize("name", MENDED_HERE)
def test_repair_and_the_stages_bring_every_row_back(run: Run, name: str):
    before = rows_of(run)
    next(fault for fault in LAKE_FAULTS if fault.name == name).seed(run)
    steps, found = mended(run)
    assert found.exit_code in (0, 3), found.findings.as_rows()
    assert {step.outcome for step in steps} == {"done"}
    assert mended(run)[0] == [], "a second repair has nothing to do"
    judge = StubJudge()
    score(run, judge)
    assert rows_of(run) == before
    left = {fault.rule for fault in look(run).faults}
    assert left <= {"set_aside", "journal_gone", "orphan"} and (name not in NOTED or "set_aside" in left)


def test_what_only_a_person_can_say_is_left_as_it_is(run: Run):
    for name in ("verdicts flipped, seal rewritten", "journal edited after sealing", "line of the plan lost"):
        next(fault for fault in LAKE_FAULTS if fault.name == name).seed(run)
    before = {path: path.read_bytes() for path in run.root.rglob("*") if path.is_file()}
    steps, found = mended(run)
    assert (steps, found.exit_code) == ([], 1)
    assert {path: path.read_bytes() for path in run.root.rglob("*") if path.is_file()} == before


class Killed(BaseException):
    """As a kill: nothing that catches errors sees it."""


def killed_at(monkeypatch: pytest.MonkeyPatch, instant: int) -> None:
    """The process ends before its ``instant``-th step on the disk."""
    left = [instant]

    def dying(step: Callable[..., Any]) -> Callable[..., Any]:
        def do(*given: Any, **named: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return step(*given, **named)

        return do

    monkeypatch.setattr(remedies, "append_line", dying(remedies.append_line))
    monkeypatch.setattr(lake, "append_line", dying(lake.append_line))
    monkeypatch.setattr(manifest, "append_line", dying(manifest.append_line))
    monkeypatch.setattr(manifest, "replace_file", dying(manifest.replace_file))
    for name in ("rename", "unlink"):
        monkeypatch.setattr(Path, name, dying(getattr(Path, name)))
    monkeypatch.setattr(os, "replace", dying(os.replace))


def test_repair_may_be_killed_at_any_instant(run: Run, tmp_path: Path):
    """Three faults at once; killed before its first step on the disk, then later and later until it lives."""
    before = rows_of(run)
    for name in ("compacted part lost", "page overwritten, part named anew", "programs dropped"):
        next(fault for fault in LAKE_FAULTS if fault.name == name).seed(run)
    instant, kills = 0, 0
    while True:
        with pytest.MonkeyPatch.context() as patch:
            killed_at(patch, instant)
            try:
                _, found = mended(run)
                break
            except Killed:
                instant, kills = instant + kills, kills + 1
        for lease in run.root.rglob("lease"):
            lease.unlink()  # a process that was killed is gone; this one, which only plays it, is not
    assert found.exit_code in (0, 3) and kills > 2
    score(run)
    assert rows_of(run) == before


def test_the_command_repairs_and_says_what_it_did(run: Run):
    next(fault for fault in LAKE_FAULTS if fault.name == "samples dropped").seed(run)
    words = ["verify", "--scratch", str(run.root.parent), "--run-name", run.root.name, "--format", "json"]
    found = CliRunner().invoke(cli, words)
    assert found.exit_code == 1 and json.loads(found.stdout)[0]["rule"] == "part_missing"
    before = sorted(path for path in run.root.rglob("*"))
    shown = CliRunner().invoke(cli, [*words, "--repair", "--dry-run"])
    assert sorted(path for path in run.root.rglob("*")) == before
    assert [step["outcome"] for step in json.loads(shown.stdout)] == ["would be done"]
    done = CliRunner().invoke(cli, [*words, "--repair"])
    assert done.exit_code == 0 and [step["outcome"] for step in json.loads(done.stdout)] == ["done"]
    assert CliRunner().invoke(cli, words).exit_code == 0


def test_pending_work_is_no_damage(run: Run):
    run.clear_done("score", next(iter(run.manifest.shards())))
    found = look(run)
    assert (found.exit_code, {fault.rule for fault in found.faults}) == (3, {"pending"})


def test_what_an_ended_process_left_is_shown_and_removed(run: Run):
    shard_id = next(iter(run.manifest.shards()))
    journal = run.journal("generate", shard_id).path
    with journal.open("a") as stream:
        stream.write('{"torn')
    temporary = run.lake.root / "samples" / ".part-x.1.tmp"
    temporary.write_text("half")
    lease = journal.with_name("lease")
    lease.write_text("{}")
    for path in (temporary, lease):
        os.utime(path, (1e9, 1e9))
    found = look(run)
    assert (found.exit_code, {fault.rule for fault in found.faults}) == (0, {"torn_line", "temporary", "stale_lease"})
    mended(run)
    assert not temporary.exists() and not lease.exists() and journal.read_bytes().endswith(b"\n")
    assert (run.root / "damaged" / "gen" / shard_id / "samples.jsonl.tail").read_text() == '{"torn'


def test_a_shard_that_somebody_generates_is_left_to_them(run: Run):
    shard_id = next(iter(run.manifest.shards()))
    run.clear_done("generate", shard_id)
    with leased(run.journal("generate", shard_id).path.parent, shard_id):
        assert "seal_unfinished" not in {fault.rule for fault in look(run).faults}
    assert "seal_unfinished" in {fault.rule for fault in look(run).faults}


def test_the_page_lists_the_rules():
    page = Path(__file__).resolve().parents[2] / "docs" / "verify.md"
    assert rules_table() in page.read_text(), "paste what faults.rules_table() gives"


def test_every_rule_of_damage_has_a_seeded_fault():
    damage = {rule.name for rule in RULES if rule.kind == "damage"}
    of_other_files = {"bundled_digest", "published_file"}
    assert damage - of_other_files == {fault.rule for fault in LAKE_FAULTS}
    assert len(LAKE_FAULTS) >= 60
