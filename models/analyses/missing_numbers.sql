-- Which numbers are missing, and why?
-- $model = *: model, * for all
select
    reason,
    benchmark,
    scenario,
    count(*) as num_numbers,
    count(distinct model) as num_models,
    min(detail) as example
from fct_refusals
where model glob $model
group by all
order by num_numbers desc, reason, benchmark, scenario
