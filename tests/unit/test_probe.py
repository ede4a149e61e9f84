"""The probe against an honest server and against one lie at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from benchforge.ingest.manifest import Shard
from benchforge.ingest.planning.models import ServedModel
from benchforge.runners.generate.client import Client, Endpoint, Refused
from benchforge.runners.generate.probe import Abilities, Deviates, deviations, probe, refuse_deviations, switch_key
from made_shard import MODEL, made_shard
from made_shard import SAMPLED as MADE_SAMPLED
from misbehaving import Fault, Manners, Served, misbehaving

SAMPLED = {**MADE_SAMPLED, "max_tokens": 64}
SWITCH = {"chat_template_kwargs": {"enable_thinking": True}}


def probed(manners: Manners, *shards: Shard, served: ServedModel = MODEL) -> tuple[Abilities, Served]:
    async def run(base_url: str) -> Abilities:
        async with Client(Endpoint(base_url, "k", max_attempts=2)) as client:
            return await probe(client, served, shards)

    with misbehaving(manners) as server:
        return asyncio.run(run(server.base_url)), server


def test_an_honest_server_is_known_by_eight_answers():
    abilities, server = probed(Manners())
    assert abilities.num_answers == len(server.bodies()) == 8
    assert all(body["max_tokens"] <= 32 for body in server.bodies())
    honoured = ("n", "temperature", "seed", "stop", "max_tokens", "token_ids", "tokenize", "streams", "logprobs")
    assert {name: getattr(abilities, name) for name in (*honoured, "prefixes", "one_template")} == dict.fromkeys(
        (*honoured, "prefixes", "one_template"), True
    )
    assert (abilities.version, abilities.fingerprint, abilities.window_tokens) == ("0.0-made-up", "made-up-1", 4096)
    assert abilities.max_stops is None
    assert deviations(abilities, [made_shard(), made_shard(**SAMPLED)]) == {}


def test_what_was_found_survives_json():
    abilities, _ = probed(Manners(), made_shard(strip_rule="think", thinking_switch=SWITCH))
    assert Abilities.from_json(json.loads(json.dumps(abilities.as_json()))) == abilities
    assert Abilities.from_json({"n": True, "of_a_later_version": 1}) == Abilities(n=True)


LIES: Sequence[tuple[str, Manners, str, Any]] = (
    ("always greedy", Manners(temperature=0.0), "temperature", False),
    ("always sampled", Manners(temperature=1.0, is_random=True), "temperature", False),
    ("one text for ever", Manners(temperature=1.0, seed=3), "temperature", False),
    ("seed ignored", Manners(is_random=True), "seed", False),
    ("one seed for all", Manners(seed=7), "seed", False),
    ("n ignored", Manners(ignores=frozenset({"n"})), "n", False),
    ("no logprobs", Manners(refuses=frozenset({"logprobs"})), "logprobs", False),
    ("no stream", Manners(streams=False), "streams", False),
    ("limit ignored", Manners(ignores=frozenset({"max_tokens"}), has_no_end=True), "max_tokens", False),
    ("stop ignored", Manners(ignores=frozenset({"stop"})), "stop", False),
    ("four stops", Manners(max_stops=4), "max_stops", 4),
    ("two templates", Manners(begins_twice=True), "one_template", False),
    ("no ids", Manners(has_ids=False), "token_ids", False),
    ("ids refused", Manners(refuses=frozenset({"return_token_ids"})), "token_ids", False),
    ("no tokenizer", Manners(has_tokenize=False), "tokenize", False),
    ("a parser", Manners(reasoning="reasoning_content"), "temperature", True),
)


@pytest.mark.parametrize(("manners", "name", "expected"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_lie_is_found(manners: Manners, name: str, expected: Any):
    abilities, _ = probed(manners)
    assert getattr(abilities, name) == expected


def test_choices_in_any_order_are_choices():
    abilities, _ = probed(Manners(is_out_of_order=True))
    assert (abilities.n, abilities.seed, abilities.temperature) == (True, True, True)


def test_top_p_is_tried_only_where_it_is_asked_for():
    assert probed(Manners())[0].top_p is None
    assert probed(Manners(), made_shard(**SAMPLED))[0].top_p is True
    assert probed(Manners(ignores=frozenset({"top_p"})), made_shard(**SAMPLED))[0].top_p is False


def test_as_many_stops_are_tried_as_a_shard_has():
    _, server = probed(Manners(), made_shard(stop=["a", "b", "c", "d", "e", "f", "g"]))
    assert max(len(body.get("stop", ())) for body in server.bodies()) == 7
    _, server = probed(Manners(), made_shard(stop=["a"] * 7, stop_acts="answer"))
    assert not any("stop" in body for body in server.bodies())


def test_a_switch_is_proven_by_the_tokens_of_the_prompt():
    thinking = made_shard(thinking=True, strip_rule="think", thinking_switch=SWITCH)
    abilities, _ = probed(Manners(), thinking)
    assert abilities.switches == {switch_key(SWITCH): True}
    assert abilities.tag_ids == {"<think>": (3,), "</think>": (4,)}
    assert abilities.reads_tags is False
    without, server = probed(Manners(has_tokenize=False), thinking)
    assert without.switches == {switch_key(SWITCH): True}
    assert without.num_answers == len(server.bodies())


def test_a_misspelt_switch_is_refused_before_the_first_sample():
    misspelt = made_shard(thinking=True, thinking_switch={"chat_template_kwargs": {"enable_thinkin": True}})
    abilities, _ = probed(Manners(), misspelt)
    with pytest.raises(Deviates, match="changes nothing") as caught:
        refuse_deviations(abilities, [misspelt])
    assert "engine.allow" in caught.value.hint
    assert caught.value.name == "thinking"


def test_an_effort_is_a_switch_too():
    effort = {"reasoning_effort": "high"}
    for manners, expected in ((Manners(), True), (Manners(switches=False), False)):
        abilities, _ = probed(manners, made_shard(thinking=True, effort="high"))
        assert abilities.switches == {switch_key(effort): expected}
        assert bool(deviations(abilities, [made_shard(effort="high")])) is not expected


def test_equal_counts_of_tokens_prove_nothing():
    """A server that says no more than how long the prompt was."""
    silent = Manners(switches=False, has_ids=False, has_tokenize=False)
    abilities, _ = probed(silent, made_shard(thinking=True, thinking_switch=SWITCH))
    assert abilities.switches == {}


def test_a_budget_that_is_refused_is_known_before_the_first_sample():
    budgeted = made_shard(thinking=True, strip_rule="think", thinking_budget=16)
    abilities, _ = probed(Manners(refuses=frozenset({"thinking_token_budget"})), budgeted)
    assert abilities.budget is False
    assert list(deviations(abilities, [budgeted])) == ["thinking"]
    assert probed(Manners(), budgeted)[0].budget is True


def test_completions_are_probed_as_completions():
    abilities, server = probed(Manners(), made_shard(templating_mode="completions"))
    assert not server.bodies("/v1/chat/completions")
    assert (abilities.one_template, abilities.token_ids, abilities.prefixes, abilities.streams) == (True,) * 4


def test_what_a_row_omits_is_not_sent_by_the_probe_either():
    picky = Manners(refuses=frozenset({"seed", "max_tokens"}))
    served = ServedModel("a__b", "m", omits=("seed",), renames={"max_tokens": "max_completion_tokens"})
    _, server = probed(picky, served=served)
    assert all(body["max_completion_tokens"] <= 32 for body in server.bodies("/v1/chat/completions"))


def test_what_a_row_omits_is_not_held_against_the_server():
    """It samples as it likes, and the row of the model says how: nothing was asked that it could ignore."""
    picky = Manners(refuses=frozenset({"temperature", "top_p"}))
    served = ServedModel("a__b", "m", omits=("temperature", "top_p"))
    sampled = made_shard(temperature=1.0, top_p=0.9)
    abilities, _ = probed(picky, sampled, served=served)
    assert (abilities.temperature, abilities.top_p, abilities.seed) == (None, None, True)
    assert deviations(abilities, [sampled]) == {}


def test_a_server_that_refuses_the_plainest_question_is_not_probed_further():
    with pytest.raises(Refused, match="404"):
        probed(Manners(faults=[Fault("status", 404)] * 100))


@pytest.mark.parametrize(
    ("abilities", "asked", "names"),
    [
        (Abilities(temperature=False), {}, ["temperature"]),
        (Abilities(seed=False), {}, []),
        (Abilities(seed=False), SAMPLED, ["seed"]),
        (Abilities(top_p=False), {"temperature": 0.8}, []),
        (Abilities(top_p=False, max_tokens=False), SAMPLED, ["max_tokens", "top_p"]),
        (Abilities(one_template=False, n=False, stop=False, max_stops=0), {}, ["template"]),
        (Abilities(switches={switch_key(SWITCH): False}), {"thinking_switch": SWITCH}, ["thinking"]),
        (Abilities(), {**SAMPLED, "thinking_switch": SWITCH, "thinking_budget": 3}, []),
    ],
)
def test_only_what_a_shard_needs_is_a_deviation(abilities: Abilities, asked: dict[str, Any], names: list[str]):
    found = deviations(abilities, [made_shard(), made_shard(**asked)])
    assert list(found) == names
    refuse_deviations(abilities, [made_shard(**asked)], allow=names)
    if names:
        with pytest.raises(Deviates) as caught:
            refuse_deviations(abilities, [made_shard(**asked)], allow=names[1:])
        assert caught.value.name == names[0]
