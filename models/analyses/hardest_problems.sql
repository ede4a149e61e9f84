-- Which problems does nobody solve, or nearly nobody?
-- $benchmark = *: benchmark, * for all
-- $share = 0.1: at most this share of samples passed
select
    benchmark,
    scenario,
    test_set,
    task_id,
    count(distinct model) as num_models,
    sum(num_judged) as num_judged,
    sum(num_passed) as num_passed
from fct_task_scores
where
    benchmark glob $benchmark and verdict = 'official' and scope = 'all'
group by all
having sum(num_passed) <= $share::double * sum(num_judged)
order by benchmark, scenario, test_set, num_passed, task_id
