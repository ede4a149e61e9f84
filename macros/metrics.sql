{#- The metrics of the project: pass@k and pass^k for every k it asks for. -#}

{#- Rows of metric and k. -#}
{% macro metrics_asked() -%}
    {%- for sign in ['@', '^'] -%}
        {%- set last = loop.last -%}
        {%- for k in numbers_of('pass_at_k', '[1, 5, 10]', whole=true) %}
            select
                'pass{{ sign }}{{ k }}' as metric,
                {{ k }}::bigint as k
            {% if not (last and loop.last) %}union all{% endif %}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}


{#- Integer score of a problem over C(n, k), for either kind of metric. -#}
{% macro metric_numerator(metric, num_planned, num_passed, k) -%}
    case
        when {{ metric }} like 'pass@%'
            then {{ pass_at_k_numerator(num_planned, num_passed, k) }}
        else {{ combinations(num_passed, k) }}
    end
{%- endmacro %}
