"""A shard as a plan would write it, for tests of what is made of one."""

from __future__ import annotations

from typing import Any

from benchforge.ingest.manifest import Shard
from benchforge.ingest.planning.models import ServedModel

MODEL = ServedModel("a__b", "m")
SAMPLED: dict[str, Any] = {"temperature": 0.8, "top_p": 0.95}


def made_shard(**request: Any) -> Shard:
    """Greedy chat of forge_mini, four samples from seed 100, but for what ``request`` says."""
    asked = {"templating_mode": "chat", "temperature": 0.0, "top_p": 1.0, "max_tokens": 64, "stop": ["\ndef "]}
    return Shard(
        shard_id="s",
        stage="generate",
        benchmark="forge_mini",
        scenario="default",
        dataset_version="v1",
        dataset_digest="d",
        model="a__b",
        protocol="official",
        request={**asked, "protocol": "official", **request},
        request_digest="r",
        comparability_digest="c",
        first_sample=0,
        num_samples=4,
        num_planned=4,
        expected_rows=4,
        seed=100,
        engine="endpoint",
    )
