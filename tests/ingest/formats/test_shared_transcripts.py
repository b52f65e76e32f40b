"""The parsers against real transcripts, counted a second time straight from the JSON lines."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conversations.ingest.events import CompactionEvent, MessageEvent, RequestEvent, Summary, ToolResult
from conversations.ingest.formats import event_key, parse_file
from conversations.ingest.segments import PlacedCompaction, PlacedMessage, drops
from conversations.vocabulary import CLEARING_KINDS, Origin

TRANSCRIPTS = Path(__file__).parents[4] / "shared" / "transcripts"
CLAUDE = sorted((TRANSCRIPTS / "claude-code").glob("*.jsonl")) + sorted(
    TRANSCRIPTS.glob("recorded/claude-code*mock.jsonl")
)
CODEX = sorted((TRANSCRIPTS / "codex").glob("*.jsonl")) + sorted(TRANSCRIPTS.glob("recorded/codex*.jsonl"))

pytestmark = pytest.mark.skipif(
    not TRANSCRIPTS.is_dir(),
    reason=f"the real transcripts are not at {TRANSCRIPTS}; they are never part of the repository",
)


@dataclass
class Counted:
    """What a file says, by the simplest reading of it."""

    boundaries: list[tuple] = field(default_factory=list)  # id or number, tokens before
    contexts: dict = field(default_factory=dict)  # request id or number -> context tokens
    dropped: dict = field(default_factory=lambda: defaultdict(set))  # boundary -> record ids
    summaries: dict = field(default_factory=dict)  # record id -> text as logged


def lines_of(path):
    return [(number, json.loads(line)) for number, line in enumerate(path.read_text().splitlines(), start=1)]


def count_claude(path):
    counted, span = Counted(), []
    for _, record in lines_of(path):
        kind, message = record["type"], record.get("message") or {}
        if record.get("subtype") == "compact_boundary":
            meta = record["compactMetadata"]
            kept = set((meta.get("preservedMessages") or {}).get("uuids", []))
            counted.boundaries.append((record["uuid"], meta["preTokens"]))
            counted.dropped[record["uuid"]] = set(span) - kept
            span = [uuid for uuid in span if uuid in kept]
        elif kind in ("user", "assistant"):
            span.append(record["uuid"])
            if record.get("isCompactSummary"):
                counted.summaries[record["uuid"]] = message["content"]
        if kind == "assistant" and message["model"] != "<synthetic>":
            usage = message["usage"]
            counted.contexts[message["id"]] = sum(
                usage[name] for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
            )
    return counted


def count_codex(path):
    counted, span, total = Counted(), [], None
    for number, line in lines_of(path):
        kind, payload = line["type"], line["payload"]
        if kind == "compacted":
            texts = {said_in(item) for item in payload["replacement_history"] if item.get("role") == "user"}
            stays = [(key, text) for key, text in span if text in texts and is_asked(text)]
            counted.boundaries.append((f"compacted-{number}", None))
            counted.dropped[f"compacted-{number}"] = {key for key, text in span if (key, text) not in stays}
            span = stays
        elif kind == "response_item" and not (line.get("metadata") or {}).get("compaction_output"):
            span.append(
                (payload.get("id") or f"line-{number}", said_in(payload) if payload.get("role") == "user" else None)
            )
        elif payload.get("type") == "token_count" and payload["info"]:
            last, now = payload["info"]["last_token_usage"], payload["info"]["total_token_usage"]
            if now != total and last["input_tokens"]:
                counted.contexts[number] = last["input_tokens"]
            total = now
    return counted


def said_in(item):
    return "\n".join(part.get("text", "") for part in item.get("content") or [])


def is_asked(text):
    return text is not None and not text.startswith(("# AGENTS.md", "<environment_context>"))


def parsed(path):
    """The events as they end, the later overwriting the earlier."""
    events, problems = parse_file(path).events_and_problems()
    assert problems == []
    return list({event_key(event): event for event in events}.values())


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def dropped_by(events):
    """Compaction id -> ids of the messages it dropped."""
    messages = [
        PlacedMessage(event.id, event.sequence, [block.id for block in event.content], only_results=True)
        if event.content and all(isinstance(block, ToolResult) for block in event.content)
        else PlacedMessage(event.id, event.sequence)
        for event in of(MessageEvent, events)
    ]
    compactions = [
        PlacedCompaction(
            event.id, event.sequence, event.kind, event.kept, event.dropped, event.cleared, event.summary_message
        )
        for event in of(CompactionEvent, events)
    ]
    found = defaultdict(set)
    for message, compaction in drops(messages, compactions).items():
        found[compaction].add(message)
    return found


def full_compactions(events):
    return [event for event in of(CompactionEvent, events) if event.kind not in CLEARING_KINDS]


def context_of(request):
    usage = request.usage
    parts = (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    return request.context_tokens if request.context_tokens is not None else sum(part or 0 for part in parts)


@pytest.mark.parametrize("path", CLAUDE, ids=lambda path: path.stem[:22])
def test_claude_code_figures_equal_those_counted_from_the_lines(path):
    counted, events = count_claude(path), parsed(path)
    records = {json.loads(line).get("uuid") for line in path.read_text().splitlines() if '"uuid"' in line}
    spoken = {
        e.id for e in of(MessageEvent, events) if e.role != "system" and e.origin != Origin.QUEUED and e.id in records
    }

    assert [(event.id, event.tokens_before) for event in full_compactions(events)] == counted.boundaries
    assert {event.id: context_of(event) for event in of(RequestEvent, events)} == counted.contexts
    full, found, cleared = {event.id for event in full_compactions(events)}, dropped_by(events), set()
    for key in found.keys() - full:
        cleared |= found.pop(key)
    assert {key: ids & spoken for key, ids in found.items()} == {
        key: ids - cleared for key, ids in counted.dropped.items() if ids
    }


@pytest.mark.parametrize("path", CLAUDE, ids=lambda path: path.stem[:22])
def test_claude_code_summaries_are_the_logged_words_and_belong_to_their_compaction(path):
    counted, events = count_claude(path), parsed(path)
    messages = [event for event in of(MessageEvent, events) if event.origin is Origin.SUMMARY]

    assert {
        e.id: block.prefix + block.text + block.suffix for e in messages for block in e.content
    } == counted.summaries
    assert [event.summary_message for event in full_compactions(events)] == list(counted.summaries)
    for message in messages:
        [block] = message.content
        assert isinstance(block, Summary)
        assert "This session is being continued" not in block.text[:200]
        assert "read the full transcript at" not in block.text[-300:]


@pytest.mark.parametrize("path", CLAUDE, ids=lambda path: path.stem[:22])
def test_micro_compactions_drop_the_results_they_name(path):
    expected, results = {}, {}
    for _, record in lines_of(path):
        content = (record.get("message") or {}).get("content")
        blocks = content if record["type"] == "user" and isinstance(content, list) else []
        if {block["type"] for block in blocks} == {"tool_result"}:  # with words beside it, the message stays
            results |= {block["tool_use_id"]: record["uuid"] for block in blocks}
        if record.get("subtype") == "microcompact_boundary":
            named = record["microcompactMetadata"]["compactedToolIds"]
            gone = set().union(*expected.values())
            expected[record["uuid"]] = {results[call] for call in named if call in results} - gone
        elif record.get("subtype") == "compact_boundary":
            results = {}
    found = dropped_by(parsed(path))

    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("path", CODEX, ids=lambda path: path.stem[:22])
def test_codex_figures_equal_those_counted_from_the_lines(path):
    counted, events = count_codex(path), parsed(path)
    made_here = {event.id for event in of(MessageEvent, events) if event.origin in (Origin.RESTORED, Origin.SUMMARY)}

    assert [(event.id, None) for event in of(CompactionEvent, events)] == counted.boundaries
    assert [context_of(event) for event in of(RequestEvent, events)] == list(counted.contexts.values())
    assert {key: ids - made_here for key, ids in dropped_by(events).items()} == counted.dropped
