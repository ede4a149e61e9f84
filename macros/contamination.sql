{#- What scores of several models must share to be put side by side month by
    month, or paired: one board of int_scores_dated. -#}
{% macro contamination_board() -%}
    {{ return([
        'score_kind', 'benchmark', 'dataset_version', 'scenario', 'test_set',
        'verdict', 'comparable_within', 'origin', 'metric',
    ]) }}
{%- endmacro %}
