"""The simulated month keeps its own rules: nobody holds a GPU twice, and who takes nothing delays nobody."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import politeness

DAYS = 3 * 24 * politeness.HOUR


def test_one_seed_gives_one_month():
    assert politeness.trace(1, DAYS) == politeness.trace(1, DAYS) != politeness.trace(2, DAYS)


def test_who_takes_nothing_delays_nobody():
    until = politeness.WARM_UP_SECONDS + DAYS
    jobs = politeness.trace(3, until)
    alone = politeness.simulate(jobs, None, politeness.HOUR, until)
    idle_array = politeness.simulate(jobs, politeness.fixed(0), politeness.HOUR, until)
    assert idle_array.waits == alone.waits and idle_array.our_seconds == 0
    assert alone.waits and min(alone.waits.values()) >= 0


def test_the_live_throttle_harvests_more_than_a_guess_and_short_tasks_delay_less():
    long, short = (
        {str(row["policy"]).split(",")[0].split(" %")[0]: row for row in politeness.compared(5, hours, DAYS)}
        for hours in (8 * politeness.HOUR, politeness.HOUR)
    )
    for rows in (long, short):
        assert 0 < rows["fixed array"]["harvested"] < rows["live"]["harvested"] <= 1.0
    assert short["live"]["mean_delay_minutes"] < long["live"]["mean_delay_minutes"]
