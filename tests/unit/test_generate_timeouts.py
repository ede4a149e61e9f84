"""Limits of time: what they follow from, and which of them bounds an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchforge.runners.generate.timeouts import Pace, Timeouts


def test_limits_follow_from_length_and_speed():
    """32,768 tokens at 25 tokens/s last 22 minutes: no constant of 600 s would let them end."""
    limits = Timeouts.derived(
        32_768, 1_000, tokens_per_second=25, prefill_tokens_per_second=500, queue_p99_seconds=8, longest_gap_seconds=2
    )
    assert limits.whole == pytest.approx(60 + 8 + 2 + 1.5 * 32_768 / 25)
    assert limits.first_token == pytest.approx(60 + 8 + 3 * 2)
    assert limits.gap == 120
    assert limits.connect == 5


def test_a_server_that_paused_long_is_given_five_times_that():
    assert Timeouts.derived(100, longest_gap_seconds=60).gap == 300


def test_what_is_set_counts_and_the_rest_is_derived():
    derived = Timeouts(first_token=10, gap=120, whole=900)
    assert Timeouts().resolved(derived, is_streamed=False) == derived
    assert Timeouts(whole=30, gap=7).resolved(derived, is_streamed=False) == Timeouts(first_token=10, gap=7, whole=30)


def test_a_stream_is_never_given_less_than_its_length_needs():
    derived = Timeouts(first_token=10, gap=120, whole=900)
    assert Timeouts(whole=600).resolved(derived, is_streamed=True).whole == 900
    assert Timeouts(whole=3600).resolved(derived, is_streamed=True).whole == 3600


def test_a_pace_that_is_not_measured_is_assumed_slow():
    derived = Timeouts.derived(1_000)
    assert Pace().timeouts(1_000, 0) == replace(derived, first_token=derived.whole)
    assert derived.whole > 600


def test_a_server_that_thinks_in_silence_is_given_twice_the_longest_silence():
    pace = Pace()
    for seconds in (300.0,) + (1.0,) * 200:
        pace.saw(seconds, 100.0, first_token_seconds=seconds, longest_gap_seconds=None)
    assert pace.timeouts(1_000, 0).first_token == 600


def test_a_measured_pace_is_that_of_the_slowest_in_twenty():
    pace = Pace()
    for index in range(100):
        pace.saw(1.0, 10.0 if index < 6 else 100.0, first_token_seconds=0.5, longest_gap_seconds=40.0)
    limits = pace.timeouts(1_000, 0)
    assert limits.whole == pytest.approx(60 + 0.5 + 1.5 * 1_000 / 10)
    assert (limits.first_token, limits.gap) == (pytest.approx(60.5), 200)


def test_a_pace_forgets():
    pace = Pace()
    for seconds in (1.0,) * 600 + (0.1,) * 600:
        pace.saw(seconds, 10.0, None, None)
    assert pace.timeouts(1_000, 0).whole == pytest.approx(Timeouts.derived(1_000, tokens_per_second=100).whole)


def test_answers_without_a_count_or_a_length_teach_nothing():
    pace = Pace()
    for _ in range(100):
        pace.saw(0.0, 0, None, None)
    assert pace.timeouts(1_000, 0) == Pace().timeouts(1_000, 0)
