"""Is scoring safe on this machine? One finding per layer and per fact that a verdict or a time may hang on.

``finding``   what a line of the answer holds
``machine``   facts of the kernel and of the system, read and not tried
``sandboxes`` which of the five modes start here, and the layers of the one that scoring would take
``probes``    small programs of our own inside the sandbox: limits that bind, a scratch that is there and is private
``suite``     the conformance suite as findings

FAIL: scoring here is not safe, or does not start. CAUTION: it is safe, and something is weaker, slower or less steady
than it could be. Nothing here changes the machine; every line that is not PASS names the command that would.
"""

from __future__ import annotations

from .finding import CAUTION, FAIL, PASS, Finding
from .findings import all_findings

__all__ = ["CAUTION", "FAIL", "PASS", "Finding", "all_findings"]
