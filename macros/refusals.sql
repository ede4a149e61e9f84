{#- One table of refusals from the CTEs that find them: rules are CTE names,
    each with the columns of fct_refusals. -#}
{% macro refusals_of(rules) -%}
    {%- for rule in rules %}
        select
            {{ cell_key() | join(',\n            ') }},
            metric,
            reason,
            detail,
            differing_fields,
            problems,
            num_affected::bigint as num_affected
        from {{ rule }}
        {% if not loop.last %}union all{% endif %}
    {%- endfor -%}
{%- endmacro %}
