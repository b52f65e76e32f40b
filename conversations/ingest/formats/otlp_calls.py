"""Read one model call off its telemetry: an exchange where its messages are told, else what is known of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, structs

from conversations.ingest.events import CompactionEvent, Event, Problem, RequestEvent, Usage
from conversations.ingest.exchange import Announced, Call, Exchange
from conversations.ingest.formats.base import milliseconds
from conversations.ingest.formats.exchanges import read_exchange
from conversations.ingest.formats.otlp_bodies import Bodies, bodies_of, verbatim
from conversations.ingest.formats.otlp_names import (
    betas_of,
    metadata_of,
    model_of,
    provider_of,
    stop_reason_of,
    summarising_usage,
    usage_of,
    yes,
)
from conversations.ingest.formats.otlp_parts import Block, Content
from conversations.vocabulary import CompactionKind, SummaryState, Trigger

_ON_DEMAND = "compact-2026-09"  # how the beta of compactions on demand begins
_API_NAMES = (
    ("input_tokens", "input_tokens"),
    ("cache_read_tokens", "cache_read_input_tokens"),
    ("cache_write_tokens", "cache_creation_input_tokens"),
    ("output_tokens", "output_tokens"),
)
_MICROSECOND = timedelta(microseconds=1)


class ModelCall(Struct, frozen=True, kw_only=True):
    """One call, whoever told of it. `conversation` "" = to be recognised by what was said."""

    id: str
    conversation: str
    trace: str  # which is the conversation of a call of which no message is told, where nobody names another
    attributes: dict[str, Any]
    content: Content = Content()
    at: datetime | None = None
    end: datetime | None = None
    agent: str = ""
    agent_version: str = ""
    tags: tuple[str, ...] = ()
    error: str = ""
    purpose: str = "turn"


# --- with messages ----------------------------------------------------------------------------------------------------


def exchange_of(call: ModelCall) -> Exchange | Problem | None:
    """The call as an exchange; None where no message of it is told."""
    bodies = verbatim(call.attributes)
    read = _read(call, bodies) if bodies else None
    if isinstance(read, Exchange):
        return _completed(call, read, Content())
    if not call.content:
        return None
    read = _read(call, _with_counts(call, bodies_of(_with_readable_summaries(call.content))))
    return read if isinstance(read, Problem) else _completed(call, read, call.content)


def _read(call: ModelCall, bodies: Bodies) -> Exchange | Problem:
    item: dict[str, Any] = {
        "id": call.id,
        "agent": call.agent,
        "agent_version": call.agent_version,
        "tags": list(call.tags),
        "at": call.at.isoformat() if call.at else None,
        "duration_ms": milliseconds(call.at, call.end),
        "provider": provider_of(call.attributes),
        "endpoint": bodies.endpoint,
        "model": model_of(call.attributes),
        "headers": {"anthropic-beta": betas_of(call.attributes)},
        "request": bodies.request,
        "response": bodies.response,
        "error": {"body": call.error} if call.error else None,
    }
    read = read_exchange(item, 0)
    return read if isinstance(read, Problem) else structs.replace(read, whole=read.whole and bodies.whole)


def _with_counts(call: ModelCall, bodies: Bodies) -> Bodies:
    """The answer with its model, stop reason and tokens, which stand in attributes of their own."""
    usage: dict[str, Any] = _api_usage(usage_of(call.attributes))
    told = metadata_of(call.attributes).get("usage_iterations")
    summarising = summarising_usage(call.attributes)
    if isinstance(told, list) and told:
        usage["iterations"] = told
    elif summarising:
        message = [{"type": "message", **usage}] if usage.get("output_tokens") else []
        usage["iterations"] = [{"type": "compaction", **_api_usage(summarising)}, *message]
    response = {**bodies.response, "model": model_of(call.attributes), "stop_reason": stop_reason_of(call.attributes)}
    return structs.replace(bodies, response={**response, "usage": usage})


def _api_usage(usage: Usage) -> dict[str, Any]:
    counts = {theirs: getattr(usage, ours) for ours, theirs in _API_NAMES}
    return {name: count for name, count in counts.items() if count is not None}


def _completed(call: ModelCall, read: Exchange, content: Content) -> Exchange:
    """With what no body says: whose it is, and the compactions of which only the place is told."""
    said = yes(call.attributes.get("gen_ai.conversation.compacted"))
    return structs.replace(
        read,
        id=call.id,
        conversation=call.conversation,
        announced=[*_brought_without_text(content), *_made_without_text(call, content), *read.announced],
        compacted=True if _textless_place(content) is not None else said,
        calls=_calls(call, read),
    )


def _calls(call: ModelCall, read: Exchange) -> list[Call]:
    """At least one, if there was an answer."""
    if _only_summed_up(call) and not any(each.purpose == "compaction" for each in read.calls):
        return [Call(model=read.model, purpose="compaction")]
    return read.calls or ([] if call.error else [Call(model=read.model)])


def _only_summed_up(call: ModelCall) -> bool:
    """The API counts no tokens for an answer that is only a summary: what it cost stands where only some look."""
    usage = usage_of(call.attributes)
    counts = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens, usage.output_tokens)
    return stop_reason_of(call.attributes) == "compaction" and not any(counts)


# --- compactions whose text is not told -------------------------------------------------------------------------------


def _is_textless(block: Block) -> bool:
    return block.get("type") == "compaction" and not block.get("content")


def _textless_place(content: Content) -> int | None:
    """Which message that was sent holds the last of them."""
    places = [n for n, message in enumerate(content.messages) if any(map(_is_textless, message["content"]))]
    return places[-1] if places else None


def _with_readable_summaries(content: Content) -> Content:
    """Without the blocks that only say "here a summary stood": an empty block would be a compaction that failed.

    What was sent before such a block the API did not read."""
    messages = [
        {**said, "content": [block for block in said["content"] if not _is_textless(block)]}
        for said in content.messages[_textless_place(content) or 0 :]
    ]
    answer = [block for block in content.answer if not _is_textless(block)]
    return Content(content.system, messages, answer, content.whole)


def _brought_without_text(content: Content) -> Iterator[Announced]:
    """As the very first, in place of all that went before, it was made on demand. One that came at a threshold stands
    beside its answer, by which the context is known again."""
    if _textless_place(content) == 0 and all(map(_is_textless, content.messages[0]["content"])):
        yield Announced(
            kind=CompactionKind.ON_DEMAND,
            trigger=Trigger.MANUAL,
            in_request=True,
            before=0,
            summary_state=SummaryState.ABSENT,
        )


def _made_without_text(call: ModelCall, content: Content) -> Iterator[Announced]:
    """In the answer: the SDK keeps of the block that it is there, and what the summarising call cost."""
    cost = summarising_usage(call.attributes)
    there = any(map(_is_textless, content.answer))
    if not there and cost is None:
        return
    kind = _kind(call, alone=len(content.answer) <= 1)
    failed = bool(content.answer) and not there
    yield Announced(
        kind=kind,
        trigger=Trigger.MANUAL if kind is CompactionKind.ON_DEMAND else Trigger.THRESHOLD,
        summary_state=SummaryState.FAILED if failed else SummaryState.ABSENT,
        paused=kind is CompactionKind.THRESHOLD and stop_reason_of(call.attributes) == "compaction",
        cost=cost or Usage(),
        model=model_of(call.attributes),
        error="The call was billed, and no summary came back." if failed else "",
    )


def _kind(call: ModelCall, *, alone: bool) -> CompactionKind:
    """By the beta that was asked for; else a block alone was asked for, one before an answer came at a threshold."""
    betas = [beta for beta in betas_of(call.attributes).split(",") if beta.startswith("compact-")]
    asked = {beta.startswith(_ON_DEMAND) for beta in betas}
    on_demand = asked.pop() if len(asked) == 1 else alone and stop_reason_of(call.attributes) == "compaction"
    return CompactionKind.ON_DEMAND if on_demand else CompactionKind.THRESHOLD


# --- without messages -------------------------------------------------------------------------------------------------


def events_of(call: ModelCall) -> Iterator[Event]:
    """The call's point on the timeline, and a compaction of which nothing but its cost is told.

    A call that failed and was not billed is made again: it says nothing."""
    usage, cost = usage_of(call.attributes), summarising_usage(call.attributes)
    at = call.at
    if cost is not None:
        yield from _summarising(call, cost)
        at = at and at + _MICROSECOND  # the answer was made of the summary
    summed_up = cost is None and _only_summed_up(call)
    if summed_up or usage.output_tokens or (cost is None and not call.error):
        yield RequestEvent(
            id=call.id,
            conversation=call.conversation or call.trace,
            at=at,
            model=model_of(call.attributes),
            usage=Usage() if summed_up else usage,
            stop_reason=stop_reason_of(call.attributes),
            duration_ms=milliseconds(call.at, call.end),
            purpose="compaction" if summed_up else call.purpose,
        )


def _summarising(call: ModelCall, cost: Usage) -> Iterator[Event]:
    [made] = _made_without_text(call, Content())
    key, conversation, model = f"{call.id}/compaction", call.conversation or call.trace, model_of(call.attributes)
    failed = made.kind is CompactionKind.ON_DEMAND and stop_reason_of(call.attributes) not in ("", "compaction")
    yield RequestEvent(id=key, conversation=conversation, at=call.at, model=model, usage=cost, purpose="compaction")
    yield CompactionEvent(
        id=key,
        conversation=conversation,
        at=call.at,
        kind=made.kind,
        trigger=made.trigger,
        summary_state=SummaryState.FAILED if failed else SummaryState.ABSENT,
        cost=cost,
        model=model,
        complete=False,
    )
