"""A batch task reaches nothing but SLURM's controller: its engine and its scorer have no network at all.

Looked at from outside, in /proc of the living processes; each attempt to connect is made where it would succeed if the
network were shared. The task's own Python process is watched by an audit hook.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.runners.generate.engines.isolation import interfaces
from on_the_login_node import Operator
from virtual_cluster import VirtualCluster

RUN_FILE = """\
run: {{name: month, scratch: {home}/scratch, seed: 1}}
benchmarks: [forge_mini]
models: [{{model: lab__one, weights: {home}/weights}}]
engine: {{name: vllm, python: {home}/python, concurrency: 8}}
"""
WATCH = """\
import json, os, sys
def watch(event, values):
    if event == "socket.connect":
        with open(os.path.join({folder!r}, f"connects-{{os.getpid()}}.jsonl"), "a") as stream:
            stream.write(json.dumps([sys.argv[:1], repr(values[1])]) + "\\n")
sys.addaudithook(watch)
"""


REFUSED = """\
from pathlib import Path
import benchforge.runners.generate.engines.process as process
text = process._SUPERVISOR.read_text()
path = Path({folder!r}, "supervise.py")
path.write_text(text.replace("    uid, gid = os.getuid(), os.getgid()\\n", "    return 'not permitted'\\n"))
process._SUPERVISOR = path
"""


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH.format(folder=str(folder)))
    return folder


@pytest.fixture
def operator(cluster: VirtualCluster, tmp_path: Path) -> Operator:
    made = Operator.at(cluster, tmp_path / "home")
    (made.home / "run.yaml").write_text(RUN_FILE.format(home=made.home))
    (made.home / "weights").mkdir()
    (made.home / "weights" / "model.safetensors").write_bytes(b"x")
    engine = Path(__file__).with_name("batch_engine.py")
    (made.home / "python").write_text(f'#!/bin/sh\nexec {sys.executable} {engine} "$@"\n')
    (made.home / "python").chmod(0o755)
    return made


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def test_engine_and_scorer_of_a_batch_task_have_no_network(operator: Operator, evidence: Path, listener: socket.socket):
    controller = int(next(line for line in config(operator.cluster) if line.startswith("SlurmctldPort")).split("=")[1])
    ports = {"neighbour": listener.getsockname()[1], "controller": controller}
    for port in ports.values():
        socket.create_connection(("127.0.0.1", port), timeout=60).close()  # both are there for whoever has a network
    (evidence / "ports.json").write_text(json.dumps(ports))
    watched = {"BATCH_EVIDENCE": str(evidence), "PYTHONPATH": str(evidence)}
    operator.do("plan")
    operator.do("submit", "generate", "--force", **watched)
    operator.cluster.wait_for((evidence / "engine.json").exists, f"the engine\n{operator.logs()}", 240)
    engine = json.loads((evidence / "engine.json").read_text())
    assert engine["reached"] == dict.fromkeys(ports, "ConnectionRefusedError")
    assert engine["offline"] == ["1", "1"]
    assert_alone(engine["pid"])
    (evidence / "go").touch()
    operator.cluster.wait_for(lambda: operator.num_done("generate") == 1, f"generate\n{operator.logs()}", 240)
    assert {row["engine_version"].split("; ")[1] for row in samples(operator)} == {"unix socket, empty network"}
    operator.do("submit", "score", **watched)
    found: list[int] = []
    operator.cluster.wait_for(
        lambda: bool(found or found.extend(scorers(evidence))), f"the scorer\n{operator.logs()}", 240
    )
    assert_alone(found[0])
    operator.do("cancel")
    addresses = {json.loads(line)[1] for path in evidence.glob("connects-*.jsonl") for line in path.open()}
    assert addresses, "the task talks to its engine, so the hook was there"
    assert not [address for address in addresses if "/bf-" not in address], "a Unix socket of its own, and nothing else"


def test_a_task_whose_network_cannot_be_emptied_starts_no_engine(operator: Operator, evidence: Path):
    """The kernel's refusal, by a supervisor that finds none of the two ways."""
    (evidence / "ports.json").write_text("{}")
    (evidence / "sitecustomize.py").write_text(REFUSED.format(folder=str(evidence)))
    watched = {"BATCH_EVIDENCE": str(evidence), "PYTHONPATH": str(evidence)}
    (evidence / "go").touch()
    operator.do("plan")
    operator.do("submit", "generate", "--force", **watched)
    refused = "the engine would share the network of this node: not permitted"
    operator.cluster.wait_for(lambda: refused in operator.logs(), "the refusal", 240)
    assert operator.num_done("generate") == 0 and not samples(operator)


def assert_alone(pid: int) -> None:
    assert os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")  # noqa: PTH115
    assert interfaces(pid) == {"lo"}


def scorers(evidence: Path) -> list[int]:
    """Servers of the sandbox that a task of this test started (others may be on this machine)."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if (words := content(entry / "cmdline")).find(b"inside.server import main") > 0
        and b"--ro-bind" not in words  # of bubblewrap, and of what starts it
        and is_below(int(entry.name), f"BATCH_EVIDENCE={evidence}".encode())
    ]


def is_below(pid: int, variable: bytes) -> bool:
    """Whether one of its ancestors has the variable."""
    while pid > 1:
        if variable in content(Path(f"/proc/{pid}/environ")).split(b"\0"):
            return True
        fields = content(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
        pid = int(fields[1]) if fields else 0
    return False


def content(path: Path) -> bytes:
    """Nothing of a process that ended meanwhile."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def samples(operator: Operator) -> list[dict[str, object]]:
    from benchforge.ingest.lake import Lake

    return Lake(operator.lake).read("samples", ["engine_version"]).to_pylist()


def config(cluster: VirtualCluster) -> list[str]:
    return Path(cluster.environment["SLURM_CONF"]).read_text().splitlines()
