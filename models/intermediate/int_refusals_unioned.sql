-- Every reason why a number is not computed. A reason that concerns a cell as
-- a whole carries metric 'all'; the leaderboard is what is left.
{%- set named = var('num_problems_named') %}
with of_cells as (

    select * from {{ ref('int_refusals_of_cells') }}

),

of_problems as (

    select * from {{ ref('int_refusals_of_problems') }}

),

of_metrics as (

    select * from {{ ref('int_refusals_of_metrics') }}

),

of_stages as (

    select * from {{ ref('int_refusals_of_stages') }}

),

unioned as (

    select * from of_cells
    union all by name
    select * from of_problems
    union all by name
    select * from of_metrics
    union all by name
    select * from of_stages

),

shortened as (

    select
        * exclude (problems),
        case
            when len(problems) > {{ named }}
                then
                    problems[1:{{ named }}]
                    || ['and ' || (len(problems) - {{ named }}) || ' more']
            else problems
        end as problems
    from unioned

)

select * from shortened
