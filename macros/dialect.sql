{#- What DuckDB and Spark say differently, once. Both engines run the rest of
    the models as they stand: `::type`, `count(*) filter`, `group by all`,
    `qualify`, `semi join`, `anti join`, `using`, split, split_part, max_by,
    array_sort are common to them. Text is `string`, never `varchar`. -#}

{#- Values in the order of the columns given; NULL values stay. -#}
{% macro ordered_list(value, order_by) -%}
    {{- return(adapter.dispatch('ordered_list', 'benchforge')(
        value, order_by
    )) -}}
{%- endmacro %}


{% macro duckdb__ordered_list(value, order_by) -%}
    list({{ value }} order by {{ order_by | join(', ') }})
{%- endmacro %}


{% macro spark__ordered_list(value, order_by) -%}
    transform(
        array_sort(collect_list(named_struct(
            {%- for column in order_by %}
            'by_{{ loop.index }}', {{ column }},
            {%- endfor %}
            'value', {{ value }}
        ))),
        item -> item.value
    )
{%- endmacro %}


{#- Distinct values, sorted. -#}
{% macro distinct_list(value) -%}
    {{- return(adapter.dispatch('distinct_list', 'benchforge')(value)) -}}
{%- endmacro %}


{% macro duckdb__distinct_list(value) -%}
    list(distinct {{ value }} order by {{ value }})
{%- endmacro %}


{% macro spark__distinct_list(value) -%}
    array_sort(collect_set({{ value }}))
{%- endmacro %}


{#- A list of expressions; without_nulls leaves out what is NULL. -#}
{% macro list_of(items, without_nulls=false) -%}
    {{- return(adapter.dispatch('list_of', 'benchforge')(
        items, without_nulls
    )) -}}
{%- endmacro %}


{% macro duckdb__list_of(items, without_nulls) -%}
    {%- if without_nulls -%}
        list_filter(
            [{{ items | join(', ') }}], lambda item: item is not null
        )
    {%- else -%}
        [{{ items | join(', ') }}]
    {%- endif -%}
{%- endmacro %}


{% macro spark__list_of(items, without_nulls) -%}
    {%- if without_nulls -%}
        array_compact(array({{ items | join(', ') }}))
    {%- else -%}
        array({{ items | join(', ') }})
    {%- endif -%}
{%- endmacro %}


{#- A list of text without items. -#}
{% macro no_texts() -%}
    {{- return(adapter.dispatch('no_texts', 'benchforge')()) -}}
{%- endmacro %}


{% macro duckdb__no_texts() -%}
    []::varchar[]
{%- endmacro %}


{% macro spark__no_texts() -%}
    cast(array() as array<string>)
{%- endmacro %}


{#- One row per item. -#}
{% macro each_of(items) -%}
    {{- return(adapter.dispatch('each_of', 'benchforge')(items)) -}}
{%- endmacro %}


{% macro duckdb__each_of(items) -%}
    unnest({{ items }})
{%- endmacro %}


{% macro spark__each_of(items) -%}
    explode({{ items }})
{%- endmacro %}


{#- Whole numbers from first to last, both included. -#}
{% macro numbers_between(first, last) -%}
    {{- return(adapter.dispatch('numbers_between', 'benchforge')(
        first, last
    )) -}}
{%- endmacro %}


{% macro duckdb__numbers_between(first, last) -%}
    generate_series({{ first }}::bigint, {{ last }}::bigint)
{%- endmacro %}


{% macro spark__numbers_between(first, last) -%}
    sequence({{ first }}::bigint, {{ last }}::bigint)
{%- endmacro %}


{% macro num_items(items) -%}
    {{- return(adapter.dispatch('num_items', 'benchforge')(items)) -}}
{%- endmacro %}


{% macro duckdb__num_items(items) -%}
    len({{ items }})
{%- endmacro %}


{% macro spark__num_items(items) -%}
    size({{ items }})
{%- endmacro %}


{% macro first_items(items, number) -%}
    {{- return(adapter.dispatch('first_items', 'benchforge')(
        items, number
    )) -}}
{%- endmacro %}


{% macro duckdb__first_items(items, number) -%}
    {{ items }}[1:{{ number }}]
{%- endmacro %}


{% macro spark__first_items(items, number) -%}
    slice({{ items }}, 1, {{ number }})
{%- endmacro %}


{% macro joined_items(items, separator) -%}
    {{- return(adapter.dispatch('joined_items', 'benchforge')(
        items, separator
    )) -}}
{%- endmacro %}


{% macro duckdb__joined_items(items, separator) -%}
    array_to_string({{ items }}, '{{ separator }}')
{%- endmacro %}


{% macro spark__joined_items(items, separator) -%}
    array_join({{ items }}, '{{ separator }}')
{%- endmacro %}


{#- `expression` over each item, which it calls `item`. -#}
{% macro map_items(items, expression) -%}
    {{- return(adapter.dispatch('map_items', 'benchforge')(
        items, expression
    )) -}}
{%- endmacro %}


{% macro duckdb__map_items(items, expression) -%}
    list_transform({{ items }}, lambda item: {{ expression }})
{%- endmacro %}


{% macro spark__map_items(items, expression) -%}
    transform({{ items }}, item -> {{ expression }})
{%- endmacro %}


{#- Every column but some. -#}
{% macro all_but(columns, relation=none) -%}
    {{- return(adapter.dispatch('all_but', 'benchforge')(
        columns, relation
    )) -}}
{%- endmacro %}


{% macro duckdb__all_but(columns, relation) -%}
    {{ relation ~ '.' if relation }}* exclude ({{ columns | join(', ') }})
{%- endmacro %}


{% macro spark__all_but(columns, relation) -%}
    {{ relation ~ '.' if relation }}* except ({{ columns | join(', ') }})
{%- endmacro %}


{#- Type of integers up to 2^126: score numerators. -#}
{% macro wide_integer() -%}
    {{- return(adapter.dispatch('wide_integer', 'benchforge')()) -}}
{%- endmacro %}


{% macro duckdb__wide_integer() -%}
    hugeint
{%- endmacro %}


{% macro spark__wide_integer() -%}
    decimal(38, 0)
{%- endmacro %}


{#- Samples of a problem as bits of one integer: the bit of a row, and the last
    one, which all samples share whose index is beyond the others. -#}
{% macro sample_bit() -%}
    {{- return(adapter.dispatch('sample_bit', 'benchforge')()) -}}
{%- endmacro %}


{% macro duckdb__sample_bit() -%}
    (1::hugeint << least(sample_index, 126)::integer)
{%- endmacro %}


{% macro spark__sample_bit() -%}
    shiftleft(1::bigint, least(sample_index, 62)::int)
{%- endmacro %}


{% macro last_sample_bit() -%}
    {{- return(adapter.dispatch('last_sample_bit', 'benchforge')()) -}}
{%- endmacro %}


{% macro duckdb__last_sample_bit() -%}
    (1::hugeint << 126)
{%- endmacro %}


{% macro spark__last_sample_bit() -%}
    shiftleft(1::bigint, 62)
{%- endmacro %}
