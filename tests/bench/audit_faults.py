"""Every planted fault, audited: what was planted, found and said to be worth. ``python tests/bench/audit_faults.py``.

Exit status 1 where one is not found, not named, worth something else, or an honest log shows a cause.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "foreign"))

from fault_effects import Outcome, outcome_of
from planted_faults import FAULTS


def _line(one: Outcome) -> str:
    points = one.found.finding.effect_points if one.found else None
    shown = "-" if points is None else f"{points:.4f}"
    worth = one.found.worth if one.found else "-"
    return f"{one.fault.name:55} {one.planted:9.4f} {worth:10} {shown:>9}  {one.problem or 'found, named, fits'}"


def main() -> int:
    print(f"{'fault':55} {'planted':>9} {'worth':10} {'stated':>9}")
    outcomes = []
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(outcome_of(fault, Path(folder)))
        print(_line(outcomes[-1]), flush=True)
    wrong = sum(one.problem is not None for one in outcomes)
    exact = sum(one.fault.worth == "exact" for one in outcomes)
    causes, tools = len({one.fault.cause_id for one in outcomes}), len({one.fault.log for one in outcomes})
    print(f"{len(outcomes)} faults of {causes} causes in {tools} kinds of logs; {exact} exact; {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
