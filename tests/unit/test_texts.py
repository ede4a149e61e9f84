"""Texts with half a surrogate pair are kept to the character."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchforge.ingest.lake import Lake
from benchforge.ingest.texts import original, storable

ODD = "a\ud800b\x00é"


def test_lone_surrogates_survive_the_lake(tmp_path: Path):
    row = {
        "benchmark": "forge_mini",
        "model": "forge__a",
        "scenario": "default",
        "task_id": "t",
        "sample_index": 0,
        "sample_id": b"0" * 16,
        "request_digest": "r",
        "comparability_digest": "c",
        "dataset_version": "v1",
        "shard_id": "s",
        "num_planned": 1,
        "protocol": "official",
        "raw_text": ODD,
        "answer": "plain",
    }
    lake = Lake(tmp_path)
    lake.commit("s", "generate", lake.write_part("samples", [storable(row)], "s"))
    [found] = lake.read("samples").to_pylist()
    assert original(found["raw_text"], found["text_encoding"]) == ODD
    assert original(found["answer"], found["text_encoding"]) == "plain"


@pytest.mark.parametrize("text", ["", "plain", "NUL \x00 and 😀", '"quoted"'])
def test_other_texts_are_stored_as_they_are(text: str):
    assert storable({"raw_text": text}) == {"raw_text": text}
    assert original(text, None) == text
