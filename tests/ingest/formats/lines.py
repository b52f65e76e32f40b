"""Lines of transcripts, made by hand in the shapes that real ones have, and what parsers make of them."""

import json

from conversations.ingest.events import ConversationEvent, Problem
from conversations.ingest.formats import event_key, parser_for

SESSION = "5a1f0c5e-0000-4000-8000-000000000001"


def claude(kind, uuid="", minute=0, **fields):
    """One record of a Claude Code transcript."""
    record = {
        "type": kind,
        "sessionId": SESSION,
        "version": "2.1.217",
        "cwd": "/home/dev/project",
        "isSidechain": False,
    }
    record |= {"timestamp": f"2026-07-26T15:{minute:02}:00.000Z", "parentUuid": None}
    if uuid:
        record["uuid"] = uuid
    return {name: value for name, value in (record | fields).items() if value is not ...}


def user(uuid, content, **fields):
    return claude("user", uuid, message={"role": "user", "content": content}, **fields)


def assistant(uuid, content, request="msg_1", usage=None, **fields):
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    tokens = {
        "input_tokens": 3,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 200,
        "output_tokens": 42,
    }
    message = {
        "id": request,
        "role": "assistant",
        "model": "claude-opus-5",
        "content": blocks,
        "usage": usage or tokens,
    }
    return claude("assistant", uuid, message=message | {"stop_reason": "end_turn"}, **fields)


def boundary(uuid, trigger="auto", **meta):
    fields = {"subtype": "compact_boundary", "content": "Conversation compacted"}
    return claude("system", uuid, **fields, compactMetadata={"trigger": trigger, "preTokens": 160_000} | meta)


def summary(
    uuid, text="This session is being continued from a previous conversation that ran out of context. Done.", **fields
):
    return user(uuid, text, isCompactSummary=True, isVisibleInTranscriptOnly=True, **fields)


def codex(kind, payload, second=0, **fields):
    """One line of a Codex rollout."""
    return {"timestamp": f"2026-06-18T08:00:{second:02}.000Z", "type": kind, "payload": payload} | fields


def codex_meta(**fields):
    return codex("session_meta", {"id": SESSION, "cwd": "/home/dev/project", "cli_version": "0.140.0"} | fields)


def said(role, text, **fields):
    part = {"type": "output_text" if role == "assistant" else "input_text", "text": text}
    return {"type": "message", "role": role, "content": [part]} | fields


def token_count(total, last_input, last_total=None, **fields):
    last = {
        "input_tokens": last_input,
        "cached_input_tokens": last_input // 2,
        "output_tokens": 10 if last_input else 0,
    }
    last["total_tokens"] = last_total if last_total is not None else last_input + 10
    info = {"total_token_usage": {"total_tokens": total}, "last_token_usage": last, "model_context_window": 258_400}
    return codex("event_msg", {"type": "token_count", "info": info}, **fields)


def to_lines(records):
    return [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]


def outputs(source, records):
    parser = parser_for(source)
    found = [output for number, line in enumerate(to_lines(records), start=1) for output in parser.feed(line, number)]
    return found + list(parser.finish())


def settled(found):
    """The events as they end: the later overwrites the earlier, conversation events add up."""
    events = {}
    for event in found:
        if isinstance(event, Problem):
            continue
        known = events.get(event_key(event))
        events[event_key(event)] = merged(known, event) if isinstance(event, ConversationEvent) and known else event
    return events


def merged(known, news):
    fields = {name: getattr(known, name) for name in known.__struct_fields__}
    told = {name: getattr(news, name) for name in news.__struct_fields__ if getattr(news, name) not in (None, "")}
    return ConversationEvent(**fields | {name: value for name, value in told.items() if repr(value) != "UNSET"})


def parse(source, records):
    """(events as they end, problems)"""
    found = outputs(source, records)
    return list(settled(found).values()), [output for output in found if isinstance(output, Problem)]


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]
