"""What goes where: the dbt exposures of ``models/marts/_marts__exposures.yml``, which publication only carries out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..aggregate import NOT_EXPORTED, PROJECT

EXPOSURES = PROJECT / "models" / "marts" / "_marts__exposures.yml"
RESULTS = "benchforge-results"
LEADERBOARD = "benchforge-leaderboard"
SPACE = "benchforge-leaderboard-space"
REPOSITORIES = (RESULTS, LEADERBOARD, SPACE)
"""In the order of their upload: a leaderboard never names results that are not there yet."""

_PREFIX = re.compile(r"^(fct|dim)_")
_REFERENCE = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True)
class Destination:
    """One repository and the marts it gets, ``default`` first among those who look."""

    repository: str
    marts: tuple[str, ...]
    default: str | None

    @property
    def files(self) -> tuple[str, ...]:
        """Marts that are files; the others are views over the lake itself."""
        return tuple(mart for mart in self.marts if mart not in NOT_EXPORTED)


@cache
def destination(repository: str, path: Path = EXPOSURES) -> Destination:
    """The exposure whose ``meta.repository`` this is. Raises KeyError where none is."""
    for exposure in yaml.safe_load(path.read_text(encoding="utf-8"))["exposures"]:
        meta: dict[str, Any] = exposure["config"]["meta"]
        if meta["repository"] == repository:
            marts = tuple(mart for text in exposure["depends_on"] for mart in _REFERENCE.findall(text))
            return Destination(repository, marts, meta.get("default"))
    raise KeyError(repository)


def config_of(mart: str) -> str:
    """``fct_rank_intervals`` -> ``rank_intervals``: the config of a card, and its folder."""
    return _PREFIX.sub("", mart)
