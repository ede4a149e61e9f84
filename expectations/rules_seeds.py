"""Rules about the seeds: those in the file of marts are the packaged ones, row for row."""

from __future__ import annotations

from collections.abc import Iterator

from .artifacts import artifacts
from .rules import Rule


def seed_rules() -> Iterator[Rule]:
    """One for each seed."""
    for artifact in artifacts().values():
        if artifact.kind != "seed":
            continue
        name, columns = artifact.name.removeprefix("seed_"), ", ".join(artifact.columns)
        built, own = f"select {columns} from gate_built_seeds.{name}", f"select {columns} from gate_seeds.{name}"
        yield Rule(
            "as_packaged",
            artifact.name,
            "critical",
            "A row of a seed that was lost, added or changed between the package and the build.",
            f"(select 'only built' as where_it_is, * from ({built} except all {own})"
            f" union all select 'only packaged', * from ({own} except all {built}))",
            "true",
            ("where_it_is", *tuple(artifact.columns)[:6]),
            "benchforge aggregate, then check again",
            (),
            needs=f"gate_built_seeds.{name}",
        )
