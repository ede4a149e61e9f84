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

    select
        unnest({{ var('pass_at_k') }}::bigint[]) as k,
        'pass@' || k as metric

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
        weights.k,
        sum(cells_by_passes.num_problems * weights.numerator)
            as score_numerator,
        sum(cells_by_passes.num_problems) * any_value(weights.denominator)
            as score_denominator
    from cells_by_passes
    semi join cells_not_refused using ({{ key }})
    inner join weights
        using (num_planned, num_passed)
    group by {{ key }}, weights.k

),

with_uncertainty as (

    select
        metrics_not_refused.*,
        coalesce(
            passes,
            flatten(list_transform(
                range(len(counts)),
                lambda c: list_resize([]::bigint[], counts[c + 1], c)
            ))
        ) as all_passes,
        scores.score_numerator,
        scores.score_denominator,
        {{ bootstrap_interval('all_passes', 'num_planned', 'k') }} as bootstrap,
        {{ shown_interval(
            'all_passes', 'clusters', 'num_planned', 'k'
        ) }} as shown,
        {{ standard_errors('all_passes', 'num_planned', 'k') }} as errors
    from metrics_not_refused
    inner join scores using ({{ key }}, k)

),

flagged as (

    select
        *,
        list_sort(
            shown.flags || list_filter([
                case
                    when errors.is_data_below_zero
                        then 'data_noise_below_zero'
                end,
                case when num_empty > 0 then 'unanswered_counted_wrong' end
            ], lambda flag: flag is not null)
        ) as flags
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
        bootstrap.low as bootstrap_low,
        bootstrap.high as bootstrap_high,
        shown.low as interval_low,
        shown.high as interval_high,
        shown.method as interval_method,
        'problems like these' as estimand,
        flags,
        errors.total as se_total,
        errors.prediction as se_prediction,
        errors.data as se_data,
        is_headline_test_set
    from flagged

)

select * from typed
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, k
