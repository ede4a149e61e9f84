{#- Intervals, standard errors and flags of a cell, from its histogram: a struct
    with the fields of macros/udfs_intervals.py. A Python function: a model
    that calls it must be a table. -#}
{% macro uncertainty(counts, passes, clusters, num_planned, metric) -%}
    {{- return(adapter.dispatch('uncertainty', 'benchforge')(
        counts, passes, clusters, num_planned, metric
    )) -}}
{%- endmacro %}


{% macro default__uncertainty(counts, passes, clusters, num_planned, metric) -%}
    uncertainty_udf(
        {{ counts }},
        {{ passes }},
        {{ clusters }},
        {{ num_planned }},
        {{ metric }},
        {{ var('bootstrap_seed') }}::bigint
    )
{%- endmacro %}
