{#- Whether an answer was cut short: by its own limit, the window, a stop inside
    the thinking, a loop, a filter or a ceiling; where nobody looked, as the
    server says. An answer that its stop string ended is whole, though the
    server went on to the limit. -#}
{% macro is_truncated() -%}
    (coalesce(cut <> 'no', finish_reason = 'length', false))
{%- endmacro %}
