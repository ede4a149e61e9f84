"""Stands in for the extractor package: read inside the sandbox only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def shout(text: str, context: Mapping[str, str]) -> str:
    return text.upper() + context["ending"]


def misbehave(text: str, context: Mapping[str, str]) -> str:
    if text == "loop":
        while True:
            pass
    if text == "die":
        import os

        os._exit(0)
    if text == "memory":
        return "x" * (40 << 30)
    if text == "secrets":
        return Path("/etc/hostname").read_text()
    if text == "deep":
        return misbehave(text, context)
    return text
