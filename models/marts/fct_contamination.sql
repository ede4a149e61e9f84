-- Months of contests: a fall after the cutoff may also be harder problems,
-- which fct_contamination_differences tells apart.
{%- set board = contamination_board() %}
with scores as (

    select * from {{ ref('int_scores_dated') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_unioned') }}

),

by_month as (

    select
        {{ board | join(', ') }},
        model,
        protocol,
        source,
        date_trunc('month', contest_date)::date as month,
        units_per_problem,
        count(*) as num_problems,
        count(distinct cluster) as num_contests,
        sum(score_units) as total_units,
        {{ ordered_list(
            'score_units::double / units_per_problem::double', ['task_id']
        ) }} as scores,
        {{ ordered_list('cluster', ['task_id']) }} as clusters
    from scores
    where contest_date is not null
    group by all

),

with_interval as (

    select
        by_month.*,
        cutoffs.cutoff_date,
        cutoffs.cutoff_kind,
        {{ mean_interval('by_month.scores', 'by_month.clusters') }} as shown
    from by_month
    left join cutoffs
        on by_month.model = cutoffs.model

),

typed as (

    select
        score_kind,
        benchmark,
        dataset_version,
        scenario,
        test_set,
        verdict,
        comparable_within,
        origin,
        metric,
        model,
        month,
        protocol,
        source,
        num_problems::integer as num_problems,
        num_contests::integer as num_contests,
        total_units::double
        / (num_problems * units_per_problem)::double as score,
        shown.low as interval_low,
        shown.high as interval_high,
        shown.method as interval_method,
        shown.flags,
        cutoff_date,
        cutoff_kind,
        month > cutoff_date as is_after_cutoff
    from with_interval

)

select * from typed
order by
    score_kind, benchmark, dataset_version, scenario, test_set, verdict,
    comparable_within, origin, metric, model, month
