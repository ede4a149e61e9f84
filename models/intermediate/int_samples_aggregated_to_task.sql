with samples as (

    select * from {{ ref('stg_lake__samples') }}

),

aggregated as (

    select
        model,
        benchmark,
        scenario,
        comparability_digest,
        request_digest,
        task_id,
        min(dataset_version) as dataset_version,
        count(*) as num_present
    from samples
    group by all

)

select * from aggregated
