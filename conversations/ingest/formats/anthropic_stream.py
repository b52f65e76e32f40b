"""Put the events of a streamed Messages API answer together: the message that it would have been unstreamed.

A stream that was cut off gives the message as far as it came.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.exchange_item import error_text

_BY_TEXT = {"text_delta": "text", "thinking_delta": "thinking"}


class Reassembled(Struct):
    """The message so far, and the error that ended it."""

    message: dict[str, Any] = {}
    error: str = ""


def reassembled(events: Iterable[Mapping[str, Any]]) -> Reassembled:
    """All events in order; types that are not known change nothing."""
    state = _State()
    for event in events:
        state.take(_unwrapped(event))
    return Reassembled(state.finished(), state.error)


def _unwrapped(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event itself where it still lies in its envelope: an SSE frame's data, or a chunk of Bedrock's stream."""
    if isinstance(event.get("data"), dict):
        return mapping_of(event["data"])
    encoded = mapping_of(event.get("chunk")).get("bytes") or event.get("bytes")
    if not isinstance(encoded, str):
        return event
    try:
        return mapping_of(msgspec.json.decode(base64.b64decode(encoded, validate=True)))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return {}


class _State:
    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.blocks: dict[int, dict[str, Any]] = {}
        self.inputs: dict[int, list[str]] = {}  # a tool call's input, in pieces of JSON
        self.pieces: dict[tuple[int, str], list[str]] = {}  # text and thinking, in pieces
        self.error = ""

    def take(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "message_start":
            self.message = {**mapping_of(event.get("message"))}
            self.blocks = dict(enumerate(map(mapping_of, list_of(self.message.get("content")))))
        elif kind == "content_block_start":
            self.blocks[self._place(event)] = {**mapping_of(event.get("content_block"))}
        elif kind == "content_block_delta":
            self._delta(self._place(event), mapping_of(event.get("delta")))
        elif kind == "message_delta":
            self._end(event)
        elif kind == "error":
            self.error = error_text(event)

    def _place(self, event: Mapping[str, Any]) -> int:
        index = event.get("index")
        return index if isinstance(index, int) else len(self.blocks)

    def _delta(self, index: int, delta: Mapping[str, Any]) -> None:
        kind = text_of(delta.get("type"))
        if kind in _BY_TEXT:
            name = _BY_TEXT[kind]
            self.pieces.setdefault((index, name), []).append(text_of(delta.get(name)))
        elif kind == "input_json_delta":
            self.inputs.setdefault(index, []).append(text_of(delta.get("partial_json")))
        elif kind == "compaction_delta" and index in self.blocks:
            self.blocks[index]["content"] = delta.get("content")

    def _end(self, event: Mapping[str, Any]) -> None:
        """Counts are cumulative: they replace those of the start, and what is left out stands."""
        self.message |= {key: value for key, value in mapping_of(event.get("delta")).items() if value is not None}
        counts = {key: value for key, value in mapping_of(event.get("usage")).items() if value is not None}
        self.message["usage"] = {**mapping_of(self.message.get("usage")), **counts}
        if event.get("context_management") is not None:
            self.message["context_management"] = event["context_management"]

    def finished(self) -> dict[str, Any]:
        for (index, name), pieces in self.pieces.items():
            block = self.blocks.setdefault(index, {"type": name})
            block[name] = text_of(block.get(name)) + "".join(pieces)
        for index, inputs in self.inputs.items():
            self.blocks.setdefault(index, {"type": "tool_use"})["input"] = input_of("".join(inputs))
        content = [self.blocks[index] for index in sorted(self.blocks)]
        return {**self.message, "content": content} if self.message or content else {}


def input_of(written: str) -> Any:
    """A tool call's input as it was streamed; as text where the stream was cut off within it."""
    try:
        return msgspec.json.decode(written) if written.strip() else {}
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return written
