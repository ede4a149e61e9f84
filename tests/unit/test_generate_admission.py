"""What may still begin: by the time left, by the lengths measured so far, by the ceilings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import Incomplete, UsageError
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.admission import Admission, Lengths
from benchforge.runners.generate.ceilings import Ceilings, Price, count_spent, price_of
from benchforge.runners.generate.expected import CellLengths
from benchforge.runners.generate.window import Window
from planned_run import ROWS, Server, assert_whole, generate, journal_rows, planned, serving

PRICED = ServedModel("lab__one", "one", price_per_million_prompt_tokens=1e6, price_per_million_completion_tokens=2e6)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return planned(tmp_path)


# ---- lengths --------------------------------------------------------------------------------------------------------


def test_a_quantile_of_many_lengths_is_within_a_step_of_the_exact_one():
    draw, lengths = random.Random(1), Lengths()
    drawn = sorted(round(draw.lognormvariate(6.0, 1.0)) + 1 for _ in range(5000))
    for tokens in drawn:
        lengths.add(tokens)
    for share in (0.5, 0.9, 0.99):
        found = lengths.quantile(share)
        assert found is not None
        assert found / drawn[int(share * 5000)] == pytest.approx(1.0, abs=0.03)


def test_nothing_is_said_of_a_cell_before_enough_answers_ended():
    lengths = Lengths()
    for _ in range(29):
        lengths.add(100)
    assert lengths.quantile(0.99) is None
    lengths.add(100)
    assert lengths.quantile(0.99) == pytest.approx(100, rel=0.03)


def test_answers_in_flight_count_as_longer_than_they_are_so_far():
    """The first answers to end are the short ones: 40 of 100 tokens ended, 60 are at 1,000 and go on."""
    lengths = Lengths()
    for _ in range(40):
        lengths.add(100)
    assert lengths.quantile(0.99) == pytest.approx(100, rel=0.03)
    assert lengths.quantile(0.99, [1000.0] * 60) is None, "nobody knows how long those will be"
    assert lengths.quantile(0.3, [1000.0] * 60) == pytest.approx(100, rel=0.03)


def measured(whole_seconds: float | None, tokens: int, tokens_per_second: float = 10.0) -> Admission:
    admission = Admission(whole_seconds)
    for _ in range(200):
        admission.lengths("cell").add(tokens)
        admission.speed.add(tokens, tokens / tokens_per_second)
    return admission


@pytest.mark.parametrize(("left", "is_admitted"), [(99.0, False), (110.0, True), (0.0, False)])
def test_a_request_is_admitted_when_its_cells_p99_fits(left: float, is_admitted: bool):
    """1,000 tokens at 10 tokens/s are 100 s; that it may have 32,768 is no matter."""
    assert measured(10_000.0, 1000).admits(left, "cell", 32_768, ()) == is_admitted


def test_a_cell_without_lengths_is_taken_at_its_limit_once_the_speed_is_known():
    admission = measured(100_000.0, 1000)
    assert not admission.admits(200.0, "other", 32_768, ())
    assert admission.admits(3300.0, "other", 32_768, ())
    assert admission.admits(100.0, "other", 900, ())


def test_before_anything_is_measured_it_is_tried():
    assert Admission(1000.0).admits(10.0, "cell", 32_768, ())
    assert not Admission(1000.0).admits(0.0, "cell", 32_768, ())


def test_what_needs_more_than_the_whole_job_begins_in_its_first_half():
    """Else no job of that length would ever begin it."""
    admission = measured(1000.0, 100_000)
    assert admission.admits(600.0, "cell", 131_072, ())
    assert not admission.admits(400.0, "cell", 131_072, ())


def test_a_saved_prefix_shortens_what_is_expected():
    admission = measured(10_000.0, 1000)
    assert not admission.admits(60.0, "cell", 32_768, ())
    assert admission.admits(60.0, "cell", 32_768, (), saved_tokens=500)


def test_without_a_limit_everything_is_admitted():
    assert Admission(None).admits(None, "cell", 10**9, ())


# ---- ceilings -------------------------------------------------------------------------------------------------------


def test_a_ceiling_is_never_passed_by_what_is_in_flight():
    ceilings, price = Ceilings(tokens=1000), Price()
    begun = 0
    while ceilings.admits(price, 20, 90):
        ceilings.reserve(price, 20, 90)
        begun += 1
    assert begun == 10
    ceilings.reserve(price, 20, 90, -1)
    ceilings.spend(price, 10, 5)
    assert not ceilings.admits(price, 20, 90), "15 spent and 900 reserved leave 85"
    assert ceilings.admits(price, 20, 70)


def test_a_ceiling_in_money_needs_a_price():
    with pytest.raises(UsageError, match="lab__free has no price"):
        price_of(ServedModel("lab__free", "free"), Ceilings(money=1.0))
    assert price_of(PRICED, Ceilings(money=1.0)).of(3, 2) == 7.0


@pytest.mark.parametrize("ceiling", [{"token_ceiling": 20_000}, {"money_ceiling": 40_000.0}])
def test_a_run_stops_below_its_ceiling_and_counts_what_it_spent_before(
    run: Run, server: Server, ceiling: dict[str, Any]
):
    (shard,) = run.manifest.shards().values()
    most = shard.request["max_tokens"]
    means = {"served": {"lab__one": PRICED}, **ceiling}
    with pytest.raises(Incomplete, match="ceiling"):
        generate(run, server, concurrency=64, limit=5, means={**means, "token_ceiling": most // 2})
    assert not server.asked, "one answer could be longer than that"
    server.tokens = most - 10
    with pytest.raises(Incomplete, match="ceiling"):
        generate(run, server, concurrency=64, means=means)
    asked = sum(server.asked.values())
    spent = Ceilings()
    count_spent(run, lambda name: PRICED, spent)
    assert 0 < len(journal_rows(run)) == asked < ROWS
    assert 20_000 - 2 * most < spent.spent_tokens <= 20_000
    with pytest.raises(Incomplete, match="ceiling"):
        generate(run, server, means=means)
    assert sum(server.asked.values()) == asked, "what earlier attempts spent counts"
    assert all(row["cut"] != "ceiling" for row in journal_rows(run))
    generate(run, server)
    assert_whole(run)


def test_a_ceiling_counts_models_that_are_finished_and_what_was_thrown_away(tmp_path: Path, server: Server):
    run = planned(tmp_path, "  - {model: lab__one, temperature: 0.5}\n  - {model: lab__two, temperature: 0.5}\n")
    generate(run, server, models=("lab__one",), means={"token_ceiling": 100_000})
    asked = sum(server.asked.values())
    spent = Ceilings(tokens=1)
    count_spent(run, lambda name: ServedModel(name, name), spent)
    assert spent.spent_tokens == 2 * asked == 84, "one token of prompt and one of answer each"
    with pytest.raises(Incomplete, match=r"ceiling of 84 tokens .*84 tokens, 0 spent"):
        generate(run, server, means={"token_ceiling": spent.spent_tokens})
    assert sum(server.asked.values()) == asked
    with pytest.raises(UsageError, match="lab__one has no price"):
        generate(run, server, means={"served": {"lab__two": replace(PRICED, name="lab__two")}, "money_ceiling": 1e9})


def test_tokens_that_broken_attempts_had_made_are_spent(run: Run):
    (shard,) = run.manifest.shards().values()
    journal = run.journal("generate", shard.shard_id)
    journal.path.parent.mkdir(parents=True)
    journal.path.write_text('{"prompt_tokens": 3, "completion_tokens": 5, "tokens_discarded": 7}\n')
    spent = Ceilings()
    count_spent(run, lambda name: PRICED, spent)
    assert spent.spent_tokens == 15
    assert spent.spent_money == 3 + 2 * 12


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 1}])
def test_what_a_server_does_not_count_is_spent_at_its_most(run: Run, server: Server, usage: Any):
    """Else a ceiling would never be met, or be passed by running the command again."""
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}
    server.odd = [{"choices": [choice], "usage": usage} for _ in range(ROWS)]
    (shard,) = run.manifest.shards().values()
    ceiling = 10 * shard.request["max_tokens"]
    for _ in range(2):
        with pytest.raises(Incomplete, match="ceiling"):
            generate(run, server, means={"token_ceiling": ceiling})
        assert 0 < sum(server.asked.values()) <= 10


# ---- keys and their order -------------------------------------------------------------------------------------------


def window(num_samples: int = 3, first: int = 10) -> Window:
    fields = dict.fromkeys(Shard.__dataclass_fields__)
    return Window(Shard(**{**fields, "first_sample": first, "num_samples": num_samples}), ["b", "a"])  # type: ignore[arg-type]


def test_every_key_is_taken_once_and_the_longest_first():
    keys = window()
    keys.order_by([1.0, 2.0])
    taken = [keys.key(number) for _ in range(6) for number in keys.take()]
    assert taken == [("a", 10), ("a", 11), ("a", 12), ("b", 10), ("b", 11), ("b", 12)]
    assert keys.take() == []
    assert keys.peek() is None


def test_samples_of_one_task_go_together_and_come_back_singly():
    keys = window()
    assert [keys.key(number) for number in keys.take(5)] == [("b", 10), ("b", 11), ("b", 12)]
    keys.answered(0, 0)
    keys.give_back(2)
    keys.give_back(1)
    assert [keys.take(5), keys.take(5)] == [[1], [2]]
    assert [keys.key(number) for number in keys.take(2)] == [("a", 10), ("a", 11)]


def test_a_gap_ends_what_goes_together():
    keys = window(num_samples=4)
    keys.answered(1, 0)
    assert keys.take(4) == [0]
    assert keys.take(4) == [2, 3]


def test_the_first_line_of_a_key_counts_and_lines_are_read_in_the_order_of_the_lake():
    keys = window()
    assert [keys.answered(number, offset) for number, offset in ((4, 0), (0, 50), (4, 99), (3, 70))] == [
        True, True, False, True,
    ]  # fmt: skip
    assert list(keys.placed()) == [(("a", 10), 70), (("a", 11), 0), (("b", 10), 50)]
    assert keys.number({"task_id": "a", "sample_index": 13}) is None
    assert keys.number({"task_id": "c", "sample_index": 10}) is None


def test_tasks_of_known_length_go_by_it_the_others_by_the_average_and_their_prompt():
    cell = CellLengths(Lengths())
    assert cell.expected(["x", "y"], [10, 20]) == sorted(cell.expected(["x", "y"], [10, 20]))
    for task_id, tokens in (("x", 500), ("x", 700), ("y", 50), ("z", None)):
        cell.add(task_id, tokens)
    x, y, z = cell.expected(["x", "y", "z"], [10, 10, 30])
    assert x > z > y
    assert 600 <= x < 601
