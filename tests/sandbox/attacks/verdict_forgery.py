# ruff: noqa: E501 - programs are data
"""Answers that are right only if the comparison, its inputs or its channel can be deceived. Kind ``calls``."""

from __future__ import annotations

from .attack import Attack, in_call, on_pipe

_SEARCH = r"""
import ctypes, os, re
libc = ctypes.CDLL(None)
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
reader, writer = os.pipe()
def addresses():
    top = libc.sbrk(0)
    yield from range(top - (24 << 20), top, 4096)
    for start in {id(o) & ~0xfffff for o in (object(), [], {}, b'x' * 600, 'y' * 5000, os, re)}:
        yield from range(start - (4 << 20), start + (4 << 20), 4096)
def search(pattern):
    # write() answers EFAULT for an address where nothing is: memory can be walked without a crash
    last = b''
    for address in addresses():
        if libc.write(writer, address, 4096) != 4096:
            last = b''
            continue
        data = os.read(reader, 4096)
        hit = re.search(pattern, last + data)
        if hit:
            return hit
        last = data[-200:]
"""

OBJECTS = [
    in_call("always-equal object", "class Y:\n    def __eq__(s, o): return True\nreturn Y()", "total", ("opaque_type",)),
    in_call("int that equals all", "class Y(int):\n    def __eq__(s, o): return True\n    __hash__ = int.__hash__\nreturn Y(3)", "total", ("opaque_type",)),
    in_call("int whose __ne__ says no", "class Y(int):\n    def __ne__(s, o): return False\nreturn Y(3)", "total"),
    in_call("metaclass", "class M(type):\n    def __eq__(c, o): return True\n    __hash__ = None\nclass C(metaclass=M): pass\nreturn C", "total", ("opaque_type",)),
    in_call("mock.ANY", "from unittest.mock import ANY\nreturn ANY", "total", ("opaque_type",)),
    in_call("claims another class", "class Y:\n    __class__ = property(lambda s: int)\n    def __eq__(s, o): return True\n    def __int__(s): return 6\n    def __index__(s): return 6\nreturn Y()", "total", ("opaque_type",)),
    in_call("changes its class afterwards", "class A:\n    pass\nclass B(A):\n    def __eq__(s, o): return True\na = A()\na.__class__ = B\nreturn a", "total", ("opaque_type",)),
    in_call("proxy of everything", "class Y:\n    def __getattr__(s, n): return lambda *a, **k: True\n    def __eq__(s, o): return True\n    def __bool__(s): return True\nreturn Y()", "total", ("opaque_type",)),
    in_call("reduces to another value", "class Y:\n    def __reduce__(s): return (eval, ('yes',))\n    def __eq__(s, o): return True\nreturn Y()", "total", ("opaque_type",)),
    in_call("Counter that equals all", "import collections\nclass Y(collections.Counter):\n    def __eq__(s, o): return True\nreturn Y()", "total"),
    in_call("dataclass with an __eq__ of its own", "import dataclasses\n@dataclasses.dataclass(eq=False)\nclass Y:\n    n: int = 0\n    def __eq__(s, o): return True\nreturn Y()", "total"),
    in_call("namedtuple with an __eq__ of its own", "import collections\nclass Y(collections.namedtuple('Y', 'a')):\n    __slots__ = ()\n    def __eq__(s, o): return True\nreturn Y(1)", "total"),
    in_call("enum member", "import enum\nclass E(enum.IntEnum):\n    A = 1\n    def __eq__(s, o): return True\n    __hash__ = int.__hash__\nreturn E.A", "total"),
    in_call("Fraction whose numerator lies", "import fractions\nclass F(fractions.Fraction):\n    def __eq__(s, o): return True\n    __hash__ = None\nreturn F(1, 3)", "total"),
    in_call("numpy array that equals all", "import numpy as np\nclass A(np.ndarray):\n    def __eq__(s, o): return True\n    def __bool__(s): return True\nreturn np.zeros(()).view(A)", "total"),
    in_call("numpy scalar type of its own", "import numpy as np\nclass F(np.float64):\n    def __eq__(s, o): return True\n    def item(s): return 6\nF.__module__ = 'numpy'\nreturn F(0)", "total"),
    in_call("object array of equal objects", "import numpy as np\nclass Y:\n    def __eq__(s, o): return True\na = np.empty((), dtype=object)\na[()] = Y()\nreturn a", "total"),
    in_call("dictionary that looks like a tag", "return {'!': 'i', 'v': hex(yes)}", "total", ("wrong_answer",)),
    in_call("list that looks like a frame", "return ['a', 0, 0.1, 0.1, yes]", "total", ("wrong_answer",)),
]  # fmt: skip
"""Objects that would decide the comparison themselves."""

ORACLES = [
    Attack("empty rows for rows of one number", "def share(xs):\n    return [[]]\n", "share", ("wrong_answer",)),
    Attack("empty rows inside rows", "def shares(xss):\n    return [[] for _ in xss]\n", "shares", ("wrong_answer",)),
    Attack("no float at all", "import numpy as np\ndef share(xs):\n    return np.zeros((1, 0))\n", "share"),
    Attack("NaN for every float", "def halves(xs):\n    return [float('nan')] * len(xs)\n", "halves", ("wrong_answer",)),
    Attack("infinity for every float", "def halves(xs):\n    return [float('inf')] * len(xs)\n", "halves", ("wrong_answer",)),
    Attack("float whose difference is nothing", "class F(float):\n    def __sub__(s, o): return 0.0\n    __rsub__ = __sub__\n    def __abs__(s): return 0.0\n    def __float__(s): return 0.0\ndef halves(xs):\n    return [F(9)] * len(xs)\n", "halves"),
    Attack("polynomial emptied after the call", "def find_zero(xs):\n    xs.clear()\n    return 0.0\n", "root", ("wrong_answer",)),
    Attack("polynomial multiplied by nothing", "def find_zero(xs):\n    xs[:] = [0] * len(xs)\n    return 0.0\n", "root", ("wrong_answer",)),
    Attack("zero at NaN", "def find_zero(xs):\n    return float('nan')\n", "root"),
    Attack("zero at infinity", "def find_zero(xs):\n    return float('inf')\n", "root"),
    Attack("zero too large for a float", "def find_zero(xs):\n    return 10 ** 4000\n", "root"),
    Attack("zero whose power is nothing", "class F(float):\n    def __pow__(s, n): return 0.0\n    def __float__(s): return 2.0\n    def __index__(s): return 2\n    def __mul__(s, o): return 0.0\n    __rmul__ = __mul__\ndef find_zero(xs):\n    return F(9)\n", "root"),
    Attack("elements that equal and hash like all", "class H:\n    def __init__(s, h): s.h = h\n    def __hash__(s): return s.h\n    def __eq__(s, o): return True\ndef similar_elements(a, b):\n    return [H(2), H(3)]\n", "same_items"),
    Attack("set that equals all", "class S(set):\n    def __eq__(s, o): return True\n    def __iter__(s): return iter(())\ndef similar_elements(a, b):\n    return S()\n", "same_items"),
    Attack("iterates the expected elements", "import gc\nclass I:\n    def __iter__(s):\n        for o in gc.get_objects():\n            if type(o) is dict and 'expected' in o: yield from o['expected']['base'][0]\ndef Diff(a, b):\n    return I()\n", "differing"),
    Attack("lengths that lie", "class L(list):\n    def __len__(s): return 1\n    def __iter__(s): return iter(())\n    def __getitem__(s, i): return 1.0\ndef share(xs):\n    return L()\n", "share"),
]  # fmt: skip
"""Answers aimed at tolerance, sets and roots."""

_ALL_RIGHT = b"=6\n"
REPORTS = [
    on_pipe("an end without answers", b'["end",1]\n', "once", ("tamper",)),
    on_pipe("an end that counts no cases", b'["end",0]\n', "once", ("tamper",)),
    on_pipe("ready a second time", b'["ready",[]]\n' + _ALL_RIGHT + b'["end",1]\n', "once", ("tamper",)),
    on_pipe("answers after the end", b'["end",1]\n' + _ALL_RIGHT, "once", ("tamper",)),
    on_pipe("the same answer for all cases", b"=6\n" * 4 + b'["end",4]\n', "total", ("wrong_answer",)),
    on_pipe("answers out of order", b'=10\n=6\n=0\n={"!":"i","v":"0x400000000000000001"}\n["end",4]\n', "total", ("wrong_answer",)),
    on_pipe("times that are not", b'=6\n["end",1,[-1],0]\n', "once", ("tamper",)),
    on_pipe("times of more cases than there are", b'=6\n["end",1,[1,1],0]\n', "once", ("tamper",)),
    on_pipe("times without end", b'=6\n["end",1,[1e999],0]\n', "once", ("tamper",)),
    on_pipe("a frame of another kind", b'["a",0,0.1,0.1,6]\n["end",1]\n', "once", ("tamper",)),
    on_pipe("an answer with its frame", b'=["a",0,0.1,0.1,6]\n["end",1]\n', "once", ("wrong_answer",)),
    on_pipe("an answer of nothing", b'=\n["end",1]\n', "once", ("tamper",)),
    on_pipe("a case that is true", b'["a",false,0.1,0.1,6]\n["end",1]\n', "once", ("tamper",)),
    on_pipe("a case below zero", b'["a",-1,0.1,0.1,6]\n["end",1]\n', "once", ("tamper",)),
    on_pipe("a case beyond the last", b'=6\n=6\n["end",2]\n', "once", ("tamper",)),
    on_pipe("an exception called ok", b'["x",0,"ok","E"]\n', "once", ("tamper",)),
    on_pipe("an exception in no case", b'["x",7,"exception","E"]\n', "once"),
    on_pipe("an answer equal to everything", b'={"!":"?","v":"int"}\n["end",1]\n', "once", ("opaque_type",)),
    on_pipe("the digest of nothing", b'={"!":"h","v":""}\n["end",1]\n', "once", ("wrong_answer",)),
    on_pipe("code as a tag", b'={"!":"eval","v":"6"}\n["end",1]\n', "once"),
    on_pipe("a tag with too much", b'={"!":"i","v":"0x6","w":0}\n["end",1]\n', "once"),
    on_pipe("a pickle", b"\x80\x04cposix\nsystem\n(S'true'\ntR.\n", "once", ("tamper",)),
    on_pipe("half a frame", b'=6\n["end"', "once", ("killed",)),
    Attack("one answer twice", "import os\ndef total(xs):\n    os.write(3, b'=6\\n')\n    return sum(xs)\n", "total", ("wrong_answer",)),
    Attack("end mark on every pipe", "import os\nfor fd in range(64):\n    try: os.write(fd, b'[\"end\", 4]\\n')\n    except OSError: pass\nos._exit(0)\n", "total"),
    Attack("a thread that goes on reporting", "import os, threading\ndef report():\n    while True: os.write(3, b'=6\\n[\"end\",1]\\n')\nthreading.Thread(target=report, daemon=True).start()\ndef total(xs):\n    return 5\n", "total"),
]  # fmt: skip
"""Reports that were not written by our code."""

PROCESS = [
    Attack("patched encoder", "import sys\nfor name, m in list(sys.modules.items()):\n    if name.endswith('codec'):\n        m.encode = lambda v, **k: 'true'\n        m._HANDLERS.clear()\n    if name.endswith('report'):\n        m._encode = lambda v, **k: 'true'\n        m._dumps = lambda v: '[\"end\",4]'\ndef total(xs):\n    return True\n", "total"),
    Attack("report object", "import gc\ndef total(xs):\n    for o in gc.get_objects():\n        if type(o).__name__ == 'Report':\n            o.answer = lambda *a: None\n            o.end(4)\n", "total"),
    Attack("report turned to another descriptor", "import gc, os\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Report': o._fd = os.dup2(3, 9)\nos.close(3)\ndef total(xs):\n    return 5\n", "total"),
    Attack("the pipe closed", "import os\nos.close(3)\n\ndef total(xs):\n    return sum(xs)\n", "total", ("killed",)),
    Attack("the pipe put over everything", "import os\nfor fd in range(20):\n    if fd != 3: os.dup2(3, fd)\nprint('[\"end\",4]', flush=True)\nos.write(1, b'[\"end\",4]\\n')\ndef total(xs):\n    return 5\n", "total", ("tamper",)),
    Attack("caller's loop emptied", "import ctypes, sys\ndef total(xs):\n    f = sys._getframe(1)\n    f.f_locals['inputs'] = []\n    f.f_locals['limits'] = []\n    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(f), ctypes.c_int(1))\n    return 5\n", "total"),
    Attack("tracing the caller", "import sys\ndef tracer(frame, event, arg):\n    if event == 'return' and frame.f_code.co_name == 'total': frame.f_back.f_locals.update(value=True)\n    return tracer\nsys.settrace(tracer)\nsys._getframe().f_back.f_trace = tracer\ndef total(xs):\n    return True\n", "total"),
    Attack("inputs overwritten for later calls", "import gc\ndef total(xs):\n    for o in gc.get_referrers(xs):\n        if type(o) is list: o[:] = [[]]\n    for o in gc.get_objects():\n        if type(o) is list and o and type(o[0]) is list and len(o) > 3: o[:] = [[[]]] * len(o)\n    xs.clear()\n    return 6\n", "total"),
    Attack("frames and garbage hold no answer", "import gc, sys\ndef total(xs):\n    f = sys._getframe()\n    found = []\n    while f:\n        found += [v for k, v in f.f_locals.items() if 'exp' in k or 'want' in k]\n        f = f.f_back\n    found += [o['expected']['base'][0] for o in gc.get_objects() if isinstance(o, dict) and 'expected' in o]\n    return found[0]\n", "total"),
    Attack("operators and builtins replaced", "import builtins, operator\noperator.eq = lambda a, b: True\nbuiltins.all = builtins.any = lambda *a: True\nbuiltins.len = lambda *a: 0\nbuiltins.type = lambda *a: int\nbuiltins.isinstance = lambda *a: True\ndef total(xs):\n    return 5\n", "total"),
    Attack("every module of ours gone", "import sys\nfor name in list(sys.modules):\n    if name.startswith('inside'): sys.modules[name].__dict__.clear()\ndef total(xs):\n    return 5\n", "total"),
    Attack("compiled code of our loop replaced", "import gc, types\ndef _calls(spec, inputs, report, clock):\n    report.end(len(inputs))\nfor o in gc.get_objects():\n    if isinstance(o, types.FunctionType) and o.__name__ == '_calls': o.__code__ = _calls.__code__\ndef total(xs):\n    return 5\n", "total"),
    Attack("exit from a handler at the end", "import atexit, os\natexit.register(os.write, 3, b'[\"end\",4]\\n')\nclass D:\n    def __del__(s): os.write(3, b'[\"end\",4]\\n')\nd = D()\nraise SystemExit(0)\n", "total"),
    Attack("the reference left in memory", _SEARCH + "hit = search(b'def ' + b'halves.xs.:\\n    return .x . 2 for x in xs.')\nspace = {}\nexec(hit.group(), space)\nhalves = space['halves']\n", "halves"),
    Attack("a sample graded before left in memory", _SEARCH + "hit = search(b'bf-secret' + b'-marker-[0-9a-f]{6}')\ndef open_vault(n):\n    return hit.group().decode()\n", "vault"),
    Attack("the answer in the environment and in files", "import gc, os, io\nfound = [v for v in os.environ.values() if 'bf-' + 'secret' in v]\nfor path in (TOKEN_FILE, os.path.expanduser('~/.cache/huggingface/token')):\n    try: found.append(io.open(path).read())\n    except OSError: pass\nfound += [o for o in gc.get_objects() if type(o) is str and o.startswith('bf-' + 'secret')]\ndef open_vault(n):\n    return found[0]\n", "vault"),
]  # fmt: skip
"""The sample's own process turned inside out."""

ATTACKS = [*OBJECTS, *ORACLES, *REPORTS, *PROCESS]
