"""One page of HTML that can be attached to an issue: no script, nothing from outside, every text of the log escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .answer import Answer
from .board import BOARD_COLUMNS
from .pairs import PAIR_COLUMNS
from .report import Audit, cause_rows, number_rows, sample_rows
from .tables import STANDING_COLUMNS

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:90rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}"
    "td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "caption{text-align:left;font-weight:600}h1,p{overflow-wrap:anywhere}"
    ".wide{overflow-x:auto}td.found,td.mechanism{min-width:16rem}"
    "td.evidence,td.applies_to,td.file{min-width:10rem;overflow-wrap:anywhere}"
)
_NUMBERS = ("reading", "percent", "interval_low", "interval_high", "num_problems", "note")
_CAUSES = (
    *("axis", "cause_id", "kind", "num_samples", "effect_points", "worth", "found", "mechanism", "applies_to"),
    "evidence",
)
_SAMPLES = ("cause_id", "task_id", "sample_index", "log_passed", "official_passed", "strict_passed", "official_reason")
_MAX_SAMPLES = 500
_META = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
Rows = Sequence[Mapping[str, object]]


def page(found: Answer) -> str:
    """The whole document: each log, then where it stands on a board, then logs and models beside each other."""
    lines = [line for audit in found.audits for line in _section(audit)]
    beside = (
        ("On the published board; neighbours compared as unpaired", found.board, BOARD_COLUMNS),
        ("Pairs on common problems, points, first less second; Holm", found.pairs, PAIR_COLUMNS),
        ("Models of the table, and whether each is told from the next", found.models, STANDING_COLUMNS),
    )
    lines += [_table(*one) for one in beside if one[1]]
    lines += [f"<p>{escape(note)}.</p>" for note in found.notes]
    number = len(found.audits) + len({row["file"] for row in found.models})
    title = f"Audit of {number} file{'s' if number > 1 else ''}"
    head = f"{_META}<title>{title}</title><style>{_STYLE}</style>"
    body = "\n".join(lines)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _section(audit: Audit) -> Iterator[str]:
    model = f" of {escape(audit.model)}" if audit.model else ""
    yield f"<h1>{escape(audit.file)}</h1>"
    yield f"<p>{escape(audit.format_name)} ({escape(audit.tool)}), {escape(audit.title)}{model}.</p>"
    yield _table("Numbers, in percent; 95 % for problems like these", number_rows([audit]), _NUMBERS)
    if audit.causes:
        yield _table("Causes; effect in points, minus is too low", cause_rows([audit]), _CAUSES)
    else:
        yield "<p>No known cause was found.</p>"
    samples = sample_rows([audit])
    if samples:
        more = f", the first {_MAX_SAMPLES} of {len(samples)}" if len(samples) > _MAX_SAMPLES else ""
        rows = _table(f"Samples that a cause touches{more}", samples[:_MAX_SAMPLES], _SAMPLES)
        yield f"<details><summary>{len(samples)} samples, by cause</summary>{rows}</details>"
    for note in audit.notes:
        yield f"<p>{escape(note)}.</p>"


def _table(caption: str, rows: Rows, columns: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{column.replace("_", " ")}</th>' for column in columns)
    lines = "".join(
        "<tr>"
        + "".join(f'<td class="{name}">{"" if row[name] is None else escape(str(row[name]))}</td>' for name in columns)
        + "</tr>\n"
        for row in rows
    )
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody>"
    return f'<div class="wide"><table><caption>{caption}</caption>{body}</table></div>'
