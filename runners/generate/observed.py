"""What the answers of one run showed of their server: noted, and said once at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Observed:
    """Counts over all answers of one client."""

    fingerprints: dict[str, int] = field(default_factory=dict)
    """System fingerprint -> answers, in the order they came up: more than one is a server that changed."""
    num_fewer_choices: int = 0
    """Answers with fewer choices than were asked for."""
    num_other_seeds: int = 0
    """Choices that name another seed than they were asked with."""

    def saw(self, body: Mapping[str, Any], response: Mapping[str, Any]) -> None:
        """One answer to a request of ``body``."""
        fingerprint = response.get("system_fingerprint")
        if isinstance(fingerprint, str):
            self.fingerprints[fingerprint] = self.fingerprints.get(fingerprint, 0) + 1
        choices = response["choices"]
        self.num_fewer_choices += len(choices) < body.get("n", 1)
        seed = body.get("seed")
        for position, choice in enumerate(choices):
            used = choice.get("seed") if isinstance(choice, Mapping) else None
            self.num_other_seeds += seed is not None and used is not None and used != seed + position

    def remarks(self) -> list[str]:
        """One sentence for each thing that should not be."""
        found = []
        if len(self.fingerprints) > 1:
            found.append(f"the server changed while it was asked: its fingerprint was {', '.join(self.fingerprints)}")
        if self.num_fewer_choices:
            found.append(f"{self.num_fewer_choices} answers had fewer choices than were asked for")
        if self.num_other_seeds:
            found.append(f"{self.num_other_seeds} answers were made with another seed than they were asked with")
        return found
