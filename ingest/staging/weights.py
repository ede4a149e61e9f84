"""Staging weights: one commit of a Hub repository into the Hub's own cache, checked against the digests that it states.

Theory of operation. One question to the Hub says which files the commit has, with sizes and digests (sha256 of large
files, git's sha1 of the others). What an engine reads is chosen by name, what is missing is compared with the free
space, and ``huggingface_hub`` fetches it: files that are whole stay across kills and lost connections. Then every file
is read once, and only when all of them are what the Hub says is the manifest written that ``generate`` looks at.

The library keeps a list of the commit's files and calls a snapshot that lacks any of them incomplete, also for a reader
that asks for a few kinds only (``_raise_if_incomplete_snapshot`` of huggingface_hub 2.4.0): where files were left out
that list is removed again, or vLLM would find nothing offline.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ..errors import BadInput, Incomplete, Unwritable, UsageError
from ..manifest import now_text
from .hub import PAUSES_SECONDS, again
from .staged_weights import (
    StagedWeights,
    begin,
    commit_of,
    hub_cache,
    read_manifest,
    refuse_changed,
    repository_folder,
    restage,
    snapshot_folder,
    staged_files,
    write_manifest,
)

_SAFE = "*.safetensors"
_OTHER_FRAMEWORKS = ("*.h5", "*.msgpack", "*.ot", "*.onnx", "*.onnx_data", "*.tflite", "*.gguf", "*.pth", "*.pt")
_OTHER_FOLDERS = ("original/*", "metal/*", "onnx/*", "openvino/*", "coreml/*", "runs/*", ".git*")
_DECORATION = ("*.png", "*.jpg", "*.jpeg", "*.gif", "*.svg", "*.webp", "*.mp4", "*.pdf")
_LEFT_OVER_SECONDS = 3600.0
"""A partial file that nobody wrote to for so long was left by a kill; the library begins such files anew."""


_JOIN_SECONDS = 0.2


@dataclass(frozen=True)
class HubFile:
    """One file of a commit; ``sha256`` of a large one, ``git_sha1`` of every other."""

    path: str
    num_bytes: int
    sha256: str | None
    git_sha1: str | None


@dataclass(frozen=True)
class WeightsPlan:
    """What one model needs. ``files`` is empty where everything is in place already."""

    hub_id: str
    revision: str
    commit: str
    cache: Path
    licence: str
    files: tuple[HubFile, ...]
    left_out: int
    """Files of the commit that no engine of ours reads."""
    missing_bytes: int

    @property
    def folder(self) -> Path:
        return snapshot_folder(self.cache, self.hub_id, self.commit)


def plan_weights(
    hub_id: str,
    revision: str | None,
    hf_home: str,
    kept: Path,
    tell: Callable[[str], None],
    endpoint: str | None = None,
    pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    reach: Callable[[], None] = lambda: None,
) -> WeightsPlan:
    """Ask what is to be fetched; nothing is asked where the manifest and every file are in place.

    ``reach`` is called before the Hub is asked: it refuses where there is no network.
    Raises UsageError without a pinned revision, NotStaged for a repository that may not be read or is not there,
    Unwritable without room, Incomplete where the Hub does not answer.
    """
    cache = hub_cache(hf_home)
    commit = commit_of(cache, hub_id, revision) if revision else None
    staged = read_manifest(cache, hub_id, commit) if commit else None
    if staged is not None and commit is not None and _is_whole(cache, staged, kept, tell):
        return WeightsPlan(hub_id, revision or commit, commit, cache, staged.licence, (), 0, 0)
    reach()
    info = _asked(hub_id, revision, endpoint, pauses_seconds)
    if revision is None:
        raise UsageError(
            f"{hub_id} has no pinned revision; its newest commit is {info.sha}",
            f"write revision: {info.sha} beside the model in the run file",
        )
    listed = [_hub_file(sibling) for sibling in info.siblings or ()]
    files = chosen_files(listed)
    if not files:
        raise BadInput(f"{hub_id} at {info.sha[:12]} holds no weights", "correct hub_id or revision of the model")
    folder = snapshot_folder(cache, hub_id, info.sha)
    missing = sum(file.num_bytes for file in files if not (folder / file.path).exists())
    _refuse_without_room(hub_id, cache, missing)
    licence = str(getattr(info.card_data, "license", "") or "")
    return WeightsPlan(hub_id, revision, info.sha, cache, licence, files, len(listed) - len(files), missing)


def stage_weights(
    plan: WeightsPlan,
    kept: Path,
    tell: Callable[[str], None],
    endpoint: str | None = None,
    pauses_seconds: Sequence[float] = PAUSES_SECONDS,
) -> StagedWeights:
    """Fetch, check, write the manifest. Raises as ``plan_weights``, and Incomplete for a file that came damaged."""
    _remove_left_overs(plan)
    begin(plan.cache, plan.hub_id, plan.commit)
    again(plan.hub_id, restage(plan.hub_id), pauses_seconds, lambda: _fetched(plan, endpoint))
    if plan.left_out:
        (repository_folder(plan.cache, plan.hub_id) / "trees" / f"{plan.commit}.json").unlink(missing_ok=True)
    paths = [file.path for file in plan.files]
    found = staged_files(plan.folder, paths, kept, lambda unread: tell(f"checking {unread / 1e9:.1f} GB"))
    for wanted, file in zip(plan.files, found, strict=True):
        if file.num_bytes != wanted.num_bytes or not _is_right(wanted, file.sha256, plan.folder / file.path):
            _remove(plan.folder / file.path)
            raise Incomplete(
                f"{file.path} of {plan.hub_id} is not what the Hub says: it came damaged and is removed",
                restage(plan.hub_id),
            )
    staged = StagedWeights(plan.hub_id, plan.commit, plan.licence, now_text(), tuple(found))
    write_manifest(plan.cache, staged)
    return staged


def chosen_files(listed: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """What an engine reads: safetensors (else PyTorch's files), configuration, tokenizer, code; () without weights.

    ``consolidated*`` is the same tensors once more where sharded files are there too.
    """
    paths = [file.path for file in listed if not _matches(file.path, _OTHER_FOLDERS)]
    safe = [path for path in paths if "/" not in path and fnmatch(path, _SAFE)]
    pickled = [path for path in paths if "/" not in path and _matches(path, ("pytorch_model*.bin", "model*.bin"))]
    if not safe and not pickled:
        return ()
    dropped = {path for path in paths if _matches(path, (*_OTHER_FRAMEWORKS, *_DECORATION))}
    if safe:
        dropped |= {*pickled, "pytorch_model.bin.index.json"}
        named = {path for path in safe if path.startswith("consolidated")}
        dropped |= named if len(named) < len(safe) else set()
    return tuple(file for file in listed if file.path in set(paths) - dropped)


def _asked(hub_id: str, revision: str | None, endpoint: str | None, pauses_seconds: Sequence[float]) -> Any:
    from huggingface_hub import HfApi, constants

    if constants.is_offline_mode():
        raise UsageError(
            "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set in this shell, and weights are fetched from the Hub",
            f"HF_HUB_OFFLINE=0 TRANSFORMERS_OFFLINE=0 {restage(hub_id)}",
        )
    api = HfApi(endpoint=endpoint)
    return again(
        hub_id,
        restage(hub_id),
        pauses_seconds,
        lambda: api.model_info(hub_id, revision=revision, files_metadata=True, timeout=30),
    )


def _fetched(plan: WeightsPlan, endpoint: str | None) -> None:
    """In a thread that nobody waits for when a signal comes: the library itself would end every file first."""
    from huggingface_hub import snapshot_download

    trouble: list[BaseException] = []

    def fetch() -> None:
        try:
            snapshot_download(
                plan.hub_id,
                revision=plan.revision,
                cache_dir=plan.cache,
                endpoint=endpoint,
                allow_patterns=[glob.escape(file.path) for file in plan.files],
            )
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_JOIN_SECONDS)
    if trouble:
        raise trouble[0]


def _hub_file(sibling: Any) -> HubFile:
    lfs = sibling.lfs
    size = lfs.size if lfs is not None else sibling.size
    return HubFile(sibling.rfilename, int(size or 0), lfs.sha256 if lfs is not None else None, sibling.blob_id)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def _is_whole(cache: Path, staged: StagedWeights, kept: Path, tell: Callable[[str], None]) -> bool:
    try:
        refuse_changed(cache, staged, kept, lambda unread: tell(f"checking {unread / 1e9:.1f} GB of {staged.hub_id}"))
    except BadInput as error:
        tell(error.message)
        _remove_damaged(cache, staged, kept)
        return False
    return True


def _remove_damaged(cache: Path, staged: StagedWeights, kept: Path) -> None:
    """What is there but not as staged, so that it is fetched again."""
    folder = snapshot_folder(cache, staged.hub_id, staged.commit)
    there = [file for file in staged.files if (folder / file.path).exists()]
    found = staged_files(folder, [file.path for file in there], kept, lambda unread: None)
    for file, now in zip(there, found, strict=True):
        if (file.num_bytes, file.sha256) != (now.num_bytes, now.sha256):
            _remove(folder / file.path)


def _refuse_without_room(hub_id: str, cache: Path, missing_bytes: int) -> None:
    place = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if missing_bytes > free:
        raise Unwritable(
            f"{hub_id} needs {missing_bytes / 1e9:.1f} GB more in {cache}, and {free / 1e9:.1f} GB are free",
            "make room, or set BENCHFORGE_HF_HOME to another file system",
        )


def _remove_left_overs(plan: WeightsPlan) -> None:
    """Space that a killed download still takes."""
    for path in (repository_folder(plan.cache, plan.hub_id) / "blobs").glob("*.incomplete"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _LEFT_OVER_SECONDS:
                path.unlink()


def _is_right(wanted: HubFile, sha256: str, path: Path) -> bool:
    if wanted.sha256 is not None:
        return sha256 == wanted.sha256
    content = path.read_bytes()
    return wanted.git_sha1 in (None, hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest())


def _remove(path: Path) -> None:
    """A file of a snapshot and the blob that it points at."""
    blob = path.resolve()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)
