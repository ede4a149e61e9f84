"""A variable of the project that cannot be used is one sentence, said before anything is built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchforge.runners import aggregate


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"pass_at_k": 5}, "variable pass_at_k: 5 is no list of numbers; write pass_at_k: [1, 5, 10]"),
        ({"pass_at_k": [1.5]}, "variable pass_at_k: 1.5 is no whole number above 0"),
        ({"limit_factors": [-1]}, "variable limit_factors: -1 is no number above 0"),
        ({"limit_factors": [2.0]}, "variable limit_factors: [2.0] is above 1 only"),
        ({"gpu_hour_prices": {"H100": "x"}}, "variable gpu_hour_prices: H100: x is no price"),
        ({"windows": 3}, "variable windows: 3 is no mapping"),
    ],
)
def test_a_wrong_variable_is_one_sentence(tmp_path: Path, variables: dict[str, object], said: str):
    from dbt.cli.main import dbtRunner

    variables = {"duckdb_path": str(tmp_path / "marts.duckdb"), **variables}
    folders = [f"--project-dir={aggregate.PROJECT}", f"--profiles-dir={aggregate.PROJECT}", f"--target-path={tmp_path}"]
    quiet = ["--log-level=none", "--log-level-file=none", f"--log-path={tmp_path}", "--target=local"]
    outcome = dbtRunner().invoke(["parse", *folders, *quiet, "--vars", json.dumps(variables)])
    assert not outcome.success and said in str(outcome.exception)
