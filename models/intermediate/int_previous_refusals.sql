{{ config(materialized='ephemeral') }}

with refusals as (

    select * from {{ previous_mart(ref('fct_refusals')) }}

),

selected as (

    select
        {{ cell_key() | join(',\n        ') }},
        metric,
        reason
    from refusals
    where {{ has_previous_build() }}

)

select * from selected
