"""Facts of a cluster in ``~/.benchforge.env``: each with when and how it was seen, or why it is not known yet.

::

    # verified 2026-11-21T20:15:00+00:00 by sbatch --test-only: gpu
    BENCHFORGE_GPU_PARTITION=gpu
    # unverified: several kinds there: gpu:a40, gpu:pro6000
    BENCHFORGE_GRES=PLACEHOLDER_GRES

A person may edit every line. A value that differs from the one in the comment above it was written by a person: probe
leaves it alone and says what it found in the comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..ingest.config import Settings
from ..ingest.errors import UsageError

PLACEHOLDER = "PLACEHOLDER_"
PREFIX = "BENCHFORGE_"

MEANINGS: Mapping[str, str] = {
    "SCRATCH": "folder of runs, on a file system that compute nodes share",
    "HF_HOME": "folder of staged weights",
    "SIF_DIR": "folder of container images",
    "GPU_PARTITION": "partition of GPU jobs",
    "CPU_PARTITION": "partition of scoring jobs",
    "GRES": "kind of GPU, gpu:TYPE",
    "CONSTRAINT": "node features that a GPU job needs",
    "ACCOUNT": "account of jobs",
    "GPU_QOS": "QOS of GPU jobs",
    "NICE": "nice value of jobs",
    "GPU_TIME": "limit of one GPU job: short ones fit into gaps",
    "SANDBOX_MODE": "outer sandbox of scoring",
    "SEEN_CLUSTER": "name and version",
    "SEEN_PREEMPTION": "type, mode, and whether the notice is USR1",
    "SEEN_MAX_ARRAY_SIZE": "longer arrays are split",
    "SEEN_REQUEUE_DELAY": "seconds that a requeued job waits",
    "SEEN_ACCOUNTING": "whether sacct works",
    "SEEN_NICE_EFFECT": "what the nice value does to the priority here",
    "SEEN_GPUS": "kinds of GPU, and where",
    "SEEN_QOS": "QOS, their priority and grace time",
    "SEEN_LOGIN_NETWORK": "outbound network of the login node",
    "SEEN_LOGIN_FILES": "what the scratch file system does not keep, seen from the login node",
    "SEEN_NODE_NETWORK": "outbound network of a compute node",
    "SEEN_NODE_FILES": "what the scratch file system does not keep, seen from a compute node",
    "SEEN_NODE_CONTAINERS": "apptainer on a compute node",
    "SEEN_NODE_ISOLATION": "namespaces, seccomp, Landlock, control groups of a compute node",
}
"""Every fact, in the order of the file. ``SEEN_*`` informs; the others are settings of commands and jobs."""


@dataclass(frozen=True)
class Fact:
    """``value`` as found; ``how`` it was verified, or, with ``is_verified`` False, why it is not known."""

    name: str
    value: str
    how: str
    is_verified: bool = True

    def evidence(self, at: str) -> str:
        if self.is_verified:
            return f"# verified {at} by {self.how}: {self.value}"
        return f"# unverified: {self.how}"


@dataclass(frozen=True)
class Line:
    """One assignment of the file. ``note`` is the comment of probe above it."""

    value: str
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Probe may fill it in: empty, a placeholder, or what probe itself wrote."""
        seen = self.note.partition(": ")[2] if self.note.startswith("# verified") else None
        return self.value in ("", seen) or self.value.startswith(PLACEHOLDER)

    @property
    def status(self) -> str:
        if self.value.startswith(PLACEHOLDER):
            return "placeholder"
        words = self.note.removeprefix("# ")
        return words if words.startswith(("verified", "unverified")) else "unverified: written by hand"


def parse(text: str) -> dict[str, Line]:
    """Name without prefix -> assignment, of the lines that assign a ``BENCHFORGE_*`` variable."""
    found: dict[str, Line] = {}
    note = ""
    for line in text.splitlines():
        match = re.match(rf"\s*(?:export\s+)?{PREFIX}(\w+)=(.*)$", line)
        if match:
            found[match[1]] = Line(match[2].strip().strip("\"'"), note)
        note = line.strip() if line.startswith(("# verified", "# unverified")) else ""
    return found


def merged(text: str, facts: Iterable[Fact], at: str) -> str:
    """The file with the facts in it; ``at`` is now as text. Other lines, and values of persons, stay as they are."""
    lines = text.splitlines()
    before = parse(text)
    for fact in facts:
        old = before.get(fact.name)
        if old is None:
            lines += [
                f"# {MEANINGS.get(fact.name, '')}".rstrip(),
                fact.evidence(at),
                _assignment(fact.name, fact.value),
            ]
        elif old.is_open and (fact.is_verified or old.status == "placeholder" or not old.value):
            lines = _replaced(lines, fact.name, fact.evidence(at), fact.value)
        elif not old.is_open:
            lines = _replaced(lines, fact.name, _note_beside(old, fact, at), old.value)
    return "\n".join(lines) + "\n"


def placeholders(settings: Settings, paths: Iterable[str]) -> list[str]:
    """Those of the settings that still say PLACEHOLDER_*."""
    return [path for path in paths if str(settings[path]).startswith(PLACEHOLDER)]


def refuse_placeholders(settings: Settings, paths: Iterable[str]) -> None:
    """UsageError that names each variable that is not known yet, and the probe that resolves it."""
    from ..ingest.config import SHORT_NAMES

    open_ones = [f"{PREFIX}{SHORT_NAMES.get(path, path)}" for path in placeholders(settings, paths)]
    if open_ones:
        names = ", ".join(open_ones)
        raise UsageError(
            f"{names} {'is' if len(open_ones) == 1 else 'are'} not known for this cluster yet",
            "benchforge probe, or write the value into ~/.benchforge.env",
        )


def _note_beside(old: Line, fact: Fact, at: str) -> str:
    if fact.is_verified and fact.value == old.value:
        return fact.evidence(at)
    return f"# unverified: written by hand; probe found {fact.value or 'nothing'} ({fact.how})"


def _replaced(lines: list[str], name: str, note: str, value: str) -> list[str]:
    """The assignment with a new value, and the comment of probe above it replaced or added."""
    result: list[str] = []
    for line in lines:
        if re.match(rf"\s*(?:export\s+)?{PREFIX}{name}=", line):
            if result and result[-1].startswith(("# verified", "# unverified")):
                result.pop()
            result += [note, _assignment(name, value)]
        else:
            result.append(line)
    return result


def _assignment(name: str, value: str) -> str:
    quoted = f'"{value}"' if re.search(r"[^\w.:/@%+,-]", value) else value
    return f"{PREFIX}{name}={quoted}"
