"""Short ways to write spans and records, as they come out of either encoding."""

from datetime import UTC, datetime, timedelta

from conversations.ingest.formats.otlp import Record, Source, Span
from conversations.ingest.formats.otlp_records import read_records
from conversations.ingest.formats.otlp_spans import read_spans

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
TRACE = "5b8efff798038103d269b633813fc60c"
ASKED = {"role": "user", "parts": [{"type": "text", "content": "Refund 8812"}]}
DONE = {"role": "assistant", "parts": [{"type": "text", "content": "Done."}]}
SAID = {"gen_ai.input.messages": [ASKED], "gen_ai.output.messages": [DONE]}
ADK = {
    "gen_ai.operation.name": "compact_events",
    "gen_ai.conversation.id": "c1",
    "gen_ai.compaction.trigger": "token_threshold",
    "gen_ai.compaction.token_threshold": 30_000,
    "gen_ai.compaction.event_count": 12,
}
SERVICE = Source({"service.name": "refunds", "service.version": "3"}, "agent")


def dotted(values):
    return {name.replace("__", "."): value for name, value in values.items()}


def span(key="1", *, parent="", after=0, told=None, trace=TRACE, **fields):
    """A span of `told` attributes that began `after` seconds and took one."""
    start = START + timedelta(seconds=after)
    fields = {"name": "chat", "source": SERVICE, **fields}
    return Span(
        trace=trace,
        id=key,
        parent=parent,
        start=start,
        end=start + timedelta(seconds=1),
        attributes=told or {},
        **fields,
    )


def chat(key="1", *, told=None, **fields):
    """A model call by the conventions."""
    return span(key, told={"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c1", **(told or {})}, **fields)


def record(name, *, after=0, source=SERVICE, span="", trace="", body=None, **attributes):
    at = START + timedelta(seconds=after)
    return Record(name=name, at=at, span=span, trace=trace, body=body, attributes=dotted(attributes), source=source)


def spans(*told):
    return read_spans(told)


def only(*told):
    """The one exchange that the spans tell of."""
    [exchange] = spans(*told).exchanges
    return exchange


def records(*told):
    return read_records(told)


def of(reading, kind):
    return [event for event in reading.events if isinstance(event, kind)]


def texts(messages):
    """Role and words of each message."""
    return [(str(message.role), *(getattr(block, "text", None) for block in message.blocks)) for message in messages]
