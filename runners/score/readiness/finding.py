"""One line of the answer."""

from __future__ import annotations

from dataclasses import dataclass

PASS, CAUTION, FAIL = "PASS", "CAUTION", "FAIL"


@dataclass(frozen=True)
class Finding:
    """``found``: what is there; ``protects``: what it is good for; ``fix``: the command, where it is not PASS."""

    check: str
    status: str
    found: str
    protects: str
    fix: str = ""


def judged(check: str, is_good: bool, found: str, protects: str, fix: str, otherwise: str = CAUTION) -> Finding:
    """PASS without a command, or ``otherwise`` with it."""
    return Finding(check, PASS if is_good else otherwise, found, protects, "" if is_good else fix)
