import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from django.core.management import call_command

from conversations.ingest.events import CompactionEvent, ConversationEvent, MessageEvent, RequestEvent
from conversations.ingest.formats.native import decode_batch
from conversations.models import Agent, Batch, Compaction, Conversation, Message, Request
from conversations.ops.demo import load_demo, remove_demo, scripts
from conversations.ops.demo.script import events_of, read_script
from conversations.vocabulary import CompactionKind, SummaryState, Trigger

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
KEY = json.loads((Path(__file__).parent / "demo_key.json").read_text())
HEAD = "title: T\nagent: a\nversion: 1\nmodel: m\nwindow: 1000\nbase: 100\nbegins: 1\n---\n"


def perform(text):
    return events_of(read_script("demo-test", HEAD + text), NOW)


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


# --- reading scripts ------------------------------------------------------------------------------------------------


def test_thinking_text_and_calls_are_one_message_and_one_call():
    events = perform(
        "== user\nGo\n== thinking\nHm\n== assistant\nI look.\n== call Bash command\nls\n== result error\nno\n"
    )

    said, result = of(events, MessageEvent)[1:]
    assert [msgspec.to_builtins(block)["type"] for block in said.content] == ["thinking", "text", "tool_call"]
    assert said.content[2].input == {"command": "ls"}
    assert (result.content[0].id, result.content[0].is_error) == (said.content[2].id, True)
    assert [event.stop_reason for event in of(events, RequestEvent)] == ["tool_use"]


def test_context_is_what_stands_in_it():
    events = perform(
        "== user\n" + "x" * 370 + "\n== assistant\nYes\n== call f\n{}\n== result tokens=500\nr\n== assistant\nDone\n"
    )

    reads = [sum(filter(None, msgspec.structs.astuple(event.usage)[:3])) for event in of(events, RequestEvent)]

    assert reads == [200, 200 + 500 + of(events, RequestEvent)[0].usage.output_tokens]


@pytest.mark.parametrize(
    ("options", "kept", "cleared"),
    [
        ("kind=client", [], []),
        ("kind=client kept=users", ["m001"], []),
        ("kind=truncation kept=last:2", ["m004", "m005"], []),
        ("kind=tool_clear but=1", [], ["call_001"]),
    ],
)
def test_compaction_keeps_and_clears_by_its_rule(options, kept, cleared):
    calls = "== call f\n{}\n== result tokens=50\nr\n" * 2

    [event] = of(perform(f"== user\nGo\n{calls}== compaction {options}\n"), CompactionEvent)

    assert (event.kept, event.cleared) == (kept, cleared)


def test_instructions_and_summary_belong_to_their_compaction():
    [event] = of(
        perform("== user\nGo\n== compaction kind=client\n== instructions\nShort\n== summary\nWent\n"), CompactionEvent
    )

    assert (event.instructions, event.summary, event.summary_state) == ("Short", "Went", SummaryState.TEXT)


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_every_script_becomes_events_that_are_taken(script):
    events = events_of(script, NOW)

    items = decode_batch(msgspec.json.encode({"events": events}))

    assert [item.result for item in items] == events
    assert events == events_of(script, NOW)
    assert NOW.timestamp() - 3 * 86_400 < events[1].at.timestamp() <= events[-1].at.timestamp() <= NOW.timestamp()
    assert [event.at for event in events[1:]] == sorted(event.at for event in events[1:])


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_every_call_is_answered(script):
    blocks = [block for event in of(events_of(script, NOW), MessageEvent) for block in event.content]
    calls = [block.id for block in blocks if type(block).__name__ == "ToolCall"]

    assert [block.id for block in blocks if type(block).__name__ == "ToolResult"] == calls


def test_every_state_is_shown():
    events = [event for script in scripts() for event in events_of(script, NOW)]
    compactions, conversations = of(events, CompactionEvent), of(events, ConversationEvent)

    assert {event.kind for event in compactions} == set(CompactionKind) - {CompactionKind.ON_DEMAND}
    assert {event.summary_state for event in compactions} == set(SummaryState)
    assert {Trigger.AUTO, Trigger.MANUAL, Trigger.THRESHOLD} <= {event.trigger for event in compactions}
    assert any(not conversation.complete for conversation in conversations)
    assert any(conversation.parent for conversation in conversations)


@pytest.mark.parametrize(
    ("name", "messages", "compactions"), [("demo-billing-migration", 100, 4), ("demo-support-day", 60, 2)]
)
def test_long_conversations_are_long(name, messages, compactions):
    [script] = [script for script in scripts() if script.name == name]
    events = events_of(script, NOW)

    assert len(of(events, MessageEvent)) >= messages
    assert len(of(events, CompactionEvent)) == compactions


def test_no_text_is_said_twice_in_a_conversation():
    for script in scripts():
        long = [part.body for part in script.parts if part.kind in ("user", "assistant") and len(part.body) > 40]
        assert len(long) == len(set(long)), script.name


# --- the answer key -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fact", KEY["facts"], ids=lambda fact: f"{fact['conversation']}-{fact['compaction']}-{fact['words'][0]}"
)
def test_key_speaks_of_what_was_said_before_and_harm_of_what_was_said_after(fact):
    [script] = [script for script in scripts() if script.name == fact["conversation"]]
    kinds = [part.kind for part in script.parts]
    boundaries = [place for place, kind in enumerate(kinds) if kind == "compaction"]
    boundary = boundaries[fact["compaction"] - 1]
    before = "\n".join(part.body for part in script.parts[:boundary]).lower()
    after = "\n".join(part.body for part in script.parts[boundary:])

    for word in fact["words"]:
        assert word.lower() in before
    assert fact.get("harm", "") in after


# --- the store ------------------------------------------------------------------------------------------------------


def counts():
    return [model.objects.count() for model in (Conversation, Message, Request, Compaction, Batch)]


def test_demo_is_loaded_once_and_removed_whole(acme):
    ids = load_demo(acme)
    loaded = counts()

    assert len(ids) == len(scripts()) == loaded[0]
    assert Batch.objects.filter(rejected__gt=0).count() == 0
    assert (load_demo(acme), counts()) == (ids, loaded)

    removed = remove_demo(acme)

    assert removed == len(ids)
    assert counts() == [0] * 5
    assert len(load_demo(acme)) == len(ids)


def test_removing_the_demo_leaves_everything_else(acme, globex):
    mine = Conversation.objects.create(workspace=acme, source="events", external_id="mine", last_at=NOW)
    load_demo(globex)

    assert remove_demo(acme) == 0

    assert Conversation.objects.filter(pk=mine.pk).exists()
    assert globex.conversations.count() == len(scripts())


def test_children_are_linked_and_tokens_saw(acme):
    load_demo(acme)

    migration = Conversation.objects.get(external_id="demo-billing-migration")
    child = Conversation.objects.get(external_id="demo-billing-migration-callers")
    assert child.parent_external_id == migration.external_id
    for compaction in Compaction.objects.exclude(summary_state=SummaryState.FAILED):
        assert compaction.tokens_after_observed < compaction.tokens_before_observed, compaction.conversation


def test_command_loads_and_removes(acme):
    out = StringIO()

    call_command("demo", "--workspace", "acme", stdout=out)
    call_command("demo", "--remove", stdout=out)

    assert f"{len(scripts())} sample conversations are in acme." in out.getvalue()
    assert not Agent.objects.exclude(conversations=None).exists()
