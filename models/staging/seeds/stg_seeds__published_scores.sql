with source as (

    select * from {{ ref('published_scores') }}

),

renamed as (

    select
        ---------- ids
        model,
        benchmark,
        scenario,
        test_set,
        source,
        ---------- strings
        protocol,
        metric,
        exception_reason,
        ---------- numerics
        temperature,
        k,
        num_problems,
        num_samples,
        published,
        recomputed,
        recomputed_strict_n,
        ---------- booleans
        is_exception
    from source

)

select * from renamed
