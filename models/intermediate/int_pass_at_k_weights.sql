-- Integer score of a problem with c of n samples passed, over C(n, k).
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

metrics as (

    {{ metrics_asked() }}

),

shapes as (

    select distinct
        cells.num_planned,
        metrics.metric,
        metrics.k
    from cells
    cross join metrics
    where
        cells.num_planned >= metrics.k
        and {{ log2_combinations('cells.num_planned', 'metrics.k') }}
        <= {{ var('numerator_limit_bits') }}

),

counts as (

    select
        num_planned,
        metric,
        k,
        {{ each_of(numbers_between(0, 'num_planned')) }} as num_passed
    from shapes

),

weighted as (

    select
        num_planned,
        metric,
        k,
        num_passed,
        {{ metric_numerator('metric', 'num_planned', 'num_passed', 'k') }}
            as numerator,
        {{ combinations('num_planned', 'k') }} as denominator
    from counts

)

select * from weighted
