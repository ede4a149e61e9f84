"""What a check says: findings, each with the rows that offend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning"]

MAX_OFFENDERS = 20
"""Rows that a finding shows; ``num_rows`` counts all of them."""

COLUMNS = ("rule", "severity", "artifact", "num_rows", "message", "example")
"""Columns of ``Findings.as_rows``."""


@dataclass(frozen=True)
class Finding:
    """One rule that one artifact breaks.

    ``num_rows`` counts the offending rows, ``offenders`` holds at most ``MAX_OFFENDERS`` of them, each with the columns
    that one needs in order to find it. Critical stops publication; a warning is shown.
    """

    rule: str
    severity: Severity
    artifact: str
    message: str
    num_rows: int
    offenders: tuple[Mapping[str, Any], ...] = ()

    def as_row(self) -> dict[str, Any]:
        """Plain values under ``COLUMNS``; ``example`` is the first offender."""
        first = self.offenders[0] if self.offenders else {}
        example = ", ".join(f"{name}={shown(value)}" for name, value in first.items() if value is not None)
        return {
            "rule": self.rule,
            "severity": self.severity,
            "artifact": self.artifact,
            "num_rows": self.num_rows,
            "message": self.message,
            "example": example,
        }


@dataclass(frozen=True)
class Findings:
    """All findings of one run of the gate, critical ones first, and how many rules were asked."""

    findings: tuple[Finding, ...] = ()
    rules_run: int = 0
    judged: tuple[Mapping[str, Any], ...] = field(default=(), compare=False, repr=False)
    """One result per rule and artifact as the judge gave it, passed ones included: what the page is made of."""

    @property
    def critical(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "critical")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def as_rows(self) -> list[dict[str, Any]]:
        return [finding.as_row() for finding in self.findings]


def shown(value: Any) -> str:
    """A value as a table shows it: digests as hexadecimal characters."""
    return value.hex() if isinstance(value, bytes | bytearray) else str(value)
