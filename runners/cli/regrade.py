"""``benchforge score --regrade N``: verdicts that do not repeat, as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from .console import out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...ingest.manifest import Run, Shard
    from ..score.pending import Means, Progress

_COLUMNS = (
    "benchmark",
    "scenario",
    "shard_id",
    "task_id",
    "program_id",
    "oracle",
    "part",
    "before",
    "after",
)


def print_regrade(
    run: Run, shards: Sequence[Shard], means: Means, times: int, progress: Progress, format_: str
) -> None:
    """Flaky verdicts on stdout, counts on stderr. Raises BenchforgeError (exit 1) when there is one."""
    from ...ingest.errors import BenchforgeError
    from ..score.regrade import regrade

    done = list(regrade(run, shards, means, times, progress))
    flaky = [asdict(one) for shard in done for one in shard.flaky]
    out.table(flaky, _COLUMNS, format_)
    num_programs = sum(shard.num_programs for shard in done)
    out.say(f"{num_programs} programs graded {times} times each: {len(flaky)} parts did not repeat their verdict")
    if flaky:
        raise BenchforgeError(
            f"{len({one['program_id'] for one in flaky})} programs are flaky",
            "benchforge aggregate, then benchforge sql 'select * from fct_flaky_verdicts'; no verdict was changed",
        )
