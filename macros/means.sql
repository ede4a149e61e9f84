{#- Interval of a mean over problems, from the list of their scores (0 to 1)
    and, where the design is known, the list of their clusters in the same
    order. A Python function: a model that calls it must be a table. -#}
{% macro mean_interval(scores, clusters='null::varchar[]') -%}
    {{- return(adapter.dispatch('mean_interval', 'benchforge')(
        scores, clusters
    )) -}}
{%- endmacro %}


{% macro default__mean_interval(scores, clusters) -%}
    mean_interval_udf({{ scores }}, {{ clusters }})
{%- endmacro %}


{% macro spark__mean_interval(scores, clusters) -%}
    mean_interval_udf(
        {{ scores }},
        {{ 'cast(null as array<string>)' if clusters == 'null::varchar[]'
            else clusters }}
    )
{%- endmacro %}


{#- Squared standard error of a mean of N whole numbers in one division:
    (N sum x^2 - (sum x)^2) / (N^2 (N - 1)), in squared units; NULL for N = 1. -#}
{% macro squared_error_of_mean(num_problems, total, total_of_squares) -%}
    (
        {{ num_problems }}::{{ wide_integer() }} * {{ total_of_squares }}
        - {{ total }}::{{ wide_integer() }} * {{ total }}
    )::double
    / nullif(
        {{ num_problems }}::double * {{ num_problems }}::double
        * ({{ num_problems }} - 1)::double,
        0
    )
{%- endmacro %}
