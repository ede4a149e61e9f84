{#- One 64-bit number for the values of some columns: rows are grouped and
    joined by it where text keys of 64 characters cost five times as much. The
    table that spells a key out proves that no two rows share it. Not the same
    number on another engine: it never leaves the intermediate models. -#}
{% macro row_key(columns) -%}
    {{- return(adapter.dispatch('row_key', 'benchforge')(columns)) -}}
{%- endmacro %}


{% macro duckdb__row_key(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}


{% macro spark__row_key(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}


{#- What makes a request of a model, within one comparability digest. -#}
{% macro request_key() -%}
    {{ return([
        'model', 'benchmark', 'scenario', 'comparability_digest',
        'request_digest',
    ]) }}
{%- endmacro %}


{#- What makes a grader of a request. -#}
{% macro grader_key() -%}
    {{ return(request_key() + ['origin', 'grader_id']) }}
{%- endmacro %}
