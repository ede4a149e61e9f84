"""The one text in a pickle that may hold nothing else, read without unpickling: nothing is looked up, nothing called.

Opcodes as ``pickletools`` of the standard library documents them. What ``pickle.dumps`` of a string writes, in any
binary protocol: PROTO, FRAME, one of three text opcodes, a memo entry, STOP. Anything else is refused by its offset.
"""

from __future__ import annotations

_PROTO, _FRAME, _STOP = 0x80, 0x95, ord(".")
_TEXT = {0x8C: 1, ord("X"): 4, 0x8D: 8}
"""SHORT_BINUNICODE, BINUNICODE, BINUNICODE8 -> bytes of the length that follows."""
_SKIPPED = {_PROTO: 1, _FRAME: 8, 0x94: 0, ord("q"): 1, ord("r"): 4}
"""PROTO, FRAME, MEMOIZE, BINPUT, LONG_BINPUT -> bytes of their argument; a memo that nothing fetches says nothing."""


class NotOneText(ValueError):
    """With a sentence about what stands there instead."""


def text_of_pickle(data: bytes) -> str:
    """The text. Raises NotOneText for a pickle of anything else, and for bytes before or after it."""
    position, text = 0, None
    while position < len(data):
        code = data[position]
        position += 1
        if code == _STOP:
            if text is None or position != len(data):
                break
            return text
        if code in _SKIPPED:
            position += _SKIPPED[code]
        elif code in _TEXT and text is None:
            start = position + _TEXT[code]
            end = start + int.from_bytes(data[position:start], "little")
            if end > len(data):
                break
            text, position = _decoded(data, start, end), end
        else:
            raise NotOneText(f"byte {position - 1} of the pickle is no part of one text")
    raise NotOneText("the pickle is not one whole text")


def _decoded(data: bytes, start: int, end: int) -> str:
    try:
        return str(memoryview(data)[start:end], "utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise NotOneText("the pickled text is not UTF-8") from error
