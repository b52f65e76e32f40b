"""Messages told one an event, as the conventions had it before 1.37: `gen_ai.user.message` … `gen_ai.choice`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conversations.ingest.formats.base import mapping_of
from conversations.ingest.formats.otlp import Moment, Record, structured
from conversations.ingest.formats.otlp_parts import Content, content_of

_CHOICE = "gen_ai.choice"
_ROLES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
NAMES = frozenset({*_ROLES, _CHOICE})

Told = tuple[str, Mapping[str, Any]]


def content_of_moments(moments: Iterable[Moment], *, whole: bool) -> Content:
    """Of the events of a span."""
    return _content([(moment.name, moment.attributes) for moment in moments if moment.name in NAMES], whole=whole)


def content_of_records(records: Sequence[Record]) -> Content:
    """Of the records written during a span. Some may have come in another request, so that it is never the whole
    context: only what is new in it is taken, and only once it has been answered."""
    if not any(record.name == _CHOICE for record in records):
        return Content()
    return _content(
        [(record.name, {**record.attributes, **mapping_of(record.body)}) for record in records], whole=False
    )


def _content(told: Sequence[Told], *, whole: bool) -> Content:
    sent = [{"role": _ROLES[name], **_fields(fields)} for name, fields in told if name in _ROLES]
    answers = [_fields(fields) for name, fields in told if name == _CHOICE]
    return content_of(None, sent, [_together(answers)] if answers else None, whole=whole)


def _fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The message may stand as JSON in one attribute of its event, and a choice's below `message`."""
    told = {**fields, **mapping_of(structured(fields.get("gen_ai.event.content")))}
    inner = mapping_of(structured(told.get("message")))
    return {**told, **inner, "id": inner.get("id", told.get("id"))}


def _together(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One answer: OpenLLMetry tells of each of its blocks as a choice of its own."""
    parts: list[Any] = []
    for answer in answers:
        content = answer.get("content")
        parts += content if isinstance(content, list) else [content] if content else []
        parts += answer.get("tool_calls") if isinstance(answer.get("tool_calls"), list) else []  # type: ignore[arg-type]
    return {"role": "assistant", "parts": parts}
