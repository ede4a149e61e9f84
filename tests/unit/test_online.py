"""Commands that need the network: which they are, and what they say where there is none."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchforge.ingest.config import load_settings
from benchforge.ingest.errors import NotStaged
from benchforge.runners.cli.main import COMMANDS
from benchforge.runners.generate.engines.vllm_flags import server_variables
from benchforge.runners.online import OFFLINE_VARIABLES, ONLINE, go_offline, hub_target, require_network
from benchforge.slurm.machine import network


@pytest.fixture(autouse=True)
def _no_job_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "HF_ENDPOINT", "http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def open_port() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed_port() -> Iterator[str]:
    """Bound, so that nobody else gets it, and not listening."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{nobody.getsockname()[1]}"


def test_the_commands_that_say_so_are_the_declared_ones():
    online = {name for name, declared in COMMANDS.items() if declared.is_online}
    assert {"stage", "pull-image"} <= online
    assert online == {name for name in ONLINE if name in COMMANDS}


def test_a_host_that_cannot_be_reached_is_named_with_where_to_run(closed_port: str, open_port: str):
    require_network("publish", open_port)
    with pytest.raises(
        NotStaged, match=f"uploads to the Hub, and {closed_port} cannot be reached from .*: closed"
    ) as one:
        require_network("publish", closed_port)
    assert one.value.hint.startswith("run it on a login node of the cluster: benchforge publish; behind a proxy")


def test_a_compute_node_is_refused_by_what_probe_saw(open_port: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Also where the host could be reached after all: the fact is of the kind of node, and a person may edit it."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / ".benchforge.env").write_text('BENCHFORGE_SEEN_NODE_NETWORK="closed (TimeoutError)"\n')
    require_network("stage", open_port)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with pytest.raises(NotStaged, match=r"\(job 17\) have no network: probe saw it closed \(TimeoutError\)") as caught:
        require_network("stage", open_port)
    assert caught.value.hint == "run it on a login node of the cluster: benchforge stage"
    (home / ".benchforge.env").write_text("BENCHFORGE_SEEN_NODE_NETWORK=open\n")
    require_network("stage", open_port)


def test_a_proxy_leads_there_or_is_named(open_port: str, closed_port: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", f"http://{open_port}")
    assert network("hub.invalid:443") == "open through a proxy"
    monkeypatch.setenv("https_proxy", f"http://{closed_port}")
    assert network("hub.invalid:443") == "closed (ConnectionRefusedError, of the proxy)"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert network(open_port) == "open"


@pytest.mark.parametrize(
    ("endpoint", "target"),
    [("", "huggingface.co:443"), ("https://mirror.example/hf", "mirror.example:443"), ("http://h:81", "h:81")],
)
def test_the_hub_is_where_its_library_would_look(endpoint: str, target: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert hub_target() == target


def test_runs_are_offline_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch):
    go_offline(load_settings({"run.offline": False}))
    assert not set(OFFLINE_VARIABLES) & set(os.environ)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    go_offline(load_settings({}))
    assert [os.environ[name] for name in OFFLINE_VARIABLES] == ["0", "1"]
    variables = server_variables(load_settings({}), is_isolated=False)
    assert [variables[name] for name in OFFLINE_VARIABLES] == ["0", "1"], "the engine is told the same"
