# ruff: noqa: E501 - hostile claims are data
"""What a hostile report can cost the judge: little memory, little time, never a crash.

Each claim is decoded and compared 63 times in a process of its own with one gigabyte and sixty processor seconds (the
costliest takes 2 on an idle machine); without its bound it would need far more of one or the other.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("resource")

CLAIMS = {
    "many empty lists": "b'[' + b','.join([b'[]'] * 10_000_000) + b']'",
    "many empty objects": "b'[' + b','.join([b'{}'] * 8_000_000) + b']'",
    "many small strings": "b'[' + b','.join([b'\"ab\"'] * 6_000_000) + b']'",
    "deep lists": "b'[' * 15_000_000",
    "one long string in an array of short ones": "tagged('na', ['<U1', [200_001], ['x'] * 200_000 + ['y' * 200_000]])",
    "one long text of bytes in an array": "tagged('na', ['|S1', [200_001], [{'!': 'b', 'v': '00'}] * 200_000 + [{'!': 'b', 'v': '11' * 200_000}]])",
    "short strings beside long ones in many arrays": "json.dumps([{'!': 'na', 'v': ['<U1', [2048], ['y' * 2048] + [''] * 2047]}] * 150).encode()",
    "elements with room for a million numbers": "tagged('na', ['<f8,(999999)f8', [1000], [1.0] * 1000])",
    "a type with fields": "tagged('na', ['<f8,<f8', [1], [1.0]])",
    "a text type of a gigabyte": "tagged('na', ['<U268435456', [3], ['a', 'b', 'c']])",
    "an array that spreads": "tagged('na', ['<f8', [1_000_000, 1], [1.0] * 1_000_000])",
    "an empty array of a large shape": "tagged('na', ['<f8', [0, 10**9], []])",
    "a negative length": "tagged('na', ['<f8', [-1], [1.0]])",
    "items of another kind": "tagged('na', ['<U1', [1], [[1.0] * 100_000]])",
    "a scalar made of a list": "tagged('ns', ['<i8', list(range(100_000))])",
    "an object as a scalar": "tagged('ns', ['O', [1]])",
    "fractions that take long to reduce": "json.dumps([{'!': 'F', 'v': [hex(3 ** 1_200_000), hex(7 ** 800_000)]}]).encode()",
    "the same element a million times": "tagged('s', [1] * 1_000_000)",
    "the same key a million times": "tagged('d', [[1] * 900_000, [2] * 900_000])",
    "colliding numbers": "tagged('s', [{'!': 'i', 'v': hex(k * (2**61 - 1))} for k in range(200_000)])",
    "colliding tuples": "tagged('s', [{'!': 't', 'v': [-1 - (n >> b & 1) for b in range(16)]} for n in range(50_000)])",
    "a number of 16 million digits": "tagged('i', '0x' + 'f' * 16_000_000)",
    "a decimal of 16 million digits": "tagged('D', '9' * 16_000_000)",
    "not a number in a type": "b'[\"a\",0,NaN,0.1,1]'",
    "sixteen bit text": "('[' + '[],' * 1000 + '0]').encode('utf-16')",
    "plain subclasses inside each other": "json.dumps(nested('sub', list(range(100_000)), 150)).encode()",
}
EXPECTED = "[6, 1.0, [1.0, 2.0], [[1.0], [2.0]] * 50, {1}, {1: 2}, 'x', None, (1.0, 2.0)]"

WORKER = """
import json, resource, sys
from benchforge.ingest.benchmarks.declaration import Task
from benchforge.runners.score.judge import decode, oracles
from benchforge.runners.score.judge.rules import OFFICIAL
import numpy
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
def tagged(tag, value):
    return json.dumps({'!': tag, 'v': value}).encode()
def nested(tag, value, depth):
    for _ in range(depth):
        value = {'!': tag, 'v': value}
    return value
def judged(line):
    try:
        answer = decode.value(decode.parse(line))
    except decode.Malformed:
        return 'malformed'
    except (RecursionError, MemoryError) as error:
        return type(error).__name__
    for special in ('f', 'similar_elements', 'sum_div', 'surface_Area'):
        task = Task('mbppplus', 'default', 't', 'calls', '', {'entry_point': special, 'atol': 1e-6}, ('base',), 't')
        for oracle in oracles.BY_NAME.values():
            for expected in EXPECTED:
                if oracle(task, OFFICIAL).accepts(answer, expected, [3, 4]):
                    return 'accepted'
    return 'opaque' if isinstance(answer, decode.Opaque) else 'refused'
"""


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_costs_little(name: str) -> None:
    code = f"{WORKER}\nEXPECTED = {EXPECTED}\nline = {CLAIMS[name]}\nprint(judged(line))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in ("malformed", "opaque", "refused", "RecursionError")


def test_memory_is_bounded_where_the_claims_are_worked_on() -> None:
    code = (
        "from benchforge.runners.score.judge import worker\nworker._limit_memory()\n"
        "try:\n    bytearray(worker.MEMORY_BYTES)\nexcept MemoryError:\n    print('bounded')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "bounded", done.stderr


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-1.0", "1e300"])
def test_seconds_that_no_clock_shows_are_tampering(seconds: str) -> None:
    from benchforge.runners.score.judge import decode, execution

    with pytest.raises(decode.Malformed):
        execution.read_frame(f'["a",0,{seconds},0.1,1]'.encode())
    with pytest.raises(decode.Malformed):
        execution.read_frame(f'["a",0,0.1,{seconds},1]'.encode())


def test_what_an_honest_codec_writes_at_its_largest_is_not_refused() -> None:
    from benchforge.runners.score.judge import decode
    from benchforge.runners.score.sandbox.inside import codec

    size = codec.MAX_COST // 2 - 1
    for value in ([{}] * size, "," * (2 * size)):
        line = codec.encode(value)
        assert '"h"' not in line[:12]
        assert json.loads(line) is not None
        decode.parse(line.encode())
