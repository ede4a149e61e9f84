{#- Intervals and standard errors of a cell, from the list of passes per
    problem. Python functions: a model that calls one must be a table. -#}

{% macro bootstrap_interval(passes, num_planned, k) -%}
    {{- return(adapter.dispatch('bootstrap_interval', 'benchforge')(
        passes, num_planned, k
    )) -}}
{%- endmacro %}


{% macro default__bootstrap_interval(passes, num_planned, k) -%}
    bootstrap_interval_udf({{ passes }}, {{ num_planned }}, {{ k }})
{%- endmacro %}


{% macro shown_interval(passes, clusters, num_planned, k) -%}
    {{- return(adapter.dispatch('shown_interval', 'benchforge')(
        passes, clusters, num_planned, k
    )) -}}
{%- endmacro %}


{% macro default__shown_interval(passes, clusters, num_planned, k) -%}
    shown_interval_udf(
        {{ passes }}, {{ clusters }}, {{ num_planned }}, {{ k }}
    )
{%- endmacro %}


{% macro standard_errors(passes, num_planned, k) -%}
    {{- return(adapter.dispatch('standard_errors', 'benchforge')(
        passes, num_planned, k
    )) -}}
{%- endmacro %}


{% macro default__standard_errors(passes, num_planned, k) -%}
    standard_errors_udf({{ passes }}, {{ num_planned }}, {{ k }})
{%- endmacro %}
