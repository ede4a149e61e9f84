-- Why do the samples of a model fail?
-- $model = *: model, * for all
-- $verdict = official: official, strict or corrected_extraction
select
    model,
    benchmark,
    scenario,
    test_set,
    reason,
    num_samples,
    share,
    num_problems
from fct_failure_reasons
where model glob $model and verdict = $verdict and reason <> 'ok'
order by model, benchmark, scenario, test_set, num_samples desc, reason
