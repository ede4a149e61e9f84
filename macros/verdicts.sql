{#- Whether a sample passes under one verdict kind. -#}

{#- Verdict of one part. Where both extractions give the same program the
    third combination is not graded: it is the official verdict. -#}
{% macro part_verdict(kind, part) -%}
    {{- return(part_column(kind, part, 'verdict')) -}}
{%- endmacro %}


{#- Reason of one part, by the same rule. -#}
{% macro part_reason(kind, part) -%}
    {{- return(part_column(kind, part, 'reason')) -}}
{%- endmacro %}


{#- First failing case of one part, by the same rule. -#}
{% macro part_first_failing_case(kind, part) -%}
    {{- return(part_column(kind, part, 'first_failing_case')) -}}
{%- endmacro %}


{% macro part_column(kind, part, name) -%}
    {%- if kind == 'corrected_extraction' -%}
        coalesce(
            {{ kind }}_{{ part }}_{{ name }},
            case
                when corrected_program_id = program_id
                    then official_{{ part }}_{{ name }}
            end
        )
    {%- else -%}
        {{ kind }}_{{ part }}_{{ name }}
    {%- endif -%}
{%- endmacro %}
