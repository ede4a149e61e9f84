"""Program texts on their way to the lake: each once per benchmark, in append-only parts of bounded size."""

from __future__ import annotations

from ...ingest.lake import Lake
from .known import Known

_MAX_ROWS, _MAX_CHARACTERS = 4096, 4 << 20


class ProgramWriter:
    """Collects the texts that the lake does not hold; ``flush`` after the last one.

    Parts are live at once and belong to no shard's liveness: another shard may rely on a text that stands here.
    """

    def __init__(self, lake: Lake, benchmark: str, shard_id: str, known: Known) -> None:
        self._lake, self._benchmark, self._shard_id, self._known = lake, benchmark, shard_id, known
        self._texts: dict[bytes, str] = {}
        self._num_characters = 0

    def add(self, program_id: bytes, program: str) -> None:
        if program_id in self._texts or self._known.has_text(program_id):
            return
        self._texts[program_id] = program
        self._num_characters += len(program)
        if len(self._texts) >= _MAX_ROWS or self._num_characters >= _MAX_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what was collected; a text counts as known only when its part is live."""
        rows = [
            {"benchmark": self._benchmark, "program_id": program_id, "program": _readable(text)}
            for program_id, text in self._texts.items()
        ]
        for part in self._lake.write_part("programs", rows, self._shard_id) if rows else []:
            self._lake.commit(part.stem.removeprefix("part-"), "score", [part])
        self._known.add_texts(self._texts)
        self._texts, self._num_characters = {}, 0


def _readable(program: str) -> str:
    """A lone surrogate as its escape: UTF-8 cannot hold it, nor Python compile it. The id is of the original."""
    return program.encode("utf-8", "backslashreplace").decode("utf-8")
