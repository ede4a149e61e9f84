"""The leaderboard repository as the page reads it: fetched once, held in DuckDB, asked for again where that failed.

Its layout (one folder and one Parquet file per config, `publication.json` beside them) is that of docs/publication.md.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

LAYOUT = 1
TRIES = 4
FIRST_PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 10.0
# a page that is opened after so long asks whether something newer was published
FRESH_SECONDS = 600.0
# … and where reading failed, so long after it the next page tries again
RETRY_SECONDS = 20.0

# mart → the columns this page reads: a repository that lacks one of them is of another schema
NEEDED = {
    "headline": "model benchmark scenario test_set metric score interval_low interval_high rank_low rank_high "
    "num_models_ranked origin trust_tier comparability_digest",
    "leaderboard": "model benchmark scenario test_set verdict scope comparability_digest origin metric k "
    "dataset_version protocol temperature grader_id source trust_tier detection_rate num_forged num_problems "
    "num_planned num_unanswered score interval_low interval_high interval_method flags",
    "fct_rank_intervals": "model benchmark scenario test_set metric verdict scope comparability_digest origin rank "
    "rank_low rank_high num_models",
    "fct_model_comparisons": "benchmark scenario test_set metric verdict scope comparability_digest origin model "
    "other_model difference difference_low difference_high p_value num_discordant num_problems families_held",
    "fct_refusals": "model benchmark scenario test_set verdict scope origin metric reason detail problems num_affected",
    "dim_models": "model hub_id model_revision licence is_osi_approved parent_model training_step quantization "
    "cutoff_date cutoff_source",
    "dim_benchmarks": "benchmark scenario title is_default_cell",
}
# read once and kept in memory; comparisons of 500 models are 125 000 rows per board and stay in their file
KEPT_IN_FILE = ("fct_model_comparisons",)


class NotReadable(Exception):
    """The leaderboard cannot be shown now; the text says why, in a sentence for the reader of the page."""


@dataclass(frozen=True)
class Source:
    """Where the leaderboard lies: a data set on the Hub, or a folder (`folder` wins)."""

    leaderboard: str
    results: str
    revision: str | None = None
    folder: Path | None = None

    @classmethod
    def declared(cls, environment: Mapping[str, str] = os.environ) -> Source:
        """BENCHFORGE_{NAMESPACE,LEADERBOARD,RESULTS,REVISION,FOLDER}, and under them `publication.json` beside this."""
        beside = Path(__file__).with_name("publication.json")
        written = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
        namespace = environment.get("BENCHFORGE_NAMESPACE") or written.get("namespace") or "D4vidHuang"
        own = namespace == written.get("namespace")
        folder = environment.get("BENCHFORGE_FOLDER")
        return cls(
            leaderboard=environment.get("BENCHFORGE_LEADERBOARD")
            or (written["leaderboard"] if own else f"{namespace}/benchforge-leaderboard"),
            results=environment.get("BENCHFORGE_RESULTS")
            or (written["results"] if own else f"{namespace}/benchforge-results"),
            revision=environment.get("BENCHFORGE_REVISION") or None,
            folder=Path(folder) if folder else None,
        )


@dataclass(frozen=True)
class Board:
    """One revision of the leaderboard, in memory. `ask` may be called from many threads."""

    connection: duckdb.DuckDBPyConnection
    publication: dict[str, Any]
    commit: str | None

    def ask(self, query: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries."""
        cursor = self.connection.cursor()
        found = cursor.execute(query, dict(values or {}))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


class Reader:
    """The newest board that could be read; pages of many readers share it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._board: Board | None = None
        self._failure = ""
        self._looked_at = float("-inf")
        self._lock = threading.Lock()

    def board(self) -> Board:
        """The board; fetched where there is none yet, or a newer one may have been published.

        Raises: NotReadable, where there is none at all: a board once read stays until a newer one is whole.
        """
        if self._board is not None:
            if self._is_due() and not self._lock.locked():
                threading.Thread(target=self._look, daemon=True).start()
            return self._board
        self._look()
        if self._board is None:
            raise NotReadable(self._failure)
        return self._board

    def look_again(self) -> None:
        """The next `board` looks, however short ago the last one failed."""
        self._looked_at = float("-inf")

    def _is_due(self) -> bool:
        pause_seconds = RETRY_SECONDS if self._failure else FRESH_SECONDS
        return time.monotonic() - self._looked_at > pause_seconds

    def _look(self) -> None:
        with self._lock:  # who waited here finds that another has looked
            if self._is_due():
                self._look_now()

    def _look_now(self) -> None:
        try:
            commit = newest_commit(self.source)
            if self._board is None or commit != self._board.commit:
                self._board = opened(fetched(self.source, commit), commit)
            self._failure = ""
        except NotReadable as failure:
            self._failure = str(failure)
        finally:
            self._looked_at = time.monotonic()


def newest_commit(source: Source) -> str | None:
    """The commit that the source's revision means now; None for a folder. Raises: NotReadable."""
    if source.folder is not None:
        return None
    from huggingface_hub import HfApi

    def ask() -> str | None:
        return HfApi().dataset_info(source.leaderboard, revision=source.revision, timeout=ANSWER_SECONDS).sha

    return _from_hub(source, ask)


def fetched(source: Source, commit: str | None) -> Path:
    """The folder that holds the marts, downloaded where it is not here. Raises: NotReadable."""
    if source.folder is not None:
        return source.folder
    from huggingface_hub import snapshot_download

    wanted = ["publication.json", *(f"*/{mart}.parquet" for mart in NEEDED)]

    def download() -> str:
        return snapshot_download(source.leaderboard, repo_type="dataset", revision=commit, allow_patterns=wanted)

    return Path(_from_hub(source, download))


def _from_hub(source: Source, ask: Any) -> Any:
    """What `ask` returns, tried again where the Hub does not answer or answers that it cannot now."""
    import httpx2
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    failure: Exception = NotReadable("nothing was tried")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            return ask()
        except (RepositoryNotFoundError, HFValidationError) as error:
            raise NotReadable(f"The Hub has no data set {source.leaderboard} that this page may read.") from error
        except RevisionNotFoundError as error:
            raise NotReadable(f"{source.leaderboard} has no revision {source.revision}.") from error
        except (httpx2.HTTPError, OSError) as error:
            failure = error
    raise NotReadable(f"The Hub does not answer for {source.leaderboard} ({type(failure).__name__}).") from failure


def opened(folder: Path, commit: str | None) -> Board:
    """The board in a folder. Raises: NotReadable, where files or columns are missing or the layout is another one."""
    publication = _publication(folder)
    connection = duckdb.connect(config={"threads": 2})
    for mart, columns in NEEDED.items():
        files = sorted(folder.glob(f"*/{mart}.parquet"))
        if not files:
            raise NotReadable(f"The leaderboard lacks {mart}.parquet: it was published in another schema.")
        _declare(connection, mart, files[0])
        there = {row[0] for row in connection.execute(f"describe {mart}").fetchall()}
        if missing := [column for column in columns.split() if column not in there]:
            raise NotReadable(f"{mart} lacks {', '.join(missing)}: it was published in another schema.")
    return Board(connection, publication, commit)


def _publication(folder: Path) -> dict[str, Any]:
    path = folder / "publication.json"
    if not path.exists():
        raise NotReadable("The leaderboard has no publication.json: it was published in an older schema.")
    try:
        publication = json.loads(path.read_text(encoding="utf-8"))
        layout = publication["layout"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotReadable("publication.json of the leaderboard cannot be read.") from error
    if layout != LAYOUT:
        raise NotReadable(f"The leaderboard has layout {layout}, this page reads layout {LAYOUT}: update the Space.")
    return publication


def _declare(connection: duckdb.DuckDBPyConnection, mart: str, file: Path) -> None:
    kind = "view" if mart in KEPT_IN_FILE else "table"
    path = str(file).replace("'", "''")
    try:
        connection.execute(f"create {kind} {mart} as select * from read_parquet('{path}')")
    except duckdb.Error as error:
        raise NotReadable(f"{file.name} of the leaderboard cannot be read.") from error
