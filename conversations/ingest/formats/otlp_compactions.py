"""Compactions that a span or log record tells of by itself: ADK's, agent frameworks', Claude Code's, Gemini CLI's.

None of them carries the summary as a rule: it is absent, which is not the same as empty."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conversations.ingest.events import CompactionEvent
from conversations.ingest.formats.base import milliseconds, text_of
from conversations.ingest.formats.otlp import Moment, Record, Span
from conversations.ingest.formats.otlp_names import count, first, model_of, yes
from conversations.vocabulary import CompactionKind, SummaryState, Trigger

Attributes = Mapping[str, Any]

_OPERATIONS = frozenset({"compact_events", "compact", "compaction", "compact_history"})
_PREFIXES = ("gen_ai.compaction.", "compaction.")
_TELLING = ("strategy", "trigger", "messages_before", "tokens_before", "event_count")
#: What a strategy's or trigger's name says of it, looked for in this order.
_TRIGGERS = (
    ("manual", Trigger.MANUAL),
    ("overflow", Trigger.OVERFLOW),
    ("idle", Trigger.IDLE),
    ("threshold", Trigger.THRESHOLD),
    ("token", Trigger.THRESHOLD),
    ("auto", Trigger.AUTO),
    ("interval", Trigger.AUTO),
    ("window", Trigger.AUTO),
)
_STRATEGIES = (
    ("summar", CompactionKind.CLIENT),
    ("clear", CompactionKind.TOOL_CLEAR),
    ("tool", CompactionKind.TOOL_CLEAR),
    ("trunc", CompactionKind.TRUNCATION),
    ("sliding", CompactionKind.TRUNCATION),
    ("window", CompactionKind.TRUNCATION),
    ("trim", CompactionKind.TRUNCATION),
    ("drop", CompactionKind.TRUNCATION),
)
_CLAUDE = "claude_code.compaction"
_GEMINI = "gemini_cli.chat_compression"
#: What `raw` keeps of an attribute: names and numbers, no transcript.
_RAW_CHARACTERS = 200


def is_compaction(attributes: Attributes, name: str = "") -> bool:
    """Whether a span, or an event within one, is about a compaction."""
    if text_of(attributes.get("gen_ai.operation.name")) in _OPERATIONS or name == _CLAUDE:
        return True
    return any(f"{prefix}{word}" in attributes for prefix in _PREFIXES for word in _TELLING)


def compaction_in_span(span: Span, conversation: str, summary: str = "") -> CompactionEvent:
    """The compaction that a span is about. `summary`: what the model answered below it."""
    if span.name == _CLAUDE:
        key = _claude_key(span.parent, span.attributes) or span.id
        return _claude(span.attributes, key, conversation, span.start, milliseconds(span.start, span.end))
    told = {"compaction.summary": summary, **span.attributes} if summary else span.attributes
    return _told(told, span.id, conversation, span.start, span.error, milliseconds(span.start, span.end))


def compaction_in_moment(span: Span, place: int, moment: Moment, conversation: str) -> CompactionEvent:
    """The compaction that the event number `place` within a span is about."""
    return _told(moment.attributes, f"{span.id}/{place}", conversation, moment.at or span.start, "", None)


def compaction_in_record(record: Record, key: str, conversation: str) -> CompactionEvent | None:
    """The compaction that a log record is about, if it is about one; `key` is for one that has no id of its own."""
    if record.name == _CLAUDE:
        key = _claude_key(record.span, record.attributes) or key
        duration = count(record.attributes.get("duration_ms"))
        return _claude(record.attributes, key, conversation, record.at, duration)
    if record.name == _GEMINI:
        return _gemini(record, key, conversation)
    if is_compaction(record.attributes):
        return _told(record.attributes, key, conversation, record.at, "", None)
    return None


def _told(
    attributes: Attributes, key: str, conversation: str, at: datetime | None, error: str, duration_ms: int | None
) -> CompactionEvent:
    told = {
        name.removeprefix(prefix): value
        for prefix in reversed(_PREFIXES)
        for name, value in attributes.items()
        if name.startswith(prefix)
    }
    summary = text_of(told.get("summary")) or None
    absent = SummaryState.FAILED if error else SummaryState.ABSENT
    strategy = text_of(told.get("strategy")) or text_of(told.get("summarizer_type"))
    return CompactionEvent(
        id=key,
        conversation=conversation,
        at=at,
        kind=_named(_STRATEGIES, strategy, CompactionKind.CLIENT),
        trigger=_named(_TRIGGERS, text_of(told.get("trigger")), Trigger.UNKNOWN),
        summary=None if error else summary,
        summary_state=SummaryState.TEXT if summary and not error else absent,
        tokens_before=count(told.get("tokens_before")),
        tokens_after=count(told.get("tokens_after")),
        trigger_tokens=count(told.get("token_threshold")),
        model=model_of(attributes),
        duration_ms=duration_ms,
        error=error,
        complete=False,
        raw=_raw(told),
    )


def _named(table: Any, name: str, otherwise: Any) -> Any:
    lowered = name.lower()
    return next((meaning for word, meaning in table if word in lowered), otherwise)


def _raw(told: Attributes) -> dict[str, Any]:
    """Numbers and short names as they came; ids and timestamps among them are for whoever looks further."""
    return {
        name: value[:_RAW_CHARACTERS] if isinstance(value, str) else value
        for name, value in told.items()
        if isinstance(value, str | int | float) and name != "summary"
    }


# --- Claude Code ------------------------------------------------------------------------------------------------------


def _claude_key(interaction: str, attributes: Attributes) -> str:
    """Log record and span of one compaction have the turn they happened in and the tokens before in common."""
    before = count(first(attributes, "pre_tokens", "pre_compact_tokens"))
    return f"{interaction}/{before}" if interaction and before is not None else ""


def _claude(
    attributes: Attributes, key: str, conversation: str, at: datetime | None, duration_ms: int | None
) -> CompactionEvent:
    """`pre_tokens` of a manual one is an estimate of what was summarised, not of the context."""
    failed = yes(attributes.get("success")) is False
    own = ("trigger", "success", "error", "precompute_reuse", "message_count", "prompt.id")
    return CompactionEvent(
        id=key,
        conversation=conversation,
        at=at,
        kind=CompactionKind.CLIENT,
        trigger=_named(_TRIGGERS, text_of(attributes.get("trigger")), Trigger.UNKNOWN),
        summary_state=SummaryState.FAILED if failed else SummaryState.ABSENT,
        tokens_before=count(first(attributes, "pre_tokens", "pre_compact_tokens")),
        tokens_after=count(first(attributes, "post_tokens", "post_compact_tokens")),
        duration_ms=duration_ms,
        error=text_of(attributes.get("error")),
        complete=False,
        raw=_raw({name: attributes[name] for name in own if name in attributes}),
    )


# --- Gemini CLI -------------------------------------------------------------------------------------------------------


def _gemini(record: Record, key: str, conversation: str) -> CompactionEvent:
    """Told of failures too, with tokens that did not become fewer."""
    before, after = (count(record.attributes.get(name)) for name in ("tokens_before", "tokens_after"))
    failed = before is not None and after is not None and after >= before
    return CompactionEvent(
        id=key,
        conversation=conversation,
        at=record.at,
        kind=CompactionKind.CLIENT,
        trigger=Trigger.UNKNOWN,
        summary_state=SummaryState.FAILED if failed else SummaryState.ABSENT,
        tokens_before=before,
        tokens_after=after,
        error="The context did not become smaller." if failed else "",
        complete=False,
    )
