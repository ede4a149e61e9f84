-- Offenders: graders with fewer passes under a longer limit than under a
-- shorter one, or other passes at 1.0 than the cell has.
{%- set grader = [
    'model', 'benchmark', 'scenario', 'test_set', 'comparability_digest',
    'verdict', 'grader_id',
] | join(', ') %}
with timeout_sensitivity as (

    select * from {{ ref('fct_timeout_sensitivity') }}

),

cells_by_counts as (

    select * from {{ ref('int_cells_by_counts') }}

),

counted as (

    select
        {{ grader }},
        sum(num_passed * num_problems) as num_passed_of_cell
    from cells_by_counts
    where origin = 'self' and scope = 'all'
    group by {{ grader }}

),

neighbours as (

    select
        *,
        lag(num_passed) over (
            partition by {{ grader }}
            order by limit_factor
        ) as num_passed_before
    from timeout_sensitivity

),

offenders as (

    select
        {{ grader }},
        neighbours.limit_factor,
        neighbours.num_passed,
        neighbours.num_passed_before,
        counted.num_passed_of_cell
    from neighbours
    left join counted using ({{ grader }})
    where
        neighbours.num_passed < neighbours.num_passed_before
        or neighbours.num_passed < 0
        or (
            neighbours.limit_factor = 1.0
            and neighbours.num_passed
            is distinct from counted.num_passed_of_cell
        )

)

select * from offenders
