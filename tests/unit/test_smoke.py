"""``benchforge smoke``: ready or not, per benchmark, with what is wrong by name; kept as a fact of engine and GPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchforge.ingest.errors import BadInput, BenchforgeError, Incomplete, UsageError
from benchforge.runners.cli.smoke import command
from benchforge.runners.generate.engines import Engine
from benchforge.runners.generate.probe import Abilities
from benchforge.runners.generate.smoke import CellReport, Smoke, Steadiness, id_problem, smoke
from benchforge.runners.generate.smoke_facts import keep_fact, known_fact
from click.testing import CliRunner
from misbehaving import Manners, misbehaving
from planned_run import engine_at, planned

SAMPLED = "  - {model: a__b, num_samples: 2, temperature: 0.8, max_tokens: 30}\n"


def tried(folder: Path, manners: Manners, score: Any = lambda run: None) -> Smoke:
    from benchforge.ingest.planning.models import ServedModel
    from benchforge.runners.generate.pending import Means
    from benchforge.runners.generate.work import Demand

    run = planned(folder, SAMPLED)
    served = ServedModel("a__b", "a__b")
    with misbehaving(manners) as server:
        return smoke(run, engine_at(server.base_url), served, Means(folder, {"a__b": served}, Demand(8)), score)


def problems(found: Smoke) -> str:
    return "; ".join(problem for cell in found.cells for problem in cell.problems)


def test_prompt_ids_are_checked_and_company_changes_nothing_here(tmp_path: Path):
    found = tried(tmp_path, Manners())
    (cell,) = found.cells
    assert cell.num_prompts == cell.num_ids_checked == 42
    assert cell.num_samples == 84
    assert found.steadiness == Steadiness(8, 8, 0)
    assert problems(found) == "84 of 84 got no verdict", "the scorer here does nothing"


@pytest.mark.parametrize(
    ("manners", "said"),
    [
        (Manners(begins_twice=True), "twice"),
        (Manners(ignores=frozenset({"seed"}), is_random=True), "seed"),
        (Manners(temperature=0.0), "temperature"),
    ],
)
def test_what_the_server_does_wrong_makes_the_cell_not_ready(tmp_path: Path, manners: Manners, said: str):
    found = tried(tmp_path, manners)
    assert not found.is_ready and said in problems(found)


def test_answers_that_company_changes_are_counted(tmp_path: Path):
    found = tried(tmp_path, Manners(is_random=True, temperature=0.9))
    assert found.steadiness.num_compared == 8 and found.steadiness.num_differing > 0


def test_a_scorer_that_cannot_run_is_a_reason(tmp_path: Path):
    def score(run: Any) -> None:
        raise BadInput("there is no sandbox here")

    assert "not scored: there is no sandbox here" in problems(tried(tmp_path, Manners(), score))


@pytest.mark.parametrize(
    ("rendered", "made_from", "said"),
    [
        ([1, 5, 6], [1, 5, 6], None),
        ([1, 5, 6], [1, 1, 5, 6], "begins twice"),
        ([1, 5, 6], [1, 5, 9, 6], "part at token 2"),
        ([1, 5, 6], [1, 5], "part at token 2"),
    ],
)
def test_ids_of_a_second_template_or_a_second_beginning_are_named(rendered: Any, made_from: Any, said: str | None):
    problem = id_problem(rendered, made_from)
    assert problem is None if said is None else said in str(problem)


def test_a_fact_is_of_image_and_gpu(tmp_path: Path):
    def fact(is_ready: bool, **engine: Any) -> None:
        running = Engine("vllm", engine_at("http://127.0.0.1:1/v1").endpoint, **engine)
        cell = CellReport("a__b", "forge_mini", "default", "official", problems=[] if is_ready else ["broken"])
        keep_fact(tmp_path, running, "a__b", Smoke(Abilities(n=True), [cell]))

    fact(True, image_digest="sha256:1", gpu="H200")
    fact(False, image_digest="sha256:2", gpu="H200")
    known = known_fact(tmp_path, "sha256:1", "H200", "a__b")
    assert known is not None and known["is_ready"] and known["cells"][0]["benchmark"] == "forge_mini"
    assert not (known_fact(tmp_path, "sha256:2", "H200", "a__b") or {"is_ready": True})["is_ready"]
    assert known_fact(tmp_path, "sha256:1", "RTX", "a__b") is None
    assert known_fact(tmp_path, "sha256:1", "H200", "c__d") is None


def test_the_command_says_ready_per_benchmark_and_leaves_the_lake_alone(tmp_path: Path):
    run_file = tmp_path / "run.yaml"
    run_file.write_text("run: {name: r}\nbenchmarks: [forge_mini]\nmodels:\n" + SAMPLED)
    words = ["--config", str(run_file), "--scratch", str(tmp_path / "scratch"), "--limit", "2", "--format", "json"]
    with misbehaving() as server:
        done = CliRunner().invoke(command, [*words, "--base-url", server.base_url], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert row["is_ready"] is True and row["num_judged"] == row["num_samples"] == 4
    assert not list((tmp_path / "scratch" / "r").rglob("*.parquet")) and list(
        (tmp_path / "scratch" / "smoke").iterdir()
    )
    with misbehaving(Manners(temperature=0.0)) as server, pytest.raises(BenchforgeError, match="1 of 1 cells are not"):
        CliRunner().invoke(command, [*words, "--base-url", server.base_url], catch_exceptions=False)


def test_a_benchmark_that_is_not_staged_is_not_ready(tmp_path: Path):
    run_file = tmp_path / "run.yaml"
    run_file.write_text("benchmarks: [humanevalplus]\nmodels:\n" + SAMPLED)
    words = ["--config", str(run_file), "--scratch", str(tmp_path), "--base-url", "http://127.0.0.1:1/v1"]
    with pytest.raises(Incomplete, match="1 cells cannot be tried yet"):
        CliRunner().invoke(command, words, catch_exceptions=False)


def test_a_recording_is_no_server(tmp_path: Path):
    with pytest.raises(UsageError, match="a recording is none"):
        CliRunner().invoke(command, ["--scratch", str(tmp_path), "--engine", "replay"], catch_exceptions=False)
