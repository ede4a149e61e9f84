"""Which problems a dataset version has, by their ids: facts that refuse a stranger before anything is staged.

    python -m benchforge.ingest.bundled.task_ids --from DIR

writes ``task_ids.json`` again from the public files that ``PROVENANCE.md`` lists. One entry per benchmark, versions
and scenario; numbered ids stand as a prefix and runs of numbers (``sample_``, ``0-799``), others as words.

LiveCodeBench releases 2 and 3 have no published list here: their entry is the list of release 4, which holds them, so
that a stranger is still refused and completeness goes by the pinned count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..formats.source_files import json_document, json_rows
from ..lake import replace_file

FILE = Path(__file__).parent / "task_ids.json"

_BIGCODEBENCH, _ASKED_BY = "bigcodebench", ("complete", "instruct")
_NUMBERED_FILES = (
    # benchmark, version, scenarios, file, field, prefix
    ("humanevalplus", "v0.1.9", ("default",), "evalplus/HumanEvalPlus-v0.1.9.jsonl.gz", "task_id", "HumanEval/"),
    ("humanevalplus", "v0.1.10", ("default",), "evalplus/HumanEvalPlus-v0.1.10.jsonl.gz", "task_id", "HumanEval/"),
    ("mbppplus", "v0.1.0", ("default",), "evalplus/MbppPlus-v0.1.0.jsonl.gz", "task_id", "Mbpp/"),
    ("mbppplus", "v0.2.0", ("default",), "evalplus/MbppPlus-v0.2.0.jsonl.gz", "task_id", "Mbpp/"),
    ("cruxeval", "v1", ("cruxeval_i", "cruxeval_o"), "cruxeval/cruxeval.jsonl", "id", "sample_"),
    ("humaneval", "v1", ("default",), "humaneval/HumanEval.jsonl.gz", "task_id", "HumanEval/"),
    (_BIGCODEBENCH, "full-a3b8985", _ASKED_BY, "bigcodebench/BigCodeBench.jsonl.gz", "task_id", "BigCodeBench/"),
)
_RELEASES = tuple(f"release_v{number}" for number in range(1, 7))


@cache
def known_task_ids(benchmark: str, dataset_version: str, scenario: str) -> tuple[str, ...] | None:
    """Every id that the scenario of this version may have, in order; None where no list is kept."""
    for entry in json.loads(FILE.read_text(encoding="utf-8")):
        is_listed = dataset_version in entry["dataset_versions"] and scenario in entry["scenarios"]
        if is_listed and entry["benchmark"] == benchmark:
            return tuple(_unpacked(entry))
    return None


def build(directory: Path, target: Path = FILE) -> int:
    """Write the file from the public files below ``directory``; returns the number of lists."""
    entries = [
        *_numbered_entries(directory),
        _hard_entry(directory),
        *_multipl_e_entries(directory),
        *_livecodebench_entries(directory),
        _ds1000_entry(directory),
    ]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    replace_file(target, f"[\n{lines}\n]\n".encode())
    return len(entries)


def _numbered_entries(directory: Path) -> Iterator[dict[str, Any]]:
    for benchmark, version, scenarios, file, field, prefix in _NUMBERED_FILES:
        numbers = _numbers((str(row[field]) for row in json_rows(directory / file)), prefix)
        yield _entry(benchmark, (version,), scenarios, prefix=prefix, runs=_runs(numbers))


def _hard_entry(directory: Path) -> dict[str, Any]:
    ids = json_document(directory / "bigcodebench" / "hard_task_ids.json")
    runs = _runs(_numbers(ids, "BigCodeBench/"))
    return _entry(_BIGCODEBENCH, ("hard-a3b8985",), _ASKED_BY, prefix="BigCodeBench/", runs=runs)


def _multipl_e_entries(directory: Path) -> Iterator[dict[str, Any]]:
    """Languages that the same problems were translated to share a list."""
    languages: dict[str, list[str]] = {}
    for path in sorted((directory / "multipl-e" / "problems").glob("humaneval-*.jsonl.gz")):
        names = [row["name"] for row in json_rows(path) if "name" in row]  # the Python file is HumanEval itself
        if names:
            languages.setdefault(_words(names), []).append(path.name.split("-")[1].split(".")[0])
    for words, scenarios in languages.items():
        yield _entry("multipl_e", ("humaneval-reworded",), scenarios, words=words)


def _livecodebench_entries(directory: Path) -> Iterator[dict[str, Any]]:
    folder = directory / "livecodebench"
    facts = json_rows(folder / "execution" / "problems_meta.jsonl.gz")
    numbers = _numbers((row["sample_id"] for row in facts), "sample_")
    yield _entry("livecodebench", _RELEASES, ("execution",), prefix="sample_", runs=_runs(numbers))
    repaired = json_document(folder / "performances" / "repair.json.gz")["performances"]
    release_4 = {str(row["question_id"]) for row in repaired}
    yield _entry("livecodebench", _RELEASES[3:], ("repair",), words=_words(release_4))
    lists = {
        _RELEASES[:1]: _question_ids(folder / "problems_v1_public_tests.jsonl.gz"),
        _RELEASES[1:4]: release_4,
        _RELEASES[4:5]: _question_ids(folder / "codegen" / "O1-Mini-2024-09-12.jsonl.gz"),
        _RELEASES[5:6]: _question_ids(folder / "problems_v6_statements.jsonl.gz"),
    }
    for versions, ids in lists.items():
        yield _entry("livecodebench", versions, ("generation",), words=_words(ids))


def _ds1000_entry(directory: Path) -> dict[str, Any]:
    numbers = sorted(row["metadata"]["problem_id"] for row in json_rows(directory / "ds1000" / "ds1000.jsonl.gz"))
    return _entry("ds1000", ("simplified-b39aab7",), ("default",), prefix="DS-1000/", runs=_runs(numbers))


def _entry(benchmark: str, versions: Iterable[str], scenarios: Iterable[str], **ids: str) -> dict[str, Any]:
    return {"benchmark": benchmark, "dataset_versions": list(versions), "scenarios": list(scenarios), **ids}


def _question_ids(path: Path) -> set[str]:
    return {str(row["question_id"]) for row in json_rows(path)}


def _words(ids: Iterable[str]) -> str:
    return " ".join(sorted(ids))


def _numbers(ids: Iterable[str], prefix: str) -> list[int]:
    return sorted(int(task_id.removeprefix(prefix)) for task_id in ids)


def _runs(numbers: Iterable[int]) -> str:
    """``2-4 7``: runs of consecutive numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(f"{first}-{last}" if first != last else str(first) for first, last in runs)


def _unpacked(entry: Mapping[str, Any]) -> Iterator[str]:
    if "words" in entry:
        yield from entry["words"].split()
        return
    for run in entry["runs"].split():
        first, _, last = run.partition("-")
        yield from (f"{entry['prefix']}{number}" for number in range(int(first), int(last or first) + 1))


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the lists of task ids.")
    parser.add_argument("--from", dest="directory", type=Path, required=True, help="folder of the public files")
    directory = parser.parse_args().directory
    if not directory.is_dir():
        raise BadInput(f"{directory} is not a folder", "see ingest/bundled/PROVENANCE.md")
    print(f"{build(directory)} lists in {FILE}, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
