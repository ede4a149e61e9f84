"""``benchforge check``: whether a file of marts, and the lake under it, may be published.

Facts are computed in DuckDB, one small table per artifact; Great Expectations judges them; what it finds wrong comes
back as ``Findings``. A rule that could not be asked is a critical finding, never one that is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...expectations.catalogue import artifact_names, catalogue
from ...expectations.findings import Finding, Findings
from ...expectations.judge import Facts, judged
from ...expectations.rules import Rule
from ...ingest.config import Settings
from ...ingest.errors import UsageError
from ...ingest.lake import Lake
from ...ingest.manifest import Run
from ...ingest.names import did_you_mean
from ..aggregate import PROJECT, resolved
from . import seal
from .check_cards import make_cards
from .check_drift import make_drift
from .check_facts import facts_of, offenders, unaskable
from .check_intervals import project_variables, recompute_intervals
from .check_recount import recount
from .check_sources import Sources, connected, parquet, show_lake, show_marts, show_seeds
from .check_tables import make, make_columns, make_pins, make_requests, make_shards
from .check_task_scores import make_task_scores

ARTIFACTS: tuple[str, ...] = ()
"""What ``check`` looks at where nobody names less: everything. Names: ``expectations.catalogue.artifact_names``."""
MAY_BE_ACCEPTED = frozenset({"drift.moved_without_its_rows"})
"""Rules that a person may overrule by name, because what they see can be meant: an estimator was corrected."""


def check(
    settings: Settings,
    built: Path,
    lake: Lake | Path | None,
    *,
    published: Path | None = None,
    artifacts: Sequence[str] = ARTIFACTS,
    accept: Sequence[str] = (),
) -> Findings:
    """Findings on the file of marts ``built`` and on the ``lake`` it was built from (None: the bundled lake).

    ``published`` is the leaderboard that was published last (a file of marts, or a folder of its Parquet files); None:
    nothing was published. ``artifacts`` names what to look at (nothing named: everything), ``accept`` rules of
    ``MAY_BE_ACCEPTED`` whose findings are warnings this time. Raises UsageError for a name that is none, BadInput where
    ``built`` or ``published`` holds no mart.
    """
    _refuse_unknown(artifacts, artifact_names(), "artifact")
    _refuse_unknown(accept, MAY_BE_ACCEPTED, "rule to accept")
    root = lake.root if isinstance(lake, Lake) else resolved(lake)
    run = Run(settings.run_root, Lake(root)) if _is_of_run(settings, root) else None
    with connected() as sources:
        show_marts(sources, built)
        _show_rows(sources, root, run)
        _compare_seal(sources, built, root)
        if published is not None:
            make_drift(sources, published)
        rules = [rule for rule in catalogue().values() if rule.artifact != "assembled"]
        return _judged(sources, [rule for rule in rules if not artifacts or rule.artifact in artifacts], accept)


def check_assembled(folder: Path) -> Findings:
    """Findings on an assembled ``publish/`` folder, just before its upload: what stands in its files and nothing else.

    ``folder`` holds the results and the leaderboard repository as docs/publication.md lays them out, under whatever
    names. Raises BadInput where no mart can be read in it, UsageError where it holds no published rows.
    """
    results = next((path.parent for path in sorted(folder.glob("*/data")) if path.is_dir()), None)
    if results is None:
        raise UsageError(f"{folder} holds no repository with data/", "benchforge publish --dry-run assembles one")
    with connected() as sources:
        show_marts(sources, folder)
        _show_rows(sources, results, None)
        rows = sorted((results / "data").rglob("*.parquet"))
        if rows:
            reader = parquet(rows).removesuffix(")")
            sources.show("gate_facts.data", f"select * from {reader}, filename = true)")
        make_cards(sources, folder)
        return _judged(sources, catalogue().values(), ())


def _show_rows(sources: Sources, root: Path, run: Run | None) -> None:
    """The lake, its seeds, and everything that is counted from them."""
    show_lake(sources, root)
    show_seeds(sources, PROJECT / "seeds", "gate_seeds")
    if (root / "seeds").is_dir():
        show_seeds(sources, root / "seeds", "gate_built_seeds")
    recount(sources)
    recompute_intervals(sources)
    make_pins(sources)
    asked = [f"pass{sign}{k}" for sign in "@^" for k in project_variables()["pass_at_k"]]
    make(sources, "metrics", {"metric": "varchar"}, ({"metric": name} for name in asked))
    make_columns(sources)
    make_shards(sources, run)
    make_requests(sources, run)
    make_task_scores(sources)


def _is_of_run(settings: Settings, root: Path) -> bool:
    """Whether the manifest of the run plans rows of this lake."""
    manifest = settings.run_root / "shards" / "manifest.jsonl"
    return manifest.is_file() and settings.lake_root.expanduser().resolve() == root.resolve()


def _compare_seal(sources: Sources, built: Path, root: Path) -> None:
    """``marts_now`` and ``lake_now`` beside what was sealed; ``unsealed`` where nothing was, or another engine did."""
    if built.is_dir():
        return
    found: list[Any] = []
    if sources.has("gate_facts.seal"):
        found = sources.connection.execute("select kind, name, number, digest from gate_facts.seal").fetchall()
    sealed = {(kind, name): (number, digest) for kind, name, number, digest in found}
    if ("engine", seal.version(sources.connection)) not in sealed:
        make(sources, "unsealed", {"file": "varchar"}, [{"file": str(built.name)}])
        return
    lines = [*seal.mart_lines(sources.connection, "gate_marts"), *seal.lake_lines(root)]
    now = {(kind, name): (number, digest) for kind, name, number, digest in lines}
    _seal_table(sources, "mart", ("marts_now", "mart", "num_rows"), now, sealed)
    _seal_table(sources, "lake", ("lake_now", "lake_table", "num_parts"), now, sealed)


def _seal_table(
    sources: Sources,
    kind: str,
    names: tuple[str, str, str],
    now: Mapping[tuple[str, str], tuple[int, str]],
    sealed: Mapping[tuple[str, str], tuple[int, str]],
) -> None:
    table, column, number = names
    types = {column: "varchar", number: "bigint", f"{number}_sealed": "bigint", "found": "varchar", "sealed": "varchar"}
    ids = sorted({one for one in (*now, *sealed) if one[0] == kind})
    rows = []
    for one in ids:
        (num_now, digest_now), (num_sealed, digest_sealed) = now.get(one, (None, None)), sealed.get(one, (None, None))
        rows.append({column: one[1], number: num_now, f"{number}_sealed": num_sealed, "found": digest_now,
                     "sealed": digest_sealed})  # fmt: skip
    make(sources, table, types, rows)


def _judged(sources: Sources, rules: Iterable[Rule], accept: Sequence[str]) -> Findings:
    asked = [rule for rule in rules if _has_meaning(sources, rule)]
    by_id = {rule.id: rule for rule in asked}
    facts: list[Facts] = []
    findings: list[Finding] = []
    for one in facts_of(sources, asked):
        (facts if isinstance(one, Facts) else findings).append(one)  # pyright: ignore[reportArgumentType]
    results = judged(facts)
    for result in results:
        findings += _findings(sources, by_id[f"{result['artifact']}.{result['rule']}"], result)
    lowered = [replace(one, severity="warning") if f"{one.artifact}.{one.rule}" in accept else one for one in findings]
    ordered = sorted(lowered, key=lambda one: (one.severity, one.artifact, one.rule))
    return Findings(tuple(ordered), len(asked), tuple(results))


def _has_meaning(sources: Sources, rule: Rule) -> bool:
    """A rule needs what it is about: without a manifest, say, nothing states how many rows there should be."""
    if rule.needs and not sources.has(rule.needs):
        return False
    return not any(f"{left_out} " in f"{rule.rows} " or f"{left_out})" in rule.rows for left_out in sources.left_out)


def _findings(sources: Sources, rule: Rule, result: Mapping[str, Any]) -> Iterable[Finding]:
    import duckdb

    raised = result["exception_info"]
    if raised.get("raised_exception") or any(isinstance(one, dict) for one in raised.values()):
        yield unaskable(rule, str(raised)[:300])
    elif not result["success"]:
        try:
            shown = offenders(sources, rule)
        except duckdb.Error:  # the rows are counted; that they cannot be shown takes nothing back
            shown = ()
        yield Finding(rule.name, rule.severity, rule.artifact, f"{rule.sees} Then: {rule.remedy}.",
                      result["num_offenders"], shown)  # fmt: skip


def _refuse_unknown(given: Sequence[str], known: Iterable[str], what: str) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UsageError(
            f"there is no {what} {unknown[0]!r}{did_you_mean(unknown[0], known)}", f"known are {', '.join(known)}"
        )
