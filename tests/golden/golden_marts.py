"""Golden marts: what people read, as CSV in this folder, compared byte for byte.

``recorded`` are the marts of the bundled lake, ``demo`` those at the end of ``benchforge demo``, ``made`` those of
``made_lake``. A change that is meant is written with ``make golden`` and shows in the diff of the commit, row by row.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import made_lake
from benchforge.runners import aggregate

FOLDER = Path(__file__).parent
CELL = ("benchmark", "scenario", "test_set", "model")
DIGEST = "left(comparability_digest, 8) as conditions"
LIMITS = ("interval_low", "interval_high", "interval_method", "bootstrap_low", "bootstrap_high")
NUMBER = ("score_numerator::varchar as numerator", "score_denominator::varchar as denominator", "score", *LIMITS)
NOISE = ("se_total", "se_prediction", "se_data", "new_samples_low", "new_samples_high", "flags")


@dataclass(frozen=True)
class Golden:
    """Columns of a mart; ``key`` names a row. A digest is shown by its first eight digits."""

    mart: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    where: str = "true"

    @property
    def key_names(self) -> list[str]:
        return [expression.rsplit(" as ", 1)[-1] for expression in self.key]

    def query(self) -> str:
        columns = ", ".join((*self.key, *self.values))
        return f"select {columns} from {self.mart} where {self.where} order by all"


class Moved(NamedTuple):
    """One offender: a cell of a CSV that is not what was committed; ``column`` is empty for a whole row."""

    file: str
    key: str
    column: str
    golden: str
    now: str


MARTS: dict[str, tuple[Golden, ...]] = {
    "recorded": (
        Golden("headline", CELL[:2] + CELL[3:], ("test_set", "metric", "score", *LIMITS, "rank_low", "rank_high",
               "could_be_first", "num_models_ranked", "num_problems", "num_planned", "num_candidates", "flags")),
        Golden("leaderboard", (*CELL, "metric", "scope", DIGEST), (*NUMBER, *NOISE, "num_problems"),
               "metric in ('pass@5', 'pass^5') and benchmark = 'livecodebench'"),
        Golden("fct_rank_intervals", (*CELL, "metric", "num_planned", "scope", DIGEST),
               ("score", "rank", "rank_low", "rank_high", "could_be_first", "num_models"), "metric != 'pass@10'"),
        Golden("fct_model_comparisons", (*CELL, "other_model", "metric", "scope", DIGEST),
               ("difference", "difference_low", "difference_high", "num_discordant", "p_value", "p_against_best",
                "p_adjacent", "q_all_pairs", "families_held"),
               "p_adjacent is not null and metric = 'pass@1'"),
        Golden("fct_contamination", ("benchmark", "scenario", "metric", "protocol", "model", "month"),
               ("num_problems", "score", "interval_low", "interval_high", "is_after_cutoff"),
               "score_kind = 'verdicts' and cutoff_date is not null"),
        Golden("fct_planning_curves", ("benchmark", "scenario", DIGEST, "board_size", "num_planned", "num_samples"),
               ("num_pairs", "v_data", "v_prediction", "gap"), "num_samples in (1, 10)"),
        Golden("fct_published_agreement", ("benchmark", "scenario", "model", "protocol", "temperature", "metric"),
               ("published", "reproduced", "is_reproduced", "exception_reason")),
        Golden("fct_overall_scores", ("overall", "model"), ("score", "interval_low", "interval_high", "se_total")),
        Golden("fct_refusals", ("reason", *CELL, "scope", "metric", DIGEST), ("detail", "differing_fields",
               "num_affected"), "metric != 'pass@100' and metric not like 'pass^%'"),
    ),
    "made": (
        Golden("leaderboard", (*CELL, "metric", "verdict", DIGEST), (*NUMBER, *NOISE), "verdict = 'official'"),
        Golden("fct_problem_means", ("benchmark", "scenario", "model", "metric"),
               ("num_problems", "num_clusters", *LIMITS[:3], "se_total", "flags")),
        Golden("fct_model_comparisons", (*CELL, "other_model", "metric"),
               ("difference", "difference_low", "difference_high", "interval_method", "num_discordant", "p_value",
                "p_method", "p_against_best", "p_adjacent", "q_all_pairs", "families_held")),
        Golden("fct_rank_intervals", (*CELL, "metric"), ("score", "rank", "rank_low", "rank_high", "could_be_first")),
        Golden("fct_refusals", ("reason", *CELL, "verdict", "metric", DIGEST),
               ("detail", "differing_fields", "problems", "num_affected"),
               "verdict in ('official', 'all') and metric != 'pass@100' and metric not like 'pass^%'"),
    ),
    "demo": (
        Golden("leaderboard", (*CELL, "metric", "verdict"), (*NUMBER, *NOISE), "metric != 'pass^1'"),
        Golden("fct_rank_intervals", (*CELL, "metric"), ("score", "rank", "rank_low", "rank_high", "could_be_first")),
        Golden("fct_failure_reasons", (*CELL, "verdict", "reason"), ("num_samples", "num_samples_of_cell",
               "num_problems")),
        Golden("fct_verdict_disagreement_counts", ("model", "part", "axis", "official_verdict", "strict_verdict",
               "corrected_extraction_verdict"), ("num_samples",)),
        Golden("fct_truncated_answers", (*CELL, "metric", "verdict"),
               ("num_truncated", "num_truncated_passed", "score", "score_bound"), "verdict = 'official' and k = 1"),
        Golden("fct_refusals", ("reason", *CELL, "verdict", "metric"), ("detail", "num_affected"),
               "verdict in ('official', 'all') and metric != 'pass@100' and metric not like 'pass^%'"),
    ),
}  # fmt: skip


def write(marts: Path, name: str, folder: Path) -> list[Path]:
    """The CSV files of ``MARTS[name]`` from a built file, below ``folder``."""
    written = []
    (folder / name).mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(marts), read_only=True) as connection:
        for golden in MARTS[name]:
            written.append(folder / name / f"{golden.mart}.csv")
            connection.execute(f"copy ({golden.query()}) to '{written[-1]}' (format csv, header)").fetchall()
    return written


def moved(marts: Path, name: str, folder: Path) -> list[Moved]:
    """What a built file shows otherwise than the committed CSVs; its own are written below ``folder``."""
    offenders = []
    for golden, path in zip(MARTS[name], write(marts, name, folder), strict=True):
        committed = FOLDER / name / path.name
        before = committed.read_bytes() if committed.exists() else b""
        if before != path.read_bytes():
            found = _moved_rows(_rows(committed, golden), _rows(path, golden))
            label = f"{name}/{path.name}"
            offenders += [Moved(label, *row) for row in found] or [Moved(label, "", "bytes", "other order", "")]
    return offenders


def table(offenders: list[Moved], num_shown: int = 40) -> str:
    """For the message of a failed test."""
    lines = [" | ".join(offender) for offender in [Moved(*Moved._fields), *offenders[:num_shown]]]
    more = [f"and {len(offenders) - num_shown} more"] if len(offenders) > num_shown else []
    return "\n".join([f"{len(offenders)} moved; if it is meant: make golden", *lines, *more])


def _rows(path: Path, golden: Golden) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {" ".join(row.get(name, "") for name in golden.key_names): row for row in csv.DictReader(file)}


def _moved_rows(before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> Iterator[tuple[str, ...]]:
    for key in sorted({*before, *now}):
        if key not in now:
            yield key, "", "one row", "none"
        elif key not in before:
            yield key, "", "none", "one row"
        else:
            names = [name for name in {**before[key], **now[key]} if before[key].get(name) != now[key].get(name)]
            yield from ((key, name, str(before[key].get(name)), str(now[key].get(name))) for name in names)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        recorded = aggregate.build(None, Path(scratch) / "recorded" / "benchforge.duckdb").path
        lake = made_lake.write(Path(scratch) / "lake", made_lake.all_rows())
        made = aggregate.build(lake, Path(scratch) / "made" / "benchforge.duckdb").path
        demo = [sys.executable, "-m", "benchforge", "--quiet", "demo", "--scratch", scratch]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HOME": scratch})
        files = {"recorded": recorded, "made": made, "demo": Path(scratch) / "demo" / recorded.name}
        for path in (path for name, marts in files.items() for path in write(marts, name, FOLDER)):
            print(f"{path.stat().st_size:8} {path.relative_to(FOLDER.parent.parent)}")


if __name__ == "__main__":
    main()
