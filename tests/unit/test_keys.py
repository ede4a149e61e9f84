"""Ids and digests do not move: every recorded row depends on them."""

from __future__ import annotations

import duckdb
import pytest
from benchforge.ingest import keys


def test_sample_id_is_the_same_in_sql():
    digest = keys.request_digest({"temperature": 0.0, "model": "a__b"})
    expected = keys.sample_id("forge_mini", "default", "forge/1", digest, 3)
    connection = duckdb.connect()
    found = connection.sql(
        f"select unhex(substr(sha256(concat_ws('|', 'forge_mini', 'default', 'forge/1', '{digest}', 3)), 1, 32))"
    ).fetchall()
    connection.close()
    assert found == [(expected,)]


def test_request_digest_ignores_fields_that_are_not_set():
    assert keys.request_digest({"temperature": 0.2, "top_k": None}) == keys.request_digest({"temperature": 0.2})


def test_request_digest_refuses_what_must_never_enter():
    for field in ("n", "seed", "shard_id", "sample_index"):
        with pytest.raises(ValueError, match=field):
            keys.request_digest({field: 1})


def test_digest_values_are_pinned():
    expected = "6ba0af6c7893ec0fe11fc2dcfa1df4bc601e95ab4b5d5c72bda77b0cb499e845"
    assert keys.digest_of({"b": 1, "a": [1, "é"]}) == expected
    assert keys.program_id("print(1)\n").hex() == "cc42155088fca5730758db72b2a5bca3"


def test_recorded_rows_compare_only_inside_their_source():
    fields = {"scenario": "cruxeval_i", "protocol": "direct", "temperature": 0.2}
    one, other = keys.comparability_digest(fields, "a/b@1"), keys.comparability_digest(fields, "a/b@2")
    assert one != other
    assert one == keys.comparability_digest(dict(fields), "a/b@1")


def test_fully_known_rows_compare_across_sources():
    fields = dict.fromkeys(keys.COMPARABILITY_FIELDS, "x")
    assert keys.comparability_digest(fields, "a/b@1") == keys.comparability_digest(fields, None)


def test_program_id_takes_lone_surrogates():
    assert len(keys.program_id("\ud800")) == 16
