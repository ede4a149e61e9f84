-- What a stage has not finished: it has no cell yet, so the model is named.
with requests as (

    select * from {{ ref('int_requests_summarized') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

runs as (

    select * from {{ ref('stg_lake__runs') }}

),

not_scored as (

    select
        model,
        benchmark,
        scenario,
        'all' as test_set,
        'all' as verdict,
        'all' as scope,
        comparability_digest,
        'self' as origin,
        'all' as metric,
        'not_scored' as reason,
        sum(num_samples) || ' samples wait for benchforge score' as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        sum(num_samples)::bigint as num_affected
    from requests
    anti join graders using ({{ request_key() | join(', ') }})
    group by all

),

-- a shard whose last attempt did not end well has no rows that could show it
last_attempts as (

    select *
    from runs
    where model is not null and benchmark is not null
    qualify row_number() over (
        partition by shard_id, stage
        order by attempt desc, ended_at desc, run_id asc
    ) = 1

),

unfinished_shards as (

    select
        model,
        benchmark,
        'all' as scenario,
        'all' as test_set,
        'all' as verdict,
        'all' as scope,
        'all' as comparability_digest,
        'self' as origin,
        'all' as metric,
        'unfinished_shards' as reason,
        count(*) || ' shards ended before they were done, e.g. '
        || min(
            stage || ' ' || shard_id || ' (' || cause || '): '
            || coalesce(detail, 'no detail')
        ) as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        count(*) as num_affected
    from last_attempts
    where cause <> 'done'
    group by model, benchmark

),

unioned as (

    {{ refusals_of([
        'not_scored',
        'unfinished_shards',
    ]) }}

)

select * from unioned
