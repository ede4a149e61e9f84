"""Charts as data: Vega-Lite specifications without rows and colours, which the page fills in, and the library itself.

The library (vega, vega-lite, vega-embed; BSD-3-Clause) comes out of the package ``vl-convert-python`` as one script of
900 kB, so nothing of it lies in this repository and nothing is fetched by the page. It is loaded when the first chart
is asked for. Expressions are interpreted (``ast`` of vega-embed), so the page forbids ``eval``. Every chart stands
beside the table of its rows: that is its text, and all there is where the package is not installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from .chunks import Chunks

LIBRARY = "charts/vega.js"
INSTALL = "pip install 'benchforge[report]'"

_NOTICE = """/* Vega, Vega-Lite, Vega-Embed, https://vega.github.io
 * Copyright (c) University of Washington Interactive Data Lab and contributors. BSD-3-Clause:
 * https://github.com/vega/vega/blob/main/LICENSE */"""

_PERCENT = {"type": "quantitative", "scale": {"domain": [0, 100]}}
_SCORE = {"field": "score", "title": "Percent solved", **_PERCENT}
_MODEL = {"field": "model", "type": "nominal", "title": "Model"}
_UNNAMED = {**_MODEL, "legend": None}  # the colours have a legend, and the lines their names
_INTERVAL = [
    {"field": "score", "type": "quantitative", "title": "percent", "format": ".1f"},
    {"field": "low", "type": "quantitative", "title": "from", "format": ".1f"},
    {"field": "high", "type": "quantitative", "title": "to", "format": ".1f"},
]

CHARTS: Mapping[str, Mapping[str, Any]] = {
    "contamination": {
        "height": 280,
        "encoding": {
            "x": {"field": "month", "type": "temporal", "timeUnit": "utcyearmonth", "title": "Problems published in"},
            "tooltip": [
                _MODEL,
                {"field": "month", "type": "temporal", "timeUnit": "utcyearmonth", "title": "month"},
                *_INTERVAL,
                {"field": "num_problems", "type": "quantitative", "title": "problems"},
            ],
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {
                "y": _SCORE, "strokeDash": _UNNAMED, "color": _MODEL}},
            {"mark": {"type": "rule", "opacity": 0.55}, "encoding": {
                "y": {**_SCORE, "field": "low"}, "y2": {"field": "high"}, "color": _MODEL}},
            {"mark": {"type": "point", "filled": True, "size": 55, "opacity": 1}, "encoding": {
                "y": _SCORE, "shape": _UNNAMED, "color": _MODEL}},
            {"transform": [{"filter": "datum.is_last"}], "mark": {"type": "text", "align": "right", "dy": -12},
                "encoding": {"y": _SCORE, "text": _MODEL, "color": _MODEL}},
            {"mark": {"type": "rule", "strokeDash": [4, 4], "strokeWidth": 1.5}, "encoding": {
                "x": {"field": "cutoff", "type": "temporal", "title": "Problems published in"}, "color": _MODEL}},
        ],
    },
    "reasons": {
        "height": {"step": 18},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {"field": "model", "type": "nominal", "title": None, "sort": None},
            "x": {"field": "share", "title": "Percent of samples", "stack": "zero", **_PERCENT},
            "color": {"field": "reason", "type": "nominal", "title": "Fails by", "sort": None},
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": [
                _MODEL,
                {"field": "reason", "type": "nominal"},
                {"field": "share", "type": "quantitative", "title": "percent", "format": ".1f"},
                {"field": "num_samples", "type": "quantitative", "title": "samples"},
            ],
        },
    },
    "costs": {
        "height": 320,
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.85},
        "encoding": {
            "x": {"field": "cost", "type": "quantitative", "scale": {"type": "log"}, "axis": {"grid": True}},
            "y": _SCORE,
            "tooltip": [
                _MODEL,
                {"field": "score", "type": "quantitative", "title": "percent", "format": ".1f"},
                {"field": "cost", "type": "quantitative", "format": ",.4~g"},
            ],
        },
    },
}  # fmt: skip


def write_library(chunks: Chunks) -> bool:
    """Put the plotting library into the report; False where its package is not installed."""
    try:
        bundle = import_module("vl_convert").javascript_bundle()
    except ImportError:
        return False
    # its names would otherwise be names of the page
    chunks.write(LIBRARY, f"{_NOTICE}\n(() => {{{bundle}}})();\n".encode())
    return True
