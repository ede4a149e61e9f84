"""Planning models that think: their card's sampling as a protocol of its own, and every switch in the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest import keys
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import ConfigurationChanged, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning.asked import terms_of
from benchforge.ingest.planning.plan import Scope, make_plan
from benchforge.ingest.planning.seed_rows import read_models
from benchforge.ingest.planning.wanted import served_models, wanted_of, wanted_problems

HYBRID, ALWAYS, HARMONY = "qwen__qwen3-8b", "deepseek-ai__deepseek-r1-distill-qwen-7b", "openai__gpt-oss-20b"
HEAD = "benchmarks: [forge_mini]\n"


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "run.yaml"
    path.write_text(HEAD + text)
    return load_settings({"run.scratch": str(folder / "scratch")}, path, {"HOME": str(folder)})


def shards_of(folder: Path, text: str) -> list[Shard]:
    settings = settings_of(folder, text)
    run = Run(folder / "run", Lake(folder / "lake"))
    plan = make_plan(run, wanted_of(settings), terms_of(settings), folder, Scope())
    return run.manifest.add(plan.shards)


def test_a_model_that_thinks_is_asked_by_its_card_five_times(tmp_path: Path):
    (shard,) = shards_of(tmp_path, f"models: [{HYBRID}]\n")
    assert (shard.protocol, shard.num_samples, shard.num_planned) == ("card", 5, 5)
    said = {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "max_tokens": 32768,
        "thinking": True,
        "thinking_switch": {"chat_template_kwargs": {"enable_thinking": True}},
        "strip_rule": "think",
        "stop_acts": "answer",
        "resume_rule": "again",
    }
    assert {name: shard.request[name] for name in said} == said
    assert "effort" not in shard.request
    assert shard.request_digest == keys.request_digest(shard.request)


def test_a_request_of_a_model_that_never_thinks_has_no_field_of_thinking(tmp_path: Path):
    (shard,) = shards_of(tmp_path, "models:\n  - model: lab__one\n")
    fields = {"thinking_switch", "effort", "thinking_budget", "thinking_budget_end", "strip_rule", "resume_rule"}
    assert not fields & set(shard.request)
    assert shard.request["thinking"] is False
    assert (shard.protocol, shard.request["stop_acts"], shard.num_planned) == ("official", "server", 1)


def test_a_hybrid_that_is_switched_off_is_an_ordinary_cell(tmp_path: Path):
    text = f"models:\n  - {{model: {HYBRID}, thinking: false}}\n  - model: lab__one\n"
    off, other = shards_of(tmp_path, text)
    assert (off.protocol, off.num_planned, off.request["temperature"]) == ("official", 1, 0.0)
    assert off.request["thinking_switch"] == {"chat_template_kwargs": {"enable_thinking": False}}
    assert off.request["strip_rule"] == "think"  # tags where none are wanted are found by it
    assert off.comparability_digest == other.comparability_digest


def test_thinking_on_and_off_stand_side_by_side_and_are_not_compared(tmp_path: Path):
    off = f"{{model: {HYBRID}, thinking: false, protocol: card, temperature: 0.7, top_p: 0.8, max_tokens: 4096}}"
    shards = shards_of(tmp_path, f"models:\n  - {HYBRID}\n  - {off}\n")
    assert [shard.request["thinking"] for shard in shards] == [True, False]
    assert shards[0].comparability_digest != shards[1].comparability_digest
    assert "top_k" not in shards[1].request


def test_the_cards_advice_is_not_given_to_the_other_mode(tmp_path: Path):
    text = f"models:\n  - {{model: {HYBRID}, thinking: false, protocol: card}}\n"
    (sentence,) = wanted_problems(settings_of(tmp_path, text))
    assert "run.yaml:3: models: the row of qwen__qwen3-8b does not say how its card samples" in sentence


def test_greedy_is_a_cell_by_name_and_continues_prefixes(tmp_path: Path):
    item = f"{{model: {HYBRID}, temperature: 0}}"
    card, greedy = shards_of(tmp_path, f"models:\n  - {HYBRID}\n  - {item}\n")
    assert (greedy.request["temperature"], greedy.num_planned, greedy.request["resume_rule"]) == (0.0, 1, "prefix")
    assert greedy.comparability_digest != card.comparability_digest


def test_the_window_of_a_model_that_thinks_is_its_own(tmp_path: Path):
    text = f"models: [{ALWAYS}]\nengine: {{max_model_len: 8192}}\n"
    (shard,) = shards_of(tmp_path, text)
    known = {name: shard.request[name] for name in keys.COMPARABILITY_FIELDS if name in shard.request}
    window = {**known, "scenario": "default", "effort": "", "thinking_budget": 0, "window": 40960}
    assert shard.comparability_digest == keys.comparability_digest(window)
    served = served_models(settings_of(tmp_path, text))
    assert served[ALWAYS].max_model_len == 40960
    assert served["qwen__qwen2.5-coder-7b-instruct"].max_model_len == 8192


def test_an_effort_and_a_budget_are_conditions_of_comparison(tmp_path: Path):
    text = (
        f"models:\n  - {HARMONY}\n  - {{model: {HARMONY}, effort: high}}\n"
        f"  - {HYBRID}\n  - {{model: {HYBRID}, thinking_budget: 1000, thinking_budget_end: '</think>'}}\n"
    )
    medium, high, free, bounded = shards_of(tmp_path, text)
    assert (medium.request["effort"], high.request["effort"]) == ("medium", "high")
    assert bounded.request["thinking_budget"] == 1000
    assert bounded.request["thinking_budget_end"] == "</think>"
    assert len({shard.comparability_digest for shard in (medium, high, free, bounded)}) == 4


def test_a_number_written_in_another_way_is_the_same_request(tmp_path: Path):
    names = ("temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty")
    whole, decimal = (", ".join(f"{name}: {one}" for name in names) for one in ("1", "1.0"))
    shards_of(tmp_path, f"models:\n  - {{model: lab__one, {whole}}}\n")
    assert shards_of(tmp_path, f"models:\n  - {{model: lab__one, {decimal}}}\n") == []


def test_more_samples_of_a_card_are_added_to_the_five(tmp_path: Path):
    shards_of(tmp_path, f"models: [{HYBRID}]\n")
    (more,) = shards_of(tmp_path, f"run: {{num_samples: 8}}\nmodels: [{HYBRID}]\n")
    assert (more.first_sample, more.num_samples, more.num_planned) == (5, 3, 8)


def test_a_changed_switch_under_an_existing_run_is_refused_by_name(tmp_path: Path):
    shards_of(tmp_path, f"models: [{HYBRID}]\n")
    switch = "switch_on: {chat_template_kwargs: {enable_thinking: true, effort: 1}}"
    with pytest.raises(ConfigurationChanged, match="thinking_switch"):
        shards_of(tmp_path, f"models:\n  - {{model: {HYBRID}, {switch}}}\n")


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (f"{{model: {ALWAYS}, thinking: false}}", f"{ALWAYS} always thinks"),
        ("{model: lab__one, thinking: true}", "lab__one does not think by its row"),
        ("{model: lab__one, reasoning: sometimes}", "one of never, always, default_on, default_off"),
        ("{model: lab__one, reasoning: always, temperature: 1}", "lab__one thinks, so it needs strip_rule:"),
        ("{model: lab__one, reasoning: always, strip_rule: thonk}", "strip_rule 'thonk' is not allowed; one of think,"),
        (
            "{model: lab__one, reasoning: default_on, strip_rule: think, thinking: false}",
            "lab__one needs switch_off:",
        ),
        ("{model: lab__one, reasoning: default_off, strip_rule: think, thinking: true}", "lab__one needs switch_on:"),
        (
            "{model: lab__one, reasoning: always, strip_rule: think, max_model_len: 65536}",
            "the row of lab__one does not say how its card samples",
        ),
        (
            "{model: lab__one, reasoning: always, strip_rule: think, temperature: 1}",
            "max_tokens 32768 leaves no room for a prompt in a window of 16384 tokens",
        ),
    ],
)
def test_what_a_row_cannot_do_is_said_before_anything_is_planned(tmp_path: Path, item: str, sentence: str):
    found = wanted_problems(settings_of(tmp_path, f"models:\n  - {item}\n"))
    assert any(sentence in one for one in found), found
    assert all(one.startswith("run.yaml:3: models: ") for one in found)


def test_a_model_of_ones_own_thinks_by_what_its_item_says(tmp_path: Path):
    item = "{model: lab__t, reasoning: always, strip_rule: mistral, temperature: 0.7, max_tokens: 2000}"
    (shard,) = shards_of(tmp_path, f"models:\n  - {item}\n")
    assert (shard.protocol, shard.request["strip_rule"], shard.request["temperature"]) == ("card", "mistral", 0.7)


def test_what_a_server_takes_no_word_on_is_stated(tmp_path: Path):
    omits = "model: lab__h, omits: [temperature, stop]"
    (sentence,) = wanted_problems(settings_of(tmp_path, f"models:\n  - {{{omits}}}\n"))
    assert "the server of lab__h takes no temperature: add temperature: with the value that it uses itself" in sentence
    (shard,) = shards_of(tmp_path, f"models:\n  - {{{omits}, temperature: 1}}\n")
    assert (shard.protocol, shard.request["temperature"], shard.request["stop_acts"]) == ("official", 1.0, "answer")


def test_our_own_engine_puts_what_changes_text_into_the_request(tmp_path: Path):
    def request(engine: str, item: str = "lab__one") -> dict[str, Any]:
        folder = tmp_path / keys.sha256_text(engine + item)[:8]
        folder.mkdir()
        return dict(shards_of(folder, f"engine: {engine}\nmodels:\n  - {{model: {item}}}\n")[0].request)

    plain = request("{name: vllm}")
    assert (plain["dtype"], "engine_options" in plain) == ("bfloat16", False)
    assert "dtype" not in request("{name: endpoint}")
    assert request("{name: vllm, flags: {gpu-memory-utilization: 0.5, max-num-seqs: 8}}") == plain
    assert request("{name: vllm, flags: [--enforce-eager]}")["engine_options"] == {"enforce-eager": ""}
    assert request("{name: vllm, batch_invariant: true}")["engine_options"] == {"batch_invariant": True}
    assert request("{name: vllm}", "lab__one, engine_flags: {dtype: float16}")["dtype"] == "float16"


def test_every_thinking_row_of_the_seed_can_be_planned(tmp_path: Path):
    thinking = [model for model in read_models().values() if model.thinks]
    assert len(thinking) >= 10
    shards = shards_of(tmp_path, "models:\n" + "".join(f"  - {model.name}\n" for model in thinking))
    assert [shard.model for shard in shards] == [model.name for model in thinking]
    assert {shard.protocol for shard in shards} == {"card"}
    assert all(shard.request["temperature"] > 0 and shard.request["model_revision"] for shard in shards)


def test_cells_of_the_seed_that_hold_more_than_one_thing(tmp_path: Path):
    seed = tmp_path / "models.csv"
    seed.write_text(
        "model,switch_on,omits,renames,engine_flags\n"
        "a__b,k.x=true k.y=[1] z=0.5,seed stop,max_tokens=max_completion_tokens,--enforce-eager --max_num_seqs=8\n"
    )
    model = read_models(seed)["a__b"]
    assert model.switch_on == {"k": {"x": True, "y": [1]}, "z": 0.5}
    assert (model.omits, model.renames) == (("seed", "stop"), {"max_tokens": "max_completion_tokens"})
    assert model.engine_flags == {"enforce-eager": "", "max-num-seqs": "8"}


def test_wrong_cells_of_the_seed_are_all_named_with_their_lines(tmp_path: Path):
    seed = tmp_path / "models.csv"
    seed.write_text(
        "model,reasoning,context_length,switch_on,renames,osi_approved\n"
        "a__b,maybe,long,x.y=tru,max_tokens,true\nc__d,always,4096,x.y=true x.y.z.w=1,a=b,perhaps\na__b,,,,,\n"
    )
    with pytest.raises(UsageError) as caught:
        read_models(seed)
    lines = caught.value.message.splitlines()[1:]
    assert [tuple(line.strip().removeprefix("models.csv:").split(": ")[:2]) for line in lines] == [
        ("2", "context_length"),
        ("2", "reasoning"),
        ("2", "switch_on"),
        ("2", "renames"),
        ("3", "osi_approved"),
        ("3", "switch_on"),
        ("4", "model"),
    ]
