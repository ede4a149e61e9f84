"""The operator's month: probe, submit, status, monitor, resubmit, cancel, on top of ``slurm``."""
