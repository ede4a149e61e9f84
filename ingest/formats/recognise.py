"""Which format is this file in? Told by content alone: names of logs are changed more often than their keys."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadInput, UsageError
from .glimpse import Glimpse, look
from .records import Format, MeansFormat, TableFormat

_NUM_KEYS_SHOWN = 8
AnyFormat = Format | MeansFormat | TableFormat


def recognise(path: Path, benchmark: str | None = None) -> AnyFormat:
    """The one format that knows the file; ``benchmark`` (a key of ours) decides where two read the same rows.

    Raises BadInput for a file that cannot be read or that no format knows (the sentence says what it looks like),
    UsageError where several know it: they are named, and nothing is guessed.
    """
    glimpse = look(path)
    found = formats_of(glimpse)
    if len(found) > 1 and benchmark is not None:
        found = [one for one in found if benchmark in getattr(one, "benchmarks", ())] or found
    if not found:
        raise BadInput(f"{path} is in no format that is known: it {_appearance(glimpse)}", "see docs/formats.md")
    if len(found) > 1:
        names = [one.name for one in found]
        raise UsageError(
            f"{path} can be {' or '.join(names)}, which read it differently",
            f"name the format instead of auto ({', '.join(names)}), or add --benchmark",
        )
    return found[0]


def formats_of(glimpse: Glimpse) -> list[AnyFormat]:
    """Every format that knows what it sees, by name."""
    from . import means_registry, registry, table_registry

    declared = (*registry().values(), *means_registry().values(), *table_registry().values())
    return [one for one in declared if one.recognises(glimpse)]


def name_of_row(path: Path, row: dict[str, object]) -> str:
    """Formats that a row of this shape would be in, as words; "" where it is in none."""
    return " or ".join(one.name for one in formats_of(Glimpse(path, "lines", row)))


def _appearance(glimpse: Glimpse) -> str:
    keys = ", ".join(list(glimpse.row)[:_NUM_KEYS_SHOWN])
    names = ", ".join(glimpse.names[:_NUM_KEYS_SHOWN])
    words = {
        "empty": "is empty",
        "text": "is neither JSON nor Parquet nor a zip file",
        "lines": f"holds JSON lines with {keys}",
        "array": f"is a JSON list of objects with {keys}" if keys else "is a JSON list of something else than objects",
        "object": f"is one JSON object with {keys}",
        "zip": f"is a zip file with {names}",
        "parquet": f"is a Parquet file with the columns {names}",
        "folder": f"is a folder with {names}" if names else "is an empty folder",
    }
    return words[glimpse.kind]
