"""The shipped conformance suite: attacks that must not pass and leave nothing, honest programs that must pass.

Theory of operation. ``attacks.jsonl`` and ``honest.jsonl`` are rows as ``benchforge judge`` takes them, and are graded
through the same door. ``witness`` stands outside the sandbox and offers what a sample must not reach: listeners on the
loopback, a secret in the environment and in a readable file, a name for files and processes that nobody else uses. An
attack is written so that it could only pass by reaching it, or so that what it leaves can be found afterwards. After
each attack an honest row is graded: it must pass as if nothing had happened.

Places that only exist at run time stand in the solutions as ``{PORT}``, ``{NONCE}`` and ``{TOKEN}``.
"""

from __future__ import annotations

from .suite import Result, run
from .witness import Witness

__all__ = ["Result", "Witness", "run"]
