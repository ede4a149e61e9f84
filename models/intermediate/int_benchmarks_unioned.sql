-- The pins of every dataset version: the seed, and releases of benchmarks of
-- one's own, whose tasks carry them. A name that the seed has is the seed's.
with seeded as (

    select * from {{ ref('stg_seeds__benchmarks') }}

),

tasks as (

    select * from {{ ref('stg_lake__tasks') }}

),

-- two datasets under one name: the rows of the other one are refused
released as (

    select
        benchmark,
        dataset_version,
        max(dataset_digest) as dataset_digest,
        max_by(pinned_cells, dataset_digest) as cells,
        {{ joined_items(distinct_list('licence'), ', ') }} as licence
    from tasks
    where pinned_cells is not null
    group by benchmark, dataset_version

),

own as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        benchmark as title,
        -- outside_…: verdicts of others on problems that we do not run
        case
            when left(benchmark, 8) = 'outside_' then 'suite' else 'stdin'
        end as kind,
        null::string as hub_id,
        null::string as hub_revision,
        licence,
        cells,
        dataset_version as headline_test_set,
        case
            when left(benchmark, 8) = 'outside_' then 'published'
            else 'values'
        end as trust_tier,
        -- releases are v1 to v9
        dataset_version = max(dataset_version)
            over (partition by benchmark) as is_default,
        false as is_default_cell
    from released
    anti join seeded using (benchmark)

),

unioned as (

    select
        benchmark,
        dataset_version,
        dataset_digest,
        title,
        kind,
        hub_id,
        hub_revision,
        licence,
        cells,
        headline_test_set,
        trust_tier,
        is_default,
        is_default_cell
    from seeded
    union all
    select
        benchmark,
        dataset_version,
        dataset_digest,
        title,
        kind,
        hub_id,
        hub_revision,
        licence,
        cells,
        headline_test_set,
        trust_tier,
        is_default,
        is_default_cell
    from own

)

select * from unioned
