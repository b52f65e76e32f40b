"""Log events of coding agents: Claude Code, Codex, Gemini CLI. Each is a point on the timeline, a message or a note."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import structs

from conversations.ingest.events import ConversationEvent, Event, MessageEvent, RequestEvent, Text, Usage
from conversations.ingest.formats.base import key_of, moment, name_of, text_of
from conversations.ingest.formats.otlp import Record
from conversations.ingest.formats.otlp_names import count, first, model_of
from conversations.vocabulary import Role

Attributes = Mapping[str, Any]

REDACTED = "<REDACTED>"  # what Claude Code writes unless OTEL_LOG_USER_PROMPTS=1
_encode = msgspec.json.Encoder(order="sorted").encode


def key_of_record(record: Record) -> str:
    """16 bytes in hex that are the same when the record is exported again: records have no ids."""
    what = (record.name, record.span, record.at, record.attributes, record.body)
    return blake2b(_encode(what), digest_size=16).hexdigest()


def time_of(record: Record) -> datetime | None:
    """When it happened: by the event's own clock, to the millisecond, else the record's."""
    return moment(record.attributes.get("event.timestamp")) or record.at


def _asked_at(record: Record) -> datetime | None:
    """When the model was asked: the record is written when it has answered."""
    at = time_of(record)
    return at and at - timedelta(milliseconds=count(record.attributes.get("duration_ms")) or 0)


def harness_events(record: Record, key: str, conversation: str) -> Iterator[Event]:
    """What a record of a coding agent says of its conversation; nothing for one that is about something else."""
    read = _READERS.get(record.name)
    if read is not None and conversation:
        yield from read(record, key, conversation)


def _claude_request(record: Record, key: str, conversation: str) -> Iterator[Event]:
    """The span of the call bears the same request id."""
    attributes = record.attributes
    source = text_of(attributes.get("query_source"))
    yield RequestEvent(
        id=key_of(attributes.get("request_id")) or key,
        conversation=conversation,
        at=_asked_at(record),
        model=model_of(attributes),
        usage=Usage(
            input_tokens=count(attributes.get("input_tokens")),
            cache_read_tokens=count(attributes.get("cache_read_tokens")),
            cache_write_tokens=count(attributes.get("cache_creation_tokens")),
            output_tokens=count(attributes.get("output_tokens")),
        ),
        stop_reason=text_of(attributes.get("stop_reason")),
        duration_ms=count(attributes.get("duration_ms")),
        purpose="compaction" if source == "compact" else "turn",
    )


def _said(role: Role, *names: str) -> Callable[[Record, str, str], Iterator[Event]]:
    def read(record: Record, key: str, conversation: str) -> Iterator[Event]:
        said = text_of(first(record.attributes, *names))
        if said and said != REDACTED and text_of(record.attributes.get("query_source")) != "compact":
            message = key_of(record.attributes.get("message.uuid")) or key
            yield MessageEvent(
                id=message, conversation=conversation, at=time_of(record), role=role, content=[Text(said)]
            )  # fmt: skip

    return read


def _codex_start(record: Record, _key: str, conversation: str) -> Iterator[Event]:
    window = count(record.attributes.get("context_window"))
    if window is not None:
        yield ConversationEvent(conversation=conversation, context_window=window)


def _codex_answer(record: Record, key: str, conversation: str) -> Iterator[Event]:
    attributes = record.attributes
    if attributes.get("event.kind") == "response.completed":
        usage = _inclusive(attributes, "cached_token_count")  # reasoning is part of the output
        duration = count(attributes.get("duration_ms"))
        at, model = _asked_at(record), model_of(attributes)
        yield RequestEvent(
            id=key, conversation=conversation, at=at, model=model, usage=usage, duration_ms=duration
        )  # fmt: skip


def _gemini_answer(record: Record, key: str, conversation: str) -> Iterator[Event]:
    attributes = record.attributes
    usage = _inclusive(attributes, "cached_content_token_count")
    thought = count(attributes.get("thoughts_token_count"))  # stands beside the output, and is billed as such
    yield RequestEvent(
        id=key,
        conversation=conversation,
        at=_asked_at(record),
        model=model_of(attributes),
        usage=structs.replace(usage, output_tokens=(usage.output_tokens or 0) + thought) if thought else usage,
        stop_reason=name_of(attributes.get("finish_reason")),
        duration_ms=count(attributes.get("duration_ms")),
    )


def _inclusive(attributes: Attributes, cached: str) -> Usage:
    """OpenAI's and Gemini's input counts include what was read from and written to the cache."""
    read, whole = count(attributes.get(cached)), count(attributes.get("input_token_count"))
    written = count(attributes.get("cache_write_token_count"))
    return Usage(
        input_tokens=None if whole is None else max(0, whole - (read or 0) - (written or 0)),
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=count(attributes.get("output_token_count")),
    )


_READERS: dict[str, Callable[[Record, str, str], Iterator[Event]]] = {
    "claude_code.api_request": _claude_request,
    "claude_code.user_prompt": _said(Role.USER, "prompt"),
    "claude_code.assistant_response": _said(Role.ASSISTANT, "response"),
    "codex.conversation_starts": _codex_start,
    "codex.user_prompt": _said(Role.USER, "prompt"),
    "codex.sse_event": _codex_answer,
    "codex.websocket_event": _codex_answer,
    "gemini_cli.user_prompt": _said(Role.USER, "prompt"),
    "gemini_cli.api_response": _gemini_answer,
}
