{#- Aggregate: a map from value to count. -#}
{% macro counts_by_value(value, count) -%}
    {{- return(adapter.dispatch('counts_by_value', 'benchforge')(
        value, count
    )) -}}
{%- endmacro %}


{% macro duckdb__counts_by_value(value, count) -%}
    map_from_entries(list(({{ value }}::bigint, {{ count }}::bigint)))
{%- endmacro %}


{% macro spark__counts_by_value(value, count) -%}
    map_from_entries(collect_list(
        struct({{ value }}::bigint, {{ count }}::bigint)
    ))
{%- endmacro %}


{#- A list of n + 1 counts from such a map, a column: values from 0 to n without
    an entry count 0, larger ones are left out. -#}
{% macro dense_counts(counts, largest) -%}
    {{- return(adapter.dispatch('dense_counts', 'benchforge')(
        counts, largest
    )) -}}
{%- endmacro %}


{% macro duckdb__dense_counts(counts, largest) -%}
    list_transform(
        range(0, {{ largest }}::bigint + 1),
        lambda place: coalesce({{ counts }}[place], 0)
    )
{%- endmacro %}


{% macro spark__dense_counts(counts, largest) -%}
    transform(
        sequence(0L, {{ largest }}::bigint),
        place -> coalesce({{ counts }}[place], 0L)
    )
{%- endmacro %}
