"""Where everything stands on the page: fields that a reader changes, and what is filled from the marts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr  # pyright: ignore[reportMissingImports]
import words

SORTING = Path(__file__).with_name("page.js")
TABS = {
    "board": "Board",
    "matrix": "All benchmarks",
    "pairs": "Compare",
    "refusals": "Not computed",
    "model": "Model",
    "recompute": "Recompute",
}
SORTABLE = ("board", "matrix", "pairs", "refusals", "scores")


def fields() -> dict[str, gr.components.Component]:
    """Every field that a reader may change, not yet placed."""

    def choose(label: str, **more: Any) -> gr.Dropdown:
        return gr.Dropdown([], label=label, render=False, **more)

    def tick(label: str, choices: list[tuple[str, str]], value: list[str]) -> gr.CheckboxGroup:
        return gr.CheckboxGroup(choices, value=value, label=label, render=False)

    columns = [(column.title, column.key) for column in words.BOARD if column.key not in ("model", "score")]
    return {
        "search": gr.Textbox(label="Search models", placeholder="words of the name", interactive=False, render=False),
        "licence": gr.Radio(_labelled(words.LICENCES), value="all", label="Licence", render=False),
        "origins": tick("Origin", _labelled(words.ORIGINS), list(words.ORIGINS)),
        "trust_tiers": tick("Trust tier", [(tier, tier) for tier in words.TRUST_TIERS], list(words.TRUST_TIERS)),
        "cell": choose("Benchmark", min_width=240),
        "test_set": choose("Test set", min_width=120),
        "metric": choose("Metric", min_width=120),
        "verdict": choose("Reading"),
        "scope": choose("Window"),
        "rows": gr.Radio(_labelled(words.ROWS), value="quoted", label="Rows", render=False),
        "columns": tick("Columns", columns, list(words.SHOWN_AT_FIRST)),
        "compared": choose("Board"),
        "compared_model": choose("Model"),
        "refused_benchmark": choose("Benchmark"),
        "refused_reason": choose("Why"),
        "model": choose("Model"),
    }


def _labelled(meanings: dict[str, str]) -> list[tuple[str, str]]:
    return [(label, value) for value, label in meanings.items()]


def outputs() -> dict[str, gr.components.Component]:
    """What is filled from the marts, not yet placed; tables can be sorted by their reader."""
    sorting = SORTING.read_text(encoding="utf-8")
    tables = {name: gr.HTML(js_on_load=sorting, render=False, apply_default_css=False) for name in SORTABLE}
    return tables | {
        "provenance": gr.HTML(render=False, apply_default_css=False),
        "status": gr.HTML(render=False, apply_default_css=False),
        "facts": gr.HTML(render=False, apply_default_css=False),
        "recompute": gr.HTML(render=False, apply_default_css=False),
    }


def placed(fields: dict[str, Any], outputs: dict[str, Any]) -> tuple[gr.Tabs, dict[str, gr.Tab]]:
    """Fields and outputs where they belong, from top to bottom."""

    def row(*names: str) -> None:
        with gr.Row():
            for name in names:
                fields[name].render()

    gr.Markdown(words.INTRODUCTION)
    outputs["status"].render()
    row("search")
    with gr.Accordion("Filters: licence, origin, trust tier", open=False, elem_id="filters"):
        row("licence", "origins", "trust_tiers")
    tab = {}
    with gr.Tabs(selected="board") as tabs:
        with gr.Tab(TABS["board"], id="board") as tab["board"]:
            row("cell", "test_set", "metric")
            with gr.Accordion("Window, reading, rows and columns", open=False, elem_id="more"):
                row("scope", "verdict", "rows")
                row("columns")
            outputs["board"].render()
        with gr.Tab(TABS["matrix"], id="matrix") as tab["matrix"]:
            outputs["matrix"].render()
        with gr.Tab(TABS["pairs"], id="pairs") as tab["pairs"]:
            gr.Markdown(words.PAIRS_TEXT)
            row("compared", "compared_model")
            outputs["pairs"].render()
        with gr.Tab(TABS["refusals"], id="refusals") as tab["refusals"]:
            gr.Markdown(words.REFUSED_TEXT)
            row("refused_benchmark", "refused_reason")
            outputs["refusals"].render()
        with gr.Tab(TABS["model"], id="model") as tab["model"]:
            row("model")
            outputs["facts"].render()
            outputs["scores"].render()
        with gr.Tab(TABS["recompute"], id="recompute") as tab["recompute"]:
            outputs["recompute"].render()
    outputs["provenance"].render()
    return tabs, tab
