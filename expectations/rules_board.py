"""Rules about the leaderboard and what stands on it: every number held against rows counted again."""

from __future__ import annotations

from .rules import Rule

CELL = ("model", "benchmark", "scenario", "test_set", "verdict", "scope", "comparability_digest", "origin")
_NUMBER = (*CELL, "metric")
_KEY = ", ".join(CELL)
BUILD = "benchforge aggregate, then check again"
TOLERANCE = "1e-12"

_COUNTED = (
    ("num_problems", "num_problems"),
    ("num_planned", "num_planned"),
    ("num_samples", "num_judged"),
    ("num_passed", "num_passed"),
    ("num_unanswered", "num_empty"),
    ("dataset_version", "dataset_version"),
    ("trust_tier", "trust_tier"),
    ("grader_id", "grader_id"),
    ("request_digest", "request_digest"),
)
"""Column of the leaderboard -> of ``gate_recount.cells``."""
_RECOUNTED = f"""(
    select shown.*, {", ".join(f"cells.{found} as recounted_{name}" for name, found in _COUNTED)},
        cells.num_requests, cells.num_graders, cells.num_unsafe, scores.numerator, scores.denominator,
        cells.model is not null as is_in_lake
    from gate_marts.leaderboard as shown
    left join gate_recount.cells as cells using ({_KEY})
    left join gate_recount.scores as scores using ({_KEY}, metric)
)"""
_WITH_CONDITIONS = """(
    select shown.*, requests.protocol as protocol_asked, requests.temperature as temperature_asked,
        requests.top_p as top_p_asked
    from gate_marts.leaderboard as shown
    left join gate_recount.requests as requests
        using (model, benchmark, scenario, comparability_digest, request_digest, dataset_version)
)"""

LEADERBOARD = (
    Rule(
        "recounted",
        "leaderboard",
        "critical",
        "A number that its rows do not give when they are counted again: problems, samples, passes, the integers of"
        " the score, or who judged.",
        _RECOUNTED,
        "not is_in_lake or numerator is distinct from score_numerator or denominator is distinct from"
        f" score_denominator or {' or '.join(f'{name} is distinct from recounted_{name}' for name, _ in _COUNTED)}"
        " or num_requests <> 1 or num_graders <> 1",
        (
            *_NUMBER,
            "score_numerator",
            "numerator",
            "num_problems",
            "recounted_num_problems",
            "num_passed",
            "recounted_num_passed",
        ),
        BUILD,
    ),
    Rule(
        "score_is_its_fraction",
        "leaderboard",
        "critical",
        "A score that is not its numerator over its denominator.",
        "gate_marts.leaderboard",
        f"not (abs(score - score_numerator::double / score_denominator::double) <= {TOLERANCE})",
        (*_NUMBER, "score", "score_numerator", "score_denominator"),
        BUILD,
    ),
    Rule(
        "score_within_its_intervals",
        "leaderboard",
        "critical",
        "A score outside its own interval.",
        "gate_marts.leaderboard",
        "not (score between interval_low and interval_high) or not (score between bootstrap_low and bootstrap_high)",
        (*_NUMBER, "score", "interval_low", "interval_high", "bootstrap_low", "bootstrap_high"),
        BUILD,
    ),
    Rule(
        "intervals_recomputed",
        "leaderboard",
        "critical",
        "An interval or a standard error that the histogram of the rows, counted again, does not give.",
        "gate_recount.intervals",
        "moved <> ''",
        (*_NUMBER, "moved"),
        BUILD,
    ),
    Rule(
        "every_sample_judged",
        "leaderboard",
        "critical",
        "A number over fewer verdicts than samples were planned.",
        "gate_marts.leaderboard",
        "num_samples <> num_problems::bigint * num_planned or k > num_planned or num_passed > num_samples"
        " or num_unanswered > num_samples",
        (*_NUMBER, "num_problems", "num_planned", "num_samples"),
        BUILD,
    ),
    Rule(
        "every_problem_of_the_pin",
        "leaderboard",
        "critical",
        "A number over fewer or more problems than the seed pins for the test set.",
        "(select shown.*, pins.num_problems as num_pinned from gate_marts.leaderboard as shown left join"
        " gate_facts.pins as pins"
        " using (benchmark, dataset_version, scenario, test_set) where shown.scope = 'all')",
        "num_problems is distinct from num_pinned",
        (*_NUMBER, "num_problems", "num_pinned"),
        BUILD,
    ),
    Rule(
        "shown_or_refused",
        "leaderboard",
        "critical",
        "A number that the rows give and that is neither shown nor refused by name.",
        "(select distinct cells.*, metrics.metric from (select * from gate_recount.cells where scope = 'all') as cells"
        f" cross join gate_facts.metrics as metrics anti join gate_marts.leaderboard using ({_KEY}, metric)"
        " anti join gate_marts.fct_refusals as refusals on cells.model = refusals.model"
        " and cells.benchmark = refusals.benchmark and refusals.metric in ('all', metrics.metric) and "
        + " and ".join(f"refusals.{name} in ('all', cells.{name})" for name in CELL[2:])
        + ")",
        "true",
        (*_NUMBER, "num_problems", "num_passed"),
        BUILD,
    ),
    Rule(
        "every_metric",
        "leaderboard",
        "critical",
        "A cell of which a metric that the project asks for is neither shown nor refused by name.",
        "(select cells.*, metrics.metric"
        f" from (select distinct {_KEY}, num_planned from gate_marts.leaderboard) as cells"
        f" cross join gate_facts.metrics as metrics anti join gate_marts.leaderboard using ({_KEY}, metric)"
        f" anti join gate_marts.fct_refusals using ({_KEY}, metric))",
        "true",
        (*_NUMBER, "num_planned"),
        BUILD,
    ),
    Rule(
        "not_refused_as_well",
        "leaderboard",
        "critical",
        "A number that is shown and refused at once.",
        f"(select shown.*, refusals.reason as refusal from gate_marts.leaderboard as shown inner join (select"
        f" *, metric as"
        f" metric_refused from gate_marts.fct_refusals) as refusals using ({_KEY})"
        " where refusals.metric_refused in ('all', shown.metric))",
        "true",
        (*_NUMBER, "refusal"),
        BUILD,
    ),
    Rule(
        "nothing_unsafe",
        "leaderboard",
        "critical",
        "A number over verdicts that were given without the sandbox.",
        _RECOUNTED,
        "num_unsafe > 0",
        (*_NUMBER, "num_unsafe"),
        "score the shard again without --unsafe",
    ),
    Rule(
        "conditions_as_asked",
        "leaderboard",
        "critical",
        "A protocol, temperature or nucleus other than the samples were asked with.",
        _WITH_CONDITIONS,
        " or ".join(f"{name} is distinct from {name}_asked" for name in ("protocol", "temperature", "top_p")),
        (*_NUMBER, "protocol", "protocol_asked", "temperature", "temperature_asked"),
        BUILD,
    ),
    Rule(
        "known_by_the_dimensions",
        "leaderboard",
        "critical",
        "A number of a model or a benchmark that has no row in dim_models or dim_benchmarks.",
        "(select shown.*, models.model as known_model, benchmarks.benchmark as known_benchmark"
        " from gate_marts.leaderboard as shown left join gate_marts.dim_models as models using (model)"
        " left join gate_marts.dim_benchmarks as benchmarks using (benchmark, dataset_version, scenario, test_set))",
        "known_model is null or known_benchmark is null",
        (*_NUMBER, "dataset_version"),
        BUILD,
    ),
)

_OF_HEADLINE = ("score", "interval_low", "interval_high", "interval_method", "bootstrap_low", "bootstrap_high",
                "num_problems", "num_planned", "num_unanswered", "trust_tier", "source", "protocol", "temperature",
                "dataset_version", "flags")  # fmt: skip
_CANDIDATES = (
    "(select * from gate_marts.leaderboard where verdict = 'official' and scope = 'all' and metric = 'pass@1')"
)
HEADLINE = (
    Rule(
        "is_of_the_leaderboard",
        "headline",
        "critical",
        "A headline that is not a number of the leaderboard, column for column.",
        f"(select shown.*, {', '.join(f'own.{name} as own_{name}' for name in _OF_HEADLINE)},"
        f" own.is_headline_test_set from gate_marts.headline as shown left join {_CANDIDATES} as own"
        " using (model, benchmark, scenario, test_set, comparability_digest, origin))",
        f"{' or '.join(f'{name} is distinct from own_{name}' for name in _OF_HEADLINE)} or metric <> 'pass@1'"
        " or is_headline_test_set is distinct from true",
        ("model", "benchmark", "scenario", "test_set", "score", "own_score", "interval_low", "own_interval_low"),
        BUILD,
    ),
    Rule(
        "one_for_each_model",
        "headline",
        "critical",
        "A model with numbers on the headline test set of a benchmark and neither a headline nor a refusal.",
        "(select distinct model, benchmark, scenario from gate_marts.leaderboard where verdict = 'official' and"
        " scope = 'all' and metric = 'pass@1' and is_headline_test_set) as candidates"
        " anti join gate_marts.headline using (model, benchmark, scenario)"
        " anti join (select * from gate_marts.fct_refusals where metric = 'headline') as refused"
        " using (model, benchmark, scenario)",
        "true",
        ("model", "benchmark", "scenario"),
        BUILD,
    ),
    Rule(
        "ours_before_published",
        "headline",
        "critical",
        "Somebody else's verdict in the headline where we have our own.",
        f"gate_marts.headline semi join {_CANDIDATES} as own on headline.model = own.model and headline.benchmark ="
        " own.benchmark and headline.scenario = own.scenario and own.is_headline_test_set and own.origin = 'self'",
        "origin <> 'self'",
        ("model", "benchmark", "scenario", "origin", "score"),
        BUILD,
    ),
    Rule(
        "rank_of_its_board",
        "headline",
        "critical",
        "A rank interval that fct_rank_intervals does not hold.",
        "(select shown.*, ranks.rank_low as own_rank_low, ranks.rank_high as own_rank_high from gate_marts.headline as"
        " shown left join (select * from gate_marts.fct_rank_intervals where verdict = 'official' and scope = 'all') as"
        " ranks using (model, benchmark, scenario, test_set, comparability_digest, origin, metric))",
        "rank_low is distinct from own_rank_low or rank_high is distinct from own_rank_high",
        ("model", "benchmark", "scenario", "rank_low", "own_rank_low", "rank_high", "own_rank_high"),
        BUILD,
    ),
)

RANKS = (
    Rule(
        "score_of_the_leaderboard",
        "fct_rank_intervals",
        "critical",
        "A ranked score that the leaderboard does not show, or a board of another size than it says.",
        "(select ranks.*, shown.score as own_score, count(*) over (partition by ranks.benchmark, ranks.scenario,"
        " ranks.test_set, ranks.metric, ranks.verdict, ranks.scope, ranks.comparability_digest, ranks.origin,"
        " ranks.source, ranks.dataset_version, ranks.num_planned, ranks.problem_set) as num_found"
        f" from gate_marts.fct_rank_intervals as ranks left join gate_marts.leaderboard as shown using"
        f" ({_KEY}, metric))",
        "score is distinct from own_score or num_models <> num_found or rank_high > num_models or rank_low < 1",
        (*_NUMBER, "score", "own_score", "rank_low", "rank", "rank_high", "num_models", "num_found"),
        BUILD,
    ),
    Rule(
        "order_of_scores",
        "fct_rank_intervals",
        "critical",
        "A rank that is not 1 + the number of models of the board with a higher score.",
        "(select *, rank() over (partition by benchmark, scenario, test_set, metric, verdict, scope,"
        " comparability_digest, origin, source, dataset_version, num_planned, problem_set order by score desc)"
        " as own_rank from gate_marts.fct_rank_intervals)",
        "rank <> own_rank",
        (*_NUMBER, "score", "rank", "own_rank"),
        BUILD,
    ),
)

COMPARISONS = (
    Rule(
        "difference_of_scores",
        "fct_model_comparisons",
        "critical",
        "A difference that is not that of the two scores on the leaderboard.",
        f"(select pairs.*, one.score - other.score as difference_of_scores from"
        f" gate_marts.fct_model_comparisons as pairs"
        f" left join gate_marts.leaderboard as one using ({_KEY}, metric) left join gate_marts.leaderboard as other on"
        " pairs.other_model = other.model and "
        + " and ".join(f"pairs.{name} = other.{name}" for name in (*CELL[1:], "metric"))
        + ")",
        f"not coalesce(abs(difference - difference_of_scores) <= {TOLERANCE}, false)",
        ("model", "other_model", *_NUMBER[1:], "difference", "difference_of_scores"),
        BUILD,
    ),
)

BOARD_RULES = (*LEADERBOARD, *HEADLINE, *RANKS, *COMPARISONS)
