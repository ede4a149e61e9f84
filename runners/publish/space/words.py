"""Everything the page says, and which columns its tables have."""

from __future__ import annotations

from html import escape

from tables import (
    Column,
    conditions_cell,
    model_cell,
    number_cell,
    points_cell,
    probability_cell,
    rank_cell,
    score_cell,
    text_cell,
    trust_cell,
)

INTRODUCTION = """
# benchForge leaderboard

Percent of problems solved. **71.2 [64.1, 77.6]**: with 95 % confidence between 64.1 and 77.6 on problems like these.
**3–5 of 12**: ranks it could have among 12 models asked alike. What cannot be computed honestly is not shown, and
*Not computed* says why.
"""

TRUST_TIERS = {
    "values": "values: what the program returned is compared outside its process",
    "suite": "suite: the tests ran in the program's own process, which could deceive them",
    "published": "published: somebody else's verdicts, counted again here",
}
ROWS = {"quoted": "the number quoted for each model", "all": "every set of conditions"}
ORIGINS = {"self": "run by us", "published": "published by others"}
LICENCES = {"all": "any", "osi": "OSI-approved", "other": "not OSI-approved, or unknown"}
VERDICTS = {"official": "official", "strict": "strict", "corrected_extraction": "corrected extraction"}
SCOPES = {
    "all": "all problems",
    "clean": "clean: younger than the training data",
    "without_errata": "without known errata",
}
REASONS = {
    "fewer_samples_than_k": "fewer samples than k",
    "incomparable_conditions": "not asked under the same conditions",
    "incomplete_overall": "a benchmark of the overall score is missing",
    "unknown_contests": "problems of unknown contests",
    "unknown_cutoff": "the end of the training data is not known",
    "no_problems_in_scope": "no problem lies in the window",
}

MODEL = Column("model", "Model", model_cell, "marked where the licence is not approved by the OSI, or unknown")
SCORE = Column(
    "score",
    "Score [95 %]",
    score_cell,
    "percent of problems solved, and its interval for problems like these",
    is_number=True,
)
RANK = Column(
    "rank",
    "Ranks possible",
    rank_cell,
    "among models asked under the same conditions; all hold at once with 95 %",
    True,
    True,
)
CONDITIONS = Column(
    "conditions",
    "Conditions",
    conditions_cell,
    "prompt protocol, temperature, samples per problem, digest of all of it",
)
ORIGIN = Column("origin", "Origin", text_cell("origin"), "self: run by us; published: somebody else's verdicts")
TRUST = Column("trust_tier", "Trust tier", trust_cell, "; ".join(TRUST_TIERS.values()))
LICENCE = Column("licence", "Licence", text_cell("licence"))
PROBLEMS = Column("num_problems", "Problems", number_cell("num_problems"), is_number=True)
FLAGS = Column("flags", "Notes", text_cell("flags"), "what a reader should know about the number")

BOARD = (
    MODEL,
    SCORE,
    RANK,
    CONDITIONS,
    ORIGIN,
    TRUST,
    LICENCE,
    PROBLEMS,
    FLAGS,
    Column("num_unanswered", "Unanswered", number_cell("num_unanswered"), "counted as wrong", is_number=True),
    Column("dataset_version", "Data set", text_cell("dataset_version")),
    Column("interval_method", "Interval by", text_cell("interval_method")),
    Column("source", "Source", text_cell("source"), "repository and commit of published verdicts"),
)
SHOWN_AT_FIRST = ("rank", "conditions", "origin", "trust_tier", "licence", "num_problems", "flags")

PAIRS = (
    MODEL,
    Column("difference", "Better by, points [95 %]", points_cell, "plus: the chosen model is better", is_number=True),
    Column("p_value", "p", probability_cell, "of a difference as large by luck alone, paired by problem", True, True),
    Column("families_held", "Holds among", text_cell("families_held"), "after correction for all pairs of the family"),
    Column("num_discordant", "Problems that differ", number_cell("num_discordant"), is_number=True),
    PROBLEMS,
)

REFUSALS = (
    MODEL,
    Column("reason", "Why", text_cell("reason")),
    Column("detail", "In detail", text_cell("detail"), is_long=True),
    Column("benchmark", "Benchmark", text_cell("benchmark")),
    Column("scenario", "Scenario", text_cell("scenario")),
    Column("test_set", "Test set", text_cell("test_set")),
    Column("metric", "Metric", text_cell("metric")),
    Column("scope", "Window", text_cell("scope")),
    Column("problems", "Problems", text_cell("problems"), is_long=True),
)

OF_ONE_MODEL = (
    Column("benchmark", "Benchmark", text_cell("benchmark")),
    Column("scenario", "Scenario", text_cell("scenario")),
    Column("test_set", "Test set", text_cell("test_set")),
    Column("metric", "Metric", text_cell("metric")),
    SCORE,
    RANK,
    Column("verdict", "Reading", text_cell("verdict")),
    Column("scope", "Window", text_cell("scope")),
    CONDITIONS,
    ORIGIN,
    TRUST,
    FLAGS,
)

PAIRS_TEXT = """
The chosen model against every other one of its board, on the same problems. An interval that holds 0 means: this many
problems do not tell the two apart. Among many pairs some small p come by luck: *Holds among* names the families
(`against_best`, `adjacent`, `all_pairs` …) in which the difference stands after correction.
"""

REFUSED_TEXT = """
Numbers that were not computed, one row each: a score with missing verdicts, a pass@k with fewer than k samples, a
comparison of models that were asked differently. Nothing is estimated in their place.
"""


GLOSSARY = {
    "pass@k, pass^k": "a problem counts as solved where any of k samples passes; pass^k: where all of k pass",
    "interval": "95 %, for the mean over problems like these; the column Interval by names the method",
    "ranks possible": "the ranks that the noise allows, for all models of a board at once with 95 %",
    "conditions": "prompt protocol, temperature, samples per problem; rows of one digest are ranked together",
    "origin": "self: we ran the model and judged its programs; published: verdicts of others, counted again",
    "trust tier": "; ".join(TRUST_TIERS.values()),
    "reading": "official: as the benchmark's own harness reads an answer; strict: the best reading of what was meant",
    "window": "problems the score is about; clean: only those published after the model's training data end",
    "not OSI": "the model's licence is not approved by the Open Source Initiative",
}


def recompute_page(leaderboard: str, commit: str | None, lake: str) -> str:
    """How to get these numbers without this page, and how to make them again from single samples."""
    at = f"@{commit}" if commit else ""
    query = f"""select model, benchmark, scenario, score, interval_low, interval_high, rank_low, rank_high
from 'hf://datasets/{leaderboard}{at}/headline/headline.parquet'
where benchmark = 'cruxeval'
order by score desc;"""
    command = f"""pip install 'benchforge[publish]'
benchforge aggregate --lake hf://datasets/{lake}"""
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in GLOSSARY.items())
    return (
        "<h2>Ask the data yourself</h2><p>Any DuckDB reads the files behind this page:</p>"
        f"{code(query)}"
        "<h2>Make every number again</h2><p>From the published samples and verdicts, and nothing else:</p>"
        f"{code(command)}"
        f'<h2>What the words mean</h2><div class="facts"><dl>{words}</dl></div>'
    )


def code(text: str) -> str:
    """A block to copy from; it can be scrolled with the keys."""
    return f'<pre class="code" tabindex="0"><code>{escape(text)}</code></pre>'
