"""``benchforge sandbox-check``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import out
from .options import format_option, num_workers_of, settings_from, settings_options

if TYPE_CHECKING:
    from ..score.readiness import Finding

_COLUMNS = ("check", "status", "found", "protects", "fix")
_STATUSES = ("PASS", "CAUTION", "FAIL")


@click.command(name="sandbox-check", epilog="Example: benchforge sandbox-check --quick")
@click.option("--sandbox-mode", help="Outer sandbox to look at; the best available without.")
@click.option("--quick", is_flag=True, help="Leave the conformance suite out.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, help="Sandboxes side by side; 0: one per core.")
@click.option("--suite", "suites", multiple=True, help="Try what an opt-in suite needs instead, and open its gate.")
@settings_options
@format_option
def command(
    sandbox_mode: str | None, quick: bool, jobs: int, suites: tuple[str, ...], format_: str, **settings_options: Any
) -> None:
    """Say of every layer whether it holds here, and which command mends it; then run the shipped attacks.

    PASS, CAUTION (safe, but weaker or less steady than it could be) or FAIL; exit code 1 when anything FAILs. With
    ``--suite`` (a benchmark, or one language of it) every library and tool it needs is looked for inside its own
    sandbox, with the command that installs what is missing; ``score`` grades a suite only after its gate was opened so.
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
        if suites:
            scratch = settings_from(**settings_options).scratch
            found = [finding for suite in suites for finding in _of_suite(suite, scratch, means.sandbox_mode)]
        else:
            found = list(all_findings(means, is_quick=quick))
    out.table([asdict(finding) for finding in found], _COLUMNS, format_)
    counts = {status: sum(finding.status == status for finding in found) for status in _STATUSES}
    out.say(", ".join(f"{number} {status}" for status, number in counts.items()))
    if counts[FAIL]:
        raise SandboxUnavailable(
            f"{'Suites are not ready' if suites else 'Scoring is not safe'} here: {counts[FAIL]} check(s) FAIL.",
            "mend them as the table says",
        )


def _of_suite(name: str, scratch: Path, mode: str | None) -> Iterator[Finding]:
    from ...ingest.benchmarks import resolve
    from ...ingest.errors import UsageError
    from ..score.readiness.environments import environments_of, findings

    benchmark, scenarios = resolve(name)
    environments = environments_of(benchmark, scenarios)
    if not environments:
        raise UsageError(f"{name} is no suite: its programs run in the interpreter of benchforge", "leave --suite out")
    for environment in environments:
        yield from findings(environment, scratch, mode)
