"""How the OpenAPI document describes the ways in: their views read bytes themselves and have no serializers."""

from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from conversations.api.schema import FAULTS
from conversations.audit.model import FactKind
from conversations.ingest.events import Block, Event, Problem
from conversations.vocabulary import BatchState, CompactionKind, Outcome, SummaryState

_REF = "#/components/schemas/{name}"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}


def _object(properties: dict[str, Any], description: str, *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "properties": properties, "required": required}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_MOMENT = {"type": "string", "format": "date-time"}
_BATCH = {
    "id": _NUMBER,
    "url": _TEXT,
    "state": {"type": "string", "enum": list(BatchState)},
    "format": _TEXT | {"description": "events, exchanges, otlp, claude_code or codex."},
    "name": _TEXT,
    "bytes": _NUMBER,
    "received_at": _MOMENT,
    "digested_at": {"type": ["string", "null"], "format": "date-time"},
    "accepted": _NUMBER,
    "duplicates": _NUMBER,
    "rejected": _NUMBER,
    "found": {"type": ["object", "null"], "description": "What was found in it; null until it is digested."},
    "error": _TEXT,
}
_ANY_OBJECT = {"type": "object", "additionalProperties": True}
_EXCHANGE = {
    "request": _ANY_OBJECT | {"description": "The body as it was sent."},
    "response": {"type": ["object", "null"], "description": "The body as it was answered."},
    "stream": _list(_ANY_OBJECT) | {"description": "Instead: the decoded events of a streamed answer, in order."},
    "error": _ANY_OBJECT | {"description": 'Instead: what went wrong, {"status": 529, "body": {…}}.'},
    "id": _TEXT | {"description": "The exchange again changes nothing. By default the answer's own id."},
    "conversation": _TEXT | {"description": "Which conversation; without it, it is recognised by its beginning."},
    "parent": _TEXT | {"description": "The conversation that spawned this one."},
    "agent": _TEXT,
    "agent_version": _TEXT,
    "title": _TEXT,
    "tags": _list(_TEXT) | {"description": "Put on the conversation; also one text with commas between."},
    "at": _MOMENT | {"description": "When the request was sent."},
    "duration_ms": _NUMBER,
    "provider": _TEXT | {"description": "anthropic, bedrock, vertex, foundry, openai, …; recognised by shape."},
    "endpoint": _TEXT | {"description": "messages, responses, chat/completions, …; recognised by shape."},
    "model": _TEXT | {"description": "Where the body does not name it."},
    "headers": _ANY_OBJECT | {"description": "Only what says something: anthropic-beta. Never send keys."},
}
_OPTIONAL = tuple(name for name in _EXCHANGE if name != "request")
_RESULT = {
    "index": _NUMBER,
    "id": _TEXT,
    "conversation": _TEXT | {"description": "Of an exchange: where it belongs."},
    "status": {"type": "string", "enum": ["accepted", "duplicate", "rejected"]},
    "code": _TEXT,
    "field": _TEXT,
    "message": _TEXT,
    "mend": _TEXT,
}
_FOUND = {"id": _NUMBER, "external_id": _TEXT, "title": _TEXT, "url": _TEXT, "compactions": _NUMBER}
_NEXT = {"type": ["string", "null"], "format": "uri"}


_LOOSE = {"type": "object", "additionalProperties": True}


def _own_components() -> dict[str, Any]:
    problems = _object({"next": _NEXT, "results": _list(_ref("Problem"))}, "A page of problems.")
    conversation = _object(_FOUND, "A conversation it speaks of.")
    whole = {"conversations": _list(conversation), "problems": problems}
    return {
        "EventBatch": _object({"events": _list(_ref("Event"))}, "A batch of events, version 1."),
        "Batch": _object(_BATCH, "What one POST delivered, and how far it is."),
        "BatchPage": _object(
            {"next": _NEXT, "previous": _NEXT, "results": _list(_ref("Batch"))}, "A page of batches, newest first."
        ),
        "OneBatch": _object(_BATCH | whole, "A batch, the conversations in it, and what was not understood."),
        "ExchangeBatch": _object({"exchanges": _list(_ref("Exchange"))}, "A batch of exchanges."),
        "Exchange": _object(_EXCHANGE, "One model call as it was sent and answered.", optional=_OPTIONAL),
        "EventResult": _object(
            _RESULT, "What became of one event, or one exchange.",
            optional=("conversation", "code", "field", "message", "mend"),
        ),
        "Receipt": _object(
            {"batch": _ref("Batch"), "results": _list(_ref("EventResult")), "unread": _ref("Batch"), "budget": _LOOSE},
            "What became of the batch, and for events and exchanges of each of them, in order. `unread` holds the bytes"
            " of the exchanges that were not understood. `budget` is what `/budgets/status` answers for the batch's"
            " conversation; of several, for the one that stands worst.",
            optional=("results", "unread"),
        ),
    }  # fmt: skip


_ADDED = {"id": _TEXT, "kind": _TEXT, "text": _TEXT, "summary_quote": _TEXT, "reason": _TEXT}
_FINDING = {
    "id": _TEXT,
    "kind": {"type": "string", "enum": list(FactKind)},
    "text": _TEXT,
    "quote": _TEXT | {"description": "The source's own words."},
    "author": _TEXT,
    "messages": _list(_TEXT) | {"description": "External ids, the best place first."},
    "outcome": {"type": "string", "enum": list(Outcome)},
    "detail": _TEXT,
    "probability": {"type": "number", "description": "That the summary lets the agent know it."},
    "importance": {"type": "number"},
    "summary_quote": _TEXT | {"description": "The nearest words of the summary; empty = none."},
    "reason": _TEXT,
    "detector": _TEXT,
    "rank": {"type": "number"},
    "rank_parts": _LOOSE,
    "evidence": _list(_LOOSE),
}
_AUDITED = {
    "boundary": _TEXT | {"description": "The compaction's external id."},
    "number": _NUMBER,
    "summary_state": {"type": "string", "enum": list(SummaryState)},
    "kind": {"type": "string", "enum": list(CompactionKind)},
    "complete": {"type": "boolean"},
    "retention": _LOOSE | {"description": "value, low, high (null = cannot be told) and the number of facts."},
    "counts": _LOOSE,
    "harm_checkable": {"type": "boolean"},
    "cut_texts": _NUMBER | {"description": "Texts so long that their ends were not read."},
    "findings": _list(_object(_FINDING, "What became of one fact; best first.")),
    "added": _list(_object(_ADDED, "A statement of the summary without a source.")),
}
_UNREAD = {"line": {"type": ["integer", "null"]}, "code": _TEXT, "message": _TEXT}


def _report() -> dict[str, Any]:
    found = {
        "file": _TEXT,
        "version": _TEXT | {"description": "The auditor's."},
        "compactions": _list(_object(_AUDITED, "One compaction.")),
        "problems": _list(_object(_UNREAD, "A line that could not be read; the first twenty.")),
    }
    return _object(found, "What the compactions of a transcript forgot, altered and added.")


def add_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the events, from the types that read them, and the batches. A hook of the generator."""
    [event, block, _problem], schemas = msgspec.json.schema_components([Event, Block, Problem], ref_template=_REF)
    components = schemas | {"Event": event, "Block": block, "Report": _report()} | _own_components()
    result["components"]["schemas"] = dict(sorted({**result["components"]["schemas"], **components}.items()))
    return result


# --- examples -------------------------------------------------------------------------------------------------------

_EVENTS = OpenApiExample(
    "A question, the model's call, and a compaction",
    media_type="application/json",
    request_only=True,
    value={
        "events": [
            {"type": "conversation", "conversation": "ticket-4711", "title": "Invoice without VAT", "agent": "helper"},
            {"type": "message", "id": "m1", "conversation": "ticket-4711", "role": "user", "at": "2026-11-22T13:55:22Z",
             "content": "Please never call me, only e-mail."},
            {"type": "request", "id": "r1", "conversation": "ticket-4711", "model": "claude-sonnet-5-5",
             "usage": {"input_tokens": 1200, "cache_read_tokens": 48000, "output_tokens": 310}},
            {"type": "compaction", "id": "c1", "conversation": "ticket-4711", "kind": "threshold",
             "trigger": "threshold", "summary": "The customer wants an invoice without VAT.", "tokens_before": 49510},
        ]
    },
)  # fmt: skip
_EXCHANGES = OpenApiExample(
    "A question and its answer",
    media_type="application/json",
    request_only=True,
    value={
        "exchanges": [{
            "conversation": "ticket-4711", "agent": "helper", "at": "2026-11-22T13:55:22Z",
            "request": {"model": "claude-sonnet-5-5", "max_tokens": 1024,
                        "messages": [{"role": "user", "content": "Please never call me, only e-mail."}]},
            "response": {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5",
                         "content": [{"type": "text", "text": "Understood."}], "stop_reason": "end_turn",
                         "usage": {"input_tokens": 21, "output_tokens": 5}},
        }]
    },
)  # fmt: skip
_TAKEN = OpenApiExample(
    "One taken, one refused",
    media_type="application/json",
    response_only=True,
    value={
        "batch": {"id": 7, "url": "/api/v1/batches/7", "state": "pending", "format": "events", "name": "", "bytes": 912,
                  "received_at": "2026-11-22T13:55:23Z", "digested_at": None, "accepted": 1, "duplicates": 0,
                  "rejected": 1, "found": None, "error": ""},
        "results": [
            {"index": 0, "id": "m1", "status": "accepted"},
            {"index": 1, "id": "", "status": "rejected", "code": "bad_field", "field": "role",
             "message": "Invalid enum value 'robot'.", "mend": "Use one of user, assistant, system, tool."},
        ],
    },
)  # fmt: skip

_REPORT = OpenApiExample(
    "A rule that was forgotten",
    media_type="application/json",
    response_only=True,
    value={
        "file": "session.jsonl", "version": "1", "problems": [],
        "compactions": [{
            "boundary": "c1", "number": 1, "summary_state": "text", "kind": "client", "complete": True,
            "retention": {"value": 0.0, "low": 0.0, "high": 0.0, "facts": 1},
            "counts": {"kept": 0, "altered": 0, "forgotten": 1, "superseded": 0, "unverifiable": 0, "added": 0,
                       "harm": 0, "kind": {"prohibition": {"forgotten": 1}}},
            "harm_checkable": False, "cut_texts": 0, "added": [],
            "findings": [{
                "id": "9f2c", "kind": "prohibition", "text": "The user: never call me, only e-mail.",
                "quote": "Please never call me, only e-mail.", "author": "user", "messages": ["m1"],
                "outcome": "forgotten", "detail": "", "probability": 0.06, "importance": 0.7, "summary_quote": "",
                "reason": "The summary does not say it.", "detector": "words", "rank": 0.8, "rank_parts": {},
                "evidence": [],
            }],
        }],
    },
)  # fmt: skip

# --- the views ------------------------------------------------------------------------------------------------------

_WAIT = OpenApiParameter("wait", OpenApiTypes.BOOL, description="1: digest the batch before answering.")
_PAGING = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="Rows a page, at most 500."),
    OpenApiParameter("cursor", OpenApiTypes.STR, description='From the "next" of the page before.'),
]
_STATE = OpenApiParameter("state", OpenApiTypes.STR, description="Only those.", enum=list(BatchState))
_FAULTS = {code: OpenApiResponse(serializer, description) for code, (serializer, description) in FAULTS.items()}
_TOO_LARGE = {"413": OpenApiResponse(_FAULTS["422"].response, "The body, or something in it, is over its limit.")}


def _described(view: str, method: str, **words: Any) -> type[OpenApiViewExtension]:
    """An extension that says for one method of a view what a serializer would have said."""

    def view_replacement(self: Any) -> Any:
        copy = type(self.target_class.__name__, (self.target_class,), {"__doc__": self.target_class.__doc__})
        return extend_schema_view(**{method: extend_schema(**words)})(copy)

    body = {"target_class": f"conversations.api.{view}", "view_replacement": view_replacement}
    return type(f"{view.rpartition('.')[2]}Extension", (OpenApiViewExtension,), body)


_described(
    "events.EventBatchView", "post", operation_id="events_create", tags=["ingest"], parameters=[_WAIT],
    summary="Send events",
    description="JSON or NDJSON, plain, gzip or zstd. The same batch twice changes nothing; every event has a result.",
    request={"application/json": _ref("EventBatch"), "application/x-ndjson": _ref("Event")},
    responses={"207": OpenApiResponse(_ref("Receipt"), "What became of each event."), **_TOO_LARGE, **_FAULTS},
    examples=[_EVENTS, _TAKEN],
)  # fmt: skip
_described(
    "exchanges.ExchangeView", "post", operation_id="exchanges_create", tags=["ingest"], parameters=[_WAIT],
    summary="Send model calls as they were sent and answered",
    description="Bodies of requests and answers of the Messages API, OpenAI's APIs and their clouds; JSON or NDJSON,"
    " plain, gzip or zstd. What is sent again with every request is stored once. Compactions are recognised where the"
    " API tells of them, and found by comparing contexts where nobody does. Every exchange has a result.",
    request={"application/json": _ref("ExchangeBatch"), "application/x-ndjson": _ref("Exchange")},
    responses={"207": OpenApiResponse(_ref("Receipt"), "What became of each exchange."), **_TOO_LARGE, **_FAULTS},
    examples=[_EXCHANGES],
)  # fmt: skip
_described(
    "transcripts.TranscriptView", "post", operation_id="transcripts_create", tags=["ingest"],
    parameters=[_WAIT, OpenApiParameter("name", OpenApiTypes.STR, description="The file's name, for people.")],
    summary="Send a transcript",
    description="A whole session file of Claude Code or Codex, recognised by its content; streamed. One that grew is"
    " sent again and only the new part is digested.",
    request={
        "application/octet-stream": {"type": "string", "format": "binary"},
        "multipart/form-data": _object({"file": {"type": "string", "format": "binary"}}, "A form with one file."),
    },
    responses={"207": OpenApiResponse(_ref("Receipt"), "The batch."), **_TOO_LARGE, **_FAULTS},
)  # fmt: skip
_described(
    "auditing.AuditView", "post", operation_id="audit", tags=["read"],
    parameters=[OpenApiParameter("name", OpenApiTypes.STR, description="The file's name, for the report.")],
    summary="Audit a transcript without keeping it",
    description="A whole session file of Claude Code or Codex in, the report of `manage.py audit --json` out: for each"
    " compaction what was forgotten, altered or added. Nothing is stored. One at a time in each process of the server.",
    request={
        "application/octet-stream": {"type": "string", "format": "binary"},
        "multipart/form-data": _object({"file": {"type": "string", "format": "binary"}}, "A form with one file."),
    },
    responses={"200": OpenApiResponse(_ref("Report"), "The report."), **_TOO_LARGE, **_FAULTS},
    examples=[_REPORT],
)  # fmt: skip
_described(
    "batches.BatchListView", "get", operation_id="batch_list", tags=["ingest"], parameters=[_STATE, *_PAGING],
    summary="Batches, newest first",
    responses={"200": OpenApiResponse(_ref("BatchPage"), "A page."), **_FAULTS},
)  # fmt: skip
_described(
    "batches.BatchView", "get", operation_id="batch", tags=["ingest"], parameters=_PAGING, summary="One batch",
    responses={"200": OpenApiResponse(_ref("OneBatch"), "The batch."), **_FAULTS},
)  # fmt: skip
_described(
    "batches.BatchRedigestView", "post", operation_id="batch_redigest", tags=["ingest"], request=None,
    summary="Digest a batch again",
    responses={"202": OpenApiResponse(_ref("Batch"), "It waits for digestion."), **_FAULTS},
)  # fmt: skip
