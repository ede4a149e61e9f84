{#- Whether an answer came without the thinking that was asked for. -#}
{% macro lacks_thinking() -%}
    (thinking and think_state = 'absent')
{%- endmacro %}


{#- Whether an answer was thought about though thinking was switched off. -#}
{% macro has_unasked_thinking() -%}
    (not thinking and think_state in ('closed', 'open', 'forced', 'hidden'))
{%- endmacro %}
