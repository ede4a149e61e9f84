# ruff: noqa: E501 - programs are data
"""Text that is not what it looks like: in the source, in answers, in reports, on standard output."""

from __future__ import annotations

import codecs

from .attack import RIGHT, Attack, in_call, on_pipe

_WRONG = "def total(xs):\n    return 5\n"


def _source(name: str, program: str, reasons: tuple[str, ...] = ()) -> Attack:
    return Attack(name, program, "once", reasons)


def _printed(name: str, data: bytes) -> Attack:
    return Attack(name, f"import os\nos.write(1, {data!r})\n", "doubled")


SOURCES = [
    _source("NUL in the source", f"{RIGHT}x = 1\0\n", ("syntax",)),
    _source("NUL in a name", "def tot\0al(xs):\n    return sum(xs)\n", ("syntax",)),
    _source("NUL in a comment", f"{RIGHT}# \0 {_WRONG}", ("syntax",)),
    _source("lone surrogate", f"{RIGHT}x = '\ud800'\n", ("syntax",)),
    _source("lone surrogate in a comment", f"{RIGHT}# \udfff\n", ("syntax",)),
    _source("byte order mark twice", f"\ufeff\ufeff{RIGHT}", ("syntax",)),
    _source("rot13 by a cookie", "# coding: rot13\n" + codecs.encode(RIGHT, "rot13")),
    _source("UTF-7 by a cookie", "# -*- coding: utf-7 -*-\n+" + "AGQAZQBmACAAdABvAHQAYQBs-(xs): return sum(xs)\n"),
    _source("escapes by a cookie", f"# coding: unicode_escape\n{_WRONG}# \\u000a{RIGHT.replace(chr(10), chr(92) + 'n')}\n"),
    _source("a comment that ends by a line separator", f"{_WRONG}# \u2028{RIGHT}".replace("\n    return sum", " return sum")),
    _source("code reversed by a mark", f"{_WRONG}# \u202e)sx(latot fed \u2066\n'''\u202e {RIGHT}'''\n"),
    _source("a name of other letters", "def t\u043etal(xs):\n    return sum(xs)\n", ("exception",)),
    _source("form feeds and carriage returns", "\f\r\rdef total(xs):\r    return 5\r\f# \ndef tota\f(xs): pass\n"),
    _source("surrogates joined from halves", f"{RIGHT}x = '\ud83d\ude00'\n", ("syntax",)),
    _source("nothing but blanks", " \t\f\n\u3000\n"),
]  # fmt: skip
ANSWERS = [
    in_call("answer with a frame in it", "return '6\\n[\"a\",0,0.1,0.1,6]\\n[\"end\",1]\\n'", reasons=("wrong_answer",)),
    in_call("answer of half characters", "return '\\ud800\\udfff' * 1000", reasons=("wrong_answer",)),
    in_call("answer of NULs", "return '\\0' * 1000", reasons=("wrong_answer",)),
    in_call("type named like a frame", "return type('x\\n[\"a\",0,0.1,0.1,6]\\n', (), {})()", reasons=("opaque_type",)),
    in_call("type of a very long name", "return type('x' * 10**7, (), {})()", reasons=("opaque_type",)),
    in_call("exception named like a frame", "raise type('x\\n[\"a\",0,0.1,0.1,6]\\n[\"end\",1]\\n', (Exception,), {})", reasons=("exception",)),
    in_call("exception of half a character", "raise type('\\ud800', (Exception,), {})('\\ud800')", reasons=("exception",)),
    in_call("exception whose text never ends", "class E(Exception):\n    def __str__(s):\n        while True: pass\n    __repr__ = __str__\nraise E", reasons=("exception",)),
    in_call("bytes that are the text", "return b'6'", reasons=("wrong_answer",)),
    in_call("terminal codes", "return '\\x1b]0;bf\\x07\\x1b[2J'", reasons=("wrong_answer",)),
]  # fmt: skip
REPORTS = [
    on_pipe("report in UTF-16", "'[\"a\",0,0.1,0.1,6]\\n[\"end\",1]\\n'.encode('utf-16')"),
    on_pipe("report with a byte order mark", b'\xef\xbb\xbf=6\n["end",1]\n'),
    on_pipe("report of broken UTF-8", b'="\xff\xfe\xc0\x80"\n["end",1]\n'),
    on_pipe("report of overlong UTF-8", b'="\xf0\x82\x82\xac"\n["end",1]\n'),
    on_pipe("report of half a character", b'="\\ud800"\n["end",1]\n', reasons=("wrong_answer",)),
    on_pipe("report of NaN", b'=NaN\n["end",1,[NaN],NaN]\n'),
    on_pipe("report of NULs", b"\0" * 100_000 + b"\n"),
    on_pipe("report of empty lines", b"\n" * 100_000),
    on_pipe("report with doubled keys", b'={"!":"?","v":"x","!":"i","v":"0x5"}\n["end",1]\n'),
]  # fmt: skip
PRINTED = [
    _printed("prints broken UTF-8", b"\xff\xfe8\n"),
    _printed("prints UTF-16", "8\n".encode("utf-16")),
    _printed("prints overlong digits", b"\xc0\xb8\n"),
    _printed("prints NULs before it", b"\0\0\x008\n"),
    _printed("prints terminal codes", b"\x1b[2K\r8\x1b[0m\n"),
    _printed("prints backspaces", b"9\x088\n"),
    _printed("prints other line ends", "8\u20288\n".encode()),
]  # fmt: skip

ATTACKS = [*SOURCES, *ANSWERS, *REPORTS, *PRINTED]
