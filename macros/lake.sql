{#- The one place where models touch files.

    `lake(table)` reads either form of a lake (see _macros.yml). It also calls
    source(), so that the table stands in the lineage; the source itself is
    never selected from, because which files are live is only known when a
    build starts. In a unit test source() is the mocked table, and is used. -#}
{% macro lake(table) -%}
    {%- set declared = source('lake', table) -%}
    {%- if '__dbt__cte__' in declared | string -%}
        {{ declared }}
    {%- else -%}
        {{- return(lake_of(table, lake_files(table))) -}}
    {%- endif -%}
{%- endmacro %}


{% macro lake_of(table, found) -%}
    {%- set reader = lake_reader(table, found.files) -%}
    {%- if found.form == 'published' and table == 'samples' -%}
        (
        select
            {{ all_but(['sample_id']) }},
            coalesce(sample_id, {{ sample_id() }}) as sample_id
        from {{ reader }}
        {%- if execute and has_two_graders(reader) %}
        qualify row_number() over (
            partition by
                model, benchmark, scenario, task_id, request_digest,
                sample_index
            order by grader_id
        ) = 1
        {%- endif %}
    )
    {%- elif found.form == 'published' and table == 'results' -%}
        (
        select
            {{ all_but(['sample_id', 'source', 'shard_id']) }},
            coalesce(sample_id, {{ sample_id() }}) as sample_id,
            {{ of_verdict('source') }} as source,
            {{ of_verdict('shard_id') }} as shard_id
        from {{ reader }}
        where grader_id is not null
    )
    {%- elif execute and table == 'results' and lacks_requests(reader) -%}
        {{ with_requests_of_samples(
            reader, lake_of('samples', lake_files('samples'))
        ) }}
    {%- else -%}
        {{ reader }}
    {%- endif -%}
{%- endmacro %}


{#- source and shard_id of a published row are the sample's. A lake that was
    published without the verdict's own (osi_approved is NULL: the bundled one)
    has them from the same hand. -#}
{% macro of_verdict(column) -%}
    case
        when osi_approved is null then {{ column }}
        else verdict_{{ column }}
    end
{%- endmacro %}


{#- Whether a request was judged by two graders: only then do two rows tell of
    one sample. A look at few columns that saves a sort of all rows. -#}
{% macro has_two_graders(reader) -%}
    {%- set found = run_query(
        "select count(*) from (select count(distinct coalesce(grader_id, ''))"
        ~ " as num_graders from " ~ reader
        ~ " group by model, benchmark, scenario, request_digest)"
        ~ " where num_graders > 1"
    ) -%}
    {{ return(found.rows[0][0] > 0) }}
{%- endmacro %}


{#- Whether parts of an older writer lie among the results: only then are they
    joined with the samples, which costs more than all other steps. -#}
{% macro lacks_requests(reader) -%}
    {%- set found = run_query(
        "select 1 from " ~ reader ~ " where request_digest is null limit 1"
    ) -%}
    {{ return(found.rows | length > 0) }}
{%- endmacro %}


{% macro with_requests_of_samples(results, samples) -%}
    {%- set columns = [
        'request_digest', 'comparability_digest', 'dataset_version',
    ] -%}
    (
        select
            {{ all_but(columns, 'results') }}
            {%- for column in columns %},
            coalesce(results.{{ column }}, samples.{{ column }}) as {{ column }}
            {%- endfor %}
        from {{ results }} as results
        left join {{ samples }} as samples
            on results.sample_id = samples.sample_id
    )
{%- endmacro %}


{#- The rows of the files. -#}
{% macro lake_reader(table, files) -%}
    {{- return(adapter.dispatch('lake_reader', 'benchforge')(table, files)) -}}
{%- endmacro %}


{% macro duckdb__lake_reader(table, files) -%}
    read_parquet(
        [{% for file in files %}
        '{{ file | replace("'", "''") }}'{{ ',' if not loop.last }}
        {%- endfor %}],
        union_by_name = true, hive_partitioning = false
    )
{%- endmacro %}


{#- Form and live files of a lake table, looked up when a build starts. -#}
{% macro lake_files(table) -%}
    {{- return(adapter.dispatch('lake_files', 'benchforge')(table)) -}}
{%- endmacro %}


{% macro duckdb__lake_files(table) -%}
    {%- if not execute -%}
        {{ return({'form': 'lake', 'files': []}) }}
    {%- endif -%}
    {%- set root = lake_root() | replace("'", "''") -%}
    {%- set found = run_query(
        "select found.form, unnest(found.files) as file from (select "
        ~ "lake_files_udf('" ~ root ~ "', '" ~ table ~ "') as found)"
    ) -%}
    {{ return({
        'form': found.rows[0][0],
        'files': found.columns[1].values() | list,
    }) }}
{%- endmacro %}


{#- var lake_root, else BENCHFORGE_LAKE, else empty: the bundled lake. -#}
{% macro lake_root() -%}
    {{ return(var('lake_root') or env_var('BENCHFORGE_LAKE', '')) }}
{%- endmacro %}


{#- 16 bytes as ingest/keys.py computes them; facts published without the id
    get it here. -#}
{% macro sample_id() -%}
    {{- return(adapter.dispatch('sample_id', 'benchforge')()) -}}
{%- endmacro %}


{% macro duckdb__sample_id() -%}
    unhex(left(sha256(concat_ws(
        '|', benchmark, scenario, task_id, request_digest, sample_index
    )), 32))
{%- endmacro %}
