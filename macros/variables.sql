{#- Variables of the project that people set, checked where they are read: a
    wrong one stops with one sentence that shows a right one. -#}

{#- A variable that is a list of numbers above 0; whole ones where asked. -#}
{% macro numbers_of(name, right, whole=false) -%}
    {%- set found = var(name) -%}
    {%- if found is string or found is mapping or found is not iterable
        or found | length == 0 -%}
        {{ wrong_variable(name, found, 'no list of numbers', right) }}
    {%- endif -%}
    {%- for one in found -%}
        {%- if not is_number(one) or one <= 0
            or (whole and one is not integer) -%}
            {{ wrong_variable(
                name, one, 'no ' ~ ('whole ' if whole else '')
                ~ 'number above 0', right
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#- The variable limit_factors: one at least is a share of the official
    limits, or there is nothing to count at. -#}
{% macro limit_factors() -%}
    {%- set right = '[0.25, 0.5, 1.0]' -%}
    {%- set found = numbers_of('limit_factors', right) -%}
    {%- if found | min > 1 -%}
        {{ wrong_variable('limit_factors', found, 'above 1 only', right) }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}


{#- A variable that maps names to something; nothing given: no names. -#}
{% macro mapping_of(name, right) -%}
    {%- set found = var(name) or {} -%}
    {%- if found is not mapping -%}
        {{ wrong_variable(name, found, 'no mapping', right) }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}


{#- The variable gpu_hour_prices. -#}
{% macro gpu_hour_prices() -%}
    {%- set right = '{H100: 2.5}' -%}
    {%- set found = mapping_of('gpu_hour_prices', right) -%}
    {%- for gpu, price in found.items() -%}
        {%- if not is_number(price) or price < 0 or "'" in gpu | string -%}
            {{ wrong_variable(
                'gpu_hour_prices', gpu ~ ': ' ~ price, 'no price', right
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{% macro is_number(value) -%}
    {{ return(value is number and value is not boolean) }}
{%- endmacro %}


{% macro wrong_variable(name, found, what, right) -%}
    {{ exceptions.raise_compiler_error(
        'variable ' ~ name ~ ': ' ~ found ~ ' is ' ~ what ~ '; write '
        ~ name ~ ': ' ~ right
    ) }}
{%- endmacro %}
