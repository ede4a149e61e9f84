"""JSON read value by value, so that a document of any size needs the memory of its largest part only.

Python's own decoder reads each value: it keeps what other tools write and stricter readers refuse or change (``NaN``,
``Infinity``, lone surrogates, ``\\u0000``). Here only the ends of values are found: brackets outside strings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .text_stream import AGAIN, MAX_ROW_BYTES, text_pieces

_BLANK = re.compile(r"[ \t\r\n]*+")
_STRUCTURE = re.compile(r'["\[\]{}]')
_STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}:]*+")


class JsonStream:
    """Reads one value after the other; inside a container the caller takes or skips every value it is given.

    Raises BadInput, with the line, for what is not JSON or stops before its end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pieces = text_pieces(path)
        self._text = ""
        self._at = 0
        self._line, self._counted = 1, 0

    @property
    def line(self) -> int:
        """Line that the next character stands in, from 1."""
        # counted on from where it was asked last: from the piece's start each time took 15 times as long
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is not blank, "" at the end of the file."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # pyright: ignore[reportOptionalMemberAccess]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def value(self) -> Any:
        """The next value, decoded."""
        self.peek()
        line = self.line
        end = self._end_of_value()
        text, self._at = self._text[self._at : end], end
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._broken(line, str(error)) from error

    def skip(self) -> None:
        """Go past the next value without decoding it."""
        self.peek()
        self._at = self._end_of_value()

    def members(self) -> Iterator[str]:
        """Keys of the object that comes next; the value of each is the caller's to take or skip."""
        self._take("{")
        while self.peek() != "}":
            key = self.value()
            self._take(":")
            yield key
            if self.peek() != "}":
                self._take(",")
        self._take("}")

    def elements(self) -> Iterator[int]:
        """Positions, from 0, in the array that comes next; each element is the caller's to take or skip."""
        self._take("[")
        position = 0
        while self.peek() != "]":
            yield position
            position += 1
            if self.peek() != "]":
                self._take(",")
        self._take("]")

    def _take(self, character: str) -> None:
        if self.peek() != character:
            found = repr(self.peek()) if self.peek() else "the end of the file"
            raise self._broken(self.line, f"{character!r} is expected, {found} stands there")
        self._at += 1

    def _end_of_value(self) -> int:
        if self._text[self._at : self._at + 1] not in ("{", "[", '"'):
            return self._end_of_scalar()
        position, depth = self._at, 0
        while True:
            found = _STRUCTURE.search(self._text, position)
            if found is None:
                position = self._grown(len(self._text))
                continue
            position, character = found.end(), found[0]
            if character == '"':
                position = self._end_of_string(position)
            else:
                depth += 1 if character in "[{" else -1
            if depth <= 0:
                return position

    def _end_of_string(self, position: int) -> int:
        while (found := _STRING_END.match(self._text, position)) is None:
            position = self._grown(position)
        return found.end()

    def _end_of_scalar(self) -> int:
        while True:
            end = _SCALAR.match(self._text, self._at).end()  # pyright: ignore[reportOptionalMemberAccess]
            if end < len(self._text) or not self._more():
                break
        if end == self._at:
            raise self._broken(self.line, "a value is expected")
        return end

    def _grown(self, position: int) -> int:
        """Where ``position`` lies once more text is there; the text has to go on."""
        before = self._at
        line = self.line
        if len(self._text) - before > MAX_ROW_BYTES:
            raise BadInput(f"{self.path} line {line}: a value is longer than {MAX_ROW_BYTES >> 20} MiB", AGAIN)
        if not self._more():
            raise self._broken(line, "a value begins here and does not end")
        return position - before + self._at

    def _more(self) -> bool:
        """One piece more behind the text that is still needed; False at the end of the file."""
        for piece in self._pieces:
            if piece:
                self._line, self._counted = self.line, 0
                self._text, self._at = self._text[self._at :] + piece, 0
                return True
        return False

    def _broken(self, line: int, why: str) -> BadInput:
        return BadInput(f"{self.path} line {line} is not whole JSON (is the file cut off?): {why}", AGAIN)
