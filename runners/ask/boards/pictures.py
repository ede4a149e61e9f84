"""Two plots as SVG, written by hand: text that a diff can read, equal bytes from equal rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

OURS, THEIRS, FAINT = "#1f5fbf", "#b4581c", "#c9c9c9"
"""Blue and brown, apart for every kind of colour vision; shapes tell them apart as well."""
ROUNDING = 0.0501
"""Half a unit of the first decimal, in percent: how boards print."""
_ROW, _LEFT, _WIDTH, _TOP = 18, 330, 420, 46


@dataclass(frozen=True)
class Share:
    """Adjacent pairs of a board: all, told apart before correction, told apart after."""

    title: str
    num_pairs: int
    num_before: int
    num_after: int


@dataclass(frozen=True)
class Moved:
    """A row of a board: what was published, what the verdicts give, its limits; all in percent."""

    name: str
    published: float
    official: float
    low: float
    high: float


def shares_picture(title: str, shares: Sequence[Share]) -> str:
    """A bar per board: the share of neighbours that can be told apart, pale before correction and dark after."""
    body = []
    for place, one in enumerate(shares):
        y = _TOP + place * _ROW
        words = f"{one.num_before} and {one.num_after} of {one.num_pairs}"
        body += [
            _text(_LEFT - 8, y + 12, one.title, "end"),
            _bar(y, 1.0, FAINT, 0.35),
            _bar(y, one.num_before / one.num_pairs, THEIRS, 0.55),
            _bar(y, one.num_after / one.num_pairs, OURS, 1.0),
            _text(_LEFT + _WIDTH + 8, y + 12, words),
        ]
    legend = "pale brown: told apart when one pair is asked; blue: when all pairs hold at once with 95 %"
    return _document(title, legend, body, len(shares))


def moved_picture(title: str, rows: Sequence[Moved]) -> str:
    """A line per row: interval, number by the official rules (dot), published number (diamond)."""
    body = []
    for place, one in enumerate(rows):
        y = _TOP + place * _ROW + 9
        left, right, dot, mark = (_x(value) for value in (one.low, one.high, one.official, one.published))
        body += [
            _text(_LEFT - 8, y + 3, one.name, "end"),
            f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="{OURS}" stroke-width="1.5"/>',
            f'<circle cx="{dot}" cy="{y}" r="3.5" fill="{OURS}"/>',
            f'<path d="M{mark} {y - 5}l5 5l-5 5l-5 -5z" fill="none" stroke="{THEIRS}" stroke-width="1.5"/>',
            _text(_LEFT + _WIDTH + 8, y + 3, _moved_words(one)),
        ]
    legend = "diamond: as published; dot and line: every planned answer counted, official rules, 95 %"
    return _document(title, legend, body, len(rows))


def _moved_words(one: Moved) -> str:
    """Both numbers where they differ by more than the board's last digit."""
    moved = abs(one.published - one.official) > ROUNDING
    return f"{one.published:.1f} → {one.official:.1f}" if moved else f"{one.published:.1f}"


def _x(percent: float) -> float:
    return round(_LEFT + _WIDTH * percent / 100, 1)


def _bar(y: int, share: float, colour: str, opacity: float) -> str:
    width = round(_WIDTH * share, 1)
    return f'<rect x="{_LEFT}" y="{y + 3}" width="{width}" height="11" fill="{colour}" opacity="{opacity}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def _document(title: str, legend: str, body: Sequence[str], num_rows: int) -> str:
    width, height = _LEFT + _WIDTH + 130, _TOP + num_rows * _ROW + 12
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="11"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="white"/>'
        f'<text x="8" y="16" font-size="13" font-weight="600">{escape(title)}</text>{_text(8, 34, legend)}'
    )
    return "\n".join([head, *body, "</svg>"]) + "\n"
