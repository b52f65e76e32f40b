"""What the tests of Claude Code's transcripts ask of a handful of records."""

from conversations.ingest.events import MessageEvent
from tests.ingest.formats.lines import claude, of, parse


def read(*records):
    events, problems = parse("claude_code", records)
    assert problems == []
    return events


def the(kind, *records):
    [event] = of(kind, read(*records))
    return event


def messages(*records):
    return of(MessageEvent, read(*records))


def said(*records):
    """(id, role, origin) of each message."""
    return [(message.id, message.role.value, message.origin.value) for message in messages(*records)]


def attachment(uuid, kind, **fields):
    return claude("attachment", uuid, attachment={"type": kind} | fields)


def queued(operation, **fields):
    return claude("queue-operation", operation=operation, **fields)
