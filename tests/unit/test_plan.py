"""Planning: deterministic, additive, refusing what changed, every error at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest import keys
from benchforge.ingest.bundled import DEMO_RUN_FILE, RUN_FILE
from benchforge.ingest.config import OPTIONS, load_settings
from benchforge.ingest.errors import ConfigurationChanged, NotStaged, UsageError
from benchforge.ingest.lake import Lake
from benchforge.ingest.manifest import Run, Shard
from benchforge.ingest.planning import asked, wanted
from benchforge.ingest.planning.plan import Scope, make_plan, windows
from benchforge.ingest.planning.seed_rows import read_models
from benchforge.ingest.staging import strings as stage_strings

TASKS = 42
DEMO_SHARDS, DEMO_SAMPLES = 10, 7 * TASKS + 2 * 10 * TASKS + 3 * TASKS
MODEL = "run: {seed: 5}\nbenchmarks: [forge_mini]\nmodels:\n  - model: lab__one\n"


def planned(run: Run, text: str, tmp_path: Path, scope: Scope | None = None, **defaults: Any) -> tuple[Shard, ...]:
    """Plan a run file's text and write the manifest."""
    path = tmp_path / "run.yaml"
    path.write_text(text)
    settings = load_settings({}, path, {"HOME": str(tmp_path)})
    base = {"seed": settings["run.seed"], "num_samples": settings["run.num_samples"], "engine": "replay", **defaults}
    made = make_plan(run, wanted.wanted_of(settings), base, tmp_path, scope or Scope())
    return tuple(run.manifest.add(made.shards))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", Lake(tmp_path / "lake"))


def test_the_demo_plans_ten_shards_and_the_same_ones_every_time(run: Run, tmp_path: Path):
    shards = planned(run, DEMO_RUN_FILE.read_text(), tmp_path)
    assert (len(shards), sum(shard.expected_rows for shard in shards)) == (DEMO_SHARDS, DEMO_SAMPLES)
    again = planned(Run(tmp_path / "other", Lake(tmp_path / "other lake")), DEMO_RUN_FILE.read_text(), tmp_path)
    assert [shard.line() for shard in shards] == [shard.line() for shard in again]
    assert planned(run, DEMO_RUN_FILE.read_text(), tmp_path) == ()


def test_a_shard_says_everything_that_its_digests_are_made_of(run: Run, tmp_path: Path):
    (shard,) = planned(run, MODEL, tmp_path)
    assert shard.request_digest == keys.request_digest(shard.request)
    assert shard.request["model"] == "lab__one"
    assert (shard.first_sample, shard.num_samples, shard.num_planned) == (0, 1, 1)
    assert shard.task_ids is None
    (stored,) = run.manifest.shards().values()
    assert stored == dataclasses.replace(shard, request=stored.request)


def test_two_models_are_comparable_and_a_third_with_another_temperature_is_not(run: Run, tmp_path: Path):
    shards = planned(run, MODEL + "  - model: lab__two\n  - {model: lab__three, temperature: 0.5}\n", tmp_path)
    digests = [shard.comparability_digest for shard in shards]
    assert digests[0] == digests[1] != digests[2]
    assert len({shard.request_digest for shard in shards}) == 3


def test_growing_n_plans_only_the_samples_that_are_missing(run: Run, tmp_path: Path):
    (first,) = planned(run, MODEL, tmp_path, num_samples=5)
    (second,) = planned(run, MODEL, tmp_path, num_samples=10)
    assert (first.first_sample, first.num_samples) == (0, 5)
    assert (second.first_sample, second.num_samples, second.expected_rows) == (5, 5, 5 * TASKS)
    assert (first.request_digest, first.num_planned) == (second.request_digest, 5)
    assert second.num_planned == 10


def test_a_limited_plan_leaves_the_rest_for_later(run: Run, tmp_path: Path):
    (few,) = planned(run, MODEL, tmp_path, Scope(limit=3))
    assert few.task_ids is not None
    assert len(few.task_ids) == few.expected_rows == 3
    (rest,) = planned(run, MODEL, tmp_path)
    assert rest.task_ids is not None
    assert rest.expected_rows == TASKS - 3
    assert not set(rest.task_ids) & set(few.task_ids)
    assert few.request_digest == rest.request_digest


def test_what_the_lake_holds_is_not_planned_again(run: Run, tmp_path: Path):
    (shard,) = planned(run, MODEL, tmp_path, num_samples=2)
    row = {
        **{name: getattr(shard, name) for name in ("benchmark", "model", "scenario", "request_digest", "protocol")},
        **{name: getattr(shard, name) for name in ("comparability_digest", "dataset_version", "shard_id")},
        "task_id": "forge/clamp",
        "num_planned": 2,
    }
    rows = [{**row, "sample_index": index, "sample_id": bytes([index]) * 16} for index in range(2)]
    run.lake.commit(shard.shard_id, "generate", run.lake.write_part("samples", rows, shard.shard_id))
    (other,) = planned(Run(tmp_path / "second", run.lake), MODEL, tmp_path, num_samples=2)
    assert other.task_ids is not None
    assert "forge/clamp" not in other.task_ids
    assert other.expected_rows == 2 * (TASKS - 1)


def test_windows_are_split_at_ten_and_grouped_by_equal_gaps():
    assert list(windows(["a"], 25, {})) == [(0, 10, ("a",)), (10, 10, ("a",)), (20, 5, ("a",))]
    covered = {0: {"a", "b"}, 1: {"a"}, 2: {"a"}}
    assert list(windows(["a", "b"], 4, covered)) == [(1, 2, ("b",)), (3, 1, ("a", "b"))]
    assert list(windows([], 3, {})) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (MODEL.replace("lab__one", "lab__one\n    temperature: 0.7"), "temperature = 0.0"),
        (MODEL.replace("seed: 5", "seed: 6"), "run.seed = 5"),
        (MODEL.replace("lab__one", "lab__one\n    max_tokens: 99"), "max_tokens = 512"),
    ],
)
def test_a_changed_request_is_refused_with_the_field_named(run: Run, tmp_path: Path, changed: str, field: str):
    planned(run, MODEL, tmp_path)
    with pytest.raises(ConfigurationChanged, match=field):
        planned(run, changed, tmp_path)


def test_a_second_request_beside_the_first_is_an_addition(run: Run, tmp_path: Path):
    planned(run, MODEL, tmp_path)
    both = MODEL + "  - {model: lab__one, temperature: 0.8, num_samples: 10}\n"
    (added,) = planned(run, both, tmp_path)
    assert added.request["temperature"] == 0.8
    assert planned(run, both, tmp_path) == ()


def test_changed_prompts_are_a_changed_request(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    planned(run, MODEL, tmp_path)
    monkeypatch.setattr(asked, "prompts_digest", lambda task_set, protocol: "0" * 64)
    with pytest.raises(ConfigurationChanged, match="prompt_digest"):
        planned(run, MODEL, tmp_path)


def test_every_wrong_item_is_reported_at_once_with_its_line(run: Run, tmp_path: Path):
    text = (
        "benchmarks:\n  - forge_mimi\n  - {benchmark: forge_mini, version: v9, tempo: 1}\n"
        "models:\n  - nobody__here\n  - {model: a__b, temprature: 1}\n  - {model: a__b, num_samples: 0}\n  - 7\n"
        "  - {model: noorg, templating_mode: talk}\n  - {model: a__c, reasoning: on}\n"
    )
    with pytest.raises(UsageError) as caught:
        planned(run, text, tmp_path)
    message = caught.value.message
    assert "run.yaml:2: benchmarks: there is no benchmark 'forge_mimi'; did you mean forge_mini?" in message
    assert "run.yaml:3: benchmarks: forge_mini has no version 'v9'; one of v1" in message
    assert "run.yaml:3: benchmarks: unknown key tempo" in message
    assert "run.yaml:5: models: seeds/models.csv has no model nobody__here" in message
    assert "run.yaml:10: models: reasoning: True is not of type str; one of never, always, default_on" in message
    assert "run.yaml:6: models: unknown key temprature; did you mean temperature?" in message
    assert "run.yaml:7: models: num_samples: 0 is not allowed; between 1 and 100000" in message
    assert "run.yaml:8: models: an item is a name, or a mapping with model:" in message
    assert "'noorg' is not a model key; write <org>__<name>" in message
    assert "templating_mode 'talk' is not allowed; one of chat, completions" in message
    assert not run.manifest.path.exists()


def test_an_unknown_protocol_and_an_unknown_task_are_refused(run: Run, tmp_path: Path):
    with pytest.raises(UsageError, match="forge_mini has no protocol 'oficial'; did you mean official"):
        planned(run, MODEL.replace("lab__one", "lab__one\n    protocol: oficial"), tmp_path)
    with pytest.raises(UsageError, match="no planned benchmark has a task 'forge/clam'; did you mean forge/clamp"):
        planned(run, MODEL, tmp_path, Scope(task_ids=("forge/clam",)))


def test_a_benchmark_that_is_not_staged_waits_and_the_others_are_planned(run: Run, tmp_path: Path):
    path = tmp_path / "run.yaml"
    path.write_text(MODEL.replace("[forge_mini]", "[humanevalplus, livecodebench, forge_mini]"))
    settings = load_settings({}, path, {"HOME": str(tmp_path)})
    defaults = {"seed": 0, "num_samples": 1, "engine": "replay"}
    made = make_plan(run, wanted.wanted_of(settings), defaults, tmp_path, Scope())
    assert [shard.benchmark for shard in made.shards] == ["forge_mini"]
    assert made.waiting[0].benchmark == "humanevalplus"
    assert "benchforge stage" in made.waiting[0].hint
    assert {cell.benchmark for cell in made.waiting} == {"humanevalplus", "livecodebench"}


def test_models_of_the_seed_are_read_leniently_and_excluded_ones_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seed = tmp_path / "models.csv"
    seed.write_text(
        "model,hub_id,revision,templating_mode,context_length,is_excluded,reason\n"
        "a__b,a/b,abc123,completions,8192,false,\nc__d,c/d,,,,true,its licence forbids it\n"
    )
    models = read_models(seed)
    assert (models["a__b"].revision, models["a__b"].context_length) == ("abc123", 8192)
    monkeypatch.setattr(wanted, "read_models", lambda: models)
    (shard,) = planned(run, "benchmarks: [forge_mini]\nmodels: [a__b]\n", tmp_path)
    assert shard.request["model_revision"] == "abc123"
    assert shard.request["templating_mode"] == "completions"
    with pytest.raises(UsageError, match="c__d is excluded: its licence forbids it"):
        planned(run, "benchmarks: [forge_mini]\nmodels: [c__d]\n", tmp_path)


def test_the_default_run_file_says_the_defaults(tmp_path: Path):
    settings = load_settings({}, RUN_FILE, {"HOME": str(tmp_path)})
    lists = ("benchmarks", "models")
    differing = {o.path for o in OPTIONS if o.path not in lists and settings[o.path] != o.default}
    assert differing == set()
    assert tuple(settings["benchmarks"]) == wanted.DEFAULT_CELLS
    assert len(settings["models"]) == 4


def test_the_default_models_are_rows_of_the_seed_that_are_not_excluded(tmp_path: Path):
    settings = load_settings({}, RUN_FILE, {"HOME": str(tmp_path)})
    found = wanted.wanted_of(settings)
    assert [entry.model.name for entry in found.models] == settings["models"]
    assert all(entry.served_as == entry.model.hub_id for entry in found.models)
    served = wanted.served_models(settings)["qwen__qwen2.5-coder-7b-instruct"]
    assert served.served_as == served.hub_id == "Qwen/Qwen2.5-Coder-7B-Instruct"


def test_a_model_is_known_by_its_hub_id_in_any_case(run: Run, tmp_path: Path):
    shards = planned(run, "benchmarks: [forge_mini]\nmodels: [Qwen/Qwen2.5-Coder-7B-Instruct]\n", tmp_path)
    assert [shard.model for shard in shards] == ["qwen__qwen2.5-coder-7b-instruct"]


def test_every_excluded_model_of_the_seed_gives_its_reason():
    assert all(model.excluded_because != "excluded" for model in read_models().values())


def _nothing_staged(names: Any, root: Path) -> dict[str, str]:
    raise NotStaged("nothing is staged")


def test_a_protocol_whose_texts_are_not_staged_waits_until_they_are(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """forge_mini with a protocol that begins with a harness's text: planned once the text is there."""
    benchmark, scenarios = wanted.resolve("forge_mini")
    ours = benchmark.protocols[0]
    theirs = dataclasses.replace(
        ours,
        name="theirs",
        needs_strings=("harness.first",),
        render=lambda task, strings: dataclasses.replace(ours.render(task, strings), text=strings["harness.first"]),
    )
    foreign = dataclasses.replace(benchmark, protocols=(theirs,))
    monkeypatch.setattr(wanted, "resolve", lambda name: (foreign, scenarios))
    path = tmp_path / "run.yaml"
    path.write_text(MODEL)
    asked = wanted.wanted_of(load_settings({}, path, {"HOME": str(tmp_path)}))
    defaults = {"seed": 0, "num_samples": 1, "engine": "replay"}
    monkeypatch.setattr(stage_strings, "read_strings", _nothing_staged)
    waiting = make_plan(run, asked, defaults, tmp_path, Scope())
    assert waiting.shards == ()
    assert "needs harness.first, which is not staged" in waiting.waiting[0].reason
    monkeypatch.setattr(stage_strings, "read_strings", lambda names, root: dict.fromkeys(names, "Please answer."))
    assert len(make_plan(run, asked, defaults, tmp_path, Scope()).shards) == 1
