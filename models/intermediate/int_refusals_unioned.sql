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

of_scopes as (

    select * from {{ ref('int_refusals_of_scopes') }}

),

unioned as (

    {{ refusals_of([
        'of_cells',
        'of_problems',
        'of_metrics',
        'of_stages',
        'of_scopes',
    ]) }}

),

shortened as (

    select
        {{ all_but(['problems']) }},
        case
            when {{ num_items('problems') }} > {{ named }}
                then
                    {{ first_items('problems', named) }}
                    || {{ list_of([
                        "'and ' || (" ~ num_items('problems') ~ " - " ~ named
                        ~ ") || ' more'"
                    ]) }}
            else problems
        end as problems
    from unioned

)

select * from shortened
