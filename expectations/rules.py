"""A rule: rows that may not be. Adding a check is adding one ``Rule`` to one of the tables (see ``catalogue``).

A rule names a relation of the gate's connection and the condition under which one of its rows offends. The gate counts
offenders per cell in DuckDB, Great Expectations judges the counts, and the offenders themselves are fetched only where
there are any. What the relations are called:

* ``gate_lake.<table>``: live rows of the lake; ``gate_recount.<table>``: counted again from them, by SQL of its own;
* ``gate_marts.<mart>``: the file or folder that is checked; ``gate_old.<mart>``: what was published last;
* ``gate_seeds.<seed>``: as packaged; ``gate_built_seeds.<seed>``: as built;
* ``gate_facts.<table>``: small tables about files, folders, manifests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .findings import Severity

CELL = ("benchmark", "model")
"""Facts are counted for each of these, where a relation has them."""


@dataclass(frozen=True)
class Rule:
    """``offends`` is an SQL condition on the rows of ``rows``: true is an offender, false and NULL are not.

    ``sees`` is one sentence for people, ``remedy`` what to do then. ``cell`` is what offenders are counted by,
    ``shows`` which columns of one are shown. ``needs`` names a relation without which the rule has no meaning: where
    there is no manifest, say, nothing states how many rows there should be.
    """

    name: str
    artifact: str
    severity: Severity
    sees: str
    rows: str
    offends: str
    shows: tuple[str, ...]
    remedy: str = "benchforge aggregate, then check again"
    cell: tuple[str, ...] = CELL
    needs: str = ""

    @property
    def id(self) -> str:
        """Unique over the catalogue: the same rule may be about several artifacts."""
        return f"{self.artifact}.{self.name}"


def listed(words: Iterable[str]) -> str:
    """SQL texts in a row: ``'a', 'b'``."""
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words)
