"""Two programs of one sandbox at once, one per flavour: neither finds what the other writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from benchforge.ingest.errors import SandboxUnavailable
from benchforge.runners.score.sandbox import Sandbox
from benchforge.runners.score.sandbox.inside.confine import Limits

LOOKS = """
import io, posix, time
def found():
    io.open('bf_own_note', 'w').write('x')
    time.sleep(0.5)
    seen = [posix.getcwd(), sorted(posix.listdir('.'))]
    for folder in ('..', '/tmp'):
        try:
            seen.append(sorted(posix.listdir(folder)))
        except OSError as error:
            seen.append(type(error).__name__)
    for number in range(2000):
        for name in (f'/tmp/{number}', f'/tmp/{number}-1'):
            try:
                posix.stat(name)
                seen.append(name)
            except OSError:
                pass
    return [text.decode() if isinstance(text, bytes) else text for text in seen]
"""


@pytest.mark.parametrize("mode", ["bubblewrap", "unshare"])
@pytest.mark.parametrize("without", [frozenset(), frozenset(("landlock",))])
def test_two_flavours_at_once_see_nothing_of_each_other(mode: str, without: frozenset[str]) -> None:
    try:
        sandbox = Sandbox.open(mode, without=without)
    except SandboxUnavailable as error:
        pytest.skip(f"{mode}: {error.message}")
    with sandbox:
        spec = {
            "kind": "apply", "program": LOOKS, "entry_point": "found", "guard": "none", "arguments": [], "keywords": {},
            "case_limits": [20.0], "limits": Limits(),
        }  # fmt: skip
        running = [sandbox.server(flavour).start(spec, 30.0) for flavour in ("lean", "numpy")]
        answers = [answered(child) for child in running]
    assert answers[0][0] != answers[1][0]
    for folder, own, *elsewhere in answers:
        assert folder.startswith("/tmp/")
        assert own == ["bf_own_note"]
        assert elsewhere == ["PermissionError", "PermissionError"]


def answered(running: Any) -> list[Any]:
    try:
        lines = [json.loads(line) for batch in running.batches(1 << 20, 1 << 20) for line in batch]
    finally:
        running.finish()
    (answer,) = (line for line in lines if line[0] == "a")
    return answer[-1]
