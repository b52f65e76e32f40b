"""Read one exchange with the Messages API, whoever serves it: Anthropic, Bedrock (InvokeModel), Vertex or Foundry."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from conversations.ingest.exchange import Announced, Exchange, Spoken
from conversations.ingest.formats.anthropic_announced import Told, announced_by
from conversations.ingest.formats.anthropic_content import content_blocks, said_in
from conversations.ingest.formats.anthropic_stream import reassembled
from conversations.ingest.formats.anthropic_usage import calls_of
from conversations.ingest.formats.base import (
    REASON_CHARACTERS,
    key_of,
    list_of,
    mapping_of,
    name_of,
    text_of,
    tokens_of,
)
from conversations.ingest.formats.exchange_item import Item, error_text

_LONG_CONTEXT = "context-1m"  # the beta's name without its date
_LONG_CONTEXT_TOKENS = 1_000_000
_SERVED_BY = {"bedrock": "bedrock", "vertex": "vertex"}  # how `anthropic_version` begins in their bodies
_NOT_ANSWERED = frozenset({"canceled", "expired", "errored"})  # what becomes of a request in a batch


def read_messages(item: Item, endpoint: str) -> Exchange:
    """The exchange as the conversation sees it. `endpoint` is messages, count_tokens or batches."""
    request = mapping_of(item.request.get("params")) or item.request
    answer, error = _answer(item)
    sent = _sent(request)
    model = name_of(answer.get("model")) or name_of(request.get("model")) or item.model
    told = Told(request, answer, item.betas(), sent, model, error)
    previous = _continued(request)
    return Exchange(
        id=item.identity(answer.get("id")),
        conversation=item.conversation,
        parent=item.parent,
        agent=item.agent,
        agent_version=item.agent_version,
        title=item.title,
        tags=item.tags,
        at=item.at,
        duration_ms=item.duration_ms,
        provider=item.provider or _provider(request),
        endpoint=endpoint,
        model=model,
        system=content_blocks(request.get("system")),
        sent=sent,
        previous=previous or "",
        whole=previous is None,
        received=said_in({**answer, "role": "assistant"}),
        calls=[] if endpoint == "count_tokens" else calls_of(mapping_of(answer.get("usage")), model),
        stop_reason=name_of(answer.get("stop_reason"), REASON_CHARACTERS),
        announced=_announced(told, endpoint),
        context_window=_window(told.betas),
        error=error,
    )


def _sent(request: Mapping[str, Any]) -> list[Spoken]:
    return [said for message in list_of(request.get("messages")) for said in said_in(mapping_of(message))]


def _answer(item: Item) -> tuple[dict[str, Any], str]:
    """The message and what went wrong; a stream may have begun to answer and then failed."""
    if item.stream:
        whole = reassembled(item.stream)
        return whole.message, item.error or whole.error
    answer = item.response
    if isinstance(answer.get("result"), dict):
        return _batched(mapping_of(answer["result"]), item.error)
    if answer.get("type") == "error":
        return {}, item.error or error_text(answer)
    return answer, item.error


def _batched(result: Mapping[str, Any], error: str) -> tuple[dict[str, Any], str]:
    kind = text_of(result.get("type"))
    if kind not in _NOT_ANSWERED:
        return mapping_of(result.get("message")), error
    return {}, error or (
        error_text(result["error"]) if result.get("error") else f"The request in the batch was {kind}."
    )


def _continued(request: Mapping[str, Any]) -> str | None:
    """The answer from which the server goes on with a context of its own; None where the request holds it all."""
    thread = mapping_of(request.get("thread"))
    return key_of(thread.get("previous_message_id")) if thread.get("type") == "continue" else None


def _provider(request: Mapping[str, Any]) -> str:
    version = text_of(request.get("anthropic_version"))
    return next((name for start, name in _SERVED_BY.items() if version.startswith(start)), "anthropic")


def _window(betas: Sequence[str]) -> int | None:
    return _LONG_CONTEXT_TOKENS if any(beta.startswith(_LONG_CONTEXT) for beta in betas) else None


def _announced(told: Told, endpoint: str) -> list[Announced]:
    """Counting tokens compacts nothing, but tells how large the context was before the last compaction in it."""
    if endpoint != "count_tokens":
        return announced_by(told)
    seen = [announced for announced in announced_by(told) if announced.in_request]
    before = tokens_of(mapping_of(told.answer.get("context_management")).get("original_input_tokens"))
    after = tokens_of(told.answer.get("input_tokens"))
    if seen and before is not None:
        seen[-1] = structs.replace(seen[-1], tokens_before=before, tokens_after=after)
    return seen
