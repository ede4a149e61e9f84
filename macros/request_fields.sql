{#- Conditions of a request that a sample row carries; a cell made of requests
    that differ in one of them is refused, and the field is named. -#}
{% macro request_fields() -%}
    {{ return([
        'dataset_version', 'dataset_digest', 'protocol', 'templating_mode',
        'temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'thinking',
        'effort', 'thinking_budget', 'chat_template_sha', 'model_revision',
        'weights_digest', 'parent_model', 'training_step', 'quantization',
        'dtype', 'source',
    ]) }}
{%- endmacro %}


{#- What makes a leaderboard cell, metric apart (contracts.md section 5). -#}
{% macro cell_key() -%}
    {{ return([
        'model', 'benchmark', 'scenario', 'test_set', 'verdict', 'scope',
        'comparability_digest', 'origin',
    ]) }}
{%- endmacro %}


{#- Fields that have more than one value within a group. -#}
{% macro differing_fields(fields) -%}
    {%- set found = [] -%}
    {%- for field in fields -%}
        {%- do found.append(
            "case when min(coalesce(" ~ field ~ "::string, '')) <> max(coalesce("
            ~ field ~ "::string, '')) then '" ~ field ~ "' end"
        ) -%}
    {%- endfor -%}
    {{ list_of(found, without_nulls=true) }}
{%- endmacro %}
