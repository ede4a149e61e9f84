{#- Aggregate: a list of n + 1 counts from rows (value, count) with values from
    0 to n; values without a row count 0, larger ones are left out. -#}
{% macro dense_counts(value, count, largest) -%}
    {{- return(adapter.dispatch('dense_counts', 'benchforge')(
        value, count, largest
    )) -}}
{%- endmacro %}


{% macro duckdb__dense_counts(value, count, largest) -%}
    list_transform(
        range(0, max({{ largest }})::bigint + 1),
        lambda place: coalesce(
            map_from_entries(
                list(({{ value }}::bigint, {{ count }}::bigint))
            )[place],
            0
        )
    )
{%- endmacro %}


{% macro spark__dense_counts(value, count, largest) -%}
    transform(
        sequence(0L, max({{ largest }})::bigint),
        place -> coalesce(
            map_from_entries(collect_list(
                struct({{ value }}::bigint, {{ count }}::bigint)
            ))[place],
            0L
        )
    )
{%- endmacro %}
