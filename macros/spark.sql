{#- What the Spark target needs beside dialect.sql. Python functions and the
    temporary views lake_<table> are registered by `benchforge aggregate
    --target spark` in the session that builds (runners/aggregate_spark.py). -#}
{% macro spark__create_functions() -%}
{%- endmacro %}


{% macro spark__lake_reader(table, files) -%}
    lake_{{ table }}
{%- endmacro %}


{% macro spark__lake_files(table) -%}
    {{- return({'form': var('lake_form', 'lake'), 'files': []}) -}}
{%- endmacro %}


{% macro spark__sample_id() -%}
    unhex(left(sha2(concat_ws(
        '|', benchmark, scenario, task_id, request_digest, sample_index
    ), 256), 32))
{%- endmacro %}


{% macro spark__pass_at_k(num_planned, num_passed, k) -%}
    case
        when {{ k }} < 1 or {{ num_planned }} < {{ k }} then null
        when {{ num_planned }} - {{ num_passed }} < {{ k }} then 1.0::double
        else 1.0::double - aggregate(
            sequence(0, {{ k }}::int - 1),
            1.0::double,
            (product, step) -> product
            * (({{ num_planned }} - {{ num_passed }} - step)::double
            / ({{ num_planned }} - step)::double)
        )
    end
{%- endmacro %}


{% macro spark__pass_at_k_numerator(num_planned, num_passed, k) -%}
    (
        {{ combinations(num_planned, k) }}
        - {{ combinations(num_planned ~ ' - ' ~ num_passed, k) }}
    )
{%- endmacro %}


{% macro spark__combinations(n, k) -%}
    combinations_udf(({{ n }})::bigint, ({{ k }})::bigint)::decimal(38, 0)
{%- endmacro %}


{% macro spark__log2_combinations(n, k) -%}
    log2_combinations_udf(({{ n }})::bigint, ({{ k }})::bigint)
{%- endmacro %}


{#- Types of the contracts in the words of Spark. -#}
{% macro spark_type(duckdb_type) -%}
    {%- set words = {
        'varchar': 'string', 'hugeint': 'decimal(38,0)',
        'varchar[]': 'array<string>', 'bigint[]': 'array<bigint>',
        'integer[]': 'array<int>', 'double[]': 'array<double>',
        'blob': 'binary', 'integer': 'int',
    } -%}
    {{- return(words.get(duckdb_type | lower, duckdb_type)) -}}
{%- endmacro %}


{#- dbt compares a model with its contract through this empty query. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
        {%- for name in columns %}
        cast(null as {{ spark_type(columns[name]['data_type']) }}) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}


{#- Rows of a seed as literals: the session adapter binds text without a care
    for the quotes inside it. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- for rows in agate_table.rows | batch(500) -%}
        {%- set statement -%}
            insert into {{ this }} values
            {%- for row in rows %}
            (
                {%- for value in row -%}
                cast({{ spark_literal(value) }} as {{
                    types[agate_table.column_names[loop.index0]]
                }}){{ ', ' if not loop.last }}
                {%- endfor -%}
            ){{ ',' if not loop.last }}
            {%- endfor %}
        {%- endset -%}
        {%- do run_query(statement) -%}
    {%- endfor -%}
    {{- return('select 1') -}}
{%- endmacro %}


{% macro spark_literal(value) -%}
    {%- if value is none -%}
        null
    {%- else -%}
        '{{ value | string | replace("\\", "\\\\") | replace("'", "\\'") }}'
    {%- endif -%}
{%- endmacro %}
