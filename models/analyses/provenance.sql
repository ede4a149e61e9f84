-- What stands behind the numbers of a model: grader, source, protocol, rows?
-- $model = *: model, * for all
-- $benchmark = *: benchmark, * for all
select
    model,
    benchmark,
    scenario,
    test_set,
    verdict,
    metric,
    score,
    score_numerator,
    score_denominator,
    num_problems,
    num_samples,
    origin,
    trust_tier,
    source,
    protocol,
    temperature,
    grader_id,
    request_digest,
    comparability_digest
from leaderboard
where model glob $model and benchmark glob $benchmark and scope = 'all'
order by all
