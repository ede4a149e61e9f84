{#- Whether a row is a pass of ours under the official limits, by any verdict:
    no verdict passes a sample whose base tests fail. -#}
{% macro is_pass_of_ours() -%}
    origin = 'self'
    and not is_unsafe
    and coalesce(limit_factor, 1.0) = 1.0
    and 'pass' in (
        {%- for kind in var('verdict_kinds') %}
            {{ part_verdict(kind, 'base') }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
