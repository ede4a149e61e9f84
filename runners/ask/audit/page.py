"""One page of HTML that can be attached to an issue: no script, nothing from outside, every text of the log escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .report import Audit, cause_rows, number_rows

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}"
    "td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "caption{text-align:left;font-weight:600}"
)
_NUMBERS = ("reading", "percent", "interval_low", "interval_high", "num_problems", "note")
_CAUSES = ("cause_id", "kind", "num_samples", "effect_points", "found", "evidence")


def page(audits: Sequence[Audit]) -> str:
    """The whole document."""
    body = "\n".join(line for audit in audits for line in _section(audit))
    head = f'<meta charset="utf-8"><title>Audit of {len(audits)} logs</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _section(audit: Audit) -> Iterator[str]:
    model = f" of {escape(audit.model)}" if audit.model else ""
    yield f"<h1>{escape(audit.file)}</h1>"
    yield f"<p>{escape(audit.format_name)} ({escape(audit.tool)}), {escape(audit.title)}{model}.</p>"
    yield _table("Numbers, in percent; 95 % for problems like these", number_rows([audit]), _NUMBERS)
    if audit.causes:
        yield _table("Causes; effect in points at most, minus is too low", cause_rows([audit]), _CAUSES)
    else:
        yield "<p>No known cause was found.</p>"
    for note in audit.notes:
        yield f"<p>{escape(note)}.</p>"


def _table(caption: str, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{column.replace("_", " ")}</th>' for column in columns)
    lines = "".join(
        "<tr>"
        + "".join(f"<td>{'' if row[name] is None else escape(str(row[name]))}</td>" for name in columns)
        + "</tr>\n"
        for row in rows
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody></table>"
