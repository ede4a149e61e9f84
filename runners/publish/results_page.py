"""``RESULTS.md``: the present numbers as one page of a forge, made from the marts by ``make results``.

Every number and every count on the page is a query; no sentence says more than its rows. The cards of the published
data sets have a table of their own: there a model is a row and a benchmark a column, here each board stands by itself,
with ranks, because models of one board alone can be ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..ask.names import rows
from .cards import score_text
from .picture import cell_title

PAGE = Path(__file__).parents[2] / "RESULTS.md"

_HEAD = """# Results

Made from the marts by `make results`; a test compares this page with them. Percent of problems solved at the first try,
with the 95 % interval for problems like these; *rank* is where a model can stand given all pairwise tests of its board
at once (–: asked under other conditions, so not ranked), and **bold** models could be the best of those ranked.
† verdicts recorded by others and imported; without it, graded by us.

"""
_CAVEATS = """## What these numbers do not say

- A board ranks the models on it. Scores of two boards, or under two conditions, are not compared.
- A score before a model's cutoff may be memory: `fct_contamination` has the clean window where a cutoff is known.
- Imported verdicts are their graders' word: we did not run those programs. Where texts are there, `score` does.
- Greedy scores hold for one prompt. Another wording moves them by more than their interval may say.
- Two intervals that overlap are no tie: `benchforge compare A B` is paired, problem by problem.
"""
_AGAIN = """## Check it

```
make results     # rebuilds the marts from the bundled lake, and this page from them
```

`benchforge explain MODEL BENCHMARK` leads each number back to its rows; `benchforge sql "from fct_refusals"` has what
is not here, and why.
"""
_BOARDS = """
select benchmark, scenario, test_set, any_value(dataset_version) as dataset_version, any_value(protocol) as protocol,
    list(distinct protocol order by protocol) as protocols, list(distinct origin order by origin) as origins,
    list(distinct num_problems order by num_problems) as num_problems,
    list(distinct temperature order by temperature) as temperatures,
    list(distinct num_planned order by num_planned) as num_planned
from headline group by all order by all"""
_OF_BOARD = """
select * from headline where benchmark = $benchmark and scenario = $scenario and test_set = $test_set
order by score desc, model"""


def page(marts: Path) -> str:
    """The whole page, from a file of marts."""
    from ..aggregate import opened

    with opened(marts) as connection:
        boards = rows(connection, _BOARDS)
        parts = [_HEAD, *(_board(connection, board) for board in boards), _CAVEATS, *_refused(connection)]
        return "\n".join([*(part.rstrip("\n") + "\n" for part in parts), *_provenance(connection), _AGAIN])


def _board(connection: Any, board: Mapping[str, Any]) -> str:
    keys = {name: board[name] for name in ("benchmark", "scenario", "test_set")}
    lines = [_line(row) for row in rows(connection, _OF_BOARD, **keys)]
    title = f"## {cell_title(board['benchmark'], board['scenario'])}, {board['test_set']}\n\n"
    return title + _conditions(board) + "\n\n" + _table(("model", "score", "rank", "samples", "notes"), lines)


def _conditions(board: Mapping[str, Any]) -> str:
    temperatures = ", ".join("not known" if one is None else f"{one:g}" for one in board["temperatures"])
    problems, samples = _listed(board["num_problems"]), _listed(board["num_planned"])
    asked = f"protocol {_listed(board['protocols'])}; temperature {temperatures}"
    return f"Version {board['dataset_version']}, {problems} problems; {samples} samples each; {asked}."


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    name = row["model"].replace("__", "/", 1).removeprefix("unknown/")
    ranks = "–" if row["rank_low"] is None else f"{row['rank_low']}–{row['rank_high']}"
    shown = f"**{name}**" if row["could_be_first"] else name
    return shown, score_text(row), ranks, str(row["num_planned"]), ", ".join(row["flags"] or ())


def _refused(connection: Any) -> Iterator[str]:
    query = (
        "select reason, count(*) as numbers, count(distinct model) as models, min(detail) as example"
        " from fct_refusals group by all order by numbers desc, reason"
    )
    found = rows(connection, query)
    total = sum(row["numbers"] for row in found)
    yield f"## Not computed\n\n{total} numbers were refused; each is a row of `fct_refusals`.\n"
    cells = [(f"`{row['reason']}`", str(row["numbers"]), str(row["models"]), row["example"] or "") for row in found]
    yield _table(("reason", "numbers", "models", "for example"), cells)


def _provenance(connection: Any) -> Iterator[str]:
    yield "## Where it comes from\n"
    found = rows(
        connection,
        "select source, licence, what, count(distinct model) as models from headline join seeds.sources using (source)"
        " group by all order by source",
    )
    own = rows(connection, "select count(*) as cells from headline where origin = 'self'")[0]["cells"]
    imported = rows(connection, "select count(*) as cells from headline where origin = 'published'")[0]["cells"]
    yield f"{own} of the numbers above are our own gradings, {imported} are imported (†):\n"
    cells = [(f"`{row['source']}`", row["licence"], str(row["models"]), row["what"]) for row in found]
    yield _table(("source", "licence", "models above", "what"), cells)
    yield _agreement(connection)


def _agreement(connection: Any) -> str:
    query = (
        "select count(*) as stated, count(*) filter (where is_reproduced) as reproduced"
        " from fct_published_agreement where not is_exception"
        " union all by name select count(*) as stated, null as reproduced from fct_published_agreement"
    )
    compared, stated = rows(connection, query)
    reasons = rows(
        connection,
        "select exception_reason as reason, count(*) as numbers from fct_published_agreement where is_exception"
        " group by all order by numbers desc, reason",
    )
    num_stated, num_reproduced = stated["stated"], compared["reproduced"]
    text = f"Of {num_stated} figures that these sources state, {num_reproduced} are recomputed to the digit.\n"
    listed = "".join(f"\n- {row['numbers']} not: {row['reason']}." for row in reasons)
    return text + listed + ("\n" if listed else "")


def _table(columns: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    head = [" | ".join(columns), " | ".join("---" for _ in columns)]
    cells = [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) for line in lines]
    return "\n".join(f"| {line} |" for line in (*head, *cells)) + "\n"


def _listed(values: Iterable[Any]) -> str:
    return " or ".join(str(value) for value in values)


def write(path: Path = PAGE) -> None:
    """Build the bundled lake's marts into a folder of their own, and the page from them."""
    import tempfile

    from ..aggregate import build

    with tempfile.TemporaryDirectory() as folder:
        built = build(None, Path(folder) / "benchforge.duckdb")
        path.write_text(page(built.path), encoding="utf-8")


if __name__ == "__main__":
    write()
