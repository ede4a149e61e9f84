"""``benchforge sandbox-check``."""

from __future__ import annotations

from dataclasses import asdict

import click

from .console import out
from .options import format_option, num_workers_of

_COLUMNS = ("check", "status", "found", "protects", "fix")
_STATUSES = ("PASS", "CAUTION", "FAIL")


@click.command(name="sandbox-check", epilog="Example: benchforge sandbox-check --quick")
@click.option("--sandbox-mode", help="Outer sandbox to look at; the best available without.")
@click.option("--quick", is_flag=True, help="Leave the conformance suite out.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, help="Sandboxes side by side; 0: one per core.")
@format_option
def command(sandbox_mode: str | None, quick: bool, jobs: int, format_: str) -> None:
    """Say of every layer whether it holds here, and which command mends it; then run the shipped attacks.

    PASS, CAUTION (safe, but weaker or less steady than it could be) or FAIL; exit code 1 when anything FAILs.
    """
    from ..score.platform import require_linux

    require_linux()
    from ...ingest.errors import SandboxUnavailable
    from ..score.door import Means
    from ..score.readiness import FAIL, all_findings
    from ..score.sandbox import known_mode
    from ..signals import interruptible

    means = Means(known_mode(sandbox_mode), num_workers_of(jobs))
    with interruptible():
        found = list(all_findings(means, is_quick=quick))
    out.table([asdict(finding) for finding in found], _COLUMNS, format_)
    counts = {status: sum(finding.status == status for finding in found) for status in _STATUSES}
    out.say(", ".join(f"{number} {status}" for status, number in counts.items()))
    if counts[FAIL]:
        raise SandboxUnavailable(
            f"Scoring is not safe here: {counts[FAIL]} check(s) FAIL.", "mend them as the table says"
        )
