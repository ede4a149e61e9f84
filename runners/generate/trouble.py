"""What can become of a request that is not answered: Refused (never asked again) or Broken (asked again)."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from typing import Any

from ...ingest.errors import BenchforgeError
from .stream import Prefix

_RETRIED_STATUS = frozenset({408, 429, *range(500, 600)})
_WHAT_IS_ASKED = ("model", "messages", "prompt")
"""Fields that no row can leave out."""
_LONGEST_ASKED_PAUSE_SECONDS = 600.0


class Refused(BenchforgeError):
    """The server answered 4xx: the request itself is wrong for it, so it is not asked again.

    ``parameter`` is the field of the body that it names, if it names one.
    """

    def __init__(self, status: int, message: str, parameter: str | None = None) -> None:
        super().__init__(f"the server refused a request with {status}: {message}", _mend(status, parameter, message))
        self.status = status
        self.reason = message
        self.parameter = parameter


class Broken(Exception):
    """Trouble that may pass. ``num_tokens`` had come before it, and are lost unless ``prefix`` holds them."""

    def __init__(self, message: str, status: int | None = None, pause_seconds: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.pause_seconds = pause_seconds
        """What the server asked for."""
        self.num_tokens = 0
        self.prefix: Prefix | None = None


def refusal(status: int, error: Any, headers: Mapping[str, str], body: Mapping[str, Any]) -> Refused | Broken:
    """What a status that is not 200 means for a request of ``body``; ``error`` is what the server said."""
    if status in _RETRIED_STATUS:
        return Broken(f"status {status}: {_message(error)}", status, _asked_pause(headers))
    return Refused(status, _message(error), _parameter(status, error, body))


def _message(error: Any) -> str:
    if isinstance(error, Mapping):
        return str(error.get("message") or error.get("detail") or dict(error))
    return str(error)[:500]


def _mend(status: int, parameter: str | None, message: str) -> str:
    """A server does not know the caller, the model or a field, or does not like a field's value."""
    if status in (401, 403):
        return "put the server's key into the environment variable that engine.api_key_variable names (OPENAI_API_KEY)"
    if status == 404 and re.search(r"\bmodel\b", message, re.IGNORECASE):
        return "write the name that the server knows into served_as of the model's row"
    if parameter is None:
        return "see the server's log"
    if re.search(r"support|recogni[sz]ed|unknown|unexpected|extra|not permitted|not allowed", message, re.IGNORECASE):
        return f"write {parameter} into omits of the model's row, or into renames where the server has another name"
    return f"correct {parameter} in the run file or in the model's row"


def _parameter(status: int, error: Any, body: Mapping[str, Any]) -> str | None:
    """The field that is refused: as the server names it, or the one of ours that its sentence names.

    vLLM 0.32 names ``body`` and says ``'loc': 'body.stop'`` in the sentence, or ``input_tokens``, which nobody sent.
    """
    if status not in (400, 422) or not isinstance(error, Mapping):
        return None
    found = re.findall(r"body\W+(\w+)|['\"`](\w+)['\"`]", _message(error))
    names = (re.split(r"\W", str(error.get("param")))[0], *(first or second for first, second in found))
    return next((name for name in names if name in body and name not in _WHAT_IS_ASKED), None)


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, which is a number or a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        date = email.utils.parsedate_tz(text)
        if date is None:
            return None
        seconds = email.utils.mktime_tz(date) - time.time()
    return min(max(seconds, 0.0), _LONGEST_ASKED_PAUSE_SECONDS) if seconds == seconds else None
