"""``docs/checks.md`` from the rules: ``python -m benchforge.expectations.checks_page`` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .artifacts import PROJECT, artifacts
from .catalogue import catalogue
from .rules import Rule
from .rules_declared import SEES

PAGE = PROJECT / "docs" / "checks.md"

_HEAD = """# What `benchforge check` asks

Generated from `expectations/rules_*.py` by `python -m benchforge.expectations.checks_page`; a test keeps it true.

`benchforge check` holds a file of marts, and the lake under it, against each other and against what was declared,
planned and published. Every number of the leaderboard is counted again from live rows by SQL of its own, its intervals
are computed again, and marts that are not counted again are held against the seal of their build. DuckDB counts for
each cell how many rows break a rule; Great Expectations judges the counts; offenders are fetched where there are any.

- *critical*: nothing may be published (exit code 4). A rule that could not be asked is critical as well.
- *warning*: shown; the exit code stays 0.
- `--format json` has up to 20 offenders' first as an example and the sentence with its remedy; `--page FILE` writes all
  results as one page that needs no network.
- `--accept drift.moved_without_its_rows` makes that finding a warning, for an estimator that was changed on purpose.

Adding a check is adding one `Rule` to one of the tables: the relation, the condition under which a row offends, the
columns to show.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *_declared(), *_stated()))


def _declared() -> Iterator[str]:
    names = ", ".join(f"`{name}`" for name in artifacts())
    yield f"## Every artifact\n\nMade from the declarations of {names}. All are critical.\n"
    yield _table(("rule", "what it sees"), ((name, sees) for name, sees in SEES.items()))


def _stated() -> Iterator[str]:
    by_artifact: dict[str, list[Rule]] = {}
    for rule in catalogue().values():
        if rule.name not in SEES and not rule.artifact.startswith("seed_"):
            by_artifact.setdefault(rule.artifact, []).append(rule)
    yield "## Seeds\n"
    yield _table(_COLUMNS, [_cells(rule) for rule in _one_of_seeds(catalogue())])
    for artifact, rules in by_artifact.items():
        yield f"## {artifact}\n"
        yield _table(_COLUMNS, [_cells(rule) for rule in rules])


_COLUMNS = ("rule", "severity", "what it sees", "what to do then")


def _one_of_seeds(rules: Mapping[str, Rule]) -> list[Rule]:
    return [rule for rule in rules.values() if rule.artifact.startswith("seed_") and rule.name not in SEES][:1]


def _cells(rule: Rule) -> tuple[str, ...]:
    return rule.name, rule.severity, rule.sees, rule.remedy


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    lines += [f"| {' | '.join((f'`{first}`', *rest))} |" for first, *rest in rows]
    return "\n".join((*lines, ""))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
