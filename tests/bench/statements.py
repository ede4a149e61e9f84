"""How well statements tell problems apart: the table of ``docs/design/fresh_problems.md``.

python tests/bench/statements.py STATEMENTS.jsonl.gz    (lines with ``question_content``, as LiveCodeBench writes them)

Pairs of two different problems that reach a share, and of each problem a disguised copy that is found.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchforge.ingest.fresh.similarity import Known, shingles

SHARES = (0.5, 0.6, 0.7)
_SAMPLES = re.compile(r"sample input 1|example 1", re.IGNORECASE)
_HEROES = re.compile(r"Takahashi|Aoki|Alice|Bob|Snuke")


def replaced(share: float) -> Callable[[str, random.Random], str]:
    """So many of the words are other ones."""

    def disguise(text: str, draw: random.Random) -> str:
        return " ".join(f"zq{draw.randint(0, 999)}" if draw.random() < share else word for word in text.split())

    return disguise


def other_numbers(text: str, draw: random.Random) -> str:
    return re.sub(r"\d+", lambda _: str(draw.randint(0, 99)), text)


def without_samples(text: str, draw: random.Random) -> str:
    found = _SAMPLES.search(text)
    return text[: found.start()] if found and found.start() > 100 else text


DISGUISES: Mapping[str, Callable[[str, random.Random], str]] = {
    "other numbers": other_numbers,
    "another hero": lambda text, draw: _HEROES.sub("Mallory", text),
    "no samples": without_samples,
    "1 word of 20": replaced(0.05),
    "1 word of 10": replaced(0.1),
    "1 word of 5": replaced(0.2),
}


def shared(one: frozenset[object], other: frozenset[object]) -> float:
    return len(one & other) / min(len(one), len(other))


def pairs_alike(texts: Sequence[str]) -> Counter[float]:
    """Share -> pairs that reach it."""
    sets, found = [shingles(text) for text in texts], Counter[float]()
    for number, one in enumerate(sets):
        for other in sets[:number]:
            found.update(share for share in SHARES if shared(one, other) >= share)
    return found


def copies_found(texts: Sequence[str], disguise: Callable[[str, random.Random], str]) -> Counter[float]:
    draw, found = random.Random(7), Counter[float]()
    for text in texts:
        known = Known()
        known.add("it", text)
        match = known.nearest(disguise(text, draw))
        found.update(share for share in SHARES if match and match.share >= share)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    with gzip.open(parser.parse_args().file, "rt", encoding="utf-8") as stream:
        texts = [json.loads(line)["question_content"] for line in stream]
    print(f"{len(texts)} statements; share: pairs alike; copies found in percent")
    pairs = pairs_alike(texts)
    copies = {name: copies_found(texts, disguise) for name, disguise in DISGUISES.items()}
    for share in SHARES:
        words = "  ".join(f"{name} {100 * found[share] / len(texts):.1f}" for name, found in copies.items())
        print(f"{share}: {pairs[share]}  {words}")


if __name__ == "__main__":
    main()
