"""Results that were published before rows had digests can be taken in, and what cannot be known is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchforge.ingest.errors import BadInput
from benchforge.ingest.formats import Context, registry

CONTEXT = Context("humanevalplus", "default")


def _read(folder: Path, rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    path = folder / "results.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return registry()["older-publication"].read(path, CONTEXT).records


def test_rows_are_read_under_any_of_their_names(tmp_path: Path) -> None:
    rows = [
        {"benchmark": "humanevalplus", "model": "o/m", "task_id": "HumanEval/0", "sample_idx": 3, "passed": True,
         "completion": "x = 1", "elapsed": 0.5},
        {"benchmark": "mbppplus", "model": "o/m", "task_id": "Mbpp/2", "sample_idx": 0, "passed": False,
         "completion": "y", "elapsed": 0.1},
    ]  # fmt: skip
    [record] = _read(tmp_path, rows)
    assert (record.task_id, record.sample_index, record.text, record.text_form) == ("HumanEval/0", 3, "x = 1", "raw")
    assert {part: judged.verdict for part, judged in record.judgements.items()} == {"base": "pass"}


def test_samples_without_a_number_are_numbered_in_their_order(tmp_path: Path) -> None:
    records = _read(
        tmp_path, [{"problem_id": "a", "base_status": "pass", "plus_status": word} for word in ("fail", "timeout")]
    )
    assert [record.sample_index for record in records] == [0, 1]
    assert [record.judgements["plus"].verdict for record in records] == ["fail", "timeout"]


@pytest.mark.parametrize(
    ("rows", "about"),
    [
        ([{"task_id": "a", "model": name, "passed": True} for name in ("o/a", "o/b")], "holds 2 models"),
        ([{"task_id": "a", "benchmark": "other", "passed": True}], "has no row of humanevalplus"),
        ([{"task_id": "a", "passed": "perhaps"}], "'perhaps' is no verdict"),
        ([{"name": "a", "passed": True}], "names no problem"),
        ([{"task_id": "a", "note": "x"}], "neither a text nor a verdict"),
    ],
)
def test_what_is_not_known_is_not_guessed(tmp_path: Path, rows: list[dict[str, Any]], about: str) -> None:
    with pytest.raises(BadInput, match=about):
        _read(tmp_path, rows)
