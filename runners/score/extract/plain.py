"""The text as it is: recorded answers that were extracted before they were recorded."""

from __future__ import annotations

from collections.abc import Mapping


def as_it_is(text: str, context: Mapping[str, str]) -> str:
    """The text, after the prompt where it continues one."""
    return context.get("prompt", "") + text if context.get("text_form") == "completion" else text
