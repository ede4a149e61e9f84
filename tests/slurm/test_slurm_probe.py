"""Probe against real daemons: what is found, what is verified, what is refused to be guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchforge.slurm import commands
from benchforge.slurm.facts import parse
from benchforge.slurm.nodes import IdleGpus, Wanted, idle_gpus
from virtual_cluster import VirtualCluster

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = ("--network-target", "127.0.0.1:1")


def probe(cluster: VirtualCluster, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    scratch = ("--scratch", str(home / "scratch"))
    command = (sys.executable, "-m", "benchforge", "probe", *scratch, *NOWHERE, *words)
    environment = {**cluster.environment, "HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=240)


def test_several_partitions_are_listed_and_one_word_resolves_them(cluster: VirtualCluster, tmp_path: Path):
    first = probe(cluster, tmp_path)
    assert first.returncode == 3 and "GPU_PARTITION, GRES: not known yet" in first.stderr
    found = parse((tmp_path / ".benchforge.env").read_text())
    assert found["GPU_PARTITION"].status == "placeholder" and "gpu, gpu-hi" in found["GPU_PARTITION"].note
    assert found["CPU_PARTITION"].value == "cpu" and found["SEEN_ACCOUNTING"].value == "off"
    assert found["SEEN_NICE_EFFECT"].value.startswith("priority 10000 becomes 1: clamped")
    assert found["SEEN_LOGIN_NETWORK"].value.startswith("closed") and found["SEEN_LOGIN_FILES"].value == "none"
    second = probe(cluster, tmp_path, "--gpu-partition", "gpu", "--gres", "gpu:pro6000", "--job", "--wait", "120")
    assert second.returncode == 0, second.stderr
    found = parse((tmp_path / ".benchforge.env").read_text())
    assert found["GRES"].value == "gpu:pro6000" and "by sbatch --test-only" in found["GRES"].status
    assert found["SEEN_NODE_FILES"].value == "none" and " by job " in found["SEEN_NODE_FILES"].status
    assert found["SANDBOX_MODE"].value and " by job " in found["SANDBOX_MODE"].status
    assert not commands_left(cluster)


def test_what_the_site_refuses_stays_unverified_with_its_sentence(cluster: VirtualCluster, tmp_path: Path):
    done = probe(cluster, tmp_path, "--gpu-partition", "gpu", "--gres", "gpu:h100")
    assert done.returncode == 0, done.stderr
    status = parse((tmp_path / ".benchforge.env").read_text())["GRES"].status
    assert status.startswith("unverified: sbatch --test-only refused: Requested node configuration is not available")


def test_dry_run_writes_nothing(cluster: VirtualCluster, tmp_path: Path):
    done = probe(cluster, tmp_path, "--dry-run", "--format", "csv")
    assert done.returncode == 0 and "GPU_PARTITION,PLACEHOLDER_GPU_PARTITION" in done.stdout
    assert not (tmp_path / ".benchforge.env").exists()


def test_idle_gpus_follow_jobs_and_drained_nodes(cluster: VirtualCluster):
    wanted = Wanted("gpu", "gpu:pro6000:1", "sm120")
    assert idle_gpus(commands.nodes(), wanted) == IdleGpus(8, 0, 8)
    job = cluster.submit("sleep 300", "-p", "gpu", "--gres=gpu:pro6000:3", "-t", "5", "-w", "n1")
    cluster.wait_for_state(job, "RUNNING")
    assert idle_gpus(commands.nodes(), wanted).free == 5
    cluster.text("scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=test")
    assert idle_gpus(commands.nodes(), wanted) == IdleGpus(1, 0, 4)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-p", "nowhere"), "Invalid partition name specified"),
        (("-p", "gpu", "-C", "sm999"), "Invalid feature specification"),
        (("-p", "gpu", "--array=0-1001"), "Invalid job array specification"),
    ],
)
def test_refusals_are_slurms_own_sentence(
    cluster: VirtualCluster, tmp_path: Path, options: tuple[str, ...], sentence: str
):
    from benchforge.ingest.errors import QueueError

    with pytest.raises(QueueError, match=sentence):
        commands.run(["sbatch", *options, "--wrap", "true"])
    assert commands.trial(options[:2]).would_run is (options[1] == "gpu")


def test_a_controller_that_does_not_answer_is_one_sentence(
    cluster: VirtualCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from benchforge.ingest.errors import QueueError

    text = Path(cluster.environment["SLURM_CONF"]).read_text()
    lines = [("SlurmctldPort=1" if line.startswith("SlurmctldPort") else line) for line in text.splitlines()]
    (tmp_path / "slurm.conf").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    with pytest.raises(QueueError, match=r"squeue (gave no answer|refused)"):
        commands.run(["squeue"], timeout_seconds=2)


def commands_left(cluster: VirtualCluster) -> list[str]:
    return cluster.text("squeue", "-h", "-o", "%i").split()


def test_probe_without_slurm_is_one_sentence(tmp_path: Path):
    environment = {**os.environ, "PATH": str(tmp_path), "HOME": str(tmp_path)}
    command = (sys.executable, "-m", "benchforge", "probe", "--scratch", str(tmp_path))
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 1 and "there is no scontrol on this machine" in done.stderr


def test_autodetect_prints_the_same_without_python(cluster: VirtualCluster):
    lines = cluster.text("bash", str(ROOT / "slurm" / "autodetect.sh")).splitlines()
    assert "BENCHFORGE_CPU_PARTITION=cpu" in lines and "BENCHFORGE_GPU_QOS=" in lines
    assert lines[lines.index("BENCHFORGE_GPU_PARTITION=PLACEHOLDER_GPU_PARTITION") - 1].endswith(": gpu gpu-hi")
    assert lines[lines.index("BENCHFORGE_GRES=PLACEHOLDER_GRES") - 1].endswith(": gpu:a40 gpu:pro6000")
