"""The dbt project read as data: what every mart must have, who may read and publish it, and the page that shows it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchforge.runners.aggregate import PROJECT
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

PROVEN_BELOW = {
    "fct_sample_results": ("stg_lake__results", "stg_lake__samples", "int_tasks_deduplicated"),
    "fct_task_scores": ("int_graders_summarized", "int_requests_summarized", "int_tasks_deduplicated"),
}
"""Views that spread rows of the lake over what stands once: the models whose tests prove their keys. On text keys of
1e7 rows a test of the view itself would cost more than the build."""
KEY_TESTS = {"one_row_per", "unique", "assert_samples_and_results_stand_once"}
LOOKUPS = {"dim_benchmarks", "dim_tasks"}
"""Dimensions without logic of their own: a key and a contract is all there is to test."""

Node = dict[str, Any]


@pytest.fixture(scope="module")
def docs(recorded_marts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of ``dbt docs generate --static``: manifest, catalog and the one page."""
    folder = tmp_path_factory.mktemp("docs")
    copy = shutil.copy(recorded_marts, folder / recorded_marts.name)
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder)]
    quiet = ["--quiet", "--log-level-file", "none", "--log-path", str(folder)]
    common = [*folders, *quiet, "--vars", json.dumps({"duckdb_path": str(copy)})]
    try:
        parsed: Any = dbtRunner().invoke(["parse", *common])
        assert parsed.success, parsed.exception
        made = dbtRunner(manifest=parsed.result).invoke(["docs", "generate", "--static", "--no-compile", *common])
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert made.success, made.exception
    return folder


@pytest.fixture(scope="module")
def manifest(docs: Path) -> Node:
    return json.loads((docs / "manifest.json").read_text())


@pytest.fixture(scope="module")
def models(manifest: Node) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


@pytest.fixture(scope="module")
def marts(models: list[Node]) -> list[Node]:
    found = [model for model in models if "/marts/" in model["original_file_path"]]
    files = {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")}
    assert {mart["name"] for mart in found} == files
    return found


def _tests_of(manifest: Node, name: str) -> set[str]:
    """Names of the data tests (generic ones by their own name) and unit tests that read a model."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    return {
        (test.get("test_metadata") or test)["name"]
        for test in [*tests, *manifest["unit_tests"].values()]
        if f"model.benchforge.{name}" in test["depends_on"]["nodes"]
    }


def test_every_mart_has_a_contract_and_words_for_each_column(marts: list[Node]) -> None:
    offenders = [
        (mart["name"], what)
        for mart in marts
        for what, holds in {
            "contract": mart["contract"]["enforced"],
            "columns": bool(mart["columns"]),
            **{f"column {name}": column["description"].strip() for name, column in mart["columns"].items()},
            **{f"type of {name}": column["data_type"] for name, column in mart["columns"].items()},
        }.items()
        if not holds
    ]
    assert not offenders


def test_every_mart_has_a_key_that_is_proven(manifest: Node, marts: list[Node]) -> None:
    proven = {mart["name"] for mart in marts if any(each["type"] == "primary_key" for each in mart["constraints"])}
    offenders = [
        (mart["name"], model)
        for mart in marts
        for model in PROVEN_BELOW.get(mart["name"], (mart["name"],))
        if model not in proven and not KEY_TESTS & _tests_of(manifest, model)
    ]
    assert not offenders


def test_every_mart_with_logic_has_a_test_of_it(manifest: Node, marts: list[Node]) -> None:
    trivial = KEY_TESTS | {"accepted_values"}
    untested = {mart["name"] for mart in marts if not _tests_of(manifest, mart["name"]) - trivial}
    assert untested <= LOOKUPS


def test_marts_are_public_and_all_below_is_protected(models: list[Node], marts: list[Node]) -> None:
    names = {mart["name"] for mart in marts}
    offenders = [
        (model["name"], model["access"], model["group"])
        for model in models
        if (model["access"], model["group"]) != ("public" if model["name"] in names else "protected", "marts")
    ]
    assert not offenders


def test_every_mart_is_published_by_an_exposure_and_nothing_else_is(manifest: Node, marts: list[Node]) -> None:
    published = [name for each in manifest["exposures"].values() for name in each["depends_on"]["nodes"]]
    assert sorted(published) == sorted(mart["unique_id"] for mart in marts)


def test_every_model_says_its_grain(models: list[Node]) -> None:
    silent = [model["name"] for model in models if not model["description"].startswith("One row per ")]
    assert not silent


def test_every_doc_block_is_used(manifest: Node) -> None:
    ours = {doc["name"] for doc in manifest["docs"].values() if doc["package_name"] == "benchforge"}
    texts = "".join(path.read_text() for path in (PROJECT / "models").rglob("*.yml"))
    used = set(re.findall(r"doc\('(\w+)'\)", texts))
    assert used == ours - {"__overview__"}


def test_one_page_shows_every_mart_and_loads_nothing(docs: Path, marts: list[Node]) -> None:
    page = (docs / "static_index.html").read_text()
    missing = [mart["name"] for mart in marts if json.dumps(mart["description"]) not in page]
    assert not missing
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=[\"'](?:https?:)?//[^\"']+", page)
    styles = re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^\"')]+", page)
    assert not loaded and not styles
    assert '"send_anonymous_usage_stats": false' in page  # the page would count its readers otherwise


def test_descriptions_reach_the_file_itself(recorded_marts: Path, marts: list[Node]) -> None:
    with duckdb.connect(str(recorded_marts), read_only=True) as connection:
        query = "select table_name, column_name, comment from duckdb_columns() where schema_name = 'main'"
        told = {(table, column): comment for table, column, comment in connection.execute(query).fetchall()}
    expected = {(mart["name"], name): column for mart in marts for name, column in mart["columns"].items()}
    offenders = [key for key, column in expected.items() if (told[key] or "").strip() != column["description"].strip()]
    assert not offenders
