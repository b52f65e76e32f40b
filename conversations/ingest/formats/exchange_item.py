"""One item of the exchanges wire, checked: who sent it, the request's body, and its answer, stream or error."""

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from conversations.ingest.events import Problem
from conversations.ingest.formats.base import (
    KEY_CHARACTERS,
    MOST,
    NAME_CHARACTERS,
    VERSION_CHARACTERS,
    key_of,
    list_of,
    mapping_of,
    moment,
    name_of,
    short_title,
    text_of,
    tokens_of,
)
from conversations.tags import tags_said

ERROR_CHARACTERS = 500

_IDS = ("id", "conversation", "parent")
_NAMES = ("agent", "agent_version", "title", "provider", "endpoint", "model", "path")
_TAGS = "tags"
_OBJECTS = ("headers", "response", "error")
_MODEL_IN_PATH = re.compile(r"/models?/([^/:?]+(?::\d+)?)(?:[/:?]|$)")
_encode = msgspec.json.Encoder(order="sorted").encode


class Item(Struct, frozen=True, kw_only=True):
    """An item whose own fields are right. What stands in the bodies is for the provider's reader to judge."""

    id: str
    conversation: str
    parent: str
    agent: str
    agent_version: str
    title: str
    tags: list[str]
    at: datetime | None
    duration_ms: int | None
    provider: str
    endpoint: str
    model: str  # where the body does not say it: Bedrock and Vertex have it in the path
    headers: dict[str, str]  # names in lower case
    request: dict[str, Any]
    response: dict[str, Any]  # empty: there is a stream, an error, or nothing was seen of the answer
    stream: list[dict[str, Any]]
    error: str  # what went wrong as one line: "529 overloaded_error: Overloaded"

    def identity(self, answered: object) -> str:
        """The answer's id, else the sender's, else a digest of what was sent and answered."""
        return key_of(answered) or self.id or self._digest()

    def _digest(self) -> str:
        bodies = (self.request, self.response, self.stream, self.error)
        return blake2b(_encode(bodies), digest_size=16).hexdigest()

    def betas(self) -> list[str]:
        """The beta features that were asked for: by header, by the SDK's parameter, or in Bedrock's body."""
        asked = [text_of(self.headers.get("anthropic-beta"))]
        asked += [text_of(beta) for key in ("betas", "anthropic_beta") for beta in list_of(self.request.get(key))]
        return list(dict.fromkeys(beta.strip() for name in asked for beta in name.split(",") if beta.strip()))


def item_of(item: object, index: int) -> Item | Problem:
    """The item with everything about it checked that stands outside the bodies, or the first thing that is wrong."""
    if not isinstance(item, Mapping):
        return fault(index, "", "This exchange is no object.", 'Send {"request": {…}, "response": {…}}.')
    wrong = _wrong_field(item, index)
    return wrong if wrong is not None else _item(item)


def fault(index: int, field: str, message: str, mend: str, code: str = "bad_field") -> Problem:
    """What is wrong with item `index` (from 0), in which field, and how to mend it."""
    return Problem(code=code, message=message, mend=mend, line=index, field=field)


# --- what must be right -----------------------------------------------------------------------------------------------


def _wrong_field(item: Mapping[str, Any], index: int) -> Problem | None:
    if not isinstance(item.get("request"), dict):
        message = '"request" is missing.' if item.get("request") is None else '"request" is no object.'
        return fault(index, "request", message, "Send the request's JSON body as it was sent.")
    for name in _IDS:
        if _is_bad_id(item.get(name)):
            mend = f"Use a text of at most {KEY_CHARACTERS} characters, or leave it out."
            return fault(index, name, f'"{name}" is no id.', mend)
    for name in (*_NAMES, *_OBJECTS, "stream"):
        wanted = dict if name in _OBJECTS else list if name == "stream" else str
        if not isinstance(item.get(name), wanted | None):
            message = f'"{name}" is no {_WORDS[wanted]}.'
            return fault(index, name, message, f"Send a {_WORDS[wanted]}, or leave it out.")
    return _wrong_tags(item, index) or _wrong_time(item, index)


def _wrong_tags(item: Mapping[str, Any], index: int) -> Problem | None:
    """Both ways of writing them: a list of texts, or one text with commas between."""
    said = item.get(_TAGS)
    if said is None or isinstance(said, str) or (isinstance(said, list) and all(isinstance(tag, str) for tag in said)):
        return None
    return fault(index, _TAGS, '"tags" is no list of texts.', 'Write ["web", "nightly"], or leave it out.')


_WORDS: dict[type, str] = {dict: "object", list: "list", str: "text"}


def _is_bad_id(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and value.strip() and key_of(value))


def _wrong_time(item: Mapping[str, Any], index: int) -> Problem | None:
    if item.get("at") is not None and moment(item["at"]) is None:
        return fault(index, "at", '"at" is no time.', "Write it as in 2026-11-22T13:55:22.590Z.")
    if item.get("duration_ms") is not None and tokens_of(item["duration_ms"]) is None:
        message = '"duration_ms" is no number of milliseconds.'
        return fault(index, "duration_ms", message, f"Send a number from 0 to {MOST:,}, or leave it out.")
    return None


# --- what it then says ------------------------------------------------------------------------------------------------


def _item(item: Mapping[str, Any]) -> Item:
    headers = {str(name).lower(): text_of(value) for name, value in mapping_of(item.get("headers")).items()}
    path = text_of(item.get("path"))
    return Item(
        id=text_of(item.get("id")),
        conversation=text_of(item.get("conversation")),
        parent=text_of(item.get("parent")),
        agent=name_of(item.get("agent")),
        agent_version=name_of(item.get("agent_version"), VERSION_CHARACTERS),
        title=short_title(text_of(item.get("title"))),
        tags=tags_said(item.get(_TAGS)),
        at=moment(item.get("at")),
        duration_ms=tokens_of(item.get("duration_ms")),
        provider=name_of(item.get("provider")).strip().lower(),
        endpoint=(text_of(item.get("endpoint")) or path).strip(),
        model=name_of(item.get("model")) or _model_in(path),
        headers=headers,
        request=mapping_of(item.get("request")),
        response=mapping_of(item.get("response")),
        stream=[mapping_of(event) for event in list_of(item.get("stream"))],
        error=_error_of(mapping_of(item.get("error"))),
    )


def _model_in(path: str) -> str:
    """Of `/model/ID/invoke` (Bedrock) or `…/publishers/anthropic/models/ID:rawPredict` (Vertex)."""
    match = _MODEL_IN_PATH.search(path)
    return unquote(match.group(1))[:NAME_CHARACTERS] if match else ""


def _error_of(error: Mapping[str, Any]) -> str:
    if not error:
        return ""
    status = tokens_of(error.get("status"))
    said = error_text(error.get("body") if "body" in error else error)
    return f"{status} {said}".strip() if status else said


def error_text(body: object) -> str:
    """What a provider's error body says, on one line: its type or code, the code of its details, its message."""
    if isinstance(body, str):
        return " ".join(body.split())[:ERROR_CHARACTERS]
    inner = mapping_of(mapping_of(body).get("error")) or mapping_of(body)
    code = text_of(mapping_of(inner.get("details")).get("error_code"))
    kind = text_of(inner.get("type")) or text_of(inner.get("code")) or text_of(inner.get("__type"))
    said = " ".join((text_of(inner.get("message")) or text_of(inner.get("Message"))).split())
    head = f"{kind} ({code})" if kind and code else kind or code
    return f"{head}: {said}"[:ERROR_CHARACTERS] if head and said else (head or said or "error")[:ERROR_CHARACTERS]
