"""The document: rows to Markdown. Words stand here, numbers come from :mod:`figures`; nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from . import causes
from .boards import OFFICIAL, RECORDED, STRICT, Row
from .figures import BoardFigures, Figures, TotalsFigures
from .pictures import ROUNDING
from .summary import summary, where

_PAIRS = (("evalplus_humaneval", "evalplus_humaneval_plus"), ("evalplus_mbpp", "evalplus_mbpp_plus"))
PICTURES = ("audit_neighbours.svg", "audit_cruxeval_i.svg")
_HEAD = """# Published scores, counted again

Made by `make audit-public` from recorded public files; equal files give this page byte for byte. Every set is imported
into one lake, graded again by our judge where its texts and the tests are public, built into marts, and compared.

{summary}
![Neighbours that can be told apart](pictures/{neighbours})

## How to read this

*Published* is the number as its board prints it. *Recorded* is the mean of the recorded verdicts with every planned
answer counted: an answer that was never graded is wrong. *Official* is our judge under the rules of the benchmark's own
harness, *strict* under the best reading of what the model meant ([design/audit.md](design/audit.md)); a dash says that
no text or no test is public, or that grading did not get there ([what was not run](#what-was-not-run)). *Rank* is the
place on the board as published, and now; *possible* are the ranks that hold for all rows at once with 95 %. *Next* says
whether a row can be told from the one below it: "pair" when that pair alone is asked, "board" when all pairs of the
board are.

**Method.** One problem is one unit; problems made from one source problem are one cluster. Two rows are compared
problem by problem: "pair" is a difference beyond 1.96 of its paired standard error (Miller, arXiv 2411.00640), "board"
one beyond Tukey's constant for that many models (Tukey 1953, Kramer 1956), from which rank intervals follow by
inversion (Mogstad, Romano, Shaikh, Wilhelm 2024). Intervals are for problems like these.

**Limits.** Rows of one board may differ in n, sampling and prompts: the boards mix them, and so do these tables.
Verdicts of repeated runs can differ where time decides. Our official rules deviate where an answer deceives the
comparison (`seeds/deviations.csv`). Files are those of one commit; boards move on. Models are named as the boards name
them. Nothing here says why an answer was left out or a version chosen, and contamination is not looked at. A number
that stands is not thereby a good benchmark: "can be told apart" is about these problems and their like.
"""
_TOTALS = """## Boards of which only totals are public

Without results by problem the paired test of two models is not known. *Independent* takes the problems of both as drawn
apart, which is cautious where models tend to solve the same ones; *at best* takes the pairing that is kindest to the
claim, in which the better model solves everything that the worse one does: what is not told even so cannot be told.
*Not a count* are published numbers that no whole number of passes gives for any size that the benchmark had: with one
decimal {possible:.0%} of all values are possible for 164 problems, {hard:.0%} for 148, and all for 1,140, where nothing
can be seen.
"""
_DETAILS = """## Boards, row by row
"""
_RUNS = """## Single runs

Runs that stand on no board above, pass@1 in percent. *Recorded* is the mean of the recorded verdicts; *differ* counts
verdicts that the official rules do not give. Where *official* is near 0 and *strict* is as recorded, the tool took the
program out of a reply, and the benchmark's own harness would have run the reply as it stands: a protocol, not a fault.
"""
_LATER = """## What was not run

{not_reached}
- LiveCodeBench code generation: hidden tests are not in the recorded data; the recorded verdicts are read. On the tests
  that are known the recorded programs do as recorded (`tests/sandbox/test_sandbox_livecodebench_recorded.py`).
- BigCodeBench and MultiPL-E: their verdicts are read as recorded. Both suites can be graded here
  ([howto/suites.md](howto/suites.md)); seven languages of the 1.5B set were, outside this page
  ([design/multipl_e.md](design/multipl_e.md)): eight of its passes in C# are crashes (`multipl_e_cs_crash_passes`).
- MBPP and MBXP samples of other harnesses: their problems are not pinned here; verdicts are read as recorded.
- LiveCodeBench execution: the programs of its problems are not in the recorded data.
- Boards of means (LiveCodeBench's page, question-level tables): no samples are public.
- Test generation on LiveCodeBench's page names no test, so that two models cannot be paired.
"""


def document(figures: Figures) -> str:
    """The whole page."""
    return "\n".join(_lines(figures)).rstrip() + "\n"


def _lines(figures: Figures) -> Iterator[str]:
    yield _HEAD.format(summary=summary(figures), neighbours=PICTURES[0])
    yield from _overview(figures.boards)
    yield _TOTALS.format(possible=figures.share_possible, hard=figures.share_possible_hard)
    yield from _totals(figures.totals)
    yield from _causes(figures)
    yield _DETAILS
    for board in figures.boards:
        if board.board.is_detailed:
            yield from _board(board)
    yield _RUNS
    yield from _runs(figures.runs)
    yield _LATER.format(not_reached="\n".join(_not_reached(figures)) or "- Everything that can be executed here was.")
    yield "## Sources\n"
    for source, licence, number in figures.sources:
        yield f"- {source} ({licence}): {number} file{'s' if number > 1 else ''}"


def _not_reached(figures: Figures) -> Iterator[str]:
    for benchmark, scenario, number, runs in figures.regraded.not_reached:
        yield f"- {where(benchmark, scenario)}: {number:,} recorded verdicts in {runs} runs, not reached by grading."


def _overview(boards: Sequence[BoardFigures]) -> Iterator[str]:
    yield "## Boards with results by problem\n"
    yield from _table(
        (
            "board",
            "rows",
            "problems",
            "neighbours",
            "told: pair",
            "told: board",
            "could be first",
            "ranks moved",
            "source",
        ),
        [
            (
                one.board.title,
                len(one.rows),
                len(one.rows[0].best.scores),
                *one.told,
                sum(row.standing.rank_low == 1 for row in one.rows),
                sum(row.published_rank != row.standing.rank for row in one.rows),
                one.board.source,
            )
            for one in boards
        ],
    )


def _totals(boards: Sequence[TotalsFigures]) -> Iterator[str]:
    yield from _table(
        ("board", "rows", "problems", "neighbours", "independent", "independent, board", "at best", "could be first"),
        [
            (
                one.board.title,
                len(one.rows),
                one.board.num_problems[0],
                len(one.rows) - 1,
                sum(bool(row.is_told_before) for row in one.rows),
                sum(bool(row.is_told_after) for row in one.rows),
                sum(bool(row.is_told_at_best) for row in one.rows),
                sum(row.rank_low == 1 for row in one.rows),
            )
            for one in boards
        ],
    )
    yield from _impossible(boards)


def _impossible(boards: Sequence[TotalsFigures]) -> Iterator[str]:
    """Numbers that are no count, and those of another size of the benchmark."""
    rows = []
    for one in boards:
        size = one.board.num_problems[0]
        none = [f"{row.name} {row.published:g}" for row in one.rows if row.num_problems is None]
        other = [f"{row.name} {row.published:g}" for row in one.rows if row.num_problems not in (None, size)]
        if none or other:
            rows.append((one.board.title, len(none), "; ".join(none), len(other), "; ".join(other)))
    if rows:
        yield from _table(("board", "not a count", "which", "a count only of an older size", "which"), rows)
    for base, plus in _PAIRS:
        yield from _more_with_more_tests(boards, base, plus)


def _more_with_more_tests(boards: Sequence[TotalsFigures], base: str, plus: str) -> Iterator[str]:
    """Rows whose score with extra tests exceeds the one without, which no set of programs can have."""
    known = {one.board.key: {row.name: row.published for row in one.rows} for one in boards}
    found = [name for name, score in known[plus].items() if score > known[base].get(name, score)]
    titles = {one.board.key: one.board.title for one in boards}
    listed = f": {', '.join(found)}" if found else ""
    yield f"{titles[plus]} above {titles[base]}: {len(found)} rows{listed}.\n"


def _causes(figures: Figures) -> Iterator[str]:
    regraded = figures.regraded
    yield "## Verdicts that differ, by cause\n"
    yield from _table(
        ("benchmark", "scenario", "verdicts executed again", "models"),
        [(benchmark, scenario, f"{number:,}", models) for benchmark, scenario, number, models in regraded.counted],
    )
    rows = [
        (
            cause,
            where,
            "recorded fail, ours pass" if way == "up" else "recorded pass, ours fail",
            number,
            causes.words_of(cause),
        )
        for (cause, where, way), number in sorted(regraded.by_cause.items())
    ]
    yield from _table(("cause", "on", "which way", "samples", "what is known"), rows)
    yield from _unexplained(figures)


def _unexplained(figures: Figures) -> Iterator[str]:
    left = [one for one, cause in figures.regraded.differing if cause == causes.UNEXPLAINED]
    if left:
        shown = ", ".join(f"{one.model} {one.task_id}/{one.sample_index}" for one in left[:20])
        yield f"Unexplained: {shown}{' …' if len(left) > 20 else ''}.\n"


def _board(one: BoardFigures) -> Iterator[str]:
    yield f"### {one.board.title}\n\n{one.board.source}\n"
    if one.board.key == "cruxeval_i_1":
        yield f"![As published and by the official rules](pictures/{PICTURES[1]})\n"
    columns = ("row", "published", "recorded", "official", "strict", "95 %", "rank", "possible", "next", "cause")
    yield from _table(columns, [_row(row) for row in one.rows])
    if one.twins:
        pairs = "; ".join(f"{row} = {samples}" for row, samples in one.twins)
        yield f"Equal on every problem to recorded samples: {pairs}.\n"


def _row(row: Row) -> tuple[Any, ...]:
    standing = row.standing
    moved = str(standing.rank) if row.published_rank == standing.rank else f"{row.published_rank} → {standing.rank}"
    return (
        row.name,
        _printed(row.published),
        *(
            _number(row.readings[name].percent if name in row.readings else None)
            for name in (RECORDED, OFFICIAL, STRICT)
        ),
        f"{standing.low:.1f} – {standing.high:.1f}",
        moved,
        f"{standing.rank_low} – {standing.rank_high}",
        "board" if standing.is_told_after else "pair" if standing.is_told_before else "",
        _cause(row),
    )


def _cause(row: Row) -> str:
    """What moved the number, where it moved by more than rounding."""
    found = []
    recorded = row.readings[RECORDED].percent
    if row.published is not None and abs(row.published - recorded) > ROUNDING:
        found.append(f"answers left out of the denominator {recorded - row.published:+.2f}")
    if OFFICIAL in row.readings and abs(row.readings[OFFICIAL].percent - recorded) > 1e-6:
        found.append(f"graded again {row.readings[OFFICIAL].percent - recorded:+.2f}")
    return "; ".join(found)


def _runs(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    numbers = ("published", "recorded", "official", "strict", "differ", "95 %")
    columns = ("run", "benchmark", "problems", "n", *numbers, "source")
    yield from _table(columns, [_run(row) for row in rows])


def _run(row: dict[str, Any]) -> tuple[Any, ...]:
    scenario = "" if row["scenario"] == "default" else f" {row['scenario']}"
    return (
        row["model"].removeprefix("unknown__"),
        f"{row['benchmark']} {row['dataset_version']}{scenario}, {row['test_set']}",
        row["num_problems"],
        row["num_samples"],
        _printed(row["published"]),
        *(_number(row[name]) for name in ("recorded", "official", "strict")),
        "" if row["official"] is None else row["num_differing"],
        "" if row["low"] is None else f"{row['low']:.1f} – {row['high']:.1f}",
        row["source"] or "–",
    )


def _printed(value: float | None) -> str:
    """With the digits that the board prints, two at most."""
    return "–" if value is None else f"{round(value, 2):g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "| " + " | ".join("---" for _ in columns) + " |"
    yield from ("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)
    yield ""
