"""The Hub as an unreliable server: asked again while trouble may pass, its refusals in one sentence each."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ..errors import BadInput, BenchforgeError, Incomplete, NotStaged, Unwritable

PAUSES_SECONDS = (1.0, 5.0, 20.0, 60.0)
"""Before a broken connection or a busy Hub is asked again; the library itself goes on within a file five times."""
_Answer = TypeVar("_Answer")


def again(repository: str, command: str, pauses_seconds: Sequence[float], ask: Callable[[], _Answer]) -> _Answer:
    """Ask until it is answered. ``command`` is what a user types again.

    Raises Incomplete where the trouble lasts; NotStaged (gated, private, not there), BadInput (no such revision),
    Unwritable (a full disk) and BenchforgeError (refused) at once.
    """
    for pause in (*pauses_seconds, None):
        try:
            with _explained(repository, command):
                return ask()
        except _Transient as error:
            if pause is None:
                raise Incomplete(
                    f"the Hub broke off {len(pauses_seconds) + 1} times: {error}",
                    f"what came is kept; again: {command}",
                ) from error
            time.sleep(pause)
    raise AssertionError("the last pause is None")


class _Transient(Exception):
    """Trouble that may pass."""


@contextlib.contextmanager
def _explained(repository: str, command: str) -> Iterator[None]:
    """The library's exceptions in the words of ours."""
    import httpx2
    from huggingface_hub import errors, get_token

    try:
        yield
    except errors.GatedRepoError as error:
        page = str(error.response.request.url).partition(f"/{repository}/")[0].removesuffix("/api/models")
        has = "the account of your token has not accepted it" if get_token() else "nobody is logged in here"
        raise NotStaged(
            f"{repository} is gated: its licence has to be accepted first, and {has}",
            f"accept it on {page}/{repository}, then: hf auth login, and the same command again",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BadInput(f"{repository} has no such revision on the Hub", "correct revision: of the model") from error
    except errors.RepositoryNotFoundError as error:
        raise NotStaged(
            f"the Hub has no model {repository}, or shows it to its owners only",
            "correct its name, or: hf auth login",
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (408, 429) or status >= 500:
            raise _Transient(f"it answered {status}") from error
        raise BenchforgeError(f"the Hub refused {repository}: it answered {status}", "see its status page") from error
    except (httpx2.HTTPError, errors.LocalEntryNotFoundError, errors.FileMetadataError) as error:
        raise _Transient(_cause(error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unwritable(
                f"the disk (or the quota) is full: {error.filename or 'the folder of weights'}",
                f"make room, or set BENCHFORGE_HF_HOME to another file system; then: {command}",
            ) from error
        if error.errno is not None:
            raise BenchforgeError(f"{error.filename}: {error.strerror}", "see BENCHFORGE_HF_HOME") from error
        raise _Transient(_cause(error)) from error  # the library's "Consistency check failed"


def _cause(error: BaseException) -> str:
    """The innermost reason, on one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
