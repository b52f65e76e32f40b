"""Read one item of the exchanges wire, whichever API it was exchanged with: recognised by name where the sender gives
one, else by its shape."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from conversations.ingest.events import Problem
from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.anthropic_api import read_messages
from conversations.ingest.formats.base import list_of, mapping_of, text_of
from conversations.ingest.formats.bedrock_converse import read_converse
from conversations.ingest.formats.exchange_item import Item, fault, item_of
from conversations.ingest.formats.openai_api import read_chat, read_responses

READERS: dict[str, Callable[[Item, str], Exchange]] = {
    "messages": read_messages,
    "count_tokens": read_messages,
    "batches": read_messages,
    "converse": read_converse,
    "responses": read_responses,
    "responses/compact": read_responses,
    "chat/completions": read_chat,
}

#: An endpoint's name or path by its end; a version, a host or a deployment may stand before it.
_ENDINGS = (
    ("count_tokens", "count_tokens"),
    ("count-tokens:rawpredict", "count_tokens"),
    ("responses/compact", "responses/compact"),
    ("chat/completions", "chat/completions"),
    ("responses", "responses"),
    ("batches", "batches"),
    ("messages", "messages"),
    ("rawpredict", "messages"),  # Vertex, streamed or not
    ("invoke", "messages"),  # Bedrock
    ("invoke-with-response-stream", "messages"),
    ("converse", "converse"),
    ("converse-stream", "converse"),
)
_RESULTS = re.compile(r"batches/[^/]+/results$")


def read_exchange(item: Mapping[str, Any], index: int) -> Exchange | Problem:
    """Item `index` (from 0) as one exchange, or what is wrong with it.

    Its strings must be storable (see `lines.storable`)."""
    try:
        checked = item_of(item, index)
        return checked if isinstance(checked, Problem) else _read(checked, index)
    except RecursionError:
        return fault(index, "request", "This exchange nests too deep.", "Flatten it.", code="too_deep")


def _read(item: Item, index: int) -> Exchange | Problem:
    endpoint = _named(item.endpoint) if item.endpoint else _recognised(item)
    if endpoint:
        return _unreadable(item, endpoint, index) or READERS[endpoint](item, endpoint)
    if item.endpoint:
        message = f'"{item.endpoint[:60]}" is no endpoint whose exchanges are read.'
        return fault(index, "endpoint", message, f"Use one of {', '.join(READERS)}.", code="unknown_type")
    message = "The request is of no known API."
    mend = 'Send a body with "messages" or "input", or name the endpoint.'
    return fault(index, "request", message, mend, code="unknown_type")


def _unreadable(item: Item, endpoint: str, index: int) -> Problem | None:
    """A body of the right API in which the conversation itself cannot be read."""
    request = mapping_of(item.request.get("params")) or item.request
    name = "input" if endpoint.startswith("responses") else "messages"
    if endpoint == "batches" and isinstance(item.request.get("requests"), list):
        mend = "Send one exchange for each request of the batch, with its line of the results as the response."
        return fault(index, "request.requests", "A batch as a whole is no exchange.", mend)
    if name not in request and (name == "input" or "prompt" in request):
        return None  # continued from an earlier response, or with a prompt the server holds
    allowed = list | str | None if name == "input" else list
    if isinstance(request.get(name), allowed):
        return None
    return fault(index, f"request.{name}", f'"{name}" is no list of messages.', "Send the body as it was sent.")


def _named(endpoint: str) -> str:
    path = endpoint.partition("?")[0].strip("/").lower()
    if _RESULTS.search(path):
        return "batches"
    return next((name for ending, name in _ENDINGS if path.endswith(ending)), "")


# --- by shape ---------------------------------------------------------------------------------------------------------


def _recognised(item: Item) -> str:
    """The endpoint; "" for a body that belongs to none."""
    request, kind = item.request, text_of(item.response.get("object"))
    if isinstance(request.get("params"), dict) or isinstance(request.get("requests"), list):
        return "batches"
    if "input" in request or request.get("previous_response_id") or kind.startswith("response"):
        return "responses/compact" if kind == "response.compaction" else "responses"
    if isinstance(request.get("messages"), list):
        return _by_messages(item)
    return "messages" if "messages" in request else ""


def _by_messages(item: Item) -> str:
    if _is_converse(item):
        return "converse"
    if _is_chat(item):
        return "chat/completions"
    return "count_tokens" if "input_tokens" in item.response and "content" not in item.response else "messages"


def _is_chat(item: Item) -> bool:
    if "choices" in item.response or any("choices" in event for event in item.stream):
        return True
    messages = [mapping_of(message) for message in list_of(item.request["messages"])]
    if any(message.get("role") in ("tool", "developer", "function") or "tool_calls" in message for message in messages):
        return True
    is_answered = "content" in item.response or any("type" in event for event in item.stream)
    return not is_answered and bool(messages) and messages[0].get("role") == "system"


def _is_converse(item: Item) -> bool:
    """Converse's blocks have no type: what a block is stands in its one key."""
    if "modelId" in item.request or "stopReason" in item.response:
        return True
    if any("messageStart" in event or "contentBlockDelta" in event for event in item.stream):
        return True
    messages = [mapping_of(message) for message in list_of(item.request["messages"])]
    blocks = [mapping_of(block) for message in messages for block in list_of(message.get("content"))]
    return bool(blocks) and all(block and "type" not in block for block in blocks)
