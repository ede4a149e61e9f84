"""What each tab shows for what the reader chose: HTML and lists of choices. Nothing here knows gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import questions
import words
from published import Board, Source
from questions import Choice
from tables import Column, model_cell, notice, quoted_cell, shown_name, table

Values = Mapping[str, Any]
SEPARATOR = " | "


@dataclass(frozen=True)
class Options:
    """Choices of a field, (label, value), and the one that is chosen; None leaves the choices as they are."""

    choices: Sequence[tuple[str, str]] | None
    value: Any


Shown = dict[str, str | Options]


def opened(board: Board, source: Source, wanted: Mapping[str, str]) -> Shown:
    """Everything that depends on the numbers, for a page just opened; `wanted` is the address's query."""
    cells = questions.cells(board)
    cell = _first_of([f"{one['benchmark']}/{one['scenario']}" for one in cells], wanted.get("cell"))
    shown: Shown = {
        "status": "",
        "provenance": provenance(board, source, len(cells)),
        "recompute": words.recompute_page(source.leaderboard, board.commit, _lake(board, source)),
        "cell": Options([(cell_title(one), f"{one['benchmark']}/{one['scenario']}") for one in cells], cell),
        "compared": _options(_boards(board)),
        "refused_benchmark": Options(_refused_benchmarks(board), ""),
        "refused_reason": Options(_reasons(board), ""),
        "model": _options([(shown_name(row), row["model"]) for row in questions.models(board)], wanted.get("model")),
    }
    shown |= ways(board, cell, wanted)
    return shown | compared_models(board, shown["compared"].value)  # type: ignore[union-attr]


def provenance(board: Board, source: Source, num_cells: int) -> str:
    """What is shown: how many models, of which commit."""
    counted = board.ask("select count(distinct model) as num_models, count(*) as num_numbers from leaderboard")[0]
    place = source.leaderboard if source.folder is None else "a folder of this machine"
    commit = f" at {board.commit[:7]}" if board.commit else ""
    version = board.publication.get("benchforge", "")
    return notice(
        f"{counted['num_models']} models, {num_cells} benchmark cells, {counted['num_numbers']} numbers, "
        f"from {place}{commit}, made by benchForge {version}."
    )


def _lake(board: Board, source: Source) -> str:
    """The data set that these numbers follow from, at the tag that they name."""
    tag = board.publication.get("results_tag")
    return f"{board.publication.get('results') or source.results}{f'@{tag}' if tag else ''}"


def cell_title(cell: Values) -> str:
    """`CRUXEval: cruxeval_o`; the scenario is left out where there is one only."""
    return cell["title"] if cell["scenario"] == "default" else f"{cell['title']}: {cell['scenario']}"


def _first_of(values: Sequence[str], wanted: str | None) -> str | None:
    return wanted if wanted in values else next(iter(values), None)


def _options(choices: Sequence[tuple[str, str]], wanted: str | None = None) -> Options:
    return Options(choices, _first_of([value for _, value in choices], wanted))


def ways(board: Board, cell: str | None, wanted: Mapping[str, str] | None = None) -> Shown:
    """Choices of test set, metric, reading and window that a cell has."""
    if not cell:
        return {}
    wanted = wanted or {}
    found = questions.ways(board, *cell.split("/", 1))
    labels = {"verdict": words.VERDICTS, "scope": words.SCOPES}
    return {
        name: _options(
            [(labels.get(name, {}).get(value, value.replace("_", " ")), value) for value in found[f"{name}s"]],
            wanted.get(name),
        )
        for name in ("test_set", "metric", "verdict", "scope")
    }


def chosen(values: Values) -> Choice:
    """What stands above the tabs."""
    return Choice(
        search=values["search"] or "",
        origins=values["origins"] or (),
        trust_tiers=values["trust_tiers"] or (),
        licence=values["licence"] or "all",
    )


def board_table(board: Board, values: Values) -> str:
    """One benchmark: a row per model and set of conditions, or only the row that is quoted for each model."""
    if not values["cell"]:
        return notice("Nothing has been published yet.")
    benchmark, scenario = values["cell"].split("/", 1)
    cell = {name: values[name] for name in ("test_set", "metric", "verdict", "scope")}
    rows = questions.scores(board, cell | {"benchmark": benchmark, "scenario": scenario}, chosen(values))
    quoted = [row for row in rows if row["is_quoted"]]
    only_quoted = values["rows"] == "quoted" and bool(quoted)
    columns = [column for column in words.BOARD if column.key in ("model", "score", *values["columns"])]
    shown = quoted if only_quoted else rows
    kind = "one row per model" if only_quoted else "a row per model and set of conditions"
    caption = f"{values['cell']}, {cell['test_set']}, {cell['metric']}: {len(shown)} rows, {kind}"
    return table(caption, columns, shown)


def matrix_table(board: Board, values: Values) -> str:
    """All benchmarks: a row per model, its quoted number of every cell."""
    rows: dict[str, dict[str, Any]] = {}
    titles = {(cell["benchmark"], cell["scenario"]): cell_title(cell) for cell in questions.cells(board)}
    for row in questions.quoted(board, chosen(values)):
        there = rows.setdefault(row["model"], {**row, "quoted": {}})
        there["quoted"][row["benchmark"], row["scenario"]] = row
    columns = [Column("model", "Model", model_cell)]
    for key, title in titles.items():
        if any(key in row["quoted"] for row in rows.values()):
            columns.append(Column(f"{key}", title, quoted_cell(key), "score, interval, possible ranks", is_number=True))
    ordered = sorted(rows.values(), key=lambda row: (-len(row["quoted"]), row["model"]))
    return table(f"All benchmarks: {len(ordered)} models, the number quoted for each", columns, ordered)


def _boards(board: Board) -> list[tuple[str, str]]:
    found = []
    for one in questions.boards_compared(board):
        cell = one["benchmark"] if one["scenario"] == "default" else f"{one['benchmark']} {one['scenario']}"
        window = "" if one["scope"] == "all" else f", {words.SCOPES.get(one['scope'], one['scope'])}"
        label = (
            f"{cell} {one['test_set']}, {one['metric']}{window}: {one['num_models']} models, "
            f"conditions {one['comparability_digest'][:6]}, {one['origin']}"
        )
        found.append((label, SEPARATOR.join(one[key] for key in questions.BOARD)))
    return found


def compared_models(board: Board, compared: str | None) -> Shown:
    """Models of a board of comparisons."""
    if not compared:
        return {"compared_model": Options([], None)}
    key = _key(compared)
    names = [(name.replace("__", "/", 1), name) for name in questions.models_compared(board, key)]
    return {"compared_model": _options(names)}


def _key(compared: str) -> dict[str, str]:
    return dict(zip(questions.BOARD, compared.split(SEPARATOR), strict=True))


def pairs_table(board: Board, values: Values) -> str:
    """The chosen model against every other one of its board."""
    if not values["compared"] or not values["compared_model"]:
        return notice("No two models were asked under the same conditions.")
    key = _key(values["compared"])
    rows = questions.pairs(board, key, values["compared_model"], chosen(values))
    name = values["compared_model"].replace("__", "/", 1)
    return table(f"{name} against {len(rows)} others, paired by problem", words.PAIRS, rows)


def _refused_benchmarks(board: Board) -> list[tuple[str, str]]:
    rows = board.ask("select distinct benchmark from fct_refusals order by benchmark")
    return [("any", ""), *((row["benchmark"], row["benchmark"]) for row in rows)]


def _reasons(board: Board) -> list[tuple[str, str]]:
    found = questions.refusal_reasons(board)
    named = [(words.REASONS.get(one["reason"], one["reason"].replace("_", " ")), one) for one in found]
    return [("any", ""), *((f"{label} ({one['num_refused']})", one["reason"]) for label, one in named)]


def refusals_table(board: Board, values: Values) -> str:
    """What was not computed, and why."""
    rows, num_all = questions.refusals(
        board, values["refused_benchmark"] or "", values["refused_reason"] or "", chosen(values)
    )
    count = (
        f"{num_all}" if num_all == len(rows) else f"the first {len(rows)} of {num_all}: search or choose to see others"
    )
    return table(f"Numbers that were not computed, {count}", words.REFUSALS, rows)


def model_page(board: Board, source: Source, values: Values) -> Shown:
    """One model: what is declared about it, all its numbers, how to get them without this page."""
    found = [row for row in questions.models(board) if row["model"] == values["model"]]
    if not found:
        return {"facts": notice("Choose a model."), "scores": ""}
    row = found[0]
    scores = questions.scores_of(board, row["model"])
    caption = f"{shown_name(row)}: {len(scores)} numbers, those quoted first"
    return {
        "facts": _facts(row) + _queries(row["model"], source),
        "scores": table(caption, words.OF_ONE_MODEL, scores, empty="Nothing could be computed: see Not computed."),
    }


def _facts(row: Values) -> str:
    hub = (
        f'<a href="https://huggingface.co/{escape(row["hub_id"])}">{escape(row["hub_id"])}</a>' if row["hub_id"] else ""
    )
    approved = {True: "approved by the OSI", False: "not approved by the OSI", None: "not known to be approved"}
    parent = f"{row['parent_model']}, step {row['training_step']}" if row["parent_model"] else None
    cutoff = f"{row['cutoff_date']} ({row['cutoff_source']})" if row["cutoff_date"] else "not known"
    facts = {
        "Model": escape(row["model"]),
        "On the Hub": hub or "not declared",
        "Revision": escape(row["model_revision"] or "not recorded"),
        "Licence": escape(f"{row['licence'] or 'unknown'}, {approved[row['is_osi_approved']]}"),
        "Trained from": escape(parent) if parent else None,
        "Quantization": escape(row["quantization"]) if row["quantization"] else None,
        "Training data ends": escape(cutoff),
    }
    lines = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items() if value)
    return f'<div class="facts"><dl>{lines}</dl></div>'


def _queries(model: str, source: Source) -> str:
    quoted = model.replace("'", "''")
    numbers = (
        f"select * from 'hf://datasets/{source.leaderboard}/leaderboard/leaderboard.parquet' where model = '{quoted}';"
    )
    samples = f"select * from 'hf://datasets/{source.results}/data/benchmark=*/model={quoted}/*.parquet';"
    return (
        "<p>Its numbers, and the samples and verdicts they are made of, in DuckDB:</p>"
        f"{words.code(numbers)}{words.code(samples)}"
    )
