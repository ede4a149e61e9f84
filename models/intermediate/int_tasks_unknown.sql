-- Problems that were sampled and that the table tasks does not know. Of graded
-- requests they stand among the counts; only the others are read again.
with counts as (

    select * from {{ ref('int_counts_by_task') }}

),

graders as (

    select * from {{ ref('int_graders_summarized') }}

),

requests as (

    select * from {{ ref('int_requests_summarized') }}

),

samples as (

    select * from {{ ref('stg_lake__samples') }}

),

tasks as (

    select
        benchmark,
        dataset_version,
        scenario,
        task_id
    from {{ ref('int_tasks_deduplicated') }}

),

not_graded as (

    select *
    from requests
    anti join graders using ({{ request_key() | join(', ') }})

),

sampled as (

    select
        {%- for column in request_key() %}
            requests.{{ column }},
        {%- endfor %}
        requests.dataset_version,
        counts.task_id
    from counts
    inner join graders using (grader_key)
    inner join requests using ({{ request_key() | join(', ') }})
    union all
    select
        {%- for column in request_key() %}
            not_graded.{{ column }},
        {%- endfor %}
        not_graded.dataset_version,
        samples.task_id
    from samples
    inner join not_graded using ({{ request_key() | join(', ') }})

),

unknown as (

    select distinct
        model,
        benchmark,
        scenario,
        comparability_digest,
        dataset_version,
        task_id
    from sampled
    anti join tasks using (benchmark, dataset_version, scenario, task_id)

)

select * from unknown
