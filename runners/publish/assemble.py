"""The three repositories as folders, side by side, before anything is sent.

The published lake comes first; the marts are then built from *it*, and must be those that were built from the run's
lake and checked. So the round trip that readers can make has been made once before they can.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...ingest.config import OPTIONS, Settings
from ...ingest.errors import GateFailed
from ...macros.udfs import lake_files
from .. import aggregate
from . import cards, every_eval_ever, picture, publication_file
from .declared import LEADERBOARD, RESULTS, SPACE, config_of, destination
from .results_lake import Assembled, assemble_lake
from .sensitive import Machine, hosts_of, this_machine
from .terms import SEEDS

EXPORTS = "every_eval_ever"
"""Folder of the records that are exported and not sent."""
_SPACE_FILES = Path(__file__).parent / "space"
_REDACTED_MARTS = ("fct_refusals",)
"""Marts that quote the ledger, whose names of this machine are words in what is published."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Publication:
    """An assembled ``publish/`` folder."""

    folder: Path
    marts: Path
    """File of marts, built from the published lake; beside the folder, which holds what is sent and its exports."""
    counted: Assembled
    machine: Machine
    contents: tuple[publication_file.Publication, ...]
    """Of results, leaderboard and Space, in this order."""


def assemble(
    settings: Settings,
    built: Path,
    lake: Path,
    folder: Path,
    *,
    names: cards.Names | None = None,
    withheld: Sequence[bytes] = (),
    token: str | None = None,
    watch: aggregate.Watch = aggregate.unwatched,
) -> Publication:
    """Write the three repositories into ``folder``, which is emptied first.

    ``built`` is the file of marts that was made from ``lake`` and checked. Raises GateFailed where the marts of what
    is published are other ones, LakeError where the lake is not whole.
    """
    _emptied(folder)
    machine = _machine(settings, lake, token)
    results, leaderboard = folder / RESULTS, folder / LEADERBOARD
    counted = assemble_lake(lake, results, machine.redactions(), withheld)
    made = aggregate.build(results, folder.with_name(f".{folder.name}-marts") / built.name, watch=watch)
    refuse_other_marts(built.parent / "marts", made.path.parent / "marts")
    names = names or cards.Names.of(settings["publish.namespace"])
    _copy_marts(made.path, results, leaderboard)
    _copy_seeds(results)
    _write_card(results, cards.results_card(results, made.path, counted, names))
    of_results = publication_file.write(results)
    picture.draw(made.headline, leaderboard / cards.PICTURE)
    _write_card(leaderboard, cards.leaderboard_card(made.path, names, of_results.tag))
    of_leaderboard = publication_file.write(leaderboard, results=names.results, results_tag=of_results.tag)
    of_space = _copy_space(folder / SPACE, names)
    every_eval_ever.export(made.path, folder / EXPORTS, names.results.partition("/")[0], names.results)
    return Publication(folder, made.path, counted, machine, (of_results, of_leaderboard, of_space))


def refuse_other_marts(ours: Path, theirs: Path) -> None:
    """GateFailed with the names of marts (folders of exports) that are not the same bytes.

    A mart that quotes the ledger may differ in ``detail``, where names of this machine became words.
    """
    wanted = [*destination(RESULTS).files, *destination(LEADERBOARD).files]
    other = [mart for mart in wanted if not _is_same(ours / f"{mart}.parquet", theirs / f"{mart}.parquet", mart)]
    if other:
        raise GateFailed(
            f"the marts of what would be published are not those of the lake: {', '.join(other)}",
            "benchforge verify; if the lake is whole, this is a fault of benchForge",
        )


def _is_same(ours: Path, theirs: Path, mart: str) -> bool:
    if ours.read_bytes() == theirs.read_bytes():
        return True
    return mart in _REDACTED_MARTS and _is_same_but_for_detail(ours, theirs)


def _is_same_but_for_detail(ours: Path, theirs: Path) -> bool:
    import duckdb

    rows = "select * exclude (detail) from read_parquet(?)"
    with duckdb.connect() as connection:
        for pair in ((ours, theirs), (theirs, ours)):
            query = f"select count(*) from ({rows} except all {rows})"
            if connection.execute(query, list(map(str, pair))).fetchall()[0][0]:
                return False
    return True


def _machine(settings: Settings, lake: Path, token: str | None) -> Machine:
    files = {table: lake_files(str(lake), table)["files"] for table in ("runs", "timings")}
    places = [settings.scratch, settings.datasets_root, lake, Path.cwd()]
    return this_machine(hosts_of(files), [str(place.resolve()) for place in places], token)


def _emptied(folder: Path) -> None:
    """Only what an assembly made is removed: a folder with anything else in it is not ours to empty."""
    for name in (RESULTS, LEADERBOARD, SPACE, EXPORTS):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _copy_marts(marts: Path, results: Path, leaderboard: Path) -> None:
    exports = marts.parent / "marts"
    (results / "marts").mkdir(parents=True)
    for mart in destination(RESULTS).files:
        shutil.copyfile(exports / f"{mart}.parquet", results / "marts" / f"{mart}.parquet")
    for mart in destination(LEADERBOARD).files:
        target = leaderboard / config_of(mart) / f"{mart}.parquet"
        target.parent.mkdir(parents=True)
        shutil.copyfile(exports / target.name, target)


def _copy_seeds(results: Path) -> None:
    (results / "seeds").mkdir()
    for seed in sorted(SEEDS.glob("*.csv")):
        shutil.copyfile(seed, results / "seeds" / seed.name)


def _copy_space(folder: Path, names: cards.Names) -> publication_file.Publication:
    shutil.copytree(_SPACE_FILES, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    for default, name in zip(_names_in_space(), (names.leaderboard, names.results), strict=True):
        card = card.replace(default, name)
    _write_card(folder, card)
    said: dict[str, Any] = {"namespace": names.leaderboard.partition("/")[0]}
    return publication_file.write(folder, **said, leaderboard=names.leaderboard, results=names.results)


def _names_in_space() -> tuple[str, str]:
    """Repositories under the default namespace, as the Space's own card names them."""
    default = next(option.default for option in OPTIONS if option.path == "publish.namespace")
    return f"{default}/{LEADERBOARD}", f"{default}/{RESULTS}"


def _write_card(folder: Path, text: str) -> None:
    (folder / "README.md").write_text(text, encoding="utf-8")
