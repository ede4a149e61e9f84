"""Why TERM came, by what the controller said at that moment (recorded from 22.05)."""

from __future__ import annotations

import pytest
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
