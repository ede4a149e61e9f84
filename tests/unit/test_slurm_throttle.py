"""How many of our tasks may run beside what others want."""

from __future__ import annotations

from pathlib import Path

from benchforge.slurm.queue import parse_squeue
from benchforge.slurm.throttle import LiveArray, allowance, shared_out, wanted_by_others
from hypothesis import given
from hypothesis import strategies as st

RECORDED = Path(__file__).resolve().parents[1] / "slurm" / "recorded" / "22.05"


def test_what_is_idle_less_headroom_and_what_others_want():
    assert allowance(idle_gpus=8, held_gpus=0, headroom_gpus=2) == 6
    assert allowance(idle_gpus=1, held_gpus=5, headroom_gpus=2) == 4
    assert allowance(idle_gpus=1, held_gpus=5, headroom_gpus=2, wanted_gpus=3) == 1
    assert allowance(idle_gpus=0, held_gpus=1, headroom_gpus=2) == 0


def test_only_jobs_of_others_that_could_start_are_waited_for():
    waiting = [task for task in parse_squeue((RECORDED / "squeue.txt").read_text()) if task.is_pending]
    assert wanted_by_others(waiting, frozenset({"6", "7"})) == 0  # one waits for nodes that are not available
    line = "30|30|30|N/A|PENDING|Priority|gpu|N/A|N/A|0:00|10:00|N/A|5|gres:gpu:pro6000:4|other|"
    other = parse_squeue(line)
    assert wanted_by_others(other, frozenset({"6"})) == 4
    assert wanted_by_others(other, frozenset({"30"})) == 0


def test_the_rest_goes_to_the_earliest_array_with_pending_tasks():
    arrays = [LiveArray("1", 1, 2, 1, 2), LiveArray("2", 1, 0, 50, 1), LiveArray("3", 4, 0, 3, 1)]
    assert shared_out(arrays, 10) == {"1": 3, "2": 7, "3": 1}


def test_an_array_that_is_over_gets_nothing():
    assert shared_out([LiveArray("1", 1, 0, 0, 4)], 10) == {}


arrays_drawn = st.lists(
    st.builds(LiveArray, st.uuids().map(str), st.integers(1, 8), *[st.integers(0, 40)] * 2, st.just(1)), max_size=6
)


@given(arrays_drawn, st.integers(0, 100))
def test_together_they_never_take_more_than_allowed_but_one_task_each(arrays: list[LiveArray], allowed: int):
    throttles = shared_out(arrays, allowed)
    gpus = {array.job_id: array.gpus for array in arrays}
    assert all(number >= 1 for number in throttles.values())
    beyond_one = sum((number - 1) * gpus[job_id] for job_id, number in throttles.items())
    assert beyond_one <= allowed
