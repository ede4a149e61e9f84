{#- Names of some problems of each benchmark, drawn by a digest, as literals:
    a filter of literals reaches the scan of the lake, a join would not. -#}
{% macro tasks_drawn(tasks) -%}
    {%- if not execute or not load_relation(tasks) -%}
        {{ return("''") }}
    {%- endif -%}
    {%- set found = run_query(
        "select distinct task_id from (select * from " ~ tasks
        ~ " qualify row_number() over (partition by benchmark,"
        ~ " dataset_version, scenario order by md5(task_id), task_id) <= "
        ~ var('num_tasks_recomputed') ~ ") as drawn order by task_id"
    ) -%}
    {%- set names = [] -%}
    {%- for row in found.rows -%}
        {%- do names.append("'" ~ (row[0] | replace("'", "''")) ~ "'") -%}
    {%- endfor -%}
    {{ return(names | join(', ') or "''") }}
{%- endmacro %}
