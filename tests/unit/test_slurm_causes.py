"""Why a signal came, by what the controller said at that moment (recorded from 22.05); what its commands refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.errors import QueueError
from benchforge.slurm import commands
from benchforge.slurm.causes import cause_in, cause_of_notice
from benchforge.slurm.records import fields


@pytest.mark.parametrize(
    ("said", "restart", "cause"),
    [
        ("JobState=COMPLETING Reason=None Restarts=0 PreemptTime=None", 0, "cancelled"),
        ("JobState=COMPLETING Reason=None Restarts=2 PreemptTime=None", 2, "cancelled"),
        ("JobState=COMPLETING Reason=None Restarts=1", 0, "preempted"),
        ("JobState=PENDING Reason=None Restarts=1", 0, "node_fail"),
        ("JobState=COMPLETING Reason=TimeLimit Restarts=0 PreemptTime=None", 0, "time_limit"),
        ("", 0, None),
    ],
)
def test_what_the_controller_says_while_the_handler_runs(said: str, restart: int, cause: str | None):
    assert cause_in(fields(said), restart) == cause


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("JobState=RUNNING Restarts=0 PreemptTime=None", "notice"),
        ("JobState=RUNNING Restarts=0 PreemptTime=2026-11-21T21:41:50", "preempted"),
        ("JobState=COMPLETING Restarts=1", "preempted"),
        ("", "notice"),
    ],
)
def test_a_notice_is_of_the_limit_unless_the_controller_says_more(said: str, cause: str):
    assert cause_of_notice(fields(said), 0) == cause


@pytest.mark.parametrize(
    ("program", "sentence", "hint"),
    [
        ("echo 'fatal: Could not establish a configuration source' >&2; exit 1", "refused: fatal", "login node"),
        ("echo 'error: Invalid qos specification' >&2; exit 1", "Invalid qos specification", "anything --now"),
        ("sleep 60", "gave no answer in 0.2 s", "scontrol ping"),
    ],
)
def test_what_a_command_says_is_one_sentence_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, sentence: str, hint: str
):
    (tmp_path / "anything").write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
    (tmp_path / "anything").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(QueueError) as caught:
        commands.run(["anything", "--now"], timeout_seconds=0.2 if "sleep" in program else 30)
    assert sentence in caught.value.message and hint in caught.value.hint


def test_a_command_that_is_not_there_says_where_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueError, match="there is no sbatch on this machine"):
        commands.run(["sbatch"])
    assert not commands.is_there()
