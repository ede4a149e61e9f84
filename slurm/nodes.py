"""Nodes and their idle GPUs, from ``scontrol -d -o show node`` (``-d`` brings ``GresUsed``).

A drained node shows unused GPUs as well, so the state decides first; a node that backfill has PLANNED for a big job
takes short jobs only, so its GPUs are counted apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .records import given, records

_SYMBOLS: Mapping[str, str] = {
    "*": "NOT_RESPONDING",
    "~": "POWERED_DOWN",
    "#": "POWERING_UP",
    "!": "POWERING_DOWN",
    "%": "POWERING_DOWN",
    "$": "MAINTENANCE",
    "@": "REBOOT_REQUESTED",
    "^": "REBOOT_ISSUED",
    "-": "PLANNED",
}
"""Suffixes of a state in short listings (sinfo(1), NODE STATE CODES)."""
_TAKES_JOBS = ("IDLE", "MIXED", "ALLOCATED")
_BARS = ("DRAIN", "DOWN", "FAIL", "MAINT", "RESERVED", "REBOOT", "POWER", "NOT_RESPONDING", "INVAL", "BLOCKED")
"""Flags, or their beginnings, under which a node starts nothing."""
ANY_TYPE = ""


@dataclass(frozen=True)
class Node:
    """``gpus`` and ``used`` map a GPU type (``""`` where the site names none) to a number."""

    name: str
    state: str
    flags: frozenset[str]
    features: frozenset[str]
    partitions: frozenset[str]
    gpus: Mapping[str, int]
    used: Mapping[str, int]
    cpus: int
    memory_bytes: int

    @property
    def takes_jobs(self) -> bool:
        return self.state in _TAKES_JOBS and not any(flag.startswith(_BARS) for flag in self.flags)

    @property
    def is_planned(self) -> bool:
        return "PLANNED" in self.flags

    def idle_gpus(self, gpu_type: str = ANY_TYPE) -> int:
        """Of a type, or of all; never below zero, whatever the two counts say."""
        types = [gpu_type] if gpu_type else [*self.gpus]
        return sum(max(0, self.gpus.get(name, 0) - self.used.get(name, 0)) for name in types)


@dataclass(frozen=True)
class Wanted:
    """Which GPUs count: ``gres`` as sbatch takes it, ``constraint`` of features joined by ``&``, ``partition``."""

    partition: str = ""
    gres: str = "gpu:1"
    constraint: str = ""

    @property
    def gpu_type(self) -> str:
        words = self.gres.split(":")
        return words[1] if len(words) > 1 and not words[1].isdigit() else ANY_TYPE

    def covers(self, node: Node) -> bool:
        features = {word for word in re.split(r"[&,]", self.constraint) if word}
        is_there = not self.partition or bool(set(self.partition.split(",")) & node.partitions)
        return is_there and features <= node.features


@dataclass(frozen=True)
class IdleGpus:
    """``free`` for any job; ``planned`` only for jobs that end before the one that was planned for begins."""

    free: int
    planned: int
    total: int
    """Of nodes that take jobs."""


def parse_nodes(text: str) -> list[Node]:
    """Nodes of ``scontrol -d -o show node``; lines that name no node are skipped."""
    return [_node(record) for record in records(text) if "NodeName" in record]


def parse_gres(text: str | None) -> dict[str, int]:
    """GPUs by type: ``gpu:pro6000:4(S:0-1),gpu:2`` -> ``{"pro6000": 4, "": 2}``; other gres are left out."""
    found: dict[str, int] = {}
    for item in re.sub(r"\([^)]*\)", "", given(text) or "").split(","):
        kind, *rest = item.split(":")
        if kind != "gpu":
            continue
        count = int(rest[-1]) if rest and rest[-1].isdigit() else 1
        name = rest[0] if len(rest) > 1 else ANY_TYPE
        found[name] = found.get(name, 0) + count
    return found


def idle_gpus(nodes: Iterable[Node], wanted: Wanted) -> IdleGpus:
    """GPUs of the wanted kind that no job holds, on nodes that take jobs."""
    usable = [node for node in nodes if node.takes_jobs and wanted.covers(node)]
    totals = [node.gpus.get(wanted.gpu_type, 0) if wanted.gpu_type else sum(node.gpus.values()) for node in usable]
    free = sum(node.idle_gpus(wanted.gpu_type) for node in usable if not node.is_planned)
    planned = sum(node.idle_gpus(wanted.gpu_type) for node in usable if node.is_planned)
    return IdleGpus(free, planned, sum(totals))


def _node(record: Mapping[str, str]) -> Node:
    state, flags = _state(record.get("State", "UNKNOWN"))
    gpus = parse_gres(record.get("Gres"))
    return Node(
        record["NodeName"],
        state,
        flags,
        _words(record.get("ActiveFeatures")),
        _words(record.get("Partitions")),
        gpus,
        _used(parse_gres(record.get("GresUsed")), gpus),
        int(record.get("CPUTot") or 0),
        int(record.get("RealMemory") or 0) << 20,
    )


def _used(used: dict[str, int], gpus: Mapping[str, int]) -> dict[str, int]:
    """An untyped count stands for the node's only type."""
    if set(used) == {ANY_TYPE} and len(gpus) == 1:
        return dict.fromkeys(gpus, used[ANY_TYPE])
    return used


def _state(text: str) -> tuple[str, frozenset[str]]:
    """``IDLE+DRAIN``, ``DOWN*``, ``MIXED-`` -> base state and flags."""
    words = [re.fullmatch(r"([A-Z_]*)(\W*)", word.upper()) for word in text.split("+")]
    names = [word[1] for word in words if word]
    symbols = {_SYMBOLS[mark] for word in words if word for mark in word[2] if mark in _SYMBOLS}
    return names[0] if names else "UNKNOWN", frozenset(names[1:]) | symbols


def _words(text: str | None) -> frozenset[str]:
    return frozenset(word for word in (given(text) or "").split(",") if word)
