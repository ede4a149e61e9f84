with cells_by_counts as (

    select * from {{ ref('int_cells_by_counts') }}

),

aggregated as (

    select
        {{ cell_key() | join(', ') }},
        num_planned,
        num_passed,
        sum(num_problems)::bigint as num_problems
    from cells_by_counts
    group by all

)

select * from aggregated
