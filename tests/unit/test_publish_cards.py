"""Cards: their numbers are those of the marts, their queries run as they stand, their files are all there."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
import yaml
from benchforge.ingest.bundled import RECORDED_LAKE
from benchforge.runners import aggregate
from benchforge.runners.publish import assemble, cards, every_eval_ever, picture
from benchforge.runners.publish.declared import LEADERBOARD, REPOSITORIES, RESULTS, SPACE, config_of, destination
from benchforge.runners.publish.results_lake import assemble_lake
from hub_stand_in import File, hub_on_loopback

NAMES = cards.Names.of("tester")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, recorded_marts: Path) -> Path:
    """The recorded lake, assembled without building its marts a second time."""
    made = tmp_path_factory.mktemp("publish")
    results, leaderboard = made / RESULTS, made / LEADERBOARD
    counted = assemble_lake(RECORDED_LAKE, results, {})
    assemble._copy_marts(recorded_marts, results, leaderboard)
    assemble._copy_seeds(results)
    assemble._write_card(results, cards.results_card(results, recorded_marts, counted, NAMES))
    assemble._write_card(leaderboard, cards.leaderboard_card(recorded_marts, NAMES, "data-0123456789ab"))
    picture.draw(_headline(recorded_marts), leaderboard / cards.PICTURE)
    assemble._copy_space(made / SPACE, NAMES)
    return made


def _headline(marts: Path) -> list[dict[str, Any]]:
    return cards._rows(marts, "select * from headline")


def _card(folder: Path, name: str) -> tuple[dict[str, Any], str]:
    _, front, text = (folder / name / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), text


@pytest.mark.parametrize("name", [RESULTS, LEADERBOARD])
def test_every_parquet_file_is_in_exactly_one_config(folder: Path, name: str) -> None:
    front, _ = _card(folder, name)
    configs = {config["config_name"]: config["data_files"][0]["path"] for config in front["configs"]}
    found = [path for pattern in configs.values() for path in (folder / name).glob(pattern) if path.is_file()]
    assert sorted(found) == sorted((folder / name).rglob("*.parquet"))
    assert [config["config_name"] for config in front["configs"] if config.get("default")] == [next(iter(configs))]


def test_the_leaderboard_opens_with_the_headline(folder: Path) -> None:
    front, _ = _card(folder, LEADERBOARD)
    assert front["configs"][0]["config_name"] == "headline"
    assert {config["config_name"] for config in front["configs"]} == {
        config_of(mart) for mart in destination(LEADERBOARD).files
    }


def test_models_without_an_approved_licence_are_apart(folder: Path) -> None:
    front, text = _card(folder, RESULTS)
    names = [
        config["config_name"] for config in front["configs"] if config["data_files"][0]["path"].startswith("data/")
    ]
    assert names == ["cruxeval_other", "livecodebench_other"], "no recorded model has a known licence"
    assert "| unknown | no | 18 | 618970 | 0 | 0 |" in text


def test_the_table_holds_the_numbers_of_the_headline(folder: Path, recorded_marts: Path) -> None:
    _, text = _card(folder, LEADERBOARD)
    rows = _headline(recorded_marts)
    shown = re.findall(r"(\d+\.\d) \[(\d+\.\d), (\d+\.\d)\] †", text)
    expected = [tuple(f"{100 * row[name]:.1f}" for name in ("score", "interval_low", "interval_high")) for row in rows]
    assert sorted(shown) == sorted(expected)


@pytest.mark.parametrize("name", [RESULTS, LEADERBOARD])
def test_the_query_of_a_card_runs_as_it_stands(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, recorded_marts: Path
) -> None:
    _, text = _card(folder, name)
    [query] = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    with hub_on_loopback() as hub, duckdb.connect() as connection:
        for repository in (RESULTS, LEADERBOARD):
            _put(hub, folder / repository, f"tester/{repository}")
        connection.register_filesystem(_files_of(hub.url))
        found = connection.execute(query).fetchall()
    with aggregate.opened(recorded_marts) as marts:
        if name == LEADERBOARD:
            assert len(found) == marts.execute("select count(*) from headline").fetchall()[0][0]
        else:
            assert sum(row[-1] for row in found) == 508_800


def _put(hub: Any, folder: Path, name: str) -> None:
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    hub.create(name).add(
        "made", "", {path: File(content, path.endswith(".parquet")) for path, content in files.items()}
    )


def _files_of(url: str) -> Any:
    """DuckDB reads hf:// through fsspec where its own httpfs is not installed; it asks when a file changed."""
    from huggingface_hub import HfFileSystem

    class Files(HfFileSystem):
        def modified(self, path: str) -> datetime.datetime:
            return datetime.datetime(2026, 1, 1)

    return Files(endpoint=url, skip_instance_cache=True)


def test_pictures_of_equal_rows_are_equal(folder: Path, recorded_marts: Path, tmp_path: Path) -> None:
    again = picture.draw(_headline(recorded_marts), tmp_path / "again.png").read_bytes()
    assert again == (folder / LEADERBOARD / cards.PICTURE).read_bytes() and again.startswith(b"\x89PNG")
    assert picture.draw([], tmp_path / "none.png").stat().st_size > 0


def test_the_page_reads_the_repositories_of_its_namespace(folder: Path) -> None:
    said = json.loads((folder / SPACE / "publication.json").read_text(encoding="utf-8"))
    names = [f"tester/{name}" for name in REPOSITORIES]
    assert (said["layout"], said["results"], said["leaderboard"]) == (1, *names[:2])
    card = (folder / SPACE / "README.md").read_text(encoding="utf-8")
    assert names[1] in card and "D4vidHuang/benchforge" not in card


def test_records_of_every_eval_ever_hold_the_leaderboard(recorded_marts: Path, tmp_path: Path) -> None:
    paths = every_eval_ever.export(recorded_marts, tmp_path, "tester", NAMES.results)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    scores = [result["score_details"]["score"] for record in records for result in record["evaluation_results"]]
    with aggregate.opened(recorded_marts) as marts:
        query = "select score from leaderboard where verdict = 'official' and scope = 'all' and metric like 'pass@%'"
        assert sorted(scores) == sorted(score for (score,) in marts.execute(query).fetchall())
    assert all(path.parts[-4] == "benchforge" and len(path.stem) == 36 for path in paths)
    assert {record["source_metadata"]["source_type"] for record in records} == {"documentation"}
    assert every_eval_ever.export(recorded_marts, tmp_path, "tester", NAMES.results) == paths


def test_records_are_valid_under_the_schema_of_every_eval_ever(recorded_marts: Path, tmp_path: Path) -> None:
    place = os.environ.get("EVERY_EVAL_EVER_SCHEMA")
    if not place:
        pytest.skip(
            "its schema is not here (set EVERY_EVAL_EVER_SCHEMA to eval.schema.json of evaleval/every_eval_ever)"
        )
    schema = json.loads(Path(place).read_text(encoding="utf-8"))
    for path in every_eval_ever.export(recorded_marts, tmp_path, "tester", NAMES.results):
        jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)


def test_a_lake_whose_publication_gives_other_marts_is_not_published(recorded_marts: Path, tmp_path: Path) -> None:
    ours = recorded_marts.parent / "marts"
    theirs = Path(shutil.copytree(ours, tmp_path / "marts"))
    assemble.refuse_other_marts(ours, theirs)
    _rewrite(theirs / "fct_refusals.parquet", "select * replace ('<host> ended' as detail) from file")
    assemble.refuse_other_marts(ours, theirs)
    _rewrite(theirs / "leaderboard.parquet", "select * replace (score + 1e-9 as score) from file")
    with pytest.raises(Exception, match="are not those of the lake: leaderboard"):
        assemble.refuse_other_marts(ours, theirs)


def _rewrite(path: Path, query: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table file as select * from '{path}'").fetchall()
        connection.execute(f"copy ({query}) to '{path}' (format parquet)").fetchall()
