"""Every benchmark is one file and its seed rows, and the two agree."""

from __future__ import annotations

import hashlib

import pytest
from benchforge.ingest import keys, schemas
from benchforge.ingest.benchmarks import registry, resolve
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.ingest.benchmarks.versions import seed_rows, versions_of
from benchforge.ingest.errors import NotStaged, UsageError
from benchforge.ingest.pins import pins_of
from benchforge.ingest.planning.task_sets import dataset_digest
from benchforge.ingest.staging.staged import load_tasks, pinned_version
from benchforge.runners.score.extract import EXTRACTORS, extractor


def test_each_benchmark_has_seed_rows_and_each_row_a_benchmark():
    assert {row["benchmark"] for row in seed_rows()} == set(registry())
    assert list(registry())[:2] == list(schemas.BENCHMARKS[:2])


@pytest.mark.parametrize("name", registry())
def test_versions_are_the_pinned_ones_and_the_default_is_what_no_version_means(name: str):
    benchmark = registry()[name]
    rows = {row["dataset_version"]: row for row in seed_rows() if row["benchmark"] == name}
    assert [version.name for version in benchmark.versions][-1:] == [
        key for key, row in rows.items() if row["is_default"] == "true"
    ]
    assert {version.name for version in benchmark.versions} == set(rows)
    for version in benchmark.versions:
        assert ";".join(artifact.sha256 for artifact in version.artifacts) == rows[version.name]["artifact_sha256"]
        assert rows[version.name]["kind"] == benchmark.kind


@pytest.mark.parametrize("row", seed_rows(), ids=lambda row: f"{row['benchmark']}-{row['dataset_version']}")
def test_what_is_graded_here_pins_its_dataset_and_says_how_far_a_pass_is_to_be_trusted(row):
    """Without the digest every number of a lake that was graded here is refused (MultiPL-E's once were)."""
    benchmark = registry()[row["benchmark"]]
    assert row["dataset_digest"] == dataset_digest(benchmark, benchmark.version(row["dataset_version"]))
    assert row["trust_tier"] == ("suite" if benchmark.kind == "suite" else "values")


def test_cells_name_scenarios_and_test_sets_of_the_declaration():
    for row in seed_rows():
        benchmark = registry()[row["benchmark"]]
        for cell in row["cells"].split():
            place, _, count = cell.partition("=")
            scenario, _, test_set = place.partition(":")
            assert test_set in benchmark.test_sets[scenario], (row["benchmark"], cell)
            assert int(count) > 0
            assert test_set in schemas.TEST_SETS


def test_pinned_counts_of_livecodebench_releases():
    counts = {
        row["dataset_version"]: int(row["cells"].split("generation:v" + row["dataset_version"][-1] + "=")[1].split()[0])
        for row in seed_rows()
        if row["benchmark"] == "livecodebench"
    }
    assert list(counts.values()) == [400, 511, 612, 713, 880, 1055]
    assert all("execution:full=479" in row["cells"] for row in seed_rows() if row["benchmark"] == "livecodebench")


@pytest.mark.parametrize("version", ["release_v2", "release_v3"])
def test_a_release_without_a_published_list_is_pinned_by_its_name_and_its_counts(version: str):
    benchmark = registry()["livecodebench"]
    pin = pins_of("livecodebench")[version]
    assert pin.dataset_digest == keys.digest_of([version]) == dataset_digest(benchmark, benchmark.version(version))
    assert not any(artifact.sha256 for artifact in benchmark.version(version).artifacts)


def test_bundled_problems_are_the_pinned_ones():
    benchmark = registry()["forge_mini"]
    (row,) = (row for row in seed_rows() if row["benchmark"] == "forge_mini")
    assert [artifact.sha256 for artifact in benchmark.version().artifacts] == [row["artifact_sha256"]]


def test_extractors_that_benchmarks_declare_exist():
    names = {name for one in registry().values() for name in (one.extraction.official, one.extraction.corrected)}
    assert names <= set(EXTRACTORS)
    assert all(callable(extractor(name)) for name in EXTRACTORS)


@pytest.mark.parametrize(
    ("word", "name", "scenarios"),
    [
        ("cruxeval", "cruxeval", ("cruxeval_i", "cruxeval_o")),
        ("cruxeval_i", "cruxeval", ("cruxeval_i",)),
        ("CRUXEval-O", "cruxeval", ("cruxeval_o",)),
        ("MBPP+", "mbppplus", ("default",)),
        ("human-eval", "humaneval", ("default",)),
    ],
)
def test_words_of_the_command_line(word: str, name: str, scenarios: tuple[str, ...]):
    benchmark, found = resolve(word)
    assert (benchmark.name, found) == (name, scenarios)


def test_an_unknown_word_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean humanevalplus"):
        resolve("humanevalpls")


def test_an_import_only_benchmark_says_so(tmp_path):
    with pytest.raises(NotStaged, match="import-only"):
        load_tasks(registry()["livecodebench"], None, "repair", tmp_path)


def test_a_benchmark_that_is_not_staged_names_the_command(tmp_path):
    with pytest.raises(NotStaged) as caught:
        load_tasks(registry()["mbppplus"], "v0.1.0", "default", tmp_path)
    assert caught.value.hint == "benchforge stage mbppplus --version v0.1.0 --from DIR"


def test_an_unknown_version_lists_the_pinned_ones():
    with pytest.raises(UsageError) as caught:
        pinned_version(registry()["humanevalplus"], "v9")
    assert caught.value.hint == "one of v0.1.9, v0.1.10"


def test_a_benchmark_without_a_row_is_refused():
    with pytest.raises(LookupError, match="no row"):
        versions_of("nothing")


def test_every_pin_is_a_sha256():
    digests = [artifact.sha256 for one in registry().values() for v in one.versions for artifact in v.artifacts]
    assert digests.count("") == 2  # releases 2 and 3 of LiveCodeBench: no list of their problems is published
    digests = [digest for digest in digests if digest]
    assert len(set(digests)) == len(digests) - 1  # BigCodeBench's two sets are read from one file
    assert all(len(digest) == hashlib.sha256().digest_size * 2 for digest in digests)


def test_a_digest_of_deep_maps_is_small_work_and_sees_every_level():
    def nested(leaf: int) -> dict[str, object]:
        value: dict[str, object] = {"'leaf'": leaf}
        for level in range(60):
            value = {f"'{level}'": [value, {level}], "same": level}
        return value

    def digest(payload: dict[str, object]) -> str:
        return Task("forge_mini", "default", "t", "calls", "", payload, ("base",), "t").task_digest

    assert digest(nested(1)) == digest(dict(reversed(nested(1).items())))
    assert digest(nested(1)) != digest(nested(2))
