"""What the tests of Codex's rollouts ask of a handful of records."""

from conversations.ingest.events import MessageEvent
from tests.ingest.formats.lines import codex, codex_meta, of, parse


def item(payload, **fields):
    return codex("response_item", payload, **fields)


def compacted(*history, message="", **fields):
    return codex("compacted", {"message": message, "replacement_history": list(history)} | fields)


def read(*records):
    events, problems = parse("codex", [codex_meta(), *records])
    assert problems == []
    return events


def the(kind, *records):
    [event] = of(kind, read(*records))
    return event


def blocks(payload):
    return the(MessageEvent, item(payload)).content
