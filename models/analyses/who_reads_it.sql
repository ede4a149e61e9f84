-- Whose score depends on who reads the answers: by extraction, by oracle?
-- $benchmark = *: benchmark, * for all
select
    model,
    benchmark,
    scenario,
    axis,
    sum(num_samples) filter (
        where strict_verdict = 'pass' and official_verdict <> 'pass'
    ) as num_lost,
    sum(num_samples) filter (
        where strict_verdict <> 'pass' and official_verdict = 'pass'
    ) as num_given
from fct_verdict_disagreement_counts
where benchmark glob $benchmark
group by all
order by num_lost desc nulls last, model, benchmark, scenario, axis
