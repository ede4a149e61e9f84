"""Before our own engine starts: the weights it would read are there, and as they were staged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ....ingest.config import Settings
from ....ingest.planning.wanted import digests_file
from ....ingest.staging.staged_weights import refuse_unstaged

if TYPE_CHECKING:
    from ....ingest.planning.models import ServedModel


def refuse_unready_weights(settings: Settings, served: ServedModel, tell: Callable[[str], None]) -> None:
    """NotStaged or BadInput for a model of the Hub; a local checkpoint is compared with its plan elsewhere.

    Nothing is said where a flag of the engine names other weights, or none (``load-format: dummy``).
    """
    flags = {**dict(settings["engine.flags"]), **dict(served.engine_flags)}
    if served.weights or not served.hub_id or "model" in flags or flags.get("load-format") == "dummy":
        return
    refuse_unstaged(
        settings["compute.hf_home"],
        served.hub_id,
        served.revision,
        digests_file(settings),
        tell,
        is_offline=settings["run.offline"],
    )
