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
    """One compaction of a run. What `on_compaction` returns is kept verbatim behind the summary, if the run pauses.

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

    def last_turn(self) -> list[Any]:
        """The last message that was sent, and the tool calls that it answers, which the API wants before it."""
        needed = 2 if any(kind_of(block) == "tool_result" for block in blocks_of(self.sent[-1])) else 1
        return [without_summaries(message) for message in self.sent[-needed:]]


def without_summaries(message: Any) -> Any:
    """The message without older compaction blocks: the last one in a request is the one that counts."""
    blocks = blocks_of(message)
    others = [block for block in blocks if kind_of(block) != "compaction"]
    return message if len(others) == len(blocks) else {**message, "content": others}


def blocks_of(message: Any) -> list[Any]:
    """The blocks of a message; none where its content is a text."""
    content = message["content"]
    return [] if isinstance(content, str) else list(content)


def kind_of(block: Any) -> str:
    """The type of a block, which is the SDK's object or a dictionary."""
    return str(block.get("type") if isinstance(block, dict) else getattr(block, "type", ""))


def instructions_version(text: str | None) -> str:
    """12 hexadecimal characters that change when the wording does; white space at both ends does not count."""
    words = (text or "").strip()
    return hashlib.sha256(words.encode()).hexdigest()[:_VERSION_CHARACTERS] if words else ""
