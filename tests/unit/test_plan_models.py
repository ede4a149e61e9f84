"""Which models a run file means: rows, patterns, tiers, local checkpoints; and what is wrong with it, all at once."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from benchforge.ingest.config import Settings, load_settings
from benchforge.ingest.errors import ConfigurationChanged, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning import wanted
from benchforge.ingest.planning.asked import terms_of
from benchforge.ingest.planning.checkpoints import step_of
from benchforge.ingest.planning.items import MODEL_KEYS
from benchforge.ingest.planning.models import Model, ServedModel
from benchforge.ingest.planning.plan import Scope, make_plan, only_shards
from benchforge.ingest.planning.wanted import narrowed, served_models, wanted_of, wanted_problems
from benchforge.ingest.planning.weights import refuse_other_weights, weights_digest
from benchforge.runners.cli.main import cli
from click.testing import CliRunner
from hypothesis import strategies as st

HEAD = "benchmarks: [forge_mini]\n"
ROWS = {
    model.name: model
    for model in (
        Model("a__one", hub_id="A/one", tier="core", licence="MIT", revision="c0ffee"),
        Model("a__two", hub_id="A/two", tier="opt_in", licence="MIT"),
        Model("b__three", hub_id="B/three", tier="opt_in", licence="Llama 3", is_osi_approved=False),
        Model("b__four", tier="excluded", excluded_because="its licence forbids the use", is_osi_approved=False),
    )
}


@pytest.fixture(autouse=True)
def _four_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wanted, "read_models", lambda: ROWS)
    monkeypatch.chdir(tmp_path)


def settings_of(text: str, **options: Any) -> Settings:
    path = Path("run.yaml")
    path.write_text(HEAD + text)
    given = {"run.scratch": "scratch", **{name.replace("__", "."): value for name, value in options.items()}}
    return load_settings(given, path, {"HOME": str(Path.cwd())})


def shards_of(text: str, run_name: str = "run", **options: Any) -> list[Shard]:
    settings = settings_of(text, **options)
    run = Run(Path(run_name), Lake(Path(run_name, "lake")))
    plan = make_plan(run, wanted_of(settings), terms_of(settings), Path("datasets"), Scope())
    return run.manifest.add(plan.shards)


def names_of(text: str, **options: Any) -> list[str]:
    return [entry.model.name for entry in wanted_of(settings_of(text, **options)).models]


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ("[core]", ["a__one"]),
        ("['a__*']", ["a__one", "a__two"]),
        ("['A/*', core]", ["a__one", "a__two"]),
        ("[opt_in]", ["a__two"]),
        ("['*']", ["a__one", "a__two"]),
        ("[b__three]", ["b__three"]),
        ("['*', B/three]", ["a__one", "a__two", "b__three"]),
    ],
)
def test_a_pattern_takes_in_osi_approved_rows_and_a_name_takes_in_any(items: str, names: list[str]):
    assert names_of(f"models: {items}\n") == names


def test_a_pattern_says_whom_it_left_out_and_why():
    found = wanted_of(settings_of("models: ['*']\n"))
    assert found.left_out == (
        "b__three: Llama 3 is not OSI-approved; name the model, or give --include-non-osi",
        "b__four is excluded: its licence forbids the use",
    )
    assert names_of("models: ['*']\n", run__include_non_osi=True) == ["a__one", "a__two", "b__three"]


def test_an_excluded_model_is_refused_with_its_reason_even_when_everything_is_included():
    with pytest.raises(UsageError, match="b__four is excluded: its licence forbids the use"):
        names_of("models: [b__four]\n", run__include_non_osi=True)
    assert wanted_problems(settings_of("models: [c__*]\n"))[0].startswith(
        "run.yaml:2: models: no model of seeds/models.csv matches c__*"
    )


def test_a_pattern_with_differences_is_that_many_models():
    shards = shards_of("models:\n  - {model: 'a__*', temperature: 0.5, num_samples: 3}\n")
    assert [(shard.model, shard.request["temperature"], shard.num_planned) for shard in shards] == [
        ("a__one", 0.5, 3),
        ("a__two", 0.5, 3),
    ]


def test_two_items_that_ask_the_same_are_one_with_the_larger_n():
    (shard,) = shards_of("models:\n  - core\n  - {model: a__one, num_samples: 4}\n")
    assert (shard.num_samples, shard.num_planned) == (4, 4)


def test_one_server_answers_for_one_model_key():
    two = "models:\n  - {model: a__one, dtype: float16}\n  - {model: a__one, served_as: x, temperature: 1}\n"
    found = wanted_problems(settings_of(two))
    assert found == [
        "run.yaml:4: models: a__one is served as A/one above: give this one a model: of its own",
        "run.yaml:4: models: a__one has dtype = 'float16' above: give this one a model: of its own",
    ]
    own = "models: [a__one, {model: a__half, parent_model: a__one, hub_id: A/one, revision: c0ffee, dtype: float16}]\n"
    _, half = shards_of(own)
    assert (half.request["dtype"], half.request["model_revision"]) == ("float16", "c0ffee")
    assert served_models(settings_of(own))["a__half"].served_as == "A/one"


def test_an_engine_is_started_for_the_budget_of_any_item():
    lines = ["{model: a__one, temperature: 0}", "{model: a__one, thinking_budget: 9}", "{model: a__one, top_p: 0.5}"]
    for items in itertools.permutations(lines):
        served = served_models(settings_of("models:\n" + "".join(f"  - {item}\n" for item in items)))
        assert served["a__one"].thinking_budget == 9


def test_narrowing_takes_keys_hub_ids_and_patterns():
    everything = wanted_of(settings_of("models: [core, a__two]\n"))
    for name in ("a__two", "A/Two", "*two"):
        assert [entry.model.name for entry in narrowed(everything, [name], []).models] == ["a__two"]
    with pytest.raises(UsageError, match="the run has no model a__tow; did you mean a__two"):
        narrowed(everything, ["a__tow"], [])


def checkpoint(folder: Path, weights: bytes = b"w") -> Path:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text("{}")
    return folder


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40_000) | st.floats() | st.text("ab_/*[é-", max_size=9) | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xy", max_size=2) | st.integers(), inner),
    max_leaves=4,
)
SENSIBLE = st.sampled_from(["a__one", "A/two", "lab__x", "b__four", "*", "card", "always", "think", "default_off"])


@hypothesis.settings(max_examples=300)
@hypothesis.given(
    items=st.lists(
        SENSIBLE
        | VALUES
        | st.dictionaries(st.sampled_from([*MODEL_KEYS, "checkpoints", "n"]), SENSIBLE | VALUES, max_size=5),
        max_size=3,
    )
)
def test_whatever_stands_in_the_list_is_planned_or_refused_in_sentences(items: list[Any]):
    settings = load_settings({"models": items, "benchmarks": ["forge_mini"]}, None, {"HOME": "/nonexistent"})
    try:
        found = wanted_of(settings)
    except UsageError as error:
        assert error.message.count("\n") >= 1
        return
    run = Run(Path("fuzzed"), Lake(Path("fuzzed", "lake")))
    for shard in make_plan(run, found, terms_of(settings), Path("datasets"), Scope()).shards:
        assert json.loads(shard.line())["request_digest"] == shard.request_digest


def test_twenty_checkpoints_are_one_line_in_the_order_of_training():
    for step in range(100, 2100, 100):
        checkpoint(Path("runs/coder") / f"step-{step}", str(step).encode())
    line = "models: [{checkpoints: runs/coder/step-*, parent_model: a__one}]\n"
    shards = shards_of(line)
    assert [shard.training_step for shard in shards] == list(range(100, 2100, 100))
    assert [shard.model for shard in shards[:2]] == ["local__coder-step-100", "local__coder-step-200"]
    assert {shard.parent_model for shard in shards} == {"a__one"}
    assert len({shard.request["weights_digest"] for shard in shards}) == 20
    assert not any("model_revision" in shard.request for shard in shards)
    assert len({shard.comparability_digest for shard in shards}) == 1
    served = served_models(settings_of(line))["local__coder-step-100"]
    assert served.weights == served.served_as == str(Path("runs/coder/step-100").absolute())


def test_a_checkpoint_is_asked_like_its_parent():
    checkpoint(Path("w"))
    text = "models: [{model: lab__tuned, weights: w, parent_model: Qwen/Thinker, training_step: 7}]\n"
    parent = Model(
        "qwen__thinker",
        revision="abc",
        context_length=50_000,
        reasoning="always",
        strip_rule="think",
        sampling={"temperature": 0.6},
    )
    ROWS[parent.name] = parent
    try:
        (shard,) = shards_of(text)
    finally:
        del ROWS[parent.name]
    assert (shard.protocol, shard.parent_model, shard.training_step) == ("card", "qwen__thinker", 7)
    assert (shard.request["temperature"], shard.request["strip_rule"]) == (0.6, "think")
    assert "model_revision" not in shard.request


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("{checkpoints: nowhere/step-*}", "no folder matches nowhere/step-*"),
        ("{checkpoints: runs/*}", "runs/final has no step in its name"),
        ("{checkpoints: runs/step-*}", "runs/step-5 holds no weights (*.safetensors,"),
        ("{checkpoints: 'r*/s*'}", "r*/s* gives no name: add model: <org>__<name>"),
        ("{checkpoints: runs/*, weights: x}", "unknown key weights"),
        ("{model: lab__x, weights: nowhere}", "there is no folder nowhere"),
        ("{model: lab__x, weights_digest: abc}", "weights_digest: belongs to weights:"),
    ],
)
def test_checkpoints_that_are_none_are_said_with_their_line(item: str, sentence: str):
    Path("runs/final").mkdir(parents=True)
    Path("runs/step-5").mkdir()
    found = wanted_problems(settings_of(f"models:\n  - {item}\n"))
    assert any(one.startswith(f"run.yaml:3: models: {sentence}") for one in found), found


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("step-2000", 2000),
        ("global_step_500", 500),
        ("checkpoint-42", 42),
        ("epoch1-step200-hf16", 200),
        ("iter_0001000-bf16", 1000),
        ("7000", 7000),
        ("final", None),
    ],
)
def test_the_step_is_read_from_the_name(name: str, step: int | None):
    assert step_of(name) == step


def test_the_digest_of_weights_is_of_what_shapes_text_and_is_read_once():
    folder, kept = checkpoint(Path("w")), Path("kept.jsonl")
    first = weights_digest(folder, kept)
    (folder / "optimizer.pt").write_bytes(b"state")
    (folder / "trainer_state.json").write_text("{}")
    assert weights_digest(folder, kept) == first
    weights = folder / "model.safetensors"
    before = weights.stat()
    weights.write_bytes(b"x")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights_digest(folder, kept) == first  # same size, same time: not read again
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    changed = weights_digest(folder, kept)
    assert changed != first
    with kept.open("a") as stream:
        stream.write('["torn')
    (folder / "config.json").write_text('{"a": 1}')
    assert weights_digest(folder, kept) not in (first, changed)


def test_weights_are_looked_at_once_more_before_they_answer():
    folder, kept = checkpoint(Path("w")), Path("kept.jsonl")
    digest = weights_digest(folder, kept)
    served = ServedModel("lab__x", "x", weights="w")
    refuse_other_weights(served, [digest, digest], kept)
    refuse_other_weights(ServedModel("a__one", "A/one"), [None], kept)
    with pytest.raises(UsageError, match="nothing says where its weights lie"):
        refuse_other_weights(ServedModel("lab__x", "lab__x"), [digest], kept)
    (folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ConfigurationChanged, match="lab__x was planned with weights_digest"):
        refuse_other_weights(served, [digest], kept)


def test_only_the_models_that_are_planned_have_their_weights_read():
    for step in (1, 2):
        checkpoint(Path("runs/coder") / f"step-{step}")
    told: list[str] = []
    found = wanted_of(settings_of("models: [{checkpoints: runs/coder/step-*}]\n"), ["*step-2"], [], told.append)
    assert [entry.model.training_step for entry in found.models] == [2]
    assert told == ["reading 0.0 GB of weights in runs/coder/step-2 for their digest"]


def test_only_named_shards_and_no_others():
    settings = settings_of("models: [core, a__two]\n")
    run = Run(Path("run"), Lake(Path("lake")))
    plan = make_plan(run, wanted_of(settings), terms_of(settings), Path("datasets"), Scope())
    second = plan.shards[1].shard_id
    assert [shard.shard_id for shard in only_shards(plan, [second]).shards] == [second]
    assert plan.open_revisions == ("a__two",)
    with pytest.raises(UsageError, match="no shard 0000 is missing"):
        only_shards(plan, ["0000"])


def test_the_command_reports_settings_and_items_together_in_the_order_of_the_file():
    Path("run.yaml").write_text(
        "engine:\n  name: magic\n  allow: [seed, luck]\nbenchmarks: [forge_mini]\n"
        "models:\n  - model: a__one\n    top_p: 7\n    protocol: oficial\n  - {model: 'b__four', n: 3}\n"
    )
    result = CliRunner().invoke(cli, ["plan", "--config", "run.yaml", "--scratch", "scratch"])
    assert isinstance(result.exception, UsageError)
    places = [line.split(": ")[0].strip() for line in result.exception.message.splitlines()[1:]]
    assert places == ["run.yaml:2", "run.yaml:3", "run.yaml:7", "run.yaml:8", "run.yaml:9", "run.yaml:9"]
    assert not Path("scratch").exists()


def test_the_command_plans_the_named_shards_only_and_says_what_is_left_out_and_open():
    Path("run.yaml").write_text(HEAD + "models: ['*']\n")
    words = ["plan", "--config", "run.yaml", "--scratch", "scratch"]
    dry = CliRunner().invoke(cli, [*words, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "left out: b__three: Llama 3 is not OSI-approved" in dry.output
    assert "open: a__two names no commit of its weights" in dry.output
    assert not Path("scratch/default/shards").exists()
    every = CliRunner().invoke(cli, [*words, "--dry-run", "--format", "json", "--include-non-osi"])
    assert every.output.count('"model": "b__three"') == 1
