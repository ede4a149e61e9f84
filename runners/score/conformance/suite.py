"""Grades the suite through the door that every corpus takes, and says of each row whether it went as it must."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..door import Means, grade_rows
from .witness import Witness

LIMIT_FACTOR = 0.25
"""Rows that run into a limit do so in a second; none of the honest ones needs a tenth of that."""
_HERE = Path(__file__).parent
Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """One row and how it went. ``category``: that of the attack, ``honest``, ``probe`` (honest, after an attack), or
    ``effect`` for what was left behind."""

    name: str
    category: str
    is_right: bool
    found: str


def rows(name: str) -> list[Row]:
    """Rows of ``attacks`` or ``honest`` as shipped."""
    text = (_HERE / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def run(means: Means) -> list[Result]:
    """The whole suite: every honest row, then every attack with an honest row after it, then a look around."""
    lines: list[Row] = []
    with Witness() as witness:
        given = list(_programme(witness.template, has_scratch=means.sandbox_mode != "inner-only"))
        stream = io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in given))
        num_failed = grade_rows(stream, replace(means, limit_factor=LIMIT_FACTOR), lines.append)
        effects = witness.seen(json.dumps(lines))
    results = [_result(row, line) for row, line in zip(given, lines, strict=True)]
    if num_failed:
        results.append(Result("sandbox_error", "effect", False, f"the sandbox failed for {num_failed} rows"))
    left = [Result(effect.split(":")[0], "effect", False, effect) for effect in effects]
    return [*results, *(left or [Result("effects", "effect", True, "none was seen")])]


def _programme(template: Mapping[str, str], *, has_scratch: bool) -> Iterator[Row]:
    honest = [row for row in rows("honest") if has_scratch or row.get("needs") != "scratch"]
    attacks = rows("attacks")
    yield from honest
    for number, attack in enumerate(attacks):
        probe = honest[number % len(honest)]
        yield _filled(attack, template)
        yield {**probe, "id": f"{probe['id']} after {attack['id']}", "is_probe": True}


def _filled(row: Row, template: Mapping[str, str]) -> Row:
    if "solution" not in row:
        return row
    solution = row["solution"]
    for slot, value in template.items():
        solution = solution.replace(slot, value)
    return {**row, "solution": solution}


def _result(row: Row, line: Row) -> Result:
    if "error" in line:
        return Result(row["id"], _category(row), False, line["error"])
    verdicts = {line["official"], line["strict"]}
    is_right = "pass" not in verdicts if "category" in row else verdicts == {"pass"}
    return Result(row["id"], _category(row), is_right, f"{line['official']} ({line['reason']})")


def _category(row: Row) -> str:
    return row.get("category") or ("probe" if row.get("is_probe") else "honest")
