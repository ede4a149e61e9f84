"""The digest of a local checkpoint: what stands in for a commit where weights lie in a folder.

It covers the weights and the files that shape text (configuration, tokenizer, chat template), by name and content:
what a trainer keeps beside them (optimizer, random states, logs) is left out. Hashing runs at the speed of the disk,
so a file's digest is kept with its size and time of change, and a file that has both unchanged is not read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import keys
from ..errors import ConfigurationChanged, UsageError
from ..lake import append_line
from .models import ServedModel

_WEIGHTS = ("*.safetensors", "*.gguf", "pytorch_model*.bin", "model*.bin", "consolidated*.pth")
_SHAPING = (
    "config.json",
    "params.json",
    "adapter_config.json",
    "tokenizer*",
    "tekken.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template*",
    "*.safetensors.index.json",
)
State = tuple[str, int, int]
"""Path, size in bytes, time of change in nanoseconds: what a known digest holds for."""
_THREADS = 4
"""Hashing leaves the interpreter's lock; more readers do not help one disk."""


def weights_problem(folder: Path) -> str | None:
    """Why the folder is no checkpoint, or None."""
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not any(_matching(folder, _WEIGHTS)):
        return f"{folder} holds no weights ({', '.join(_WEIGHTS)})"
    return None


def weights_digest(folder: Path, kept: Path, tell: Callable[[str], None] = lambda sentence: None) -> str:
    """64 hex characters over names and contents of the checkpoint's files; ``kept`` is the file of known digests.

    ``tell`` hears how much is to be read first, if anything is. UsageError for a folder without weights.
    """
    problem = weights_problem(folder)
    if problem:
        raise UsageError(problem, "correct weights: or checkpoints: of the run file")
    known = _known(kept)
    files = sorted(set(_matching(folder, (*_WEIGHTS, *_SHAPING))))
    states = [_state(path) for path in files]  # before reading: a file that changes meanwhile is read again next time
    unread = sum(size for path, size, changed in states if (path, size, changed) not in known)
    if unread:
        tell(f"reading {unread / 1e9:.1f} GB of weights in {folder} for their digest")
    digests: list[str] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        read = pool.map(lambda path, state: known.get(state) or keys.sha256_file(path), files, states)
        for state, digest in zip(states, read, strict=True):
            digests.append(digest)
            if state not in known:
                append_line(kept, json.dumps([*state, digest]))
    return keys.digest_of([[path.name, digest] for path, digest in zip(files, digests, strict=True)])


def refuse_other_weights(
    served: ServedModel, planned: Iterable[str | None], kept: Path, tell: Callable[[str], None] = lambda sentence: None
) -> None:
    """Before an engine starts: the folder must hold the weights that were planned (digests, None for a Hub's model).

    UsageError where nothing says which folder it is, ConfigurationChanged where other weights lie in it.
    """
    wanted = {digest for digest in planned if digest}
    if not wanted:
        return
    if not served.weights:
        raise UsageError(
            f"{served.name} is planned as a local checkpoint, and nothing says where its weights lie",
            "give --config with the run file that planned it",
        )
    found = weights_digest(Path(served.weights), kept, tell)
    if wanted != {found}:
        planned_digest = min(wanted - {found})
        raise ConfigurationChanged(
            f"{served.name} was planned with weights_digest = {planned_digest!r}, {served.weights} has {found!r}",
            "put the planned weights back, or plan the changed ones under another run.name",
        )


def _matching(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    return (path for pattern in patterns for path in folder.glob(pattern) if path.is_file())


def _state(path: Path) -> State:
    found = path.stat()
    return str(path.resolve()), found.st_size, found.st_mtime_ns


def _known(kept: Path) -> dict[State, str]:
    """State -> digest; a line that a kill tore is left out, and its file is read again."""
    known: dict[State, str] = {}
    if not kept.exists():
        return known
    for line in kept.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            path, size, changed, digest = json.loads(line)
            known[path, size, changed] = digest
        except (ValueError, TypeError):
            continue
    return known
