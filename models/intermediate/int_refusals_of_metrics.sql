-- Single metrics that a cell cannot have: k above n, or integers too large.
{%- set key = cell_key() | join(', ') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

metrics as (

    {{ metrics_asked() }}

),

fewer_samples_than_k as (

    select
        {{ key }},
        metric,
        'fewer_samples_than_k' as reason,
        'n = ' || num_planned || ' is smaller than k = ' || k as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        num_problems as num_affected
    from cells
    cross join metrics
    where num_planned < k

),

numerators_too_large as (

    select
        {{ key }},
        metric,
        'numerator_too_large' as reason,
        num_problems || ' problems times C(' || num_planned || ', ' || k
        || ') exceeds 2^{{ var('numerator_limit_bits') }}' as detail,
        {{ no_texts() }} as differing_fields,
        {{ no_texts() }} as problems,
        num_problems as num_affected
    from cells
    cross join metrics
    where
        num_planned >= k
        and {{ log2_combinations('num_planned', 'k') }} + log2(num_problems)
        > {{ var('numerator_limit_bits') }}

),

unioned as (

    {{ refusals_of([
        'fewer_samples_than_k',
        'numerators_too_large',
    ]) }}

)

select * from unioned
