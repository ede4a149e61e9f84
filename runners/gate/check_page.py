"""One HTML page of all results, made from the judge's result JSON: no script, no font and no style from elsewhere.

Great Expectations' own pages load six libraries from the network; this one reads the same on a node without any, in
light and dark, by keyboard and by a screen reader.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from ...expectations.catalogue import catalogue
from ...expectations.findings import Finding, Findings, shown
from ...ingest.lake import replace_file

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #ffffff; --line: #c9c9d1; --quiet: #5c5c66;
  --critical: #b3261e; --warning: #8a5a00; --passed: #1e6b3a; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf1; --paper: #17171b; --line: #45454f; --quiet: #a9a9b5;
  --critical: #ff8a80; --warning: #ffc46b; --passed: #7fd8a0; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem;
  margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin-bottom: 0.2rem; }
.summary { font-size: 1.1rem; } .quiet { color: var(--quiet); }
.critical { color: var(--critical); font-weight: 600; } .warning { color: var(--warning); font-weight: 600; }
.passed { color: var(--passed); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 4px; margin: 0.5rem 0 1.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.7rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; padding: 0.3rem 0; } summary:focus-visible, a:focus-visible, .wide:focus-visible {
  outline: 2px solid currentColor; outline-offset: 2px; }
"""


def write_page(path: Path, found: Findings) -> None:
    """Write the page; the file is whole or as it was."""
    replace_file(path, page(found).encode())


def page(found: Findings, at: datetime.datetime | None = None) -> str:
    """The page as text; ``at`` is the moment it names."""
    moment = (at or datetime.datetime.now(datetime.UTC)).strftime("%Y-%m-%d %H:%M UTC")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>benchForge check: {_outcome(found)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>benchForge check</h1>\n<p class="summary">{_headline(found)}</p>\n'
        f'<p class="quiet">{moment} · {found.rules_run} rules asked</p>\n'
        f"{_offences(found.findings)}{_results(found)}</main>\n</body>\n</html>\n"
    )


def _outcome(found: Findings) -> str:
    return f"{len(found.critical)} critical, {len(found.warnings)} warnings"


def _headline(found: Findings) -> str:
    if found.critical:
        return f'<span class="critical">{_outcome(found)}.</span> Nothing may be published.'
    if found.warnings:
        return f'<span class="warning">{_outcome(found)}.</span> This may be published.'
    return '<span class="passed">Every rule holds.</span> This may be published.'


def _offences(findings: Iterable[Finding]) -> str:
    parts = [_offence(finding) for finding in findings]
    return f"<h2>What offends</h2>\n{''.join(parts)}" if parts else ""


def _offence(finding: Finding) -> str:
    name = f"{finding.artifact}.{finding.rule}"
    return (
        f'<section aria-label="{escape(name)}">\n<h3><span class="{finding.severity}">{finding.severity}</span> '
        f'{escape(name)}</h3>\n<p>{escape(finding.message)} <span class="quiet">{_rows(finding.num_rows)}</span></p>\n'
        f"{_offenders(finding)}</section>\n"
    )


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}" if number else ""


def _offenders(finding: Finding) -> str:
    if not finding.offenders:
        return ""
    more = finding.num_rows - len(finding.offenders)
    caption = f"The first {len(finding.offenders)} of {finding.num_rows:,}" if more > 0 else "Every one of them"
    return _table(f"{caption}: {finding.artifact}.{finding.rule}", tuple(finding.offenders[0]), finding.offenders)


def _results(found: Findings) -> str:
    """Every rule that was asked, passed ones included, by artifact."""
    ordered = sorted(found.judged, key=lambda result: (result["artifact"], result["rule"]))
    parts = [_results_of(artifact, list(results)) for artifact, results in groupby(ordered, lambda r: r["artifact"])]
    return f"<h2>Every rule that was asked</h2>\n{''.join(parts)}" if parts else ""


def _results_of(artifact: str, results: list[Mapping[str, Any]]) -> str:
    failed = sum(not result["success"] for result in results)
    said = f'<span class="critical">{failed} broken</span>' if failed else '<span class="passed">all hold</span>'
    rows = [_result(result) for result in results]
    table = _table(f"Rules about {artifact}", ("rule", "outcome", "cells", "rows", "offenders", "sees"), rows)
    opened = " open" if failed else ""
    return f"<details{opened}><summary>{escape(artifact)}: {len(results)} rules, {said}</summary>\n{table}</details>\n"


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    rule = catalogue()[f"{result['artifact']}.{result['rule']}"]
    return {
        "rule": rule.name,
        "outcome": "holds" if result["success"] else f"broken ({rule.severity})",
        "cells": result["num_cells"],
        "rows": result["num_rows"],
        "offenders": result["num_offenders"],
        "sees": rule.sees,
    }


def _table(caption: str, columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> str:
    """A table that scrolls by itself where it is too wide; it can be reached by keyboard."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = "".join(f"<tr>{''.join(_cell(row.get(name)) for name in columns)}</tr>\n" for row in rows)
    label = escape(caption)
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0"><table>\n<caption class="quiet">{label}'
        f"</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n"
    )


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{'–' if value is None else escape(shown(value))}</td>"
    return f'<td class="number">{value:,}</td>'
