{#- Whether an answer was cut short: by its own limit, the window, a stop inside
    the thinking, a loop, a filter or a ceiling, or as the server says. -#}
{% macro is_truncated() -%}
    (coalesce(cut, 'no') <> 'no' or coalesce(finish_reason, '') = 'length')
{%- endmacro %}
