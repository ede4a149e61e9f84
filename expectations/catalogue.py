"""Every rule there is, in the order in which they are asked: declared ones, then lake, seeds, marts, drift."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from .rules import Rule
from .rules_assembled import ASSEMBLED_RULES
from .rules_board import BOARD_RULES
from .rules_declared import declared_rules
from .rules_drift import DRIFT_RULES
from .rules_lake import LAKE_RULES
from .rules_marts import MART_RULES
from .rules_results import RESULT_RULES
from .rules_seeds import seed_rules


@cache
def catalogue() -> Mapping[str, Rule]:
    """``<artifact>.<rule>`` -> rule. ValueError where two have one id."""
    found: dict[str, Rule] = {}
    lake = (*LAKE_RULES, *RESULT_RULES)
    for rule in (*declared_rules(), *lake, *seed_rules(), *BOARD_RULES, *MART_RULES, *DRIFT_RULES, *ASSEMBLED_RULES):
        if rule.id in found:
            raise ValueError(f"two rules are called {rule.id}")
        found[rule.id] = rule
    return found


@cache
def artifact_names() -> tuple[str, ...]:
    """Everything that a rule is about."""
    return tuple(dict.fromkeys(rule.artifact for rule in catalogue().values()))
