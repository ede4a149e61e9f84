"""``checkpoints: runs/coder/step-*``: one line of a run file, one model per folder, in the order of training."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STEP = re.compile(r"(?:step|iter|iteration|checkpoint|ckpt)[-_]?(\d+)", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")


def step_of(name: str) -> int | None:
    """The step in a folder's name: after step, iter, checkpoint or ckpt, else its last number; None without one."""
    marked = _STEP.findall(name)
    numbers = marked or _DIGITS.findall(name)
    return int(numbers[-1]) if numbers else None


def expanded(given: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """A ``checkpoints:`` item as one ``model:`` item per folder, by rising step; and what is wrong with it.

    The models are called ``<model>-step-<N>``; without ``model:`` they are ``local__<folder above>-step-<N>``.
    """
    pattern = Path(given["checkpoints"]).expanduser()
    above = Path(pattern.anchor)
    folders = [path for path in sorted(above.glob(str(pattern.relative_to(above)))) if path.is_dir()]
    if not folders:
        return [], [f"no folder matches {given['checkpoints']}"]
    base = given.get("model") or _base(pattern)
    if base is None:
        return [], [f"{given['checkpoints']} gives no name: add model: <org>__<name>"]
    steps = [(step_of(folder.name), folder) for folder in folders]
    problems = _problems(steps)
    rest = {key: value for key, value in given.items() if key not in ("checkpoints", "model")}
    numbered = sorted((step, folder) for step, folder in steps if step is not None)
    return [
        {**rest, "model": f"{base}-step-{step}", "weights": str(folder), "training_step": step}
        for step, folder in numbered
    ], problems


def _base(pattern: Path) -> str | None:
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", pattern.parent.name).strip("-.") if pattern.parent.name else ""
    return f"local__{name}" if name and not glob.has_magic(pattern.parent.name) else None


def _problems(steps: list[tuple[int | None, Path]]) -> list[str]:
    unnamed = [f"{folder} has no step in its name" for step, folder in steps if step is None]
    counts = Counter(step for step, _ in steps if step is not None)
    twice = [f"{number} folders have the step {step}" for step, number in counts.items() if number > 1]
    return unnamed + twice
