"""What is on the Hub, and how it gets there: one commit after a known parent, then a tag of its content.

``upload_folder`` of huggingface_hub 2 streams: large folders become several commits, an upload that broke off goes on
where it stopped, files that did not change are not sent. What it does not do is done here: which revision the first
commit must follow, whose commits came in between, trying again through a storm of 5xx, and a look at what arrived.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...ingest.errors import BadInput, BenchforgeError, Incomplete, UsageError
from . import publication_file
from .declared import SPACE

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Answer = TypeVar("Answer")

TITLE = "benchForge publication"
"""Every commit of ours begins with it."""
WAITS_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Between two tries of an upload that the Hub refused for reasons of its own; its client retries single requests."""
_OF_THE_HUB = (429, 500, 502, 503, 504)
_MOVED = (409, 412)
_LOGIN = "hf auth login, or set HF_TOKEN to a token that may write"


@dataclass(frozen=True)
class Repository:
    """One repository by its full name."""

    name: str
    """``<namespace>/<repository>``."""
    kind: str
    """``dataset`` or ``space``."""


@dataclass(frozen=True)
class Remote:
    """A repository as it is now."""

    repository: Repository
    head: str | None = None
    """Commit of main; None: there is no such repository yet."""
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Path -> size and digest: sha256 of large files, the git blob id of others."""
    published: publication_file.Publication | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tag -> commit."""

    @property
    def is_older_schema(self) -> bool:
        """It holds something that this layout did not put there."""
        if self.published is not None:
            return self.published.layout != publication_file.LAYOUT
        return not publication_file.is_ours(self.files)


@dataclass(frozen=True)
class Uploaded:
    """What one repository is after an upload."""

    repository: Repository
    commit: str
    tag: str
    is_changed: bool


def repository_of(name: str, namespace: str) -> Repository:
    """Raises UsageError for a name that the Hub does not take, before anything is built."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    full = f"{namespace}/{name}"
    try:
        validate_repo_id(full)
    except HFValidationError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{full} cannot be the name of a repository: {reason}", "give another --namespace") from None
    return Repository(full, "space" if name.endswith(SPACE.removeprefix("benchforge")) else "dataset")


def api_of(token: str | None = None) -> HfApi:
    """The client; its token is the one given, of HF_TOKEN, or of ``hf auth login``."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    from ... import __version__

    disable_progress_bars()
    return HfApi(token=token, library_name="benchforge", library_version=__version__)


def refuse_stranger(api: HfApi, namespace: str) -> str:
    """Name of the token's owner. Raises BenchforgeError where there is no token, or none that may write there.

    Asked before anything is built: an expired token is to be known in seconds.
    """
    try:
        owner = _asked(api.whoami)
    except _Passing as error:
        raise Incomplete(error.message, "run it where there is a network, e.g. on the login node") from None
    names = [owner["name"], *(group["name"] for group in owner.get("orgs", ()))]
    if namespace not in names:
        raise BenchforgeError(
            f"the token is {owner['name']}'s and may not write to {namespace}",
            f"benchforge publish --namespace {owner['name']}, or hf auth login with another token",
        )
    return str(owner["name"])


def look(api: HfApi, repository: Repository) -> Remote:
    """The repository as it is now. Raises BenchforgeError where the Hub does not let us look, Incomplete where it is
    out of order."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return _asked(lambda: _looked(api, repository), repository)
    except RepositoryNotFoundError:
        return Remote(repository)
    except _Passing as error:
        raise Incomplete(error.message, "run the same command again") from None


def _looked(api: HfApi, repository: Repository) -> Remote:
    from huggingface_hub.hf_api import RepoFile

    where: dict[str, Any] = {"repo_id": repository.name, "repo_type": repository.kind}
    head = str(api.repo_info(**where).sha)
    entries = list(api.list_repo_tree(**where, recursive=True, revision=head))
    files = [entry for entry in entries if isinstance(entry, RepoFile)]
    known = {file.path: (file.size, file.lfs.sha256 if file.lfs else file.blob_id) for file in files}
    tags = {ref.name: ref.target_commit for ref in api.list_repo_refs(**where).tags}
    return Remote(repository, head, known, _published(api, repository, head, known), tags)


def _published(
    api: HfApi, repository: Repository, revision: str, files: Mapping[str, Any]
) -> publication_file.Publication | None:
    import tempfile

    if publication_file.NAME not in files:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = api.hf_hub_download(
            repository.name,
            publication_file.NAME,
            repo_type=repository.kind,
            revision=revision,
            local_dir=folder,
        )
        return publication_file.parsed(Path(path).read_bytes())


def refuse_older_schema(remote: Remote, *, replace: bool) -> None:
    """BadInput for a repository with a first run in an older schema, unless it is to be replaced."""
    if remote.is_older_schema and not replace:
        odd = next((path for path in sorted(remote.files) if not publication_file.is_ours([path])), "its layout")
        raise BadInput(
            f"{remote.repository.name} holds a publication in another schema ({odd})",
            "benchforge publish --replace, which tags the old revision before anything changes",
        )


def upload(api: HfApi, remote: Remote, folder: Path, *, message: str, is_private: bool = False) -> Uploaded:
    """Make the repository hold exactly ``folder``, and tag it. The folder must have its publication file.

    A repository in an older schema is tagged ``before-<commit>`` first. Raises Incomplete (run it again) where the Hub
    refused too often, BadInput where somebody else commits at the same time, BenchforgeError for a token that may not.
    """
    said = publication_file.refuse_altered(folder)
    repository = remote.repository
    if remote.head is None:
        _asked(lambda: _created(api, repository, is_private), repository)
        remote = look(api, repository)
    if remote.is_older_schema:
        _tag(api, repository, f"before-{str(remote.head)[:8]}", str(remote.head))
    if not _is_there(remote.files, folder):
        _sent(api, remote, folder, f"{TITLE} {said.tag}", message)
    arrived = look(api, repository)
    if not _is_there(arrived.files, folder):
        raise BadInput(
            f"{repository.name} does not hold what was sent: somebody else commits to it",
            "benchforge publish, when they have finished",
        )
    tag = _tag(api, repository, said.tag, str(arrived.head), arrived.tags)
    return Uploaded(repository, str(arrived.head), tag, arrived.head != remote.head)


def _created(api: HfApi, repository: Repository, is_private: bool) -> None:
    sdk = "gradio" if repository.kind == "space" else None
    api.create_repo(repository.name, repo_type=repository.kind, private=is_private, exist_ok=True, space_sdk=sdk)


def _sent(api: HfApi, remote: Remote, folder: Path, title: str, message: str) -> None:
    """Upload, and again after what passes; each try starts from the last commit that is ours."""
    parent = remote.head
    for wait in (*WAITS_SECONDS, None):
        try:
            return _asked(lambda parent=parent: _upload(api, remote.repository, folder, title, message, parent))
        except _Passing as error:
            if wait is None:
                raise Incomplete(error.message, "benchforge publish, which goes on where it stopped") from None
            time.sleep(wait)
        with contextlib.suppress(_Passing):
            parent = _asked(lambda: _last_of_ours(api, remote, title), remote.repository)


def _upload(api: HfApi, repository: Repository, folder: Path, title: str, message: str, parent: str | None) -> None:
    api.upload_folder(
        repo_id=repository.name,
        repo_type=repository.kind,
        folder_path=folder,
        commit_message=title,
        commit_description=message,
        parent_commit=parent,
        delete_patterns="*",
        ignore_patterns=[".cache/**"],
    )


def _last_of_ours(api: HfApi, remote: Remote, title: str) -> str | None:
    """Head after a broken upload, if every commit since we looked is ours. Raises BadInput where one is not.

    The title names the content: another publication at the same time is not ours.
    """
    repository = remote.repository
    commits = api.list_repo_commits(repository.name, repo_type=repository.kind)
    for commit in commits:
        if commit.commit_id == remote.head:
            break
        if not commit.title.startswith(title):
            raise BadInput(
                f"somebody else committed to {repository.name} meanwhile ({commit.commit_id[:8]})",
                "benchforge publish, when they have finished",
            )
    return commits[0].commit_id if commits else remote.head


def _is_there(files: Mapping[str, tuple[int, str]], folder: Path) -> bool:
    """Whether a repository holds exactly the files of a folder, by size and digest."""
    from huggingface_hub.utils.sha import git_hash

    said = publication_file.read(folder)
    ours = {**(said.files if said else {}), publication_file.NAME: {}}
    if set(files) - {".gitattributes"} != set(ours):
        return False
    for path, facts in ours.items():
        size, digest = files[path]
        content = folder / path
        if size != content.stat().st_size:
            return False
        if digest not in (facts.get("sha256"), git_hash(content.read_bytes()) if len(digest) == 40 else None):
            return False
    return True


def _tag(api: HfApi, repository: Repository, tag: str, commit: str, known: Mapping[str, str] | None = None) -> str:
    """Tag a commit. Equal content keeps its tag, even where a card has changed since: a tag never moves."""
    if known is None or tag not in known:
        _asked(
            lambda: api.create_tag(repository.name, tag=tag, revision=commit, repo_type=repository.kind, exist_ok=True),
            repository,
        )
    return tag


class _Passing(Exception):
    """The Hub, or the way to it, is out of order; or the revision has moved, perhaps by ourselves."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def _asked(ask: Callable[[], Answer], repository: Repository | None = None) -> Answer:
    """The answer, or what is wrong in one sentence in which no token stands."""
    import httpx2
    from huggingface_hub import errors

    try:
        return ask()
    except errors.HfHubHTTPError as error:
        if isinstance(error, errors.RepositoryNotFoundError) and error.response.status_code == 404:
            raise
        raise _explained(error.response.status_code, repository) from None
    except errors.LocalTokenNotFoundError:
        raise BenchforgeError("there is no token for the Hub", _LOGIN) from None
    except errors.OfflineModeIsEnabled:
        raise BenchforgeError("HF_HUB_OFFLINE is set, so the Hub cannot be asked", "unset HF_HUB_OFFLINE") from None
    except httpx2.TransportError as error:
        raise _Passing(f"the Hub cannot be reached ({type(error).__name__})") from None
    except RuntimeError as error:  # hf_xet has no exceptions of its own
        if not type(error).__module__.startswith(("hf_xet", "builtins")):
            raise
        raise _Passing("the storage of the Hub did not take a file") from None


def _explained(status: int, repository: Repository | None) -> Exception:
    name = repository.name if repository else "the account"
    if status in _OF_THE_HUB:
        return _Passing(f"the Hub answered {status} too often ({name})")
    if status in _MOVED:
        return _Passing(f"{name} has moved on while it was written")
    if status == 401:
        return BenchforgeError("the Hub does not know the token, or it has expired", _LOGIN)
    if status == 403:
        return BenchforgeError(
            f"the token may not write to {name}", "give --namespace, or a token that may write there"
        )
    return BenchforgeError(
        f"the Hub refused {name} with status {status}", "benchforge publish --dry-run shows what it would send"
    )
