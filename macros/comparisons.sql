{#- A board compared, and a difference in differences. Python functions: a model
    that calls one must be a table. -#}

{% macro compare_board(models, passes, num_planned, k, clusters, baseline) -%}
    {{- return(adapter.dispatch('compare_board', 'benchforge')(
        models, passes, num_planned, k, clusters, baseline
    )) -}}
{%- endmacro %}


{% macro default__compare_board(
    models, passes, num_planned, k, clusters, baseline
) -%}
    compare_board_udf(
        {{ models }},
        {{ passes }},
        {{ num_planned }},
        {{ k }},
        {{ clusters }},
        {{ baseline }}
    )
{%- endmacro %}


{% macro difference_in_differences(scores, is_after, strata, clusters) -%}
    {{- return(adapter.dispatch('difference_in_differences', 'benchforge')(
        scores, is_after, strata, clusters
    )) -}}
{%- endmacro %}


{% macro default__difference_in_differences(
    scores, is_after, strata, clusters
) -%}
    difference_in_differences_udf(
        {{ scores }}, {{ is_after }}, {{ strata }}, {{ clusters }}
    )
{%- endmacro %}
