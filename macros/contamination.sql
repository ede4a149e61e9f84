{#- What scores of several models must share to be put side by side month by
    month, or paired: one board of int_scores_dated. -#}
{% macro contamination_board() -%}
    {{ return([
        'score_kind', 'benchmark', 'dataset_version', 'scenario', 'test_set',
        'verdict', 'comparable_within', 'origin', 'metric',
    ]) }}
{%- endmacro %}


{#- The variable windows, or one sentence about what is wrong with it. -#}
{% macro windows() -%}
    {%- set found = mapping_of(
        'windows', "{spring: ['2024-03-01', '2024-05-31']}"
    ) -%}
    {%- for name, days in found.items() -%}
        {%- if
            not modules.re.match('^[A-Za-z0-9_]+$', name)
            or days is string
            or days is not iterable
            or days | length != 2
            or not is_day(days[0])
            or not is_day(days[1])
            or days[0] | string > days[1] | string
        -%}
            {{ exceptions.raise_compiler_error(
                "variable windows: " ~ name ~ ": " ~ days ~ " is no window; "
                ~ "write letters, digits and _ as its name, and two days in "
                ~ "order: {spring: ['2024-03-01', '2024-05-31']}"
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#- The variable model_cutoffs, or one sentence about what is wrong with it. -#}
{% macro given_cutoffs() -%}
    {%- set found = mapping_of(
        'model_cutoffs', "{org__name: '2024-05-31'}"
    ) -%}
    {%- for model, day in found.items() -%}
        {%- if "'" in model or not is_day(day) -%}
            {{ exceptions.raise_compiler_error(
                "variable model_cutoffs: " ~ model ~ ": " ~ day ~ " is no "
                ~ "day; write {org__name: '2024-05-31'}"
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{% macro is_day(value) -%}
    {%- set text = value | string -%}
    {%- set parts = text.split('-') -%}
    {{ return(
        modules.re.match('^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$', text)
        is not none
        and parts[2] | int >= 1
        and parts[2] | int <= days_of_month(parts[0] | int, parts[1] | int)
    ) }}
{%- endmacro %}


{% macro days_of_month(year, month) -%}
    {%- set first = modules.datetime.date(year, month, 1) -%}
    {%- set later = first + modules.datetime.timedelta(days=31) -%}
    {{ return((later.replace(day=1) - first).days) }}
{%- endmacro %}
