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

detections as (

    select * from {{ ref('stg_seeds__suite_detection') }}

),

metrics as (

    {{ metrics_asked() }}

),

cells_refused as (

    select *
    from refusals
    where metric = 'all'

),

-- what surrounds a score depends on these alone, and verdict kinds often agree
cells_not_refused as (

    select
        *,
        dense_rank() over (order by num_planned, counts, passes, clusters)
            as law
    from cells
    anti join cells_refused using ({{ key }})

),

metrics_not_refused as (

    select
        {{ all_but(['counts', 'passes', 'clusters'], 'cells_not_refused') }},
        metrics.metric,
        -- one of one sample passes where all of one do
        case when metrics.k = 1 then 'pass@1' else metrics.metric end
            as metric_of_law,
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

laws as (

    select
        law,
        num_planned,
        num_problems,
        counts,
        passes,
        clusters
    from cells_not_refused
    qualify row_number() over (partition by law order by {{ key }}) = 1

),

laws_asked as (

    select distinct
        law,
        metric_of_law
    from metrics_not_refused
    inner join scores using ({{ key }}, metric)

),

-- alike ones stand together: the function takes them a vector at a time
laws_in_order as (

    select
        laws.*,
        laws_asked.metric_of_law
    from laws
    inner join laws_asked using (law)
    order by
        laws_asked.metric_of_law, laws.num_planned, laws.num_problems, laws.law

),

uncertainties as (

    select
        law,
        metric_of_law,
        {{ uncertainty(
            'counts', 'passes', 'clusters', 'num_planned', 'metric_of_law'
        ) }} as around
    from laws_in_order

),

with_uncertainty as (

    select
        metrics_not_refused.*,
        scores.score_numerator,
        scores.score_denominator,
        uncertainties.around
    from metrics_not_refused
    inner join scores using ({{ key }}, metric)
    inner join uncertainties using (law, metric_of_law)

),

flagged as (

    select
        *,
        array_sort(concat(around.flags, {{ list_of([
            "case when num_empty > 0 then 'unanswered_counted_wrong' end"
        ], without_nulls=true) }})) as flags
    from with_uncertainty

),

-- of verdicts that a forged sample can reach
with_detection as (

    select
        flagged.*,
        case
            when flagged.trust_tier = 'suite'
                then detections.num_seen::double / detections.num_forged
        end as detection_rate,
        case
            when flagged.trust_tier = 'suite' then detections.num_forged
        end as num_forged
    from flagged
    left join detections
        on flagged.benchmark = detections.benchmark

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
        detection_rate,
        num_forged::integer as num_forged,
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
    from with_detection

)

select * from typed
order by
    model, benchmark, scenario, test_set, verdict, scope,
    comparability_digest, origin, k, metric
