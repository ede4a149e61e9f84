{#- Whether a sample passes under one verdict kind. -#}

{#- Verdict of one part. Where both extractions give the same program the
    third combination is not graded: it is the official verdict. -#}
{% macro part_verdict(kind, part) -%}
    {%- if kind == 'corrected_extraction' -%}
        coalesce(
            {{ kind }}_{{ part }}_verdict,
            case
                when corrected_program_id = program_id
                    then official_{{ part }}_verdict
            end
        )
    {%- else -%}
        {{ kind }}_{{ part }}_verdict
    {%- endif -%}
{%- endmacro %}
