-- Cells with problems too few or too many, or with problems whose samples are
-- not as planned. A table, though few read it: an engine that knows how few
-- they are looks problems up in them, and not the other way round, which would
-- hold every problem of the board in memory.
{%- set key = cell_key() | join(', ') %}
with cells as (

    select * from {{ ref('int_cells_aggregated') }}

),

cells_by_counts as (

    select * from {{ ref('int_cells_by_counts') }}

),

off_plan as (

    select {{ key }}
    from cells
    where num_problems <> num_problems_pinned
    union
    select {{ key }}
    from cells_by_counts
    where num_present <> num_planned or num_judged <> num_present

)

select * from off_plan
