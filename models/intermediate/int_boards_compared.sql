-- Python is called here once per board; the marts spread what it found.
{%- set baseline = "nullif('" ~ var('baseline_model') ~ "', '')" %}
with boards as (

    select * from {{ ref('int_boards') }}

),

compared as (

    select
        {{ board_key() | join(',\n        ') }},
        num_problems,
        protocol,
        temperature,
        num_models,
        {{ compare_board(
            'models', 'passes', 'num_planned', 'k', 'clusters', baseline
        ) }} as found
    from boards

)

select * from compared
