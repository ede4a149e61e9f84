"""Ways in which an assembled publication goes wrong, with the command and the rule that have to name each.

``is_listed``: the list of files and digests is made anew afterwards, as somebody would who means it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from benchforge.runners.publish import publication_file
from benchforge.runners.publish.declared import LEADERBOARD, RESULTS
from forging import OSI, OTHER, Rows, each, first


@dataclass(frozen=True)
class PublicationFault:
    """``command`` is ``verify`` or ``check``; ``rule`` of verify by name, of check by id."""

    name: str
    command: str
    rule: str
    seed: Callable[[Path], object]
    is_listed: bool = True


def spoil(folder: Path, fault: PublicationFault) -> None:
    fault.seed(folder)
    if fault.is_listed:
        for repository in (RESULTS, LEADERBOARD):
            listed_again(folder / repository)


def listed_again(repository: Path) -> None:
    """``publication.json`` about the files as they are now; what else it says stays."""
    path = repository / publication_file.NAME
    said = json.loads(path.read_text())
    more = {name: value for name, value in said.items() if name not in ("layout", "benchforge", "content", "files")}
    publication_file.write(repository, **more)


def data_of(folder: Path, model: str = OSI) -> Path:
    return next(iter(sorted((folder / RESULTS / "data").glob(f"benchmark=forge_mini/model={model}/*.parquet"))))


def changed(part: Path, change: Callable[[Rows], Rows]) -> None:
    table = pq.read_table(part, partitioning=None)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), part)


def _in_data(change: Callable[[Rows], Rows], model: str = OSI) -> Callable[[Path], None]:
    return lambda folder: changed(data_of(folder, model), change)


def _in_table(name: str, change: Callable[[Rows], Rows]) -> Callable[[Path], None]:
    return lambda folder: changed(next(iter(sorted((folder / RESULTS / name).rglob("*.parquet")))), change)


def _in_text(repository: str, name: str, change: Callable[[str], str]) -> Callable[[Path], Any]:
    def seed(folder: Path) -> None:
        path = folder / repository / name
        path.write_text(change(path.read_text()))

    return seed


def _other_number(card: str) -> str:
    """The first score of the card's table, one higher in its second digit."""
    import re

    return re.sub(
        r"(\| *)(\d\d)\.(\d)", lambda found: f"{found[1]}{(int(found[2]) + 7) % 100:02d}.{found[3]}", card, count=1
    )


def _other_folder(folder: Path) -> None:
    part = data_of(folder)
    part.rename(part.parent.parent / f"model={OTHER}" / part.name)


def _of_other_terms(folder: Path) -> None:
    part = data_of(folder, OTHER)
    part.rename(part.with_name(part.name.replace("-other-", "-osi-")))


def _doubled(folder: Path) -> None:
    part = data_of(folder)
    shutil.copyfile(part, part.with_name("part-osi-9.parquet"))


def _page_lost(folder: Path) -> None:
    part = data_of(folder)
    chunk = pq.read_metadata(part).row_group(0).column(3)
    content = bytearray(part.read_bytes())
    start = chunk.data_page_offset
    content[start : start + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    part.write_bytes(content)


def _passed(rows: Rows) -> Rows:
    told = {"official_base_verdict": "pass", "official_base_reason": "ok", "official_plus_verdict": "pass",
            "official_plus_reason": "ok", "official_base_first_failing_case": None, "official_base_num_run": 3,
            "official_base_num_passed": 3, "official_plus_first_failing_case": None, "official_plus_num_run": 3,
            "official_plus_num_passed": 3}  # fmt: skip
    return [{**row, **told} for row in rows]


def _shown_text(rows: Rows) -> Rows:
    return [{**rows[0], "text_withheld": "licence", "raw_text": "here it is"}, *rows[1:]]


def _mart(name: str) -> Callable[[Path], Path]:
    return lambda folder: next((folder / LEADERBOARD).rglob(f"{name}.parquet"))


def _in_mart(name: str, change: Callable[[Rows], Rows]) -> Callable[[Path], None]:
    return lambda folder: changed(_mart(name)(folder), change)


def _lines_lost(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(OTHER))


PUBLICATION_FAULTS: tuple[PublicationFault, ...] = (
    PublicationFault("published rows edited", "verify", "published_file", _in_data(_passed), False),
    PublicationFault(
        "published file removed", "verify", "published_file", lambda folder: data_of(folder).unlink(), False
    ),
    PublicationFault("published file added", "verify", "published_file", _doubled, False),
    PublicationFault(
        "seed of the publication edited",
        "verify",
        "published_file",
        _in_text(RESULTS, "seeds/models.csv", _lines_lost),
        False,
    ),
    PublicationFault(
        "card edited", "verify", "published_file", _in_text(LEADERBOARD, "README.md", _other_number), False
    ),
    PublicationFault(
        "list of files removed",
        "verify",
        "published_file",
        lambda folder: (folder / LEADERBOARD / publication_file.NAME).unlink(),
        False,
    ),
    PublicationFault(
        "digest of the content edited",
        "verify",
        "published_file",
        _in_text(RESULTS, publication_file.NAME, lambda text: text.replace('"content": "', '"content": "0')),
        False,
    ),
    PublicationFault("page of a published part lost", "verify", "part_readable", _page_lost),
    PublicationFault("published part doubled", "verify", "key_twice", _doubled),
    PublicationFault("published part in another folder", "verify", "part_folder", _other_folder),
    PublicationFault("published tasks lost", "verify", "task_missing", _in_table("tasks", lambda rows: rows[1:])),
    PublicationFault("published verdicts flipped", "check", "leaderboard.recounted", _in_data(_passed)),
    PublicationFault("published sample lost", "check", "leaderboard.recounted", _in_data(lambda rows: rows[1:])),
    PublicationFault(
        "OSI approval of rows flipped", "check", "assembled.terms_of_the_seed", _in_data(each(osi_approved=True), OTHER)
    ),
    PublicationFault(
        "licence of rows blanked", "check", "assembled.terms_in_every_row", _in_data(each(hub_license=None))
    ),
    PublicationFault("rows among those of other terms", "check", "assembled.segregated", _of_other_terms),
    PublicationFault("withheld text shown", "check", "assembled.texts_withheld", _in_data(_shown_text)),
    PublicationFault(
        "text digest of a sample changed", "check", "assembled.texts_withheld", _in_data(first(text_digest="0" * 64))
    ),
    PublicationFault(
        "text of a published program edited",
        "check",
        "programs.id_is_digest",
        _in_table("programs", first(program="pass")),
    ),
    PublicationFault(
        "row of the published seed lost",
        "check",
        "seed_models.as_packaged",
        _in_text(RESULTS, "seeds/models.csv", _lines_lost),
    ),
    PublicationFault(
        "number of the card changed",
        "check",
        "assembled.numbers_of_the_card",
        _in_text(LEADERBOARD, "README.md", _other_number),
    ),
    PublicationFault(
        "published headline raised", "check", "headline.is_of_the_leaderboard", _in_mart("headline", each(score=1.0))
    ),
    PublicationFault(
        "published interval moved",
        "check",
        "leaderboard.score_within_its_intervals",
        _in_mart("leaderboard", each(interval_low=0.99, interval_high=1.0)),
    ),
)
