"""A fault planted into its honest log, audited: was it found, named, and worth what was planted?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import honest_logs
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.beside import Beside, sorted_out
from benchforge.runners.ask.audit.report import Audit, Cause, audited
from faults import AT_MOST, EXACT, Fault

_POINTS = 1e-6
_OF_STATED = ("stated_not_its_verdicts", "rounded_before_compare")


@dataclass(frozen=True)
class Outcome:
    """``planted``: score of the planted log as its tool counts it, less the honest one's, in points."""

    fault: Fault
    planted: float
    found: Cause | None
    others: frozenset[str]

    @property
    def problem(self) -> str | None:
        """What the audit got wrong, in words; None where all is right."""
        if self.found is None:
            return "not found"
        if self.others - self.fault.also:
            return f"found as well: {', '.join(sorted(self.others - self.fault.also))}"
        if self.found.worth != self.fault.worth:
            return f"worth is {self.found.worth}, not {self.fault.worth}"
        points = self.found.finding.effect_points or 0.0
        if self.fault.worth == EXACT and abs(points - self.planted) > _POINTS:
            return f"worth {points:.4f}, planted {self.planted:.4f}"
        if self.fault.worth == AT_MOST and not _is_within(self.planted, points):
            return f"worth at most {points:.4f}, planted {self.planted:.4f}"
        return None


def _is_within(planted: float, most: float) -> bool:
    low, high = sorted((0.0, most))
    return low - _POINTS <= planted <= high + _POINTS


def outcome_of(fault: Fault, folder: Path) -> Outcome:
    build, _, benchmark = honest_logs.FILES[fault.log]
    honest = build(*fault.args)
    honest = fault.honest(honest) or honest
    before = _audited(fault, honest_logs.write(folder, fault.log, honest, "honest"), benchmark, is_planted=False)
    document = build(*fault.args)
    planted = fault.plant(document) or document
    if fault.cause_id not in _OF_STATED:
        honest_logs.restate(fault.log, planted)
    path = honest_logs.write(folder, fault.log, planted, fault.file_name)
    after = _audited(fault, path, fault.benchmark or benchmark, is_planted=True)
    causes = {one.finding.cause_id: one for one in after.causes}
    others = {name for name, one in causes.items() if one.kind == "cause" and name != fault.cause_id}
    points = _as_counted(after) - _as_counted(before)
    return Outcome(fault, points, causes.get(fault.cause_id), frozenset(others))


def _audited(fault: Fault, path: Path, benchmark: str | None, *, is_planted: bool) -> Audit:
    files = [path]
    if is_planted and fault.beside is not None:
        files.append(path.with_name("beside.json"))
        files[-1].write_text(fault.beside)
    wanted = Wanted(AUTO, benchmark)
    (log,), beside = sorted_out(files, wanted) if is_planted else ([path], Beside())
    return audited(log, wanted, {}, None, beside=beside, cutoff=fault.cutoff if is_planted else None)


def _as_counted(audit: Audit) -> float:
    """Percent that the tool states, else what its verdicts give (base and extra tests together)."""
    stated = [
        one.percent for one in audit.numbers if one.reading.startswith("stated") and one.reading.endswith("pass@1")
    ]
    own = [one.percent for one in audit.numbers if one.reading.startswith("its own")]
    return (stated or own[-1:])[0]
