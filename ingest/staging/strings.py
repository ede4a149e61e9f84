"""Staging protocol strings: prompt texts of a harness, taken out of its source by syntax tree, never executed.

They are other people's text and do not stand in this repository. ``HARNESSES`` says where each stands; a text with
slots becomes a ``str.format`` template (``source_text``). Each text has one pinned sha256: another release with other
words is refused, one with the same words is as good.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from .. import keys
from ..errors import BadInput, NotStaged, UsageError
from ..lake import replace_file
from .harnesses import HARNESSES, Harness
from .source_text import RETURNED, HarnessString, text_at

__all__ = ["HARNESSES", "RETURNED", "Harness", "HarnessString", "find_strings", "read_strings", "write_strings"]


def find_strings(source: Path) -> dict[str, dict[str, str]]:
    """Texts of every harness that ``source`` holds whole: harness -> name -> text.

    Raises UsageError when it is no folder, BadInput when it holds no harness or one with other words than the pins.
    """
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder", "unpack the harness and give its folder")
    found = {name: texts for name, harness in HARNESSES.items() if (texts := _harness_texts(harness, source))}
    if not found:
        files = sorted({string.file for harness in HARNESSES.values() for string in harness.strings})
        raise BadInput(
            f"{source} holds no known harness: none of {', '.join(files)} is there",
            "unpack " + " or ".join(harness.source for harness in HARNESSES.values()) + " there",
        )
    return found


def write_strings(texts_by_harness: Mapping[str, Mapping[str, str]], datasets_root: Path) -> list[Path]:
    """One file per harness, ``{name: {"text": …, "sha256": …}}``; replaced whole."""
    paths = []
    for harness, texts in texts_by_harness.items():
        document = {name: {"text": text, "sha256": keys.sha256_text(text)} for name, text in sorted(texts.items())}
        path = _strings_file(datasets_root, harness)
        replace_file(path, json.dumps(document, indent=1, ensure_ascii=True).encode() + b"\n")
        paths.append(path)
    return paths


def read_strings(names: Iterable[str], datasets_root: Path) -> dict[str, str]:
    """Staged texts by name. Raises NotStaged for one that is not there, BadInput for one with other words."""
    texts: dict[str, str] = {}
    for name in names:
        harness = name.partition(".")[0]
        path = _strings_file(datasets_root, harness)
        staged = _read_file(path)
        if name not in staged:
            raise NotStaged(f"the protocol string {name} is not staged in {datasets_root}", _hint(harness))
        if keys.sha256_text(staged[name]) != _declared(name).sha256:
            raise BadInput(f"{path}: {name} is not the pinned text", _hint(harness))
        texts[name] = staged[name]
    return texts


def _strings_file(datasets_root: Path, harness: str) -> Path:
    return datasets_root / "strings" / f"{harness}.json"


def _hint(harness: str) -> str:
    return f"benchforge stage --strings-from DIR, with {HARNESSES[harness].source} unpacked in DIR"


def _declared(name: str) -> HarnessString:
    return next(string for string in HARNESSES[name.partition(".")[0]].strings if string.name == name)


def _read_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {name: entry["text"] for name, entry in document.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is damaged", "remove it and stage the strings again") from error


def _harness_texts(harness: Harness, source: Path) -> dict[str, str]:
    """Every text of one harness, {} where none of its files is there."""
    texts: dict[str, str] = {}
    missing: list[str] = []
    places = {file: _files(source, file) for file in {string.file for string in harness.strings}}
    for string in harness.strings:
        candidates = [(path, text_at(path, string)) for path in places[string.file]]
        candidates = [(path, text) for path, text in candidates if text is not None]
        right = next((text for _, text in candidates if keys.sha256_text(text or "") == string.sha256), None)
        if right is not None:
            texts[string.name] = right
        elif candidates:
            path = candidates[0][0]
            where = f"{string.function}, {string.variable}"
            raise BadInput(f"{path}: {string.name} ({where}) has other words than the pin", f"use {harness.source}")
        else:
            missing.append(string.file)
    if texts and missing:
        raise BadInput(
            f"{source} holds only a part of {harness.name}: {missing[0]} is missing", f"use {harness.source}"
        )
    return texts


def _files(source: Path, relative: str) -> list[Path]:
    """Files below ``source`` whose path ends as ``relative`` does, the least nested first."""
    parts = PurePosixPath(relative).parts
    found = (path for path in source.rglob(parts[-1]) if path.parts[-len(parts) :] == parts and path.is_file())
    return sorted(found, key=lambda path: (len(path.parts), path))
