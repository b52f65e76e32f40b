"""What compaction is asked for, and what is told of one that happened."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

BETA = "compact-2026-01-12"
EDIT = "compact_20260112"
_VERSION_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Compaction:
    """Settings of the API's threshold compaction. `threshold` in input tokens: the API takes 50,000 and more.

    `pause` hands the turn back after the summary, before the model goes on; `instructions` replace the API's own prompt
    for the summary.
    """

    threshold: int = 150_000
    pause: bool = True
    instructions: str | None = None

    def edit(self) -> dict[str, Any]:
        """As it stands in `context_management.edits`."""
        edit: dict[str, Any] = {"type": EDIT, "trigger": {"type": "input_tokens", "value": self.threshold}}
        if self.pause:
            edit["pause_after_compaction"] = True
        if self.instructions:
            edit["instructions"] = self.instructions
        return edit


@dataclass(frozen=True, slots=True)
class CompactionEvent:
    """One compaction of a run. What `on_compaction` returns is kept verbatim behind the summary, if the run is paused.

    `summary` None: it failed, and nothing was dropped. `sent` are the messages that it replaced.
    """

    number: int  # of this run, from 1
    summary: str | None
    paused: bool
    instructions: str | None
    input_tokens: int  # what the summary cost
    output_tokens: int
    sent: list[Any] = field(repr=False)

    @property
    def instructions_version(self) -> str:
        """Tells which wording of the instructions was used; "" = the API's own."""
        return instructions_version(self.instructions)


def instructions_version(text: str | None) -> str:
    """12 hexadecimal characters that change when the wording does; white space at both ends does not count."""
    words = (text or "").strip()
    return hashlib.sha256(words.encode()).hexdigest()[:_VERSION_CHARACTERS] if words else ""
