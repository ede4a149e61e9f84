"""``random`` without its hook in ``fork``: the hook seeds from the system, a third of what a fork costs, for nothing.

Every child seeds it itself (see ``calls.seed``). To be imported before anything else imports ``random``.
"""

from __future__ import annotations

import os

_register_at_fork = os.register_at_fork
os.register_at_fork = lambda **hooks: None  # type: ignore[assignment]
import random  # noqa: E402

os.register_at_fork = _register_at_fork

__all__ = ["random"]
