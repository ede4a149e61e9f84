"""The digest of a local checkpoint: what stands in for a commit where weights lie in a folder.

It covers the weights and the files that shape text (configuration, tokenizer, chat template), by name and content:
what a trainer keeps beside them (optimizer, random states, logs) is left out. Hashing runs at the speed of the disk,
so a file's digest is kept with its size and time of change, and a file that has both unchanged is not read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .. import keys
from ..errors import ConfigurationChanged, UsageError
from ..file_digests import digests_of_files
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
    files = sorted(set(_matching(folder, (*_WEIGHTS, *_SHAPING))))
    digests = digests_of_files(
        files, kept, lambda unread: tell(f"reading {unread / 1e9:.1f} GB of weights in {folder} for their digest")
    )
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
