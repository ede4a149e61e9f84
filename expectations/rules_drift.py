"""Rules about what moved since the last publication. A number may move only where its rows did."""

from __future__ import annotations

from .rules import Rule

_NUMBER = ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "comparability_digest", "origin", "metric")

DRIFT_RULES = (
    Rule(
        "moved_without_its_rows",
        "drift",
        "critical",
        "A number that is other than published although its rows are the same: code, a seed or a variable did it.",
        "gate_facts.drift",
        "change = 'unexplained'",
        (*_NUMBER, "was", "now"),
        "find out what moved it; where the change is meant: benchforge check --accept drift.moved_without_its_rows",
        needs="gate_facts.drift",
    ),
    Rule(
        "gone",
        "drift",
        "warning",
        "A number that was published and is not shown any more.",
        "gate_facts.drift",
        "change = 'gone'",
        (*_NUMBER, "was"),
        "benchforge sql, to ask fct_refusals why",
        needs="gate_facts.drift",
    ),
    Rule(
        "moved",
        "drift",
        "warning",
        "A number that is other than published, as its rows are.",
        "gate_facts.drift",
        "change = 'moved'",
        (*_NUMBER, "was", "now"),
        "nothing, where rows were added or graded again on purpose",
        needs="gate_facts.drift",
    ),
    Rule(
        "not_comparable",
        "drift",
        "warning",
        "What was published last has an older schema: not comparable.",
        "gate_facts.drift_not_comparable",
        "true",
        ("column_name", "problem"),
        "publish with --replace; the older revision keeps its tag",
        (),
        needs="gate_facts.drift_not_comparable",
    ),
)
