"""Tables as HTML that a screen reader, a keyboard and a narrow screen can use: real cells, real headers, real buttons.

A cell carries the number it sorts by in `data-sort`; page.js sorts by it, so "9.1 [7.2, 11.0]" stands below "71.2 …".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

Row = Mapping[str, Any]
DOWNLOAD = '<button type="button" class="csv" aria-label="Download this table as CSV">CSV</button>'
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Cell:
    """What a cell shows (HTML) and what it sorts by; `sort` None sorts by the text, "" always last."""

    html: str
    sort: float | str | None = None


@dataclass(frozen=True)
class Column:
    """A column: its title, what a reader may want to know of it, and how a row fills it."""

    key: str
    title: str
    cell: Callable[[Row], Cell]
    about: str = ""
    is_number: bool = False
    is_best_low: bool = False
    is_long: bool = False


def table(caption: str, columns: Sequence[Column], rows: Sequence[Row], empty: str = "") -> str:
    """A sortable table of rows; the first column names the row. `empty` stands there where no row does."""
    if not rows:
        return notice(empty or "No row fits what is chosen above.")
    head = "".join(
        f'<th scope="col" aria-sort="none"{_hint(column.about)}{_kind(column)}>'
        f'<button type="button">{escape(column.title)}</button></th>'
        for column in columns
    )
    body = "".join(f"<tr>{_cells(columns, row)}</tr>" for row in rows)
    title = f'<caption><span><span class="title">{escape(caption)}</span> {DOWNLOAD}</span></caption>'
    return (
        f'<div class="board" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _kind(column: Column) -> str:
    """Numbers are sorted best first: the highest, but the lowest rank and p."""
    return (" class=number" if column.is_number else "") + (" data-first=low" if column.is_best_low else "")


def _hint(about: str) -> str:
    return f' title="{escape(about)}"' if about else ""


def _cells(columns: Sequence[Column], row: Row) -> str:
    parts = []
    for number, column in enumerate(columns):
        cell = column.cell(row)
        tag = 'th scope="row"' if number == 0 else "td"
        sort = "" if cell.sort is None else f' data-sort="{escape(str(cell.sort))}"'
        kind = " class=number" if column.is_number else " class=long" if column.is_long else ""
        parts.append(f"<{tag}{sort}{kind}>{cell.html}</{tag.split()[0]}>")
    return "".join(parts)


def notice(text: str, urgent: bool = False) -> str:
    """A line where a table would stand; `urgent` is read aloud at once."""
    return f'<p class="notice" role="{"alert" if urgent else "status"}">{escape(text)}</p>'


def shown_name(row: Row) -> str:
    """`org/name`, as the Hub writes it."""
    return row.get("hub_id") or str(row["model"]).replace("__", "/", 1)


def model_cell(row: Row) -> Cell:
    """The model, a link to its page, and a mark where its licence is not known to be open."""
    address = escape("?" + urlencode({"model": row["model"]}))
    mark = "" if row.get("is_osi_approved") else f' <span class="mark">{licence_mark(row)}</span>'
    name = escape(shown_name(row)).replace("/", "/<wbr>")
    return Cell(f'<a href="{address}" data-model="{escape(row["model"])}">{name}</a>{mark}')


def licence_mark(row: Row) -> str:
    """Why the row is marked: its licence is not approved by the OSI, or is not known."""
    return "not OSI" if row.get("licence") and row.get("is_osi_approved") is not None else "licence unknown"


def score_cell(row: Row) -> Cell:
    """`71.2 [64.1, 77.6]`, and the same as a picture."""
    score, low, high = (100 * row[name] for name in ("score", "interval_low", "interval_high"))
    picture = (
        f'<span class="interval" aria-hidden="true" style="--low:{low:.2f}%;--high:{high:.2f}%;--at:{score:.2f}%">'
        "</span>"
    )
    return Cell(f"<b>{score:.1f}</b> <span class=limits>[{low:.1f}, {high:.1f}]</span>{picture}", score)


def rank_cell(row: Row) -> Cell:
    """`3–5 of 12`; a dash where the model is ranked against nobody."""
    low, high = row.get("rank_low"), row.get("rank_high")
    if low is None or high is None:
        return Cell('<span title="no other model has numbers under the same conditions">–</span>', "")
    num_models = row.get("num_models") or row.get("num_models_ranked")
    ranks = f"{low}" if low == high else f"{low}–{high}"
    return Cell(f"{ranks} <span class=of>of {num_models}</span>", low + high / 1e6)


def trust_cell(row: Row) -> Cell:
    """The tier; of a suite also how many of the forged samples that were tried are seen."""
    tier, rate, num_forged = (row.get(name) for name in ("trust_tier", "detection_rate", "num_forged"))
    if not num_forged or rate is None:
        return Cell(escape(str(tier or "")))
    return Cell(
        f"{escape(str(tier))} <span class=of>{round(rate * num_forged)} of {num_forged} forged seen</span>", tier
    )


def points_cell(row: Row) -> Cell:
    """A difference in points with its interval."""
    at, low, high = (100 * row[name] for name in ("difference", "difference_low", "difference_high"))
    return Cell(f"<b>{signed(at)}</b> <span class=limits>[{signed(low)}, {signed(high)}]</span>", at)


def signed(points: float) -> str:
    """`+3.1`, `−0.4`: one digit, a true minus."""
    text = f"{points:+.1f}"
    return text.replace("-", MINUS)


def probability_cell(row: Row) -> Cell:
    """A p-value in two digits."""
    value = row["p_value"]
    if value is None:
        return Cell("–", "")
    return Cell("&lt; 0.0001" if value < 1e-4 else f"{value:.2g}", value)


def text_cell(name: str) -> Callable[[Row], Cell]:
    """The column as it stands; lists are joined."""

    def cell(row: Row) -> Cell:
        value = row.get(name)
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        return Cell("" if value is None else escape(str(value)))

    return cell


def number_cell(name: str) -> Callable[[Row], Cell]:
    """A count; nothing where it is not known."""

    def cell(row: Row) -> Cell:
        value = row.get(name)
        return Cell("", "") if value is None else Cell(f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"), value)

    return cell


def conditions_cell(row: Row) -> Cell:
    """Protocol, temperature and samples; only rows of one digest were asked alike."""
    temperature = row.get("temperature")
    parts = [
        str(row.get("protocol") or "protocol unknown"),
        "T unknown" if temperature is None else f"T {temperature:g}",
        f"n = {row['num_planned']}",
    ]
    digest = str(row["comparability_digest"])
    return Cell(f'{escape(" · ".join(parts))} <code title="{escape(digest)}">{escape(digest[:6])}</code>')


def quoted_cell(key: tuple[str, str]) -> Callable[[Row], Cell]:
    """The quoted number of a benchmark cell in a row that holds those of all cells under `quoted`."""

    def cell(row: Row) -> Cell:
        there = row["quoted"].get(key)
        if there is None:
            return Cell('<span title="not computed">–</span>', "")
        score = score_cell(there)
        return Cell(f'{score.html}<span class="ranks">{rank_cell(there).html}</span>', score.sort)

    return cell
