# ruff: noqa: E501 - programs are data
"""Programs that want time, memory or disk: of their own process, of the sandbox, and of the judge that reads them."""

from __future__ import annotations

from .attack import Attack, at_import, in_call, on_pipe

_A = "b'[\"a\",0,0.1,0.1,' + "
_END = " + b']\\n[\"end\",1]\\n'"

PROCESS = [
    in_call("40 GB at once", "return bytearray(40 << 30)", reasons=("memory",)),
    in_call("memory bit by bit", "kept = []\nwhile True: kept.append(bytearray(1 << 24))"),
    in_call("memory by mmap", "import mmap\nkept = [mmap.mmap(-1, 1 << 28) for _ in range(64)]"),
    in_call("memory pinned", "import ctypes\nsize = 64 << 20\nroom = ctypes.create_string_buffer(size)\nif ctypes.CDLL(None).mlock(room, size) != 0: raise OSError"),
    in_call("memory raised by its own hand", "import ctypes, struct\nno = struct.pack('QQ', 2**64 - 1, 2**64 - 1)\nif ctypes.CDLL(None).setrlimit(9, no) != 0 and ctypes.CDLL(None).syscall(302, 0, 9, no, None) != 0: raise OSError"),
    in_call("tens of thousands of threads", "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"),
    in_call("threads that compete with their own clock", "import hashlib, threading\ndata = bytes(1 << 26)\ndef work():\n    while True: hashlib.sha256(data)\nfor _ in range(40): threading.Thread(target=work, daemon=True).start()\nwork()"),
    in_call("sleeps", "import time\ntime.sleep(600)", reasons=("timeout",)),
    in_call("stops itself", "import posix\nposix.kill(posix.getpid(), 19)", reasons=("timeout",)),
    in_call("waits for a signal", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nsignal.sigwait({signal.SIGUSR1})", reasons=("timeout",)),
    in_call("ignores the alarm", "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass", reasons=("timeout",)),
    in_call("sets the alarm to never", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass", reasons=("timeout",)),
    in_call("swallows every exception", "while True:\n    try:\n        while True: pass\n    except BaseException: pass", reasons=("timeout",)),
    in_call("endless loop in C", "import collections, itertools\ncollections.deque(itertools.repeat(0), maxlen=0)", reasons=("timeout",)),
    in_call("power of powers", "return 9 ** 9 ** 9", reasons=("timeout", "memory")),
    in_call("regular expression", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", reasons=("timeout",)),
    in_call("recursion without a bottom", "import sys\nsys.setrecursionlimit(10**9)\nf = lambda: f()\nf()"),
    in_call("deep objects that die at once", "x = None\nfor _ in range(10**6): x = [x]\nreturn x"),
    at_import("opens a pipe that nobody writes", "import io, posix\nposix.mkfifo('p')\nio.open('p').read()"),
    at_import("warns for ever", "import warnings\nwhile True: warnings.warn('x' * 1000)"),
    at_import("prints for ever", "while True: print('x' * 10**6)"),
]  # fmt: skip
"""Its own time and memory."""

DISK = [
    at_import("fills the disk", "import io\nfor n in range(10**6):\n    with io.open(f'f{n}', 'wb') as s: s.write(bytes(1 << 24))"),
    at_import("one file without end", "import io\nwith io.open('f', 'wb') as s:\n    while True: s.write(bytes(1 << 20))", reasons=("exception",)),
    at_import("allocates without writing", "import ctypes, io\ns = io.open('f', 'wb')\nif ctypes.CDLL(None).posix_fallocate(s.fileno(), ctypes.c_long(0), ctypes.c_long(8 << 30)): raise OSError"),
    at_import("a file with a hole of a terabyte", "import io\nwith io.open('f', 'wb') as s:\n    s.seek(1 << 40)\n    s.write(b'x')", reasons=("exception",)),
    at_import("small files without number", "import io\nn = 0\nwhile True:\n    io.open(f'{n}', 'wb').close()\n    n += 1", reasons=("timeout", "exception", "killed")),
    Attack("directories without a bottom", "import posix\nwhile True:\n    posix.mkdir('d'); posix.chdir('d')\n"),
    Attack("directories that cannot be listed", "import io, posix\nposix.mkdir('d', 0o300)\nfor n in range(9):\n    with io.open(f'd/{n}', 'wb') as s: s.write(bytes(30 << 20))\n"),
    Attack("directories nobody may enter", "import io, posix\nposix.umask(0)\nfor n in range(50):\n    posix.mkdir(f'd{n}', 0o700)\n    posix.mkdir(f'd{n}/closed', 0)\n    with io.open(f'd{n}/f', 'wb') as s: s.write(bytes(5 << 20))\n    posix.mkdir(f'e{n}', 0)\nraise ValueError\n"),
    Attack("names that a shell would fear", "import io, posix\nfor name in ('a\\nb', '-rf', '*', ' ', '\\x1b[2J', '..x', 'x' * 255, b'\\xff\\xfe'):\n    posix.mkdir(name)\n    io.open(posix.fsencode(name) + b'/f' if isinstance(name, bytes) else name + '/f', 'w').close()\nraise ValueError\n"),
]  # fmt: skip
"""The sandbox's own file system, which later programs need."""

JUDGE = [
    on_pipe("one line without an end", "b'[' * (200 << 20)", reasons=("output_limit", "timeout")),
    Attack("frames without an end", "import os\nwhile True: os.write(3, b'[\"a\",0,0.1,0.1,6]\\n' * 4096)\n"),
    Attack("lines without an end and nothing in them", "import os\nwhile True: os.write(3, b'\\n' * (1 << 20))\n"),
    Attack("an answer of commas", "import os\nos.write(3, b'[\"a\",0,0.1,0.1,')\nwhile True: os.write(3, b',' * (1 << 20))\n"),
    Attack("right answers, then ends without an end", "import os\nos.write(3, b'[\"a\",0,0.1,0.1,6]\\n')\nwhile True: os.write(3, b'[\"end\",2]\\n' * 40_000)\n"),
    Attack("one byte at a time", "import os, time\nfor byte in b'[\"a\",0,0.1,0.1,6]\\n[\"end\",1]\\n' * 9:\n    os.write(3, bytes([byte])); time.sleep(0.1)\n", reasons=("timeout",)),
    on_pipe("ten million empty lists", _A + "b'[' + b'[],' * 10_000_000 + b'[]]'" + _END),
    on_pipe("millions of small dictionaries", _A + "b'[' + b'{},' * 10_000_000 + b'{}]'" + _END),
    on_pipe("a list within a list", _A + "b'[' * 400_000 + b']' * 400_000" + _END, reasons=("tamper",)),
    on_pipe("a tag within a tag", _A + "b'{\"!\":\"sub\",\"v\":' * 900 + b'6' + b'}' * 900" + _END),
    on_pipe("an integer of 16 million digits", _A + "b'1' * (16 << 20)" + _END, reasons=("tamper",)),
    on_pipe("a hexadecimal integer of 30 MB", _A + "b'{\"!\":\"i\",\"v\":\"0x' + b'f' * (30 << 20) + b'\"}'" + _END),
    on_pipe("fraction that must be shortened", _A + "b'{\"!\":\"F\",\"v\":[\"0x' + b'7' * (8 << 20) + b'\",\"0x' + b'5' * (8 << 20) + b'\"]}'" + _END),
    on_pipe("decimal with an exponent beyond all", _A + "b'{\"!\":\"D\",\"v\":\"1E+999999999999999999\"}'" + _END),
    on_pipe("decimal of 30 million digits", _A + "b'{\"!\":\"D\",\"v\":\"' + b'9' * (30 << 20) + b'\"}'" + _END),
    on_pipe("array of wide strings", _A + "b'{\"!\":\"na\",\"v\":[\"<U1\",[300001],[\"' + b'x' * 300_000 + b'\"' + b',\"\"' * 300_000 + b']]}'" + _END),
    on_pipe("array of wide bytes", _A + "b'{\"!\":\"na\",\"v\":[\"|S1\",[200001],[{\"!\":\"b\",\"v\":\"' + b'78' * 200_000 + b'\"}' + b',\"\"' * 200_000 + b']]}'" + _END),
    on_pipe("array of a structure of gigabytes", _A + "b'{\"!\":\"na\",\"v\":[\"<i8,999999999i8\",[1],[1]]}'" + _END),
    on_pipe("bytes by their number", _A + "b'{\"!\":\"ns\",\"v\":[\"|S1\",6000000000]}'" + _END),
    on_pipe("nothing by its number", _A + "b'{\"!\":\"ns\",\"v\":[\"<i8,<i8\",6000000000]}'" + _END),
    on_pipe("array of no elements and every shape", _A + "b'{\"!\":\"na\",\"v\":[\"<i8\",[0,4611686018427387904],[]]}'" + _END),
    on_pipe("shape of letters", _A + "b'{\"!\":\"na\",\"v\":[\"<i8\",[\"x\"],[1]]}'" + _END),
    on_pipe("numbers of one hash", _A + "b'{\"!\":\"s\",\"v\":[' + b','.join(b'{\"!\":\"i\",\"v\":\"%x\"}' % (n * (2**61 - 1)) for n in range(200_000)) + b']}'" + _END, "same_items"),
    on_pipe("tuples of one hash, again and again", "b'[\"a\",0,0.1,0.1,{\"!\":\"s\",\"v\":[' + b','.join(b'{\"!\":\"t\",\"v\":[%s]}' % b','.join(b'-2' if i == 139 - n % 60 else b'-1' for i in range(140)) for n in range(50_000)) + b']}]\\n[\"end\",1]\\n'", "same_items"),
    on_pipe("keys of one hash", _A + "b'{\"!\":\"d\",\"v\":[[' + b','.join(b'{\"!\":\"i\",\"v\":\"%x\"}' % (n * (2**61 - 1)) for n in range(100_000)) + b'],[' + b','.join([b'0'] * 100_000) + b']]}'" + _END),
    Attack("columns against a row", "import numpy as np\ndef halves(xs):\n    return [[0.5] * 60_000] * len(xs)\n", "halves"),
    Attack("words as wide as the longest", "def halves(xs):\n    return [['x' * 40_000] + [''] * 40_000] * len(xs)\n", "halves"),
    Attack("set without an end", "import itertools\ndef Diff(a, b):\n    return itertools.count()\n", "differing"),
    Attack("area of a giant", "import fractions\ndef surface_Area(b, s):\n    return fractions.Fraction(1 << 8_000_000, 3 ** 40_000)\n", "area"),
    in_call("millions of pairs", "return [(n, str(n)) for n in range(300_000)]"),
    in_call("integer of 200 million bits", "return 1 << 200_000_000"),
    in_call("text of a gigabyte", "return 'é' * (1 << 29)"),
]  # fmt: skip
"""The judge's time and memory, through what it must read."""

ATTACKS = [*PROCESS, *DISK, *JUDGE]
