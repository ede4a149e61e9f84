-- n is a property of the request: growing it from 5 to 10 leaves the first
-- five rows as they are, so the largest plan counts. The ledger knows a plan
-- whose first shard broke off before any sample of it reached the lake.
with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

runs as (

    select * from {{ ref('stg_lake__runs') }}

),

attempted as (

    select
        model,
        benchmark,
        scenario,
        request_digest,
        max(num_planned) as num_planned
    from runs
    where request_digest is not null
    group by all

),

summarized as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        request_digest,
        max(num_planned) as num_planned,
        {%- for field in request_fields() %}
            min({{ field }}) as {{ field }},
        {%- endfor %}
        count(distinct dataset_version) as num_dataset_versions,
        count(distinct dataset_digest) as num_dataset_digests,
        count(*) filter (where dataset_digest is null) as num_unpinned,
        count(*) as num_samples
    from samples
    group by all

),

-- greatest() passes over NULL: most requests of a lake were not attempted
planned as (

    select
        summarized.* replace (
            greatest(summarized.num_planned, attempted.num_planned)
                as num_planned
        )
    from summarized
    left join attempted
        on
            summarized.model = attempted.model
            and summarized.benchmark = attempted.benchmark
            and summarized.scenario = attempted.scenario
            and summarized.request_digest = attempted.request_digest

)

select * from planned
