"""Every lake table and every closed vocabulary, declared once.

A column is (name, type, nullable, meaning[, unit]); Arrow schemas, DuckDB types, empty parts, documentation and
checks are derived from these lists.
"""

from __future__ import annotations

from .columns import TYPES, Column, Table
from .published import PUBLISHED, PUBLISHED_ONLY, TEXTS_WITHHELD
from .tables import (
    PROBLEM_MEANS,
    PROGRAMS,
    REGRADES,
    RESULTS,
    RUNS,
    SAMPLES,
    TABLES,
    TASKS,
    TIMINGS,
)
from .words import (
    ANSWER_FLAGS,
    BENCHMARKS,
    CAUSES,
    CUTS,
    DEVIATIONS,
    KINDS,
    ORIGINS,
    PARTS,
    REASONING_FIELDS,
    REASONING_SOURCES,
    REASONS,
    SANDBOX_LAYERS,
    SANDBOX_MODE_ALIASES,
    SANDBOX_MODES,
    STAGES,
    TEMPLATING_MODES,
    TEST_SETS,
    TEXT_FORMS,
    THINK_STATES,
    TRUST_TIERS,
    VERDICT_KINDS,
    VERDICTS,
    VOCABULARIES,
)

__all__ = [
    "ANSWER_FLAGS",
    "BENCHMARKS",
    "CAUSES",
    "CUTS",
    "DEVIATIONS",
    "KINDS",
    "ORIGINS",
    "PARTS",
    "PROBLEM_MEANS",
    "PROGRAMS",
    "PUBLISHED",
    "PUBLISHED_ONLY",
    "REASONING_FIELDS",
    "REASONING_SOURCES",
    "REASONS",
    "REGRADES",
    "RESULTS",
    "RUNS",
    "SAMPLES",
    "SANDBOX_LAYERS",
    "SANDBOX_MODES",
    "SANDBOX_MODE_ALIASES",
    "STAGES",
    "TABLES",
    "TASKS",
    "TEMPLATING_MODES",
    "TEST_SETS",
    "TEXTS_WITHHELD",
    "TEXT_FORMS",
    "THINK_STATES",
    "TIMINGS",
    "TRUST_TIERS",
    "TYPES",
    "VERDICTS",
    "VERDICT_KINDS",
    "VOCABULARIES",
    "Column",
    "Table",
]
