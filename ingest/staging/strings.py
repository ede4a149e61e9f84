"""Staging protocol strings: prompt texts of a harness, taken out of its source by syntax tree, never executed.

They are other people's text and do not stand in this repository. ``HARNESSES`` says where each stands: a file, a
function, and the variable it is assigned to there (or what the function returns). A text with slots (an f-string over
plain names) becomes a ``str.format`` template. Each text has one pinned sha256: another release with other words is
refused, one with the same words is as good.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .. import keys
from ..errors import BadInput, NotStaged, UsageError
from ..lake import replace_file

RETURNED = "return"


@dataclass(frozen=True)
class HarnessString:
    """Where a text stands: in ``file`` (relative to the harness), in ``function``, as ``variable`` or ``RETURNED``."""

    name: str
    file: str
    function: str
    variable: str
    sha256: str


@dataclass(frozen=True)
class Harness:
    """A harness and the release in which its texts were read."""

    name: str
    source: str
    strings: tuple[HarnessString, ...]


def _evalplus(variable: str, sha256: str) -> HarnessString:
    return HarnessString(f"evalplus.{variable}", "evalplus/codegen.py", "run_codegen", variable, sha256)


def _cruxeval(name: str, function: str, sha256: str) -> HarnessString:
    return HarnessString(f"cruxeval.{name}", "prompts.py", function, RETURNED, sha256)


HARNESSES: Mapping[str, Harness] = {
    harness.name: harness
    for harness in (
        Harness(
            "evalplus",
            "evalplus 0.3.1 (sdist, wheel) or evalplus/evalplus@26d6d00",
            (
                _evalplus("instruction_prefix", "08294c8ddb2f432a1759288843ccdc9d3c66487334055cf6d1256af6a4b67da7"),
                _evalplus("response_prefix", "3affe702dd54c3f803ec3f78bd98ed5a867b5441a367b47e2663c385d4f46af8"),
            ),
        ),
        Harness(
            "cruxeval",
            "facebookresearch/cruxeval@190faf1",
            (
                _cruxeval(
                    "direct_input",
                    "make_direct_input_prompt",
                    "2c0eab4cbc13a94c0841af6002f08b037243aa45dcce39a01d6325b95c98c3e0",
                ),
                _cruxeval(
                    "direct_output",
                    "make_direct_output_prompt",
                    "a6d1853d8a720e81543bc910e95f3c8a24c1ade83439764968a1d89bc00ffb09",
                ),
                _cruxeval(
                    "cot_input",
                    "make_cot_input_prompt",
                    "3d9813aec4d02ff870d65e6117395acba94ab8fed433b9e2bc998e179c23aada",
                ),
                _cruxeval(
                    "cot_output",
                    "make_cot_output_prompt",
                    "c4bd69547b35ab664e699bfc7b5a90eef06cf3b7b8ac5cb4ca211dd0c52c9fe6",
                ),
                HarnessString(
                    "cruxeval.system",
                    "openai/openai_prompt.py",
                    "prompt_openai_general",
                    "system_prompt",
                    "fe01db3bfe1094201ee3f29d7089accfa28d12b9567c15ef59a09e976b3cdb77",
                ),
            ),
        ),
    )
}


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
    for string in harness.strings:
        candidates = [(path, _text_at(path, string)) for path in _files(source, string.file)]
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


def _text_at(path: Path, string: HarnessString) -> str | None:
    """The text as declared, None where the file has no such place or it holds no text."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef) and function.name == string.function:
            return next((text for node in _values(function, string.variable) if (text := _as_text(node))), None)
    return None


def _values(function: ast.FunctionDef, variable: str) -> Iterator[ast.expr]:
    """Expressions that the function assigns to ``variable`` (or returns), in source order."""
    for node in function.body:
        for part in ast.walk(node):
            if variable == RETURNED and isinstance(part, ast.Return) and part.value is not None:
                yield part.value
            if isinstance(part, ast.Assign) and any(_is_name(target, variable) for target in part.targets):
                yield part.value


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _as_text(node: ast.expr) -> str | None:
    """A string constant as it is, an f-string over plain names as a ``str.format`` template."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = [_template_part(part) for part in node.values]
    return None if None in parts else "".join(part for part in parts if part is not None)


def _template_part(part: ast.expr) -> str | None:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value.replace("{", "{{").replace("}", "}}")
    if isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None:
        return f"{{{part.value.id}}}" if isinstance(part.value, ast.Name) else None
    return None
