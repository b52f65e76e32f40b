"""What the stand-in accepts: the rules of the Messages API for requests with compaction, and its refusals."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conversations.ops.simulation.tokens import message_tokens, tokens

THRESHOLD_BETA = "compact-2026-01-12"
ON_DEMAND_BETA = "compact-2026-09-04"
EDIT = "compact_20260112"
LEAST_TRIGGER = 50_000  # input tokens; the API answers 400 to less
DEFAULT_TRIGGER = 150_000
MOST_INSTRUCTIONS = 16_384  # characters, on demand
_KEY = b"the stand-in's own"  # signs what this program made: it says who wrote a block, and keeps no secret

Message = dict[str, Any]
Block = dict[str, Any]


class Refused(Exception):
    """The API's answer to a request it does not take. `code` is `error.details.error_code`, "" where it has none."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.code = status, kind, code


@dataclass(frozen=True, slots=True)
class Threshold:
    """`compact_20260112` as configured."""

    trigger: int
    pauses: bool
    instructions: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the model reads: everything before the last summary is out of it."""

    system: str
    tools: list[dict[str, Any]]
    messages: list[Message]

    def tokens(self) -> int:
        """Its size."""
        return tokens(self.system) + tokens(self.tools) + sum(map(message_tokens, self.messages))

    def after(self, summary: Block) -> "Context":
        """The same agent with nothing but the summary before it."""
        return Context(self.system, self.tools, [{"role": "assistant", "content": [summary]}])


def context_of(body: dict[str, Any], betas: Sequence[str]) -> Context:
    """The context as it counts: the messages from the last summary on. Raises Refused."""
    _require(body)
    messages = [{**message, "content": blocks_of(message)} for message in body["messages"]]
    _check_calls(messages)
    summaries = [(place, block) for place, message in enumerate(messages) for block in _summaries(message)]
    signed = [block for _, block in summaries if block.get("signature")]
    if signed:
        _check_signed(messages, summaries, betas)
    elif summaries and (THRESHOLD_BETA not in betas or not _edits(body)):
        raise Refused(f"messages: compaction blocks need the beta {THRESHOLD_BETA} and the edit {EDIT}.")
    start = summaries[-1][0] if summaries else 0
    kept = messages[start:]
    if summaries:
        kept[0] = {**kept[0], "content": _from_last_summary(kept[0]["content"])}
    return Context(_text(body.get("system")), list(body.get("tools") or []), kept)


def blocks_of(message: Message) -> list[Block]:
    """Its content, a string or a list of blocks, as blocks."""
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def threshold_of(body: dict[str, Any], betas: Sequence[str], least: int = LEAST_TRIGGER) -> Threshold | None:
    """The compaction that the request lets the API make. Raises Refused."""
    edits = _edits(body)
    if not edits:
        return None
    if THRESHOLD_BETA not in betas:
        raise Refused(f"context_management.edits: {EDIT} needs the beta {THRESHOLD_BETA}.")
    trigger = edits[0].get("trigger") or {"type": "input_tokens", "value": DEFAULT_TRIGGER}
    if trigger.get("type") != "input_tokens":
        raise Refused("context_management.edits.0.trigger.type: Input should be 'input_tokens'")
    if not isinstance(trigger.get("value"), int) or trigger["value"] < least:
        raise Refused(f"context_management.edits.0.trigger.value: Input should be greater than or equal to {least}")
    pauses = edits[0].get("pause_after_compaction") is True
    return Threshold(trigger["value"], pauses, (edits[0].get("instructions") or "").strip())


def on_demand_of(body: dict[str, Any], betas: Sequence[str]) -> str | None:
    """The instructions of a compaction that the request is for, "" for the API's own; None = it is for none.

    Raises Refused."""
    config = body.get("compaction")
    if config is None:
        return None
    if ON_DEMAND_BETA not in betas:
        raise Refused(f"compaction: needs the beta {ON_DEMAND_BETA}.")
    if config.get("type") != "summarize":
        raise Refused("compaction.type: Input should be 'summarize'")
    _check_alone(body)
    if len(config.get("instructions") or "") > MOST_INSTRUCTIONS:
        raise Refused(f"compaction.instructions: String should have at most {MOST_INSTRUCTIONS} characters")
    _check_worth(body["messages"])
    return (config.get("instructions") or "").strip()


def signed(summary: str) -> Block:
    """The block of a compaction on demand."""
    return {"type": "compaction", "content": summary, "signature": _signature(summary)}


# --- the API's rules --------------------------------------------------------------------------------------------------


def _require(body: dict[str, Any]) -> None:
    for name in ("model", "messages"):
        if not body.get(name):
            raise Refused(f"{name}: Field required")


def _check_calls(messages: list[Message]) -> None:
    """Every tool call is answered in the message after it."""
    for place, message in enumerate(messages[:-1]):
        called = {block["id"] for block in message["content"] if block.get("type") == "tool_use"}
        answered = {block.get("tool_use_id") for block in messages[place + 1]["content"]}
        if missing := called - answered:
            raise Refused(
                f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                + ", ".join(sorted(missing))
            )


def _check_signed(messages: list[Message], summaries: list[tuple[int, Block]], betas: Sequence[str]) -> None:
    if ON_DEMAND_BETA not in betas:
        raise Refused(f"messages: signed compaction blocks need the beta {ON_DEMAND_BETA}.")
    if len(summaries) > 1:
        raise Refused("messages: more than one compaction block", code="compaction_block_ambiguous")
    if summaries[0][0] or messages[0]["content"][0] is not summaries[0][1]:
        raise Refused("messages: a compaction block must come first", code="compaction_block_misplaced")
    block = summaries[0][1]
    if not _is_signature(block["signature"]):
        raise Refused("messages.0: the signature is not one of ours", code="compaction_signature_invalid")
    if block["signature"] != _signature(block["content"]):
        raise Refused("messages.0: the block was changed", code="compaction_content_mismatch")


def _check_alone(body: dict[str, Any]) -> None:
    output = body.get("output_config") or {}
    never_with = {
        "context_management": body.get("context_management"),
        "stop_sequences": body.get("stop_sequences"),
        "output_config.format": output.get("format"),
        "output_config.task_budget.remaining": (output.get("task_budget") or {}).get("remaining"),
        "tool_choice": (body.get("tool_choice") or {}).get("type") in ("any", "tool"),
    }
    if found := next((name for name, value in never_with.items() if value), None):
        raise Refused(f"compaction: cannot be combined with {found}")


def _check_worth(messages: list[Message]) -> None:
    last = blocks_of(messages[-1])
    if any(block.get("type") == "tool_use" for block in last):
        raise Refused("compaction: the last turn is not complete", code="compaction_incomplete_turn")
    said = [block for message in messages for block in blocks_of(message) if block.get("type") != "compaction"]
    if not said:
        raise Refused("compaction: there is nothing to summarize", code="compaction_nothing_to_summarize")


def _edits(body: dict[str, Any]) -> list[dict[str, Any]]:
    edits = (body.get("context_management") or {}).get("edits") or []
    return [edit for edit in edits if edit.get("type") == EDIT]


def _summaries(message: Message) -> list[Block]:
    """Blocks with null content are no-ops."""
    return [block for block in message["content"] if block.get("type") == "compaction" and block.get("content")]


def _from_last_summary(blocks: list[Block]) -> list[Block]:
    places = [place for place, block in enumerate(blocks) if block.get("type") == "compaction" and block.get("content")]
    return blocks[places[-1] :]


def _text(system: Any) -> str:
    return system if isinstance(system, str) else "\n".join(block["text"] for block in system or [])


def _signature(content: str) -> str:
    return base64.b64encode(hmac.new(_KEY, content.encode(), hashlib.sha256).digest()).decode()


def _is_signature(value: Any) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == hashlib.sha256().digest_size
    except (ValueError, TypeError):
        return False
