"""Find the compactions and clearings that a Messages API exchange tells of, in its request and in its answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from conversations.ingest.events import Summary, ToolCall, ToolResult
from conversations.ingest.exchange import Announced, Spoken
from conversations.ingest.formats import anthropic_edits as edits
from conversations.ingest.formats.anthropic_content import summary_of
from conversations.ingest.formats.anthropic_edits import Asked
from conversations.ingest.formats.anthropic_usage import context_of, iterations_of, usage_of
from conversations.ingest.formats.base import list_of, mapping_of, strings_of, text_of, tokens_of
from conversations.vocabulary import CompactionKind, SummaryState, Trigger

_EMPTY_BLOCK = "The compaction block came back empty: the model wrote no summary."


class Told(Struct, frozen=True):
    """The two bodies, what was sent as messages, and why the call failed if it did."""

    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    betas: Sequence[str]
    sent: Sequence[Spoken]
    model: str
    error: str


def announced_by(told: Told) -> list[Announced]:
    """First what the request brings back from earlier, then what happened now."""
    threshold = edits.threshold_of(told.request, told.betas)
    on_demand = edits.on_demand_of(told.request)
    seen = list(_seen(told, threshold))
    happened = list(_compactions(told, on_demand or threshold))
    if on_demand is not None and not happened:
        happened = list(_failed(told, on_demand))
    return [*seen, *happened, *_clearings(told)]


# --- in the request ---------------------------------------------------------------------------------------------------


def _seen(told: Told, threshold: Asked | None) -> Iterator[Announced]:
    """A signed block is one made on demand: it stands for messages that are gone. A threshold's stands behind them."""
    signed = _signed_summaries(told.request)
    for index, said in enumerate(told.sent):
        for block in said.blocks:
            if isinstance(block, Summary):
                asked = None if block.text in signed else threshold or Asked(edit=True)
                yield Announced(
                    kind=CompactionKind.THRESHOLD if asked else CompactionKind.ON_DEMAND,
                    trigger=Trigger.THRESHOLD if asked else Trigger.MANUAL,
                    in_request=True,
                    before=index,
                    summary=block.text,
                    instructions=asked.instructions if asked else "",
                    trigger_tokens=asked.trigger_tokens if asked else None,
                )


def _signed_summaries(request: Mapping[str, Any]) -> set[str]:
    messages = map(mapping_of, list_of(request.get("messages")))
    blocks = [mapping_of(block) for message in messages for block in list_of(message.get("content"))]
    return {summary_of(block) for block in blocks if block.get("type") == "compaction" and block.get("signature")}


# --- in the answer ----------------------------------------------------------------------------------------------------


def _compactions(told: Told, asked: Asked | None) -> Iterator[Announced]:
    content = map(mapping_of, list_of(told.answer.get("content")))
    blocks = [block for block in content if block.get("type") == "compaction"]
    samplings = iterations_of(mapping_of(told.answer.get("usage")))
    costs = [place for place, sampling in enumerate(samplings) if sampling.get("type") == "compaction"]
    for number, block in enumerate(blocks):
        place = costs[number] if number < len(costs) else None
        yield _compaction(told, asked, block, samplings, place)


def _compaction(
    told: Told, asked: Asked | None, block: Mapping[str, Any], samplings: list[dict[str, Any]], place: int | None
) -> Announced:
    """`place` is where among the samplings the summary was written."""
    summary = summary_of(block)
    at_threshold = asked.edit if asked else not block.get("signature")
    cost = samplings[place] if place is not None else {}
    return Announced(
        kind=CompactionKind.THRESHOLD if at_threshold else CompactionKind.ON_DEMAND,
        trigger=Trigger.THRESHOLD if at_threshold else Trigger.MANUAL,
        instructions=asked.instructions if asked else "",
        summary=summary or None,
        summary_state=SummaryState.TEXT if summary else SummaryState.FAILED,
        trigger_tokens=asked.trigger_tokens if asked else None,
        paused=at_threshold and told.answer.get("stop_reason") == "compaction",
        # On demand the summariser reads the very history it replaces; at a threshold its count can be far smaller.
        tokens_before=None if at_threshold else context_of(cost),
        tokens_after=None if place is None else _first_message(samplings[place:]),
        cost=usage_of(cost),
        model=told.model,
        error="" if summary else _EMPTY_BLOCK,
        raw=_raw(told, asked, block),
    )


def _first_message(samplings: list[dict[str, Any]]) -> int | None:
    return next((context_of(sampling) for sampling in samplings if sampling.get("type") == "message"), None)


def _raw(told: Told, asked: Asked | None, block: Mapping[str, Any]) -> dict[str, Any] | None:
    raw = {**(asked.raw if asked else {}), "betas": list(told.betas), "task_budget": edits.budget_of(told.request)}
    raw |= {"tool_changes": len(list_of(block.get("tool_changes")))}
    return {key: value for key, value in raw.items() if value} or None


def _failed(told: Told, asked: Asked) -> Iterator[Announced]:
    """A compaction on demand that failed brings no block: an answer without a summary, or one of the API's errors."""
    if told.error and "(compaction_" not in told.error:
        return  # overloaded, rate limited, …: nothing was tried
    if not told.error and not told.answer:
        return  # the answer was not seen
    reason = text_of(told.answer.get("stop_reason")) or "unknown"
    samplings = iterations_of(mapping_of(told.answer.get("usage")))
    cost = next((sampling for sampling in samplings if sampling.get("type") == "compaction"), {})
    yield Announced(
        kind=CompactionKind.ON_DEMAND,
        trigger=Trigger.MANUAL,
        instructions=asked.instructions,
        summary_state=SummaryState.FAILED,
        tokens_before=context_of(cost),
        cost=usage_of(cost),
        model=told.model,
        error=told.error or f"No summary came back; the model stopped with {reason}.",
        raw=_raw(told, asked, {}),
    )


# --- clearing ---------------------------------------------------------------------------------------------------------


def _clearings(told: Told) -> Iterator[Announced]:
    for applied in list_of(mapping_of(told.answer.get("context_management")).get("applied_edits")):
        edit = mapping_of(applied)
        kind = text_of(edit.get("type"))
        if kind.startswith("clear_"):
            yield _clearing(told, edit, edits.clearing_of(told.request, kind))


def _clearing(told: Told, applied: Mapping[str, Any], asked: Mapping[str, Any]) -> Announced:
    count = tokens_of(applied.get("cleared_tool_uses"))
    return Announced(
        kind=CompactionKind.TOOL_CLEAR,
        trigger=Trigger.THRESHOLD,
        summary_state=SummaryState.ABSENT,
        trigger_tokens=edits.trigger_of(asked),
        cleared=_oldest_calls(told.sent, strings_of(asked.get("exclude_tools")))[:count] if count else [],
        cleared_count=count,
        cleared_tokens=tokens_of(applied.get("cleared_input_tokens")),
        raw={"applied": dict(applied), "asked": dict(asked)},
    )


def _oldest_calls(sent: Sequence[Spoken], excluded: Sequence[str]) -> list[str]:
    """The answered tool calls of the context, oldest first: the order in which the API clears them, and it says only
    how many. What stands before the last summary is not in the context any more."""
    start = max((index for index, said in enumerate(sent) if isinstance(said.blocks[0], Summary)), default=-1) + 1
    blocks = [block for said in sent[start:] for block in said.blocks]
    answered = {block.id for block in blocks if isinstance(block, ToolResult)}
    calls = [block for block in blocks if isinstance(block, ToolCall)]
    return [call.id for call in calls if call.id in answered and call.name not in excluded]
