"""Recorded verdicts beside ours, sample by sample, and what the scores of single runs were and are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....ingest.benchmarks import registry
from ....ingest.errors import BenchforgeError
from ....ingest.staging import staged
from .causes import Difference, cause_of
from .filling import is_judged

_BOTH = """
    select
        theirs.benchmark, theirs.model, requests.protocol, theirs.scenario, requests.temperature, theirs.task_id,
        theirs.sample_index,
        case when theirs.official_base_verdict <> 'pass' then theirs.official_base_verdict
        else coalesce(theirs.official_plus_verdict, 'pass') end as their_verdict,
        case when ours.official_base_verdict <> 'pass' then ours.official_base_verdict
        else coalesce(ours.official_plus_verdict, 'pass') end as our_verdict,
        coalesce(
            case when ours.official_base_verdict <> 'pass' then ours.official_base_reason
            else ours.official_plus_reason end, ''
        ) as reason,
        case when ours.strict_base_verdict <> 'pass' then ours.strict_base_verdict
        else coalesce(ours.strict_plus_verdict, 'pass') end as our_strict_verdict,
        theirs.dataset_version
    from stg_lake__results as theirs
    inner join stg_lake__results as ours
        on theirs.sample_id = ours.sample_id and ours.origin = 'self' and theirs.origin = 'published'
    inner join int_requests_summarized as requests
        on theirs.model = requests.model and theirs.benchmark = requests.benchmark
        and theirs.scenario = requests.scenario and theirs.request_digest = requests.request_digest
    where theirs.official_base_verdict is not null and ours.official_base_verdict is not null
        and coalesce(ours.limit_factor, 1) = 1
"""
_COUNTED = f"select benchmark, scenario, count(*), count(distinct model) from ({_BOTH}) group by all order by all"
_DIFFERING = f"select * from ({_BOTH}) where (their_verdict = 'pass') <> (our_verdict = 'pass') order by all"
_UNGRADED = """
    select count(*) from stg_lake__results as ours
    where ours.origin = 'self' and ours.sample_id not in (
        select sample_id from stg_lake__results where origin = 'published' and sample_id is not null
    )
"""
_NOT_REACHED = """
    select theirs.benchmark, theirs.scenario, theirs.dataset_version, theirs.model, theirs.request_digest, count(*)
    from stg_lake__results as theirs
    inner join stg_lake__samples as samples on theirs.sample_id = samples.sample_id
    where theirs.origin = 'published' and theirs.official_base_verdict is not null and samples.raw_text is not null
        and theirs.sample_id not in (select sample_id from stg_lake__results where origin = 'self')
    group by all order by all
"""


@dataclass(frozen=True)
class Regraded:
    """What was graded again: (benchmark, scenario, verdicts, models), samples that nobody had judged, differences.

    ``not_reached``: (benchmark, scenario, verdicts, runs) that can be executed here, and were not.
    """

    counted: tuple[tuple[str, str, int, int], ...]
    num_without_recorded: int
    differing: tuple[tuple[Difference, str], ...]
    not_reached: tuple[tuple[str, str, int, int], ...] = ()

    @property
    def num_verdicts(self) -> int:
        return sum(row[2] for row in self.counted)

    @property
    def by_cause(self) -> Counter[tuple[str, str, str]]:
        """(cause, benchmark, which way) -> samples."""
        return Counter(
            (cause, one.scenario if one.scenario != "default" else one.benchmark, "up" if one.is_ours_pass else "down")
            for one, cause in self.differing
        )


def regraded(marts: Any, datasets: Path) -> Regraded:
    """Every sample that has a recorded verdict and one of ours."""
    counted = tuple(marts.execute(_COUNTED).fetchall())
    codes: dict[tuple[str, str, str], Mapping[str, str]] = {}
    differing = []
    for *facts, version in marts.execute(_DIFFERING).fetchall():
        key = (facts[0], version, facts[3])
        if key not in codes:
            codes[key] = _codes(*key, datasets)
        one = Difference(*facts, code=codes[key].get(facts[5], ""))
        differing.append((one, cause_of(one)))
    ungraded = marts.execute(_UNGRADED).fetchone()[0]
    return Regraded(counted, ungraded, tuple(differing), tuple(not_reached(marts, datasets)))


def not_reached(marts: Any, datasets: Path) -> Iterator[tuple[str, str, int, int]]:
    """(benchmark, scenario, verdicts, runs) of recorded verdicts with a text, on problems that are judged here."""
    runs: dict[tuple[str, str, str], list[int]] = {}
    for benchmark, scenario, version, _, _, number in marts.execute(_NOT_REACHED).fetchall():
        runs.setdefault((benchmark, scenario, version), []).append(number)
    for (benchmark, scenario, version), numbers in runs.items():
        if is_judged(benchmark, version, scenario, datasets):
            yield benchmark, scenario, sum(numbers), len(numbers)


def _codes(benchmark: str, version: str, scenario: str, datasets: Path) -> dict[str, str]:
    """Task -> the program that its problem is about; empty where problems have none."""
    try:
        tasks = staged.load_tasks(registry()[benchmark], version, scenario, datasets)
    except BenchforgeError:
        return {}
    return {task.task_id: code for task in tasks if isinstance(code := task.payload.get("code"), str)}


_SCORES = """
    select
        model, benchmark, dataset_version, scenario, test_set,
        coalesce(any_value(source) filter (origin = 'published'), any_value(source)) as source,
        max(num_planned) as num_samples,
        max(num_problems) as num_problems,
        max(100 * score) filter (origin = 'published' and verdict = 'official') as recorded,
        max(100 * score) filter (origin = 'self' and verdict = 'official') as official,
        max(100 * score) filter (origin = 'self' and verdict = 'strict') as strict,
        max(100 * interval_low) filter (verdict = 'official') as low,
        max(100 * interval_high) filter (verdict = 'official') as high
    from leaderboard
    where metric = 'pass@1' and scope = 'all'
    group by model, benchmark, dataset_version, scenario, test_set, comparability_digest
    order by all
"""


def single_runs(marts: Any, boards: frozenset[str]) -> list[dict[str, Any]]:
    """Runs that are on no board of ``boards`` (sources): recorded, official and strict pass@1 in percent."""
    cursor = marts.execute(_SCORES)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [row for row in rows if row["source"] not in boards]


def published_of(directory: Path) -> dict[tuple[str, str, str], float]:
    """(benchmark word, model word, n) -> percent that was published, of runs that are on no board."""
    found = {}
    for line in (directory / "expected_scores.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row.get("published") is not None and row.get("metric", "pass@1") == "pass@1":
            found[row["benchmark"], row["model"].lower(), str(row.get("n", 1))] = float(row["published"])
    return found
