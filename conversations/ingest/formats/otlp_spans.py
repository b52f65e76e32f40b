"""What the spans of one export request say of conversations."""

from collections.abc import Sequence
from typing import Any

from conversations.ingest.events import Event
from conversations.ingest.formats.base import key_of, text_of
from conversations.ingest.formats.otlp import Span
from conversations.ingest.formats.otlp_bodies import content_told
from conversations.ingest.formats.otlp_calls import ModelCall
from conversations.ingest.formats.otlp_compactions import compaction_in_moment, compaction_in_span, is_compaction
from conversations.ingest.formats.otlp_names import agent_of, first, tags_of
from conversations.ingest.formats.otlp_reading import Reading, read_call
from conversations.ingest.formats.otlp_traces import Traces

#: gen_ai.operation.name of what is one sampling of a model. Agents, tools and embeddings are none.
_CALLS = frozenset({"chat", "text_completion", "generate_content", "completion", "chat_completion", "responses"})
_OLDER_CALLS = frozenset({"chat", "completion"})  # OpenLLMetry's llm.request.type
_CLAUDE = "claude_code.llm_request"


def read_spans(spans: Sequence[Span]) -> Reading:
    """Everything in them. The same spans say the same whatever order they come in."""
    traces, reading = Traces(spans), Reading()
    summaries = _summaries(spans, traces)
    for span in sorted(spans, key=lambda each: (each.start is None, each.start, each.trace, each.id)):
        told = _compactions(span, traces.conversation(span), summaries.get(span.id, ""))
        called = is_model_call(span)
        if called:
            read_call(reading, _call(span, traces))
        reading.events += told
        if called or told:
            reading.accepted += 1
        else:
            reading.ignored[span.name] += 1
    return reading


def is_model_call(span: Span) -> bool:
    """Whether the span is one call of a model, by the convention it follows."""
    attributes = span.attributes
    operation = text_of(attributes.get("gen_ai.operation.name")).lower()
    kind = text_of(first(attributes, "openinference.span.kind", "traceloop.span.kind")).upper()
    if span.name == _CLAUDE or kind == "LLM":
        return span.name == _CLAUDE or not _counts_only(span)
    if operation:
        return operation in _CALLS
    if kind:
        return False
    if text_of(attributes.get("llm.request.type")) in _OLDER_CALLS:
        return True
    return "gen_ai.request.model" in attributes and any(name.startswith(_TELLING) for name in attributes)


_TELLING = ("gen_ai.usage.", "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.output.messages")


def _counts_only(span: Span) -> bool:
    """Counting tokens asks no model."""
    return "count_tokens" in span.name.lower() or "counttokens" in span.name.lower()


def _call(span: Span, traces: Traces) -> ModelCall:
    content = content_told(span.attributes, span.moments, cut=span.cut)
    summarising = traces.is_summarising(span) or span.attributes.get("query_source_safe") == "compact"
    agent, version = agent_of(_inherited(span, traces), span.source)
    return ModelCall(
        id=_key(span),
        conversation="" if traces.is_alone(span) else traces.conversation(span),
        trace=span.trace,
        attributes=span.attributes,
        content=content,
        at=span.start,
        end=span.end,
        agent=agent,
        agent_version=version,
        tags=tuple(tags_of(span)),
        error=span.error,
        purpose="compaction" if summarising else "turn",
    )


def _key(span: Span) -> str:
    """The span's id; Claude Code tells of the same call in a log record, which has only the request's."""
    return (key_of(span.attributes.get("request_id")) if span.name == _CLAUDE else "") or span.id


def _inherited(span: Span, traces: Traces) -> dict[str, Any]:
    """The span's attributes over those of what stands above it: an agent's span names the agent."""
    told: dict[str, Any] = {}
    for each in (*reversed(list(traces.above(span))), span):
        told |= each.attributes
    return told


def _compactions(span: Span, conversation: str, summary: str) -> list[Event]:
    """Those that the span, or events within it, are about."""
    told: list[Event] = []
    if is_compaction(span.attributes, span.name):
        told.append(compaction_in_span(span, conversation, summary))
    moments = enumerate(span.moments)
    told += [
        compaction_in_moment(span, place, each, conversation)
        for place, each in moments
        if is_compaction(each.attributes, each.name)
    ]
    return told


def _summaries(spans: Sequence[Span], traces: Traces) -> dict[str, str]:
    """For spans about a compaction the text that the model answered below them, where it is told."""
    found: dict[str, str] = {}
    for span in spans:
        if is_model_call(span) and not span.error and traces.is_summarising(span):
            answer = content_told(span.attributes, span.moments, cut=span.cut).answer
            text = "\n".join(text_of(block.get("text")) for block in answer if block.get("type") == "text")
            for above in traces.above(span):
                if text and is_compaction(above.attributes, above.name):
                    found[above.id] = text
    return found
