with benchmarks as (

    select * from {{ ref('int_benchmarks_unioned') }}

),

cells as (

    select * from {{ ref('int_benchmark_cells') }}

),

counted as (

    select
        benchmark,
        dataset_version,
        scenario,
        test_set,
        num_problems_pinned::integer as num_problems_pinned,
        is_headline_test_set
    from cells

),

joined as (

    select
        counted.benchmark,
        counted.dataset_version,
        counted.scenario,
        counted.test_set,
        benchmarks.title,
        benchmarks.kind,
        benchmarks.hub_id,
        benchmarks.hub_revision,
        benchmarks.licence,
        benchmarks.dataset_digest,
        benchmarks.trust_tier,
        counted.num_problems_pinned,
        counted.is_headline_test_set,
        benchmarks.is_default,
        benchmarks.is_default_cell
    from counted
    inner join benchmarks using (benchmark, dataset_version)

)

select * from joined
order by benchmark, dataset_version, scenario, test_set
