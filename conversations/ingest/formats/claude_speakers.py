"""Decide who really speaks in a Claude Code user record: the user, or the harness in the user's place."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from conversations.ingest.events import Block, Text, ToolResult
from conversations.ingest.formats.base import mapping_of
from conversations.ingest.formats.claude_records import Record
from conversations.vocabulary import Origin, Role

_HARNESS_TAGS = (
    "<local-command-", "<bash-input>", "<bash-stdout>", "<bash-stderr>", "<task-notification>", "<system-reminder>",
    "<user-prompt-submit-hook>", "<teammate-message", "<agent-notification>", "[Request interrupted by user",
)  # fmt: skip
CAVEAT = "<local-command-caveat>"
_COMMAND = re.compile(r"\s*<command-(?:name|message)>")
_COMMAND_NAME = re.compile(r"<command-name>/?([^<]*)</command-name>")
_COMMAND_ARGS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_SLASH = re.compile(r"/[A-Za-z][\w:.-]*(?:\s|$)")


def role_of(blocks: list[Block]) -> Role:
    """Tool results travel in user records; what the user says beside one (why it is refused) is the user's."""
    answers = any(isinstance(block, ToolResult) for block in blocks)
    words = any(isinstance(block, Text) and not is_harness_text(block.text) for block in blocks)
    return Role.TOOL if answers and not words else Role.USER


def origin_of(record: Record, said: str, *, after_caveat: bool) -> Origin:
    """Structure first (`isMeta`, `origin`), then the tags the harness opens its texts with."""
    kind = mapping_of(record.origin).get("kind")
    hidden = record.is_meta is True or record.is_visible_in_transcript_only is True
    if hidden or (kind is not None and kind != "human") or is_harness_text(said):
        return Origin.HARNESS
    if _COMMAND.match(said):
        # A slash command's arguments are the user's own words, unless a local command takes them (/model opus).
        local = after_caveat or command_name(said) == "compact" or not command_args(said)
        return Origin.HARNESS if local else Origin.SPOKEN
    return Origin.SPOKEN


def sets_going(blocks: list[Block], said: str, origin: Origin) -> bool:
    """Whether a user record opens a turn of a person's: a prompt, a command or the caveat that announces one. Not what
    tools answer, nor what the harness says by itself (that a turn was interrupted, that a task has ended)."""
    opens = origin is Origin.SPOKEN or said.startswith((CAVEAT, "<bash-input>")) or _COMMAND.match(said)
    return bool(opens) and not any(isinstance(block, ToolResult) for block in blocks)


def is_harness_text(text: str) -> bool:
    """Whether the harness opened the text with one of its tags, or it announces a background task."""
    return text.lstrip().startswith(_HARNESS_TAGS) or _is_task_payload(text)


def _is_task_payload(text: str) -> bool:
    """Background tasks are announced in the queue as JSON with a task id."""
    if not text.startswith("{"):
        return False
    try:
        return "task_id" in mapping_of(msgspec.json.decode(text))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def is_message(queued: str) -> bool:
    """Whether a queued text will be said to the model as it is: no command, no announcement of the harness."""
    return bool(queued) and not is_harness_text(queued) and not _SLASH.match(queued)


def is_human(attachment: Mapping[str, Any], said: str) -> bool:
    """Whether a queued_command attachment is the user's."""
    kind = mapping_of(attachment.get("origin")).get("kind")
    return kind in (None, "human") and attachment.get("commandMode") in (None, "prompt") and not is_harness_text(said)


def command_name(text: str) -> str:
    """The slash command's name without the slash; "" if the text is no command record."""
    match = _COMMAND_NAME.search(text)
    return match.group(1).strip() if match else ""


def command_args(text: str) -> str:
    """What the user typed after it."""
    match = _COMMAND_ARGS.search(text)
    return match.group(1).strip() if match else ""


def as_typed(said: str) -> str:
    """A slash command as the user typed it; other texts as they are."""
    return f"/{command_name(said)} {command_args(said)}" if _COMMAND.match(said) else said
