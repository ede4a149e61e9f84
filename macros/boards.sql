{#- Which numbers may stand beside each other, and under which name. -#}

{#- A board: numbers of different models that may be compared. Conditions do
    not make the problems equal: a scope may follow the model's cutoff. -#}
{% macro board_key() -%}
    {{ return([
        'benchmark', 'scenario', 'test_set', 'metric', 'verdict', 'scope',
        'comparability_digest', 'origin', 'source', 'dataset_version',
        'num_planned', 'problem_set',
    ]) }}
{%- endmacro %}


{#- Columns of a cell that two models must share to be compared. Windows and
    stop strings enter the comparability digest and no column. -#}
{% macro comparability_fields() -%}
    {{ return([
        'test_set', 'dataset_version', 'dataset_digest', 'protocol',
        'temperature', 'top_p', 'max_tokens', 'thinking', 'effort',
        'thinking_budget', 'source', 'origin', 'num_planned',
    ]) }}
{%- endmacro %}


{#- The refusal metric of a pair: 'comparison with' the other model. -#}
{% macro comparison_metric(other) -%}
    'comparison with ' || {{ other }}
{%- endmacro %}


{#- A list item per field: its name where two relations differ in it. -#}
{% macro differences_of(one, other, fields) -%}
    {%- set items = [] -%}
    {%- for field in fields -%}
        {%- do items.append(
            "case when " ~ one ~ "." ~ field ~ " is distinct from " ~ other
            ~ "." ~ field ~ " then '" ~ field ~ "' end"
        ) -%}
    {%- endfor -%}
    {{ return(items) }}
{%- endmacro %}


{#- Items of a list that are not NULL, counted. -#}
{% macro num_known(items) -%}
    {{- return(adapter.dispatch('num_known', 'benchforge')(items)) -}}
{%- endmacro %}


{% macro duckdb__num_known(items) -%}
    list_count({{ items }})
{%- endmacro %}


{% macro spark__num_known(items) -%}
    size(array_compact({{ items }}))
{%- endmacro %}


{#- Families as list items: those a pair belongs to (its p is not NULL), and
    those in which it holds at the level of the project. -#}
{% macro names_where_not_null(families) -%}
    {%- set items = [] -%}
    {%- for name, column in families.items() -%}
        {%- do items.append(
            "case when " ~ column ~ " is not null then '" ~ name ~ "' end"
        ) -%}
    {%- endfor -%}
    {{ return(items) }}
{%- endmacro %}


{% macro names_where_small(families) -%}
    {%- set items = [] -%}
    {%- for name, column in families.items() -%}
        {%- do items.append(
            "case when " ~ column ~ " <= " ~ var('family_level') ~ " then '"
            ~ name ~ "' end"
        ) -%}
    {%- endfor -%}
    {{ return(items) }}
{%- endmacro %}


{#- Whether two relations tell of one board; the source of ours is NULL. -#}
{% macro same_board(one, other) -%}
    {%- for column in board_key() -%}
        {{ one }}.{{ column }} is not distinct from {{ other }}.{{ column }}
        {%- if not loop.last %} and {% endif -%}
    {%- endfor -%}
{%- endmacro %}
