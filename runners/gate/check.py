"""``benchforge check``: whether a file of marts, and the lake under it, may be published.

Facts are computed in DuckDB, one small table per artifact; Great Expectations judges them; what it finds wrong comes
back as ``Findings``. A rule that could not be asked is a critical finding, never one that is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...expectations.findings import Findings
from ...ingest.config import Settings
from ...ingest.lake import Lake

ARTIFACTS: tuple[str, ...] = ()
"""Everything that is checked: lake tables, then public marts."""


def check(
    settings: Settings,
    built: Path,
    lake: Lake | Path | None,
    *,
    published: Path | None = None,
    artifacts: Sequence[str] = ARTIFACTS,
) -> Findings:
    """Findings on the file of marts ``built`` and on the ``lake`` it was built from (None: the bundled lake).

    ``published`` is the leaderboard that was published last (a file of marts, or a folder of its Parquet files); None:
    nothing was published. Raises BadInput where ``built`` is no file of marts, LakeError where the lake cannot be read.
    """
    raise NotImplementedError


def check_assembled(folder: Path) -> Findings:
    """Findings on an assembled ``publish/`` folder, just before its upload: what stands in its files and nothing else.

    ``folder`` holds ``benchforge-results/`` and ``benchforge-leaderboard/`` as docs/publication.md lays them out.
    """
    raise NotImplementedError
