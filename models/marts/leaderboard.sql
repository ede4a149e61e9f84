-- A number stands here only where nothing refuses it (fct_refusals).
{%- set key = cell_key() | join(', ') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

refusals as (

    select * from {{ ref('int_refusals_unioned') }}

),

weights as (

    select * from {{ ref('int_pass_at_k_weights') }}

),

cells_by_passes as (

    select * from {{ ref('int_cells_by_passes') }}

),

metrics as (

    {{ metrics_asked() }}

),

cells_refused as (

    select *
    from refusals
    where metric = 'all'

),

cells_not_refused as (

    select *
    from cells
    anti join cells_refused using ({{ key }})

),

metrics_not_refused as (

    select
        cells_not_refused.*,
        metrics.metric,
        metrics.k
    from cells_not_refused
    cross join metrics
    anti join refusals using ({{ key }}, metric)

),

-- integers until the last division: no order of rows can move the result
scores as (

    select
        {{ key }},
        weights.metric,
        sum(cells_by_passes.num_problems * weights.numerator)
            as score_numerator,
        sum(cells_by_passes.num_problems) * any_value(weights.denominator)
            as score_denominator
    from cells_by_passes
    semi join cells_not_refused using ({{ key }})
    inner join weights
        using (num_planned, num_passed)
    group by {{ key }}, weights.metric

),

with_uncertainty as (

    select
        metrics_not_refused.*,
        scores.score_numerator,
        scores.score_denominator,
        {{ uncertainty(
            'counts', 'passes', 'clusters', 'num_planned', 'metric'
        ) }} as around
    from metrics_not_refused
    inner join scores using ({{ key }}, metric)

),

flagged as (

    select
        *,
        array_sort(concat(around.flags, {{ list_of([
            "case when num_empty > 0 then 'unanswered_counted_wrong' end"
        ], without_nulls=true) }})) as flags
    from with_uncertainty

),

typed as (

    select
        {{ key }},
        metric,
        k::integer as k,
        dataset_version,
        protocol,
        temperature,
        top_p,
        grader_id,
        source,
        request_digest,
        trust_tier,
        num_problems::integer as num_problems,
        num_planned::integer as num_planned,
        num_judged as num_samples,
        num_passed,
        num_empty as num_unanswered,
        score_numerator::decimal(38, 0) as score_numerator,
        score_denominator::decimal(38, 0) as score_denominator,
        score_numerator::double / score_denominator::double as score,
        around.bootstrap_low,
        around.bootstrap_high,
        around.bootstrap_method,
        around.bootstrap_seed,
        around.bootstrap_resamples::integer as bootstrap_resamples,
        around.interval_low,
        around.interval_high,
        around.interval_method,
        'problems like these' as estimand,
        around.num_clusters::integer as num_clusters,
        around.design_effect,
        around.new_samples_low,
        around.new_samples_high,
        flags,
        around.se_total,
        around.se_prediction,
        around.se_data,
        around.variance_data,
        is_headline_test_set
    from flagged

)

select * from typed
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, k, metric
