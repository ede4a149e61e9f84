"""Everything a user can cause, as one tree of exceptions.

::

    BenchforgeError            exit 1   failed; nothing was written
    ├── UsageError             exit 2   a word on the command line or in a file is wrong
    ├── BadInput               exit 1   a file handed in is broken or does not belong
    ├── NotStaged              exit 1   problems or protocol strings are not on this machine yet
    ├── LakeError              exit 1   a lake part is damaged, or disagrees with its manifest
    ├── ConfigurationChanged   exit 1   resuming under a request that differs; the field is named
    ├── SandboxUnavailable     exit 1   a layer that scoring insists on is missing
    ├── QueueError             exit 1   SLURM is not there, does not answer, or refused; nothing was submitted
    ├── Incomplete             exit 3   run it again: some work is not done yet
    │   └── Unwritable         exit 1   the disk is full: nothing is lost, but it has to have room first
    ├── GateFailed             exit 4   a critical check found offending rows
    └── Interrupted            exit 75  stopped by a signal; the journal is flushed, run it again

Every error is one sentence plus ``hint``: the command (or edit) that fixes it.
"""

from __future__ import annotations


class BenchforgeError(Exception):
    """Base of all expected errors: printed without a traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BenchforgeError):
    exit_code = 2


class BadInput(BenchforgeError):
    exit_code = 1


class NotStaged(BenchforgeError):
    exit_code = 1


class LakeError(BenchforgeError):
    exit_code = 1


class ConfigurationChanged(BenchforgeError):
    exit_code = 1


class SandboxUnavailable(BenchforgeError):
    exit_code = 1


class QueueError(BenchforgeError):
    exit_code = 1


class Incomplete(BenchforgeError):
    exit_code = 3


class Unwritable(Incomplete):
    """Work is left, as with Incomplete, but running again alone does not help: somebody has to make room first."""

    exit_code = 1


class GateFailed(BenchforgeError):
    exit_code = 4


class Interrupted(BenchforgeError):
    """``signal_name`` says which signal it was (``SIGUSR1``); empty where that does not matter."""

    exit_code = 75

    def __init__(self, message: str, hint: str = "", signal_name: str = "") -> None:
        super().__init__(message, hint)
        self.signal_name = signal_name
