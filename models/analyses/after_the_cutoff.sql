-- Who falls after its training cutoff by more than others do?
-- $model = *: model, * for all
select
    model,
    reference,
    benchmark,
    scenario,
    metric,
    cutoff_date,
    difference_in_differences,
    interval_low,
    interval_high,
    num_before,
    num_after
from fct_contamination_differences
where model glob $model
order by difference_in_differences, model, reference
