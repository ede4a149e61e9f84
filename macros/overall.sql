{#- Overall score of a model (macros/overall.py). A Python function: a model
    that calls it must be a table. -#}

{#- From a list of overall_cell: score, standard_error, low, high, method,
    num_problems, num_source_problems. -#}
{% macro overall_score(cells) -%}
    overall_score_udf({{ cells }})
{%- endmacro %}


{#- A cell of it: passes and source problem of each of its problems. -#}
{% macro overall_cell(weight, num_planned, passes, source_problems) -%}
    {{- return(adapter.dispatch('overall_cell', 'benchforge')(
        weight, num_planned, passes, source_problems
    )) -}}
{%- endmacro %}


{% macro duckdb__overall_cell(weight, num_planned, passes, source_problems) -%}
    {
        'weight': {{ weight }}::bigint,
        'num_planned': {{ num_planned }}::bigint,
        'passes': {{ passes }}::bigint[],
        'source_problems': {{ source_problems }}
    }
{%- endmacro %}


{% macro spark__overall_cell(weight, num_planned, passes, source_problems) -%}
    named_struct(
        'weight', {{ weight }}::bigint,
        'num_planned', {{ num_planned }}::bigint,
        'passes', {{ passes }}::array<bigint>,
        'source_problems', {{ source_problems }}
    )
{%- endmacro %}
