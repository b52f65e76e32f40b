"""Bodies as the two vendors' clients send and read them, checked against the clients' own types."""

import json

from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import CompactedResponse, Response, ResponseStreamEvent
from pydantic import TypeAdapter

from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.exchanges import read_exchange

MODEL = "claude-opus-5-5"
COMPACT = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 60_000}}
_EVENT = TypeAdapter(BetaRawMessageStreamEvent)
_RESPONSE_EVENT = TypeAdapter(ResponseStreamEvent)


def read(request, response=None, **item) -> Exchange:
    """The exchange that the item becomes; fails where it becomes a problem."""
    exchange = read_exchange({"request": request, "response": response, **item}, 0)
    assert isinstance(exchange, Exchange), exchange
    return exchange


def ask(*messages, **fields):
    """A request to the Messages API. A string is a user's message, a list an assistant's content."""
    said = [turn(message) for message in messages]
    return {"model": MODEL, "max_tokens": 1024, "messages": said, **fields}


def turn(message):
    if isinstance(message, dict):
        return message
    return {"role": "user" if isinstance(message, str) else "assistant", "content": message}


def answer(*content, usage=None, stop_reason="end_turn", **fields):
    """A message of the Messages API. A string is a text block."""
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": block} if isinstance(block, str) else block for block in content],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5, **(usage or {})},
        **fields,
    }
    BetaMessage.model_validate(message, strict=True)
    return message


def iteration(kind, read_tokens, written, cached=0, stored=0, **fields):
    """One sampling as `usage.iterations` has it."""
    return {
        "type": kind,
        "input_tokens": read_tokens,
        "output_tokens": written,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": stored,
        **fields,
    }


def streamed(message, pieces=3):
    """The same message as the API streams it."""
    start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    start["usage"].pop("iterations", None)
    start.pop("context_management", None)
    events = [{"type": "message_start", "message": start}]
    for index, block in enumerate(message["content"]):
        begun, deltas = _begun(block, pieces)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None}}
    end["usage"] = message["usage"]
    if "context_management" in message:
        end["context_management"] = message["context_management"]
    events += [end, {"type": "message_stop"}]
    for event in events:
        _EVENT.validate_python(event)
    return events


def _begun(block, pieces):
    """How a block starts, and what is then added to it."""
    kind = block["type"]
    if kind in ("text", "thinking"):
        deltas = [{"type": f"{kind}_delta", kind: part} for part in _cut(block[kind], pieces)]
        if "signature" in block:
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {**block, kind: "", **({"signature": ""} if "signature" in block else {})}, deltas
    if kind.endswith("tool_use"):
        written = json.dumps(block["input"])
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": part} for part in ["", *_cut(written, pieces)]
        ]
    if kind == "compaction" and "signature" not in block:  # one made on demand comes whole
        return {"type": kind, "content": None}, [{"type": "compaction_delta", "content": block["content"]}]
    return block, []


def _cut(text, pieces):
    size = max(1, -(-len(text) // pieces))
    return [text[at : at + size] for at in range(0, len(text), size)]


# --- OpenAI -----------------------------------------------------------------------------------------------------------


def response(*output, usage=None, status="completed", **fields):
    """A response of the Responses API."""
    body = {
        "id": "resp_01",
        "object": "response",
        "created_at": 1_790_000_000,
        "model": "gpt-6-sol",
        "status": status,
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage or response_usage(100, 10),
        **fields,
    }
    Response.model_validate(body, strict=True)
    return body


def response_usage(read_tokens, written, cached=0, stored=0):
    return {
        "input_tokens": read_tokens,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": stored},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read_tokens + written,
    }


def compacted(*output, usage):
    """What `/responses/compact` answers."""
    kind = "response.compaction"
    body = {"id": "resp_02", "object": kind, "created_at": 1_790_000_000, "output": list(output), "usage": usage}
    # The client's type knows no user's message among the output, which the API's own description says is there.
    summary = [item for item in output if item["type"] == "compaction"]
    CompactedResponse.model_validate({**body, "output": summary}, strict=True)
    return body


def said(text, role="assistant", key="msg_1"):
    """A message item."""
    kind = "output_text" if role == "assistant" else "input_text"
    part = {"type": kind, "text": text, **({"annotations": []} if role == "assistant" else {})}
    return {"type": "message", "id": key, "role": role, "status": "completed", "content": [part]}


def response_events(body, *, last=True):
    """The same response as it is streamed; without its last event the stream was cut off."""
    events = [{"type": "response.created", "response": {**body, "output": [], "status": "in_progress", "usage": None}}]
    for index, item in enumerate(body["output"]):
        events.append({"type": "response.output_item.added", "output_index": index, "item": item})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    if last:
        events.append({"type": "response.completed", "response": body})
    events = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    for event in events:
        _RESPONSE_EVENT.validate_python(event)
    return events


def completion(message, finish="stop", **usage):
    """A chat completion."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-6-sol",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, **usage},
    }
    ChatCompletion.model_validate(body, strict=True)
    return body


def chunks(*deltas, finish="stop", usage=None):
    """A streamed chat completion."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "gpt-6-sol"}
    sent = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    sent.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    sent.append({**head, "choices": [], "usage": usage})
    for chunk in sent:
        ChatCompletionChunk.model_validate(chunk, strict=True)
    return sent
