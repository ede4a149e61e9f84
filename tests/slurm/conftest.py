"""Clusters that tests share. They run under ``make test-slurm``, one after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from virtual_cluster import VirtualCluster, can_limit_memory, missing_programs, virtual_cluster

IS_ASKED = bool(os.environ.get("BENCHFORGE_SLURM"))


@pytest.fixture(scope="session")
def _shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCluster]:
    _skip_where_it_cannot_run()
    with virtual_cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture
def cluster(_shared_cluster: VirtualCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualCluster]:
    """Four idle nodes and an empty queue; the commands of this process talk to it."""
    _talk_to(_shared_cluster, monkeypatch)
    try:
        yield _shared_cluster
    finally:
        _shared_cluster.clear()


@pytest.fixture(scope="session")
def _shared_accounting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCluster]:
    _skip_where_it_cannot_run(is_accounting=True)
    with virtual_cluster(tmp_path_factory.mktemp("slurm_accounting"), is_accounting=True) as cluster:
        yield cluster


@pytest.fixture
def accounting(_shared_accounting: VirtualCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualCluster]:
    """The same with slurmdbd: QOS long, backfill and urgent, of which urgent preempts with a grace time."""
    _talk_to(_shared_accounting, monkeypatch)
    try:
        yield _shared_accounting
    finally:
        _shared_accounting.clear()


@pytest.fixture
def memory_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualCluster]:
    """A cluster of its own, whose jobs the kernel kills when they take more than their memory."""
    _skip_where_it_cannot_run()
    if not can_limit_memory():
        pytest.skip("no memory controller of control groups version 1 that this user may write to")
    with virtual_cluster(tmp_path / "memory_cluster", limits_memory=True) as cluster:
        _talk_to(cluster, monkeypatch)
        yield cluster


def _skip_where_it_cannot_run(is_accounting: bool = False) -> None:
    if not IS_ASKED:
        pytest.skip("real SLURM daemons are started by make test-slurm (BENCHFORGE_SLURM=1)")
    missing = missing_programs(is_accounting)
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: apt-get install slurm-wlm slurmdbd mariadb-server")


def _talk_to(cluster: VirtualCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, cluster.environment[name])
