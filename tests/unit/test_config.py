"""Settings: one precedence, every error at once, no word unexplained."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.config import OPTIONS, load_settings
from benchforge.ingest.errors import UsageError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_option_beats_environment_beats_home_file_beats_run_file_beats_default(tmp_path: Path):
    run_file = write(tmp_path / "run.yaml", "run: {name: from_file, seed: 7, gpu_hour_budget: 5}\n")
    write(tmp_path / ".benchforge.env", "export BENCHFORGE_RUN_SEED=8\nBENCHFORGE_RUN_NAME='home'\n")
    environment = {"HOME": str(tmp_path), "BENCHFORGE_RUN_NAME": "environment"}
    settings = load_settings({"run.scratch": "/s"}, run_file, environment)
    assert (settings["run.scratch"], settings["run.name"], settings["run.seed"]) == ("/s", "environment", 8)
    assert settings["run.gpu_hour_budget"] == 5.0
    assert settings["run.offline"] is True
    assert settings.origins["run.seed"] == "~/.benchforge.env"
    assert settings.lake_root == Path("/s/environment/lake")


def test_every_error_of_a_run_file_is_reported_with_its_line(tmp_path: Path):
    text = "run:\n  sed: 1\n  seed: many\nengine:\n  name: magic\nmodels: qwen\n"
    with pytest.raises(UsageError) as caught:
        load_settings({}, write(tmp_path / "run.yaml", text), {"HOME": str(tmp_path)})
    message = caught.value.message
    assert "run.yaml:2: unknown key run.sed; did you mean run.seed?" in message
    assert "run.yaml:3: run.seed: 'many' is not of type int" in message
    assert "run.yaml:5: engine.name: 'magic' is not allowed; one of endpoint, vllm, replay" in message
    assert "run.yaml:6: models: 'qwen' is not of type list" in message


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "run: [1]\n"])
def test_run_file_of_another_shape_is_one_sentence(tmp_path: Path, text: str):
    with pytest.raises(UsageError, match="must be a mapping"):
        load_settings({}, write(tmp_path / "run.yaml", text), {"HOME": str(tmp_path)})


@pytest.mark.parametrize("text", ["a: [", "\tx: 1"])
def test_broken_yaml_is_one_sentence(tmp_path: Path, text: str):
    with pytest.raises(UsageError, match="is not YAML"):
        load_settings({}, write(tmp_path / "run.yaml", text), {"HOME": str(tmp_path)})


def test_missing_run_file_is_one_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings({}, tmp_path / "none.yaml", {"HOME": str(tmp_path)})


def test_old_sandbox_mode_name_is_accepted(tmp_path: Path):
    environment = {"HOME": str(tmp_path), "BENCHFORGE_SANDBOX_MODE": "rlimit-only"}
    assert load_settings({}, None, environment)["score.sandbox_mode"] == "inner-only"


def test_environment_names_are_unique():
    names = [option.environment for option in OPTIONS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("engine: {concurrency: 0}", "0 is less than 1"),
        ("run: {num_samples: -3}", "-3 is less than 1"),
        ("run: {name: ../../x}", "is no folder name"),
        ("run: {seed: !!python/object:os.system {}}", "could not determine a constructor"),
        ("models: [{[1]: 2}]", "unhashable"),
        ("run: {seed: 1, name: a, seed: 2}", "run.seed stands in line 1 already"),
        ("engine: {allow: [seed, luck]}", "'luck' is not allowed; one of temperature, seed,"),
        ("engine: {flags: [1]}", "is not of type dict"),
        ("run: {offline: maybe}", "'maybe' is not of type bool; one of true, false"),
    ],
)
def test_values_out_of_range_and_odd_yaml_are_reported_with_their_line(tmp_path: Path, text: str, words: str):
    with pytest.raises(UsageError, match=words) as caught:
        load_settings({}, write(tmp_path / "run.yaml", text), {"HOME": str(tmp_path)})
    assert "run.yaml:1" in caught.value.message


def test_options_are_checked_like_everything_else(tmp_path: Path):
    with pytest.raises(UsageError, match=r"option: score.sandbox_mode: 'foo' is not allowed"):
        load_settings({"score.sandbox_mode": "foo"}, None, {"HOME": str(tmp_path)})


def test_home_file_that_is_no_text_is_one_sentence(tmp_path: Path):
    (tmp_path / ".benchforge.env").write_bytes(b"BENCHFORGE_RUN_NAME=\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8"):
        load_settings({}, None, {"HOME": str(tmp_path)})


def test_no_home_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "home", _no_home)
    assert load_settings({}, None, {})["run.name"] == "default"


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_flags_of_the_engine_are_the_same_as_words_and_as_a_mapping(tmp_path: Path):
    def flags(text: str) -> object:
        return load_settings({}, write(tmp_path / "run.yaml", text), {"HOME": str(tmp_path)})["engine.flags"]

    words = flags("engine: {flags: [--enforce-eager, --dtype=float16, '--hf_overrides={}']}")
    assert words == {"enforce-eager": "", "dtype": "float16", "hf-overrides": "{}"}
    assert flags("engine: {flags: {enforce_eager: true, dtype: float16, hf-overrides: {}}}") == words


def test_a_list_of_words_may_come_from_the_environment(tmp_path: Path):
    environment = {"HOME": str(tmp_path), "BENCHFORGE_ENGINE_ALLOW": "seed, temperature"}
    assert load_settings({}, None, environment)["engine.allow"] == ["seed", "temperature"]


def test_what_others_find_wrong_is_reported_together(tmp_path: Path):
    text = "engine: {name: magic}\nrun: {seed: 4}\n"
    with pytest.raises(UsageError) as caught:
        load_settings(
            {},
            write(tmp_path / "run.yaml", text),
            {"HOME": str(tmp_path)},
            also=lambda settings: [f"seen {settings['engine.name']} {settings['run.seed']}"],
        )
    assert "'magic' is not allowed" in caught.value.message
    assert "seen endpoint 4" in caught.value.message
