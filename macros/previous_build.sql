{#- An older file of marts beside the one that is built: var previous_build,
    or benchforge aggregate --against. -#}

{#- on-run-start: the older file under the name previous_build, read-only. -#}
{% macro attach_previous_build() -%}
    {{- return(adapter.dispatch('attach_previous_build', 'benchforge')()) -}}
{%- endmacro %}


{#- Other engines compare nothing: fct_build_diff stays empty. -#}
{% macro default__attach_previous_build() -%}
{%- endmacro %}


{% macro duckdb__attach_previous_build() -%}
    {%- if var('previous_build') -%}
        attach if not exists '{{ var("previous_build") | replace("'", "''") }}'
            as previous_build (read_only)
    {%- endif -%}
{%- endmacro %}


{#- Without an older file nothing has moved. -#}
{% macro has_previous_build() -%}
    {{ return('true' if var('previous_build') else 'false') }}
{%- endmacro %}


{#- A mart as the older file has it; without one no row, in the types of the
    mart as it is built now. -#}
{% macro previous_mart(relation) -%}
    {{- return(adapter.dispatch('previous_mart', 'benchforge')(relation)) -}}
{%- endmacro %}


{% macro default__previous_mart(relation) -%}
    {{ relation }}
{%- endmacro %}


{% macro duckdb__previous_mart(relation) -%}
    {%- if var('previous_build') -%}
        previous_build.main.{{ relation.identifier }}
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}
