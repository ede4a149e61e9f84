-- The cells that an overall score asks of every model that has one of them:
-- its headline on the default version of the dataset, or none.
with weights as (

    select * from {{ ref('stg_seeds__overall_weights') }}

),

benchmarks as (

    select * from {{ ref('int_benchmarks_unioned') }}

),

pins as (

    select * from {{ ref('int_benchmark_cells') }}

),

candidates as (

    select * from {{ ref('int_headline_candidates') }}

),

default_versions as (

    select
        benchmark,
        dataset_version
    from benchmarks
    where is_default

),

headlines as (

    select
        model,
        benchmark,
        scenario,
        test_set,
        dataset_version,
        verdict,
        scope,
        comparability_digest,
        origin,
        num_planned
    from candidates
    where preference = 1 and num_tied = 1

),

cells as (

    select
        weights.overall,
        weights.weight,
        weights.benchmark,
        weights.scenario,
        pins.test_set,
        pins.dataset_version
    from weights
    inner join default_versions
        on weights.benchmark = default_versions.benchmark
    inner join pins
        on
            weights.benchmark = pins.benchmark
            and weights.scenario = pins.scenario
            and default_versions.dataset_version = pins.dataset_version
    where pins.is_headline_test_set

),

models as (

    select distinct
        headlines.model,
        cells.overall
    from headlines
    inner join cells using (benchmark, scenario)

),

asked as (

    select
        models.model,
        cells.*,
        headlines.verdict,
        headlines.scope,
        headlines.comparability_digest,
        headlines.origin,
        headlines.num_planned,
        headlines.model is not null as is_found
    from models
    inner join cells
        on models.overall = cells.overall
    left join headlines
        on
            models.model = headlines.model
            and cells.benchmark = headlines.benchmark
            and cells.scenario = headlines.scenario
            and cells.test_set = headlines.test_set
            and cells.dataset_version = headlines.dataset_version

)

select * from asked
