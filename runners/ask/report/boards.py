"""What marts hold: boards, pairs, models, and the panels beside them, cut into what a reader looks at in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..names import rows
from . import questions
from .cells import Written
from .chunks import Chunks, packed, plain, short_id

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

BLOCK = 25
"""Models of one side of a block of the matrix: what a screen shows; 500 models are 210 blocks of about 30 kB."""
SCORE = (*questions.SCORED, "rank_low", "rank_high", "num_models", "is_quoted", "cell")
PAIR = (
    *("row", "column", "difference", "difference_low", "difference_high", "p_value", "q_all_pairs", "num_discordant"),
    *("num_problems", "families_held"),
)
PANELS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "reasons": (questions.REASONS, (
        "test_set", "verdict", "model", "comparability_digest", "origin", "reason", "num_samples", "share",
    )),
    "disagreements": (questions.DISAGREEMENTS, (
        "model", "comparability_digest", "part", "axis", "official_verdict", "strict_verdict",
        "corrected_extraction_verdict", "num_samples",
    )),
    "costs": (questions.COSTS, (
        "test_set", "model", "comparability_digest", "num_samples", "num_samples_counted", "prompt_tokens",
        "completion_tokens", "reasoning_tokens", "gpu_seconds", "price", "score", "completion_tokens_per_point",
        "gpu_seconds_per_point",
    )),
    "contamination": (questions.CONTAMINATION, (
        "test_set", "verdict", "metric", "model", "comparable_within", "protocol", "origin", "source", "month",
        "num_problems", "score", "interval_low", "interval_high", "cutoff_date", "cutoff_kind", "is_after_cutoff",
    )),
    "falls": (questions.FALLS, (
        "test_set", "verdict", "metric", "model", "reference", "cutoff_date", "difference_in_differences",
        "interval_low", "interval_high", "num_before", "num_after",
    )),
    "refusals": (questions.REFUSALS, (
        "model", "test_set", "metric", "verdict", "scope", "origin", "comparability_digest", "reason", "detail",
        "differing_fields", "num_affected",
    )),
}  # fmt: skip
"""Tables beside the board: their query and columns; a chunk per benchmark and scenario."""


def write_boards(
    connection: duckdb.DuckDBPyConnection, chunks: Chunks, written: Written, cells: Sequence[Row]
) -> list[Row]:
    """A chunk per board and one per model with all its numbers; the list of boards, in the order of ``cells``."""
    scores = rows(connection, questions.SCORES)
    for row in scores:
        row["cell"] = written.cell_of(row)
    listed = []
    for key, found in _grouped(scores, questions.BOARD):
        board = short_id("board", *key)
        chunks.add(f"boards/{board}", packed(found, SCORE))
        named = dict(zip(questions.BOARD, key, strict=True))
        num_quoted = sum(bool(row["is_quoted"]) for row in found)
        listed.append(named | {"board": board, "num_rows": len(found), "num_quoted": num_quoted})
    _write_models(chunks, scores)
    places = {(cell["benchmark"], cell["scenario"]): place for place, cell in enumerate(cells)}
    return sorted(listed, key=lambda board: (places[board["benchmark"], board["scenario"]], *_as_read(board)))


def _as_read(board: Row) -> tuple[Any, ...]:
    """First what is quoted: the test set, metric, reading and window that headlines are taken from."""
    return (-board["num_quoted"], board["metric"] != "pass@1", board["verdict"] != "official", board["scope"] != "all",
            len(board["metric"]), *(board[name] for name in questions.BOARD))  # fmt: skip


def _write_models(chunks: Chunks, scores: Sequence[Row]) -> None:
    by_model: dict[str, list[Row]] = {}
    for row in scores:
        by_model.setdefault(row["model"], []).append(row)
    for model, found in by_model.items():
        ordered = sorted(found, key=lambda row: not row["is_quoted"])
        chunks.add(f"models/{short_id('model', model)}", packed(ordered, (*questions.BOARD, *SCORE)))


def write_pairs(connection: duckdb.DuckDBPyConnection, chunks: Chunks, boards: Sequence[Row]) -> list[Row]:
    """Blocks of ``BLOCK`` models by ``BLOCK``, best first, and the list of boards that have pairs.

    A pair stands once, in the block of the better one: ``row`` and ``column`` are places in the board's models, and a
    positive difference means that ``row`` is better. The list has the order of ``boards``, the largest of each first.
    """
    order = {key: [row["model"] for row in found] for key, found in _best_first(connection)}
    listed = []
    for key, found in _grouped(rows(connection, questions.PAIRS), questions.PAIRED):
        known = order.get(key, [])
        models = list(dict.fromkeys([*known, *(row[side] for row in found for side in ("model", "other_model"))]))
        board = short_id("pairs", *key)
        for (down, across), pairs in sorted(_blocks(found, models).items()):
            chunks.add(f"pairs/{board}-{down}-{across}", packed(pairs, PAIR))
        named = {name: plain(value) for name, value in zip(questions.PAIRED, key, strict=True)}
        listed.append(named | {"pairs": board, "models": models, "num_pairs": len(found)})
    places = {tuple(board[name] for name in questions.BOARD): place for place, board in enumerate(boards)}

    def as_read(board: Row) -> tuple[Any, ...]:
        place = places.get(tuple(board[name] for name in questions.BOARD), len(places))
        return (place, -board["num_pairs"], board["pairs"])

    return sorted(listed, key=as_read)


def _best_first(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    for key, found in _grouped(rows(connection, questions.RANKS), questions.PAIRED):
        yield key, sorted(found, key=lambda row: (row["rank"], row["model"]))


def _blocks(found: Sequence[Row], models: Sequence[str]) -> dict[tuple[int, int], list[Row]]:
    places = {model: place for place, model in enumerate(models)}
    blocks: dict[tuple[int, int], list[Row]] = {}
    for row in found:
        pair = _short(_better_first(row, places[row["model"]], places[row["other_model"]]))
        blocks.setdefault((pair["row"] // BLOCK, pair["column"] // BLOCK), []).append(pair)
    return blocks


def _better_first(row: Row, place: int, other: int) -> Row:
    if place < other:
        return row | {"row": place, "column": other}
    turned = {name: _minus(row[source]) for name, source in _TURNED.items()}
    return row | turned | {"row": other, "column": place}


_TURNED = {"difference": "difference", "difference_low": "difference_high", "difference_high": "difference_low"}


def _short(pair: Row) -> Row:
    """Four digits: of 125 000 pairs a board the rest is a third of the bytes."""
    return pair | {name: None if pair[name] is None else float(f"{pair[name]:.4g}") for name in _SHORTENED}


_SHORTENED = ("difference", "difference_low", "difference_high", "p_value", "q_all_pairs")


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def write_panels(connection: duckdb.DuckDBPyConnection, chunks: Chunks, written: Written) -> dict[str, list[Row]]:
    """The tables of ``PANELS``, a chunk per benchmark and scenario; which there are, by panel."""
    found: dict[str, list[Row]] = {}
    for panel, (query, columns) in PANELS.items():
        found[panel] = []
        for key, listed in _grouped(rows(connection, query), ("benchmark", "scenario")):
            name = short_id(panel, *key)
            chunks.add(f"panels/{name}", packed(listed, columns))
            found[panel].append({"benchmark": key[0], "scenario": key[1], "panel": name, "num_rows": len(listed)})
    chunks.add("panels/coverage", packed(rows(connection, questions.COVERAGE), COVERED))
    return found


COVERED = ("model", "benchmark", "scenario", "num_problems", "num_planned", "num_problems_pinned", "reasons",
           "num_refused")  # fmt: skip


def _grouped(found: Sequence[Row], names: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    """Rows by what they share, in an order of its own: queries and groups need not agree on where NULL stands."""

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in names)

    ordered = sorted(found, key=lambda row: [(value is not None, value) for value in map(plain, key(row))])
    for shared, group in groupby(ordered, key):
        yield shared, list(group)
