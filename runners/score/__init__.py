"""Grading: extraction and execution in the sandbox, comparison in the judge, verdicts to the lake."""
