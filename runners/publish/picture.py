"""The picture of a card: every headline score with its interval, a panel per benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MAX_MODELS = 25
"""Of one panel; the best ones."""
OURS, THEIRS = "#1f5fbf", "#b4581c"
"""Blue and brown, apart for every kind of colour vision; a shape tells them apart as well."""
_ROW_INCHES, _WIDTH_INCHES = 0.24, 10.0


def draw(headline: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write a PNG of the rows of ``headline``; equal rows give equal bytes. ``path`` ends in .png."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = _panels(headline)
    heights = [len(rows) + 2.4 for _, rows in panels] or [3.0]
    figure = Figure(figsize=(_WIDTH_INCHES, 0.6 + _ROW_INCHES * sum(heights)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (title, rows) in zip(axes, panels or [("no number yet", [])], strict=True):
        _panel(axis, title, rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})  # the version of the library is no part of the picture
    return path


def _panels(headline: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    cells = dict.fromkeys((row["benchmark"], row["scenario"]) for row in headline)
    panels = []
    for benchmark, scenario in cells:
        rows = [row for row in headline if (row["benchmark"], row["scenario"]) == (benchmark, scenario)]
        best = sorted(rows, key=lambda row: (-row["score"], row["model"]))[:MAX_MODELS]
        more = f", {len(best)} best of {len(rows)}" if len(rows) > len(best) else ""
        panels.append((f"{cell_title(benchmark, scenario)} ({best[0]['num_problems']} problems{more})", best))
    return panels


def cell_title(benchmark: str, scenario: str) -> str:
    """``cruxeval_i`` says its benchmark; ``default`` says nothing."""
    if scenario == "default":
        return benchmark
    return scenario if scenario.startswith(benchmark) else f"{benchmark} {scenario}"


def _panel(axis: Any, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    axis.set_title(title, loc="left", fontsize=10, fontweight="bold")
    for place, row in enumerate(rows):
        is_ours = row["origin"] == "self"
        score, colour = 100 * row["score"], OURS if is_ours else THEIRS
        low, high = (100 * row[name] if row[name] is not None else score for name in ("interval_low", "interval_high"))
        axis.plot([low, high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
        axis.plot([score], [place], marker="o" if is_ours else "D", color=colour, markersize=4.5)
    axis.set_yticks(range(len(rows)), [_short(row["model"]) for row in rows], fontsize=8)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.set_xlim(0, 100)
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(axis="x", color="#d8d8d8", linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    if any(row["origin"] != "self" for row in rows):
        axis.set_xlabel("pass@1, percent; diamonds: verdicts recorded by others", fontsize=8)
    else:
        axis.set_xlabel("pass@1, percent", fontsize=8)


def _short(model: str) -> str:
    name = model.rpartition("__")[2]
    return name if len(name) <= 40 else name[:39] + "…"
