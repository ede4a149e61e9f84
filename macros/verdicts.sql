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


{#- Samples of one problem that have a verdict under a kind, in the columns of
    int_task_counts: plus asks for both parts. -#}
{% macro num_judged(kind) -%}
    case
        when needs_plus then {{ kind }}_plus_judged
        else {{ kind }}_base_judged
    end
{%- endmacro %}


{#- Samples of one problem that pass under a kind. -#}
{% macro num_passed(kind) -%}
    case
        when needs_plus then {{ kind }}_plus_passed
        else {{ kind }}_base_passed
    end
{%- endmacro %}


{#- Whether a request and grader have cells of a kind: the official verdict is
    owed by everyone, so a set without it is refused by name; a published set
    that has no strict verdicts lacks nothing. -#}
{% macro is_answerable(kind) -%}
    {%- if kind == 'official' -%}
        true
    {%- else -%}
        (has_{{ kind }} or origin = 'self')
    {%- endif -%}
{%- endmacro %}


{#- The verdict kinds as a list: one row per kind by each_of, where a union of
    one query per kind would hold the rows before it in memory. -#}
{% macro all_verdict_kinds() -%}
    {%- set names = [] -%}
    {%- for kind in var('verdict_kinds') -%}
        {%- do names.append("'" ~ kind ~ "'") -%}
    {%- endfor -%}
    {{- list_of(names) -}}
{%- endmacro %}
