"""Commands start as fast as issue and README promise; run by ``make bench``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import start


@pytest.mark.skipif(not os.environ.get("BENCHFORGE_BENCH"), reason="make bench measures")
def test_commands_start_within_their_limits(recorded_marts: Path) -> None:
    found = start.measured(recorded_marts)
    print("\n" + start.table(found))
    late = {name: found[name] for name, limit in start.LIMITS.items() if found[name] > limit}
    assert not late
