"""What a model wrote: decoded, cut where it is long, and coloured.

Colours are runs of lengths beside the text, not markup in it: the page cuts its string by them and makes elements of
the pieces, so no text can become markup. Lengths count UTF-16 units, as strings of scripts do.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

MAX_SHOWN = 60_000
"""Characters of one text that are shown: four times what 4,096 tokens make, a tenth of a second for the browser."""
_TAIL = 6_000
"""Of these at the end: where an answer that never ends repeats itself is seen."""
LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("", "python", "py", "python3"), "python"),
    **{name: name for name in ("cpp", "d", "go", "java", "js", "lua", "php", "r", "scala", "swift", "ts")},
    **{"c++": "cpp", "cs": "csharp", "csharp": "csharp", "jl": "julia", "julia": "julia", "javascript": "js"},
    **{"pl": "perl", "perl": "perl", "rb": "ruby", "ruby": "ruby", "rkt": "racket", "racket": "racket"},
    **{"rs": "rust", "rust": "rust", "bash": "bash", "sh": "bash", "shell": "bash", "typescript": "ts"},
}
"""Word behind a fence, or scenario of MultiPL-E -> lexer. A closed list: the word is the model's, and some of the 600
lexers take minutes for texts made to hurt them."""
MAX_COLOURED: Mapping[str, int] = {"python": 10_000}
_MAX_OF_OTHERS = 4_000
"""Longer texts stay plain. Lexers are regular expressions, quadratic on texts made for it: of those tried the worst
took 0.9 s at 10,000 characters of Python, 0.5 s at 4,000 of the others (docs/design/report.md)."""
_REPEATS_ITSELF = re.compile(r"(.{1,4}?)\1{300}", re.DOTALL)
"""What these worst cases are made of, and what models that never end write."""
KINDS = ("", "keyword", "string", "comment", "number", "name", "builtin", "decorator")
"""Colours; a run names its place here. Unknown tokens are plain."""
_TOKENS: Mapping[str, int] = {
    "Token.Keyword": 1,
    "Token.Operator.Word": 1,
    "Token.Literal.String": 2,
    "Token.Comment": 3,
    "Token.Literal.Number": 4,
    "Token.Name.Function": 5,
    "Token.Name.Class": 5,
    "Token.Name.Builtin": 6,
    "Token.Name.Exception": 6,
    "Token.Name.Decorator": 7,
}
_FENCE = re.compile(r"^```[ \t]*([\w+#-]*)[^\n]*\n(.*?)(?:^```|\Z)", re.MULTILINE | re.DOTALL)
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")


def shown(text: str | None, encoding: str | None = None, form: str = "program", language: str = "python") -> Any:
    """``{"text", "runs"}``, and ``cut`` with the whole text's digest where only its ends are kept; None for None.

    ``form`` is the sample's ``text_form``: in a reply (``raw``) only fenced code is coloured.
    """
    if text is None:
        return None
    whole = _decoded(text, encoding)
    if len(whole) > MAX_SHOWN:
        head, tail = whole[: MAX_SHOWN - _TAIL], whole[-_TAIL:]
        return {"text": head, "tail": tail, "runs": [], "cut": _about(whole)}
    return {"text": whole, "runs": list(_runs(whole, form, language))}


def _decoded(text: str, encoding: str | None) -> str:
    """As ``ingest.texts.original``, but a row that says so wrongly is shown as it is: this is only looked at."""
    if encoding != "json":
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str) else text


def _about(whole: str) -> dict[str, Any]:
    content = whole.encode("utf-8", "surrogatepass")
    return {
        "num_characters": len(whole),
        "num_shown": MAX_SHOWN,
        "num_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@lru_cache(maxsize=20_000)
def _runs(text: str, form: str, language: str) -> tuple[int, ...]:
    """Kind and length, kind and length …; what follows the last run is plain."""
    if not text or form == "prose":
        return ()
    pieces = _pieces_of_reply(text, language) if form == "raw" else _coloured(text, language)
    return tuple(_joined(pieces))


def _pieces_of_reply(text: str, language: str) -> Iterator[tuple[int, int]]:
    end = 0
    for fence in _FENCE.finditer(text):
        yield 0, _units(text[end : fence.start(2)])
        yield from _coloured(fence[2], fence[1].lower() or language)
        end = fence.end(2)


def _coloured(code: str, language: str) -> Iterator[tuple[int, int]]:
    name = LANGUAGES.get(language)
    if name is None or len(code) > MAX_COLOURED.get(name, _MAX_OF_OTHERS) or _REPEATS_ITSELF.search(code):
        yield 0, _units(code)
        return
    for _, token, value in _lexer(name).get_tokens_unprocessed(code):
        yield _kind(token), _units(value)


def _joined(pieces: Iterator[tuple[int, int]]) -> Iterator[int]:
    last, length = 0, 0
    for kind, units in pieces:
        if kind != last and length:
            yield from (last, length)
            length = 0
        last, length = kind, length + units
    if length and last:
        yield from (last, length)


def _units(text: str) -> int:
    return len(text) + len(_BEYOND_16_BITS.findall(text))


@cache
def _kind(token: Any) -> int:
    names = [str(part) for part in token.split()]
    return next((_TOKENS[name] for name in reversed(names) if name in _TOKENS), 0)


@cache
def _lexer(name: str) -> Any:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name(name)
