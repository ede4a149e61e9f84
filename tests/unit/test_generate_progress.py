"""What is said on the way: rates of what was answered, not of what was there, and the time left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchforge.runners.generate import progress as progress_module
from benchforge.runners.generate.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(progress_module, "time", made)
    yield made


def test_rates_are_of_the_last_minute_and_resumed_samples_are_none(clock: Clock):
    told: list[tuple[int, str]] = []
    progress = Progress(1000, lambda number, note: told.append((number, note)), shows_time_left=True)
    progress.resumed(400)
    assert told == [(400, "")]
    for _ in range(100):
        clock.now += 1.0
        progress.answered(2, 600)
    assert told[-1] == (2, "2.0 samples/s, 610 tokens/s, 3 min left")
    assert sum(number for number, _ in told) == 600


@pytest.mark.parametrize(("rate", "said"), [(10.0, "50 s left"), (0.5, "17 min left"), (0.05, "2.8 h left")])
def test_time_left_is_said_in_the_unit_that_fits(clock: Clock, rate: float, said: str):
    told: list[str] = []
    progress = Progress(501, lambda number, note: told.append(note), shows_time_left=True)
    clock.now += 1 / rate
    progress.answered(1, 1)
    assert told[-1].endswith(said)


def test_a_terminal_shows_the_time_left_by_itself(clock: Clock):
    told: list[str] = []
    progress = Progress(10, lambda number, note: told.append(note), shows_time_left=False)
    clock.now += 1.0
    progress.answered(1, 5)
    assert told == ["1.0 samples/s, 5 tokens/s"]
