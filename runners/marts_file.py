"""Which lake a command means, and where its file of marts lies."""

from __future__ import annotations

from pathlib import Path

from ..ingest.config import Settings
from ..ingest.errors import UsageError

FILE_NAME = "benchforge.duckdb"


def lake_of(settings: Settings) -> Path | None:
    """The lake that is named, else the run's own where there is one, else None: the bundled lake.

    A published one (``hf://datasets/…``) is fetched. UsageError for a named lake that does not exist: an empty
    leaderboard would hide the misspelling.
    """
    if settings["run.lake"].startswith("hf://"):
        from .publish.snapshot import fetched

        return fetched(settings["run.lake"]).folder
    if settings["run.lake"]:
        if not settings.lake_root.is_dir():
            raise UsageError(f"there is no lake at {settings.lake_root}", "give an existing folder with --lake DIR")
        return settings.lake_root
    return settings.lake_root if settings.lake_root.is_dir() else None


def default_output(settings: Settings, lake: Path | None) -> Path:
    """Beside the run for its own lake, else in the folder where the command runs, as plain ``dbt build`` does."""
    return settings.run_root / FILE_NAME if lake is not None and _is_own(settings, lake) else Path(FILE_NAME)


def built_file(settings: Settings) -> Path:
    """The file that ``sql`` asks: where ``aggregate`` with the same settings has written it.

    A run whose marts are not built yet is never answered with somebody else's, nor a named lake with the run's.
    """
    named = settings["run.lake"]
    if named and (named.startswith("hf://") or not _is_own(settings, settings.lake_root)):
        return Path(FILE_NAME)
    own = settings.run_root / FILE_NAME
    return own if own.exists() or (settings.run_root / "lake").is_dir() else Path(FILE_NAME)


def _is_own(settings: Settings, lake: Path) -> bool:
    return lake.resolve() == (settings.run_root / "lake").resolve()


def is_marts_file(path: Path) -> bool:
    """Whether a file may be replaced by marts: it is DuckDB's, by the mark behind its checksum, or empty."""
    with path.open("rb") as file:
        start = file.read(12)
    return not start or start[8:] == b"DUCK"
