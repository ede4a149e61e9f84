"""What a site is set to: partitions (``scontrol -o show partition``) and settings (``scontrol show config``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .records import duration_seconds, given, records

DEFAULT_MAX_ARRAY_SIZE = 1001


@dataclass(frozen=True)
class Partition:
    """``max_seconds`` is None without a limit; ``allowed_*`` are empty where all are."""

    name: str
    is_default: bool
    is_up: bool
    nodes: str
    max_seconds: int | None
    preempt_mode: str
    priority_tier: int
    allowed_qos: tuple[str, ...]
    allowed_accounts: tuple[str, ...]
    grace_seconds: int


@dataclass(frozen=True)
class Site:
    """Settings that decide how a polite job behaves here. ``requeue_delay_seconds`` is what a requeued job waits."""

    cluster_name: str
    version: str
    max_array_size: int
    has_accounting: bool
    preempt_type: str
    preempt_mode: str
    sends_user_signal: bool
    priority_type: str
    proctrack: str
    task_plugin: str
    kill_wait_seconds: int
    requeue_delay_seconds: int
    enforces: tuple[str, ...]

    @property
    def has_preemption(self) -> bool:
        return self.preempt_type not in ("", "preempt/none")


def parse_partitions(text: str) -> list[Partition]:
    return [
        Partition(
            record["PartitionName"],
            record.get("Default") == "YES",
            record.get("State") == "UP",
            record.get("Nodes", ""),
            duration_seconds(record.get("MaxTime", "")),
            record.get("PreemptMode", "OFF"),
            int(record.get("PriorityTier") or 1),
            _allowed(record.get("AllowQos")),
            _allowed(record.get("AllowAccounts")),
            int(record.get("GraceTime") or 0),
        )
        for record in records(text)
        if "PartitionName" in record
    ]


def parse_config(text: str) -> Site:
    """Settings of ``scontrol show config``; what a version does not print has SLURM's default."""
    settings = _settings(text)
    return Site(
        settings.get("ClusterName", ""),
        settings.get("SLURM_VERSION", ""),
        int(settings.get("MaxArraySize", DEFAULT_MAX_ARRAY_SIZE)),
        settings.get("AccountingStorageType", "accounting_storage/none") == "accounting_storage/slurmdbd",
        settings.get("PreemptType", "preempt/none"),
        settings.get("PreemptMode", "OFF"),
        "preempt_send_user_signal" in settings.get("SlurmctldParameters", ""),
        settings.get("PriorityType", ""),
        settings.get("ProctrackType", ""),
        settings.get("TaskPlugin", ""),
        _seconds(settings.get("KillWait")) or 30,
        _requeue_delay(settings),
        tuple(word for word in (given(settings.get("AccountingStorageEnforce")) or "").split(",") if word),
    )


def _settings(text: str) -> dict[str, str]:
    pairs = (re.fullmatch(r"(\S+)\s*= ?(.*)", line) for line in text.splitlines())
    return {pair[1]: pair[2].strip() for pair in pairs if pair}


def _requeue_delay(settings: Mapping[str, str]) -> int:
    """A requeued job waits until its old credential is void: ``cred_expire`` of AuthInfo, 120 s without.

    From 26.05 on ``SchedulerParameters=requeue_delay=`` says it (slurm.conf(5) of SchedMD/slurm@284c3b95f0).
    """
    for name, word in (("SchedulerParameters", "requeue_delay"), ("AuthInfo", "cred_expire")):
        if found := re.search(rf"\b{word}=(\d+)", settings.get(name, "")):
            return int(found[1])
    return 120


def _seconds(text: str | None) -> int | None:
    """``30 sec``."""
    found = re.match(r"\d+", text or "")
    return int(found[0]) if found else None


def _allowed(text: str | None) -> tuple[str, ...]:
    return () if text in (None, "ALL", "N/A", "") else tuple(str(text).split(","))
