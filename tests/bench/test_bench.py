"""Mutants are what they claim to be; with evalplus at hand: do both judges agree on them, and how fast are they.

``BENCHFORGE_EVALPLUS`` names a virtual environment that has evalplus 0.3.1; ``make bench`` sets ``BENCHFORGE_BENCH``,
for what takes minutes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import fidelity
import mutants
import scoring

ENVIRONMENT, IS_BENCH = os.environ.get("BENCHFORGE_EVALPLUS"), bool(os.environ.get("BENCHFORGE_BENCH"))
needs_evalplus = pytest.mark.skipif(
    not ENVIRONMENT, reason="BENCHFORGE_EVALPLUS names no environment with evalplus 0.3.1"
)
REFERENCE = (
    "def f(xs, n):\n    total = 0\n    for x in xs:\n        if x > n:\n            total += x\n    return total\n"
)


def test_one_seed_gives_the_same_mutants_and_another_seed_others():
    first, again, other = (list(mutants.mutants("T/1", "f", REFERENCE, 8, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len({one.program for one in first}) == len(first) == 8


@pytest.mark.parametrize("name", sorted(mutants.OPERATORS))
def test_a_mutant_is_another_program_that_still_parses(name: str):
    import random

    program = mutants.mutated(mutants.OPERATORS[name], random.Random(1), REFERENCE, "f")
    if program is not None:
        compile(program, name, "exec")
        assert program != mutants.mutated(lambda *_: True, random.Random(1), REFERENCE, "f")


def test_most_operators_find_a_place_in_an_ordinary_function():
    import random

    found = [
        name
        for name, change in mutants.OPERATORS.items()
        if mutants.mutated(change, random.Random(1), REFERENCE, "f") is not None
    ]
    assert len(found) > 0.8 * len(mutants.OPERATORS)


@needs_evalplus
@pytest.mark.slow
def test_the_judge_says_what_the_released_harness_says_of_a_seeded_tenth_of_the_mutants(shared_data: Path):
    assert ENVIRONMENT is not None
    found = fidelity.find(Path(ENVIRONMENT), None)
    with fidelity.unpacked(shared_data) as directory:
        for benchmark in fidelity.BENCHMARKS:
            result = fidelity.check(benchmark, directory, found, 0.1, mutants.SEED, 2)
            fidelity.report(result)
            assert result.num_compared > 50
            assert result.num_unexplained == 0


@needs_evalplus
@pytest.mark.skipif(not IS_BENCH, reason="minutes long: make bench")
@pytest.mark.slow
def test_speed_against_the_released_harness(shared_data: Path):
    assert ENVIRONMENT is not None
    lines = scoring.run(Path(ENVIRONMENT), shared_data, is_quick=False)
    assert {line.bar for line in lines} >= {"4x", "6x", "8x", "3x"}
