-- Scores that others made: no sample behind them is known, so none of them is
-- a pass@k of ours. Problems of one contest, else samples made from one
-- problem, are one cluster.
{%- set key = [
    'benchmark', 'dataset_version', 'scenario', 'model', 'protocol', 'metric',
    'source'
] %}
with problem_means as (

    select * from {{ ref('stg_lake__problem_means') }}

),

problems as (

    select * from {{ ref('int_problems_dated') }}

),

with_contests as (

    select
        problem_means.*,
        coalesce(problem_means.cluster, problems.cluster) as contest
    from problem_means
    left join problems
        on
            problem_means.benchmark = problems.benchmark
            and problem_means.source_problem = problems.source_problem

),

aggregated as (

    select
        {{ key | join(', ') }},
        count(contest) = count(*) as has_contests,
        count(distinct contest) as num_contests,
        count(distinct source_problem) as num_source_problems,
        count(*) as num_problems,
        -- a number that holds for every problem, or none
        case
            when
                count(num_samples) = count(*)
                and min(num_samples) = max(num_samples)
                then min(num_samples)
        end as num_samples,
        min(licence) as licence,
        sum(mean_units::{{ wide_integer() }}) as total,
        sum(mean_units::{{ wide_integer() }} * mean_units) as total_of_squares,
        {{ ordered_list('mean', ['task_id']) }} as scores,
        {{ ordered_list('contest', ['task_id']) }} as contests,
        {{ ordered_list('source_problem', ['task_id']) }} as source_problems
    from with_contests
    group by {{ key | join(', ') }}

),

labelled as (

    select
        *,
        case when has_contests then contests else source_problems end as labels,
        case when has_contests then 'contest' else 'source_problem' end
            as cluster_kind,
        case when has_contests then num_contests else num_source_problems end
            as num_clusters
    from aggregated

),

with_interval as (

    select
        *,
        {{ mean_interval('scores', 'labels') }} as shown,
        {{ squared_error_of_mean('num_problems', 'total', 'total_of_squares') }}
            as squared_error
    from labelled

),

pins as (

    select
        benchmark,
        dataset_version,
        scenario,
        max(num_problems_pinned) as num_problems_pinned
    from {{ ref('int_benchmark_cells') }}
    group by benchmark, dataset_version, scenario

),

judged as (

    select
        with_interval.*,
        pins.num_problems_pinned,
        case
            when with_interval.num_problems <> pins.num_problems_pinned
                then 'incomplete_problem_set'
        end as refused_because
    from with_interval
    left join pins
        on
            with_interval.benchmark = pins.benchmark
            and with_interval.dataset_version = pins.dataset_version
            and with_interval.scenario = pins.scenario

),

typed as (

    select
        {{ key | join(', ') }},
        licence,
        num_problems::integer as num_problems,
        num_problems_pinned::integer as num_problems_pinned,
        refused_because,
        num_clusters::integer as num_clusters,
        cluster_kind,
        num_samples::integer as num_samples,
        case
            when refused_because is null
                then total::double / (num_problems * 1000000000000)::double
        end as score,
        case when refused_because is null then shown.low end as interval_low,
        case when refused_because is null then shown.high end as interval_high,
        shown.method as interval_method,
        'problems like these' as estimand,
        case
            when refused_because is null
                then sqrt(squared_error) / 1000000000000::double
        end as se_total,
        shown.flags
    from judged

)

select * from typed
order by {{ key | join(', ') }}
