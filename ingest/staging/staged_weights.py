"""Weights as they lie in a Hub cache, and what was written down when they were staged: read before an engine starts.

::

    <cache>/models--<org>--<name>/snapshots/<commit>/…       as every library of the Hub looks for them, offline too
    <cache>/models--<org>--<name>/benchforge/<commit>.json   path, bytes, sha256 of every file, by ``weights.py``
    <cache>/models--<org>--<name>/benchforge/<commit>.begun  while they are fetched, and after that broke off

Sizes are looked at before every start. A file whose size, time of change and inode are those of the time when its
digest was taken is not read again; any other is, once for all tasks (``file_digests``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config import variable
from ..errors import BadInput, NotStaged
from ..file_digests import State, digests_of_files, state_of
from ..lake import replace_file

IS_COMMIT = re.compile(r"[0-9a-f]{40}").fullmatch


@dataclass(frozen=True)
class StagedFile:
    """``path`` below the snapshot; ``changed_ns`` and ``inode`` of the time when the digest was taken."""

    path: str
    num_bytes: int
    sha256: str
    changed_ns: int
    inode: int


@dataclass(frozen=True)
class StagedWeights:
    """What one commit of a Hub repository put here."""

    hub_id: str
    commit: str
    licence: str
    staged_at: str
    files: tuple[StagedFile, ...]

    @property
    def num_bytes(self) -> int:
        return sum(file.num_bytes for file in self.files)


def hub_cache(hf_home: str) -> Path:
    """Folder of the Hub's cache: ``compute.hf_home`` where it is set, else where the Hub's own libraries look."""
    if hf_home:
        return Path(hf_home).expanduser() / "hub"
    if cache := variable("HF_HUB_CACHE"):
        return Path(cache).expanduser()
    return Path(variable("HF_HOME") or "~/.cache/huggingface").expanduser() / "hub"


def repository_folder(cache: Path, hub_id: str) -> Path:
    return cache / f"models--{hub_id.replace('/', '--')}"


def snapshot_folder(cache: Path, hub_id: str, commit: str) -> Path:
    return repository_folder(cache, hub_id) / "snapshots" / commit


def commit_of(cache: Path, hub_id: str, revision: str | None) -> str | None:
    """The commit that a revision means here; None for a branch that was never staged."""
    if revision and IS_COMMIT(revision):
        return revision
    try:
        name = revision or "main"
        return (repository_folder(cache, hub_id) / "refs" / name).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def begin(cache: Path, hub_id: str, commit: str) -> None:
    """From here to ``write_manifest`` the snapshot is known to be half of one."""
    _begun(cache, hub_id, commit).parent.mkdir(parents=True, exist_ok=True)
    _begun(cache, hub_id, commit).touch()


def write_manifest(cache: Path, staged: StagedWeights) -> None:
    replace_file(_manifest(cache, staged.hub_id, staged.commit), json.dumps(asdict(staged), indent=1).encode())
    _begun(cache, staged.hub_id, staged.commit).unlink(missing_ok=True)


def read_manifest(cache: Path, hub_id: str, commit: str) -> StagedWeights | None:
    """None where these weights were not staged. BadInput for a file that is damaged."""
    path = _manifest(cache, hub_id, commit)
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        files = tuple(StagedFile(**file) for file in row.pop("files"))
        return StagedWeights(**row, files=files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{path} is damaged", f"remove it, then: {restage(hub_id)}") from error


def staged_files(folder: Path, paths: Sequence[str], kept: Path, tell: Callable[[int], None]) -> list[StagedFile]:
    """Digests of files of a snapshot, with the state that they hold for."""
    states = [state_of(folder / path) for path in paths]
    digests = digests_of_files([folder / path for path in paths], kept, tell)
    rows = zip(paths, states, digests, strict=True)
    return [StagedFile(path, size, digest, changed, inode) for path, (_, size, changed, inode), digest in rows]


def refuse_changed(cache: Path, staged: StagedWeights, kept: Path, tell: Callable[[int], None]) -> None:
    """BadInput where a file is missing, has another size, or, read again because it was touched, another digest."""
    folder = snapshot_folder(cache, staged.hub_id, staged.commit)
    for file in staged.files:
        found = _size(folder / file.path)
        if found != file.num_bytes:
            has = "is missing" if found is None else f"has {found} bytes, staged were {file.num_bytes}"
            raise BadInput(
                f"the weights of {staged.hub_id} changed since they were staged: {file.path} {has}", _mend(staged)
            )
    paths = [folder / file.path for file in staged.files]
    digests = digests_of_files(paths, kept, tell, _known(staged, paths))
    for file, digest in zip(staged.files, digests, strict=True):
        if digest != file.sha256:
            raise BadInput(_changed(staged, f"{file.path} has another sha256"), _mend(staged))


def refuse_unstaged(
    hf_home: str, hub_id: str, revision: str | None, kept: Path, tell: Callable[[str], None], *, is_offline: bool
) -> None:
    """Before an engine starts. NotStaged where it would find nothing offline, BadInput for what is not as staged.

    Weights that another program put there have no manifest: they are used as they are, and ``tell`` says so.
    """
    cache = hub_cache(hf_home)
    commit = commit_of(cache, hub_id, revision)
    folder = snapshot_folder(cache, hub_id, commit) if commit else None
    staged = read_manifest(cache, hub_id, commit) if commit else None
    if commit and _begun(cache, hub_id, commit).exists():
        raise NotStaged(f"the weights of {hub_id} are not whole: staging them broke off", f"again: {restage(hub_id)}")
    if staged is not None:
        refuse_changed(cache, staged, kept, lambda unread: tell(f"reading {unread / 1e9:.1f} GB of {hub_id} once"))
    elif folder is not None and folder.is_dir():
        tell(f"the weights of {hub_id} were not staged by benchforge, so nothing says whether they are whole: {folder}")
    elif is_offline:
        raise NotStaged(
            f"the weights of {hub_id}{f' at {revision[:12]}' if revision else ''} are not in {cache}, and this run is "
            "offline",
            f"on a login node: {restage(hub_id)}",
        )


def restage(hub_id: str) -> str:
    return f"benchforge stage --weights --model {hub_id}"


def _manifest(cache: Path, hub_id: str, commit: str) -> Path:
    return repository_folder(cache, hub_id) / "benchforge" / f"{commit}.json"


def _begun(cache: Path, hub_id: str, commit: str) -> Path:
    return _manifest(cache, hub_id, commit).with_suffix(".begun")


def _changed(staged: StagedWeights, how: str) -> str:
    return f"the weights of {staged.hub_id} changed since they were staged: {how}"


def _mend(staged: StagedWeights) -> str:
    return f"on a login node: {restage(staged.hub_id)}"


def _known(staged: StagedWeights, paths: Sequence[Path]) -> dict[State, str]:
    """The manifest says digests too: what is as it was when that was written need not be read."""
    return {
        (str(path.resolve()), file.num_bytes, file.changed_ns, file.inode): file.sha256
        for file, path in zip(staged.files, paths, strict=True)
    }


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
