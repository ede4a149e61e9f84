"""Example data that a suite's libraries would fetch while they run: put in place before, each file by its sha256.

    python containers/suite_data.py LIST.csv PLACE [FOLDER]

``LIST.csv``: ``path`` below the place, ``sha256``, ``address``. A file that FOLDER holds under its name is taken from
there, else from its address. One that cannot be had is named and left out: the gate then says which problems need it.
Standard library only, for the interpreter of the suite.
"""

from __future__ import annotations

import csv
import hashlib
import sys
import urllib.request
from pathlib import Path

_SECONDS = 60.0


def main(arguments: list[str]) -> None:
    table, place, folder = Path(arguments[0]), Path(arguments[1]), arguments[2] if len(arguments) > 2 else ""
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            target = place / row["path"]
            if target.is_file() and _digest(target.read_bytes()) == row["sha256"]:
                continue
            try:
                _put(target, _content(row, folder))
            except (OSError, ValueError) as error:
                print(f"{row['path']} is left out: {error}", file=sys.stderr)


def _content(row: dict[str, str], folder: str) -> bytes:
    """ValueError for another file than the pinned one."""
    near = Path(folder) / Path(row["path"]).name
    if folder and near.is_file():
        content = near.read_bytes()
    else:
        with urllib.request.urlopen(row["address"], timeout=_SECONDS) as answer:
            content = answer.read()
    if _digest(content) != row["sha256"]:
        raise ValueError("its sha256 is not the pinned one")
    return content


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(content)
    part.replace(target)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
