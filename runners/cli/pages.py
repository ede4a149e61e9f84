"""Pages of the documentation that repeat a declaration: run settings, and where we differ from each harness."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

from ...ingest.config import OPTIONS, SHORT_NAMES, Option

SEED = Path(__file__).parents[2] / "seeds" / "deviations.csv"

_SETTINGS = """# Every setting

Made from `ingest/config.py` by `make reference`. A setting is taken from the option of the command, else its variable,
else `~/.benchforge.env`, else the run file (`--config`, `BENCHFORGE_CONFIG`), else the default below. A run file is
YAML with these words as nested keys (`run.seed` is `seed:` below `run:`); it is checked whole, and every wrong line is
told at once. `ingest/bundled/run.yaml` is the commented default.

Options that are no setting are variables, too: `BENCHFORGE_<COMMAND>_<OPTION>`, as in `BENCHFORGE_SQL_FORMAT=json`.

| key | variable | default | meaning |
| --- | --- | --- | --- |
"""
_DEVIATIONS = """# Where our official verdict differs from the harness, and why

Made from `seeds/deviations.csv` by `make reference`. The official verdict applies the pinned harness's extraction,
oracle, guard, limits and order. It is another one only in the cases below: each is a rule, with the reason for it. Most
take a pass away from programs that deceive the comparison, or a chance from the machine; where an honest program could
notice (answers of a million elements, say), the rule says from where on. `tests/sandbox` holds the two against each
other on recorded and made-up programs, and `benchforge score --cross-check` does so on your own samples.
"""


def settings() -> str:
    """``docs/settings.md``."""
    return _SETTINGS + "".join(_setting(option) for option in OPTIONS)


def _setting(option: Option) -> str:
    is_read = option.type not in (dict, list) or bool(option.allowed)
    variable = f"`{option.environment}`" if is_read or option.path in SHORT_NAMES else "–"
    allowed = f" One of {', '.join(f'`{word}`' for word in option.allowed if word != '')}." if option.allowed else ""
    default = f"`{option.default}`" if option.default not in ("", [], {}) else "empty"
    return f"| `{option.path}` | {variable} | {default} | {_escaped(option.meaning)}{allowed} |\n"


def deviations() -> str:
    """``docs/explanation/deviations.md``: by benchmark, in the order of the seed."""
    with SEED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    order = list(dict.fromkeys(row["benchmark"] for row in rows))
    rows.sort(key=lambda row: order.index(row["benchmark"]))
    parts = [_DEVIATIONS]
    for benchmark, of_it in groupby(rows, lambda row: row["benchmark"]):
        lines = [f"| `{row['deviation_id']}` | {_cell(row['rule'])} | {_cell(row['reason'])} |" for row in of_it]
        parts.append("\n".join([f"## {benchmark}\n", "| name | rule | reason |", "| --- | --- | --- |", *lines]) + "\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    """A sentence of the seed in a Markdown table: names with underscores and stars stay as they are written."""
    text = _escaped(text)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _escaped(text: str) -> str:
    for mark in "|*_<":
        text = text.replace(mark, "\\" + mark)
    return text
