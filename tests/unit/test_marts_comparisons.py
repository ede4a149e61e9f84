"""What the comparison marts take from Python and from the project file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
import yaml
from benchforge.macros import families, planning, udfs, udfs_boards

PROJECT = Path(__file__).parents[2] / "dbt_project.yml"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as made:
        udfs.register(made)
        yield made


def _pairs(connection: duckdb.DuckDBPyConnection, num_models: int) -> list[tuple[str, str, bool, float]]:
    """Pairs of a board of ``num_models`` on 40 problems: names, whether in a family, q."""
    passes = np.random.default_rng(1).integers(0, 2, (num_models, 40)).ravel().tolist()
    names = [f"m{number:04d}" for number in range(num_models)]
    return connection.execute(
        """
        with board as (select unnest(compare_board_udf(?, ?::bigint[], 1, 1, null, ?).pairs) as pair)
        select pair.model, pair.other, coalesce(pair.p_best, pair.p_adjacent, pair.p_baseline) is not null,
            pair.q_all_pairs
        from board
        """,
        [names, passes, names[7]],
    ).fetchall()


def test_large_boards_keep_the_pairs_of_families(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _pairs(connection, 30)
    monkeypatch.setattr(udfs_boards, "MAX_MODELS_ALL_PAIRS", 29)
    kept = _pairs(connection, 30)
    assert len(whole) == 30 * 29 / 2
    assert kept == [pair for pair in whole if pair[2]]
    assert 29 + 28 <= len(kept) <= 29 * 3


def test_constants_of_planning_curves_are_those_of_the_families() -> None:
    declared = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["vars"]
    boards = declared["planning_boards"]
    assert declared["planning_power_quantile"] == planning.POWER_QUANTILE
    assert [board["num_models"] for board in boards] == [2, 20, 500]
    for board in boards:
        assert board["constant"] == pytest.approx(families.tukey_constant(board["num_models"]), abs=1e-12)
