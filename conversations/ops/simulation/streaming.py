"""A message as the API streams it: a threshold's summary in one delta, a signed one whole, the rest in pieces."""

import json
from collections.abc import Iterator
from typing import Any

PIECE = 48  # characters of a delta
_BY_TEXT = {"text": "text_delta", "thinking": "thinking_delta"}

Event = dict[str, Any]


def events_of(message: dict[str, Any]) -> Iterator[Event]:
    """The events in order."""
    begun = {name: value for name, value in message.items() if name != "context_management"}
    usage = {name: value for name, value in message["usage"].items() if name != "iterations"}
    yield {
        "type": "message_start",
        "message": {**begun, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}},
    }
    for index, block in enumerate(message["content"]):
        yield from _block(index, block)
    end: Event = {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None}}
    end["usage"] = message["usage"]
    if "context_management" in message:
        end["context_management"] = message["context_management"]
    yield end
    yield {"type": "message_stop"}


def _block(index: int, block: dict[str, Any]) -> Iterator[Event]:
    start, deltas = _parts(block)
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _parts(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block begins, and what is then added to it."""
    kind = block["type"]
    if kind in _BY_TEXT:
        return {**block, kind: ""}, [{"type": _BY_TEXT[kind], kind: piece} for piece in _pieces(block[kind])]
    if kind == "tool_use":
        pieces = ["", *_pieces(json.dumps(block["input"]))]
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    if kind == "compaction" and "signature" not in block:
        return {**block, "content": None}, [{"type": "compaction_delta", "content": block["content"]}]
    return block, []


def _pieces(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
