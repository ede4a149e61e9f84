"""Facts of the cluster as its own commands tell them. Where several answers fit, none is chosen: they are listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from . import commands
from .accounting import Qos
from .commands import Trial
from .facts import PLACEHOLDER, Fact
from .nodes import Node
from .sbatch import JobOptions
from .site import Partition, Site

DEFAULT_QOS = "long"
_GROUPED = ("GPU_PARTITION", "GRES", "CONSTRAINT", "ACCOUNT", "GPU_QOS")
"""Facts that only a trial of all of them together verifies."""


@dataclass(frozen=True)
class Seen:
    """What the commands printed. ``qos`` and ``accounts`` are None where accounting is off."""

    site: Site
    partitions: Sequence[Partition]
    nodes: Sequence[Node]
    qos: Sequence[Qos] | None = None
    accounts: Sequence[str] | None = None


def seen_now(user: str) -> Seen:
    """Ask every command once. Raises QueueError where SLURM is not there or does not answer."""
    site = commands.site()
    is_accounted = site.has_accounting
    return Seen(
        site,
        commands.partitions(),
        commands.nodes(),
        commands.qos() if is_accounted else None,
        commands.accounts(user) if is_accounted else None,
    )


def facts_of_site(seen: Seen, chosen: Mapping[str, str]) -> list[Fact]:
    """Settings and ``SEEN_*`` facts; ``chosen`` are words of the user, which win."""
    gpu_partition = _choice("GPU_PARTITION", chosen, _partitions_with(seen, has_gpus=True))
    gres = _choice("GRES", chosen, _kinds(seen.nodes, gpu_partition.value))
    return [
        gpu_partition,
        _cpu_partition(seen, chosen),
        gres,
        Fact("CONSTRAINT", chosen.get("CONSTRAINT", ""), "your word" if "CONSTRAINT" in chosen else "none needed"),
        _account(seen, chosen),
        _qos(seen, chosen),
        *_seen(seen),
    ]


def tried(facts: Iterable[Fact], time_limit: str, trial: Callable[[Sequence[str]], Trial]) -> list[Fact]:
    """The same facts, those of a GPU job verified or refused together by ``sbatch --test-only``."""
    found = {fact.name: fact for fact in facts}
    values = {name: found[name].value for name in _GROUPED}
    if any(value.startswith(PLACEHOLDER) for value in values.values()):
        return list(found.values())
    options = JobOptions(
        partition=values["GPU_PARTITION"],
        time_limit=time_limit,
        cpus=1,
        gres=f"{values['GRES']}:1",
        constraint=values["CONSTRAINT"] or None,
        account=values["ACCOUNT"] or None,
        qos=values["GPU_QOS"] or None,
    )
    said = trial(options.words())
    how = "sbatch --test-only" if said.would_run else f"sbatch --test-only refused: {said.sentence}"
    for name in _GROUPED:
        found[name] = replace(found[name], how=how, is_verified=said.would_run)
    return list(found.values())


def nice_fact(nice: int, priorities: tuple[int, int] | None) -> Fact:
    """``priorities``: of two jobs that differ in the nice value only, without and with it."""
    if priorities is None:
        return Fact("SEEN_NICE_EFFECT", "", "no job could be queued to see", is_verified=False)
    without, with_it = priorities
    effect = f"priority {without} becomes {with_it}"
    if with_it <= 1 < without:
        effect += ": clamped, our jobs start in the order of their ids"
    return Fact("SEEN_NICE_EFFECT", effect, f"two queued jobs, --nice={nice}")


def _choice(name: str, chosen: Mapping[str, str], candidates: Sequence[str]) -> Fact:
    if name in chosen:
        return Fact(name, chosen[name], "your word")
    if len(candidates) == 1:
        return Fact(name, candidates[0], "the only one")
    why = f"one of {', '.join(candidates)}: say which" if candidates else "none is there"
    return Fact(name, f"{PLACEHOLDER}{name}", why, is_verified=False)


def _partitions_with(seen: Seen, has_gpus: bool) -> list[str]:
    return [
        partition.name
        for partition in seen.partitions
        if partition.is_up and has_gpus is any(node.gpus for node in _nodes_in(seen.nodes, partition.name))
    ]


def _nodes_in(nodes: Iterable[Node], partition: str) -> list[Node]:
    return [node for node in nodes if partition in node.partitions]


def _kinds(nodes: Iterable[Node], partition: str) -> list[str]:
    kinds = {kind for node in _nodes_in(nodes, partition) for kind in node.gpus}
    return sorted(f"gpu:{kind}" if kind else "gpu" for kind in kinds)


def _cpu_partition(seen: Seen, chosen: Mapping[str, str]) -> Fact:
    candidates = _partitions_with(seen, has_gpus=False)
    default = [partition.name for partition in seen.partitions if partition.is_default]
    return _choice("CPU_PARTITION", chosen, [name for name in candidates if name in default] or candidates)


def _account(seen: Seen, chosen: Mapping[str, str]) -> Fact:
    if "ACCOUNT" in chosen:
        return Fact("ACCOUNT", chosen["ACCOUNT"], "your word")
    accounts = sorted(set(seen.accounts or ()))
    if len(accounts) > 1:
        return Fact("ACCOUNT", "", f"the site's default is used; yours are {', '.join(accounts)}", is_verified=False)
    return Fact("ACCOUNT", accounts[0] if accounts else "", "sacctmgr" if accounts else "no account is needed")


def _qos(seen: Seen, chosen: Mapping[str, str]) -> Fact:
    if "GPU_QOS" in chosen:
        return Fact("GPU_QOS", chosen["GPU_QOS"], "your word")
    if seen.qos is None:
        return Fact("GPU_QOS", "", "accounting is off: there is no QOS")
    names = [qos.name for qos in seen.qos]
    return _choice("GPU_QOS", {}, [DEFAULT_QOS] if DEFAULT_QOS in names else names)


def _seen(seen: Seen) -> list[Fact]:
    site = seen.site
    notice = "USR1" if site.sends_user_signal else "TERM only"
    preemption = f"{site.preempt_type} {site.preempt_mode}, notice: {notice}" if site.has_preemption else "off"
    how = "scontrol show config"
    return [
        Fact("SEEN_CLUSTER", f"{site.cluster_name}, SLURM {site.version}", how),
        Fact("SEEN_PREEMPTION", preemption, how),
        Fact("SEEN_MAX_ARRAY_SIZE", str(site.max_array_size), how),
        Fact("SEEN_REQUEUE_DELAY", str(site.requeue_delay_seconds), how),
        Fact("SEEN_ACCOUNTING", "on" if site.has_accounting else "off", how),
        Fact("SEEN_GPUS", _gpus(seen), "scontrol show node"),
        Fact("SEEN_QOS", _qos_listed(seen), "sacctmgr show qos"),
    ]


def _gpus(seen: Seen) -> str:
    lines = []
    for partition in seen.partitions:
        totals: dict[str, int] = {}
        features: set[str] = set()
        for node in _nodes_in(seen.nodes, partition.name):
            for kind, number in node.gpus.items():
                totals[kind or "gpu"] = totals.get(kind or "gpu", 0) + number
                features |= node.features
        if totals:
            counted = " ".join(f"{number}x{kind}" for kind, number in sorted(totals.items()))
            lines.append(f"{partition.name}: {counted} ({' '.join(sorted(features))})")
    return "; ".join(lines) or "none"


def _qos_listed(seen: Seen) -> str:
    if seen.qos is None:
        return "none"
    return ", ".join(f"{qos.name} (priority {qos.priority}, grace {qos.grace_seconds} s)" for qos in seen.qos)
