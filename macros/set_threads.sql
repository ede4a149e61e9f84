{#- Threads of the engine, where a number is given. Spark is told by its own
    settings. -#}
{% macro set_threads(number) -%}
    {%- if number and target.type == 'duckdb' -%}
        set threads = {{ number | int }}
    {%- endif -%}
{%- endmacro %}
