{#- Schemas are the layers: staging, intermediate, seeds; marts live in main,
    so that `select * from leaderboard` needs no prefix. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- else -%}
        {{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
