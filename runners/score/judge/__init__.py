"""The judge: holds the answers, compares what programs claim, says the verdict.

Theory of operation. Three kinds of process, in falling privilege::

    supervisor (pool)   writes the lake; executes, decodes and compares nothing
      | pickle both ways, over a socket that only these two hold
    worker              holds answers and references; decodes and compares claims; dataset tests run here
      | pickle (inputs, programs) down, JSON (claims) up; see ``sandbox``
    server and child    in the sandbox: no answer, no dataset, no token

``pool``        ``Judge``: supervises workers, retries failures of the infrastructure
``worker``      one process per sandbox; dispatches on the kind of task
``calls`` ``check`` ``stdin`` ``expression``   one file per kind
``oracles`` ``special``   official and strict reading of an answer
``decode``      tagged JSON back into values, in bounded work
``expected``    expected values and reference times
``rules``       limits of the pinned harnesses
"""

from __future__ import annotations

from .oracles import NAMES as ORACLE_NAMES
from .outcome import Graded, Job, Outcome, PartOutcome
from .pool import Judge, SandboxFailed
from .rules import EVALPLUS_0_3_1, OFFICIAL, Rules

__all__ = [
    "EVALPLUS_0_3_1",
    "OFFICIAL",
    "ORACLE_NAMES",
    "Graded",
    "Job",
    "Judge",
    "Outcome",
    "PartOutcome",
    "Rules",
    "SandboxFailed",
]
