"""Asking the Hub: one client, and every way in which it refuses as one sentence in which no token stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ...ingest.errors import BadInput, BenchforgeError, Incomplete, UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Answer = TypeVar("Answer")

WAITS_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Between two tries after the Hub refused for reasons of its own; its client retries some requests by itself."""
_OF_THE_HUB = (429, 500, 502, 503, 504)
_MOVED = (409, 412)
LOGIN = "hf auth login, or set HF_TOKEN to a token that may write"


@dataclass(frozen=True)
class Repository:
    """One repository by its full name."""

    name: str
    """``<namespace>/<repository>``."""
    kind: str
    """``dataset`` or ``space``."""


def repository_of(full: str, kind: str) -> Repository:
    """Raises UsageError for a name that the Hub does not take, before anything is built."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(full)
    except HFValidationError as error:
        reason = " ".join(str(error).split())
        hint = "give another with --namespace or --repo KIND=NAME"
        raise UsageError(f"{full} cannot be the name of a repository: {reason}", hint) from None
    return Repository(full, kind)


def api_of(token: str | None = None) -> HfApi:
    """The client; its token is the one given, of HF_TOKEN, or of ``hf auth login``."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars
    except ImportError:
        raise BadInput("the Hub's client is not installed", "pip install 'benchforge[publish]'") from None

    from ... import __version__

    disable_progress_bars()
    return HfApi(token=token, library_name="benchforge", library_version=__version__)


def refuse_stranger(api: HfApi, namespace: str) -> str:
    """Name of the token's owner. Raises BenchforgeError where there is no token, or none that may write there.

    Asked before anything is built: an expired token is to be known in seconds.
    """
    owner = patiently(api.whoami)
    names = [owner["name"], *(group["name"] for group in owner.get("orgs", ()))]
    if namespace not in names:
        raise BenchforgeError(
            f"the token is {owner['name']}'s and may not write to {namespace}",
            f"benchforge publish --namespace {owner['name']}, or hf auth login with another token",
        )
    return str(owner["name"])


class Passing(Exception):
    """The Hub, or the way to it, is out of order; or the revision has moved, perhaps by ourselves."""

    def __init__(self, message: str, *, is_unreachable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_unreachable = is_unreachable


def patiently(ask: Callable[[], Answer], repository: Repository | None = None) -> Answer:
    """As ``asked``, and again after what passes. Raises Incomplete where it does not, and at once without a network."""
    for wait in (*WAITS_SECONDS, None):
        try:
            return asked(ask, repository)
        except Passing as error:
            if wait is None or error.is_unreachable:
                raise Incomplete(error.message, "run the same command again, where there is a network") from None
        time.sleep(wait)
    raise AssertionError  # the last wait is None


def asked(ask: Callable[[], Answer], repository: Repository | None = None) -> Answer:
    """The answer, or what is wrong in one sentence in which no token stands.

    Raises Passing for what may pass, BenchforgeError for the rest, and the client's RepositoryNotFoundError (which the
    Hub also says to who may not look) and RevisionNotFoundError as they are.
    """
    import httpx2
    from huggingface_hub import errors

    try:
        return ask()
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise
    except errors.HfHubHTTPError as error:
        raise _explained(error.response.status_code, repository) from None
    except errors.LocalTokenNotFoundError:
        raise BenchforgeError("there is no token for the Hub", LOGIN) from None
    except errors.OfflineModeIsEnabled:
        raise BenchforgeError("HF_HUB_OFFLINE is set, so the Hub cannot be asked", "unset HF_HUB_OFFLINE") from None
    except errors.LocalEntryNotFoundError:
        raise Passing("the Hub cannot be reached, and nothing was fetched before") from None
    except httpx2.TransportError as error:
        is_unreachable = isinstance(error, httpx2.ConnectError)
        raise Passing(f"the Hub cannot be reached ({type(error).__name__})", is_unreachable=is_unreachable) from None
    except RuntimeError as error:  # hf_xet has no exceptions of its own
        if not type(error).__module__.startswith(("hf_xet", "builtins")):
            raise
        raise Passing("the storage of the Hub did not take a file") from None


def _explained(status: int, repository: Repository | None) -> Exception:
    name = repository.name if repository else "the account"
    if status in _OF_THE_HUB:
        return Passing(f"the Hub answered {status} too often ({name})")
    if status in _MOVED:
        return Passing(f"{name} has moved on while it was written")
    if status == 401:
        return BenchforgeError("the Hub does not know the token, or it has expired", LOGIN)
    if status == 403:
        return BenchforgeError(
            f"the token may not write to {name}", "give --namespace, or a token that may write there"
        )
    return BenchforgeError(
        f"the Hub refused {name} with status {status}", "benchforge publish --dry-run shows what it would send"
    )
