"""Facts of a cluster: written with their evidence, a person's words kept, placeholders refused."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import UsageError
from benchforge.slurm import accounting, filesystem, nodes, site
from benchforge.slurm.commands import Trial
from benchforge.slurm.facts import MEANINGS, Fact, merged, parse, refuse_placeholders
from benchforge.slurm.machine import facts_of_machine, network
from benchforge.slurm.probe import Seen, facts_of_site, nice_fact, tried

RECORDED = Path(__file__).resolve().parents[1] / "slurm" / "recorded" / "22.05"
AT, LATER = "2026-11-21T20:00:00+00:00", "2026-11-22T20:00:00+00:00"


def seen(is_accounting: bool = True) -> Seen:
    def text(name: str) -> str:
        return (RECORDED / f"{name}.txt").read_text(encoding="utf-8")

    return Seen(
        site.parse_config(text("config")),
        site.parse_partitions(text("partitions")),
        nodes.parse_nodes(text("nodes")),
        accounting.parse_qos(text("qos")) if is_accounting else None,
        ["lab"] if is_accounting else None,
    )


def by_name(facts: list[Fact]) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts}


def test_what_has_several_answers_is_listed_and_not_chosen():
    found = by_name(facts_of_site(seen(), {}))
    assert found["GPU_PARTITION"].value == "PLACEHOLDER_GPU_PARTITION" and not found["GPU_PARTITION"].is_verified
    assert found["GPU_PARTITION"].how == "one of gpu, gpu-hi: say which"
    assert (
        found["CPU_PARTITION"].value == "cpu" and found["GPU_QOS"].value == "long" and found["ACCOUNT"].value == "lab"
    )
    chosen = by_name(facts_of_site(seen(), {"GPU_PARTITION": "gpu"}))
    assert chosen["GRES"].how == "one of gpu:a40, gpu:pro6000: say which"
    assert chosen["SEEN_PREEMPTION"].value == "preempt/qos REQUEUE, notice: USR1"
    assert chosen["SEEN_GPUS"].value.startswith("gpu: 2xa40 8xpro6000 (pro6000 sm120 sm86)")


def test_without_accounting_there_is_no_qos():
    found = by_name(facts_of_site(seen(is_accounting=False), {}))
    assert found["GPU_QOS"].value == "" and "accounting is off" in found["GPU_QOS"].how


@pytest.mark.parametrize(("would_run", "words"), [(True, "sbatch --test-only"), (False, "refused: Invalid qos")])
def test_facts_of_a_gpu_job_are_verified_together(would_run: bool, words: str):
    chosen = {"GPU_PARTITION": "gpu", "GRES": "gpu:pro6000", "CONSTRAINT": "sm120"}
    asked: list[list[str]] = []

    def trial(options: Sequence[str]) -> Trial:
        asked.append(list(options))
        return Trial(would_run, "Invalid qos")

    found = by_name(tried(facts_of_site(seen(), chosen), "04:00:00", trial))
    assert "--gres=gpu:pro6000:1" in asked[0] and "--constraint=sm120" in asked[0] and "--qos=long" in asked[0]
    for name in ("GPU_PARTITION", "GRES", "CONSTRAINT", "ACCOUNT", "GPU_QOS"):
        assert found[name].is_verified is would_run and words in found[name].how


def test_nothing_is_tried_while_a_placeholder_is_left():
    def trial(_: Sequence[str]) -> Trial:
        raise AssertionError("not to be called")

    assert tried(facts_of_site(seen(), {}), "04:00:00", trial)


def test_what_the_nice_value_does():
    assert nice_fact(1000000, (10000, 1)).value.startswith("priority 10000 becomes 1: clamped")
    assert nice_fact(1000000, (4294901760, 4293901760)).value == "priority 4294901760 becomes 4293901760"
    assert not nice_fact(1000000, None).is_verified


def test_a_written_file_is_read_as_settings(tmp_path: Path):
    facts = [Fact("GPU_PARTITION", "gpu", "the only one"), Fact("SEEN_GPUS", "gpu: 8xpro6000 (sm120)", "scontrol")]
    (tmp_path / ".benchforge.env").write_text(merged("", facts, AT), encoding="utf-8")
    settings = load_settings({}, None, {"HOME": str(tmp_path)})
    assert settings["compute.gpu_partition"] == "gpu"
    assert settings.origins["compute.gpu_partition"] == "~/.benchforge.env"
    assert parse(merged("", facts, AT))["GPU_PARTITION"].status == f"verified {AT} by the only one: gpu"


def test_a_second_look_replaces_what_the_first_saw_and_nothing_else():
    text = "# mine\nexport BENCHFORGE_SCRATCH=/data\n" + merged("", [Fact("GRES", "gpu:a40", "sinfo")], AT)
    again = merged(text, [Fact("GRES", "gpu:pro6000", "sinfo")], LATER)
    assert again.startswith("# mine\nexport BENCHFORGE_SCRATCH=/data\n")
    assert parse(again)["GRES"].value == "gpu:pro6000" and again.count("BENCHFORGE_GRES=") == 1
    assert AT not in again and LATER in again


def test_a_persons_word_is_kept_and_the_finding_said_beside_it():
    text = merged("", [Fact("GRES", "gpu:a40", "sinfo")], AT).replace("GRES=gpu:a40", "GRES=gpu:mine")
    again = merged(text, [Fact("GRES", "gpu:a40", "sinfo")], LATER)
    assert parse(again)["GRES"].value == "gpu:mine"
    assert "probe found gpu:a40" in parse(again)["GRES"].status
    agreed = merged(again, [Fact("GRES", "gpu:mine", "sbatch --test-only")], LATER)
    assert parse(agreed)["GRES"].status == f"verified {LATER} by sbatch --test-only: gpu:mine"


def test_an_unknown_fact_never_replaces_a_known_one():
    text = merged("", [Fact("GRES", "gpu:a40", "sinfo")], AT)
    assert merged(text, [Fact("GRES", "PLACEHOLDER_GRES", "several", is_verified=False)], LATER) == text


def test_placeholders_are_refused_with_the_probe_that_resolves_them(tmp_path: Path):
    settings = load_settings({}, None, {"HOME": str(tmp_path), "BENCHFORGE_GPU_PARTITION": "gpu"})
    with pytest.raises(UsageError) as caught:
        refuse_placeholders(settings, ["compute.gpu_partition", "compute.gres"])
    assert caught.value.message == "BENCHFORGE_GRES is not known for this cluster yet"
    assert "benchforge probe" in caught.value.hint
    refuse_placeholders(settings, ["compute.gpu_partition"])


def test_file_system_of_this_machine_keeps_everything(tmp_path: Path):
    found = filesystem.probed(tmp_path)
    assert filesystem.missing(found) == "none" and len(found) == 9
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    found = {one.name: one for one in filesystem.probed(tmp_path)}
    assert not found["exclusive link"].holds and found["exclusive link"].detail == "EPERM"
    assert filesystem.missing(list(found.values())) == "exclusive link"


def test_a_port_that_nobody_listens_on_is_closed_network(tmp_path: Path):
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert network(f"127.0.0.1:{port}").startswith("closed")
        listener.listen()
        assert network(f"127.0.0.1:{port}") == "open"
        facts = by_name(facts_of_machine("SEEN_NODE", "job 7", tmp_path, f"127.0.0.1:{port}"))
    assert facts["SEEN_NODE_NETWORK"].value == "open" and facts["SEEN_NODE_FILES"].value == "none"
    assert "landlock" in facts["SEEN_NODE_ISOLATION"].value and facts["SEEN_NODE_CONTAINERS"].value


def test_the_shipped_example_names_every_setting_and_only_those():
    example = parse((Path(__file__).resolve().parents[2] / "slurm" / "env.example").read_text(encoding="utf-8"))
    assert set(example) == {name for name in MEANINGS if not name.startswith("SEEN_")}
