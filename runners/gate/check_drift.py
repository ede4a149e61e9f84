"""What moved since the last publication, and whether rows did: table ``gate_facts.drift``, one row per number.

A number may move only where its rows did. The rows of a cell are known from its problems (``fct_task_scores``) where
both sides have them, else from what the leaderboard itself says of them: who judged which request, and how many
samples of how many problems passed.
"""

from __future__ import annotations

from pathlib import Path

from .check_recount import CELL
from .check_sources import Sources, show_marts
from .check_tables import make, texts

NUMBERS = ("score", "interval_low", "interval_high", "bootstrap_low", "bootstrap_high")
"""What a reader quotes."""
EVIDENCE = ("dataset_version", "grader_id", "request_digest", "num_problems", "num_planned", "num_samples",
            "num_passed", "num_unanswered")  # fmt: skip
_KEY = (*CELL, "metric")
_TOLERANCE = 1e-12


def make_drift(sources: Sources, published: Path) -> None:
    """Compare with ``published``, a file of marts or a folder of their exports.

    An older schema leaves ``gate_facts.drift_not_comparable`` instead. Raises BadInput where no mart can be read there.
    """
    show_marts(sources, published, "gate_old")
    missing = _missing(sources)
    if missing:
        columns = texts("column_name", "problem")
        make(sources, "drift_not_comparable", columns, ({"column_name": a, "problem": b} for a, b in missing))
        return
    sources.show("gate_facts.drift", _moved(has_problems=_has_problems(sources)))


def _missing(sources: Sources) -> list[tuple[str, str]]:
    """Columns that the comparison asks for and the old leaderboard lacks or holds under another type."""
    if not sources.has("gate_old.leaderboard"):
        return [("leaderboard", sources.absent.get("gate_old.leaderboard", "there is no leaderboard"))]
    types = {
        schema: dict(
            row[:2] for row in sources.connection.execute(f"describe select * from {schema}.leaderboard").fetchall()
        )
        for schema in ("gate_old", "gate_marts")
    }
    wanted = (*_KEY, *NUMBERS, *EVIDENCE, "score_numerator", "score_denominator")
    old, new = types["gate_old"], types["gate_marts"]
    return [
        (name, f"was {old[name]}, is {new.get(name)}" if name in old else "missing")
        for name in wanted
        if old.get(name) != new.get(name)
    ]


def _has_problems(sources: Sources) -> bool:
    return all(sources.has(f"{schema}.fct_task_scores") for schema in ("gate_old", "gate_marts"))


def _moved(*, has_problems: bool) -> str:
    key = ", ".join(_KEY)
    moved = " or ".join(f"not coalesce(abs(now.{name} - was.{name}) <= {_TOLERANCE}, false)" for name in NUMBERS)
    return f"""
        with was as (select *, {_evidence()} as rows_of_cell from gate_old.leaderboard),
        now as (select *, {_evidence()} as rows_of_cell from gate_marts.leaderboard),
        compared as (
            select {key}, {_shown("was")} as was, {_shown("now")} as now,
                case when now.score is null then 'gone' when was.score is null then 'new'
                    when {moved} then 'moved' else 'same' end as outcome,
                was.rows_of_cell is distinct from now.rows_of_cell as is_evident
            from was
            full join now using ({key})
        ),
        changed as ({_problems() if has_problems else f"select {', '.join(CELL)} from compared where is_evident"})
        select compared.*, case when outcome <> 'moved' then outcome
            when is_evident or changed.model is not null then 'moved' else 'unexplained' end as change
        from compared
        left join (select distinct * from changed) as changed using ({", ".join(CELL)})
        where outcome <> 'same'
    """


def _evidence() -> str:
    """At k = 1 the score is passes over samples; at larger k the same passes may lie on other problems."""
    numerators = "case when k > 1 then concat(score_numerator, '/', score_denominator) end"
    return f"concat_ws(' ', {', '.join(EVIDENCE)}, {numerators})"


def _shown(side: str) -> str:
    return f"printf('%.6f [%.6f, %.6f]', {side}.score, {side}.interval_low, {side}.interval_high)"


def _problems() -> str:
    """Cells whose problems, requests, graders or counts changed; the order of rows does not enter."""
    cell = ", ".join(CELL)
    counts = ", ".join(f"{name}::bigint" for name in ("num_planned", "num_present", "num_judged", "num_passed"))
    rows = f"select {cell}, count(*) as num_rows, bit_xor(hash(task_id, request_digest, grader_id, {counts})) as found"
    return f"""
        select {cell}
        from ({rows} from gate_old.fct_task_scores group by {cell}) as was
        full join ({rows} from gate_marts.fct_task_scores group by {cell}) as now using ({cell})
        where was.found is distinct from now.found or was.num_rows is distinct from now.num_rows
    """
