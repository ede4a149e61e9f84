"""Faults planted into files as the tools write them: found, named, worth what was planted; honest files show none."""

import honest_logs
import pytest
from benchforge.ingest.errors import UsageError
from benchforge.ingest.recorded import AUTO, Wanted
from benchforge.runners.ask.audit.beside import sorted_out
from benchforge.runners.ask.audit.report import audited
from fault_effects import outcome_of
from planted_faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_a_planted_fault_is_found_named_and_worth_what_was_planted(fault, tmp_path):
    assert outcome_of(fault, tmp_path).problem is None


def test_faults_are_of_many_causes_tools_and_known_effects():
    tools = {fault.log for fault in FAULTS}
    assert len({fault.cause_id for fault in FAULTS}) >= 60 and len(tools) >= 10
    assert sum(fault.worth == "exact" for fault in FAULTS) >= 12


@pytest.mark.parametrize("name, args", honest_logs.CLEAN, ids=str)
def test_an_honest_log_shows_no_cause(name, args, tmp_path):
    build, _, benchmark = honest_logs.FILES[name]
    audit = audited(honest_logs.write(tmp_path, name, build(*args)), Wanted(AUTO, benchmark), {}, None)
    assert not audit.causes and audit.numbers


def test_a_result_file_of_other_samples_is_stale(tmp_path):
    """The samples file beside the results is what should have been graded; three programs in it are others."""
    document = honest_logs.evalplus()
    results = honest_logs.write(tmp_path, "evalplus", document, "samples_eval_results.json")
    rows = [{"task_id": name, "solution": several[0]["solution"]} for name, several in document["eval"].items()]
    for row in rows[:3]:
        row["solution"] += "# newer\n"
    samples = honest_logs.write(tmp_path, "human_eval", rows, "samples.jsonl")
    wanted = Wanted(AUTO, None)
    for files in ([results, samples], [samples, results]):
        (log,), beside = sorted_out(files, wanted)
        (cause,) = audited(log, wanted, {}, None, beside=beside).causes
        assert (log, cause.finding.cause_id, len(cause.finding.samples)) == (results, "stale_result_file", 3)


def test_samples_that_two_tools_write_alike_are_those_of_the_results_beside_them(tmp_path):
    """Completions stand in the results behind their prompts; a file named twice is refused."""
    document = honest_logs.evalplus()
    rows = [{"task_id": name, "completion": several[0]["solution"]} for name, several in document["eval"].items()]
    for several in document["eval"].values():
        several[0]["solution"] = f"import math\n\n{several[0]['solution']}"
    results = honest_logs.write(tmp_path, "evalplus", document, "samples_eval_results.json")
    samples = honest_logs.write(tmp_path, "human_eval", rows, "samples.jsonl")
    wanted = Wanted(AUTO, None)
    (log,), beside = sorted_out([samples, results], wanted)
    assert log == results and len(beside.texts) == 164
    assert not audited(log, wanted, {}, None, beside=beside).causes
    with pytest.raises(UsageError, match="named twice"):
        sorted_out([results, tmp_path / "." / results.name], wanted)
